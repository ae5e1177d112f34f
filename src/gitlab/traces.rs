//! What GitLab keeps of the gate's work: merges by its own user, tags, running workers, the resource group.

use jiff::Timestamp;
use serde::Deserialize;

use super::endpoints::{Get, Page};
use super::{GitLab, translate, wire};
use crate::domain::ids::{BranchName, JobId, PipelineId};
use crate::domain::validation::Partly;
use crate::domain::versioning::Number;
use crate::outcome::Problem;
use crate::ports::{Answer, MergedByGate, Traces, WaitingJob};

/// How many pages of 100 merge requests are looked at.
const MOST_PAGES: u64 = 10;
/// The job by which a worker's pipeline is known.
const WORKER_JOB: &str = "nrt-acquire";
/// What the name of a worker's pipeline begins with; its resource group follows, which is that of its environment.
const WORKER_OF: &str = "Worker of ";

#[derive(Debug, Deserialize)]
struct Merged {
    #[serde(flatten)]
    merge_request: wire::MergeRequest,
    #[serde(default)]
    merged_at: Option<String>,
    #[serde(default, alias = "merged_by")]
    merge_user: Option<wire::User>,
}

#[derive(Debug, Deserialize)]
struct Running {
    id: u64,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Upcoming {
    id: u64,
    status: String,
    created_at: String,
    pipeline: Running,
}

impl Traces for GitLab<'_> {
    fn merged_by_gate(&self, branch: &BranchName) -> Answer<Partly<MergedByGate>> {
        let me: wire::User = self.main.send(&Get::new("user"))?.json()?;
        let list: Vec<serde_json::Value> = self.main.list(MOST_PAGES, |number| {
            let of = Get::new(format!("projects/{}/merge_requests", self.project()))
                .with("state", "merged")
                .with("target_branch", branch.as_str())
                .with("order_by", "updated_at")
                .with("sort", "desc");
            Ok(Page { of, number })
        })?;
        let complete = (list.len() as u64) < MOST_PAGES * 100;
        let mut seen = Vec::new();
        for value in list {
            let merged: Merged = merged(value)?;
            let by_gate = merged
                .merge_user
                .as_ref()
                .is_some_and(|user| user.username == me.username);
            let (true, Some(at), true) = (
                by_gate,
                merged.merged_at.as_deref(),
                merged.merge_request.sha.is_some(),
            ) else {
                continue;
            };
            let at = instant("merged_at", at)?;
            let merge_request = translate::merge_request(&self.ci.project, merged.merge_request)?;
            if let Some(landed) = merge_request.landed.clone() {
                seen.push(MergedByGate {
                    merge_request,
                    landed,
                    at,
                });
            }
        }
        Ok(Partly { seen, complete })
    }

    fn numbered_tags(&self, prefix: &str) -> Answer<u64> {
        let path = format!("projects/{}/repository/tags", self.project());
        let tags: Vec<wire::Tag> = self.main.list(MOST_PAGES, |number| {
            let of = Get::new(path.clone()).with("search", format!("^{prefix}"));
            Ok(Page { of, number })
        })?;
        let ours = tags
            .iter()
            .filter(|tag| Number::of_tag(&tag.name, prefix).is_some());
        Ok(ours.count() as u64)
    }

    fn running_workers(&self) -> Answer<Vec<PipelineId>> {
        let path = format!("projects/{}/pipelines", self.project());
        // Children are left out of the list unless they are asked for.
        let running: Vec<Running> = self
            .main
            .send(&Page {
                of: Get::new(path)
                    .with("source", "parent_pipeline")
                    .with("scope", "running"),
                number: 1,
            })?
            .json()?;
        let mut workers = Vec::new();
        for pipeline in running {
            // Older templates give no name.
            let name = pipeline.name.as_deref().unwrap_or_default();
            if let Some(group) = name.strip_prefix(WORKER_OF) {
                if group == self.door.group {
                    workers.push(PipelineId(pipeline.id));
                }
                continue;
            }
            let path = format!("projects/{}/pipelines/{}/jobs", self.project(), pipeline.id);
            let jobs: Vec<wire::Job> = self
                .main
                .send(&Page {
                    of: Get::new(path),
                    number: 1,
                })?
                .json()?;
            if jobs.iter().any(|job| job.name == WORKER_JOB) {
                workers.push(PipelineId(pipeline.id));
            }
        }
        Ok(workers)
    }

    fn waiting_at_the_gate(&self) -> Answer<Vec<WaitingJob>> {
        let path = format!(
            "projects/{}/resource_groups/{}/upcoming_jobs",
            self.door.project, self.door.group
        );
        let upcoming: Option<Vec<Upcoming>> = self.main.send(&Get::new(path))?.json_or_missing()?;
        upcoming
            .unwrap_or_default()
            .into_iter()
            .filter(|job| job.status == "waiting_for_resource")
            .map(|job| {
                Ok(WaitingJob {
                    job: JobId(job.id),
                    pipeline: PipelineId(job.pipeline.id),
                    since: instant("created_at", &job.created_at)?,
                })
            })
            .collect()
    }
}

/// `merge_user` and the older `merged_by` stand side by side on servers that know both.
fn merged(mut value: serde_json::Value) -> Answer<Merged> {
    if let Some(fields) = value.as_object_mut()
        && fields.contains_key("merge_user")
    {
        fields.remove("merged_by");
    }
    serde_json::from_value(value).map_err(|error| {
        Problem::gitlab(
            "GitLab told of a merge request in a form that we do not understand",
            "check that the server is a GitLab of version 16.11 or later",
        )
        .caused_by(error)
    })
}

fn instant(field: &str, text: &str) -> Answer<Timestamp> {
    translate::field(field, text)
}
