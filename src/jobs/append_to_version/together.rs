//! Lands a candidate of several change sets: one push makes the very commit that was tested the head of the target, or nothing.

use super::appending::{End, Leaves, Seen, append_and_tell};
use super::obstacles::changed_since;
use super::verdict;
use crate::domain::candidate::Placed;
use crate::domain::event::Fact;
use crate::domain::ids::{CommitSha, MergeRequestId, VersionId};
use crate::domain::integration::{MergeRequestState, Ticket};
use crate::domain::labelling;
use crate::domain::nrt::{Abandoned, Held, Trial};
use crate::domain::progress::Stage;
use crate::domain::yard::Yard;
use crate::jobs::ledger::Ledger;
use crate::jobs::rewriting::{give_back, until};
use crate::jobs::{Desk, labels, notes, tell};
use crate::outcome::Outcome;
use crate::ports::{Answer, Board, MergeRequest, Push, Rewritten};
use crate::report;

/// Lands all of a trial, or nothing of it.
///
/// # Errors
/// When GitLab or git cannot be asked, or the log cannot be written.
pub(super) fn land(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
) -> Answer<Outcome> {
    let yard = ledger.yard()?;
    let tickets = tickets(&yard, trial);
    let Some(target) = tickets
        .first()
        .map(|ticket| ticket.change_set.target.clone())
    else {
        return Ok(report::no_trial(held.epoch()));
    };
    if let Some(outcome) = verdict::record(desk, ledger, held, trial)? {
        return Ok(outcome);
    }
    let board = notes::look(desk, ledger, &trial.change_sets, notes::Look::Notes)?;
    ledger.prove()?;
    let found = board.all();
    let mut gone = Vec::new();
    for ticket in &tickets {
        if let Some(reason) = obstacle(desk, &found, ticket, trial)? {
            gone.push((ticket, reason));
        }
    }
    if !gone.is_empty() {
        // A run before this one may have rewritten them, and died.
        give_back(desk, held, &rewritten(&found, &tickets, trial))?;
        return give_up(desk, ledger, trial, &tickets, &gone);
    }
    let before = rewritten(&found, &tickets, trial);
    let sources = sources(&found, trial);
    let given = if sources.is_empty() {
        Push::Done
    } else {
        desk.candidates.rewrite(held, &sources)?
    };
    if given == Push::Done && !sources.is_empty() {
        // GitLab calls a merge request merged when the head it knows becomes part of the target: it must know the new one first.
        until(desk, &heads(trial), |mr, head| mr.head == *head)?;
    }
    let pushed = match given {
        Push::Done => desk.candidates.land(
            held,
            &trial.candidate.commit,
            &trial.candidate.base,
            &target,
        )?,
        Push::TargetMoved | Push::Refused { .. } => given.clone(),
    };
    match pushed {
        Push::Done => {}
        Push::TargetMoved | Push::Refused { .. } => {
            let now = if given == Push::Done {
                &sources[..]
            } else {
                &[]
            };
            give_back(desk, held, &[&before, now].concat())?;
            let (abandoned, text) = match &pushed {
                Push::Refused { words } => (
                    Abandoned::PushRefused,
                    format!("GitLab refuses the push to `{target}`: {words}"),
                ),
                Push::TargetMoved | Push::Done => (
                    Abandoned::TargetMoved,
                    format!("`{target}` or a branch of the trial moved during the trial"),
                ),
            };
            return wait_again(desk, ledger, trial, &tickets, abandoned, &text);
        }
    }
    let end = End::of(desk, held);
    let leaves = leaves(desk, &found, trial);
    let seen = Seen {
        board,
        leaves,
        differs: false,
    };
    let told = append_and_tell(desk, ledger, trial, &trial.placed, end, seen)?;
    let unseen = not_merged_yet(desk, trial, told.board.as_ref())?;
    let mut outcome = Outcome::open(format!(
        "trial {} is landed: `{}` is the head of `{target}`",
        trial.id,
        trial.candidate.commit.short()
    ));
    let lines = show_landed(desk, &tickets, trial, told.version);
    for line in told.warnings.into_iter().chain(lines) {
        outcome = outcome.with(line);
    }
    for id in unseen {
        outcome = outcome.with(format!(
            "{id} is in `{target}`, but GitLab does not show it as merged yet"
        ));
    }
    Ok(outcome)
}

/// Appends what a push landed before its run died; a candidate that is not in the target waits again.
pub(super) fn finish(desk: &Desk<'_>, ledger: &Ledger<'_>, trial: &Trial) -> Answer<()> {
    let yard = ledger.yard()?;
    let tickets = tickets(&yard, trial);
    let Some(target) = tickets.first().map(|ticket| &ticket.change_set.target) else {
        return Ok(());
    };
    if !desk
        .candidates
        .has_landed(&trial.candidate.commit, target)?
    {
        return Ok(());
    }
    let board = notes::look(desk, ledger, &trial.change_sets, notes::Look::Notes)?;
    let leaves = leaves(desk, &board.all(), trial);
    let seen = Seen {
        board,
        leaves,
        differs: false,
    };
    let told = append_and_tell(desk, ledger, trial, &trial.placed, End::AsItIs, seen)?;
    for warning in told.warnings {
        tracing::warn!("{warning}");
    }
    show_landed(desk, &tickets, trial, told.version);
    Ok(())
}

fn tickets(yard: &Yard, trial: &Trial) -> Vec<Ticket> {
    let ids = trial.change_sets.iter();
    ids.filter_map(|id| yard.queue.ticket(id).cloned())
        .collect()
}

/// Those that GitLab does not show as merged in time. The look that came with the last edit of the notes tells nearly always; only
/// where it came too early GitLab is asked again.
fn not_merged_yet(
    desk: &Desk<'_>,
    trial: &Trial,
    board: Option<&Board>,
) -> Answer<Vec<MergeRequestId>> {
    let merged = |id: &MergeRequestId| {
        let seen = board.and_then(|board| board.merge_requests.get(&id.iid));
        seen.is_some_and(|seen| seen.merge_request.state == MergeRequestState::Merged)
    };
    let mut late = heads(trial);
    late.retain(|(id, _)| !merged(id));
    if late.is_empty() {
        return Ok(Vec::new());
    }
    until(desk, &late, |mr, _| mr.state == MergeRequestState::Merged)
}

/// The branches that are to go because their merge requests ask for it: of what a push lands GitLab leaves them.
fn leaves(desk: &Desk<'_>, found: &[MergeRequest], trial: &Trial) -> Leaves {
    let asked = found.iter().filter(|mr| {
        let placed = trial.placed.iter().any(|p| p.merge_request == mr.id);
        placed && mr.deletes_source && !mr.from_fork && mr.source != desk.ci.default_branch
    });
    asked.map(|mr| (mr.id.clone(), mr.source.clone())).collect()
}

/// The label of each change set, and a line for the job's log.
fn show_landed(
    desk: &Desk<'_>,
    tickets: &[Ticket],
    trial: &Trial,
    version: VersionId,
) -> Vec<String> {
    let mut lines = Vec::new();
    for placed in &trial.placed {
        let ticket = tickets
            .iter()
            .find(|t| t.change_set.merge_request == placed.merge_request);
        if let Some(Ticket { change_set, .. }) = ticket {
            labels::show_change_set(desk, change_set, labelling::Stage::Landed);
            lines.push(report::landed_line(change_set, version, &placed.landed));
        }
    }
    lines
}

/// Why a change set is not what was tested any more.
fn obstacle(
    desk: &Desk<'_>,
    found: &[MergeRequest],
    ticket: &Ticket,
    trial: &Trial,
) -> Answer<Option<String>> {
    let id = &ticket.change_set.merge_request;
    let (Some(found), Some(placed)) = (
        found.iter().find(|mr| mr.id == *id),
        trial
            .placed
            .iter()
            .find(|placed| placed.merge_request == *id),
    ) else {
        return Ok(Some("the merge request is gone".to_owned()));
    };
    let as_tested = found.head == placed.head || ticket.is_of(&found.head);
    changed_since(desk, found, &ticket.change_set, as_tested)
}

/// The head by which each change set lands.
fn heads(trial: &Trial) -> Vec<(MergeRequestId, CommitSha)> {
    let of = |placed: &Placed| (placed.merge_request.clone(), placed.head.clone());
    trial.placed.iter().map(of).collect()
}

/// The branches that have the head already by which they would have landed, and another one of their own.
fn rewritten(found: &[MergeRequest], tickets: &[Ticket], trial: &Trial) -> Vec<Rewritten> {
    let of = |placed: &Placed| {
        let found = found.iter().find(|mr| mr.id == placed.merge_request)?;
        let ticket = tickets
            .iter()
            .find(|t| t.change_set.merge_request == placed.merge_request)?;
        let own = &ticket.change_set.head;
        (found.head == placed.head && placed.head != *own).then(|| Rewritten {
            branch: found.source.clone(),
            from: own.clone(),
            to: placed.head.clone(),
        })
    };
    trial.placed.iter().filter_map(of).collect()
}

/// The branches that must have another head before they can land, and do not have it yet.
fn sources(found: &[MergeRequest], trial: &Trial) -> Vec<Rewritten> {
    let of = |placed: &Placed| {
        let found = found.iter().find(|mr| mr.id == placed.merge_request)?;
        (found.head != placed.head).then(|| Rewritten {
            branch: found.source.clone(),
            from: found.head.clone(),
            to: placed.head.clone(),
        })
    };
    trial.placed.iter().filter_map(of).collect()
}

/// The candidate is not what would land: whoever changed leaves, the others wait again at their old place.
fn give_up(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    trial: &Trial,
    tickets: &[Ticket],
    gone: &[(&Ticket, String)],
) -> Answer<Outcome> {
    let mut facts = vec![Fact::TrialAbandoned {
        trial: trial.id,
        reason: Abandoned::ChangeSetChanged,
    }];
    facts.extend(
        gone.iter()
            .map(|(ticket, reason)| Fact::ChangeSetWithdrawn {
                merge_request: ticket.change_set.merge_request.clone(),
                head: ticket.change_set.head.clone(),
                reason: reason.clone(),
                order: None,
            }),
    );
    ledger.record(&facts)?;
    let mut details = notes::keep_all(desk, ledger, &trial.change_sets)?;
    for ticket in tickets {
        let change_set = &ticket.change_set;
        let left = gone
            .iter()
            .find(|(other, _)| other.change_set.merge_request == change_set.merge_request);
        let stage = match left {
            Some((_, reason)) => {
                let note = report::note_withdrawn(reason);
                let warnings = notes::keep_left(desk, ledger, change_set, Stage::LeftQueue, note)?;
                details.extend(warnings);
                labelling::Stage::Linked
            }
            None => labelling::Stage::Queued,
        };
        labels::show_change_set(desk, change_set, stage);
        details.push(match left {
            Some((_, reason)) => format!("{} left the queue: {reason}", change_set.merge_request),
            None => format!(
                "{} keeps its place in the queue and is tried again",
                change_set.merge_request
            ),
        });
    }
    tell::alert_all(desk, ledger)?;
    let headline = format!(
        "trial {} does not land: a change set of it changed",
        trial.id
    );
    Ok(Outcome::refused(headline, details))
}

fn wait_again(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    trial: &Trial,
    tickets: &[Ticket],
    abandoned: Abandoned,
    text: &str,
) -> Answer<Outcome> {
    ledger.record(&[Fact::TrialAbandoned {
        trial: trial.id,
        reason: abandoned,
    }])?;
    let warnings = notes::keep_all(desk, ledger, &trial.change_sets)?;
    for ticket in tickets {
        labels::show_change_set(desk, &ticket.change_set, labelling::Stage::Queued);
    }
    let outcome = Outcome::refused(
        format!("trial {} does not land: {}", trial.id, report::plain(text)),
        vec!["its change sets keep their place in the queue and are tried again; where GitLab refuses the push, GitLab's own merge lands them one by one, until the gate's bot may push to the target".to_owned()],
    );
    Ok(warnings.into_iter().fold(outcome, Outcome::with))
}
