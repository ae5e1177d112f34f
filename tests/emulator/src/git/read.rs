//! Questions to a repository: refs, commits, trees, files, ancestry.

use std::fs;

use jiff::Timestamp;

use super::{GitError, Repository, is_full_id};

/// Author or committer of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub email: String,
    pub at: Timestamp,
    /// The date as git stores it, with its zone: `1767600000 +0100`.
    pub raw_date: String,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub id: String,
    pub tree: String,
    pub parents: Vec<String>,
    pub author: Person,
    pub committer: Person,
    pub message: String,
}

impl Commit {
    /// The first line of the message.
    pub fn title(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The first eight digits.
    pub fn short_id(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    pub id: String,
    /// `blob`, `tree` or `commit`.
    pub kind: String,
    pub mode: String,
    /// From the root of the repository.
    pub path: String,
}

const FIELDS: &str =
    "--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B%x00%x01";

impl Repository {
    /// The commit that a ref, branch, tag or sha stands for.
    pub fn resolve(&self, name: &str) -> Result<Option<String>, GitError> {
        if name.is_empty() || name.starts_with('-') {
            return Ok(None);
        }
        let loose = self.loose(name);
        let name = loose.as_deref().unwrap_or(name);
        if self
            .object(name)
            .is_some_and(|object| object.kind == "commit")
        {
            return Ok(Some(name.to_owned()));
        }
        let commit = format!("{name}^{{commit}}");
        match self.text_about(&[name], &["rev-parse", "--verify", "--quiet", &commit]) {
            Ok(id) => Ok(Some(id)),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a ref holds, read from its own file where it has one and git would look no further.
    fn loose(&self, name: &str) -> Option<String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        if name.contains("..") || name.starts_with('/') || !name.bytes().all(plain) {
            return None;
        }
        let is_there = |path: &str| self.dir.join(path).exists();
        let path = if name.starts_with("refs/") {
            name.to_owned()
        } else if is_full_id(name)
            || is_there("packed-refs")
            || is_there(name)
            || is_there(&format!("refs/{name}"))
            || is_there(&format!("refs/tags/{name}"))
        {
            return None;
        } else {
            format!("refs/heads/{name}")
        };
        let id = fs::read_to_string(self.dir.join(path)).ok()?;
        let id = id.trim_end();
        is_full_id(id).then(|| id.to_owned())
    }

    /// The names and commits of the refs below a prefix such as `refs/heads/`; tags stand for the commits they name.
    pub fn refs(&self, prefix: &str) -> Result<Vec<(String, String)>, GitError> {
        let text = self.text(&[
            "for-each-ref",
            "--format=%(refname)%00%(objectname)%00%(*objectname)",
            prefix,
        ])?;
        let parse = |line: &str| {
            let mut parts = line.split('\0');
            let (name, direct, peeled) = (
                parts.next()?,
                parts.next()?,
                parts.next().unwrap_or_default(),
            );
            Some((
                name.to_owned(),
                if peeled.is_empty() { direct } else { peeled }.to_owned(),
            ))
        };
        Ok(text.lines().filter_map(parse).collect())
    }

    /// The message of an annotated tag; empty for a lightweight one.
    pub fn tag_message(&self, tag: &str) -> Result<String, GitError> {
        let format = "--format=%(if:equals=tag)%(objecttype)%(then)%(contents)%(end)";
        self.text(&["for-each-ref", format, &format!("refs/tags/{tag}")])
            .map(|text| text.trim_end().to_owned())
    }

    /// The branches and their commits.
    pub fn branches(&self) -> Result<Vec<(String, String)>, GitError> {
        let short =
            |(name, id): (String, String)| (name.trim_start_matches("refs/heads/").to_owned(), id);
        Ok(self.refs("refs/heads/")?.into_iter().map(short).collect())
    }

    /// One commit.
    pub fn commit(&self, id: &str) -> Result<Option<Commit>, GitError> {
        match self.resolve(id)? {
            Some(id) => {
                if let Some(commit) = self.commit_object(&id) {
                    return Ok(Some(commit));
                }
                let args = ["log", "--date=raw", FIELDS, &id, "--no-walk"];
                let output = self.git_about(&[&id], &args)?;
                Ok(parse_commits(&output).into_iter().next())
            }
            None => Ok(None),
        }
    }

    /// The commits that `git log` lists for some arguments, such as `["main..feature"]` or `["main", "-n", "20"]`.
    pub fn commits(&self, arguments: &[&str]) -> Result<Vec<Commit>, GitError> {
        let mut args = vec!["log", "--date=raw", FIELDS];
        args.extend(arguments);
        // Behind the two dashes stand paths.
        let mut words = arguments.iter().take_while(|word| **word != "--");
        let lasting = words.all(|word| lasts(word));
        Ok(parse_commits(&self.git_once(lasting, &args)?))
    }

    /// Is `ancestor` reachable from `descendant` (or the same)?
    pub fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool, GitError> {
        Ok(self
            .merge_base(ancestor, descendant)?
            .is_some_and(|base| Some(base) == self.resolve(ancestor).ok().flatten()))
    }

    /// The best common ancestor.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError> {
        match self.text_about(&[one, other], &["merge-base", one, other]) {
            Ok(id) => Ok(Some(id)),
            // Exit status 1 without a word: unrelated histories.
            Err(GitError::Failed { message, .. }) if message.is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many commits `to` has that `from` has not.
    pub fn count_between(&self, from: &str, to: &str) -> Result<u64, GitError> {
        Ok(self
            .text_about(
                &[from, to],
                &["rev-list", "--count", &format!("{from}..{to}")],
            )?
            .parse()
            .unwrap_or(0))
    }

    /// The entries of a directory (empty: the root) in a commit.
    pub fn tree(
        &self,
        commit: &str,
        directory: &str,
        recursive: bool,
    ) -> Result<Vec<TreeEntry>, GitError> {
        if let Some(entries) = self.tree_object(commit, directory, recursive) {
            return Ok(entries);
        }
        let path = format!("{}/", directory.trim_matches('/'));
        let mut args = vec!["ls-tree", "-z", "--full-tree"];
        if recursive {
            args.extend(["-r", "-t"]);
        }
        args.push(commit);
        if path != "/" {
            args.extend(["--", path.as_str()]);
        }
        let output = self.git_about(&[commit], &args)?;
        let parse = |line: &str| {
            let (head, path) = line.split_once('\t')?;
            let mut parts = head.split(' ');
            let (mode, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
            Some(TreeEntry {
                id: id.to_owned(),
                kind: kind.to_owned(),
                mode: mode.to_owned(),
                path: path.to_owned(),
            })
        };
        let inside = |entry: &TreeEntry| path == "/" || entry.path.starts_with(&path);
        Ok(String::from_utf8_lossy(&output)
            .split('\0')
            .filter_map(parse)
            .filter(inside)
            .collect())
    }

    /// The content of a blob by its own id.
    pub fn blob(&self, id: &str) -> Result<Option<Vec<u8>>, GitError> {
        if id.len() < 4 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        if let Some(object) = self.object(id) {
            return Ok((object.kind == "blob").then(|| object.content.clone()));
        }
        match self.git_about(&[id], &["cat-file", "blob", id]) {
            Ok(content) => Ok(Some(content)),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The content of a file in a commit.
    pub fn file(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let path = path.trim_start_matches('/');
        if is_full_id(commit) {
            // Commits have most of their files in common: the list is new, the contents are known.
            let (directory, _) = path.rsplit_once('/').unwrap_or(("", path));
            let entries = match self.tree(commit, directory, false) {
                Ok(entries) => entries,
                Err(GitError::Failed { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let found = entries
                .iter()
                .find(|entry| entry.path == path && entry.kind == "blob");
            return found.map_or(Ok(None), |entry| self.blob(&entry.id));
        }
        match self.git(&["cat-file", "blob", &format!("{commit}:{path}")]) {
            Ok(content) => Ok(Some(content)),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether an argument of `git log` means the same for ever: full ids, alone or as a range, and how many are listed how.
fn lasts(argument: &str) -> bool {
    ["--reverse", "--first-parent", "-n"].contains(&argument)
        || argument.len() < 4 && argument.bytes().all(|byte| byte.is_ascii_digit())
        || argument.starts_with("--max-count=")
        || argument.split("..").all(is_full_id)
}

fn parse_commits(output: &[u8]) -> Vec<Commit> {
    String::from_utf8_lossy(output)
        .split("\0\u{1}")
        .filter_map(|record| parse_commit(record.trim_start_matches('\n')))
        .collect()
}

fn parse_commit(record: &str) -> Option<Commit> {
    let mut parts = record.split('\0');
    let mut next = || parts.next().map(str::to_owned);
    let (id, tree, parents) = (next()?, next()?, next()?);
    let author = person(next()?, next()?, next()?)?;
    let committer = person(next()?, next()?, next()?)?;
    let message = next()?;
    // `%B` ends with one line break more than the message has.
    let message = message
        .strip_suffix('\n')
        .map(str::to_owned)
        .unwrap_or(message);
    let parents = parents.split_whitespace().map(str::to_owned).collect();
    Some(Commit {
        id,
        tree,
        parents,
        author,
        committer,
        message,
    })
}

pub(super) fn person(name: String, email: String, raw_date: String) -> Option<Person> {
    let at = Timestamp::from_second(raw_date.split(' ').next()?.parse().ok()?).ok()?;
    Some(Person {
        name,
        email,
        at,
        raw_date,
    })
}

#[cfg(test)]
mod tests {
    use crate::git::fixture;

    #[test]
    fn a_commit_is_read_with_its_people_and_message() {
        let made = fixture::empty();
        let id = made.commit("main", None, "first\n\nbody", &[("a.txt", "one\n")]);
        let commit = made.repository.commit("main").unwrap().unwrap();
        assert_eq!(
            (
                commit.id.as_str(),
                commit.title(),
                commit.author.name.as_str()
            ),
            (id.as_str(), "first", "ana")
        );
        assert_eq!(commit.message.trim_end(), "first\n\nbody");
        assert!(commit.parents.is_empty());
        assert_eq!(made.repository.commits(&["main"]).unwrap().len(), 1);
        assert_eq!(
            made.repository.branches().unwrap(),
            [("main".to_owned(), id)]
        );
    }

    #[test]
    fn names_that_are_not_there_resolve_to_nothing() {
        let made = fixture::empty();
        assert_eq!(made.repository.resolve("main").unwrap(), None);
        assert_eq!(made.repository.resolve("--all").unwrap(), None);
        assert_eq!(made.repository.file("main", "a.txt").unwrap(), None);
    }

    #[test]
    fn ancestry_follows_history_and_not_time() {
        let made = fixture::empty();
        let root = made.commit("main", None, "root", &[("a", "1\n")]);
        let feature = made.commit("feature", Some(&root), "f", &[("b", "1\n")]);
        let main = made.commit("main", None, "m", &[("c", "1\n")]);
        let other = made.commit("unrelated", None, "u", &[("d", "1\n")]);
        let git = &made.repository;
        assert!(git.is_ancestor(&root, &feature).unwrap());
        assert!(!git.is_ancestor(&main, &feature).unwrap());
        assert_eq!(git.merge_base(&main, &feature).unwrap(), Some(root.clone()));
        assert_eq!(git.merge_base(&main, &other).unwrap(), None);
        assert_eq!(git.count_between(&root, &main).unwrap(), 1);
    }

    #[test]
    fn trees_list_directories_and_files_give_their_content() {
        let made = fixture::empty();
        made.commit(
            "main",
            None,
            "c",
            &[("dir/a.txt", "A"), ("dir/sub/b.txt", "B"), ("c.txt", "C")],
        );
        let paths = |dir: &str, recursive| -> Vec<String> {
            made.repository
                .tree("main", dir, recursive)
                .unwrap()
                .into_iter()
                .map(|entry| entry.path)
                .collect()
        };
        assert_eq!(paths("", false), ["c.txt", "dir"]);
        assert_eq!(paths("dir", false), ["dir/a.txt", "dir/sub"]);
        assert_eq!(
            paths("dir", true),
            ["dir/a.txt", "dir/sub", "dir/sub/b.txt"]
        );
        assert_eq!(
            made.repository.file("main", "dir/a.txt").unwrap().unwrap(),
            b"A"
        );
    }
}
