//! `trainyard link-check`: are the links of this merge request in order? Runs in a merge request pipeline.

use super::observe::Linked;
use super::{Desk, Done, judging, labels, ledger, observe, tell};
use crate::domain::event::Fact;
use crate::domain::labelling::{Stage, Teller};
use crate::domain::linking::events_of_check;
use crate::domain::ruling::Ruling;
use crate::outcome::Outcome;
use crate::ports::Answer;
use crate::report;

/// Checks the links and says what they are.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn run(desk: &Desk<'_>) -> Answer<Done> {
    let iid = desk.ci.merge_request()?.iid;
    let linked = observe::links(desk, iid)?;
    let id = &linked.merge_request.id;
    let home = observe::features_project(desk);
    let closes = linked.closes();
    let asked = if closes.is_empty() {
        Vec::new()
    } else {
        judging::asked(desk, &linked.merge_request, &closes, &linked.sights)?
    };
    let roles: Vec<_> = asked.iter().map(|asked| asked.role.clone()).collect();
    let reasons = match &linked.ruling {
        Ruling::Refuse(reasons) => report::link_refusals(reasons, home),
        Ruling::Pass | Ruling::Wait(()) => Vec::new(),
    };
    let mut facts = events_of_check(id, &[], &linked.ruling, &linked.linking, reasons.clone());
    let refused = !reasons.is_empty();
    let asks = !refused && !closes.is_empty() && !roles.is_empty();
    if asks {
        let commit = linked.merge_request.head.clone();
        facts.push(Fact::ValidationRequested {
            merge_request: id.clone(),
            features: closes,
            roles: roles.clone(),
            commit,
        });
    }
    let mut note = None;
    if desk.may_look_up && (refused || asks) {
        let body = if refused {
            report::note_links_refused(&reasons)
        } else {
            report::note_validation_asked(
                &linked.linking.links,
                &asked,
                &observe::holders(desk, &roles)?,
                home,
                &linked.merge_request.head,
            )
        };
        let notes = desk.announcements.notes(iid)?;
        note = Some(tell::keep_state_note(desk, iid, &notes, &body)?);
    }
    let outcome = if refused {
        Outcome::refused(format!("the links of !{iid} are not in order"), reasons)
    } else {
        report::links_in_order(
            iid,
            &linked.linking,
            &linked.sights,
            home,
            if asks { &roles } else { &[] },
        )
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
    let outcome = with_reports(desk, &linked, outcome, refused)?
        .seeing(note.map(|note| report::note_link(iid, &linked.merge_request.url, note)));
    let events = facts
        .into_iter()
        .map(|fact| ledger::event(desk, fact))
        .collect();
    Ok(Done { outcome, events })
}

/// What people look at beside the headline: what was read, rule by rule, and where it leads.
fn with_reports(
    desk: &Desk<'_>,
    linked: &Linked,
    outcome: Outcome,
    refused: bool,
) -> Answer<Outcome> {
    let home = observe::features_project(desk);
    let features = &desk.config.features;
    let url = &linked.merge_request.url;
    let named = linked.linking.links.iter().map(|link| &link.feature);
    let links = report::feature_links(named, &linked.sights, url, home)
        .into_iter()
        .chain(report::holder_links(&linked.ruling, &desk.ci.server, home));
    let outcome = outcome
        .read(report::what_was_read(&linked.reading, &linked.sights, home))
        .checked(report::link_checks(
            &linked.ruling,
            &linked.linking,
            features.links,
            features.label.as_deref(),
            home,
        ))
        .seeing(links);
    if refused {
        return Ok(outcome
            .next("edit the description, then start a new pipeline: editing alone starts none"));
    }
    Ok(outcome.handing_on(report::link_values(&linked.linking, home)?))
}
