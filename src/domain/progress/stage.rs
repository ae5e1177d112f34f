//! The stages of a merge request on its way to production, and the mark by which one job tells the next what it knew.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{CommitSha, JobId, RoleName, TrialId, UserName, VersionId};
use crate::domain::linking::Link;
use crate::domain::pace::Landing;

/// A role whose verdict is awaited, with some of the people who hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The role.
    pub role: RoleName,
    /// Who may answer; a few of them, when there are many.
    pub people: Vec<UserName>,
}

/// Where a merge request is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its links are not in order.
    LinksRefused,
    /// Its links are in order, and nobody has to validate it.
    Linked,
    /// Roles have not validated its content yet.
    AwaitingValidation { roles: Vec<Asked> },
    /// Every role has.
    Validated,
    /// A role rejected it.
    Rejected { role: RoleName, by: UserName },
    /// It was asked for, and may not join the queue.
    NotQueued,
    /// It waits for the NRT environment; its rank, and when it may land, as they were at an instant.
    Queued {
        rank: usize,
        at: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        landing: Option<Landing>,
    },
    /// It is under test.
    InTrial { trial: TrialId },
    /// Its trial was validated; it is being merged.
    Landing,
    /// The tests of a trial rejected it.
    FailedTests { trial: TrialId },
    /// It does not apply on its target.
    Conflicted,
    /// It was taken out of the queue.
    LeftQueue,
    /// It is in the open version.
    Landed { version: VersionId },
    /// Its version is on the way to production.
    Releasing { number: String },
    /// It is in production.
    InProduction {
        number: String,
        /// The environment, where that was recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
    },
}

impl Stage {
    /// Whether only the log can say that a merge request is still there.
    pub fn is_of_the_gate(&self) -> bool {
        match self {
            Self::Queued { .. } | Self::InTrial { .. } | Self::Landing => true,
            Self::LinksRefused
            | Self::Linked
            | Self::AwaitingValidation { .. }
            | Self::Validated
            | Self::Rejected { .. }
            | Self::NotQueued
            | Self::FailedTests { .. }
            | Self::Conflicted
            | Self::LeftQueue
            | Self::Landed { .. }
            | Self::Releasing { .. }
            | Self::InProduction { .. } => false,
        }
    }

    /// What became of a change set at this stage when the tests rejected it.
    pub fn rejected(&self) -> Self {
        match self {
            Self::InTrial { trial } => Self::FailedTests { trial: *trial },
            Self::LinksRefused
            | Self::Linked
            | Self::AwaitingValidation { .. }
            | Self::Validated
            | Self::Rejected { .. }
            | Self::NotQueued
            | Self::Queued { .. }
            | Self::Landing
            | Self::FailedTests { .. }
            | Self::Conflicted
            | Self::LeftQueue
            | Self::Landed { .. }
            | Self::Releasing { .. }
            | Self::InProduction { .. } => Self::LeftQueue,
        }
    }

    /// Whether more is known than what a look at the links can tell.
    pub fn is_beyond_links(&self) -> bool {
        match self {
            Self::LinksRefused | Self::Linked | Self::AwaitingValidation { .. } => false,
            Self::Validated
            | Self::Rejected { .. }
            | Self::NotQueued
            | Self::Queued { .. }
            | Self::InTrial { .. }
            | Self::Landing
            | Self::FailedTests { .. }
            | Self::Conflicted
            | Self::LeftQueue
            | Self::Landed { .. }
            | Self::Releasing { .. }
            | Self::InProduction { .. } => true,
        }
    }

    /// Whether it is part of a version.
    pub fn is_landed(&self) -> bool {
        match self {
            Self::Landed { .. } | Self::Releasing { .. } | Self::InProduction { .. } => true,
            Self::LinksRefused
            | Self::Linked
            | Self::AwaitingValidation { .. }
            | Self::Validated
            | Self::Rejected { .. }
            | Self::NotQueued
            | Self::Queued { .. }
            | Self::InTrial { .. }
            | Self::Landing
            | Self::FailedTests { .. }
            | Self::Conflicted
            | Self::LeftQueue => false,
        }
    }

    /// The same rank told again keeps the instant at which it was told first: a text changes only when its content does.
    #[must_use]
    pub fn keeping_rank_of(self, before: &Self) -> Self {
        if let (Self::Queued { rank, .. }, Self::Queued { rank: told, .. }) = (&self, before)
            && rank == told
        {
            return before.clone();
        }
        self
    }

    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// What a job knew of a merge request, for the jobs after it. Display only, never evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where it was.
    pub stage: Stage,
    /// The head that this is true of.
    pub head: CommitSha,
    /// The links that it had then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The job that told the last change of the links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links_since: Option<JobId>,
    /// Since when.
    pub since: Timestamp,
    /// Where it was before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Past>,
}

/// A stage that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The stage.
    pub stage: Stage,
    /// The head that it was true of.
    pub head: CommitSha,
    /// When it began.
    pub since: Timestamp,
}

/// How many stages that are over a mark remembers.
const MOST_PAST: usize = 12;

impl Mark {
    /// The mark of a stage now, which continues the one that stands: the same stage of the same head began when it began, and
    /// another one is history.
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Self {
        let Some(before) = before else {
            return self;
        };
        let mut history = before.history.clone();
        let links_since = self.links_since.or(before.links_since);
        if before.head == self.head && before.stage.is_like(&self.stage) {
            return Self {
                stage: self.stage.keeping_rank_of(&before.stage),
                since: before.since,
                history,
                links_since,
                ..self
            };
        }
        // What was wrong with a text that has been mended since is no history.
        if before.stage != Stage::LinksRefused {
            history.push(Past {
                stage: before.stage.clone(),
                head: before.head.clone(),
                since: before.since,
            });
        }
        let forgotten = history.len().saturating_sub(MOST_PAST);
        history.drain(..forgotten);
        Self {
            history,
            links_since,
            ..self
        }
    }
}
