//! Everything one job sees, in GitLab's order.

use jiff::Timestamp;

use super::{JobVariable, Server, assigned, given, predefined, slug, var};
use crate::ci::definition::{Inherit, JobDefinition, Variable, When};
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::{GivenVariable, Pipeline};
use crate::store::runners::Runner;
use crate::versions;

/// What is only known once a runner has taken the job.
#[derive(Debug, Clone)]
pub(crate) struct Running<'a> {
    pub(crate) token: &'a str,
    pub(crate) started_at: Timestamp,
    pub(crate) timeout_seconds: u64,
    pub(crate) runner: Vec<(&'static str, String)>,
    /// From the dotenv reports of earlier jobs.
    pub(crate) inherited: Vec<(String, String)>,
}

/// The variables of a job that a runner starts.
pub(crate) fn for_job(
    server: Server<'_>,
    state: &State,
    pipeline: &Pipeline,
    job: &Job,
    running: &Running<'_>,
) -> Vec<JobVariable> {
    let environment = job
        .definition()
        .and_then(|definition| definition.environment.as_ref())
        .map(|environment| environment.name.as_str());
    let mut all = persisted(server, state, pipeline, job, running);
    all.extend(of_job(server, state, pipeline, job));
    all.extend(predefined::of_pipeline(server, state, pipeline));
    let runner = running.runner.iter();
    all.extend(runner.map(|(key, value)| JobVariable::literal(key, value.as_str())));
    all.extend(configured(pipeline, job));
    all.extend(user_variables(state, job.user_id));
    let inherited = running.inherited.iter();
    all.extend(inherited.map(|(key, value)| JobVariable::literal(key, value.as_str())));
    all.extend(assigned::of_project(
        state,
        pipeline.project_id,
        pipeline.protected,
        environment,
    ));
    all.extend(given(state, pipeline));
    all.extend(job.variables.iter().map(JobVariable::from));
    all
}

/// What the server knows of the runner itself.
pub(crate) fn of_runner(runner: &Runner) -> Vec<(&'static str, String)> {
    vec![
        ("CI_RUNNER_ID", runner.id.to_string()),
        (
            "CI_RUNNER_DESCRIPTION",
            runner.description.clone().unwrap_or_default(),
        ),
        ("CI_RUNNER_TAGS", serde_json::json!(runner.tags).to_string()),
    ]
}

/// The variables of the dotenv reports of earlier jobs.
pub(crate) fn inherited(earlier: &[&Job]) -> Vec<(String, String)> {
    let all = earlier.iter().flat_map(|job| job.dotenv.iter());
    all.cloned().collect()
}

/// What the keywords of a job may refer to before a runner has taken it.
pub(crate) fn for_references(
    server: Server<'_>,
    state: &State,
    pipeline: &Pipeline,
    job: &Job,
) -> Vec<JobVariable> {
    let mut all = of_job(server, state, pipeline, job);
    all.extend(predefined::of_pipeline(server, state, pipeline));
    all.push(JobVariable::new("CI_PIPELINE_ID", pipeline.id.to_string()));
    all.extend(configured(pipeline, job));
    all.extend(user_variables(state, job.user_id));
    let project = pipeline.project_id;
    all.extend(assigned::of_project(
        state,
        project,
        pipeline.protected,
        None,
    ));
    all.extend(given(state, pipeline));
    all.extend(job.variables.iter().map(JobVariable::from));
    all
}

/// What a bridge forwards: its own variables with references put in place, and the pipeline's if it says so.
pub(crate) fn for_bridge(
    server: Server<'_>,
    state: &State,
    pipeline: &Pipeline,
    job: &Job,
) -> Vec<GivenVariable> {
    let Some(bridge) = job.bridge() else {
        return Vec::new();
    };
    let mut forwarded: Vec<GivenVariable> = Vec::new();
    if bridge.forward_yaml_variables {
        let mut known = of_job(server, state, pipeline, job);
        known.extend(predefined::of_pipeline(server, state, pipeline));
        known.push(JobVariable::new("CI_PIPELINE_ID", pipeline.id.to_string()));
        known.extend(configured(pipeline, job));
        known.extend(user_variables(state, job.user_id));
        known.extend(assigned::of_project(
            state,
            pipeline.project_id,
            pipeline.protected,
            None,
        ));
        known.extend(given(state, pipeline));
        for own in configured(pipeline, job) {
            // A pipeline variable of the same name would override the configured one, but only its value is not forwarded.
            let mut scope = known.clone();
            scope.push(JobVariable {
                key: String::new(),
                ..own.clone()
            });
            let value = super::expanded(&scope)
                .remove("")
                .map_or(own.value, |found| found.value);
            forwarded.push(GivenVariable {
                key: own.key,
                value,
                file: false,
                raw: true,
            });
        }
    }
    if bridge.forward_pipeline_variables {
        forwarded.extend(pipeline.variables.iter().cloned());
    }
    let mut unique: Vec<GivenVariable> = Vec::new();
    for variable in forwarded {
        unique.retain(|other| other.key != variable.key);
        unique.push(variable);
    }
    unique
}

fn persisted(
    server: Server<'_>,
    state: &State,
    pipeline: &Pipeline,
    job: &Job,
    running: &Running<'_>,
) -> Vec<JobVariable> {
    let path = state
        .projects
        .get(pipeline.project_id)
        .map(|project| state.project_path(project))
        .unwrap_or_default();
    let address = server.url.trim_start_matches("http://");
    let masked = |key: &str, value: String| JobVariable {
        masked: true,
        public: false,
        ..JobVariable::literal(key, value)
    };
    let web = format!("{}/{path}/-", server.url);
    let started = running.started_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    vec![
        var("CI_PIPELINE_ID", pipeline.id.to_string()),
        var(
            "CI_PIPELINE_URL",
            format!("{web}/pipelines/{}", pipeline.id),
        ),
        var("CI_JOB_ID", job.id.to_string()),
        var("CI_JOB_URL", format!("{web}/jobs/{}", job.id)),
        masked("CI_JOB_TOKEN", running.token.to_owned()),
        var("CI_JOB_STARTED_AT", started.to_string()),
        var("CI_JOB_TIMEOUT", running.timeout_seconds.to_string()),
        var("CI_REGISTRY_USER", "gitlab-ci-token"),
        masked("CI_REGISTRY_PASSWORD", running.token.to_owned()),
        var("CI_DEPENDENCY_PROXY_USER", "gitlab-ci-token"),
        masked("CI_DEPENDENCY_PROXY_PASSWORD", running.token.to_owned()),
        masked(
            "CI_REPOSITORY_URL",
            format!(
                "http://gitlab-ci-token:{}@{address}/{path}.git",
                running.token
            ),
        ),
    ]
}

fn of_job(server: Server<'_>, state: &State, pipeline: &Pipeline, job: &Job) -> Vec<JobVariable> {
    let group = job.name.split(": [").next().unwrap_or(&job.name);
    let mut all = vec![
        JobVariable::literal("CI_JOB_NAME", job.name.as_str()),
        var("CI_JOB_NAME_SLUG", slug(&job.name)),
        var("CI_JOB_STAGE", job.stage.as_str()),
        var("CI_NODE_TOTAL", "1"),
    ];
    if versions::has_variable(server.version, "CI_JOB_GROUP_NAME") {
        all.push(JobVariable::literal("CI_JOB_GROUP_NAME", group));
    }
    let Some(definition) = job.definition() else {
        return all;
    };
    if matches!(definition.when, When::Manual | When::Delayed) {
        all.push(var("CI_JOB_MANUAL", "true"));
    }
    if let Some(image) = job.build().and_then(|build| build.image.as_deref()) {
        all.push(var("CI_JOB_IMAGE", image));
    }
    if let Some(trigger) = pipeline.trigger_id.and_then(|id| state.triggers.get(id)) {
        let secret = trigger.token.trim_start_matches("glptt-");
        let short: String = secret.chars().take(4).collect();
        all.push(var("CI_PIPELINE_TRIGGERED", "true"));
        all.push(var("CI_TRIGGER_SHORT_TOKEN", short));
    }
    if let Some(environment) = &definition.environment {
        all.push(var("CI_ENVIRONMENT_NAME", environment.name.as_str()));
        all.push(var("CI_ENVIRONMENT_ACTION", environment.action.as_str()));
        let known = state.environment_named(job.project_id, &environment.name);
        let tier = environment.deployment_tier.as_ref();
        if let Some(tier) = tier.or(known.map(|known| &known.tier)) {
            all.push(var("CI_ENVIRONMENT_TIER", tier.as_str()));
        }
        if let Some(known) = known {
            all.push(var("CI_ENVIRONMENT_SLUG", known.slug.as_str()));
            all.push(var("CI_ENVIRONMENT_ID", known.id.to_string()));
        }
        let address = environment.url.as_ref();
        if let Some(url) = address.or(known.and_then(|known| known.external_url.as_ref())) {
            all.push(var("CI_ENVIRONMENT_URL", url.as_str()));
        }
    }
    all
}

/// Global variables as far as the job inherits them, then its own.
fn configured(pipeline: &Pipeline, job: &Job) -> Vec<JobVariable> {
    let Some(definition) = job.definition() else {
        return Vec::new();
    };
    let global = pipeline
        .yaml_variables
        .iter()
        .filter(|variable| inherits(definition, variable));
    global
        .chain(&definition.variables)
        .map(|variable| JobVariable {
            raw: variable.raw,
            ..JobVariable::new(&variable.key, variable.value.as_str())
        })
        .collect()
}

fn inherits(definition: &JobDefinition, variable: &Variable) -> bool {
    match &definition.inherit_variables {
        Inherit::All => true,
        Inherit::None => false,
        Inherit::Only(names) => names.contains(&variable.key),
    }
}

/// `GITLAB_USER_*` of the one who caused the job.
pub(super) fn user_variables(state: &State, user: u64) -> Vec<JobVariable> {
    let Some(user) = state.users.get(user) else {
        return Vec::new();
    };
    vec![
        JobVariable::new("GITLAB_USER_ID", user.id.to_string()),
        JobVariable::literal("GITLAB_USER_EMAIL", user.email.as_str()),
        JobVariable::literal("GITLAB_USER_LOGIN", user.username.as_str()),
        JobVariable::literal("GITLAB_USER_NAME", user.name.as_str()),
    ]
}
