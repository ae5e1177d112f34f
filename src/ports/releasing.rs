//! What publishing a version asks of the world: its tag and release, milestones, and files of the target branch.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Answer;
use crate::domain::ids::{BranchName, CommitSha, FeatureId, MergeRequestId, UserName};
use crate::domain::linking::Sight;
use crate::domain::versioning::Number;
use crate::domain::versioning::periods::Period;

/// A release as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its tag.
    pub tag: String,
    /// The commit that the tag is made at, where it is not there yet.
    pub commit: CommitSha,
    /// The message of the tag.
    pub message: String,
    /// What it is called.
    pub name: String,
    /// Its notes.
    pub notes: String,
    /// Names and addresses of its links.
    pub links: Vec<(String, String)>,
    /// The titles of its milestones.
    pub milestones: Vec<String>,
}

/// A release that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingRelease {
    /// Where a person reads it.
    pub url: String,
    /// Whether it was there before, with notes that are not those of the draft.
    pub notes_of_others: bool,
}

/// A deployment, as GitLab keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentState {
    /// It runs in production.
    Succeeded,
    /// It does not.
    Failed,
}

/// A deployment that GitLab is to know of.
#[derive(Debug, Clone, Copy)]
pub struct Deployed<'a> {
    /// The environment.
    pub environment: &'a str,
    /// The commit.
    pub commit: &'a CommitSha,
    /// The branch of the commit.
    pub branch: &'a BranchName,
    /// How it went.
    pub state: DeploymentState,
    /// Older ones are others.
    pub since: Timestamp,
    /// The newest one of the environment that ended like this, if it was looked at.
    pub newest: Newest<'a>,
}

/// What is known of the newest deployment of an environment.
#[derive(Debug, Clone, Copy)]
pub enum Newest<'a> {
    /// Nobody looked.
    NotLookedAt,
    /// There is none, or this one.
    Seen(Option<&'a Deployment>),
}

/// A deployment as GitLab knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Its number over all projects.
    pub id: u64,
    /// The commit.
    pub commit: String,
    /// When it was recorded.
    pub at: Option<Timestamp>,
}

/// What a release looks at before it begins; all of it is in the job's own project.
#[derive(Debug, Clone, Copy)]
pub struct Prospect<'a> {
    /// The tag that it will have.
    pub tag: &'a str,
    /// The environment that it was deployed to.
    pub environment: &'a str,
    /// Its features, a hundred at most.
    pub features: &'a [FeatureId],
    /// A word by which merge requests name features.
    pub word: &'a str,
    /// The titles of milestones that belong to it.
    pub milestones: &'a [String],
}

/// What it sees there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outset {
    /// The commit of the tag, where there is one already.
    pub tag: Option<CommitSha>,
    /// The newest successful deployment of the environment.
    pub deployment: Option<Deployment>,
    /// The features.
    pub sights: BTreeMap<FeatureId, Sight>,
    /// Open merge requests with the word; none where they are too many to be told with the rest.
    pub open: Option<Vec<Mention>>,
    /// The milestones of those titles.
    pub milestones: Vec<Milestone>,
}

/// An open merge request that may name features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Which one.
    pub id: MergeRequestId,
    /// Its title, untrusted.
    pub title: String,
    /// Who wrote it.
    pub author: UserName,
    /// Its description, untrusted.
    pub description: String,
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

/// A milestone of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestone {
    /// Its number over all projects.
    pub id: u64,
    /// Its title.
    pub title: String,
    /// Whether it is open.
    pub open: bool,
}

/// Milestones.
pub trait Milestones {
    /// Those of the project that have one of these titles.
    fn milestones(&self, titles: &[String]) -> Answer<Vec<Milestone>>;
    /// Closes one.
    fn close_milestone(&self, milestone: &Milestone) -> Answer<()>;
}

/// A milestone or an issue with its description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Which one.
    pub place: PinnedTo,
    /// Its title; untrusted.
    pub title: String,
    /// Whether it is open.
    pub open: bool,
    /// Its description, whole; untrusted.
    pub text: String,
}

/// Where something is pinned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinnedTo {
    /// A milestone, by its number over all projects.
    Milestone(u64),
    /// An issue, by its number in the project.
    Issue(u64),
}

impl Pinned {
    /// How people call it.
    pub fn name(&self) -> String {
        match self.place {
            PinnedTo::Milestone(_) => format!("the milestone `{}`", self.title),
            PinnedTo::Issue(iid) => format!("the issue #{iid}"),
        }
    }
}

/// Descriptions of milestones and issues of the project.
pub trait Pins {
    /// The milestones that have one of these titles, or a text in their descriptions.
    fn milestones_with(&self, text: &str, titles: &[String]) -> Answer<Vec<Pinned>>;
    /// An issue, if there is one that can be seen.
    fn issue(&self, iid: u64) -> Answer<Option<Pinned>>;
    /// Changes a description.
    fn describe(&self, pinned: &Pinned, text: &str) -> Answer<()>;
}

/// A file of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileText {
    /// What it holds.
    pub text: String,
    /// The commit that changed it last.
    pub last_commit: CommitSha,
}

/// A new content of a file.
#[derive(Debug, Clone, Copy)]
pub struct FileChange<'a> {
    /// Where it is.
    pub path: &'a str,
    /// The branch.
    pub branch: &'a BranchName,
    /// What it is to hold.
    pub text: &'a str,
    /// The commit that changed it last, as far as the new content knows; none for a file that is not there.
    pub known: Option<&'a CommitSha>,
    /// The message of the commit.
    pub message: &'a str,
}

/// What became of a new content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileWritten {
    /// It is there.
    Done,
    /// Somebody else was faster; to be read again.
    Moved,
    /// GitLab refuses; its words, untrusted.
    Refused { words: String },
}

/// Files of the project's branches.
pub trait RepositoryFiles {
    /// A file as it is, or that there is none.
    fn file(&self, path: &str, branch: &BranchName) -> Answer<Option<FileText>>;
    /// Changes a file by a commit, provided that nobody else has.
    fn write_file(&self, change: &FileChange<'_>) -> Answer<FileWritten>;
}
