//! What the people of one merge request are told, as the verdicts on it and the log have it.

use std::collections::BTreeSet;

use super::Told;
use crate::domain::ids::{MergeRequestId, RoleName, UserName};
use crate::domain::pace::Landing;
use crate::domain::progress::{Asked, Stage, stage_in_yard};
use crate::domain::ruling::Ruling;
use crate::domain::validation::Judgement;
use crate::domain::yard::Yard;
use crate::jobs::Desk;
use crate::jobs::observe::{self, Holders};
use crate::report;
use crate::simulate::forecast::forecast;

/// How many people of a role are named.
const PEOPLE_NAMED: usize = 8;

/// The roles that are asked, with some of their people.
pub(in crate::jobs) fn asked(holders: &Holders) -> Vec<Asked> {
    let one = |(role, people): (&RoleName, &BTreeSet<UserName>)| Asked {
        role: role.clone(),
        people: people.iter().take(PEOPLE_NAMED).cloned().collect(),
    };
    holders.iter().map(one).collect()
}

/// The stage that the verdicts on a merge request amount to.
pub(in crate::jobs) fn stage_of(judgement: &Judgement, holders: &Holders) -> Stage {
    match judgement.ruling() {
        Ruling::Pass => Stage::Validated,
        Ruling::Wait(roles) => Stage::AwaitingValidation {
            roles: asked(holders)
                .into_iter()
                .filter(|asked| roles.contains(&asked.role))
                .collect(),
        },
        Ruling::Refuse(verdicts) => {
            verdicts
                .into_iter()
                .next()
                .map_or(Stage::Validated, |v| Stage::Rejected {
                    role: v.role,
                    by: v.by,
                })
        }
    }
}

/// What the people of a merge request in the queue are told.
pub(in crate::jobs) fn queued<'a>(
    desk: &'a Desk<'_>,
    yard: &'a Yard,
    id: &'a MergeRequestId,
) -> Option<Told<'a>> {
    let ticket = yard.queue.ticket(id)?;
    let rank = yard.queue.rank(id)?;
    let set = &ticket.change_set;
    Some(Told {
        iid: id.iid,
        head: set.head.clone(),
        stage: Stage::Queued {
            rank,
            at: yard.last,
            landing: foretold(desk, yard, id),
        },
        links: set.links.clone(),
        links_since: None,
        body: Box::new(move |mark| {
            let home = observe::features_project(desk);
            let freezes = &desk.config.integration.freezes;
            let steered = report::note_steered(yard, set, freezes, desk.clock.now());
            report::note_queued(&mark.stage, &yard.queue, set, home) + &steered
        }),
    })
}

/// When it may land, where the queue goes on by itself and enough is known.
fn foretold(desk: &Desk<'_>, yard: &Yard, id: &MergeRequestId) -> Option<Landing> {
    if !yard.nrt.worth_another_worker() {
        return None;
    }
    let (policy, freezes) = (&desk.config.nrt.trials, &desk.config.integration.freezes);
    forecast(yard, policy, freezes, desk.clock.now()).landing(id)
}

/// What the people of a merge request are told that the log knows: it queues, is tried, or is in a version.
pub(super) fn known<'a>(
    desk: &'a Desk<'_>,
    yard: &'a Yard,
    id: &'a MergeRequestId,
) -> Option<Told<'a>> {
    if let Some(told) = queued(desk, yard, id) {
        return Some(told);
    }
    let (stage, _) = stage_in_yard(yard, id)?;
    let home = observe::features_project(desk);
    let (set, body) = match (yard.queue.ticket(id), yard.versions.holding(id)) {
        (Some(ticket), _) => {
            let set = &ticket.change_set;
            (
                set,
                report::note_under_test(
                    &stage,
                    set,
                    &gate_url(desk, yard),
                    home,
                    desk.config.nrt.decided_by,
                ),
            )
        }
        (None, Some((_, appended))) => (
            &appended.change_set,
            report::note_landed(&stage, appended, home),
        ),
        (None, None) => return None,
    };
    Some(Told {
        iid: id.iid,
        head: set.head.clone(),
        stage,
        links: set.links.clone(),
        links_since: None,
        body: Box::new(move |_| body.clone()),
    })
}

/// Where the pipelines of trials are seen: the project that holds the environment.
fn gate_url(desk: &Desk<'_>, yard: &Yard) -> String {
    match &yard.nrt.lease {
        Some(lease) if lease.holder.project != desk.ci.project => {
            format!("{}/{}", desk.ci.server, lease.holder.project)
        }
        Some(_) | None => desk.ci.project_url.clone(),
    }
}
