//! Bringing refs and commits from one repository into another: forks, and merge requests that come from them.

use super::{GitError, Repository};

impl Repository {
    /// Copies branches, all or those named, and the tags of another repository.
    pub(crate) fn copy_refs(&self, from: &Self, branches: &[String]) -> Result<(), GitError> {
        let heads = if branches.is_empty() {
            vec!["+refs/heads/*:refs/heads/*".to_owned()]
        } else {
            let spec = |branch: &String| format!("+refs/heads/{branch}:refs/heads/{branch}");
            branches.iter().map(spec).collect()
        };
        let dir = from.dir().display().to_string();
        let mut arguments = vec![
            "fetch",
            "--quiet",
            "--no-write-fetch-head",
            dir.as_str(),
            "+refs/tags/*:refs/tags/*",
        ];
        arguments.extend(heads.iter().map(String::as_str));
        self.git(&arguments).map(drop)
    }

    /// Brings a commit, with all that came before it, unless it is there already.
    pub(crate) fn bring(&self, from: &Self, commit: &str) -> Result<(), GitError> {
        if self.dir() == from.dir() || self.resolve(commit)?.is_some() {
            return Ok(());
        }
        let dir = from.dir().display().to_string();
        let arguments = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            &dir,
            commit,
        ];
        self.git(&arguments).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use crate::git::fixture;

    #[test]
    fn branches_and_single_commits_come_over() {
        let (parent, fork) = (fixture::empty(), fixture::empty());
        let main = parent.commit("main", None, "1", &[("a", "1\n")]);
        let other = parent.commit("other", Some(&main), "2", &[("b", "1\n")]);
        let only = ["main".to_owned()];
        fork.repository
            .copy_refs(&parent.repository, &only)
            .unwrap();
        assert_eq!(fork.repository.resolve("main").unwrap(), Some(main));
        assert_eq!(fork.repository.resolve("other").unwrap(), None);
        fork.repository.bring(&parent.repository, &other).unwrap();
        assert_eq!(fork.repository.resolve(&other).unwrap(), Some(other));
    }
}
