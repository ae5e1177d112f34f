//! What GitLab recorded of pipelines and jobs; workers of the gate; the project's own rules.

use std::collections::BTreeMap;

use gitlab::api::projects::jobs::PlayJob;

use super::endpoints::{Get, Page, Post, Trigger, segment};
use super::{GitLab, evidence, translate, wire};
use crate::config::FILE;
use crate::domain::ids::{BranchName, JobId, PipelineId, ProjectPath};
use crate::domain::naming::Suite;
use crate::domain::nrt::{Holder, Liveness};
use crate::domain::validation::{Play, Player};
use crate::outcome::Problem;
use crate::ports::{Answer, Evidence, JobRecord, MemberProject, Policies, Records, Workers};

impl Records for GitLab<'_> {
    fn evidence(&self, iid: u64) -> Answer<Evidence> {
        let (me, found) = self.dossier(iid)?;
        let mut evidence = evidence::evidence(me.as_ref(), found.records, &self.ci.project)?;
        let itself = self.merge_request_on_board(found.itself)?;
        evidence.notes.clone_from(&itself.notes);
        evidence.found = Some(itself);
        self.complete_newest(&mut evidence)?;
        Ok(evidence)
    }

    fn players(&self, plays: &[Play]) -> Answer<BTreeMap<JobId, Player>> {
        self.players_of(plays)
    }

    fn player(&self) -> Answer<Player> {
        let client = self.job.as_ref().ok_or_else(|| {
            Problem::misconfigured(
                "`CI_JOB_TOKEN` is not set, so GitLab cannot say who played this job",
                "this command runs inside a GitLab CI job",
            )
        })?;
        let job: wire::CurrentJob = client.send(&Get::new("job"))?.json()?;
        translate::player(&job.user)
    }

    fn token_user(&self) -> Answer<Player> {
        let user: wire::JobUser = self.main.send(&Get::new("user"))?.json()?;
        translate::player(&user)
    }

    fn jobs(&self, pipeline: u64) -> Answer<Vec<JobRecord>> {
        let path = format!("projects/{}/pipelines/{pipeline}/jobs", self.project());
        let jobs: Vec<wire::Job> = self.main.list(5, |number| {
            Ok(Page {
                of: Get::new(path.clone()),
                number,
            })
        })?;
        Ok(jobs.iter().map(translate::job).collect())
    }

    fn started_by(&self, pipeline: PipelineId) -> Answer<Option<PipelineId>> {
        let path = format!("projects/{}/pipelines/{pipeline}/bridges", self.project());
        let bridges: Vec<wire::Bridge> = self.main.send(&Get::new(path))?.json()?;
        let started = bridges.into_iter().filter_map(|b| b.downstream_pipeline);
        Ok(started.map(|found| PipelineId(found.id)).max())
    }

    fn failed_cases(&self, pipeline: PipelineId) -> Answer<Vec<Suite>> {
        let path = format!(
            "projects/{}/pipelines/{pipeline}/test_report",
            self.project()
        );
        let report: wire::TestReport = self.main.send(&Get::new(path))?.json()?;
        Ok(report.test_suites.iter().map(translate::suite).collect())
    }

    fn is_over(&self, job: JobId) -> Answer<bool> {
        let path = format!("projects/{}/jobs/{job}", self.project());
        let found: Option<wire::Job> = self.main.send(&Get::new(path))?.json_or_missing()?;
        Ok(found.is_none_or(|job| {
            matches!(
                job.status.as_str(),
                "success" | "failed" | "canceled" | "skipped"
            )
        }))
    }

    fn liveness(&self, holder: &Holder) -> Answer<Liveness> {
        let path = format!(
            "projects/{}/pipelines/{}",
            segment(holder.project.as_str()),
            holder.pipeline
        );
        let found: Option<wire::Pipeline> = self.main.send(&Get::new(path))?.json_or_missing()?;
        Ok(
            match found.as_ref().map(|pipeline| pipeline.status.as_str()) {
                None => Liveness::Vanished,
                Some("success" | "failed" | "canceled" | "skipped") => Liveness::Finished,
                Some(_) => Liveness::Running,
            },
        )
    }
}

impl Workers for GitLab<'_> {
    fn wake(&self, merge_request: Option<u64>) -> Answer<()> {
        let token = self.ci.trigger_token.as_ref().ok_or_else(|| {
            Problem::misconfigured(
                "`TRAINYARD_TRIGGER_TOKEN` is not set, so no gate pipeline can be started",
                self.door.token_needed(),
            )
        })?;
        let door = &self.door;
        let trigger = Trigger {
            project: &door.project,
            reference: &door.branch,
            token: token.reveal(),
            inputs: &[
                (
                    "inputs[trainyard_project]",
                    door.asks.as_ref().map(ProjectPath::to_string),
                ),
                ("inputs[trainyard_environment]", door.environment.clone()),
                (
                    "inputs[trainyard_merge_request]",
                    merge_request.map(|iid| iid.to_string()),
                ),
            ],
        };
        let reply = self.main.send(&trigger)?;
        if reply.status == 404 {
            return Err(Problem::gitlab(
                format!(
                    "GitLab does not know the trigger token in `TRAINYARD_TRIGGER_TOKEN` as one of {}",
                    self.door.place()
                ),
                self.door.token_needed(),
            ));
        }
        reply.done()
    }

    fn play(&self, job: JobId) -> Answer<()> {
        let play = PlayJob::builder()
            .project(self.project())
            .job(job.0)
            .build()
            .map_err(|error| Problem::bug("a job cannot be played").caused_by(error))?;
        self.main.send(&play)?.done()
    }

    fn stop(&self, holder: &Holder) -> Answer<()> {
        let path = format!(
            "projects/{}/pipelines/{}/cancel",
            segment(holder.project.as_str()),
            holder.pipeline
        );
        let reply = self.main.send(&Post::new(path))?;
        match reply.status {
            404 => Ok(()),
            _ => reply.done(),
        }
    }

    fn one_is_coming(&self) -> Answer<bool> {
        let path = format!(
            "projects/{}/resource_groups/{}/upcoming_jobs",
            self.door.project, self.door.group
        );
        let upcoming: Option<Vec<serde_json::Value>> =
            self.main.send(&Get::new(path))?.json_or_missing()?;
        Ok(upcoming.is_some_and(|jobs| !jobs.is_empty()))
    }
}

impl Policies for GitLab<'_> {
    fn policy(&self, branch: &BranchName) -> Answer<Option<String>> {
        let path = format!(
            "projects/{}/repository/files/{}/raw",
            self.project(),
            segment(FILE)
        );
        let reply = self
            .main
            .send(&Get::new(path).with("ref", branch.as_str()))?;
        match reply.status {
            404 => Ok(None),
            _ => reply.done().map(|()| Some(reply.text())),
        }
    }

    fn member(
        &self,
        project: &ProjectPath,
        branch: Option<&BranchName>,
    ) -> Answer<Option<MemberProject>> {
        self.look_at_member(project, branch)
    }
}
