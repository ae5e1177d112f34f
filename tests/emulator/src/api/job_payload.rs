//! A job as a runner's program receives it.

use serde_json::{Map, Value, json};

use crate::ci::definition::{Artifacts, ArtifactsWhen, Build};
use crate::engine::queue::{self, TakenJob};
use crate::engine::variables::{self, JobVariable, Running, Server};
use crate::engine::{caches, job_inputs};
use crate::shared::Shared;
use crate::store::State;
use crate::store::jobs::Job;

use super::job_release;

/// Prefixes of tokens that runners hide in traces.
const TOKEN_PREFIXES: &[&str] = &[
    "glpat-", "gloas-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-",
    "glagent-", "glsoat-", "glffct-", "glwt-",
];

/// Reasons a runner may give for a failure.
pub(super) const FAILURE_REASONS: &[&str] = &[
    "unknown_failure",
    "script_failure",
    "api_failure",
    "stuck_or_timeout_failure",
    "runner_system_failure",
    "missing_dependency_failure",
    "runner_unsupported",
    "stale_schedule",
    "job_execution_timeout",
    "archived_failure",
    "unmet_prerequisites",
    "scheduler_failure",
    "data_integrity_failure",
    "forward_deployment_failure",
    "user_blocked",
    "project_deleted",
    "runner_provisioning_timeout",
    "no_matching_runner",
    "trace_size_exceeded",
    "builds_disabled",
    "environment_creation_failure",
    "deployment_rejected",
    "failed_outdated_deployment_job",
    "protected_environment_failure",
    "pipeline_loop_detected",
    "ci_quota_exceeded",
    "image_pull_failure",
    "configuration_error",
    "runner_configuration_error",
];

/// The whole answer to a request for a job.
pub(super) fn payload(shared: &Shared, taken: &TakenJob) -> Value {
    let caches = caches::of(shared, taken);
    let state = &*shared.state();
    let TakenJob { job, pipeline, .. } = taken;
    let earlier: Vec<&Job> = taken
        .earlier
        .iter()
        .filter_map(|id| state.jobs.get(*id))
        .collect();
    let running = Running {
        token: &taken.token,
        started_at: job.started_at.unwrap_or(job.created_at),
        timeout_seconds: taken.timeout_seconds,
        runner: variables::of_runner(&taken.runner),
        inherited: variables::inherited(&earlier),
    };
    let all = variables::for_job(Server::from(shared), state, pipeline, job, &running);
    let all = variables::for_runner(&all);
    let depth = all
        .iter()
        .find(|variable| variable.key == "GIT_DEPTH")
        .and_then(|variable| variable.value.parse().ok())
        .unwrap_or(taken.default_depth);
    let fetch = state
        .projects
        .get(job.project_id)
        .is_none_or(|project| project.settings.build_git_strategy == "fetch");
    let address = shared.url.trim_start_matches("http://");
    let blank = Build::default();
    let build = job.build().unwrap_or(&blank);
    let mut payload = json!({
        "id": job.id,
        "token": taken.token,
        "allow_git_fetch": fetch,
        "job_info": job_info(state, taken),
        "git_info": {
            "repo_url": format!("http://gitlab-ci-token:{}@{address}/{}.git", taken.token, taken.path),
            "repo_object_format": "sha1",
            "ref": pipeline.git_ref,
            "sha": pipeline.sha,
            "before_sha": pipeline.before_sha,
            "ref_type": if pipeline.tag { "tag" } else { "branch" },
            "refspecs": queue::refspecs(pipeline, depth),
            "depth": depth,
            "protected": pipeline.protected,
        },
        "runner_info": { "timeout": taken.timeout_seconds, "runner_session_url": Value::Null },
        "variables": all.iter().map(variable).collect::<Vec<_>>(),
        "steps": steps(build, taken.timeout_seconds),
        "image": build.image_settings.as_ref().map(image),
        "services": build.services.iter().map(service).collect::<Vec<_>>(),
        "artifacts": build.artifacts.as_ref().map(artifacts),
        "cache": caches,
        "credentials": [],
        "dependencies": earlier.iter().map(|other| dependency(other, &taken.token)).collect::<Vec<_>>(),
        "features": {
            "trace_sections": true,
            "token_mask_prefixes": TOKEN_PREFIXES,
            "failure_reasons": FAILURE_REASONS,
        },
    });
    if !build.inputs.is_empty() {
        payload["inputs"] = inputs(job).into();
    }
    if !build.pre_get_sources_script.is_empty() {
        payload["hooks"] = json!([{
            "name": "pre_get_sources_script", "script": build.pre_get_sources_script,
        }]);
    }
    payload
}

fn job_info(state: &State, taken: &TakenJob) -> Value {
    let job = &taken.job;
    let project = state.projects.get(job.project_id);
    let namespace = project.map_or(0, |project| project.namespace_id);
    let root = state.with_ancestors(namespace).last().unwrap_or(namespace);
    let waited = job
        .queued_at
        .zip(job.started_at)
        .map_or(0.0, |(queued, started)| {
            started.duration_since(queued).as_secs_f64()
        });
    json!({
        "id": job.id,
        "name": job.name,
        "stage": job.stage,
        "project_id": job.project_id,
        "project_name": project.map(|project| &project.name),
        "project_full_path": taken.path,
        "namespace_id": namespace,
        "root_namespace_id": root,
        "organization_id": 1,
        "instance_id": "emulator",
        "instance_uuid": "emulator",
        "user_id": job.user_id,
        "scoped_user_id": Value::Null,
        "time_in_queue_seconds": waited,
        "project_jobs_running_on_instance_runners_count": "+Inf",
        "queue_size": queue::waiting(state).count(),
        "queue_depth": 1,
    })
}

fn variable(variable: &JobVariable) -> Value {
    let mut entity = json!({
        "key": variable.key,
        "value": variable.value,
        "public": variable.public,
        "masked": variable.masked,
    });
    if variable.file {
        entity["file"] = json!(true);
    }
    if variable.raw {
        entity["raw"] = json!(true);
    }
    entity
}

fn steps(build: &Build, timeout: u64) -> Vec<Value> {
    let step = |name: &str, script: Vec<String>, when: &str, allow_failure: bool| {
        json!({
            "name": name,
            "script": script,
            "timeout": timeout,
            "when": when,
            "allow_failure": allow_failure,
        })
    };
    let script = [build.before_script.as_slice(), &build.script].concat();
    let mut steps = vec![step("script", script, "on_success", false)];
    if let Some(release) = &build.release {
        steps.push(step(
            "release",
            vec![job_release::script(release)],
            "on_success",
            false,
        ));
    }
    if !build.after_script.is_empty() {
        steps.push(step(
            "after_script",
            build.after_script.clone(),
            "always",
            true,
        ));
    }
    steps
}

fn service(service: &Value) -> Value {
    let variables = service["variables"].as_object();
    let variables: Vec<Value> = variables
        .into_iter()
        .flatten()
        .map(|(key, value)| json!({ "key": key, "value": value, "public": true, "masked": false }))
        .collect();
    json!({
        "name": service["name"],
        "entrypoint": service["entrypoint"],
        "command": service["command"],
        "alias": service["alias"],
        "pull_policy": service["pull_policy"],
        "executor_opts": executor_options(service),
        "ports": [],
        "variables": variables,
    })
}

fn image(image: &Value) -> Value {
    json!({
        "name": image["name"],
        "entrypoint": image["entrypoint"],
        "executor_opts": executor_options(image),
        "ports": [],
        "pull_policy": image["pull_policy"],
    })
}

/// What only the executor of that name reads.
fn executor_options(image: &Value) -> Value {
    let given = ["docker", "kubernetes"]
        .into_iter()
        .filter_map(|executor| Some((executor.to_owned(), image.get(executor)?.clone())));
    Value::Object(given.collect())
}

/// The values of the job's inputs, which the runner puts into scripts.
fn inputs(job: &Job) -> Vec<Value> {
    job_inputs::typed_values(job)
        .into_iter()
        .map(|(key, kind, content)| {
            json!({ "key": key, "value": { "type": kind, "content": content, "sensitive": false } })
        })
        .collect()
}

fn artifacts(wanted: &Artifacts) -> Vec<Value> {
    let mut list = Vec::new();
    if wanted.untracked || !wanted.paths.is_empty() {
        let mut archive = json!({
            "name": wanted.name,
            "untracked": wanted.untracked,
            "paths": wanted.paths,
            "when": when(wanted.when),
            "expire_in": wanted.expire_in,
            "artifact_type": "archive",
            "artifact_format": "zip",
        });
        if !wanted.exclude.is_empty() {
            archive["exclude"] = json!(wanted.exclude);
        }
        list.push(archive);
    }
    for (kind, paths) in &wanted.reports {
        // A coverage report is uploaded under the name of its format.
        let kind = if kind == "coverage_report" {
            "cobertura"
        } else {
            kind.as_str()
        };
        let mut report = Map::new();
        report.insert("name".to_owned(), json!(report_file(kind)));
        report.insert("paths".to_owned(), json!(paths));
        report.insert("when".to_owned(), json!("always"));
        if let Some(expire_in) = &wanted.expire_in {
            report.insert("expire_in".to_owned(), json!(expire_in));
        }
        report.insert("artifact_type".to_owned(), json!(kind));
        report.insert("artifact_format".to_owned(), json!(report_format(kind)));
        list.push(Value::Object(report));
    }
    list
}

fn when(when: ArtifactsWhen) -> &'static str {
    match when {
        ArtifactsWhen::OnSuccess => "on_success",
        ArtifactsWhen::OnFailure => "on_failure",
        ArtifactsWhen::Always => "always",
    }
}

/// The file name under which a report is kept.
pub(crate) fn report_file(kind: &str) -> String {
    match kind {
        "junit" => "junit.xml".to_owned(),
        "dotenv" => ".env".to_owned(),
        "cobertura" => "cobertura-coverage.xml".to_owned(),
        "jacoco" => "jacoco-coverage.xml".to_owned(),
        "terraform" => "tfplan.json".to_owned(),
        "metrics" => "metrics.txt".to_owned(),
        "lsif" => "lsif.json".to_owned(),
        "requirements" => "requirements.json".to_owned(),
        "requirements_v2" => "requirements_v2.json".to_owned(),
        "performance" => "performance.json".to_owned(),
        "browser_performance" => "browser-performance.json".to_owned(),
        "load_performance" => "load-performance.json".to_owned(),
        "cyclonedx" => "gl-sbom.cdx.json".to_owned(),
        "annotations" => "gl-annotations.json".to_owned(),
        "codequality" => "gl-code-quality-report.json".to_owned(),
        "accessibility" => "gl-accessibility.json".to_owned(),
        other => format!("gl-{}-report.json", other.replace('_', "-")),
    }
}

/// How a report is packed.
pub(crate) fn report_format(kind: &str) -> &'static str {
    match kind {
        "sast"
        | "dependency_scanning"
        | "container_scanning"
        | "cluster_image_scanning"
        | "dast"
        | "secret_detection"
        | "coverage_fuzzing"
        | "api_fuzzing"
        | "codequality"
        | "accessibility"
        | "license_scanning"
        | "performance"
        | "browser_performance"
        | "load_performance"
        | "terraform"
        | "requirements"
        | "requirements_v2" => "raw",
        "lsif" => "zip",
        _ => "gzip",
    }
}

fn dependency(other: &Job, token: &str) -> Value {
    let archive = other
        .artifacts
        .iter()
        .find(|artifact| artifact.file_type == "archive");
    let mut entity = json!({ "id": other.id, "name": other.name, "token": token });
    if let Some(archive) = archive {
        entity["artifacts_file"] =
            json!({ "filename": archive.file_name, "size": archive.content.len() });
    }
    entity
}
