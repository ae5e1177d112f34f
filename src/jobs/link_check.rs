//! `trainyard link-check`: are the links of this merge request in order? Runs in a merge request pipeline.

use super::notes::{self, Keeping, Told, asked};
use super::observe::{Holders, Linked};
use super::{Desk, Done, ledger, observe};
use crate::domain::event::Fact;
use crate::domain::linking::events_of_check;
use crate::domain::progress::Stage;
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
    let roles = &desk.config.validation.roles;
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
    let warnings = if desk.may_look_up {
        let holders = if asks {
            observe::holders(desk, roles)?
        } else {
            Holders::new()
        };
        keep_notes(desk, &linked, asks, &reasons, &holders)
    } else {
        Vec::new()
    };
    let outcome = if refused {
        Outcome::refused(format!("the links of !{iid} are not in order"), reasons)
    } else {
        report::links_in_order(
            iid,
            &linked.linking,
            &linked.sights,
            home,
            if asks { roles } else { &[] },
        )
    };
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    let events = facts
        .into_iter()
        .map(|fact| ledger::event(desk, fact))
        .collect();
    Ok(Done { outcome, events })
}

/// Tells where the merge request is now, on itself and on its features: those it names and those it named before.
fn keep_notes(
    desk: &Desk<'_>,
    linked: &Linked,
    asks: bool,
    reasons: &[String],
    holders: &Holders,
) -> Vec<String> {
    let found = &linked.merge_request;
    let (links, home) = (&linked.linking.links, observe::features_project(desk));
    let before = linked.mark();
    let stage = if !reasons.is_empty() {
        Stage::LinksRefused
    } else if asks {
        Stage::AwaitingValidation {
            roles: asked(holders),
        }
    } else {
        Stage::Linked
    };
    // A pipeline that is run again on the same head knows less than the jobs that came after the first one.
    let further = before.as_ref().is_some_and(|mark| {
        mark.head == found.head && reasons.is_empty() && mark.stage.is_beyond_links()
    });
    let told = Told {
        iid: found.id.iid,
        head: found.head.clone(),
        links: links.clone(),
        body: Box::new(move |_| {
            if !reasons.is_empty() {
                report::note_links_refused(reasons)
            } else if asks {
                report::note_validation_asked(links, holders, home, &found.head)
            } else {
                report::note_linked(links, home)
            }
        }),
        stage,
    };
    let named_before = before.into_iter().flat_map(|mark| mark.links);
    let features = linked.sights.keys().cloned();
    notes::keep(
        desk,
        Keeping {
            yard: None,
            features: features
                .chain(named_before.map(|link| link.feature))
                .collect(),
            told: if further { Vec::new() } else { vec![told] },
            board: linked.board.clone(),
        },
    )
}
