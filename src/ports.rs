//! What jobs ask of the world, in the domain's words. Adapters are in `gitlab`, `folder` and `git`.

mod hotfix;
mod releasing;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::checkpoint::Checkpoint;
use crate::domain::archive::{Anchor, Base, Cleared, Holding, Shelf};
use crate::domain::candidate::{Assembly, MergeMethod, Part};
use crate::domain::event::Event;
use crate::domain::ids::{
    BranchName, ChannelName, CommitSha, FeatureId, JobId, MergeRequestId, NoteId, PatchId,
    PipelineId, ProjectPath, RoleName, TrialId, UserName,
};
use crate::domain::integration::{MergeRequestState, Request};
use crate::domain::labelling::Relabel;
use crate::domain::leaving::{self, Leaving};
use crate::domain::linking::{Feature, Sight};
use crate::domain::naming::Suite;
use crate::domain::notification::letter::Letter;
use crate::domain::nrt::{Held, Holder, Liveness};
use crate::domain::progress::{self, Edit};
use crate::domain::validation::{Comment, Difference, Members, Partly, Play, Player, ReviewApp};
use crate::domain::versioning::Number;
use crate::domain::versioning::comparison::Merged;
use crate::domain::versioning::periods::Period;
use crate::domain::yard::Yard;
use crate::outcome::Problem;

pub use hotfix::{Logs, Missing, Picked, Picks, Proposal, Proposals, Source};
pub use releasing::{
    Deployed, Deployment, Draft, ExistingRelease, FileChange, FileText, FileWritten, Mention,
    Milestone, Milestones, Newest, Outset, Pinned, PinnedTo, Pins, Prospect, RepositoryFiles,
};

/// The answer of every port: what was asked, or the problem as a person will read it.
pub type Answer<T> = Result<T, Problem>;

/// The job of a merge request pipeline by which integration is asked for.
pub const INTEGRATE_JOB: &str = "integrate";

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

/// A log as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The number of its last entry; 0 when it is empty.
    pub revision: u64,
    /// The state that its beginning was folded into, if it was.
    pub base: Option<Arc<Base>>,
    /// The events behind the base, in order.
    pub events: Vec<Event>,
    /// From when on something that the base covers can be removed; none when nothing can.
    pub upkeep: Option<Timestamp>,
}

impl Log {
    /// The state after all of it.
    pub fn yard(&self) -> Yard {
        folded(self.base.as_deref(), &self.events)
    }

    /// The numbers of the entries behind the base.
    pub fn slots(&self) -> RangeInclusive<u64> {
        self.base.as_ref().map_or(0, |base| base.slot) + 1..=self.revision
    }

    /// How many entries are behind the base.
    pub fn length(&self) -> u64 {
        self.revision - self.base.as_ref().map_or(0, |base| base.slot)
    }
}

fn folded(base: Option<&Base>, events: &[Event]) -> Yard {
    let mut yard = base.map_or_else(Yard::default, |base| base.state.clone());
    for event in events {
        yard.apply(event);
    }
    yard
}

/// What became of an attempt to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// The events are in; the log as it is now.
    Recorded(Log),
    /// Somebody else was faster; the log as it is now, to decide again.
    Lost(Log),
}

/// The log of everything that happened: append-only, each entry decided on the one before it.
pub trait Journal {
    /// Reads it.
    fn read(&self) -> Answer<Log>;
    /// Appends one entry right behind the revision that it was decided on, or tells that the log has moved.
    fn append(&self, decided_on: u64, events: &[Event]) -> Answer<Append>;
    /// How it can be put right when it is damaged, where it can be.
    fn mending(&self) -> Option<&dyn Mending> {
        None
    }
    /// Its archive, where it has one.
    fn archive(&self) -> Option<&dyn Archive> {
        None
    }
    /// The same, but it only seems to be recorded until `prove` says so; a look at GitLab in between can bring the proof along.
    fn append_unproved(&self, decided_on: u64, events: &[Event]) -> Answer<Append> {
        self.append(decided_on, events)
    }
    /// Whether the last entry is in the log.
    fn prove(&self) -> Answer<bool> {
        Ok(true)
    }
}

/// Everything that there is of a log, read anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whole {
    /// What it stands on, and what stands still.
    pub shelf: Shelf,
    /// The state that its beginning was folded into.
    pub base: Option<Arc<Base>>,
    /// The entries behind the base, in order, without a hole.
    pub entries: Vec<(u64, Vec<Event>)>,
}

/// A package of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What it holds.
    pub holding: Holding,
    /// When it was made.
    pub at: Timestamp,
}

/// What became of an attempt to read a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpacked<T> {
    /// What it holds.
    Whole(T),
    /// It is gone, or not what was put there; in words that follow its name.
    Damaged(String),
}

/// The archive of a log: packages that are written once, and the base that takes their place.
pub trait Archive {
    /// Whether the entries up to a revision are known so well that they need not be read again before they are packed.
    fn is_sure_of(&self, revision: u64) -> bool;
    /// Reads all of the log, once more.
    fn whole(&self) -> Answer<Whole>;
    /// How a person finds a package.
    fn name(&self, holding: &Holding) -> String;
    /// The packages that there are, the newest first; those made before an instant may be missing.
    fn packages(&self, since: Timestamp) -> Answer<Vec<Package>>;
    /// Stores a package, and makes sure that it is what was stored; a package of that name that is there already says the same.
    fn pack(&self, holding: &Holding, text: &str, state: &Checkpoint) -> Answer<()>;
    /// The text of a package.
    fn unpack(&self, package: &Package) -> Answer<Unpacked<String>>;
    /// The state after the last entry of a package.
    fn unpack_state(&self, package: &Package) -> Answer<Unpacked<Checkpoint>>;
    /// Makes a base of a generation, if there is none; whether it is this one.
    fn set_base(&self, generation: u64, state: &Checkpoint) -> Answer<bool>;
    /// Removes an anchor below the base.
    fn remove_anchor(&self, anchor: Anchor) -> Answer<()>;
    /// Notes that there is no anchor below a base any more; what is noted stays.
    fn note_cleared(&self, generation: u64, cleared: Cleared) -> Answer<()>;
    /// Removes an entry that the base covers.
    fn remove_entry(&self, slot: u64) -> Answer<()>;
    /// Removes what is noted about a generation.
    fn remove_note(&self, generation: u64) -> Answer<()>;
}

/// An entry of the log that cannot be read, or is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its number; none for something that is no entry and has no business there.
    pub slot: Option<u64>,
    /// The name that a person finds it by.
    pub name: String,
    /// Whether there is something to be set aside.
    pub there: bool,
    /// What is wrong with it.
    pub how: String,
}

/// A log as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The number of its last entry; 0 when there is none.
    pub last: u64,
    /// The state that its beginning was folded into; where that cannot be read, the one that can take its place.
    pub base: Option<Arc<Base>>,
    /// What the base cannot be read from, and what takes its place.
    pub replaced: Option<Replaced>,
    /// The events of the entries behind it that can be read, in order.
    pub events: Vec<Event>,
    /// What cannot.
    pub damages: Vec<Damage>,
}

/// What takes the place of a base that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The state of the newest package, by its name.
    Package(String),
    /// An older base, and all entries behind it.
    Older,
    /// Nothing: what was before this entry is lost.
    Nothing(u64),
}

impl Survey {
    /// The state as far as it can be read.
    pub fn yard(&self) -> Yard {
        folded(self.base.as_deref(), &self.events)
    }
}

/// A log that is damaged.
pub trait Mending {
    /// Looks at all of it.
    fn survey(&self) -> Answer<Survey>;
    /// Puts something that cannot be read where no reader looks, and tells where; nothing is deleted.
    fn set_aside(&self, damage: &Damage) -> Answer<String>;
    /// Makes a base that takes the place of one that cannot be read.
    fn replace_base(&self, base: &Base) -> Answer<()>;
    /// Writes an entry where there is none; an entry that is there stays.
    fn fill(&self, slot: u64, events: &[Event]) -> Answer<()>;
}

/// What every command but `repair` says of a damaged log.
pub fn damaged(what: &str, how: &str) -> Problem {
    Problem::misconfigured(
        format!("{what} is damaged: {how}; nothing was changed"),
        "`trainyard repair` shows what can be put right from what GitLab knows, and `trainyard repair --write` does it; a backup of the variable is as good",
    )
}

/// A merge request as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequest {
    /// Which one.
    pub id: MergeRequestId,
    /// Its title, untrusted.
    pub title: String,
    /// Its description, untrusted, whole.
    pub description: String,
    /// Who wrote it.
    pub author: UserName,
    /// Open, closed or merged.
    pub state: MergeRequestState,
    /// Whether it is a draft.
    pub draft: bool,
    /// Its branch.
    pub source: BranchName,
    /// The branch it lands on.
    pub target: BranchName,
    /// Its head.
    pub head: CommitSha,
    /// Its labels.
    pub labels: Vec<String>,
    /// Where a person sees it.
    pub url: String,
    /// Whether all its threads are resolved.
    pub threads_resolved: bool,
    /// Why GitLab would not merge it now, in GitLab's word; unknown words are kept.
    pub merge_status: String,
    /// The commit that brought it into the target, once merged.
    pub landed: Option<CommitSha>,
    /// How many commits of the target it lacks; `None` when it was not asked for.
    pub behind: Option<u64>,
    /// The head of the target that its diff is made against.
    pub base: Option<CommitSha>,
    /// Whether its commits become one when it is merged.
    pub squash: bool,
    /// Whether its branch is in another project, where the bot may not push.
    pub from_fork: bool,
    /// Whether its branch is to be deleted when it is merged.
    pub deletes_source: bool,
}

/// What a rebase came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebase {
    /// The merge request stands on the head of its target now (or did before).
    Done(Box<MergeRequest>),
    /// Its commits do not apply.
    Conflict { detail: String },
    /// It cannot be rebased for another reason: branch gone, push not allowed.
    Impossible { reason: String },
}

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// It is in the target, by this commit.
    Done { landed: CommitSha },
    /// Its head is another one.
    HeadMoved,
    /// GitLab refuses; its word for why.
    Refused { status: String },
}

/// The merge request of the pipeline, as far as the job's token may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// As it is now.
    Read(Box<MergeRequest>),
    /// GitLab does not show it to the token; the HTTP status.
    Denied {
        /// 401, 403 or 404.
        status: u16,
    },
}

/// Merge requests.
pub trait MergeRequests {
    /// The one that the pipeline runs for, which is there for certain.
    fn own(&self, iid: u64) -> Answer<Own>;
    /// One of them, or that there is none.
    fn merge_request(&self, iid: u64) -> Answer<Option<MergeRequest>>;
    /// Several of them in one request, in whatever state; those that are gone are missing.
    fn merge_requests(&self, iids: &[u64]) -> Answer<Vec<MergeRequest>>;
    /// How the project merges.
    fn merge_method(&self) -> Answer<MergeMethod>;
    /// Those that a feature's page is related to: GitLab finds them by the references in descriptions and notes. Newest
    /// first, at most some hundreds.
    fn related(&self, feature: &FeatureId) -> Answer<Vec<MergeRequest>>;
    /// Open ones whose description mentions all of these words, at most some hundreds. GitLab leaves out words of less than
    /// three characters.
    fn open_mentioning(&self, words: &str) -> Answer<Vec<MergeRequest>>;
    /// Brings it onto the head of its target, without starting a pipeline.
    fn rebase(&self, held: &Held, iid: u64) -> Answer<Rebase>;
    /// Merges it, provided its head is still this one.
    fn merge(&self, held: &Held, iid: u64, head: &CommitSha, message: &str) -> Answer<Merge>;
    /// Who put a label on it last, where GitLab tells it.
    fn labelled_by(&self, iid: u64, label: &str) -> Answer<Option<UserName>>;
    /// The patch id of each head that it has had, where GitLab knows it.
    fn patches(&self, iid: u64) -> Answer<BTreeMap<CommitSha, PatchId>>;
}

/// Features.
pub trait Features {
    /// What can be seen of each.
    fn sights(&self, ids: &[FeatureId]) -> Answer<BTreeMap<FeatureId, Sight>>;
    /// Closes features; those that GitLab does not close, with its words, untrusted.
    fn close(&self, ids: &[FeatureId]) -> Answer<Vec<(FeatureId, String)>>;
    /// Opens features again that are closed; those that GitLab does not open, with its words, untrusted.
    fn reopen(&self, ids: &[FeatureId]) -> Answer<Vec<(FeatureId, String)>>;
    /// Who can see projects; those that cannot be seen at all are missing.
    fn visibilities(
        &self,
        projects: &BTreeSet<ProjectPath>,
    ) -> Answer<BTreeMap<ProjectPath, Visibility>>;
}

/// One job of a pipeline, as far as the gate looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Its number.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// GitLab's word, lower case.
    pub status: String,
    /// Whether its failure does not matter.
    pub may_fail: bool,
    /// Why it failed, in GitLab's word.
    pub failure: Option<String>,
}

/// One pipeline of a merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineRecord {
    /// Its number.
    pub id: PipelineId,
    /// The commit it ran on.
    pub commit: CommitSha,
    /// When it was created.
    pub created: Timestamp,
    /// Its jobs, the newest of each name.
    pub jobs: Vec<JobRecord>,
    /// The successful run of the job that asks for integration.
    pub request: Option<Request>,
}

/// What is known of a note of ours before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is there.
    At(NoteId),
    /// It is not there.
    Absent,
    /// It has to be looked for.
    Unsure,
}

/// Our own notes at one place, by kind; of one kind there can be more than one, oldest first.
pub type OwnNotes = BTreeMap<String, Vec<progress::Own>>;

/// What GitLab keeps beyond what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// Older pipelines of the merge request.
    Pipelines,
    /// Older manual jobs of a pipeline.
    PlayedJobs(PipelineId),
}

/// What GitLab recorded about a merge request beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The merge request itself, with our notes on it.
    pub found: Option<MergeRequestOnBoard>,
    /// Our own notes on it.
    pub notes: OwnNotes,
    /// What people wrote on it last, where everybody who sees it may read.
    pub comments: Vec<Comment>,
    /// Runs of validation jobs, in any order; their users have to be asked for.
    pub plays: Vec<Play>,
    /// Jobs that were played and whose name is nearly that of a validation job.
    pub misnamed: Vec<(JobId, String)>,
    /// The user behind the token that asked.
    pub own: Option<UserName>,
    /// Pipelines, newest first.
    pub pipelines: Vec<PipelineRecord>,
    /// What there is beyond all that.
    pub unseen: Vec<Unseen>,
}

/// Records that GitLab keeps of jobs and people.
pub trait Records {
    /// The pipelines of a merge request.
    fn evidence(&self, iid: u64) -> Answer<Evidence>;
    /// Who played each of these jobs; nobody is told for an account that was deleted.
    fn players(&self, plays: &[Play]) -> Answer<BTreeMap<JobId, Player>>;
    /// Who started, or played, the job that is running now, according to GitLab.
    fn player(&self) -> Answer<Player>;
    /// The user of the token that this command was given; outside of a job, whoever gives it.
    fn token_user(&self) -> Answer<Player>;
    /// The jobs of a pipeline.
    fn jobs(&self, pipeline: u64) -> Answer<Vec<JobRecord>>;
    /// The pipeline that a pipeline started last.
    fn started_by(&self, pipeline: PipelineId) -> Answer<Option<PipelineId>>;
    /// The test cases that failed in a pipeline, as the reports of its jobs tell them.
    fn failed_cases(&self, pipeline: PipelineId) -> Answer<Vec<Suite>>;
    /// Whether a job has ended, or is gone.
    fn is_over(&self, job: JobId) -> Answer<bool>;
    /// Whether the run that holds the environment still runs.
    fn liveness(&self, holder: &Holder) -> Answer<Liveness>;
}

/// What a merge request changes, and where it can be seen.
pub trait Changes {
    /// The files that it changes, old and new paths.
    fn paths(&self, iid: u64) -> Answer<Partly<String>>;
    /// Who wrote its commits, as far as GitLab knows them as users.
    fn committers(&self, iid: u64) -> Answer<BTreeSet<UserName>>;
    /// What changed from one commit to another.
    fn between(&self, from: &CommitSha, to: &CommitSha) -> Answer<Difference>;
    /// The newest successful deployment of any of these commits.
    fn review_app(&self, commits: &BTreeSet<CommitSha>) -> Answer<Option<ReviewApp>>;
}

/// People.
pub trait People {
    /// Everybody who belongs to each role.
    fn holders(
        &self,
        roles: &[(RoleName, &Members)],
    ) -> Answer<BTreeMap<RoleName, BTreeSet<UserName>>>;
}

/// The workers of the NRT environment.
pub trait Workers {
    /// Starts one; it finds out by itself what there is to do. The number is a hint, not a claim.
    fn wake(&self, merge_request: Option<u64>) -> Answer<()>;
    /// Ends the run that holds, or held, the environment, as a person would by cancelling its pipeline; one that is over stays
    /// as it is.
    fn stop(&self, holder: &Holder) -> Answer<()>;
    /// Whether one is on its way already.
    fn one_is_coming(&self) -> Answer<bool>;
    /// Lets a manual job of ours go on.
    fn play(&self, job: JobId) -> Answer<()>;
}

/// Where something is written for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On a merge request.
    MergeRequest(u64),
    /// On a feature.
    Feature(FeatureId),
}

/// What is to be looked at on the board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// Features, with our notes on them.
    pub features: BTreeSet<FeatureId>,
    /// Merge requests of this project by number, with our notes on them.
    pub merge_requests: BTreeSet<u64>,
    /// The one of them that is looked at whole, mergeability included.
    pub whole: Option<u64>,
    /// Those of them whose standing may tell how the project merges.
    pub standing: BTreeSet<u64>,
    /// Merge requests that landed, by number, and their source branches, which are to go when nothing stands against it.
    pub leaving: BTreeMap<u64, BranchName>,
}

/// Who can see a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// Its members.
    Private,
    /// Everybody with an account.
    Internal,
    /// Everybody.
    Public,
}

/// A feature with what we wrote there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureOnBoard {
    /// The feature.
    pub feature: Feature,
    /// How GitLab addresses it when a first note is written there.
    pub address: String,
    /// Who can see its project.
    pub visibility: Visibility,
    /// Our notes on it.
    pub notes: OwnNotes,
}

/// A merge request with what we wrote there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequestOnBoard {
    /// The merge request.
    pub merge_request: MergeRequest,
    /// How GitLab addresses it when a first note is written there.
    pub address: String,
    /// Our notes on it.
    pub notes: OwnNotes,
}

/// Features and merge requests as they stand, with our notes on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Board {
    /// The features that were seen.
    pub features: BTreeMap<FeatureId, FeatureOnBoard>,
    /// The merge requests that were seen.
    pub merge_requests: BTreeMap<u64, MergeRequestOnBoard>,
    /// Who can see this project.
    pub visibility: Option<Visibility>,
    /// How this project merges, where that was asked for and can be seen.
    pub method: Option<MergeMethod>,
    /// What is shown of the branches that are to go, where that was asked for.
    pub leaving: leaving::Shown,
}

impl Board {
    /// The merge requests that were seen.
    pub fn all(&self) -> Vec<MergeRequest> {
        let seen = self.merge_requests.values();
        seen.map(|on_board| on_board.merge_request.clone())
            .collect()
    }
}

/// What became of posting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posted {
    /// The board right after the last edit, looked at in the same request; not where GitLab can only tell it in another one.
    pub board: Option<Board>,
    /// What GitLab refused, in its words.
    pub refused: Vec<(Place, String)>,
}

/// The notes that are kept in place, many in one request.
pub trait Boards {
    /// What stands.
    fn board(&self, targets: &Targets) -> Answer<Board>;
    /// Makes all edits, and looks at the targets again.
    fn post(&self, edits: &[(Place, Edit<String>)], targets: &Targets) -> Answer<Posted>;
}

/// What people are told.
pub trait Announcements {
    /// Our own notes on a merge request.
    fn notes(&self, iid: u64) -> Answer<OwnNotes>;
    /// Keeps one note of a kind at a place: edits the one that is there, or writes it.
    fn keep_note(&self, place: &Place, kind: &str, known: Known, body: &str) -> Answer<NoteId>;
    /// Adds and takes away labels, in one write.
    fn relabel(&self, place: &Place, change: &Relabel) -> Answer<()>;
    /// Sets the state of the trial on a commit.
    fn set_status(
        &self,
        commit: &CommitSha,
        branch: &BranchName,
        validated: bool,
        text: &str,
    ) -> Answer<()>;
}

/// What became of messages that were handed to a channel, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// How many of them, from the first on, the channel took.
    pub taken: usize,
    /// Why it did not take the rest; names the channel's host at most, never its address.
    pub failure: Option<DeliveryFailure>,
}

/// Why a channel did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// What happened.
    pub reason: String,
    /// What to do about it.
    pub mend: String,
}

/// The channels of the project.
pub trait Channels {
    /// Hands messages to a channel, within a bounded time. A channel that does not take them is no error of the job.
    fn deliver(&self, channel: &ChannelName, letters: &[Letter]) -> Delivery;
    /// Why nothing could be handed to it from this job, as far as that can be told without trying.
    fn obstacle(&self, channel: &ChannelName) -> Option<DeliveryFailure>;
}

/// A deployment, as GitLab keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentState {
    /// It runs in production.
    Succeeded,
    /// It does not.
    Failed,
}

/// Tags, releases and what goes with them.
pub trait Releases {
    /// The numbers tagged, highest first, with their commits; of very many the newest hundred.
    fn numbers(&self, prefix: &str) -> Answer<Vec<(Number, CommitSha)>>;
    /// All that a release looks at before it begins, in one request; none where GitLab does not tell it in one.
    fn outset(&self, prospect: &Prospect<'_>) -> Option<Outset>;
    /// The commit of a tag.
    fn tag(&self, tag: &str) -> Answer<Option<CommitSha>>;
    /// Says on a release that its version is withdrawn: its name and the beginning of its notes. A release that is gone stays gone.
    fn mark_withdrawn(&self, tag: &str, name: &str, notice: &str) -> Answer<()>;
    /// The deploy freezes that the project has in GitLab.
    fn freeze_periods(&self) -> Answer<Vec<Period>>;
    /// Tags a commit; an existing tag of the same commit is fine.
    fn create_tag(&self, tag: &str, commit: &CommitSha, message: &str) -> Answer<()>;
    /// Publishes a release, with its tag where that is not there yet; or finds that it is there.
    fn publish(&self, draft: &Draft) -> Answer<ExistingRelease>;
    /// The number of a deployment that GitLab knows of, whatever deployed it; it is recorded where GitLab knows of none.
    fn deployment(&self, deployed: &Deployed<'_>) -> Answer<u64>;
}

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

/// What became of an attempt to make a candidate the head of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// It is.
    Done,
    /// The target has another head than the one that the candidate stands on.
    TargetMoved,
    /// GitLab refuses; its words, untrusted.
    Refused {
        /// Why.
        words: String,
    },
}

/// A source branch that must have another head before its merge request can land: rebased or squashed by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The branch.
    pub branch: BranchName,
    /// The head that was validated.
    pub from: CommitSha,
    /// The head in the candidate.
    pub to: CommitSha,
}

/// Candidates of several change sets, made and landed with git.
pub trait Candidates {
    /// Puts change sets one after the other onto the head of the target; what does not fit is left out.
    fn assemble(
        &self,
        target: &BranchName,
        method: MergeMethod,
        parts: &[Part],
    ) -> Answer<Assembly>;
    /// Puts a candidate where the jobs of its trial can fetch it, without starting a pipeline; the same push deletes branches that are
    /// to go, as far as they can.
    fn show(
        &self,
        held: &Held,
        candidate: &CommitSha,
        branch: &BranchName,
        leaving: &[Leaving],
    ) -> Answer<()>;
    /// Whether the candidate is where the jobs of its trial fetch it.
    fn shows(&self, candidate: &CommitSha, branch: &BranchName) -> Answer<bool>;
    /// Gives source branches their new heads, all or none, without starting pipelines.
    fn rewrite(&self, held: &Held, sources: &[Rewritten]) -> Answer<Push>;
    /// Makes a candidate the head of the target, which must be the base that it stands on; done before, it is done.
    fn land(
        &self,
        held: &Held,
        candidate: &CommitSha,
        base: &CommitSha,
        target: &BranchName,
    ) -> Answer<Push>;
    /// Deletes branches that are still at these heads, each for itself; done only when all of them are gone.
    fn remove(&self, leaving: &[Leaving]) -> Answer<Push>;
    /// Whether a candidate is part of the target as the project has it now.
    fn has_landed(&self, candidate: &CommitSha, target: &BranchName) -> Answer<bool>;
}

/// A commit that came into a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroughtIn {
    /// Which one.
    pub commit: CommitSha,
    /// The trial that its message names.
    pub trial: Option<TrialId>,
}

/// A merge request that the gate's own user merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedByGate {
    /// Which one.
    pub merge_request: MergeRequest,
    /// The commit that brought it.
    pub landed: CommitSha,
    /// When.
    pub at: Timestamp,
}

/// A job that waits for the resource group of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingJob {
    /// Which one.
    pub job: JobId,
    /// Its pipeline.
    pub pipeline: PipelineId,
    /// When it was created.
    pub since: Timestamp,
}

/// What GitLab keeps of the gate's work, for whoever cannot trust the log.
pub trait Traces {
    /// Merge requests of a branch that the gate's own user merged, those first that changed last; at most some hundreds.
    fn merged_by_gate(&self, branch: &BranchName) -> Answer<Partly<MergedByGate>>;
    /// How many of the project's tags are numbers of versions.
    fn numbered_tags(&self, prefix: &str) -> Answer<u64>;
    /// The pipelines of workers of this environment that run now.
    fn running_workers(&self) -> Answer<Vec<PipelineId>>;
    /// Jobs that are ready and wait for the resource group, the next one first.
    fn waiting_at_the_gate(&self) -> Answer<Vec<WaitingJob>>;
}

/// Whether the files that commits change are asked for; git must look into each commit for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFiles {
    /// Each commit with its files.
    Named,
    /// Commits alone.
    LeftOut,
}

/// The commits of the work tree that the job runs in.
pub trait Commits {
    /// Whether two commits hold the same files, byte for byte.
    fn same_tree(&self, one: &CommitSha, other: &CommitSha) -> Answer<bool>;
    /// Whether the first commit is part of the history of the second.
    fn is_ancestor(&self, ancestor: &CommitSha, of: &CommitSha) -> Answer<bool>;
    /// The commits of a branch, as the project has it now, that are not part of the history of another commit; oldest first.
    fn brought_in(&self, after: Option<&CommitSha>, branch: &BranchName) -> Answer<Vec<BroughtIn>>;
    /// The commits of a commit's history that are not part of another one's, oldest first; none where the job has no clone.
    fn merged_since(
        &self,
        after: Option<&CommitSha>,
        up_to: &CommitSha,
        files: CommitFiles,
    ) -> Answer<Option<Vec<Merged>>>;
    /// Whether two commits make the same change, each to the branch it stands on: a rebase and nothing else lies between them.
    fn same_change(&self, before: &CommitSha, after: &CommitSha, base: &CommitSha) -> Answer<bool>;
}
