//! A candidate of several change sets: who goes into it, and where its trial finds it.

use super::acquire::{conflict, leave, left_meanwhile, prepare as prepare_alone, start, withdraw};
use crate::domain::candidate::{Clash, MergeMethod, Part, Postponed};
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, MergeRequestId, TrialId};
use crate::domain::integration::{Again, Ticket};
use crate::domain::labelling;
use crate::domain::nrt::{Abandoned, Candidate, Held, Trial};
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, labels, notes};
use crate::outcome::Problem;
use crate::ports::{Answer, Board, MergeRequest};
use crate::report;

/// How many files in conflict are remembered.
const FILES_KEPT: usize = 5;

/// Puts change sets together and starts their trial. Whoever does not fit waits again or leaves; when only one fits, GitLab's own
/// rebase prepares it. `None` when none is left of these.
///
/// # Errors
/// When GitLab or git cannot be asked, or the log cannot be written.
pub(super) fn prepare(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    tickets: &[Ticket],
    branch: &BranchName,
) -> Answer<Option<(Trial, Option<Board>)>> {
    let ids: Vec<MergeRequestId> = tickets
        .iter()
        .map(|ticket| ticket.change_set.merge_request.clone())
        .collect();
    let board = notes::look(desk, ledger, &ids)?;
    ledger.prove()?;
    let found = board.all();
    let method = desk.merge_requests.merge_method()?;
    let mut fit: Vec<(&Ticket, &MergeRequest)> = Vec::new();
    for ticket in tickets {
        let found = found
            .iter()
            .find(|mr| mr.id == ticket.change_set.merge_request);
        match (left_meanwhile(desk, found, ticket, branch)?, found) {
            (None, Some(found)) => fit.push((ticket, found)),
            (Some(reason), found) => leave(desk, ledger, ticket, found, &reason)?,
            (None, None) => {}
        }
    }
    let together = match &fit[..] {
        [] => return Ok(None),
        [(first, merge_request), ..]
            if only_alone(merge_request, method) || push_was_refused(first) =>
        {
            return prepare_alone(desk, ledger, held, first, branch, None);
        }
        fit => fit.iter().filter(|(_, mr)| !only_alone(mr, method)),
    };
    let parts: Vec<Part> = together
        .map(|(ticket, mr)| part(desk, ticket, mr, held))
        .collect();
    let assembly = desk.candidates.assemble(branch, method, &parts)?;
    let mut postponed = Vec::new();
    for (id, clash) in &assembly.left_out {
        let Some((ticket, _)) = fit.iter().find(|(t, _)| t.change_set.merge_request == *id) else {
            continue;
        };
        postponed.extend(leave_out(desk, ledger, ticket, clash)?);
    }
    let ids: Vec<MergeRequestId> = assembly
        .placed
        .iter()
        .map(|placed| placed.merge_request.clone())
        .collect();
    let (Some(commit), [_, _, ..]) = (assembly.candidate().cloned(), &ids[..]) else {
        let alone = fit
            .iter()
            .find(|(t, _)| ids.contains(&t.change_set.merge_request));
        return match alone {
            Some((ticket, _)) => prepare_alone(desk, ledger, held, ticket, branch, None),
            None => Ok(None),
        };
    };
    let shown = shown_at(desk)?;
    desk.candidates.show(held, &commit, &shown)?;
    let candidate = Candidate {
        commit,
        base: assembly.base.clone(),
        reference: format!("refs/heads/{shown}"),
    };
    let rebased = fit
        .iter()
        .filter(|(ticket, found)| ids.contains(&found.id) && !ticket.is_of(&found.head));
    let mut facts: Vec<Fact> = rebased
        .map(|(ticket, found)| Fact::ChangeSetRebased {
            merge_request: found.id.clone(),
            from: ticket.change_set.head.clone(),
            to: found.head.clone(),
            onto: assembly.base.clone(),
        })
        .collect();
    facts.push(Fact::TrialStarted {
        trial: TrialId(held.epoch().0),
        candidate,
        change_sets: ids,
        placed: assembly.placed,
        postponed,
    });
    let Some(trial) = start(ledger, held, &facts)? else {
        return Ok(None);
    };
    let tried = fit.iter().map(|(ticket, _)| &ticket.change_set);
    for set in tried.filter(|set| trial.change_sets.contains(&set.merge_request)) {
        labels::show_change_set(desk, set, labelling::Stage::InTrial);
    }
    Ok(Some((trial, Some(board))))
}

/// Whether it was in a batch whose push the server refused: GitLab's own merge needs no right to push.
fn push_was_refused(ticket: &Ticket) -> bool {
    let again = ticket.again.as_ref();
    again.is_some_and(|again| {
        matches!(
            again,
            Again::NoVerdict {
                why: Abandoned::PushRefused,
                ..
            }
        )
    })
}

/// Whether the source must get another head before it lands, in a project where the bot may not push: GitLab itself can rebase it.
fn only_alone(merge_request: &MergeRequest, method: MergeMethod) -> bool {
    let rewritten = merge_request.squash
        || match method {
            MergeMethod::MergeCommit => false,
            MergeMethod::SemiLinear | MergeMethod::FastForward => true,
        };
    merge_request.from_fork && rewritten
}

fn part(desk: &Desk<'_>, ticket: &Ticket, merge_request: &MergeRequest, held: &Held) -> Part {
    let change_set = &ticket.change_set;
    let message = report::merge_message(change_set, TrialId(held.epoch().0), &desk.ci.project);
    Part {
        merge_request: change_set.merge_request.clone(),
        head: merge_request.head.clone(),
        squash: merge_request.squash.then(|| message.clone()),
        message,
    }
}

/// A neighbour in the way is no fault: the change set waits again, and meets it in the target next time.
fn leave_out(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ticket: &Ticket,
    clash: &Clash,
) -> Answer<Option<Postponed>> {
    match clash {
        Clash::WithTarget { files } => {
            conflict(desk, ledger, ticket, &report::conflicting_files(files))?;
            Ok(None)
        }
        Clash::WithNeighbour { files } => Ok(Some(Postponed {
            merge_request: ticket.change_set.merge_request.clone(),
            files: files.iter().take(FILES_KEPT).cloned().collect(),
        })),
        Clash::Moved { to } => {
            let reason = match to {
                Some(head) => format!("new commits were pushed (`{}`)", head.short()),
                None => "its branch is gone".to_owned(),
            };
            withdraw(desk, ledger, ticket, &reason)?;
            Ok(None)
        }
    }
}

/// The branch that shows the candidate under trial; it stays, and the next candidate takes it over.
fn shown_at(desk: &Desk<'_>) -> Answer<BranchName> {
    let name = format!("trainyard/{}", desk.config.nrt.environment);
    name.parse().map_err(|error| {
        Problem::misconfigured(
            "`nrt.environment` cannot be part of a branch name",
            "choose a name of letters, digits, `-` and `_`",
        )
        .caused_by(error)
    })
}
