//! Differences between two commits, file by file, and the patch id that survives a rebase.

use super::{GitError, Repository};

/// What happened to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    pub old_path: String,
    pub new_path: String,
    /// `0` for a file that is not there.
    pub old_mode: String,
    pub new_mode: String,
    pub new_file: bool,
    pub renamed_file: bool,
    pub deleted_file: bool,
    /// The hunks, from the first `@@` on.
    pub diff: String,
}

impl Repository {
    /// The files that differ between two commits or trees.
    pub fn diff(&self, from: &str, to: &str) -> Result<Vec<FileDiff>, GitError> {
        let raw = self.git_about(
            &[from, to],
            &["diff", "-M", "--raw", "-z", "--no-abbrev", from, to],
        )?;
        let patch = self.patch(from, to)?;
        let mut files = parse_raw(&String::from_utf8_lossy(&raw));
        // `diff --git` at the start of a line is never content: content lines start with a space, `+`, `-` or `\`.
        let patches = patch.split("\ndiff --git ").map(hunks);
        for (file, text) in files.iter_mut().zip(patches) {
            file.diff = text;
        }
        Ok(files)
    }

    /// The whole difference as `git apply` takes it.
    pub fn patch(&self, from: &str, to: &str) -> Result<String, GitError> {
        let args = [
            "diff",
            "-M",
            "-p",
            "--no-color",
            "--no-ext-diff",
            "--full-index",
            from,
            to,
        ];
        let output = self.git_about(&[from, to], &args)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    /// The stable patch id of a difference; nothing for an empty one.
    pub fn patch_id(&self, from: &str, to: &str) -> Result<Option<String>, GitError> {
        let args = [
            "diff",
            "--no-color",
            "--no-ext-diff",
            "--full-index",
            from,
            to,
        ];
        let patch = self.git_about(&[from, to], &args)?;
        let output = self.git_with(&["patch-id", "--stable"], &patch, |_| {})?;
        Ok(String::from_utf8_lossy(&output)
            .split_whitespace()
            .next()
            .map(str::to_owned))
    }
}

fn parse_raw(text: &str) -> Vec<FileDiff> {
    let mut parts = text.split('\0');
    let mut files = Vec::new();
    while let Some(head) = parts.next().and_then(|head| head.strip_prefix(':')) {
        let fields: Vec<&str> = head.split(' ').collect();
        let [old_mode, new_mode, _, _, status] = fields[..] else {
            break;
        };
        let Some(old_path) = parts.next() else { break };
        let two_names = status.starts_with(['R', 'C']);
        let new_path = if two_names {
            parts.next().unwrap_or(old_path)
        } else {
            old_path
        };
        files.push(FileDiff {
            old_path: old_path.to_owned(),
            new_path: new_path.to_owned(),
            old_mode: mode(old_mode),
            new_mode: mode(new_mode),
            new_file: status == "A",
            renamed_file: status.starts_with('R'),
            deleted_file: status == "D",
            diff: String::new(),
        });
    }
    files
}

fn mode(text: &str) -> String {
    if text.bytes().all(|byte| byte == b'0') {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

fn hunks(section: &str) -> String {
    let start = section
        .find("\n@@")
        .map(|at| at + 1)
        .or_else(|| section.find("\nBinary files").map(|at| at + 1));
    let text = start.map(|at| &section[at..]).unwrap_or_default();
    if text.is_empty() || text.ends_with('\n') {
        text.to_owned()
    } else {
        format!("{text}\n")
    }
}

#[cfg(test)]
mod tests {
    use crate::git::{Action, fixture};

    #[test]
    fn every_changed_file_has_its_own_hunks() {
        let made = fixture::empty();
        let old = made.commit(
            "main",
            None,
            "1",
            &[("a", "1\n"), ("b", "same\nlines\nhere\n"), ("c", "x\n")],
        );
        let actions = [
            Action::put("a", b"2\n"),
            Action::rename("b", "moved"),
            Action::remove("c"),
            Action::put("n", b"new\n"),
        ];
        let by = fixture::identity("ana", 1);
        let new = made
            .repository
            .commit_actions(Some(&old), &actions, "2", &by, &by)
            .unwrap();
        let files = made.repository.diff(&old, &new).unwrap();
        let flags: Vec<_> = files
            .iter()
            .map(|file| {
                (
                    file.new_path.as_str(),
                    file.new_file,
                    file.renamed_file,
                    file.deleted_file,
                    file.diff.as_str(),
                )
            })
            .collect();
        assert_eq!(
            flags,
            [
                ("a", false, false, false, "@@ -1 +1 @@\n-1\n+2\n"),
                ("c", false, false, true, "@@ -1 +0,0 @@\n-x\n"),
                ("moved", false, true, false, ""),
                ("n", true, false, false, "@@ -0,0 +1 @@\n+new\n"),
            ]
        );
    }

    #[test]
    fn a_patch_id_survives_a_rebase_but_not_an_edit() {
        let made = fixture::empty();
        let git = &made.repository;
        let root = made.commit("main", None, "root", &[("a", "1\n")]);
        let feature = made.commit("feature", Some(&root), "f", &[("b", "1\n")]);
        let main = made.commit("main", None, "m", &[("c", "1\n")]);
        let rebased = git
            .rebase(&feature, &main, &fixture::identity("bot", 9))
            .unwrap();
        assert_eq!(
            git.patch_id(&root, &feature).unwrap(),
            git.patch_id(&main, &rebased).unwrap()
        );
        let edited = made.commit("feature", None, "f2", &[("b", "2\n")]);
        assert_ne!(
            git.patch_id(&root, &feature).unwrap(),
            git.patch_id(&root, &edited).unwrap()
        );
        assert_eq!(git.patch_id(&root, &root).unwrap(), None);
    }
}
