//! Creating a pipeline: who, on what, from which configuration; the steps in GitLab's order.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde_json::{Map, Value};

use super::configuration::{Uncompiled, compile, project_configuration};
use super::external::Report;
use super::status::Status;
use super::{cancel, deployments, merge_requests, permissions};
use crate::ci::definition::{AllowFailure, AutoCancel, JobDefinition, PipelineDefinition};
use crate::git::{Commit, GitError, ZERO};
use crate::shared::Shared;
use crate::store::State;
use crate::store::jobs::{Job, Work};
use crate::store::pipelines::{GivenVariable, Pipeline, Source};
use crate::versions::Version;

/// The variable that holds what the caller of a trigger sent.
pub(crate) const TRIGGER_PAYLOAD: &str = "TRIGGER_PAYLOAD";

/// The commit and ref that a pipeline runs on.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// A branch, a tag, or `refs/merge-requests/:iid/head`.
    pub(crate) git_ref: String,
    pub(crate) tag: bool,
    pub(crate) sha: String,
    /// What the ref pointed at before, if that is known; changed paths are counted from there.
    pub(crate) before: Option<String>,
    pub(crate) merge_request_id: Option<u64>,
}

/// An order for a pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) project: u64,
    pub(crate) user: u64,
    pub(crate) source: Source,
    pub(crate) target: Target,
    pub(crate) variables: Vec<GivenVariable>,
    pub(crate) inputs: Map<String, Value>,
    pub(crate) trigger_id: Option<u64>,
    pub(crate) schedule_id: Option<u64>,
    /// The bridge that asks for it.
    pub(crate) source_job_id: Option<u64>,
    /// A configuration in place of the project's own.
    pub(crate) configuration: Option<String>,
    /// A wrong configuration gives a failed pipeline instead of a refusal.
    pub(crate) keep_failed: bool,
    /// `[skip ci]` in the commit message counts.
    pub(crate) skippable: bool,
    /// It is to be skipped whatever the commit says.
    pub(crate) skipped: bool,
}

impl Order {
    /// An order without variables, from the project's own configuration.
    pub(crate) fn new(project: u64, user: u64, source: Source, target: Target) -> Self {
        Self {
            project,
            user,
            source,
            target,
            variables: Vec::new(),
            inputs: Map::new(),
            trigger_id: None,
            schedule_id: None,
            source_job_id: None,
            configuration: None,
            keep_failed: true,
            skippable: false,
            skipped: false,
        }
    }
}

/// Why there is no pipeline, in GitLab's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

impl From<GitError> for Refusal {
    fn from(error: GitError) -> Self {
        Self(error.to_string())
    }
}

/// The branch or tag of a name, short or in full.
pub(crate) fn target_of(shared: &Shared, project: u64, name: &str) -> Result<Target, Refusal> {
    let repository = shared.repository(project);
    let find = |prefix: &str, short: &str| repository.resolve(&format!("{prefix}{short}"));
    let target = |git_ref: &str, tag: bool, sha: String| Target {
        git_ref: git_ref.to_owned(),
        tag,
        sha,
        before: None,
        merge_request_id: None,
    };
    let missing = || Refusal("Reference not found".to_owned());
    if let Some(branch) = name.strip_prefix("refs/heads/") {
        let sha = find("refs/heads/", branch)?.ok_or_else(missing)?;
        return Ok(target(branch, false, sha));
    }
    if let Some(tag) = name.strip_prefix("refs/tags/") {
        let sha = find("refs/tags/", tag)?.ok_or_else(missing)?;
        return Ok(target(tag, true, sha));
    }
    match (find("refs/heads/", name)?, find("refs/tags/", name)?) {
        (Some(_), Some(_)) => Err(Refusal("Ref is ambiguous".to_owned())),
        (Some(sha), None) => Ok(target(name, false, sha)),
        (None, Some(sha)) => Ok(target(name, true, sha)),
        (None, None) => Err(missing()),
    }
}

/// Creates a pipeline; the caller settles the engine afterwards. Call it without holding the state.
pub(super) fn create(shared: &Shared, order: Order) -> Result<u64, Refusal> {
    check_rights(&shared.state(), &order, shared.clock.now())?;
    let repository = shared.repository(order.project);
    let commit = repository
        .commit(&order.target.sha)?
        .ok_or_else(|| Refusal("Commit not found".to_owned()))?;
    let tag_message = if order.target.tag {
        repository.tag_message(&order.target.git_ref)?
    } else {
        String::new()
    };
    let skipped = order.skipped || (order.skippable && asks_to_skip(&commit.message));
    let now = shared.clock.now();
    let mut pipeline = {
        let mut state = shared.state();
        let iid = state.next_iid(order.project, "pipelines");
        let version = shared.version;
        draft(version, &state, &order, iid, Some(commit), tag_message, now)
    };
    if skipped {
        pipeline.status = Status::Skipped;
        return Ok(store(shared, &order, pipeline, Vec::new()));
    }
    let text = match order.configuration.clone() {
        Some(text) => text,
        None => project_configuration(shared, &order)?,
    };
    match compile(shared, &order, &pipeline, &text) {
        Ok(definition) => {
            let PipelineDefinition {
                name,
                auto_cancel,
                stages,
                variables,
                jobs,
            } = definition;
            pipeline.name = name;
            pipeline.auto_cancel = auto_cancel;
            pipeline.stages = stages;
            pipeline.yaml_variables = variables;
            Ok(store(shared, &order, pipeline, jobs))
        }
        Err(Uncompiled::Wrong(error)) if order.keep_failed => {
            pipeline.status = Status::Failed;
            pipeline.finished_at = Some(pipeline.created_at);
            pipeline.yaml_errors = Some(error);
            Ok(store(shared, &order, pipeline, Vec::new()))
        }
        Err(Uncompiled::Wrong(error) | Uncompiled::Filtered(error)) => Err(Refusal(error)),
    }
}

fn started_lately(state: &State, order: &Order, now: Timestamp) -> usize {
    let minute = SignedDuration::from_mins(1);
    let lately = state.pipelines_of(order.project).filter(|row| {
        row.user_id == order.user
            && row.sha == order.target.sha
            && now.duration_since(row.created_at) < minute
    });
    lately.count()
}

pub(super) fn check_rights(state: &State, order: &Order, now: Timestamp) -> Result<(), Refusal> {
    let target = &order.target;
    let refusal = permissions::refusal_to_create(
        state,
        order.user,
        order.project,
        &target.git_ref,
        target.tag,
    );
    if let Some(text) = refusal {
        return Err(Refusal(text));
    }
    if let Some(limit) = state.limits.pipelines_per_minute
        && order.source != Source::ParentPipeline
        && started_lately(state, order, now) >= limit
    {
        let text = "Too many pipelines created in the last minute. Try again later.";
        return Err(Refusal(text.to_owned()));
    }
    // Variables that a parent forwards, and the payload of a trigger, are nobody's override.
    let overrides = order.source != Source::ParentPipeline
        && order
            .variables
            .iter()
            .any(|variable| variable.key != TRIGGER_PAYLOAD);
    if overrides && !permissions::may_set_variables(state, order.user, order.project) {
        return Err(Refusal(
            "Insufficient permissions to set pipeline variables".to_owned(),
        ));
    }
    Ok(())
}

fn asks_to_skip(message: &str) -> bool {
    static SKIP: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)\[(ci[ _-]skip|skip[ _-]ci)\]").ok());
    SKIP.as_ref().is_some_and(|skip| skip.is_match(message))
}

/// The pipeline as far as it is known before its configuration is read.
pub(super) fn draft(
    version: Version,
    state: &State,
    order: &Order,
    iid: u64,
    commit: Option<Commit>,
    tag_message: String,
    now: Timestamp,
) -> Pipeline {
    let target = order.target.clone();
    let mut pipeline = Pipeline {
        id: 0,
        iid,
        project_id: order.project,
        sha: target.sha,
        before_sha: target
            .before
            .filter(|_| target.merge_request_id.is_none())
            .unwrap_or_else(|| ZERO.to_owned()),
        git_ref: target.git_ref,
        tag: target.tag,
        tag_message,
        source: order.source,
        status: Status::Created,
        user_id: order.user,
        name: None,
        yaml_errors: None,
        protected: false,
        merge_request_id: target.merge_request_id,
        source_job_id: order.source_job_id,
        trigger_id: order.trigger_id,
        schedule_id: order.schedule_id,
        variables: order.variables.clone(),
        inputs: order.inputs.clone(),
        yaml_variables: Vec::new(),
        stages: Vec::new(),
        auto_cancel: AutoCancel::default(),
        auto_canceled_by_id: None,
        commit,
        created_at: now,
        updated_at: now,
        started_at: None,
        finished_at: None,
    };
    pipeline.protected = permissions::is_protected(version, state, &pipeline);
    pipeline
}

/// The pipeline of a commit status that finds none.
pub(super) fn draft_external(
    version: Version,
    state: &mut State,
    report: &Report,
    git_ref: String,
    commit: Commit,
    now: Timestamp,
) -> Pipeline {
    let target = Target {
        git_ref,
        tag: false,
        sha: commit.id.clone(),
        before: None,
        merge_request_id: None,
    };
    let order = Order::new(report.project, report.user, Source::External, target);
    let iid = state.next_iid(report.project, "pipelines");
    draft(
        version,
        state,
        &order,
        iid,
        Some(commit),
        String::new(),
        now,
    )
}

/// Writes pipeline and jobs, then lets the engine see them.
fn store(shared: &Shared, order: &Order, pipeline: Pipeline, jobs: Vec<JobDefinition>) -> u64 {
    let repository = shared.repository(order.project);
    let sha = pipeline.sha.clone();
    let id = {
        let mut state = shared.state();
        let id = state.pipelines.insert(|id| Pipeline { id, ..pipeline });
        if let Some(bridge) = order.source_job_id.and_then(|id| state.jobs.get_mut(id)) {
            bridge.downstream_pipeline_id = Some(id);
        }
        id
    };
    // Runners fetch this ref, so it must be there before a job can be taken.
    if let Err(error) = repository.set_ref(&format!("refs/pipelines/{id}"), &sha) {
        shared
            .report
            .say(&format!("the ref of pipeline {id} cannot be made: {error}"));
    }
    let head_ref = if order.target.tag {
        format!("refs/tags/{}", order.target.git_ref)
    } else if order.target.merge_request_id.is_some() {
        order.target.git_ref.clone()
    } else {
        format!("refs/heads/{}", order.target.git_ref)
    };
    let head = repository.resolve(&head_ref).ok().flatten();
    let now = shared.clock.now();
    let mut state = shared.state();
    let runs = !jobs.is_empty();
    add_jobs(&mut state, id, jobs, now);
    state.touched_pipelines.insert(id);
    merge_requests::update_heads(&mut state, id);
    // One that was skipped or is wrong takes no other's place.
    if runs {
        cancel::cancel_redundant(&mut state, id, head.as_deref(), now);
    }
    id
}

fn add_jobs(state: &mut State, id: u64, jobs: Vec<JobDefinition>, now: Timestamp) {
    let Some(pipeline) = state.pipelines.get(id).cloned() else {
        return;
    };
    let place = |job: &JobDefinition| {
        let stages = &pipeline.stages;
        let found = stages.iter().position(|stage| *stage == job.stage);
        found.unwrap_or(stages.len())
    };
    let mut jobs: Vec<(usize, JobDefinition)> =
        jobs.into_iter().map(|job| (place(&job), job)).collect();
    jobs.sort_by_key(|(stage, _)| *stage);
    for (stage_index, definition) in jobs {
        if let Some(environment) = &definition.environment {
            deployments::ensure_environment(state, pipeline.project_id, environment, now);
        }
        let resource_group_id = definition
            .resource_group
            .as_ref()
            .map(|key| state.ensure_resource_group(pipeline.project_id, key, now));
        state.jobs.insert(|id| Job {
            id,
            project_id: pipeline.project_id,
            pipeline_id: pipeline.id,
            name: definition.name.clone(),
            stage: definition.stage.clone(),
            stage_index,
            status: Status::Created,
            allow_failure: definition.allow_failure == AllowFailure::Yes,
            work: Work::Defined(Box::new(definition)),
            user_id: pipeline.user_id,
            resource_group_id,
            ..Job::blank(now)
        });
    }
}
