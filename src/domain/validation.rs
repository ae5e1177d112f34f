//! Who must validate a feature, what counts as a verdict, and when a verdict no longer holds.
//!
//! A verdict is never a claim: it is a manual job that GitLab says a certain person played on a certain commit. Which roles are
//! asked is in `rules`, GitLab's records in `plays`, which of them counts in `judging`, what they amount to in `standing`, the
//! feature's task list in `criteria`, why somebody rejected in `reasons`.

mod criteria;
mod judging;
mod plays;
mod reasons;
mod rules;
mod standing;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::Fact;
use super::ids::{CommitSha, FeatureId, JobId, MergeRequestId, RoleName, UserName};

pub use criteria::*;
pub use judging::*;
pub use plays::*;
pub use reasons::*;
pub use rules::*;
pub use standing::*;

/// What a validator decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The feature does what was asked.
    Validate,
    /// It does not.
    Reject,
}

/// Who belongs to a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// People by user name.
    pub users: BTreeSet<UserName>,
    /// The members of these groups, by path; those of the groups above them do not count.
    pub groups: Vec<String>,
    /// All members of the project from this access level on (GitLab's number).
    pub access: Option<u64>,
}

/// A verdict that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The role that gave it.
    pub role: RoleName,
    /// Validate or reject.
    pub decision: Decision,
    /// Who gave it.
    pub by: UserName,
    /// When.
    pub at: Timestamp,
    /// On which commit.
    pub commit: CommitSha,
    /// The manual job that is its evidence.
    pub job: JobId,
}

impl Verdict {
    /// That it was given on features that a merge request closes; the reason stands with a rejection only.
    pub fn given(
        self,
        merge_request: MergeRequestId,
        features: Vec<FeatureId>,
        reason: Option<String>,
    ) -> Fact {
        match self.decision {
            Decision::Validate => Fact::FeatureValidated {
                merge_request,
                features,
                verdict: self,
            },
            Decision::Reject => Fact::FeatureRejected {
                merge_request,
                features,
                verdict: self,
                reason,
            },
        }
    }
}

/// A deployment of a commit that somebody can look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewApp {
    /// The environment's name.
    pub environment: String,
    /// Where it answers.
    pub url: Option<String>,
    /// The commit that runs there.
    pub commit: CommitSha,
}

/// What lies between two commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The first lines of the commits that the second has and the first lacks, untrusted; newest last.
    pub commits: Vec<String>,
    /// The files that differ.
    pub files: Vec<String>,
}
