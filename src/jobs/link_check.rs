//! `trainyard link-check`: are the links of this merge request in order? Runs in a merge request pipeline.

use super::{Desk, Done, judging, ledger, observe, tell};
use crate::domain::event::Fact;
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
        tell::keep_state_note(desk, iid, &desk.announcements.notes(iid)?, &body)?;
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
    let events = facts
        .into_iter()
        .map(|fact| ledger::event(desk, fact))
        .collect();
    Ok(Done { outcome, events })
}
