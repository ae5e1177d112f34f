//! Why a link is refused.

use crate::domain::ids::{FeatureId, MergeRequestId, ProjectPath, UserName};

use super::LinkKind;
use super::grammar::{Line, Problem};

/// Why a link is refused. Each names the line that was read, where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkRefusal {
    /// The description names no feature although one is required.
    NoLink,
    /// A line looks like a link but cannot be read as one.
    Unreadable {
        /// Where.
        at: Line,
        /// What it would have been.
        kind: LinkKind,
        /// What is wrong with it.
        problem: Problem,
    },
    /// More features than one merge request can serve.
    TooManyFeatures {
        /// As many are possible.
        most: usize,
    },
    /// No such feature, or none that the job may see.
    UnknownFeature {
        /// Which.
        feature: FeatureId,
        /// Where.
        at: Line,
    },
    /// The feature is closed.
    ClosedFeature {
        /// Which.
        feature: FeatureId,
        /// Where a person reopens it.
        url: String,
        /// Where.
        at: Line,
    },
    /// The issue lacks the label that makes it a feature.
    NotAFeature {
        /// Which.
        feature: FeatureId,
        /// Where a person labels it.
        url: String,
        /// The label.
        label: String,
        /// Where.
        at: Line,
    },
    /// The issue is of another type than features are.
    WrongType {
        /// Which.
        feature: FeatureId,
        /// Where a person sees it.
        url: String,
        /// Its type.
        is: String,
        /// The type of features.
        wanted: String,
        /// Where.
        at: Line,
    },
    /// The feature is in a project that keeps no features for this one.
    OtherProject {
        /// Which.
        feature: FeatureId,
        /// Projects whose issues may be named.
        allowed: Vec<ProjectPath>,
        /// Where.
        at: Line,
    },
    /// The issue was moved, and its new place cannot be named: it is gone, hidden from the bot, or from readers.
    MovedAway {
        /// Which.
        feature: FeatureId,
        /// Where.
        at: Line,
    },
    /// The issue is no open feature, and its readers are fewer than those of the merge request, so the reason is not told.
    Undisclosed {
        /// Which.
        feature: FeatureId,
        /// Where.
        at: Line,
    },
    /// Another merge request closes the feature.
    AlreadyClaimed {
        /// Which.
        feature: FeatureId,
        /// The other merge request.
        by: MergeRequestId,
        /// Who wrote it.
        author: UserName,
        /// How far it is.
        holding: Holding,
        /// Where; the line is empty when the description is not at hand.
        at: Line,
    },
}

/// How far a merge request is with the feature that it closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// It is open and older.
    Open,
    /// It has its ticket.
    Queued,
    /// It has landed in a version that is not released yet.
    Landed,
}
