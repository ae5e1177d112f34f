//! Pipelines: what was asked for, from which configuration, and how it stands.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::State;
use crate::ci::definition::{AutoCancel, Variables};
use crate::engine::status::Status;
use crate::git::Commit;

/// What made a pipeline start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Push,
    Web,
    Trigger,
    Schedule,
    Api,
    External,
    /// Another project's pipeline.
    Pipeline,
    MergeRequestEvent,
    ParentPipeline,
}

impl Source {
    /// As the API and `CI_PIPELINE_SOURCE` write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Web => "web",
            Self::Trigger => "trigger",
            Self::Schedule => "schedule",
            Self::Api => "api",
            Self::External => "external",
            Self::Pipeline => "pipeline",
            Self::MergeRequestEvent => "merge_request_event",
            Self::ParentPipeline => "parent_pipeline",
        }
    }
}

/// A variable given to one pipeline, schedule or played job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenVariable {
    pub key: String,
    pub value: String,
    /// A file whose path the job sees.
    pub file: bool,
    pub raw: bool,
}

/// A pipeline.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pub id: u64,
    pub iid: u64,
    pub project_id: u64,
    pub sha: String,
    pub before_sha: String,
    /// A branch, a tag, or `refs/merge-requests/:iid/head`.
    pub git_ref: String,
    pub tag: bool,
    /// The message of an annotated tag.
    pub tag_message: String,
    pub source: Source,
    pub status: Status,
    pub user_id: u64,
    pub name: Option<String>,
    pub yaml_errors: Option<String>,
    /// May use protected variables.
    pub protected: bool,
    pub merge_request_id: Option<u64>,
    /// The bridge that made it.
    pub source_job_id: Option<u64>,
    pub trigger_id: Option<u64>,
    pub schedule_id: Option<u64>,
    pub variables: Vec<GivenVariable>,
    pub inputs: Map<String, Value>,
    /// Global variables of the configuration.
    pub yaml_variables: Variables,
    pub stages: Vec<String>,
    pub auto_cancel: AutoCancel,
    pub auto_canceled_by_id: Option<u64>,
    pub commit: Option<Commit>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

impl Pipeline {
    /// Is it a child of a pipeline of the same project?
    pub fn is_child(&self) -> bool {
        self.source == Source::ParentPipeline
    }
}

impl State {
    /// The pipelines of a project, children too, oldest first.
    pub fn pipelines_of(&self, project: u64) -> impl DoubleEndedIterator<Item = &Pipeline> {
        self.pipelines
            .iter()
            .filter(move |pipeline| pipeline.project_id == project)
    }

    /// The pipeline that a pipeline was made by, in whatever project.
    pub fn upstream_of(&self, pipeline: &Pipeline) -> Option<&Pipeline> {
        let bridge = self.jobs.get(pipeline.source_job_id?)?;
        self.pipelines.get(bridge.pipeline_id)
    }

    /// The parents, grandparents and so on of a child pipeline, nearest first.
    pub fn ancestors_of<'a>(
        &'a self,
        pipeline: &'a Pipeline,
    ) -> impl Iterator<Item = &'a Pipeline> {
        let parent = |pipeline: &'a Pipeline| {
            pipeline
                .is_child()
                .then(|| self.upstream_of(pipeline))
                .flatten()
        };
        std::iter::successors(parent(pipeline), move |pipeline| parent(pipeline))
    }

    /// The children, grandchildren and so on of a pipeline.
    pub fn descendants_of(&self, pipeline: u64) -> Vec<u64> {
        let mut found = Vec::new();
        let mut open = vec![pipeline];
        while let Some(parent) = open.pop() {
            let children: Vec<u64> = self
                .jobs_of(parent)
                .filter_map(|job| job.downstream_pipeline_id)
                .filter(|id| self.pipelines.get(*id).is_some_and(Pipeline::is_child))
                .collect();
            found.extend(&children);
            open.extend(children);
        }
        found
    }

    /// Takes a pipeline out with its jobs and children.
    pub fn remove_pipeline(&mut self, pipeline: u64) {
        for doomed in self.descendants_of(pipeline).into_iter().chain([pipeline]) {
            self.pipelines.remove(doomed);
            self.jobs.retain(|job| job.pipeline_id != doomed);
        }
    }
}
