//! Taking a job: which one, and everything that is fixed at that moment (variables above all).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::cache::Caches;
use super::driving::JobInfo;
use super::embedded::{self, VERSION};
use super::workspace::Workspace;
use crate::ci::definition::Build;
use crate::engine;
use crate::engine::caches;
use crate::engine::queue::{self, TakenJob, Taker};
use crate::engine::variables::{self, JobVariable, Running, Server};
use crate::shared::Shared;
use crate::store::State;
use crate::store::jobs::{ArchivedFile, Job};
use crate::store::runners::Runner;

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
    pub(super) caches: Caches,
    /// Artifacts of earlier jobs, by the names of these.
    pub(super) downloads: Vec<(String, Vec<ArchivedFile>)>,
}

/// What to fetch.
pub(super) struct Sources {
    pub(super) url: String,
    pub(super) sha: String,
    pub(super) git_ref: String,
    pub(super) refspecs: Vec<String>,
    pub(super) depth: i64,
}

/// Takes the oldest pending job that fits, whatever its tags, as the runner of this program that has no tags.
pub(super) fn claim(shared: &Shared, fits: impl Fn(&JobInfo) -> bool) -> Option<Assignment> {
    claim_by(shared, |state, now| {
        let runner = embedded::ensure(state, &[], now);
        let mut waiting = queue::waiting(state);
        let job = waiting.find(|job| fits(&JobInfo::of(state, job)))?.id;
        Some((runner, job))
    })
}

/// Takes the oldest pending job that a runner of this program may take.
pub(super) fn claim_for(shared: &Shared, runner: u64) -> Option<Assignment> {
    claim_by(shared, |state, now| {
        embedded::touch(state, runner, now);
        let job = queue::next_for(state, state.runners.get(runner)?)?;
        Some((runner, job))
    })
}

fn claim_by(
    shared: &Shared,
    choose: impl Fn(&mut State, Timestamp) -> Option<(u64, u64)>,
) -> Option<Assignment> {
    engine::tick::tick(shared);
    engine::settle(shared);
    let taken = {
        let mut state = shared.state();
        let now = shared.clock.now();
        let (runner, job) = choose(&mut state, now)?;
        let manager = state.managers_of(runner).next_back();
        let taker = Taker {
            runner_id: runner,
            manager_id: manager.map(|manager| manager.id),
            features: None,
        };
        queue::take(Server::from(shared), &mut state, job, &taker, now)
    };
    // Keys of caches may need git, which is not asked while the state is held.
    let assignment = taken.and_then(|taken| {
        let caches = caches::of(shared, &taken);
        assign(shared, &shared.state(), &taken, &caches)
    });
    engine::settle(shared);
    assignment
}

fn assign(
    shared: &Shared,
    state: &State,
    taken: &TakenJob,
    caches: &[Value],
) -> Option<Assignment> {
    let TakenJob {
        job,
        pipeline,
        path,
        token,
        timeout_seconds,
        ..
    } = taken;
    let workspace = Workspace::of(&shared.data_dir, job.id, path);
    let earlier: Vec<&Job> = taken
        .earlier
        .iter()
        .filter_map(|id| state.jobs.get(*id))
        .collect();
    let running = Running {
        token,
        started_at: job.started_at.unwrap_or(job.created_at),
        timeout_seconds: *timeout_seconds,
        runner: runner_variables(&workspace, &taken.runner),
        inherited: variables::inherited(&earlier),
    };
    let all = variables::for_job(Server::from(shared), state, pipeline, job, &running);
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
        .unwrap_or(taken.default_depth);
    Some(Assignment {
        job_id: job.id,
        job_name: job.name.clone(),
        pipeline_id: pipeline.id,
        build: engine::build_with_inputs(job)?,
        timeout_seconds: *timeout_seconds,
        sources: Sources {
            url: format!("http://gitlab-ci-token:{token}@{address}/{path}.git"),
            sha: pipeline.sha.clone(),
            git_ref: pipeline.git_ref.clone(),
            refspecs: queue::refspecs(pipeline, depth),
            depth,
        },
        downloads: earlier
            .iter()
            .filter(|other| !other.files.is_empty())
            .map(|other| (other.name.clone(), other.files.clone()))
            .collect(),
        caches: Caches {
            dir: shared.data_dir.join(format!("cache/{}", job.project_id)),
            list: caches
                .iter()
                .map(|cache| variables::substituted_in(cache, &variables))
                .collect(),
        },
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

fn runner_variables(workspace: &Workspace, runner: &Runner) -> Vec<(&'static str, String)> {
    let mut all = variables::of_runner(runner);
    all.extend([
        ("CI_SERVER", "yes".to_owned()),
        ("CI_SHARED_ENVIRONMENT", "true".to_owned()),
        ("CI_DISPOSABLE_ENVIRONMENT", "false".to_owned()),
        ("CI_CONCURRENT_ID", "0".to_owned()),
        ("CI_CONCURRENT_PROJECT_ID", "0".to_owned()),
        ("CI_BUILDS_DIR", text(workspace.builds())),
        ("CI_PROJECT_DIR", text(workspace.project())),
        ("CI_RUNNER_SHORT_TOKEN", runner.short_token().to_owned()),
        ("CI_RUNNER_VERSION", VERSION.to_owned()),
        ("CI_RUNNER_REVISION", "emulator".to_owned()),
        ("CI_RUNNER_EXECUTABLE_ARCH", "linux/amd64".to_owned()),
    ]);
    all
}

fn text(path: &std::path::Path) -> String {
    path.display().to_string()
}
