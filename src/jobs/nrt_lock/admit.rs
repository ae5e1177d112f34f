//! `trainyard nrt-lock admit`: verifies everything again from GitLab itself, and gives the change set its ticket.
//! First job of a gate pipeline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{elsewhere, lane};
use crate::domain::event::Fact;
use crate::domain::ids::{CommitSha, JobId, ProjectPath};
use crate::domain::integration::{
    Candidacy, ChangeSet, HeadPipeline, Joined, MergeRequestState, Priority, QueueRefusal, Request,
    join_queue,
};
use crate::domain::labelling::{self, Teller};
use crate::domain::linking::{Link, LinkRefusal, claims_taken};
use crate::domain::progress::Stage;
use crate::domain::ruling::Ruling;
use crate::domain::validation::{Decision, Judgement, Verdict};
use crate::domain::yard::Yard;

use crate::jobs::judging::{self, Look};
use crate::jobs::ledger::{Decision as Recording, Ledger};
use crate::jobs::notes::{self, Keeping, Told};
use crate::jobs::observe::{self, Linked, Related};
use crate::jobs::{Desk, Done, label_holds, labels, tell};
use crate::outcome::{Outcome, Pointer, Problem, SeeAlso};
use crate::ports::{
    Answer, Evidence, INTEGRATE_JOB, MergeRequest, MergeRequestOnBoard, PipelineRecord,
};
use crate::report;
use crate::simulate::forecast::forecast;

/// How often the gate looks whether that job has ended.
const PATIENCE: u32 = 15;
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

/// A merge request as the gate sees it, before the queue is asked.
pub(in crate::jobs) struct Looked {
    evidence: Evidence,
    linked: Linked,
    judgement: Judgement,
    reasons: BTreeMap<JobId, String>,
    /// What would be queued, or was.
    pub(in crate::jobs) candidacy: Candidacy,
    /// Why it is not in the lane that its labels ask for.
    warning: Option<String>,
}

/// Asks GitLab for everything that a change set needs to join the queue.
pub(in crate::jobs) fn look(desk: &Desk<'_>, iid: u64) -> Answer<Looked> {
    let evidence = settled_evidence(desk, iid)?;
    let whole = observe::found(desk, iid, &evidence)?;
    look_at(desk, evidence, whole)
}

fn look_at(desk: &Desk<'_>, evidence: Evidence, whole: MergeRequestOnBoard) -> Answer<Looked> {
    let linked = observe::links_of(desk, &whole, Related::Rivals)?;
    let found = &linked.merge_request;
    let closes = linked.closes();
    let asked = if closes.is_empty() {
        Vec::new()
    } else {
        judging::asked(desk, found, &closes, &linked.sights)?
    };
    let judged = judging::judge(desk, found, &evidence, &asked, Look::Everything, None)?;
    let reasons = judging::reasons(&judged.judgement, &evidence);
    let content = content(desk, found, &evidence, judged.content)?;
    let judgement = judged.judgement;
    let pipeline = evidence
        .pipelines
        .iter()
        .find(|p| p.request.is_some() && content.contains(&p.commit));
    let latest = evidence
        .pipelines
        .iter()
        .find(|p| content.contains(&p.commit));
    let request = pipeline.and_then(|p| p.request.clone());
    let lane = lane::lane(desk, &linked)?;
    let candidacy = Candidacy {
        change_set: change_set(
            desk,
            &linked,
            &judgement,
            request.as_ref(),
            &evidence,
            lane.priority,
        ),
        state: found.state,
        draft: found.draft,
        pipeline: latest.map_or(HeadPipeline::Missing, head_pipeline),
        request,
        unresolved_threads: found
            .threads
            .block(desk.config.integration.resolved_threads),
        open_criteria: report::open_criteria(&judging::criteria_in_the_way(
            desk,
            &closes,
            &linked.sights,
        )),
        same_content: content.clone(),
    };
    Ok(Looked {
        evidence,
        linked,
        judgement,
        reasons,
        candidacy,
        warning: lane.warning,
    })
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
            facts.extend(evidence_facts(&linked, &judgement, &reasons, told_by));
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

fn change_set(
    desk: &Desk<'_>,
    linked: &Linked,
    judgement: &Judgement,
    request: Option<&Request>,
    evidence: &Evidence,
    priority: Priority,
) -> ChangeSet {
    let found = &linked.merge_request;
    ChangeSet {
        merge_request: found.id.clone(),
        head: found.head.clone(),
        target: found.target.clone(),
        title: found.title.chars().take(255).collect(),
        author: found.author.clone(),
        links: linked.linking.links.clone(),
        verdicts: judgement.verdicts(),
        breaking: found
            .labels
            .contains(&desk.config.integration.breaking_label),
        priority,
        requested_at: request.map_or_else(|| desk.clock.now(), |request| request.at),
        requested_by: request.map_or(JobId(0), |request| request.job),
        note: evidence
            .found
            .as_ref()
            .and_then(notes::note_of)
            .map(|own| own.id),
    }
}

/// What GitLab's records say about the links and verdicts of a change set that joins.
fn evidence_facts(
    linked: &Linked,
    judgement: &Judgement,
    reasons: &BTreeMap<JobId, String>,
    told_by: Option<JobId>,
) -> Vec<Fact> {
    let id = &linked.merge_request.id;
    let features = linked.closes();
    let link = |Link { feature, kind }: &Link| Fact::FeatureLinked {
        merge_request: id.clone(),
        feature: feature.clone(),
        kind: *kind,
        commit: Some(linked.merge_request.head.clone()),
        told_by,
    };
    let verdict = |verdict: Verdict| {
        let (merge_request, features) = (id.clone(), features.clone());
        match verdict.decision {
            Decision::Validate => Fact::FeatureValidated {
                merge_request,
                features,
                verdict,
            },
            Decision::Reject => Fact::FeatureRejected {
                merge_request,
                features,
                reason: reasons.get(&verdict.job).cloned(),
                verdict,
            },
        }
    };
    let links = linked.linking.links.iter().map(link);
    if features.is_empty() {
        return links.collect();
    }
    links
        .chain(judgement.earlier.iter().cloned().map(verdict))
        .chain(judgement.verdicts().into_iter().map(verdict))
        .collect()
}

/// The content that the judgement found; the request may stand on an earlier head of it that no verdict was given on.
fn content(
    desk: &Desk<'_>,
    found: &MergeRequest,
    evidence: &Evidence,
    judged: BTreeSet<CommitSha>,
) -> Answer<BTreeSet<CommitSha>> {
    let requested = |p: &PipelineRecord| p.request.is_some() && !judged.contains(&p.commit);
    if judged.len() == 1 && evidence.pipelines.iter().any(requested) {
        judging::same_content(desk, found, true)
    } else {
        Ok(judged)
    }
}

fn head_pipeline(pipeline: &PipelineRecord) -> HeadPipeline {
    let jobs = pipeline
        .jobs
        .iter()
        .map(|job| (job.name.as_str(), job.status.as_str(), job.may_fail));
    HeadPipeline::of(jobs, INTEGRATE_JOB)
}

/// The gate can be quicker than the job that woke it: its success is the request, so it is given a moment to end.
fn settled_evidence(desk: &Desk<'_>, iid: u64) -> Answer<Evidence> {
    for attempt in 0..PATIENCE {
        let evidence = desk.records.evidence(iid)?;
        let newest = evidence.pipelines.first();
        let ending = newest.is_some_and(|p| {
            p.jobs.iter().any(|job| {
                job.name == INTEGRATE_JOB && matches!(job.status.as_str(), "running" | "pending")
            })
        });
        if !ending {
            return Ok(evidence);
        }
        if attempt % 5 == 0 {
            tracing::info!(
                "waiting for the job `{INTEGRATE_JOB}` of !{iid} to end: its success is the request"
            );
        }
        desk.clock.wait(Duration::from_secs(2));
    }
    desk.records.evidence(iid)
}
