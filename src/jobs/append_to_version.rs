//! `trainyard append-to-version`: lands what a trial validated, and appends it to the open version.
//!
//! The verdict is recorded before the merge: a run whose lease was lost cannot record it, so it cannot merge; and a run that
//! dies in between leaves behind what the next one needs to finish.

mod together;
mod verdict;

pub(super) use verdict::stopped;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::candidate::Placed;
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, CommitSha, Epoch, MergeRequestId, TrialId, VersionId};
use crate::domain::integration::{ChangeSet, MergeRequestState};
use crate::domain::labelling;
use crate::domain::linking::named_features;
use crate::domain::nrt::{Abandoned, Held, Trial, hold, trial_under};
use crate::domain::objections::objection;
use crate::domain::progress::Stage;
use crate::domain::trial_verdict::DecidedBy;
use crate::domain::trials::Verdict;
use crate::domain::versioning::Appended;
use crate::domain::versioning::packages::Spread;
use crate::domain::yard::Yard;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::nrt_lock::release;
use crate::jobs::{Desk, Done, judging, labels, notes, observe, tell};
use crate::outcome::Outcome;
use crate::ports::{Answer, Board, Merge, MergeRequest};
use crate::report;

/// Lands the trial under a lease.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>, epoch: Epoch) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let yard = ledger.yard()?;
    let landed: Vec<MergeRequestId> = yard
        .versions
        .content
        .iter()
        .filter(|a| a.trial.0 == epoch.0)
        .map(|a| a.change_set.merge_request.clone())
        .collect();
    let gate = desk;
    let outcome = match hold(&yard.nrt, epoch) {
        Err(_) if !landed.is_empty() => report::already_landed(&landed),
        Err(not_held) => report::lease_lost(&not_held),
        Ok(held) => match trial_under(&yard.nrt, &held).cloned() {
            None if !landed.is_empty() => report::already_landed(&landed),
            None => report::no_trial(epoch),
            Some(trial) if desk.config.nrt.decided_by.asks_a_person() && !trial.validated => {
                report::nobody_validated(&trial, &desk.config.nrt.deciders)
            }
            Some(trial) => {
                let desk = &desk.of_trial(&trial)?;
                let outcome = match verdict::stopped(desk, &ledger, &held, &trial)? {
                    Some(outcome) => outcome,
                    None if trial.placed.is_empty() => land(desk, &ledger, &held, &trial)?,
                    None => together::land(desk, &ledger, &held, &trial)?,
                };
                outcome.seeing(report::change_set_links(
                    &trial.change_sets,
                    &desk.ci.server,
                ))
            }
        },
    };
    let outcome = after_landing(gate, &ledger, epoch, outcome)?;
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// What is left to do once a landing has given the environment back, because no later job of the trial does it then.
fn after_landing(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    epoch: Epoch,
    outcome: Outcome,
) -> Answer<Outcome> {
    let yard = ledger.yard()?;
    let landed = |appended: &Appended| appended.trial.0 == epoch.0;
    if hold(&yard.nrt, epoch).is_ok() || !yard.versions.content.iter().any(landed) {
        return Ok(outcome);
    }
    tell::alert_all(desk, ledger)?;
    tell::settle_landed(desk, ledger, TrialId(epoch.0))?;
    release::serve_next(desk, ledger, outcome)
}

/// One change set per trial: GitLab's own merge lands it.
fn land(desk: &Desk<'_>, ledger: &Ledger<'_>, held: &Held, trial: &Trial) -> Answer<Outcome> {
    let mut outcome = Outcome::open(format!("trial {} is landed", trial.id));
    for id in &trial.change_sets {
        let Some(ticket) = ledger.yard()?.queue.ticket(id).cloned() else {
            continue;
        };
        // The verdict is recorded before anything is looked at: the look tells as well whether it is in the log.
        if let Some(outcome) = verdict::record(desk, ledger, held, trial)? {
            return Ok(outcome);
        }
        let (found, board) = observe::at_the_gate(desk, &ledger.yard()?, &ticket.change_set)?;
        ledger.prove()?;
        let found = found.ok_or_else(|| observe::no_merge_request(desk, id.iid))?;
        if let Some(obstacle) = obstacle(desk, &found, &ticket.change_set, trial)? {
            return give_up(desk, ledger, &ticket.change_set, trial, obstacle);
        }
        let merged = match found.landed.clone() {
            Some(landed) => Merge::Done { landed },
            None => merge(desk, held, &found, &ticket.change_set, trial)?,
        };
        let landed = match merged {
            Merge::Done { landed } => landed,
            Merge::HeadMoved => {
                return give_up(
                    desk,
                    ledger,
                    &ticket.change_set,
                    trial,
                    Obstacle::changed("new commits were pushed during the trial"),
                );
            }
            Merge::Refused { status } => {
                let obstacle = Obstacle::refused(&status, &ticket.change_set);
                return give_up(desk, ledger, &ticket.change_set, trial, obstacle);
            }
        };
        let same = desk.commits.same_tree(&trial.candidate.commit, &landed)?;
        let placed = [placed(&ticket.change_set, &landed)];
        let end = End::of(desk, held);
        let seen = Seen {
            board,
            leaves: Leaves::new(),
        };
        let Told {
            version, warnings, ..
        } = append_and_tell(desk, ledger, trial, &placed, end, seen)?;
        outcome = warnings.into_iter().fold(outcome, Outcome::with);
        labels::show_change_set(desk, &ticket.change_set, labelling::Stage::Landed);
        outcome = outcome.with(report::landed_line(&ticket.change_set, version, &landed));
        if !same {
            return Ok(report::landed_tree_differs(
                &ticket.change_set,
                trial,
                &landed,
            ));
        }
    }
    Ok(outcome)
}

/// Why a validated candidate is not what would land.
struct Obstacle {
    abandoned: Abandoned,
    /// The change set leaves the queue for this reason; without one it keeps its place.
    withdrawn: Option<String>,
    text: String,
}

impl Obstacle {
    fn changed(text: &str) -> Self {
        Self {
            abandoned: Abandoned::ChangeSetChanged,
            withdrawn: Some(text.to_owned()),
            text: text.to_owned(),
        }
    }

    /// GitLab does not merge it. What somebody did to the target in that instant, or that GitLab is slow, is not its author's to mend.
    fn refused(status: &str, change_set: &ChangeSet) -> Self {
        let waits = |abandoned, text| Self {
            abandoned,
            withdrawn: None,
            text,
        };
        match status {
            "need_rebase" | "conflict" => waits(
                Abandoned::TargetMoved,
                format!("`{}` moved in the instant of the merge", change_set.target),
            ),
            "checking" | "unchecked" | "preparing" | "mergeable" => waits(
                Abandoned::Infrastructure,
                "GitLab has not finished its merge checks".to_owned(),
            ),
            other => Self::changed(
                &objection(other)
                    .unwrap_or_else(|| format!("GitLab refuses to merge it: `{other}`")),
            ),
        }
    }
}

fn obstacle(
    desk: &Desk<'_>,
    found: &MergeRequest,
    change_set: &ChangeSet,
    trial: &Trial,
) -> Answer<Option<Obstacle>> {
    let as_tested = found.head == trial.candidate.commit;
    if let Some(text) = changed_since(desk, found, change_set, as_tested)? {
        return Ok(Some(Obstacle::changed(&text)));
    }
    let moved = found.behind != Some(0) || found.base.as_ref() != Some(&trial.candidate.base);
    Ok(
        (found.state == MergeRequestState::Open && moved).then(|| Obstacle {
            abandoned: Abandoned::TargetMoved,
            withdrawn: None,
            text: format!("`{}` moved during the trial", change_set.target),
        }),
    )
}

/// What somebody did to a merge request while it was tried. One that is merged as it was tested is ours: a run before this one
/// merged it and died before it could say so.
fn changed_since(
    desk: &Desk<'_>,
    found: &MergeRequest,
    change_set: &ChangeSet,
    as_tested: bool,
) -> Answer<Option<String>> {
    let text = match found.state {
        MergeRequestState::Merged if as_tested => None,
        MergeRequestState::Merged => Some("somebody merged it around the queue"),
        MergeRequestState::Closed => Some("the merge request was closed during the trial"),
        MergeRequestState::Open if !as_tested => Some("new commits were pushed during the trial"),
        MergeRequestState::Open if found.draft => {
            Some("the merge request was made a draft during the trial")
        }
        MergeRequestState::Open if found.target != change_set.target => {
            Some("the merge request was given another target during the trial")
        }
        MergeRequestState::Open => {
            if let Some(objection) = observe::objection(desk, found) {
                return Ok(Some(objection));
            }
            let reading = observe::read_description(desk, &found.description)?;
            let links: Vec<_> = named_features(&reading, observe::features_project(desk))
                .into_iter()
                .map(|(link, _)| link)
                .collect();
            if links == change_set.links {
                let rejected = judging::rejected_since(desk, found, &change_set.verdicts)?;
                return Ok(rejected.map(|verdict| report::rejected_during_trial(&verdict)));
            }
            Some("its links to features were edited after it joined the queue")
        }
    };
    Ok(text.map(str::to_owned))
}

fn give_up(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    change_set: &ChangeSet,
    trial: &Trial,
    obstacle: Obstacle,
) -> Answer<Outcome> {
    let mut facts = vec![Fact::TrialAbandoned {
        trial: trial.id,
        reason: obstacle.abandoned,
    }];
    if let Some(reason) = &obstacle.withdrawn {
        let (merge_request, head) = (change_set.merge_request.clone(), change_set.head.clone());
        facts.push(Fact::ChangeSetWithdrawn {
            merge_request,
            head,
            reason: reason.clone(),
            order: None,
        });
    }
    ledger.record(&facts)?;
    let warnings = match &obstacle.withdrawn {
        Some(reason) => {
            let note = report::note_withdrawn(reason);
            notes::keep_left(desk, ledger, change_set, Stage::LeftQueue, note)?
        }
        None => notes::keep_all(desk, ledger, &trial.change_sets)?,
    };
    tell::alert_all(desk, ledger)?;
    let stage = match &obstacle.withdrawn {
        Some(_) => labelling::Stage::Linked,
        None => labelling::Stage::Queued,
    };
    labels::show_change_set(desk, change_set, stage);
    let outcome = report::not_landed(change_set, &obstacle.text, obstacle.withdrawn.is_some());
    Ok(warnings.into_iter().fold(outcome, Outcome::with))
}

fn merge(
    desk: &Desk<'_>,
    held: &Held,
    found: &MergeRequest,
    change_set: &ChangeSet,
    trial: &Trial,
) -> Answer<Merge> {
    if matches!(
        found.merge_status.as_str(),
        "ci_must_pass" | "ci_still_running"
    ) {
        // After our rebase the head has no pipeline of its own: this status becomes it.
        let text = format!("trial {} validated this commit", trial.id);
        desk.announcements
            .set_status(&trial.candidate.commit, &found.source, true, &text)?;
    }
    let message = report::merge_message(change_set, trial.id, &desk.ci.project);
    desk.merge_requests
        .merge(held, found.id.iid, &trial.candidate.commit, &message)
}

/// A change set that GitLab itself merged.
fn placed(change_set: &ChangeSet, landed: &CommitSha) -> Placed {
    Placed {
        merge_request: change_set.merge_request.clone(),
        head: change_set.head.clone(),
        landed: landed.clone(),
    }
}

/// What becomes of the environment when all of a trial has landed.
#[derive(Debug, Clone, Copy)]
enum End<'a> {
    /// It is given back by the very entry that says so.
    GivenBack(&'a Held),
    /// It stays as it is: jobs of the trial still use it, or nobody holds it.
    AsItIs,
}

impl<'a> End<'a> {
    /// Where a person judges as soon as the candidate is deployed, tests still run beside the landing.
    fn of(desk: &Desk<'_>, held: &'a Held) -> Self {
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
struct Seen {
    /// What was looked at before.
    board: Board,
    /// The source branches that GitLab leaves although they are to go.
    leaves: Leaves,
}

type Leaves = BTreeMap<MergeRequestId, BranchName>;

/// What people were told of a landing.
struct Told {
    version: VersionId,
    warnings: Vec<String>,
    /// What stands since.
    board: Option<Board>,
}

/// What lands, and how that ends.
struct Going<'a> {
    trial: &'a Trial,
    placed: &'a [Placed],
    leaves: &'a Leaves,
    end: End<'a>,
    at: Timestamp,
}

impl Going<'_> {
    /// What is recorded of one of them.
    fn landed(&self, change_set: &ChangeSet, placed: &Placed, version: VersionId) -> [Fact; 2] {
        let trial = self.trial;
        let appended = Appended {
            change_set: change_set.clone(),
            landed: placed.landed.clone(),
            base: Some(trial.candidate.base.clone()),
            spread: Spread::default(),
            trial: trial.id,
            at: self.at,
        };
        [
            Fact::ChangeSetMerged {
                merge_request: placed.merge_request.clone(),
                head: placed.head.clone(),
                commit: placed.landed.clone(),
                trial: trial.id,
                leaves: self.leaves.get(&placed.merge_request).cloned(),
            },
            Fact::ChangeSetAppended { version, appended },
        ]
    }
}

/// Tells what has landed, and records it. In this order: the entry then says as well that the notes were kept, so that no later job
/// has to look. What is told is true already: it is merged. Whoever dies in between leaves a trial that is validated, and whoever
/// goes on with that does both again.
fn append_and_tell(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    trial: &Trial,
    placed: &[Placed],
    end: End<'_>,
    Seen { board, leaves }: Seen,
) -> Answer<Told> {
    let at = desk.clock.now();
    let ids: Vec<MergeRequestId> = placed.iter().map(|p| p.merge_request.clone()).collect();
    let going = Going {
        trial,
        placed,
        leaves: &leaves,
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
fn append(desk: &Desk<'_>, ledger: &Ledger<'_>, going: &Going<'_>) -> Answer<VersionId> {
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

/// Appends what a validated trial merged before its run died; what is not merged waits again.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn finish_landing(desk: &Desk<'_>, ledger: &Ledger<'_>, trial: &Trial) -> Answer<()> {
    let desk = &desk.of_trial(trial)?;
    if !trial.placed.is_empty() {
        return together::finish(desk, ledger, trial);
    }
    for id in &trial.change_sets {
        let Some(ticket) = ledger.yard()?.queue.ticket(id).cloned() else {
            continue;
        };
        let Some(found) = desk.merge_requests.merge_request(id.iid)? else {
            continue;
        };
        if let (MergeRequestState::Merged, Some(landed)) = (found.state, &found.landed)
            && found.head == trial.candidate.commit
        {
            let placed = [placed(&ticket.change_set, landed)];
            let going = Going {
                trial,
                placed: &placed,
                leaves: &Leaves::new(),
                end: End::AsItIs,
                at: desk.clock.now(),
            };
            append(desk, ledger, &going)?;
            labels::show_change_set(desk, &ticket.change_set, labelling::Stage::Landed);
        }
    }
    Ok(())
}

/// A change set that is found merged may have been landed by a trial that was validated and then abandoned: the run that held its
/// lease lived on for a moment. Whether that was so; then it is in the version.
///
/// # Errors
/// As above.
pub fn finish_overdue(desk: &Desk<'_>, ledger: &Ledger<'_>, id: &MergeRequestId) -> Answer<bool> {
    let yard = ledger.yard()?;
    for trial in yard.nrt.overdue_with(id) {
        finish_landing(desk, ledger, trial)?;
        if ledger.yard()?.queue.ticket(id).is_none() {
            for warning in notes::keep_all(desk, ledger, &trial.change_sets)? {
                tracing::warn!("{warning}");
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// Finishes, under the lease that is still held, the landing of a validated trial whose run died: all of a batch lands now; of a
/// change set alone what is merged is appended, and it waits again if it is not.
///
/// # Errors
/// When GitLab or git cannot be asked, or the log cannot be written.
pub fn go_on_landing(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
) -> Answer<Option<Outcome>> {
    let desk = &desk.of_trial(trial)?;
    if trial.placed.is_empty() {
        finish_landing(desk, ledger, trial)?;
        return Ok(None);
    }
    together::land(desk, ledger, held, trial).map(Some)
}

/// The same, before the lease of a dead holder is taken over.
///
/// # Errors
/// As above.
pub fn finish_what_a_dead_holder_began(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<()> {
    match ledger.yard()?.nrt.trial {
        Some(trial) if trial.validated => finish_landing(desk, ledger, &trial),
        Some(_) | None => Ok(()),
    }
}
