//! Commits made of actions on files, as the API's commit endpoint takes them, through a temporary index.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{GitError, Identity, Repository, ZERO};

/// One change of a commit made through the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    pub path: String,
    pub kind: ActionKind,
}

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionKind {
    /// Creates or replaces the file.
    Put {
        content: Vec<u8>,
        executable: bool,
    },
    Delete,
    /// Moves the file from another path, with new content if some is given.
    Move {
        from: String,
        content: Option<Vec<u8>>,
    },
    Chmod {
        executable: bool,
    },
    /// Points a submodule at another commit of its repository.
    Submodule {
        commit: String,
    },
}

impl Action {
    /// Creates or replaces a plain file.
    pub fn put(path: &str, content: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            kind: ActionKind::Put {
                content: content.to_vec(),
                executable: false,
            },
        }
    }

    /// Deletes a file.
    pub fn remove(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            kind: ActionKind::Delete,
        }
    }

    /// Renames a file.
    pub fn rename(from: &str, to: &str) -> Self {
        Self {
            path: to.to_owned(),
            kind: ActionKind::Move {
                from: from.to_owned(),
                content: None,
            },
        }
    }
}

/// A temporary index that disappears with the value.
struct Index(std::path::PathBuf);

impl Drop for Index {
    fn drop(&mut self) {
        let _already_gone = std::fs::remove_file(&self.0);
    }
}

impl Repository {
    /// Commits actions on top of a parent (none: a root commit). Refs stay where they are.
    pub fn commit_actions(
        &self,
        parent: Option<&str>,
        actions: &[Action],
        message: &str,
        author: &Identity,
        committer: &Identity,
    ) -> Result<String, GitError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "index-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::SeqCst)
        );
        let index = Index(self.dir().join(name));
        if let Some(parent) = parent {
            self.in_index(&index, &["read-tree", parent])?;
        }
        for action in actions {
            self.apply(&index, action)?;
        }
        let tree = self.in_index(&index, &["write-tree"])?;
        self.commit_tree(&tree, parent.as_slice(), message, author, committer)
    }

    fn apply(&self, index: &Index, action: &Action) -> Result<(), GitError> {
        let path = action.path.as_str();
        match &action.kind {
            ActionKind::Put {
                content,
                executable,
            } => self.put_file(index, path, content, *executable),
            ActionKind::Delete => {
                self.entry(index, path)?;
                self.drop_entry(index, path)
            }
            ActionKind::Move { from, content } => {
                let (mode, id) = self.entry(index, from)?;
                self.drop_entry(index, from)?;
                match content {
                    Some(content) => self.put_file(index, path, content, mode == "100755"),
                    None => self.put_entry(index, path, &mode, &id),
                }
            }
            ActionKind::Submodule { commit } => {
                self.entry(index, path)?;
                self.put_entry(index, path, "160000", commit)
            }
            ActionKind::Chmod { executable } => {
                let (_, id) = self.entry(index, path)?;
                self.put_entry(index, path, mode_of(*executable), &id)
            }
        }
    }

    fn put_file(
        &self,
        index: &Index,
        path: &str,
        content: &[u8],
        executable: bool,
    ) -> Result<(), GitError> {
        let output = self.git_with(&["hash-object", "-w", "--stdin"], content, |_| {})?;
        let id = String::from_utf8_lossy(&output).trim().to_owned();
        self.put_entry(index, path, mode_of(executable), &id)
    }

    fn put_entry(&self, index: &Index, path: &str, mode: &str, id: &str) -> Result<(), GitError> {
        let info = format!("{mode},{id},{path}");
        self.in_index(
            index,
            &["update-index", "--add", "--replace", "--cacheinfo", &info],
        )
        .map(drop)
    }

    /// `--index-info` with mode 0, because `--force-remove` insists on a working tree.
    fn drop_entry(&self, index: &Index, path: &str) -> Result<(), GitError> {
        let line = format!("0 {ZERO}\t{path}\0");
        let removed = self.git_with(
            &["update-index", "-z", "--index-info"],
            line.as_bytes(),
            |command| {
                command.env("GIT_INDEX_FILE", &index.0);
            },
        );
        removed.map(drop)
    }

    /// Mode and object of a file in the index.
    fn entry(&self, index: &Index, path: &str) -> Result<(String, String), GitError> {
        let line = self.in_index(index, &["ls-files", "--stage", "-z", "--", path])?;
        let mut parts = line.split(' ');
        match (parts.next(), parts.next()) {
            (Some(mode), Some(id)) if !mode.is_empty() => Ok((mode.to_owned(), id.to_owned())),
            _ => Err(GitError::Action(
                "A file with this name doesn't exist".to_owned(),
            )),
        }
    }

    fn in_index(&self, index: &Index, args: &[&str]) -> Result<String, GitError> {
        let output = self.git_with(args, &[], |command| {
            command.env("GIT_INDEX_FILE", &index.0);
        })?;
        Ok(String::from_utf8_lossy(&output)
            .trim_end_matches('\n')
            .to_owned())
    }
}

fn mode_of(executable: bool) -> &'static str {
    if executable { "100755" } else { "100644" }
}

#[cfg(test)]
mod tests {
    use crate::git::{Action, ActionKind, GitError, fixture};

    #[test]
    fn actions_put_move_chmod_and_delete_files() {
        let made = fixture::empty();
        let git = &made.repository;
        let old = made.commit("main", None, "1", &[("a", "A"), ("b", "B"), ("c", "C")]);
        let chmod = Action {
            path: "c".to_owned(),
            kind: ActionKind::Chmod { executable: true },
        };
        let by = fixture::identity("ana", 1);
        let actions = [Action::rename("a", "dir/a"), Action::remove("b"), chmod];
        let new = git
            .commit_actions(Some(&old), &actions, "2", &by, &by)
            .unwrap();
        let files: Vec<_> = git
            .tree(&new, "", true)
            .unwrap()
            .into_iter()
            .map(|entry| (entry.path, entry.mode))
            .collect();
        let expected = [("c", "100755"), ("dir", "040000"), ("dir/a", "100644")];
        assert_eq!(
            files,
            expected.map(|(path, mode)| (path.to_owned(), mode.to_owned()))
        );
        let missing = git.commit_actions(Some(&new), &[Action::remove("b")], "3", &by, &by);
        assert!(matches!(missing, Err(GitError::Action(_))));
    }
}
