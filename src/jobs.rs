//! One file per CI job. Each observes facts, lets the domain decide, records events and tells people; none has rules of its own.

pub mod append_to_version;
pub mod archive;
pub mod await_validation;
pub mod controls;
mod judging;
mod label_holds;
mod labels;
mod leaving;
pub mod ledger;
pub mod link_check;
mod notes;
pub mod nrt_lock;
mod observe;
pub mod post;
pub mod release;
pub mod remind;
pub mod repair;
mod rewriting;
mod tell;
pub mod tick;

use crate::config::Config;
use crate::config::ci::Ci;
use crate::domain::event::Event;
use crate::domain::ids::{BranchName, ProjectPath};
use crate::domain::nrt::Trial;
use crate::outcome::Outcome;
use crate::ports::{
    Announcements, Answer, Boards, Candidates, Changes, Channels, Clock, Commits, Features,
    Journal, Logs, MergeRequests, Milestones, People, Picks, Pins, Proposals, Records, Releases,
    RepositoryFiles, Traces, Workers,
};

/// The projects whose merge requests a yard's gate serves.
pub trait Members {
    /// Which they are.
    fn projects(&self) -> &[ProjectPath];
    /// Everything that a job may ask about one of them: its merge requests and its rules, with the yard's log.
    fn desk(&self, project: &ProjectPath) -> Answer<Desk<'_>>;
}

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
    /// What GitLab keeps of the gate's work.
    pub traces: &'a dyn Traces,
    /// Merge requests that we open ourselves.
    pub proposals: &'a dyn Proposals,
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
    /// Milestones.
    pub milestones: &'a dyn Milestones,
    /// Descriptions that show the open version.
    pub pins: &'a dyn Pins,
    /// Files of branches.
    pub files: &'a dyn RepositoryFiles,
    /// Commits of the work tree.
    pub commits: &'a dyn Commits,
    /// Candidates of several change sets.
    pub candidates: &'a dyn Candidates,
    /// Commits that are picked onto a released version.
    pub picks: &'a dyn Picks,
    /// The log; jobs of a merge request pipeline have none.
    pub journal: &'a dyn Journal,
    /// The logs of the project's other environments.
    pub logs: &'a dyn Logs,
    /// The other projects that this gate serves, in a yard.
    pub members: Option<&'a dyn Members>,
}

impl<'a> Desk<'a> {
    /// The desk where things of a project are looked up and written: this one, but for the members of a yard.
    ///
    /// # Errors
    /// When the project is no member, cannot be seen, or does not say that this yard is its gate.
    pub fn of(&self, project: &ProjectPath) -> Answer<Desk<'a>> {
        match self.members {
            Some(members) if *project != self.ci.project => members.desk(project),
            Some(_) | None => Ok(*self),
        }
    }

    /// The desk of the project that a trial's candidate is a commit of.
    ///
    /// # Errors
    /// As above.
    pub fn of_trial(&self, trial: &Trial) -> Answer<Desk<'a>> {
        let mut ids = trial.change_sets.iter().chain(&trial.landed);
        ids.next().map_or(Ok(*self), |id| self.of(&id.project))
    }

    /// The desks of all projects whose merge requests this gate serves; one that cannot be served hinders none of the others.
    pub fn all(&self) -> Vec<Answer<Desk<'a>>> {
        match self.members {
            None => vec![Ok(*self)],
            Some(members) => members
                .projects()
                .iter()
                .map(|one| members.desk(one))
                .collect(),
        }
    }

    /// The branch that change sets land on.
    pub fn branch(&self) -> &'a BranchName {
        self.config
            .branch
            .as_ref()
            .unwrap_or(&self.ci.default_branch)
    }

    /// The branch whose commits versions are, in the project of the gate: a yard's are commits of the yard itself, whatever branch of its
    /// members an environment serves.
    pub fn branch_of_versions(&self) -> &'a BranchName {
        if self.config.is_yard() {
            &self.ci.default_branch
        } else {
            self.branch()
        }
    }
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
