//! Projects and their own rules.

use super::Answer;
use crate::domain::ids::{BranchName, ProjectPath};

/// Another project, as far as a gate that serves it looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberProject {
    /// Its number.
    pub id: u64,
    /// Where people see it.
    pub url: String,
    /// Its default branch.
    pub default_branch: BranchName,
    /// The text of its configuration file, if it has one.
    pub rules: Option<String>,
}

/// Projects and their own rules.
pub trait Policies {
    /// The text of the configuration file on a branch, or that there is none.
    fn policy(&self, branch: &BranchName) -> Answer<Option<String>>;
    /// Another project with its rules on a branch, the default branch when none is said; or that the token sees none of that name
    /// that has a branch.
    fn member(
        &self,
        project: &ProjectPath,
        branch: Option<&BranchName>,
    ) -> Answer<Option<MemberProject>>;
}
