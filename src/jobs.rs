//! One file per CI job. Each observes facts, lets the domain decide, records events and tells people; none has rules of its own.

pub mod append_to_version;
pub mod await_validation;
pub mod controls;
mod judging;
mod labels;
pub mod ledger;
pub mod link_check;
mod notes;
pub mod nrt_lock;
mod observe;
pub mod post;
pub mod release;
pub mod remind;
mod rewriting;
mod tell;
pub mod tick;

use crate::config::Config;
use crate::config::ci::Ci;
use crate::domain::event::Event;
use crate::outcome::Outcome;
use crate::ports::{
    Announcements, Boards, Candidates, Changes, Channels, Clock, Commits, Features, Journal,
    MergeRequests, People, Records, Releases, Workers,
};

/// Everything that a job may ask, with the surroundings it runs in.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// What GitLab CI told the job.
    pub ci: &'a Ci,
    /// The project's rules, from its target branch.
    pub config: &'a Config,
    /// Whether the job has a token that may read issues and job records, and write notes.
    pub may_look_up: bool,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Merge requests.
    pub merge_requests: &'a dyn MergeRequests,
    /// Features.
    pub features: &'a dyn Features,
    /// Records of jobs.
    pub records: &'a dyn Records,
    /// What merge requests change.
    pub changes: &'a dyn Changes,
    /// People.
    pub people: &'a dyn People,
    /// Workers of the gate.
    pub workers: &'a dyn Workers,
    /// Notes that are kept in place.
    pub boards: &'a dyn Boards,
    /// Alerts and statuses.
    pub announcements: &'a dyn Announcements,
    /// Chats, webhooks and commands.
    pub channels: &'a dyn Channels,
    /// Tags and releases.
    pub releases: &'a dyn Releases,
    /// Commits of the work tree.
    pub commits: &'a dyn Commits,
    /// Candidates of several change sets.
    pub candidates: &'a dyn Candidates,
    /// The log; jobs of a merge request pipeline have none.
    pub journal: &'a dyn Journal,
}

/// What a job leaves behind.
#[derive(Debug)]
pub struct Done {
    /// What it says, and its exit code.
    pub outcome: Outcome,
    /// What happened, for the job's artifact; a gate job's events are in the log already.
    pub events: Vec<Event>,
}

impl Done {
    /// A job that changed nothing.
    pub fn saying(outcome: Outcome) -> Self {
        Self {
            outcome,
            events: Vec::new(),
        }
    }
}

impl std::fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("ci", self.ci)
            .finish_non_exhaustive()
    }
}
