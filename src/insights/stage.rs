//! The stages on the way to production, and the visits that a merge request or a feature pays to them.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::ids::{RoleName, TrialId};

/// Where a merge request or a feature is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is being worked on.
    Development,
    /// People are asked for their verdict.
    Validation,
    /// They gave it, and nobody has asked for integration yet.
    Validated,
    /// It waits for the NRT environment.
    Queued,
    /// It is tried there.
    Trial,
    /// It is in a version that is not in production.
    Landed,
    /// It is in production.
    Released,
}

impl Stage {
    /// The stages that take time, in the order of the way.
    pub const ON_THE_WAY: [Self; 6] = [
        Self::Development,
        Self::Validation,
        Self::Validated,
        Self::Queued,
        Self::Trial,
        Self::Landed,
    ];

    /// Whether nobody and nothing works on what is in it: what counts as waiting in the figures.
    pub fn waits(self) -> bool {
        match self {
            Self::Validation | Self::Validated | Self::Queued | Self::Landed => true,
            Self::Development | Self::Trial | Self::Released => false,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Development => "in development",
            Self::Validation => "in validation",
            Self::Validated => "validated",
            Self::Queued => "queued",
            Self::Trial => "in NRT",
            Self::Landed => "landed",
            Self::Released => "released",
        })
    }
}

/// One stay in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Visit {
    /// Where.
    pub stage: Stage,
    /// Since when.
    pub from: Timestamp,
    /// Until when; none while it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// The visits of one thing, one after the other without a gap.
#[derive(Debug, Clone, Default)]
pub(super) struct Path {
    pub(super) visits: Vec<Visit>,
}

impl Path {
    /// Where it is now, and since when.
    pub(super) fn now(&self) -> Option<(Stage, Timestamp)> {
        self.visits.last().map(|visit| (visit.stage, visit.from))
    }

    /// Moves to a stage. A stay of no time at all is none.
    pub(super) fn enter(&mut self, stage: Stage, at: Timestamp) {
        match self.visits.last() {
            Some(current) if current.stage == stage => return,
            Some(current) if current.from == at => {
                self.visits.pop();
            }
            Some(_) | None => {}
        }
        match self.visits.last_mut() {
            Some(last) if last.stage == stage => last.to = None,
            Some(last) => {
                last.to = Some(at);
                self.push(stage, at);
            }
            None => self.push(stage, at),
        }
    }

    fn push(&mut self, stage: Stage, from: Timestamp) {
        let to = None;
        self.visits.push(Visit { stage, from, to });
    }
}

/// What is known of a merge request at one point of its history.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub(super) place: Place,
    /// Roles whose verdict is awaited, and since when.
    pub(super) asked: BTreeMap<RoleName, Timestamp>,
    pub(super) validated: bool,
}

/// Where its change set is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Not on its way into the version.
    #[default]
    Outside,
    /// In the queue since then.
    Queued(Timestamp),
    Trial(TrialId),
    Landed,
    Released,
}

impl Standing {
    pub(super) fn stage(&self) -> Stage {
        match self.place {
            Place::Queued(_) => Stage::Queued,
            Place::Trial(_) => Stage::Trial,
            Place::Landed => Stage::Landed,
            Place::Released => Stage::Released,
            Place::Outside if !self.asked.is_empty() => Stage::Validation,
            Place::Outside if self.validated => Stage::Validated,
            Place::Outside => Stage::Development,
        }
    }

    /// It has to be worked on again: whatever was validated or asked is open anew.
    pub(super) fn back_to_development(&mut self) {
        self.place = Place::Outside;
        self.asked.clear();
        self.validated = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn path(steps: &[(Stage, i64)]) -> Vec<(Stage, i64, Option<i64>)> {
        let mut path = Path::default();
        for (stage, second) in steps {
            path.enter(*stage, at(*second));
        }
        let visits = path.visits.iter();
        visits
            .map(|v| (v.stage, v.from.as_second(), v.to.map(Timestamp::as_second)))
            .collect()
    }

    #[test]
    fn visits_follow_one_another_and_a_stay_of_no_time_is_none() {
        use Stage::{Development as D, Queued as Q, Trial as T};
        assert_eq!(
            path(&[(D, 0), (D, 1), (Q, 3), (T, 5)]),
            [(D, 0, Some(3)), (Q, 3, Some(5)), (T, 5, None)]
        );
        assert_eq!(path(&[(Q, 0), (T, 2), (Q, 2)]), [(Q, 0, None)]);
        assert_eq!(
            path(&[(Q, 0), (T, 2), (Q, 5), (T, 5), (D, 6)]),
            [(Q, 0, Some(2)), (T, 2, Some(6)), (D, 6, None)]
        );
    }

    #[test]
    fn the_change_set_decides_the_stage_before_the_validation_does() {
        let mut standing = Standing::default();
        assert_eq!(standing.stage(), Stage::Development);
        standing.asked.insert("po".parse().unwrap(), at(0));
        assert_eq!(standing.stage(), Stage::Validation);
        standing.asked.clear();
        standing.validated = true;
        assert_eq!(standing.stage(), Stage::Validated);
        standing.asked.insert("qa".parse().unwrap(), at(0));
        standing.place = Place::Queued(at(4));
        assert_eq!(standing.stage(), Stage::Queued);
        standing.back_to_development();
        assert_eq!(standing.stage(), Stage::Development);
    }
}
