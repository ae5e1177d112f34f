//! A whole repository in one file.

use std::path::Path;

use super::{GitError, Repository};

impl Repository {
    /// All branches and tags as a git bundle; nothing for an empty repository.
    pub(crate) fn bundle(&self) -> Result<Option<Vec<u8>>, GitError> {
        if self.git(&["for-each-ref", "--count=1"])?.is_empty() {
            return Ok(None);
        }
        self.git(&["bundle", "create", "--quiet", "-", "--branches", "--tags"])
            .map(Some)
    }

    /// Takes over the branches and tags of a bundle.
    pub(crate) fn unbundle(&self, bundle: &Path) -> Result<(), GitError> {
        let file = bundle.to_string_lossy();
        self.git(&[
            "fetch",
            "--quiet",
            &file,
            "+refs/heads/*:refs/heads/*",
            "+refs/tags/*:refs/tags/*",
        ])
        .map(drop)
    }
}
