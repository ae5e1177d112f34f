//! A trial of one change set: GitLab brings it onto the head of its target.

use super::withdrawing::{conflict, leave, left_meanwhile, withdraw};
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, TrialId};
use crate::domain::integration::Ticket;
use crate::domain::labelling;
use crate::domain::nrt::{Candidate, Held, Trial, hold, trial_under};
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, labels, observe};
use crate::outcome::Problem;
use crate::ports::{Answer, Board, MergeRequest, Rebase};

/// Brings one change set onto the head of its target and starts its trial; `None` when it left the queue instead.
pub(super) fn prepare(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    ticket: &Ticket,
    branch: &BranchName,
    seen: Option<(Option<MergeRequest>, Board)>,
) -> Answer<Option<(Trial, Option<Board>)>> {
    let change_set = &ticket.change_set;
    let iid = change_set.merge_request.iid;
    let (found, board) = match seen {
        Some(seen) => seen,
        None => observe::at_the_gate(desk, &ledger.yard()?, change_set)?,
    };
    ledger.prove()?;
    if let Some(reason) = left_meanwhile(desk, found.as_ref(), ticket, branch)? {
        leave(desk, ledger, ticket, found.as_ref(), &reason)?;
        return Ok(None);
    }
    let standing = match found {
        Some(found) if found.behind == Some(0) => found,
        Some(_) | None => match desk.merge_requests.rebase(held, iid)? {
            Rebase::Done(rebased) => *rebased,
            Rebase::Conflict { detail } => {
                conflict(desk, ledger, ticket, &detail)?;
                return Ok(None);
            }
            Rebase::Impossible { reason } => {
                withdraw(
                    desk,
                    ledger,
                    ticket,
                    &format!("GitLab cannot rebase it: {reason}"),
                )?;
                return Ok(None);
            }
        },
    };
    let Some(base) = standing.base.clone() else {
        return Err(Problem::gitlab(
            format!("GitLab has not worked out the diff of !{iid} yet"),
            "retry the job",
        ));
    };
    // Between our look at it and GitLab's rebase somebody may have pushed: such commits have been validated by nobody.
    if !ticket.is_of(&standing.head)
        && !desk
            .commits
            .same_change(&change_set.head, &standing.head, &base)?
    {
        withdraw(
            desk,
            ledger,
            ticket,
            "new commits were pushed while it was rebased",
        )?;
        return Ok(None);
    }
    let candidate = Candidate {
        commit: standing.head.clone(),
        base: base.clone(),
        reference: format!("refs/merge-requests/{iid}/head"),
    };
    let trial = TrialId(held.epoch().0);
    let mut facts = Vec::new();
    if standing.head != change_set.head {
        facts.push(Fact::ChangeSetRebased {
            merge_request: change_set.merge_request.clone(),
            from: change_set.head.clone(),
            to: standing.head.clone(),
            onto: base,
        });
    }
    facts.push(Fact::TrialStarted {
        trial,
        candidate,
        change_sets: vec![change_set.merge_request.clone()],
        placed: Vec::new(),
        postponed: Vec::new(),
    });
    let Some(trial) = start(ledger, held, &facts)? else {
        return Ok(None);
    };
    labels::show_change_set(desk, change_set, labelling::Stage::InTrial);
    Ok(Some((trial, Some(board))))
}

/// Records that the trial has begun, with what led to it; `None` when the lease was taken over meanwhile.
pub(super) fn start(ledger: &Ledger<'_>, held: &Held, facts: &[Fact]) -> Answer<Option<Trial>> {
    ledger.decide(|yard| {
        let facts = match hold(&yard.nrt, held.epoch()) {
            Ok(_) => facts.to_vec(),
            Err(_) => Vec::new(),
        };
        Ok(Decision { facts, then: () })
    })?;
    Ok(trial_under(&ledger.yard()?.nrt, held).cloned())
}
