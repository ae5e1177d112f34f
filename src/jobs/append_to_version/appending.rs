//! Appending what has landed: told first, then recorded in one entry.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::candidate::Placed;
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, CommitSha, MergeRequestId, VersionId};
use crate::domain::integration::ChangeSet;
use crate::domain::labelling;
use crate::domain::nrt::{Held, Trial, hold};
use crate::domain::progress::Stage;
use crate::domain::trial_verdict::DecidedBy;
use crate::domain::trials::Verdict;
use crate::domain::versioning::Appended;
use crate::domain::versioning::packages::Spread;
use crate::domain::yard::Yard;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, labels, notes};
use crate::ports::{Answer, Board};
use crate::report;

/// A change set that GitLab itself merged.
pub(super) fn placed(change_set: &ChangeSet, landed: &CommitSha) -> Placed {
    Placed {
        merge_request: change_set.merge_request.clone(),
        head: change_set.head.clone(),
        landed: landed.clone(),
    }
}

/// What becomes of the environment when all of a trial has landed.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'a> {
    /// It is given back by the very entry that says so.
    GivenBack(&'a Held),
    /// It stays as it is: jobs of the trial still use it, or nobody holds it.
    AsItIs,
}

impl<'a> End<'a> {
    /// Where a person judges as soon as the candidate is deployed, tests still run beside the landing.
    pub(super) fn of(desk: &Desk<'_>, held: &'a Held) -> Self {
        match desk.config.nrt.decided_by {
            DecidedBy::Tests | DecidedBy::Both => Self::GivenBack(held),
            DecidedBy::Person => Self::AsItIs,
        }
    }
}

/// What a landing records.
struct Landing {
    facts: Vec<Fact>,
    version: VersionId,
    rejected: Vec<(ChangeSet, String)>,
}

/// What is known when a landing is told.
pub(super) struct Seen {
    /// What was looked at before.
    pub(super) board: Board,
    /// The source branches that GitLab leaves although they are to go.
    pub(super) leaves: Leaves,
    /// Whether what landed is not what was tested.
    pub(super) differs: bool,
}

pub(super) type Leaves = BTreeMap<MergeRequestId, BranchName>;

/// What people were told of a landing.
pub(super) struct Told {
    pub(super) version: VersionId,
    pub(super) warnings: Vec<String>,
    /// What stands since.
    pub(super) board: Option<Board>,
}

/// What lands, and how that ends.
pub(super) struct Going<'a> {
    pub(super) trial: &'a Trial,
    pub(super) placed: &'a [Placed],
    pub(super) leaves: &'a Leaves,
    pub(super) differs: bool,
    pub(super) end: End<'a>,
    pub(super) at: Timestamp,
}

impl Going<'_> {
    /// What is recorded of one of them.
    fn landed(&self, change_set: &ChangeSet, placed: &Placed, version: VersionId) -> Vec<Fact> {
        let trial = self.trial;
        let appended = Appended {
            change_set: change_set.clone(),
            landed: placed.landed.clone(),
            base: Some(trial.candidate.base.clone()),
            spread: Spread::default(),
            trial: trial.id,
            at: self.at,
        };
        let merged = Fact::ChangeSetMerged {
            merge_request: placed.merge_request.clone(),
            head: placed.head.clone(),
            commit: placed.landed.clone(),
            trial: trial.id,
            leaves: self.leaves.get(&placed.merge_request).cloned(),
        };
        let untested = self.differs.then(|| Fact::LandedUntested {
            merge_request: placed.merge_request.clone(),
            trial: trial.id,
            candidate: trial.candidate.commit.clone(),
            commit: placed.landed.clone(),
        });
        let appended = Fact::ChangeSetAppended { version, appended };
        // Last, for the landing ends every alarm about the change set but this one.
        [merged, appended].into_iter().chain(untested).collect()
    }
}

/// Tells what has landed, and records it. In this order: the entry then says as well that the notes were kept, so that no later job
/// has to look. What is told is true already: it is merged. Whoever dies in between leaves a trial that is validated, and whoever
/// goes on with that does both again.
pub(super) fn append_and_tell(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    trial: &Trial,
    placed: &[Placed],
    end: End<'_>,
    Seen {
        board,
        leaves,
        differs,
    }: Seen,
) -> Answer<Told> {
    let at = desk.clock.now();
    let ids: Vec<MergeRequestId> = placed.iter().map(|p| p.merge_request.clone()).collect();
    let going = Going {
        trial,
        placed,
        leaves: &leaves,
        differs,
        end,
        at,
    };
    let expected = landing(desk, &ledger.yard()?, &going);
    let after = ledger.with(&expected.facts)?;
    let mut kept = notes::keep_seen(desk, &after, &ids, Some(board));
    let version = append(desk, ledger, &going)?;
    if version != expected.version {
        // A release was prepared in that very moment.
        kept = notes::keep_seen(desk, &ledger.yard()?, &ids, None);
    }
    Ok(Told {
        version,
        warnings: kept.warnings,
        board: kept.board,
    })
}

/// Records what has landed, all of it in one entry, and whom the landing of the others leaves to blame.
pub(super) fn append(desk: &Desk<'_>, ledger: &Ledger<'_>, going: &Going<'_>) -> Answer<VersionId> {
    let (version, rejected) = ledger.decide(|yard| {
        let Landing {
            facts,
            version,
            rejected,
        } = landing(desk, yard, going);
        Ok(Decision {
            facts,
            then: (version, rejected),
        })
    })?;
    for (change_set, reason) in &rejected {
        let note = report::note_rejection(reason);
        let stage = Stage::FailedTests {
            trial: going.trial.id,
        };
        for warning in notes::keep_left(desk, ledger, change_set, stage, note)? {
            tracing::warn!("{warning}");
        }
        labels::show_change_set(desk, change_set, labelling::Stage::Rejected);
    }
    Ok(version)
}

fn landing(desk: &Desk<'_>, yard: &Yard, going: &Going<'_>) -> Landing {
    let (trial, version) = (going.trial, yard.versions.open);
    let mut facts = Vec::new();
    for placed in going.placed {
        if let Some(ticket) = yard.queue.ticket(&placed.merge_request) {
            facts.extend(going.landed(&ticket.change_set, placed, version));
        }
    }
    let all = going.placed.len() == trial.change_sets.len();
    if facts.is_empty() || !all {
        return Landing {
            facts,
            version,
            rejected: Vec::new(),
        };
    }
    let rejected = inferred(desk, yard, trial);
    let left = rejected.iter();
    facts.extend(left.map(|(set, reason)| Fact::ChangeSetRejected {
        merge_request: set.merge_request.clone(),
        head: set.head.clone(),
        trial: trial.id,
        reason: reason.clone(),
        evidence: None,
        failures: Vec::new(),
    }));
    if let End::GivenBack(held) = going.end
        && hold(&yard.nrt, held.epoch()).is_ok()
    {
        facts.push(Fact::LeaseReleased {
            epoch: held.epoch(),
        });
    }
    Landing {
        facts,
        version,
        rejected,
    }
}

/// The last suspect of a search whose others have landed: the very tree of its landing was rejected before.
fn inferred(desk: &Desk<'_>, yard: &Yard, trial: &Trial) -> Vec<(ChangeSet, String)> {
    let (policy, validated) = (&desk.config.nrt.trials, Verdict::Validated);
    let (conclusion, _) = yard.search.conclude(&trial.change_sets, &validated, policy);
    let rejected = conclusion.reject.into_iter().filter_map(|(id, blame)| {
        let change_set = yard.queue.ticket(&id)?.change_set.clone();
        Some((change_set, report::blame(&blame)))
    });
    rejected.collect()
}
