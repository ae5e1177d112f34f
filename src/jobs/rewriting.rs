//! Source branches that get other heads, so that GitLab calls their merge requests merged when a batch lands: how long GitLab
//! takes to see them, and how they get their own heads back when it does not land.

use std::time::Duration;

use super::Desk;
use crate::domain::ids::{CommitSha, MergeRequestId};
use crate::domain::integration::{MergeRequestState, Ticket};
use crate::domain::nrt::Held;
use crate::ports::{Answer, MergeRequest, Push, Rewritten};

/// How often GitLab is asked whether it has seen a push.
const PATIENCE: u32 = 20;

/// Each question later than the one before: 0.2 s to 2 s.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(200 * u64::from(attempt.min(10)))
}

/// Waits until GitLab shows merge requests as they must be; those that it does not in time are named.
///
/// # Errors
/// When GitLab cannot be asked.
pub(super) fn until(
    desk: &Desk<'_>,
    wanted: &[(MergeRequestId, CommitSha)],
    reached: impl Fn(&MergeRequest, &CommitSha) -> bool,
) -> Answer<Vec<MergeRequestId>> {
    let iids: Vec<u64> = wanted.iter().map(|(id, _)| id.iid).collect();
    let mut late = Vec::new();
    for attempt in 1..=PATIENCE {
        let found = desk.merge_requests.merge_requests(&iids)?;
        let is_late = |(id, head): &&(MergeRequestId, CommitSha)| {
            !found.iter().any(|mr| mr.id == *id && reached(mr, head))
        };
        late = wanted
            .iter()
            .filter(is_late)
            .map(|(id, _)| id.clone())
            .collect();
        if late.is_empty() {
            break;
        }
        desk.clock.wait(pause(attempt));
    }
    Ok(late)
}

/// Gives source branches the heads back that they had before they were rewritten. A branch that somebody pushed to meanwhile keeps
/// what was pushed, and is no reason for the others to keep what they have.
///
/// # Errors
/// When git cannot be run, or the commits cannot be fetched.
pub(super) fn give_back(desk: &Desk<'_>, held: &Held, sources: &[Rewritten]) -> Answer<()> {
    let back: Vec<Rewritten> = sources
        .iter()
        .map(|source| Rewritten {
            branch: source.branch.clone(),
            from: source.to.clone(),
            to: source.from.clone(),
        })
        .collect();
    if back.is_empty() || desk.candidates.rewrite(held, &back)? == Push::Done {
        return Ok(());
    }
    for source in &back {
        if desk
            .candidates
            .rewrite(held, std::slice::from_ref(source))?
            != Push::Done
        {
            tracing::warn!(
                "the branch `{}` was pushed to meanwhile, or GitLab refuses to give it the head `{}` back; it keeps what it has",
                source.branch,
                source.to.short()
            );
        }
    }
    Ok(())
}

/// Gives the branches of change sets that are taken for a trial their own heads back, where a run before this one rewrote them and
/// died before they landed: what it gave them may hold commits of neighbours. Costs nothing where no landing was ever begun.
///
/// # Errors
/// When GitLab or git cannot be asked.
pub(super) fn restore(desk: &Desk<'_>, held: &Held, tickets: &[Ticket]) -> Answer<()> {
    let begun: Vec<&Ticket> = tickets
        .iter()
        .filter(|ticket| !ticket.rewritten.is_empty())
        .collect();
    if begun.is_empty() {
        return Ok(());
    }
    let iids: Vec<u64> = begun
        .iter()
        .map(|ticket| ticket.change_set.merge_request.iid)
        .collect();
    let found = desk.merge_requests.merge_requests(&iids)?;
    let (mut sources, mut own) = (Vec::new(), Vec::new());
    for ticket in begun {
        let (id, head) = (&ticket.change_set.merge_request, &ticket.change_set.head);
        let standing = found.iter().find(|mr| mr.id == *id);
        if let Some(mr) = standing.filter(|mr| ticket.rewritten.contains(&mr.head))
            && mr.state == MergeRequestState::Open
        {
            sources.push(Rewritten {
                branch: mr.source.clone(),
                from: head.clone(),
                to: mr.head.clone(),
            });
            own.push((id.clone(), head.clone()));
        }
    }
    give_back(desk, held, &sources)?;
    if !own.is_empty() {
        until(desk, &own, |mr, head| mr.head == *head)?;
    }
    Ok(())
}
