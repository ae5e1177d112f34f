//! The queue: which change sets wait for the NRT environment, in which order, and when one may not join.

mod evidence;
#[cfg(test)]
mod ground;
mod joining;
mod queue;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{BranchName, CommitSha, JobId, MergeRequestId, NoteId, UserName};
use super::linking::Link;
use super::validation::Verdict;

pub use evidence::evidence_facts;
pub use joining::{
    Candidacy, HeadPipeline, Joined, MergeRequestState, QueueRefusal, Request, join_queue,
};
pub use queue::{Again, Left, Place, Queue, Ticket};

/// Which lane a change set queues in; the first one goes first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Repairs what is broken in production.
    Hotfix,
    /// Before the others.
    High,
    /// As it comes.
    #[default]
    Normal,
    /// When nothing else waits.
    Low,
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hotfix => "hotfix",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        })
    }
}

/// A merge request frozen at a head commit, with everything that let it into the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// The merge request.
    pub merge_request: MergeRequestId,
    /// Its head when it joined; our own rebase moves it.
    pub head: CommitSha,
    /// The branch it lands on.
    pub target: BranchName,
    /// Its title, untrusted, at most 255 characters (GitLab's limit).
    pub title: String,
    /// Who wrote it.
    pub author: UserName,
    /// The features it serves.
    pub links: Vec<Link>,
    /// The verdicts that hold on its content.
    pub verdicts: Vec<Verdict>,
    /// Whether it says that it breaks what users rely on.
    pub breaking: bool,
    /// Its lane.
    pub priority: Priority,
    /// When its integration was asked for: its age in the lane.
    pub requested_at: Timestamp,
    /// The job by which it was asked for.
    pub requested_by: JobId,
    /// The note on the merge request that tells where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<NoteId>,
}
