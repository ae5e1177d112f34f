//! What the files of a commit add up to.

use super::{GitError, Repository};

impl Repository {
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
