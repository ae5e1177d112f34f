//! What jobs ask of the world, in the domain's words. Adapters are in `gitlab`, `folder` and `git`.

mod board;
mod channels;
mod features;
mod gate;
mod git;
mod hotfix;
mod journal;
mod merge_requests;
mod policies;
mod records;
mod releasing;

use std::time::Duration;

use jiff::Timestamp;

use crate::outcome::Problem;

pub use board::{
    Announcements, Board, Boards, FeatureOnBoard, Known, MergeRequestOnBoard, OwnNotes, Place,
    Posted, Targets,
};
pub use channels::{Channels, Delivery, DeliveryFailure};
pub use features::{Features, Visibility};
pub use gate::{MergedByGate, Traces, WaitingJob, Workers};
pub use git::{BroughtIn, Candidates, CommitFiles, Commits, Push, Rewritten};
pub use hotfix::{Logs, Missing, Picked, Picks, Proposal, Proposals, Source};
pub use journal::{
    Append, Archive, Damage, Journal, Log, Mending, Package, Replaced, Survey, Unpacked, Whole,
    damaged,
};
pub use merge_requests::{Changes, Merge, MergeRequest, MergeRequests, Own, Rebase};
pub use policies::{MemberProject, Policies};
pub use records::{Evidence, INTEGRATE_JOB, JobRecord, People, PipelineRecord, Records, Unseen};
pub use releasing::{
    Deployed, Deployment, DeploymentState, Draft, ExistingRelease, FileChange, FileText,
    FileWritten, Mention, Milestone, Milestones, Newest, Outset, Pinned, PinnedTo, Pins, Prospect,
    Releases, RepositoryFiles,
};

/// The answer of every port: what was asked, or the problem as a person will read it.
pub type Answer<T> = Result<T, Problem>;

/// The time.
pub trait Clock: std::fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Lets time pass, for answers that GitLab works out in the background.
    fn wait(&self, time: Duration);
}

/// Whether GitLab ends the job: it was cancelled, or took too long.
pub trait Stop {
    /// Whether it does.
    fn asked(&self) -> bool;
}
