//! The queue of jobs that wait for a runner: who may take which, and what is settled at the moment of taking.

use jiff::Timestamp;
use serde_json::Value;

use super::cross_dependencies::cross_dependencies;
use super::status::Status;
use super::transition::{drop_job, move_job};
use super::variables::Server;
use crate::ci::definition::AllowFailure;
use crate::store::State;
use crate::store::jobs::{Job, Taken};
use crate::store::pipelines::Pipeline;
use crate::store::runners::{Runner, RunnerScope};

/// Who takes a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taker<'a> {
    pub(crate) runner_id: u64,
    pub(crate) manager_id: Option<u64>,
    /// What its program says it can do; `None`: everything.
    pub(crate) features: Option<&'a Value>,
}

impl Taker<'_> {
    fn can(&self, feature: &str) -> bool {
        self.features
            .is_none_or(|features| features[feature] == Value::Bool(true))
    }
}

/// A job as its runner gets it.
#[derive(Debug, Clone)]
pub(crate) struct TakenJob {
    pub(crate) job: Job,
    pub(crate) pipeline: Pipeline,
    pub(crate) runner: Runner,
    /// `group/project`.
    pub(crate) path: String,
    pub(crate) token: String,
    pub(crate) timeout_seconds: u64,
    /// How deep to fetch unless the job's variables say otherwise.
    pub(crate) default_depth: i64,
    /// The jobs whose artifacts and dotenv variables it gets.
    pub(crate) earlier: Vec<u64>,
}

/// The oldest waiting job that a runner may take.
pub(crate) fn next_for(state: &State, runner: &Runner) -> Option<u64> {
    if runner.paused {
        return None;
    }
    waiting(state)
        .find(|job| may_take(state, runner, job))
        .map(|job| job.id)
}

/// The jobs that wait for a runner, oldest first.
pub(crate) fn waiting(state: &State) -> impl Iterator<Item = &Job> {
    let pending = |job: &&Job| job.status == Status::Pending && job.is_build();
    state.jobs.iter().filter(pending)
}

/// Scope, tags and protection; not whether the runner is paused.
pub(crate) fn may_take(state: &State, runner: &Runner, job: &Job) -> bool {
    let Some(project) = state.projects.get(job.project_id) else {
        return false;
    };
    let settings = &project.settings;
    let in_scope = match &runner.scope {
        RunnerScope::Instance => settings.shared_runners_enabled,
        RunnerScope::Group(group) => {
            settings.group_runners_enabled
                && state
                    .with_ancestors(project.namespace_id)
                    .any(|above| above == *group)
        }
        RunnerScope::Projects(projects) => projects.contains(&job.project_id),
    };
    let guarded = state
        .pipelines
        .get(job.pipeline_id)
        .is_some_and(|pipeline| pipeline.protected);
    let tags = job
        .definition()
        .map(|definition| definition.tags.as_slice())
        .unwrap_or_default();
    in_scope
        && (guarded || !runner.protected)
        && (runner.run_untagged || !tags.is_empty())
        && tags.iter().all(|tag| runner.tags.contains(tag))
}

/// Gives a waiting job to a runner; `None` if it is not waiting any more, or fails because it cannot run there.
pub(crate) fn take(
    server: Server<'_>,
    state: &mut State,
    id: u64,
    taker: &Taker<'_>,
    now: Timestamp,
) -> Option<TakenJob> {
    let job = state.jobs.get(id)?;
    if job.status != Status::Pending {
        return None;
    }
    if job.build().is_some_and(|build| !build.id_tokens.is_empty()) {
        refuse_id_tokens(state, id, now);
        return None;
    }
    if let Some(reason) = obstacle(state, job, taker) {
        drop_job(state, id, reason, now);
        return None;
    }
    let runner = state.runners.get(taker.runner_id)?.clone();
    let pipeline = state.pipelines.get(job.pipeline_id)?.clone();
    let Some(elsewhere) = cross_dependencies(server, state, &pipeline, job) else {
        drop_job(state, id, "missing_dependency_failure", now);
        return None;
    };
    let project = state.projects.get(job.project_id)?;
    let path = state.project_path(project);
    let longest = u64::try_from(project.settings.build_timeout).unwrap_or(3600);
    let wished = job.definition()?.timeout_seconds.unwrap_or(longest);
    let most = runner
        .maximum_timeout
        .and_then(|most| u64::try_from(most).ok());
    let timeout_seconds = wished.min(most.unwrap_or(wished));
    let default_depth = project.settings.ci_default_git_depth.unwrap_or(0);
    let earlier = dependencies(state, &pipeline, job)
        .chain(elsewhere)
        .map(|other| other.id)
        .collect();
    let (name, project, user) = (job.name.clone(), job.project_id, job.user_id);
    move_job(state, id, Status::Running, now);
    let token = state.issue_job_token(id, &name, pipeline.id, project, user);
    let job = state.jobs.get_mut(id)?;
    job.taken = Some(Taken {
        runner_id: runner.id,
        manager_id: taker.manager_id,
        token: token.clone(),
        cancel_gracefully: taker.can("cancel_gracefully"),
        timeout_seconds,
        heard_at: now,
        trace_bytes: 0,
        trace_rest: Vec::new(),
    });
    Some(TakenJob {
        job: job.clone(),
        pipeline,
        runner,
        path,
        token,
        timeout_seconds,
        default_depth,
        earlier,
    })
}

/// A token that nobody could verify would be worse than none.
fn refuse_id_tokens(state: &mut State, id: u64, now: Timestamp) {
    if let Some(job) = state.jobs.get_mut(id) {
        job.trace
            .push_str("sandbox: `id_tokens` are not implemented; the job is not run\n");
    }
    drop_job(state, id, "runner_unsupported", now);
}

/// Why the job cannot run there.
fn obstacle(state: &State, job: &Job, taker: &Taker<'_>) -> Option<&'static str> {
    let (definition, build) = (job.definition()?, job.build()?);
    let pipeline = state.pipelines.get(job.pipeline_id)?;
    let erased = |other: &Job| other.erased_at.is_some();
    if dependencies(state, pipeline, job).any(erased) {
        return Some("missing_dependency_failure");
    }
    let artifacts = build.artifacts.as_ref();
    let lacks = [
        (
            "upload_multiple_artifacts",
            artifacts.is_some_and(|artifacts| !artifacts.reports.is_empty()),
        ),
        (
            "artifacts_exclude",
            artifacts.is_some_and(|artifacts| !artifacts.exclude.is_empty()),
        ),
        ("refspecs", pipeline.merge_request_id.is_some()),
        ("multi_build_steps", build.release.is_some()),
        (
            "return_exit_code",
            matches!(definition.allow_failure, AllowFailure::ExitCodes(_)),
        ),
    ];
    let lacking = lacks
        .iter()
        .any(|(feature, wanted)| *wanted && !taker.can(feature));
    if lacking {
        return Some("runner_unsupported");
    }
    let blocked = state
        .users
        .get(job.user_id)
        .is_some_and(|user| user.state == "blocked");
    blocked.then_some("user_blocked")
}

/// The jobs whose artifacts and dotenv variables a job gets.
pub(crate) fn dependencies<'a>(
    state: &'a State,
    pipeline: &Pipeline,
    job: &'a Job,
) -> impl Iterator<Item = &'a Job> {
    let definition = job.definition();
    let needed = move |other: &&Job| {
        definition.is_some_and(|definition| match &definition.needs {
            Some(needs) => needs
                .iter()
                .any(|need| need.artifacts && need.job == other.name),
            None => other.stage_index < job.stage_index,
        })
    };
    let listed = move |other: &&Job| {
        definition
            .and_then(|definition| definition.dependencies.as_ref())
            .is_none_or(|names| names.contains(&other.name))
    };
    state
        .current_jobs_of(pipeline.id)
        .filter(|other| other.is_build())
        .filter(needed)
        .filter(listed)
}

/// What a runner fetches: the pipeline's own ref, and the branch or tag.
pub(crate) fn refspecs(pipeline: &Pipeline, depth: i64) -> Vec<String> {
    let own = format!("+refs/pipelines/{0}:refs/pipelines/{0}", pipeline.id);
    let name = &pipeline.git_ref;
    if depth <= 0 {
        return vec![
            own,
            "+refs/heads/*:refs/remotes/origin/*".to_owned(),
            "+refs/tags/*:refs/tags/*".to_owned(),
        ];
    }
    if pipeline.merge_request_id.is_some() {
        return vec![own];
    }
    let named = if pipeline.tag {
        format!("+refs/tags/{name}:refs/tags/{name}")
    } else {
        format!("+refs/heads/{name}:refs/remotes/origin/{name}")
    };
    vec![own, named]
}
