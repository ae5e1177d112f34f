//! What people read: the notes that are kept in place on merge requests and features, their labels, the state on a commit.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, MergeRequest, Visibility};
use crate::domain::candidate::MergeMethod;
use crate::domain::ids::{BranchName, CommitSha, FeatureId, NoteId};
use crate::domain::labelling::Relabel;
use crate::domain::leaving;
use crate::domain::linking::Feature;
use crate::domain::progress::{self, Edit};

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
    /// Those of them of which it is asked what people hold against merging them.
    pub checked: BTreeSet<u64>,
    /// Merge requests that landed, by number, and their source branches, which are to go when nothing stands against it.
    pub leaving: BTreeMap<u64, BranchName>,
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
