//! A label that holds: whoever may label a merge request can keep it from being tried, without any job or token.
//!
//! GitLab is asked only where the project names such a label: about those who would be tried next, and those whom the label holds.

use std::collections::BTreeSet;

use super::ledger::{Decision, Ledger};
use super::{Desk, notes};
use crate::domain::controls::by_label;
use crate::domain::event::Fact;
use crate::domain::ids::MergeRequestId;
use crate::domain::yard::Yard;
use crate::ports::Answer;

/// How often the next ones are looked at when all those before them turn out to be held.
const MOST_LOOKS: usize = 5;

/// Records what the labels say of those who are next, and tells it.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub(super) fn look(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Vec<String>> {
    let mut looked_at = BTreeSet::new();
    let mut changed: BTreeSet<MergeRequestId> = BTreeSet::new();
    for _ in 0..MOST_LOOKS {
        let mut asked = concerned(desk, &ledger.yard()?);
        asked.retain(|id| !looked_at.contains(id));
        if asked.is_empty() {
            break;
        }
        let iids: Vec<u64> = asked.iter().map(|id| id.iid).collect();
        let found = desk.merge_requests.merge_requests(&iids)?;
        let seen: Vec<_> = found.into_iter().map(|mr| (mr.id, mr.labels)).collect();
        let facts = ledger.decide(|yard| {
            let facts = facts(desk, yard, &seen)?;
            Ok(Decision {
                facts: facts.clone(),
                then: facts,
            })
        })?;
        changed.extend(
            facts
                .iter()
                .filter_map(|fact| fact.subject().merge_request().cloned()),
        );
        looked_at.extend(asked);
    }
    let changed: Vec<MergeRequestId> = changed.into_iter().collect();
    if changed.is_empty() {
        Ok(Vec::new())
    } else {
        notes::keep_all(desk, ledger, &changed)
    }
}

/// What labels that were seen say, with whoever set them.
///
/// # Errors
/// When GitLab cannot be asked.
pub(super) fn facts(
    desk: &Desk<'_>,
    yard: &Yard,
    seen: &[(MergeRequestId, Vec<String>)],
) -> Answer<Vec<Fact>> {
    let Some(label) = &desk.config.integration.hold_label else {
        return Ok(Vec::new());
    };
    let mut facts = by_label(yard, label, seen, desk.clock.now());
    for fact in &mut facts {
        if let Fact::ChangeSetHeld {
            merge_request,
            order,
            ..
        } = fact
        {
            order.person = desk.merge_requests.labelled_by(merge_request.iid, label)?;
        }
    }
    Ok(facts)
}

/// Those who would be tried next, and those whom a label holds.
fn concerned(desk: &Desk<'_>, yard: &Yard) -> BTreeSet<MergeRequestId> {
    if desk.config.integration.hold_label.is_none() {
        return BTreeSet::new();
    }
    let (policy, freezes) = (&desk.config.nrt.trials, &desk.config.integration.freezes);
    let next = yard.next_trial(policy, freezes, desk.clock.now());
    let by_label = yard.queue.waiting().filter(|ticket| {
        let hold = yard.queue.holds.get(&ticket.change_set.merge_request);
        hold.is_some_and(|hold| hold.label.is_some())
    });
    next.into_iter()
        .chain(by_label)
        .map(|ticket| ticket.change_set.merge_request.clone())
        .filter(|id| id.project == desk.ci.project)
        .collect()
}
