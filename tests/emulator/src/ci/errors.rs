//! Why a configuration was refused, in GitLab's own words.

use std::fmt;

/// Everything that is wrong with a configuration, and what is merely suspicious.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigErrors {
    /// Never empty; GitLab shows the first one when it creates a pipeline and all of them in the linter.
    pub errors: Vec<String>,
    /// Remarks that would not stop a pipeline.
    pub warnings: Vec<String>,
}

impl ConfigErrors {
    /// A single error without warnings.
    pub(super) fn one(error: impl Into<String>) -> Self {
        Self {
            errors: vec![error.into()],
            warnings: Vec::new(),
        }
    }

    /// The error GitLab reports when it refuses to create the pipeline.
    pub fn first(&self) -> &str {
        self.errors.first().map_or("", String::as_str)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.errors.join(", "))
    }
}

impl std::error::Error for ConfigErrors {}
