//! A candidate of several change sets: who goes into it, and where its trial finds it.

use super::alone::{prepare as prepare_alone, start};
use super::withdrawing::{conflict, leave, left_meanwhile, withdraw};
use crate::domain::candidate::{Assembly, Clash, MergeMethod, Part, Postponed};
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, CommitSha, MergeRequestId, TrialId};
use crate::domain::integration::{Again, Ticket};
use crate::domain::labelling;
use crate::domain::leaving::{Leaving, Parting};
use crate::domain::nrt::{Abandoned, Candidate, Held, Trial};
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, labels, leaving, notes};
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
    let board = notes::look(desk, ledger, &ids, notes::Look::Candidate)?;
    ledger.prove()?;
    let found = board.all();
    let method = method(desk, &board)?;
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
    let trial = TrialId(held.epoch().0);
    let parts: Vec<Part> = together
        .map(|(ticket, mr)| part(desk, ticket, mr, trial))
        .collect();
    let assembly = desk.candidates.assemble(branch, method, &parts)?;
    let mut postponed = Vec::new();
    for (id, clash) in &assembly.left_out {
        let Some((ticket, _)) = fit.iter().find(|(t, _)| t.change_set.merge_request == *id) else {
            continue;
        };
        postponed.extend(leave_out(desk, ledger, ticket, clash)?);
    }
    let parting = leaving::decided(desk, &ledger.yard()?, &board.leaving);
    let begun = match start_of(desk, &fit, assembly, postponed, trial, parting)? {
        Ok(begun) => begun,
        Err(placed) => {
            let alone = fit
                .iter()
                .find(|(t, _)| placed.contains(&t.change_set.merge_request));
            return match alone {
                Some((ticket, _)) => prepare_alone(desk, ledger, held, ticket, branch, None),
                None => Ok(None),
            };
        }
    };
    if let Some(shown) = &begun.shown {
        shown.put(desk, held)?;
    }
    let Some(trial) = start(ledger, held, &begun.facts)? else {
        return Ok(None);
    };
    show_in_trial(desk, &trial, tickets);
    Ok(Some((trial, Some(board))))
}

/// How the project merges: the look at its merge requests nearly always shows it.
fn method(desk: &Desk<'_>, board: &Board) -> Answer<MergeMethod> {
    let seen = board.method;
    seen.map_or_else(|| desk.merge_requests.merge_method(), Ok)
}

/// How a trial begins, once its lease is there.
pub(super) struct Start {
    /// The trial that it is made for.
    pub(super) trial: TrialId,
    /// What is recorded.
    pub(super) facts: Vec<Fact>,
    /// Where its jobs find the candidate, unless GitLab has it already.
    pub(super) shown: Option<Shown>,
}

/// A branch that shows a candidate.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    commit: CommitSha,
    branch: BranchName,
    /// What its push deletes.
    leaving: Vec<Leaving>,
}

impl Shown {
    /// Puts the candidate there.
    pub(super) fn put(&self, desk: &Desk<'_>, held: &Held) -> Answer<()> {
        desk.candidates
            .show(held, &self.commit, &self.branch, &self.leaving)
    }
}

/// Puts change sets together before the lease is taken, so that lease and trial are one entry of the log: reading and computing uses
/// nothing of the environment. `None` where one of them has to leave, to be tried alone, or to be told of a conflict: that takes the
/// lease.
///
/// # Errors
/// When GitLab or git cannot be asked.
pub(super) fn look_ahead(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    tickets: &[Ticket],
    trial: TrialId,
) -> Answer<Option<(Board, Start)>> {
    let branch = desk.branch();
    let ids: Vec<MergeRequestId> = tickets
        .iter()
        .map(|ticket| ticket.change_set.merge_request.clone())
        .collect();
    let board = notes::look(desk, ledger, &ids, notes::Look::Candidate)?;
    let found = board.all();
    let method = method(desk, &board)?;
    let mut fit: Vec<(&Ticket, &MergeRequest)> = Vec::new();
    for ticket in tickets {
        let id = &ticket.change_set.merge_request;
        let Some(mr) = found.iter().find(|mr| mr.id == *id) else {
            return Ok(None);
        };
        if only_alone(mr, method)
            || push_was_refused(ticket)
            || left_meanwhile(desk, Some(mr), ticket, branch)?.is_some()
        {
            return Ok(None);
        }
        fit.push((ticket, mr));
    }
    let parts: Vec<Part> = fit
        .iter()
        .map(|(ticket, mr)| part(desk, ticket, mr, trial))
        .collect();
    let assembly = desk.candidates.assemble(branch, method, &parts)?;
    let mut postponed = Vec::new();
    for (id, clash) in &assembly.left_out {
        let Clash::WithNeighbour { files } = clash else {
            return Ok(None);
        };
        postponed.push(waits_for_neighbour(id, files));
    }
    let parting = leaving::decided(desk, &ledger.yard()?, &board.leaving);
    let start = start_of(desk, &fit, assembly, postponed, trial, parting)?.ok();
    Ok(start.map(|start| (board, start)))
}

/// What the trial of an assembled candidate begins with; or who is in it, where that is none or one.
fn start_of(
    desk: &Desk<'_>,
    fit: &[(&Ticket, &MergeRequest)],
    assembly: Assembly,
    postponed: Vec<Postponed>,
    trial: TrialId,
    parting: Parting,
) -> Answer<Result<Start, Vec<MergeRequestId>>> {
    let ids: Vec<MergeRequestId> = assembly
        .placed
        .iter()
        .map(|placed| placed.merge_request.clone())
        .collect();
    let (Some(commit), [_, _, ..]) = (assembly.candidate().cloned(), &ids[..]) else {
        return Ok(Err(ids));
    };
    let branch = shown_at(desk)?;
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
    if !parting.settled.is_empty() {
        facts.push(Fact::SourceBranchesSettled {
            merge_requests: parting.settled,
        });
    }
    facts.push(Fact::TrialStarted {
        trial,
        candidate: Candidate {
            commit: commit.clone(),
            base: assembly.base,
            reference: format!("refs/heads/{branch}"),
        },
        change_sets: ids,
        placed: assembly.placed,
        postponed,
    });
    Ok(Ok(Start {
        trial,
        facts,
        shown: Some(Shown {
            commit,
            branch,
            leaving: parting.delete,
        }),
    }))
}

/// The labels of what is tried now.
pub(super) fn show_in_trial(desk: &Desk<'_>, trial: &Trial, tickets: &[Ticket]) {
    let sets = tickets.iter().map(|ticket| &ticket.change_set);
    for set in sets.filter(|set| trial.change_sets.contains(&set.merge_request)) {
        labels::show_change_set(desk, set, labelling::Stage::InTrial);
    }
}

/// Whether the candidate of a trial that this pipeline began before is where its jobs look for it: the job can have died before it
/// put it there.
///
/// # Errors
/// When git cannot be run, or the project cannot be asked.
pub(super) fn is_shown(desk: &Desk<'_>, trial: &Trial) -> Answer<bool> {
    if trial.placed.is_empty() {
        return Ok(true);
    }
    let branch = shown_at(desk)?;
    desk.candidates.shows(&trial.candidate.commit, &branch)
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

fn part(desk: &Desk<'_>, ticket: &Ticket, merge_request: &MergeRequest, trial: TrialId) -> Part {
    let change_set = &ticket.change_set;
    let message = report::merge_message(change_set, trial, &desk.ci.project);
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
        Clash::WithNeighbour { files } => {
            let id = &ticket.change_set.merge_request;
            Ok(Some(waits_for_neighbour(id, files)))
        }
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

fn waits_for_neighbour(id: &MergeRequestId, files: &[String]) -> Postponed {
    Postponed {
        merge_request: id.clone(),
        files: files.iter().take(FILES_KEPT).cloned().collect(),
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
