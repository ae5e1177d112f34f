//! Taking a job: which one, and everything that is fixed at that moment (variables above all).

use std::collections::BTreeMap;

use super::driving::JobInfo;
use super::{VERSION, workspace::Workspace};
use crate::ci::definition::Build;
use crate::engine::status::Status;
use crate::engine::variables::{self, JobVariable, Running, Server};
use crate::engine::{self, cross_dependencies, drop_job, move_job};
use crate::shared::Shared;
use crate::store::State;
use crate::store::jobs::{ArchivedFile, Job};
use crate::store::pipelines::Pipeline;

/// A job in the hands of the runner.
pub(super) struct Assignment {
    pub(super) job_id: u64,
    pub(super) job_name: String,
    pub(super) pipeline_id: u64,
    pub(super) build: Build,
    pub(super) workspace: Workspace,
    pub(super) timeout_seconds: u64,
    pub(super) variables: BTreeMap<String, JobVariable>,
    /// The contents of the variables that are files.
    pub(super) files: BTreeMap<String, String>,
    /// What must not appear in the trace.
    pub(super) secrets: Vec<String>,
    /// Where the commit is fetched from, and what: the pipeline's ref and the branch or tag.
    pub(super) sources: Sources,
    /// Artifacts of earlier jobs, by the names of these.
    pub(super) downloads: Vec<(String, Vec<ArchivedFile>)>,
}

/// What to fetch.
pub(super) struct Sources {
    pub(super) url: String,
    pub(super) sha: String,
    pub(super) refspecs: Vec<String>,
    pub(super) depth: i64,
}

/// Takes the oldest pending job that fits.
pub(super) fn claim(shared: &Shared, fits: impl Fn(&JobInfo) -> bool) -> Option<Assignment> {
    engine::settle(shared);
    let assignment = {
        let mut state = shared.state();
        loop {
            let id = state
                .jobs
                .iter()
                .filter(|job| job.status == Status::Pending && job.is_build())
                .find(|job| fits(&JobInfo::of(&state, job)))?
                .id;
            if has_dependencies(shared, &state, id) {
                break assign(shared, &mut state, id)?;
            }
            let now = shared.clock.now();
            drop_job(&mut state, id, "missing_dependency_failure", now);
        }
    };
    engine::settle(shared);
    Some(assignment)
}

/// Whether the artifacts that the job wants of other pipelines are there.
fn has_dependencies(shared: &Shared, state: &State, id: u64) -> bool {
    let job = state.jobs.get(id);
    let pipeline = job.and_then(|job| state.pipelines.get(job.pipeline_id));
    job.zip(pipeline).is_some_and(|(job, pipeline)| {
        cross_dependencies(Server::from(shared), state, pipeline, job).is_some()
    })
}

fn assign(shared: &Shared, state: &mut State, id: u64) -> Option<Assignment> {
    let now = shared.clock.now();
    move_job(state, id, Status::Running, now);
    let job = state.jobs.get(id)?.clone();
    let pipeline = state.pipelines.get(job.pipeline_id)?.clone();
    let project = state.projects.get(job.project_id)?;
    let path = state.project_path(project);
    let depth = project.settings.ci_default_git_depth.unwrap_or(0);
    let longest = u64::try_from(project.settings.build_timeout).unwrap_or(3600);
    let timeout_seconds = job.definition()?.timeout_seconds.unwrap_or(longest);
    let token = state.issue_job_token(id, &job.name, pipeline.id, job.project_id, job.user_id);
    let workspace = Workspace::of(&shared.data_dir, id, &path);
    let mut earlier = dependencies(state, &pipeline, &job);
    earlier.extend(cross_dependencies(
        Server::from(shared),
        state,
        &pipeline,
        &job,
    )?);
    let running = Running {
        token: &token,
        started_at: now,
        timeout_seconds,
        runner: runner_variables(&workspace, &job),
        inherited: earlier
            .iter()
            .flat_map(|other| other.dotenv.iter().cloned())
            .collect(),
    };
    let all = variables::for_job(Server::from(shared), state, &pipeline, &job, &running);
    let (all, files) = with_paths(all, &workspace);
    let address = shared.url.trim_start_matches("http://");
    let variables = variables::expanded(&all);
    let secrets = variables
        .values()
        .filter(|variable| variable.masked)
        .map(|variable| match files.get(&variable.key) {
            Some(content) if variable.file => content.clone(),
            Some(_) | None => variable.value.clone(),
        })
        .filter(|secret| !secret.is_empty())
        .collect();
    let depth = variables
        .get("GIT_DEPTH")
        .and_then(|variable| variable.value.parse().ok())
        .unwrap_or(depth);
    Some(Assignment {
        job_id: id,
        job_name: job.name.clone(),
        pipeline_id: pipeline.id,
        build: engine::build_with_inputs(&job)?,
        timeout_seconds,
        sources: Sources {
            url: format!("http://gitlab-ci-token:{token}@{address}/{path}.git"),
            sha: pipeline.sha.clone(),
            refspecs: refspecs(&pipeline, depth),
            depth,
        },
        downloads: earlier
            .iter()
            .filter(|other| !other.files.is_empty())
            .map(|other| (other.name.clone(), other.files.clone()))
            .collect(),
        workspace,
        variables,
        files,
        secrets,
    })
}

/// The variables with the path in place of the content of those that are files, and the contents.
fn with_paths(
    all: Vec<JobVariable>,
    workspace: &Workspace,
) -> (Vec<JobVariable>, BTreeMap<String, String>) {
    let mut files = BTreeMap::new();
    let all = all
        .into_iter()
        .map(|variable| {
            if !variable.file {
                return variable;
            }
            let path = text(&workspace.file(&variable.key));
            files.insert(variable.key.clone(), variable.value);
            JobVariable {
                value: path,
                ..variable
            }
        })
        .collect();
    (all, files)
}

/// The jobs whose artifacts and dotenv variables the job gets.
fn dependencies<'a>(state: &'a State, pipeline: &Pipeline, job: &Job) -> Vec<&'a Job> {
    let Some(definition) = job.definition() else {
        return Vec::new();
    };
    let needed = |other: &Job| match &definition.needs {
        Some(needs) => needs
            .iter()
            .any(|need| need.artifacts && need.job == other.name),
        None => other.stage_index < job.stage_index,
    };
    let listed = |other: &Job| {
        definition
            .dependencies
            .as_ref()
            .is_none_or(|names| names.contains(&other.name))
    };
    state
        .current_jobs_of(pipeline.id)
        .filter(|other| other.is_build() && needed(other) && listed(other))
        .collect()
}

fn refspecs(pipeline: &Pipeline, depth: i64) -> Vec<String> {
    let own = format!("+refs/pipelines/{0}:refs/pipelines/{0}", pipeline.id);
    let name = &pipeline.git_ref;
    if pipeline.merge_request_id.is_some() {
        return vec![own];
    }
    if depth == 0 {
        return vec![
            "+refs/heads/*:refs/remotes/origin/*".to_owned(),
            "+refs/tags/*:refs/tags/*".to_owned(),
            own,
        ];
    }
    let named = if pipeline.tag {
        format!("+refs/tags/{name}:refs/tags/{name}")
    } else {
        format!("+refs/heads/{name}:refs/remotes/origin/{name}")
    };
    vec![own, named]
}

fn runner_variables(workspace: &Workspace, job: &Job) -> Vec<(&'static str, String)> {
    let tags = job
        .definition()
        .map(|definition| definition.tags.as_slice())
        .unwrap_or_default();
    vec![
        ("CI_SERVER", "yes".to_owned()),
        ("CI_SHARED_ENVIRONMENT", "true".to_owned()),
        ("CI_DISPOSABLE_ENVIRONMENT", "false".to_owned()),
        ("CI_CONCURRENT_ID", "0".to_owned()),
        ("CI_CONCURRENT_PROJECT_ID", "0".to_owned()),
        ("CI_BUILDS_DIR", text(workspace.builds())),
        ("CI_PROJECT_DIR", text(workspace.project())),
        ("CI_RUNNER_ID", "1".to_owned()),
        ("CI_RUNNER_DESCRIPTION", "emulator".to_owned()),
        ("CI_RUNNER_TAGS", serde_json::json!(tags).to_string()),
        ("CI_RUNNER_SHORT_TOKEN", "emulator".to_owned()),
        ("CI_RUNNER_VERSION", VERSION.to_owned()),
        ("CI_RUNNER_REVISION", "emulator".to_owned()),
        ("CI_RUNNER_EXECUTABLE_ARCH", "linux/amd64".to_owned()),
    ]
}

fn text(path: &std::path::Path) -> String {
    path.display().to_string()
}
