//! From what GitLab recorded of a merge request to evidence: which jobs were played, by whom, in which pipeline.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::dossier;
use super::endpoints::{Get, Page};
use super::translate::{field, number_of, player};
use super::wire::{self, User};
use super::{GitLab, translate};
use crate::domain::ids::{JobId, PipelineId, ProjectPath, RoleName};
use crate::domain::integration::Request;
use crate::domain::validation::{Comment, Decision, Play, Player, Way};
use crate::ports::{Answer, Evidence, INTEGRATE_JOB, JobRecord, PipelineRecord, Unseen};

/// How many pages of a pipeline's jobs are read at most.
const MOST_PAGES: u64 = 10;

impl GitLab<'_> {
    /// The newest pipeline decides what still runs and what failed: all its jobs are looked at.
    pub(super) fn complete_newest(&self, evidence: &mut Evidence) -> Answer<()> {
        let Some(newest) = evidence
            .pipelines
            .first_mut()
            .filter(|pipeline| pipeline.jobs.len() >= 100)
        else {
            return Ok(());
        };
        newest.jobs = self
            .jobs_of(newest.id, false)?
            .iter()
            .map(translate::job)
            .collect();
        Ok(())
    }

    /// Who played which job is told by REST only.
    pub(super) fn players_of(&self, plays: &[Play]) -> Answer<BTreeMap<JobId, Player>> {
        let pipelines: BTreeSet<PipelineId> = plays.iter().map(|play| play.pipeline).collect();
        let mut players = BTreeMap::new();
        for pipeline in pipelines {
            let wanted: Vec<JobId> = plays
                .iter()
                .filter(|play| play.pipeline == pipeline)
                .map(|play| play.job)
                .collect();
            let jobs = match wanted.as_slice() {
                [only] => vec![self.job_of(*only)?],
                _ => self.jobs_of(pipeline, true)?,
            };
            for job in &jobs {
                if let (true, Some(user)) = (wanted.contains(&JobId(job.id)), &job.user) {
                    let pressed_at = pressed_at(job)?;
                    let player = player(user)?;
                    players.insert(
                        JobId(job.id),
                        Player {
                            pressed_at,
                            ..player
                        },
                    );
                }
            }
        }
        Ok(players)
    }

    fn job_of(&self, job: JobId) -> Answer<wire::Job> {
        let path = format!("projects/{}/jobs/{job}", self.project());
        self.main.send(&Get::new(path))?.json()
    }

    /// The jobs of a pipeline; successful ones only, earlier tries among them, when a player is looked for.
    fn jobs_of(&self, pipeline: PipelineId, played: bool) -> Answer<Vec<wire::Job>> {
        let path = format!("projects/{}/pipelines/{pipeline}/jobs", self.project());
        self.main.list(MOST_PAGES, |number| {
            let of = Get::new(path.clone());
            let of = if played {
                of.with("include_retried", true).with("scope[]", "success")
            } else {
                of
            };
            Ok(Page { of, number })
        })
    }
}

/// Everything but who played: a play is by hand only in a pipeline of this merge request, in this project.
pub(super) fn evidence(
    me: Option<&User>,
    found: dossier::Recorded,
    project: &ProjectPath,
) -> Answer<Evidence> {
    let mut evidence = Evidence {
        comments: comments(me, &found.latest.nodes)?,
        own: me
            .map(|me| field("currentUser.username", &me.username))
            .transpose()?,
        ..Evidence::default()
    };
    if found.pipelines.page_info.has_next_page {
        evidence.unseen.push(Unseen::Pipelines);
    }
    for pipeline in &found.pipelines.nodes {
        add_pipeline(&mut evidence, pipeline, project)?;
    }
    Ok(evidence)
}

fn add_pipeline(
    evidence: &mut Evidence,
    pipeline: &dossier::Pipeline,
    project: &ProjectPath,
) -> Answer<()> {
    let Some(commit) = pipeline.sha.as_deref() else {
        return Ok(());
    };
    let commit = field("pipelines.sha", commit)?;
    let id = PipelineId(number_of(&pipeline.id)?);
    let here = pipeline
        .project
        .as_ref()
        .is_some_and(|home| home.full_path == project.as_str());
    let ours = here && pipeline.merge_request_event_type.is_some();
    let mut seen = BTreeSet::new();
    for job in &pipeline.played.nodes {
        let job_id = JobId(number_of(&job.id)?);
        seen.insert(job_id);
        let name = job.name.as_deref().unwrap_or_default();
        let Some(at) = time("jobs.finishedAt", job.finished_at.as_ref())? else {
            continue;
        };
        let way = if ours { Way::ByHand } else { Way::Elsewhere };
        let Some((decision, role)) = validation_of(name) else {
            if nearly_validation(name) {
                evidence.misnamed.push((job_id, name.to_owned()));
            }
            continue;
        };
        evidence.plays.push(Play {
            job: job_id,
            pipeline: id,
            role,
            decision,
            pressed_at: time("jobs.queuedAt", job.queued_at.as_ref())?.unwrap_or(at),
            at,
            commit: Clone::clone(&commit),
            way,
        });
    }
    if pipeline.played.page_info.has_next_page {
        evidence.unseen.push(Unseen::PlayedJobs(id));
    }
    let mut record = PipelineRecord {
        id,
        commit,
        created: field("pipelines.createdAt", &pipeline.created_at)?,
        jobs: Vec::new(),
        request: None,
    };
    for job in &pipeline.jobs.nodes {
        let (Some(name), Some(status)) = (job.name.as_deref(), job.status.as_deref()) else {
            continue;
        };
        let (job_id, status) = (JobId(number_of(&job.id)?), status.to_ascii_lowercase());
        let at = time("jobs.finishedAt", job.finished_at.as_ref())?;
        match (at, validation_of(name)) {
            (Some(at), _) if status == "success" && name == INTEGRATE_JOB => {
                record.request = Some(Request { job: job_id, at });
            }
            (Some(at), Some((decision, role)))
                if status == "success" && !seen.contains(&job_id) =>
            {
                evidence.plays.push(Play {
                    job: job_id,
                    pipeline: id,
                    role,
                    decision,
                    pressed_at: at,
                    at,
                    commit: record.commit.clone(),
                    way: Way::ByItself,
                });
            }
            _ => {}
        }
        record.jobs.push(JobRecord {
            id: job_id,
            name: name.to_owned(),
            status,
            may_fail: job.allow_failure,
            failure: None,
        });
    }
    evidence.pipelines.push(record);
    Ok(())
}

/// GraphQL tells times to the second only; REST tells when the job started and how long it had waited then.
fn pressed_at(job: &wire::Job) -> Answer<Option<Timestamp>> {
    let started = time("jobs.started_at", job.started_at.as_ref())?;
    Ok(started
        .zip(job.queued_duration)
        .and_then(|(started, waited)| {
            let waited = SignedDuration::try_from_secs_f64(waited).ok()?;
            started.checked_sub(waited).ok()
        }))
}

fn time(name: &str, text: Option<&String>) -> Answer<Option<Timestamp>> {
    text.map(|text| field(name, text)).transpose()
}

/// What people wrote in public; our own notes are nobody's words.
fn comments(me: Option<&User>, found: &[dossier::Comment]) -> Answer<Vec<Comment>> {
    let mut comments = Vec::new();
    for comment in found
        .iter()
        .filter(|comment| comment.internal != Some(true))
    {
        let Some(author) = &comment.author else {
            continue;
        };
        if me.is_some_and(|me| me.username == author.username) {
            continue;
        }
        comments.push(Comment {
            author: field("notes.author.username", &author.username)?,
            at: field("notes.createdAt", &comment.created_at)?,
            body: comment.body.clone(),
        });
    }
    Ok(comments)
}

/// What the name of a validation job says: `validate:po`, `reject:qa`; nothing else is one.
pub(super) fn validation_of(name: &str) -> Option<(Decision, RoleName)> {
    let (decision, role) = match name.split_once(':')? {
        ("validate", role) => (Decision::Validate, role),
        ("reject", role) => (Decision::Reject, role),
        _ => return None,
    };
    Some((decision, role.parse().ok()?))
}

/// Whether a person could take the name for that of a validation job: another case, blanks, a job of `parallel`.
fn nearly_validation(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    name.split_once(':')
        .is_some_and(|(verb, _)| matches!(verb.trim(), "validate" | "reject"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(event: Option<&str>, project: &str, played: &str, listed: &str) -> Evidence {
        let value = serde_json::json!({
            "latest": {"nodes": [
                {"body": "slow", "createdAt": "2026-01-05T10:00:00Z", "internal": false, "author": {"username": "olga"}},
                {"body": "secret", "createdAt": "2026-01-05T10:00:00Z", "internal": true, "author": {"username": "olga"}},
                {"body": "ours", "createdAt": "2026-01-05T10:00:00Z", "internal": false, "author": {"username": "bot"}}
            ]},
            "pipelines": {"pageInfo": {"hasNextPage": true}, "nodes": [{
                "id": "gid://gitlab/Ci::Pipeline/3", "sha": "a".repeat(40), "createdAt": "2026-01-05T09:58:00Z",
                "mergeRequestEventType": event, "project": {"fullPath": project},
                "jobs": {"nodes": [
                    {"id": "gid://gitlab/Ci::Build/10", "name": listed, "status": "SUCCESS", "allowFailure": false, "finishedAt": "2026-01-05T10:00:00Z"},
                    {"id": "gid://gitlab/Ci::Build/11", "name": "integrate", "status": "SUCCESS", "allowFailure": true, "finishedAt": "2026-01-05T10:01:00Z"},
                    {"id": "gid://gitlab/Ci::Build/12", "name": "validate:qa", "status": "MANUAL", "allowFailure": false, "finishedAt": null}
                ]},
                "played": {"nodes": [{"id": "gid://gitlab/Ci::Build/10", "name": played, "queuedAt": "2026-01-05T09:59:00Z", "finishedAt": "2026-01-05T10:00:00Z"}]}
            }]}
        });
        let me = User {
            username: "bot".into(),
        };
        let project = "shop/web".parse().unwrap();
        evidence(Some(&me), serde_json::from_value(value).unwrap(), &project).unwrap()
    }

    #[test]
    fn a_play_is_by_hand_in_a_pipeline_of_the_merge_request_here_only() {
        for (event, project, way) in [
            (Some("DETACHED"), "shop/web", Way::ByHand),
            (None, "shop/web", Way::Elsewhere),
            (Some("DETACHED"), "mallory/web", Way::Elsewhere),
        ] {
            let found = found(event, project, "validate:po", "validate:po");
            assert_eq!(found.plays.len(), 1, "an unplayed job is no play");
            assert_eq!(found.plays[0].way, way);
            assert!(found.plays[0].pressed_at < found.plays[0].at);
            assert_eq!(found.unseen, [Unseen::Pipelines]);
        }
        let mut automatic = found(Some("DETACHED"), "shop/web", "deploy", "deploy");
        assert!(automatic.plays.is_empty());
        automatic = {
            let mut found = found(Some("DETACHED"), "shop/web", "deploy", "validate:qa");
            found.plays.clear();
            found
        };
        assert!(automatic.misnamed.is_empty());
    }

    #[test]
    fn a_name_is_exact_or_nearly_so_and_then_told() {
        for (name, exact, near) in [
            ("validate:po", true, true),
            ("reject:qa_2", true, true),
            ("validate:po ", false, true),
            (" validate:po", false, true),
            ("Validate:po", false, true),
            ("validate: po", false, true),
            ("validate:PO", false, true),
            ("validate:po 1/2", false, true),
            ("validate:po: [a, b]", false, true),
            ("revalidate:po", false, false),
            ("validate", false, false),
            ("deploy:qa", false, false),
        ] {
            assert_eq!(validation_of(name).is_some(), exact, "{name}");
            assert_eq!(nearly_validation(name), near, "{name}");
        }
        let odd = found(Some("DETACHED"), "shop/web", "validate:po 1/2", "x");
        assert_eq!(odd.misnamed, [(JobId(10), "validate:po 1/2".to_owned())]);
    }

    #[test]
    fn our_own_notes_are_nobodys_words() {
        let found = found(Some("DETACHED"), "shop/web", "x", "x");
        assert_eq!(found.comments.len(), 1);
        assert_eq!(found.comments[0].body, "slow");
        assert_eq!(
            found.pipelines[0].request.as_ref().map(|r| r.job),
            Some(JobId(11))
        );
    }
}
