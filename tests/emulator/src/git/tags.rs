//! Tags, the sizes of changes, and which refs hold a commit.

use jiff::Timestamp;

use super::{Commit, GitError, Repository};

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    /// The tag object of an annotated tag, else the commit.
    pub target: String,
    pub commit: String,
    /// Empty for a lightweight tag.
    pub message: String,
    /// Only annotated tags know when they were made.
    pub created_at: Option<Timestamp>,
}

const FIELDS: &str = "--format=%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(taggerdate:unix)%00%(contents)%00%01";

impl Repository {
    /// The tags in the order of their names.
    pub fn tags(&self) -> Result<Vec<Tag>, GitError> {
        let text = self.text(&["for-each-ref", FIELDS, "refs/tags/"])?;
        Ok(text
            .split("\0\u{1}")
            .filter_map(|record| parse(record.trim_start_matches('\n')))
            .collect())
    }

    /// One tag.
    pub fn tag(&self, name: &str) -> Result<Option<Tag>, GitError> {
        Ok(self.tags()?.into_iter().find(|tag| tag.name == name))
    }

    /// Added and deleted lines of a commit against its first parent.
    pub fn line_counts(&self, commit: &Commit) -> Result<(u64, u64), GitError> {
        let mut args = vec!["diff-tree", "--numstat", "-r", "-M"];
        match commit.parents.first() {
            Some(parent) => args.extend([parent.as_str(), commit.id.as_str()]),
            None => args.extend(["--root", "--no-commit-id", commit.id.as_str()]),
        }
        let (mut added, mut deleted) = (0, 0);
        for line in self.text(&args)?.lines() {
            let mut numbers = line
                .split('\t')
                .map(|number| number.parse::<u64>().unwrap_or(0));
            added += numbers.next().unwrap_or(0);
            deleted += numbers.next().unwrap_or(0);
        }
        Ok((added, deleted))
    }

    /// The full names of the branches and tags that hold a commit.
    pub fn refs_with(&self, commit: &str) -> Result<Vec<String>, GitError> {
        let contains = format!("--contains={commit}");
        let text = self.text(&[
            "for-each-ref",
            "--format=%(refname)",
            &contains,
            "refs/heads/",
            "refs/tags/",
        ])?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// May a branch or tag have this name? Besides git's rules GitLab refuses what looks like an option or a full ref.
    pub fn is_ref_name(&self, name: &str) -> bool {
        let confusing = ["-", "refs/heads/", "refs/remotes/", "refs/tags/"];
        name != "HEAD"
            && !confusing.iter().any(|prefix| name.starts_with(prefix))
            && self
                .git(&["check-ref-format", &format!("refs/heads/{name}")])
                .is_ok()
    }

    /// The tree without any file.
    pub fn empty_tree(&self) -> Result<String, GitError> {
        let output = self.git_with(&["hash-object", "-t", "tree", "-w", "--stdin"], &[], |_| {})?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    }
}

fn parse(record: &str) -> Option<Tag> {
    let mut parts = record.split('\0');
    let (name, target, peeled) = (parts.next()?, parts.next()?, parts.next()?);
    let (date, contents) = (parts.next()?, parts.next()?);
    let annotated = !peeled.is_empty();
    Some(Tag {
        name: name.to_owned(),
        target: target.to_owned(),
        commit: if annotated { peeled } else { target }.to_owned(),
        message: if annotated { contents.trim_end() } else { "" }.to_owned(),
        created_at: date
            .parse()
            .ok()
            .and_then(|second| Timestamp::from_second(second).ok()),
    })
}

#[cfg(test)]
mod tests {
    use crate::git::fixture;

    #[test]
    fn annotated_and_lightweight_tags_are_told_apart() {
        let made = fixture::empty();
        let git = &made.repository;
        let one = made.commit("main", None, "1", &[("a", "1\n")]);
        let object = git
            .tag_object("v1", &one, "first\n\nof all", &fixture::identity("ana", 3))
            .unwrap();
        git.set_ref("refs/tags/v1", &object).unwrap();
        git.set_ref("refs/tags/light", &one).unwrap();
        let tags = git.tags().unwrap();
        let told: Vec<_> = tags
            .iter()
            .map(|tag| {
                (
                    tag.name.as_str(),
                    tag.target == tag.commit,
                    tag.message.as_str(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [("light", true, ""), ("v1", false, "first\n\nof all")]
        );
        assert!(tags[1].created_at.is_some() && tags[1].commit == one);
        assert_eq!(
            git.refs_with(&one).unwrap(),
            ["refs/heads/main", "refs/tags/light", "refs/tags/v1"]
        );
    }

    #[test]
    fn the_lines_of_a_commit_are_counted_against_its_parent() {
        let made = fixture::empty();
        made.commit("main", None, "1", &[("a", "1\n2\n")]);
        made.commit("main", None, "2", &[("a", "1\n3\n4\n")]);
        let commits = made.repository.commits(&["main"]).unwrap();
        let counts: Vec<_> = commits
            .iter()
            .map(|commit| made.repository.line_counts(commit).unwrap())
            .collect();
        assert_eq!(counts, [(2, 1), (2, 0)]);
    }
}
