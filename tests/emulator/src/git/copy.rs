//! Whole repositories: copies of them, and what their files add up to.

use super::{GitError, Repository};

impl Repository {
    /// Takes over the branches and tags of another repository, or only one of its branches.
    pub(crate) fn copy_from(&self, source: &Self, branch: Option<&str>) -> Result<(), GitError> {
        let directory = source.dir().to_string_lossy().into_owned();
        let branches = branch.unwrap_or("*");
        let wanted = format!("+refs/heads/{branches}:refs/heads/{branches}");
        self.git(&[
            "fetch",
            "--quiet",
            "--no-auto-gc",
            &directory,
            &wanted,
            "+refs/tags/*:refs/tags/*",
        ])
        .map(drop)
    }

    /// The files of a commit with their sizes in bytes.
    pub(crate) fn file_sizes(&self, commit: &str) -> Result<Vec<(String, u64)>, GitError> {
        let output = self.git(&["ls-tree", "-r", "-l", "-z", "--full-tree", commit])?;
        let parse = |line: &str| {
            let (head, path) = line.split_once('\t')?;
            let size = head.split_whitespace().nth(3)?.parse().ok()?;
            Some((path.to_owned(), size))
        };
        Ok(String::from_utf8_lossy(&output)
            .split('\0')
            .filter_map(parse)
            .collect())
    }
}
