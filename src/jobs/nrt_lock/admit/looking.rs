//! A merge request as the gate sees it: everything that a change set needs to join the queue, asked of GitLab itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::ids::{CommitSha, JobId};
use crate::domain::integration::{Candidacy, ChangeSet, HeadPipeline, Priority, Request};
use crate::domain::validation::Judgement;
use crate::jobs::Desk;
use crate::jobs::judging::{self, Look};
use crate::jobs::notes;
use crate::jobs::nrt_lock::lane;
use crate::jobs::observe::{self, Linked, Related};
use crate::ports::{
    Answer, Evidence, INTEGRATE_JOB, MergeRequest, MergeRequestOnBoard, PipelineRecord,
};
use crate::report;

/// How often the gate looks whether that job has ended.
const PATIENCE: u32 = 15;

/// A merge request as the gate sees it, before the queue is asked.
pub(in crate::jobs) struct Looked {
    pub(super) evidence: Evidence,
    pub(super) linked: Linked,
    pub(super) judgement: Judgement,
    pub(super) reasons: BTreeMap<JobId, String>,
    /// What would be queued, or was.
    pub(in crate::jobs) candidacy: Candidacy,
    /// Why it is not in the lane that its labels ask for.
    pub(super) warning: Option<String>,
}

/// Asks GitLab for everything that a change set needs to join the queue.
pub(in crate::jobs) fn look(desk: &Desk<'_>, iid: u64) -> Answer<Looked> {
    let evidence = settled_evidence(desk, iid)?;
    let whole = observe::found(desk, iid, &evidence)?;
    look_at(desk, evidence, whole)
}

pub(super) fn look_at(
    desk: &Desk<'_>,
    evidence: Evidence,
    whole: MergeRequestOnBoard,
) -> Answer<Looked> {
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
pub(super) fn settled_evidence(desk: &Desk<'_>, iid: u64) -> Answer<Evidence> {
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
