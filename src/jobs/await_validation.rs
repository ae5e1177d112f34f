//! `trainyard await-validation`: has every role validated this content? With `--approve` or `--reject` it is the manual job
//! by which a person gives the verdict (`verdict`); the verdict itself is GitLab's record of that job.

mod before;
pub mod verdict;

use std::collections::BTreeMap;

use super::judging::{self, Judged, Look};
use super::notes::{self, Keeping, Told};
use super::{Desk, Done, labels, ledger, observe};
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{FeatureId, NoteId, RoleName};
use crate::domain::labelling::{Stage, Teller};
use crate::domain::linking::{Link, LinkKind, named_features};
use crate::domain::ruling::Ruling;
use crate::domain::validation::Judgement;
use crate::outcome::{ExitCode, Outcome};
use crate::ports::{Answer, Evidence, MergeRequest};
use crate::report::{self, Seen};

/// Says whether everything that must be validated is.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn run(desk: &Desk<'_>) -> Answer<Done> {
    let iid = desk.ci.merge_request()?.iid;
    let (found, evidence) = if desk.may_look_up {
        let evidence = desk.records.evidence(iid)?;
        let found = observe::found(desk, iid, &evidence)?.merge_request;
        (found, evidence)
    } else {
        (observe::merge_request(desk, iid)?, Evidence::default())
    };
    let links = links_of(desk, &found)?;
    let closes = closed(&links);
    if closes.is_empty() {
        let why = "it closes no feature";
        let outcome = Outcome::open(format!(
            "!{iid} closes no feature, so there is nothing to validate"
        ));
        return Ok(Done::saying(outcome.checked(report::no_validation_checks(
            &desk.config.validation.roles,
            why,
        ))));
    }
    let rules = &desk.config.validation;
    if rules.is_off() {
        return Ok(Done::saying(Outcome::open(
            "no role has to validate (`validation.roles` is empty)",
        )));
    }
    if judging::is_outdated(desk, &found)? {
        return Ok(Done::saying(report::outdated_pipeline(
            iid,
            &desk.ci.commit,
            &found.head,
        )));
    }
    if !desk.may_look_up {
        let why = "who played cannot be seen without `TRAINYARD_TOKEN`; the gate checks it";
        return Ok(Done::saying(report::cannot_see_players(iid).checked(
            report::no_validation_checks(&desk.config.validation.roles, why),
        )));
    }
    let sights = if rules.criteria_required || rules.looks_at_features() {
        desk.features.sights(&closes)?
    } else {
        BTreeMap::new()
    };
    let asked = judging::asked(desk, &found, &closes, &sights)?;
    if asked.is_empty() {
        return Ok(Done::saying(Outcome::open(format!(
            "no role has to validate !{iid}: no rule of `validation.rules` applies to it"
        ))));
    }
    let judged = judging::judge(desk, &found, &evidence, &asked, Look::Enough, None)?;
    let reasons = judging::reasons(&judged.judgement, &evidence);
    let seen = Seen {
        iid,
        links: &links,
        home: observe::features_project(desk),
        head: &found.head,
        judgement: &judged.judgement,
        holders: &judged.holders,
        reasons: &reasons,
    };
    let (warnings, note) = keep_notes(desk, &seen);
    show_stage(desk, &found, &links, stage_of(&judged.judgement));
    let lacking = lacking(desk, &judged, &evidence);
    let mut outcome = report::validation_outcome(&seen, &lacking);
    for line in report::beside_the_verdicts(&judged.judgement, &evidence.misnamed) {
        outcome = outcome.with(line);
    }
    for line in judging::unseen(&evidence) {
        outcome = outcome.with(line);
    }
    let open = judging::criteria_in_the_way(desk, &closes, &sights);
    if outcome.code == ExitCode::Open && !open.is_empty() {
        outcome = report::criteria_unticked(&open);
    }
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    let checks = [
        report::newest_commit(None),
        report::criteria_are_ticked(rules.criteria_required, &open),
    ];
    Ok(Done {
        outcome: outcome
            .checked(checks)
            .checked(report::validation_checks(
                &judged.judgement,
                &judged.holders,
            ))
            .seeing(note.map(|note| report::note_link(iid, &found.url, note))),
        events: lapsed(desk, &found, &closes, &judged),
    })
}

/// Awaited roles whose job this pipeline does not have.
fn lacking(desk: &Desk<'_>, judged: &Judged, evidence: &Evidence) -> Vec<(RoleName, bool)> {
    let Some(own) = evidence
        .pipelines
        .iter()
        .find(|pipeline| pipeline.id == desk.ci.pipeline)
    else {
        return Vec::new();
    };
    let any = own.jobs.iter().any(|job| job.name.starts_with("validate:"));
    judged
        .judgement
        .awaited()
        .filter(|role| {
            let name = format!("validate:{role}");
            own.jobs.len() < 100 && !own.jobs.iter().any(|job| job.name == name)
        })
        .map(|role| (role.clone(), any))
        .collect()
}

fn lapsed(
    desk: &Desk<'_>,
    found: &MergeRequest,
    closes: &[FeatureId],
    judged: &Judged,
) -> Vec<Event> {
    judged
        .judgement
        .standings
        .iter()
        .filter_map(|(_, standing)| standing.lapsed().cloned())
        .map(|verdict| {
            let (merge_request, features, commit) =
                (found.id.clone(), closes.to_vec(), found.head.clone());
            let patch = None;
            ledger::event(
                desk,
                Fact::ValidationLapsed {
                    merge_request,
                    features,
                    verdict,
                    commit,
                    patch,
                },
            )
        })
        .collect()
}

/// Keeps the notes on the merge request and its features, with where its roles stand; what could not be kept, and the number of
/// the note on the merge request.
fn keep_notes(desk: &Desk<'_>, seen: &Seen<'_>) -> (Vec<String>, Option<NoteId>) {
    let told = Told {
        iid: seen.iid,
        head: seen.head.clone(),
        stage: notes::stage_of(seen.judgement, seen.holders),
        links: seen.links.to_vec(),
        links_since: None,
        body: Box::new(|_| report::note_validation(seen)),
    };
    let keeping = Keeping {
        features: seen.links.iter().map(|link| link.feature.clone()).collect(),
        told: vec![told],
        ..Keeping::default()
    };
    notes::keep_seeing(desk, keeping, seen.iid)
}

fn stage_of(judgement: &Judgement) -> Stage {
    match judgement.ruling() {
        Ruling::Pass => Stage::Validated,
        Ruling::Wait(_) => Stage::AwaitingValidation,
        Ruling::Refuse(_) => Stage::Rejected,
    }
}

fn show_stage(desk: &Desk<'_>, found: &MergeRequest, links: &[Link], stage: Stage) {
    let known = labels::Known {
        id: &found.id,
        labels: Some(&found.labels),
        links,
        sights: None,
    };
    labels::show(desk, known, Some(stage), Teller::MergeRequest);
}

/// The features that the description says it closes; whether they are in order is `link-check`'s business.
fn closed(links: &[Link]) -> Vec<FeatureId> {
    links
        .iter()
        .filter(|link| link.kind == LinkKind::Closes)
        .map(|link| link.feature.clone())
        .collect()
}

fn links_of(desk: &Desk<'_>, found: &MergeRequest) -> Answer<Vec<Link>> {
    let reading = observe::read_description(desk, &found.description)?;
    Ok(named_features(&reading, observe::features_project(desk))
        .into_iter()
        .map(|(link, _)| link)
        .collect())
}
