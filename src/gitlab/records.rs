//! What GitLab recorded of pipelines and jobs; workers of the gate; the project's own rules.

use std::collections::BTreeMap;

use serde_json::json;

use super::endpoints::{Get, Graph, Page, Trigger, segment};
use super::{GitLab, translate, wire};
use crate::config::FILE;
use crate::domain::ids::{BranchName, UserName};
use crate::domain::nrt::{Holder, Liveness};
use crate::outcome::Problem;
use crate::ports::{Answer, Evidence, JobRecord, Policies, Records, Workers};

/// The resource group whose holder may use the NRT environment.
pub(crate) const RESOURCE_GROUP: &str = "trainyard-nrt";

/// A merge request and its pipelines with their jobs.
const DOSSIER: &str = "query($path: ID!, $iid: String!) {
  currentUser { username }
  project(fullPath: $path) {
    mergeRequest(iid: $iid) {
      @itself
      pipelines(first: 20) {
        nodes { id sha user { username } jobs(first: 100) { nodes { id name status manualJob allowFailure retried finishedAt } } }
      }
    }
  }
}";

impl GitLab<'_> {
    fn dossier(&self, iid: u64) -> Answer<wire::DossierMergeRequest> {
        let variables = json!({"path": self.ci.project.as_str(), "iid": iid.to_string()});
        let graph: wire::Graph<wire::DossierData> = self
            .writer()
            .ask(&Graph {
                query: DOSSIER
                    .replacen("@itself", &super::board::whole_merge_request(), 1)
                    .into(),
                variables,
            })?
            .json()?;
        let data = graph.data.ok_or_else(|| {
            let words: Vec<String> = graph
                .errors
                .into_iter()
                .map(|error| error.message)
                .collect();
            Problem::gitlab(
                format!(
                    "GitLab's GraphQL API refuses our query: {}",
                    words.join("; ")
                ),
                "check that the server is a GitLab of version 16.11 or later",
            )
        })?;
        self.writer_became_known(data.current_user);
        data.project
            .and_then(|project| project.merge_request)
            .ok_or_else(|| {
                Problem::gitlab(
                    format!(
                        "GitLab shows no merge request !{iid} to the token in `{}`",
                        self.writer().token().variable()
                    ),
                    "give the token's user at least the role Reporter in the project",
                )
            })
    }
}

impl Records for GitLab<'_> {
    fn evidence(&self, iid: u64) -> Answer<Evidence> {
        let found = self.dossier(iid)?;
        let mut users = BTreeMap::new();
        for pipeline in &found.pipelines.nodes {
            // Who played a validation is told by REST only; who asked for integration decides nothing.
            let of_interest = |job: &wire::DossierJob| {
                job.status.as_deref() == Some("SUCCESS")
                    && job
                        .name
                        .as_deref()
                        .is_some_and(|name| translate::validation_of(name).is_some())
            };
            if pipeline.jobs.nodes.iter().any(of_interest) {
                let path = format!(
                    "projects/{}/pipelines/{}/jobs",
                    self.project(),
                    translate::number_of(&pipeline.id)?
                );
                let jobs: Vec<wire::Job> = self.main.list(5, |number| {
                    Ok(Page {
                        of: Get::new(path.clone()).with("include_retried", true),
                        number,
                    })
                })?;
                users.extend(
                    jobs.into_iter()
                        .filter_map(|job| job.user.map(|user| (job.id, user))),
                );
            }
        }
        let itself = self.merge_request_on_board(found.itself)?;
        let mut evidence = translate::evidence(found.pipelines, &users)?;
        evidence.found = Some(itself);
        Ok(evidence)
    }

    fn player(&self) -> Answer<UserName> {
        let client = self.job.as_ref().ok_or_else(|| {
            Problem::misconfigured(
                "`CI_JOB_TOKEN` is not set, so GitLab cannot say who played this job",
                "this command runs inside a GitLab CI job",
            )
        })?;
        let job: wire::CurrentJob = client.send(&Get::new("job"))?.json()?;
        translate::field("user.username", &job.user.username)
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
                "make a pipeline trigger token in Settings > CI/CD > Pipeline trigger tokens as the gate's bot, and store it as the masked variable `TRAINYARD_TRIGGER_TOKEN`",
            )
        })?;
        let reference = self.ci.default_branch.as_str();
        let trigger = Trigger {
            project: self.project(),
            reference,
            token: token.reveal(),
            merge_request,
        };
        let reply = self.main.send(&trigger)?;
        if reply.status == 404 {
            return Err(Problem::gitlab(
                "GitLab does not know the trigger token in `TRAINYARD_TRIGGER_TOKEN`",
                "make a new pipeline trigger token in Settings > CI/CD > Pipeline trigger tokens, and store it as the masked variable `TRAINYARD_TRIGGER_TOKEN`",
            ));
        }
        reply.done()
    }

    fn one_is_coming(&self) -> Answer<bool> {
        let path = format!(
            "projects/{}/resource_groups/{RESOURCE_GROUP}/upcoming_jobs",
            self.project()
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
}
