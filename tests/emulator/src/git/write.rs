//! Making objects and moving refs without a working tree.

use std::fs::{self, File};
use std::io::{self, Write};
use std::process::Command;

use super::{GitError, Identity, Repository, ZERO, run};

impl Repository {
    /// Commits a tree.
    pub fn commit_tree(
        &self,
        tree: &str,
        parents: &[&str],
        message: &str,
        author: &Identity,
        committer: &Identity,
    ) -> Result<String, GitError> {
        let author = [author.name.as_str(), &author.email, &author.date()].map(str::to_owned);
        self.commit_tree_by(tree, parents, message, &author, committer)
    }

    /// Commits a tree for an author whose date is kept as git wrote it.
    pub(super) fn commit_tree_by(
        &self,
        tree: &str,
        parents: &[&str],
        message: &str,
        [name, email, date]: &[String; 3],
        committer: &Identity,
    ) -> Result<String, GitError> {
        let mut args = vec!["commit-tree", tree];
        for parent in parents {
            args.extend(["-p", parent]);
        }
        args.extend(["-F", "-"]);
        let output = self.git_with(&args, message.as_bytes(), |command| {
            command
                .env("GIT_AUTHOR_NAME", name)
                .env("GIT_AUTHOR_EMAIL", email)
                .env("GIT_AUTHOR_DATE", date);
            set_committer(command, committer);
        })?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    }

    /// Merges two commits into a tree without touching any ref; conflicts name the files.
    pub fn merge_tree(&self, ours: &str, theirs: &str) -> Result<String, GitError> {
        self.merge_tree_from(None, ours, theirs)
    }

    /// The same with a merge base of one's own choice, which is how a commit is picked or reverted.
    pub fn merge_tree_from(
        &self,
        base: Option<&str>,
        ours: &str,
        theirs: &str,
    ) -> Result<String, GitError> {
        let mut command = self.command();
        command.args([
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
        ]);
        if let Some(base) = base {
            command.arg(format!("--merge-base={base}"));
        }
        command.args([ours, theirs]);
        let output = run(command, &[])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut parts = text
            .split('\0')
            .filter(|part| !part.trim().is_empty())
            .map(|part| part.trim().to_owned());
        match output.status.code() {
            Some(0) => Ok(parts.next().unwrap_or_default()),
            Some(1) => Err(GitError::Conflict {
                files: parts.skip(1).collect(),
            }),
            _ => {
                let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                Err(GitError::Failed {
                    command: "merge-tree".to_owned(),
                    message,
                })
            }
        }
    }

    /// The files in which merging two commits conflicts; empty when it does not.
    pub fn conflicts(&self, ours: &str, theirs: &str) -> Result<Vec<String>, GitError> {
        match self.merge_tree(ours, theirs) {
            Ok(_) => Ok(Vec::new()),
            Err(GitError::Conflict { files }) => Ok(files),
            Err(error) => Err(error),
        }
    }

    /// Makes an annotated tag object; the ref is up to `update_ref`.
    pub fn tag_object(
        &self,
        name: &str,
        commit: &str,
        message: &str,
        tagger: &Identity,
    ) -> Result<String, GitError> {
        let person = format!("{} <{}> {}", tagger.name, tagger.email, tagger.date());
        let text = format!(
            "object {commit}\ntype commit\ntag {name}\ntagger {person}\n\n{}\n",
            message.trim_end()
        );
        let output = self.git_with(&["mktag"], text.as_bytes(), |_| {})?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    }

    /// Moves, makes (`old` absent) or deletes (`new` absent) a ref that must still be at `old`.
    pub fn update_ref(
        &self,
        name: &str,
        new: Option<&str>,
        old: Option<&str>,
    ) -> Result<(), GitError> {
        let (new, old) = (new.unwrap_or(ZERO), old.unwrap_or(ZERO));
        let moved = || GitError::RefMoved {
            name: name.to_owned(),
        };
        let args: &[&str] = if new == ZERO {
            &["update-ref", "-d", name, old]
        } else {
            &["update-ref", name, new, old]
        };
        match self.git(args) {
            Ok(_) => Ok(()),
            Err(GitError::Failed { message, .. }) if message.contains("cannot lock ref") => {
                Err(moved())
            }
            Err(error) => Err(error),
        }
    }

    /// Sets a ref wherever it was; for refs that only the server writes, such as `refs/merge-requests/1/head`.
    pub fn set_ref(&self, name: &str, commit: &str) -> Result<(), GitError> {
        if self.write_loose(name, commit).is_ok_and(|written| written) {
            return Ok(());
        }
        self.git(&["update-ref", name, commit]).map(drop)
    }

    /// Puts a ref of the server's own into its file, as git does; false where git must see to it.
    fn write_loose(&self, name: &str, commit: &str) -> io::Result<bool> {
        let own = ["refs/pipelines/", "refs/merge-requests/"];
        if !own.iter().any(|prefix| name.starts_with(prefix)) || self.object(commit).is_none() {
            return Ok(false);
        }
        let path = self.dir().join(name);
        let lock = self.dir().join(format!("{name}.lock"));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = File::options().write(true).create_new(true).open(&lock)?;
        file.write_all(format!("{commit}\n").as_bytes())?;
        fs::rename(lock, path)?;
        Ok(true)
    }

    /// Makes a branch the one that clones check out.
    pub fn set_head(&self, branch: &str) -> Result<(), GitError> {
        self.git(&["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")])
            .map(drop)
    }
}

fn set_committer(command: &mut Command, committer: &Identity) {
    command
        .env("GIT_COMMITTER_NAME", &committer.name)
        .env("GIT_COMMITTER_EMAIL", &committer.email);
    command.env("GIT_COMMITTER_DATE", committer.date());
}

#[cfg(test)]
mod tests {
    use crate::git::{GitError, fixture};

    #[test]
    fn a_ref_moves_only_from_where_it_was_expected() {
        let made = fixture::empty();
        let git = &made.repository;
        let one = made.commit("main", None, "1", &[("a", "1")]);
        let two = made.commit("main", None, "2", &[("a", "2")]);
        let stale = git.update_ref("refs/heads/main", Some(&one), Some(&one));
        assert!(matches!(stale, Err(GitError::RefMoved { .. })));
        git.update_ref("refs/heads/main", Some(&one), Some(&two))
            .unwrap();
        let exists = git.update_ref("refs/heads/main", Some(&two), None);
        assert!(matches!(exists, Err(GitError::RefMoved { .. })));
        git.update_ref("refs/heads/main", None, Some(&one)).unwrap();
        assert_eq!(git.resolve("main").unwrap(), None);
        git.set_ref("refs/merge-requests/1/head", &two).unwrap();
        assert_eq!(
            git.resolve("refs/merge-requests/1/head").unwrap(),
            Some(two)
        );
    }

    #[test]
    fn merging_gives_a_tree_or_the_files_in_conflict() {
        let made = fixture::empty();
        let git = &made.repository;
        let root = made.commit("main", None, "root", &[("a", "1\n")]);
        let clean = made.commit("clean", Some(&root), "c", &[("b", "1\n")]);
        let clash = made.commit("clash", Some(&root), "x", &[("a", "clash\n")]);
        let main = made.commit("main", None, "m", &[("a", "2\n")]);
        let tree = git.merge_tree(&main, &clean).unwrap();
        let by = fixture::identity("ana", 2);
        let merge = git
            .commit_tree(&tree, &[&main, &clean], "merge", &by, &by)
            .unwrap();
        assert_eq!(
            git.commit(&merge).unwrap().unwrap().parents,
            [main.clone(), clean]
        );
        assert_eq!(git.file(&merge, "a").unwrap().unwrap(), b"2\n");
        assert_eq!(git.conflicts(&main, &clash).unwrap(), ["a"]);
    }

    #[test]
    fn an_annotated_tag_names_its_commit() {
        let made = fixture::empty();
        let commit = made.commit("main", None, "1", &[("a", "1")]);
        let tag = made
            .repository
            .tag_object("v1", &commit, "first", &fixture::identity("ana", 3))
            .unwrap();
        made.repository
            .update_ref("refs/tags/v1", Some(&tag), None)
            .unwrap();
        assert_eq!(
            made.repository.refs("refs/tags/").unwrap(),
            [("refs/tags/v1".to_owned(), commit)]
        );
    }
}
