//! Objects by their ids, read through one `git cat-file --batch` for each repository that lives as long as its server: a program
//! started for each object would be most of what a small server does.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::read::{Commit, TreeEntry, person};
use super::{Repository, is_full_id};

/// When so many bytes are held, all of them are dropped.
const MOST: usize = 64 * 1024 * 1024;

/// What an object is, and what is in it.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) content: Vec<u8>,
}

/// The programs that read, and what they have read: objects never change.
#[derive(Debug, Default)]
pub(super) struct Objects(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    readers: HashMap<PathBuf, Reader>,
    known: HashMap<PathBuf, HashMap<String, Arc<Object>>>,
    bytes: usize,
}

impl Objects {
    /// The object of a full id; `None` where the repository has none, or cannot be read.
    fn get(&self, repository: &Repository, id: &str) -> Option<Arc<Object>> {
        let mut held = self.lock();
        if let Some(object) = held.known.get(&repository.dir).and_then(|all| all.get(id)) {
            return Some(Arc::clone(object));
        }
        if !held.readers.contains_key(&repository.dir) {
            let reader = Reader::start(repository).ok()?;
            held.readers.insert(repository.dir.clone(), reader);
        }
        let read = held.readers.get_mut(&repository.dir)?.read(id);
        if read.is_err() {
            // Its repository is gone; the next question starts another.
            held.readers.remove(&repository.dir);
        }
        let object = Arc::new(read.ok()??);
        held.bytes += object.content.len();
        if held.bytes > MOST {
            held.known.clear();
            held.bytes = object.content.len();
        }
        let known = held.known.entry(repository.dir.clone()).or_default();
        known.insert(id.to_owned(), Arc::clone(&object));
        Some(object)
    }

    /// Objects may be gone, and with them the repositories that were read.
    pub(super) fn forget(&self) {
        *self.lock() = Held::default();
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One running program.
#[derive(Debug)]
struct Reader {
    child: Child,
    /// Closed to end it.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Reader {
    fn start(repository: &Repository) -> io::Result<Self> {
        let mut command = repository.command();
        command.args(["cat-file", "--batch"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn()?;
        let closed = || io::Error::other("a pipe of git is missing");
        Ok(Self {
            questions: Some(child.stdin.take().ok_or_else(closed)?),
            answers: BufReader::new(child.stdout.take().ok_or_else(closed)?),
            child,
        })
    }

    /// Asks for one object. git answers `ID KIND SIZE`, the content and a line break, or `ID missing`.
    fn read(&mut self, id: &str) -> io::Result<Option<Object>> {
        let Some(questions) = &mut self.questions else {
            return Ok(None);
        };
        questions.write_all(format!("{id}\n").as_bytes())?;
        questions.flush()?;
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        let mut words = head.split_whitespace().skip(1);
        let (Some(kind), size) = (words.next(), words.next()) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let Some(size) = size.and_then(|size| size.parse::<usize>().ok()) else {
            return Ok(None);
        };
        let mut content = vec![0; size + 1];
        self.answers.read_exact(&mut content)?;
        content.truncate(size);
        Ok(Some(Object {
            kind: kind.to_owned(),
            content,
        }))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ended = self.child.wait();
    }
}

impl Repository {
    /// An object by its full id, where this repository remembers what it reads.
    pub(super) fn object(&self, id: &str) -> Option<Arc<Object>> {
        let memory = self.memory.as_ref().filter(|_| is_full_id(id))?;
        memory.objects().get(self, id)
    }

    /// A commit by its full id; `None` also for what needs git's own eyes, such as other encodings.
    pub(super) fn commit_object(&self, id: &str) -> Option<Commit> {
        let object = self.object(id).filter(|object| object.kind == "commit")?;
        commit_of(id, &String::from_utf8_lossy(&object.content))
    }

    /// What is below a directory (empty: the root) of a commit with a full id; `None`: git must be asked.
    pub(super) fn tree_object(
        &self,
        commit: &str,
        directory: &str,
        recursive: bool,
    ) -> Option<Vec<TreeEntry>> {
        let mut tree = self.commit_object(commit)?.tree;
        let mut prefix = String::new();
        for name in directory.split('/').filter(|name| !name.is_empty()) {
            let entries = self.entries(&tree, &prefix)?;
            prefix = format!("{prefix}{name}/");
            let inside = |entry: &TreeEntry| {
                entry.kind == "tree" && entry.path == prefix.trim_end_matches('/')
            };
            let Some(found) = entries.into_iter().find(inside) else {
                return Some(Vec::new());
            };
            tree = found.id;
        }
        let mut all = Vec::new();
        self.collect(&tree, &prefix, recursive, &mut all)?;
        Some(all)
    }

    fn collect(
        &self,
        tree: &str,
        prefix: &str,
        recursive: bool,
        all: &mut Vec<TreeEntry>,
    ) -> Option<()> {
        for entry in self.entries(tree, prefix)? {
            let below = (recursive && entry.kind == "tree")
                .then(|| (entry.id.clone(), format!("{}/", entry.path)));
            all.push(entry);
            if let Some((id, prefix)) = below {
                self.collect(&id, &prefix, recursive, all)?;
            }
        }
        Some(())
    }

    fn entries(&self, tree: &str, prefix: &str) -> Option<Vec<TreeEntry>> {
        let object = self.object(tree).filter(|object| object.kind == "tree")?;
        let mut rest = object.content.as_slice();
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == 0)?;
            let head = String::from_utf8_lossy(rest.get(..end)?).into_owned();
            let id = rest.get(end + 1..end + 21)?;
            rest = rest.get(end + 21..)?;
            let (mode, name) = head.split_once(' ')?;
            let kind = match mode {
                "40000" => "tree",
                "160000" => "commit",
                _ => "blob",
            };
            entries.push(TreeEntry {
                id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
                kind: kind.to_owned(),
                mode: format!("{mode:0>6}"),
                path: format!("{prefix}{name}"),
            });
        }
        Some(entries)
    }
}

/// A commit from the text of its object.
fn commit_of(id: &str, text: &str) -> Option<Commit> {
    let (head, message) = text.split_once("\n\n")?;
    let (mut tree, mut parents) = (None, Vec::new());
    let (mut author, mut committer) = (None, None);
    for line in head.lines() {
        match line.split_once(' ') {
            Some(("tree", id)) => tree = Some(id.to_owned()),
            Some(("parent", id)) => parents.push(id.to_owned()),
            Some(("author", who)) => author = Some(signed(who)?),
            Some(("committer", who)) => committer = Some(signed(who)?),
            // Other headers, and other encodings, are for git to read.
            Some(_) | None => return None,
        }
    }
    Some(Commit {
        id: id.to_owned(),
        tree: tree?,
        parents,
        author: author?,
        committer: committer?,
        message: message.strip_suffix('\n').unwrap_or(message).to_owned(),
    })
}

/// `Name <email> seconds zone`.
fn signed(text: &str) -> Option<super::Person> {
    let (name, rest) = text.split_once(" <")?;
    let (email, date) = rest.split_once("> ")?;
    person(name.to_owned(), email.to_owned(), date.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::git::{Action, Memory, Repository, fixture};

    #[test]
    fn objects_say_what_the_program_for_each_would_say() {
        let made = fixture::empty();
        let git = Repository::remembering(
            made.repository.dir().to_owned(),
            Arc::new(Memory::default()),
        );
        let asking = &made.repository;
        let root = made.commit("main", None, "one", &[("a.txt", "A\n"), ("dir/sub/b", "")]);
        let actions = [
            Action::put("dir/c d.txt", b"\0\xff\n"),
            Action::put("dir-2/e", b"no line break"),
            Action::remove("a.txt"),
        ];
        let (ana, bot) = (
            fixture::identity("ana b. c", 5),
            fixture::identity("bot", 9),
        );
        let message = "first\n\n\nbody\n\n  more \n\n";
        let new = made
            .repository
            .commit_actions(Some(&root), &actions, message, &ana, &bot)
            .unwrap();
        for commit in [&root, &new] {
            assert_eq!(git.commit(commit).unwrap(), asking.commit(commit).unwrap());
            assert!(git.commit_object(commit).is_some());
            for directory in ["", "dir", "dir/", "dir/sub", "a.txt", "none", "dir/none"] {
                for recursive in [false, true] {
                    let tree = git.tree(commit, directory, recursive).unwrap();
                    assert_eq!(tree, asking.tree(commit, directory, recursive).unwrap());
                    for entry in tree {
                        assert_eq!(
                            git.blob(&entry.id).unwrap(),
                            asking.blob(&entry.id).unwrap()
                        );
                    }
                }
            }
            for path in [
                "a.txt",
                "/dir/c d.txt",
                "dir",
                "dir//sub/b",
                "dir/sub/b/",
                "none",
            ] {
                let content = git.file(commit, path).unwrap();
                assert_eq!(content, asking.file(commit, path).unwrap(), "{path}");
            }
        }
        let blob = git.tree(&root, "", true).unwrap()[0].id.clone();
        for id in ["0123456789012345678901234567890123456789", blob.as_str()] {
            assert_eq!(git.resolve(id).unwrap(), asking.resolve(id).unwrap());
            assert_eq!(git.commit(id).unwrap(), None);
            assert!(git.tree(id, "", true).is_err());
        }
    }

    #[test]
    fn a_commit_of_another_encoding_is_left_to_git() {
        let made = fixture::empty();
        let id = made.commit("main", None, "one", &[("a", "1")]);
        let git = Repository::remembering(
            made.repository.dir().to_owned(),
            Arc::new(Memory::default()),
        );
        let tree = git.commit(&id).unwrap().unwrap().tree;
        let who = "ana <ana@example.com> 1767600000 +0100";
        let mut text =
            format!("tree {tree}\nauthor {who}\ncommitter {who}\nencoding ISO-8859-1\n\n")
                .into_bytes();
        text.extend(b"caf\xe9\n");
        let written = git.git_with(
            &["hash-object", "-t", "commit", "-w", "--stdin"],
            &text,
            |_| {},
        );
        let id = String::from_utf8(written.unwrap()).unwrap();
        let found = git.commit(id.trim()).unwrap().unwrap();
        assert_eq!(found.message, "caf\u{e9}");
    }
}
