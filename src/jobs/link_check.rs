//! `trainyard link-check`: are the links of this merge request in order? Runs in a merge request pipeline.

use std::collections::BTreeMap;

use super::{Desk, Done, labels, ledger, observe, tell};
use crate::domain::event::Fact;
use crate::domain::ids::{FeatureId, MergeRequestId};
use crate::domain::labelling::{Stage, Teller};
use crate::domain::linking::grammar::Reading;
use crate::domain::linking::{
    Exemptible, Link, LinkKind, LinkRefusal, Linking, Remembered, Sight, events_of_check,
};
use crate::domain::ruling::Ruling;
use crate::outcome::Outcome;
use crate::ports::{Answer, Own};
use crate::report;

/// Checks the links and says what they are.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn run(desk: &Desk<'_>) -> Answer<Done> {
    let iid = desk.ci.merge_request()?.iid;
    if !desk.may_look_up
        && let Own::Denied { status } = desk.merge_requests.own(iid)?
    {
        return from_variables(desk, status);
    }
    let linked = observe::links(desk, iid)?;
    let id = &linked.merge_request.id;
    let home = observe::features_project(desk);
    let closes = linked.closes();
    let roles = &desk.config.validation.roles;
    let reasons = match &linked.ruling {
        Ruling::Refuse(reasons) => report::link_refusals(reasons, home),
        Ruling::Pass | Ruling::Wait(()) => Vec::new(),
    };
    let refused = !reasons.is_empty();
    let asks = !refused && !closes.is_empty() && !roles.is_empty();
    let links = &linked.linking.links;
    let head = &linked.merge_request.head;
    let notes = if desk.may_look_up {
        desk.announcements.notes(iid)?
    } else {
        BTreeMap::new()
    };
    let before = tell::remembered_links(&notes);
    let after = if refused {
        before.clone()
    } else if desk.may_look_up {
        before.after(links, desk.ci.job)
    } else {
        untold(links)
    };
    let mut facts = events_of_check(id, head, &before, &after, &linked.ruling, reasons.clone());
    if asks {
        facts.push(Fact::ValidationRequested {
            merge_request: id.clone(),
            features: closes,
            roles: roles.clone(),
            commit: head.clone(),
        });
    }
    let mut note = None;
    // A note that asked for something is set right when nothing is asked any more; without one there is nothing to say.
    if desk.may_look_up && (refused || asks || !links.is_empty() || notes.contains_key(tell::STATE))
    {
        let body = if refused {
            report::note_links_refused(&reasons)
        } else if asks {
            report::note_validation_asked(links, &observe::holders(desk, roles)?, home, head)
        } else {
            report::note_linked(links, home)
        };
        note = Some(tell::keep_linked_note(desk, iid, &notes, &body, &after)?);
    }
    let outcome = if refused {
        report::links_refused(iid, reasons, &linked.linking, home)
    } else {
        let roles = if asks { roles.as_slice() } else { &[] };
        report::links_in_order(id, &linked.linking, &linked.sights, home, roles)
    };
    let stage = if asks {
        Stage::AwaitingValidation
    } else {
        Stage::Linked
    };
    let shown = (!refused && !linked.linking.links.is_empty()).then_some(stage);
    let known = labels::Known {
        id,
        labels: Some(&linked.merge_request.labels),
        links: &linked.linking.links,
        sights: Some(&linked.sights),
    };
    labels::show(desk, known, shown, Teller::MergeRequest);
    let read = Read {
        reading: &linked.reading,
        ruling: &linked.ruling,
        linking: &linked.linking,
        sights: &linked.sights,
        url: &linked.merge_request.url,
    };
    let outcome = with_reports(desk, &read, outcome)?
        .seeing(note.map(|note| report::note_link(iid, &linked.merge_request.url, note)));
    Ok(Done {
        outcome: not_checked(desk, outcome, &linked.linking),
        events: facts
            .into_iter()
            .map(|fact| ledger::event(desk, fact))
            .collect(),
    })
}

/// Links that nothing remembers.
fn untold(links: &[Link]) -> Remembered {
    Remembered {
        since: None,
        links: links.to_vec(),
    }
}

fn not_checked(desk: &Desk<'_>, outcome: Outcome, linking: &Linking) -> Outcome {
    let config = &desk.config.features;
    report::not_checked(
        outcome,
        linking,
        config.label.as_deref(),
        config.issue_type.as_deref(),
    )
}

/// GitLab does not show the merge request to the job: what its variables said when the pipeline was created has to do.
fn from_variables(desk: &Desk<'_>, status: u16) -> Answer<Done> {
    let merge_request = desk.ci.merge_request()?;
    let as_started = &merge_request.as_started;
    let id = MergeRequestId {
        project: desk.ci.project.clone(),
        iid: merge_request.iid,
    };
    let reading = observe::read_description(desk, &as_started.description)?;
    let sights = observe::sights(desk, &reading)?;
    let of = Exemptible {
        labels: &as_started.labels,
        author: None,
        branch: as_started.source.as_ref(),
    };
    let (ruling, linking) = observe::judge_links(desk, &id, &reading, &sights, &[], of);
    let home = observe::features_project(desk);
    let reasons = match &ruling {
        Ruling::Refuse(reasons) => report::link_refusals(reasons, home),
        Ruling::Pass | Ruling::Wait(()) => Vec::new(),
    };
    let facts = events_of_check(
        &id,
        &desk.ci.commit,
        &Remembered::default(),
        &untold(&linking.links),
        &ruling,
        reasons.clone(),
    );
    let outcome = if reasons.is_empty() {
        let closes = linking
            .links
            .iter()
            .any(|link| link.kind == LinkKind::Closes);
        let roles = desk.config.validation.roles.as_slice();
        let roles = if closes { roles } else { &[] };
        report::links_in_order(&id, &linking, &sights, home, roles)
    } else {
        report::links_refused(id.iid, reasons, &linking, home)
    };
    let read = Read {
        reading: &reading,
        ruling: &ruling,
        linking: &linking,
        sights: &sights,
        url: &report::merge_request_url(&desk.ci.server, &id),
    };
    let outcome = with_reports(desk, &read, outcome)?;
    let outcome = report::read_from_variables(outcome, status, as_started.cut);
    Ok(Done {
        outcome: not_checked(desk, outcome, &linking),
        events: facts
            .into_iter()
            .map(|fact| ledger::event(desk, fact))
            .collect(),
    })
}

/// What a description came to.
struct Read<'a> {
    reading: &'a Reading,
    ruling: &'a Ruling<(), LinkRefusal>,
    linking: &'a Linking,
    sights: &'a BTreeMap<FeatureId, Sight>,
    url: &'a str,
}

/// What people look at beside the headline: what was read, rule by rule, and where it leads.
fn with_reports(desk: &Desk<'_>, read: &Read<'_>, outcome: Outcome) -> Answer<Outcome> {
    let home = observe::features_project(desk);
    let (readers, features) = (&desk.ci.project, &desk.config.features);
    let named = read.linking.links.iter().map(|link| &link.feature);
    let links = report::feature_links(named, read.sights, read.url, readers, home)
        .into_iter()
        .chain(report::holder_links(read.ruling, &desk.ci.server, home));
    let outcome = outcome
        .read(report::what_was_read(
            read.reading,
            read.sights,
            readers,
            home,
        ))
        .checked(report::link_checks(
            read.ruling,
            read.linking,
            features.links,
            features.label.is_some() || features.issue_type.is_some(),
            home,
        ))
        .seeing(links);
    if matches!(read.ruling, Ruling::Refuse(_)) {
        return Ok(outcome
            .next("edit the description, then start a new pipeline: editing alone starts none"));
    }
    Ok(outcome.handing_on(report::link_values(read.linking, home)?))
}
