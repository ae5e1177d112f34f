//! `trainyard nrt-lock admit`: verifies everything again from GitLab itself, and gives the change set its ticket.
//! First job of a gate pipeline.

mod looking;

use super::elsewhere;
use crate::domain::ids::ProjectPath;
use crate::domain::integration::{
    Joined, MergeRequestState, QueueRefusal, evidence_facts, join_queue,
};
use crate::domain::labelling::{self, Teller};
use crate::domain::linking::{LinkRefusal, claims_taken};
use crate::domain::progress::Stage;
use crate::domain::ruling::Ruling;
use crate::domain::yard::Yard;

use crate::jobs::judging;
use crate::jobs::ledger::{Decision as Recording, Ledger};
use crate::jobs::notes::{self, Keeping, Told};
use crate::jobs::observe::{self, Linked};
use crate::jobs::{Desk, Done, label_holds, labels, tell};
use crate::outcome::{Outcome, Pointer, Problem, SeeAlso};
use crate::ports::Answer;
use crate::report;
use crate::simulate::forecast::forecast;

pub(in crate::jobs) use looking::{Looked, look};
use looking::{look_at, settled_evidence};

/// How many merge requests without a ticket one worker looks at when nobody named one.
const MOST_LOOKED_AT: usize = 20;

/// Admits one merge request, or every one whose request has no ticket yet.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn run(
    desk: &Desk<'_>,
    project: Option<&ProjectPath>,
    merge_request: Option<u64>,
) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let outcome = match merge_request {
        Some(iid) => match project.and_then(|project| elsewhere::project(desk, project)) {
            Some(left_to_another) => left_to_another,
            None => admit(&whose(desk, project)?, &ledger, iid)?,
        },
        None => admit_forgotten(desk, &ledger)?,
    };
    tell::alert_all(desk, &ledger)?;
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// The project of the merge request that a wake-up names: a member of the yard, or the gate's own.
fn whose<'a>(desk: &Desk<'a>, project: Option<&ProjectPath>) -> Answer<Desk<'a>> {
    match (desk.members, project) {
        (Some(members), Some(project)) => members.desk(project),
        (None, Some(project)) if *project != desk.ci.project => Err(Problem::refused(
            format!(
                "the wake-up is for a merge request of `{project}`, and this gate serves `{}` only",
                desk.ci.project
            ),
            "list the projects that this gate serves in `gate.projects` of its `.trainyard.yml`",
        )),
        (Some(_), None) => Err(Problem::misconfigured(
            "this gate serves several projects, and the job was given a number without its project",
            "pass the pipeline inputs `trainyard_project` and `trainyard_merge_request` on, as `yard.yml` of the templates does",
        )),
        (None, _) => Ok(*desk),
    }
}

/// Wake-ups can be lost; requests cannot. A refusal here is no failure: nobody asked for an answer.
pub(in crate::jobs) fn admit_forgotten(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Outcome> {
    let mut outcome = Outcome::open("looked for requests without a ticket");
    for desk in desk.all() {
        outcome = match desk {
            Ok(desk) => admit_forgotten_of(&desk, ledger, outcome)?,
            Err(problem) => outcome.with(format!("warning: {}", problem.full_text())),
        };
    }
    Ok(outcome)
}

fn admit_forgotten_of(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    mut outcome: Outcome,
) -> Answer<Outcome> {
    let queue = ledger.yard()?.queue;
    let mut open = desk.merge_requests.open_mentioning("feature")?;
    open.retain(|mr| {
        queue.ticket(&mr.id).is_none() && elsewhere::looks_at(desk, &mr.id, &mr.target)
    });
    // Another choice in each job: where more are open than one worker looks at, none is left out for ever.
    fastrand::Rng::with_seed(desk.ci.job.0).shuffle(&mut open);
    for found in open.iter().take(MOST_LOOKED_AT) {
        let evidence = desk.records.evidence(found.id.iid)?;
        let asked = evidence
            .pipelines
            .iter()
            .any(|p| p.request.is_some() && p.commit == found.head);
        if asked {
            outcome = outcome.including(admit(desk, ledger, found.id.iid)?);
        }
    }
    Ok(outcome)
}

pub(in crate::jobs) fn admit(desk: &Desk<'_>, ledger: &Ledger<'_>, iid: u64) -> Answer<Outcome> {
    let evidence = settled_evidence(desk, iid)?;
    let whole = observe::found(desk, iid, &evidence)?;
    let (id, target) = (&whole.merge_request.id, &whole.merge_request.target);
    if let Some(left_to_another) = elsewhere::merge_request(desk, id, target) {
        return Ok(left_to_another);
    }
    let Looked {
        evidence,
        linked,
        judgement,
        reasons,
        candidacy,
        warning,
    } = look_at(desk, evidence, whole)?;
    let (found, closes) = (&linked.merge_request, linked.closes());
    let home = observe::features_project(desk);
    let validation = || judgement.ruling();
    let remembered = linked.remembered();
    let told_by = remembered.after(&linked.linking.links, desk.ci.job).since;
    let branch = desk.branch();
    let frozen = desk.config.integration.frozen.as_deref();
    let decided = ledger.decide(|yard| {
        let joined = join_queue(
            &yard.queue,
            &candidacy,
            links_at_gate(&linked, yard),
            validation(),
            frozen,
            branch,
        );
        let mut facts = Vec::new();
        if let Ok(Joined::New(own)) = &joined {
            facts.extend(evidence_facts(
                &candidacy.change_set,
                &judgement,
                &reasons,
                told_by,
            ));
            facts.extend(own.iter().cloned());
        }
        if let Ok(Joined::New(_) | Joined::Already) = &joined {
            let seen = [(found.id.clone(), found.labels.clone())];
            facts.extend(label_holds::facts(desk, yard, &seen)?);
        }
        Ok(Recording {
            facts,
            then: joined,
        })
    })?;
    let threads = desk.config.integration.resolved_threads;
    let closing = !closes.is_empty();
    let checks = |reasons: &[QueueRefusal]| report::queue_checks(reasons, closing, threads, home);
    let named = linked.linking.links.iter().map(|link| &link.feature);
    let links = report::feature_links(named, &linked.sights, &found.url, &desk.ci.project, home)
        .into_iter()
        .chain([Pointer::new(
            SeeAlso::MergeRequests,
            format!("!{iid}"),
            &found.url,
        )]);
    let yard = ledger.yard()?;
    let id = &found.id;
    let (outcome, told) = match decided {
        Ok(joined) => {
            let stage = match yard.queue.rank(id) {
                Some(_) => Some(labelling::Stage::Queued),
                None => yard.queue.ticket(id).map(|_| labelling::Stage::InTrial),
            };
            if let Some(stage) = stage {
                let known = labels::Known {
                    id,
                    labels: Some(&found.labels),
                    links: &linked.linking.links,
                    sights: Some(&linked.sights),
                };
                labels::show(desk, known, Some(stage), Teller::Gate);
            }
            let running = yard.nrt.lease.as_ref().map(|lease| {
                let (project, pipeline) = (&lease.holder.project, lease.holder.pipeline);
                let label = "The trial that runs now";
                report::pipeline_link(label, &desk.ci.server, project, pipeline)
            });
            let now = desk.clock.now();
            let freezes = &desk.config.integration.freezes;
            let foretold = forecast(&yard, &desk.config.nrt.trials, freezes, now);
            let zone = &desk.config.notification.rules.calendar.zone;
            let place = report::place_in_queue(&yard.queue, id, &foretold, now, zone);
            let outcome = report::admitted(id, &joined, &yard.queue)
                .seeing(links)
                .seeing(running);
            let outcome = place.into_iter().fold(outcome, Outcome::with);
            let outcome = match joined {
                Joined::New(_) => outcome.checked(checks(&[])),
                Joined::Already | Joined::Served(_) => outcome.checked(
                    report::queue_checks_left_out("this request was served before"),
                ),
            };
            (outcome, notes::queued(desk, &yard, id))
        }
        Err(refusals) => {
            let refusals: Vec<QueueRefusal> = refusals
                .into_iter()
                .map(|refusal| elsewhere::told(desk, refusal))
                .collect();
            let mut refused = report::queue_refusals(&refusals, home);
            refused.extend(report::reasons_for_note(&judgement, &reasons));
            if judgement.awaited().next().is_some() {
                refused.extend(judging::unseen(&evidence));
            }
            let body = report::note_not_queued(&refused);
            let told = Told {
                iid,
                head: found.head.clone(),
                stage: Stage::NotQueued,
                links: linked.linking.links.clone(),
                links_since: None,
                body: Box::new(move |_| body.clone()),
            };
            let outcome = Outcome::refused(format!("!{iid} does not join the queue"), refused)
                .checked(checks(&refusals))
                .seeing(links);
            let open = found.state == MergeRequestState::Open;
            // A second request for what waits or is tried already takes nothing away from it.
            (
                outcome,
                (open && yard.queue.ticket(id).is_none()).then_some(told),
            )
        }
    };
    let warnings = notes::keep(
        desk,
        Keeping {
            yard: Some(yard.clone()),
            features: linked
                .linking
                .links
                .iter()
                .map(|link| link.feature.clone())
                .collect(),
            told: told.into_iter().collect(),
            board: linked.board.clone(),
        },
    );
    let outcome = warning.into_iter().fold(outcome, Outcome::warning);
    Ok(warnings.into_iter().fold(outcome, Outcome::with))
}

/// The links as the log allows them: whoever is in the queue, or landed and not released, keeps the feature that it closes.
fn links_at_gate(linked: &Linked, yard: &Yard) -> Ruling<(), LinkRefusal> {
    let taken = claims_taken(
        &linked.merge_request.id,
        &linked.linking.links,
        &linked.lines,
        yard,
    );
    match &linked.ruling {
        Ruling::Refuse(reasons) => {
            Ruling::from_reasons(reasons.iter().cloned().chain(taken).collect())
        }
        Ruling::Pass | Ruling::Wait(()) => Ruling::from_reasons(taken),
    }
}
