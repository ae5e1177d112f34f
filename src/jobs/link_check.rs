//! `trainyard link-check`: are the links of this merge request in order? Runs in a merge request pipeline.

use std::collections::BTreeMap;

use super::notes::{self, Keeping, Told};
use super::observe::{Holders, Linked};
use super::{Desk, Done, judging, labels, ledger, observe};
use crate::domain::event::Fact;
use crate::domain::ids::{FeatureId, MergeRequestId, NoteId};
use crate::domain::labelling::{self, Teller};
use crate::domain::linking::grammar::Reading;
use crate::domain::linking::{
    Exemptible, Link, LinkKind, LinkRefusal, Linking, Remembered, Sight, events_of_check,
};
use crate::domain::progress::Stage;
use crate::domain::ruling::Ruling;
use crate::domain::validation::Asked;
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
    let refused = !reasons.is_empty();
    let asks = !refused && !closes.is_empty() && !roles.is_empty();
    let links = &linked.linking.links;
    let head = &linked.merge_request.head;
    let before = linked.remembered();
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
    let (warnings, note) = if desk.may_look_up {
        let holders = if asks {
            observe::holders(desk, &roles)?
        } else {
            Holders::new()
        };
        keep_notes(desk, &linked, (asks, &asked), &reasons, &holders, &after)
    } else {
        (Vec::new(), None)
    };
    let outcome = if refused {
        report::links_refused(iid, reasons, &linked.linking, home)
    } else {
        let roles = if asks { roles.as_slice() } else { &[] };
        report::links_in_order(id, &linked.linking, &linked.sights, home, roles)
    };
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    let stage = if asks {
        labelling::Stage::AwaitingValidation
    } else {
        labelling::Stage::Linked
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

/// Tells where the merge request is now, on itself and on its features: those it names and those it named before.
fn keep_notes(
    desk: &Desk<'_>,
    linked: &Linked,
    (asks, asked): (bool, &[Asked]),
    reasons: &[String],
    holders: &Holders,
    after: &Remembered,
) -> (Vec<String>, Option<NoteId>) {
    let found = &linked.merge_request;
    let (links, home) = (&linked.linking.links, observe::features_project(desk));
    let before = linked.mark();
    let stage = if !reasons.is_empty() {
        Stage::LinksRefused
    } else if asks {
        Stage::AwaitingValidation {
            roles: notes::asked(holders),
        }
    } else {
        Stage::Linked
    };
    // A pipeline that is run again on the same head knows less than the jobs that came after the first one.
    let further = before.as_ref().is_some_and(|mark| {
        mark.head == found.head
            && reasons.is_empty()
            && mark.stage.is_beyond_links()
            && mark.links == after.links
    });
    let told = Told {
        iid: found.id.iid,
        head: found.head.clone(),
        links: after.links.clone(),
        links_since: after.since,
        body: Box::new(move |_| {
            if !reasons.is_empty() {
                report::note_links_refused(reasons)
            } else if asks {
                report::note_validation_asked(links, asked, holders, home, &found.head)
            } else {
                report::note_linked(links, home)
            }
        }),
        stage,
    };
    let named_before = before.into_iter().flat_map(|mark| mark.links);
    let features = links.iter().map(|link| link.feature.clone());
    notes::keep_seeing(
        desk,
        Keeping {
            yard: None,
            features: features
                .chain(named_before.map(|link| link.feature))
                .collect(),
            told: if further { Vec::new() } else { vec![told] },
            board: linked.board.clone(),
        },
        found.id.iid,
    )
}
