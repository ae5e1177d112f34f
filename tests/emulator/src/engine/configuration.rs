//! The configuration of a pipeline: where it is, what it may refer to, and what becomes of it.

use super::create::{Order, Refusal, check_rights, draft};
use super::project_files::{ProjectFiles, changed_paths};
use super::variables::{self, Server};
use crate::ci::definition::{JobDefinition, JobKind, PipelineDefinition, Strategy};
use crate::ci::{self, Files, Outcome};
use crate::git::ZERO;
use crate::shared::Shared;
use crate::store::pipelines::{Pipeline, Source};
use crate::versions::{self, Feature, Version};

/// The text of `.gitlab-ci.yml`, or of the file that the project names: `path`, or `path@group/project:ref`.
pub(crate) fn project_configuration(shared: &Shared, order: &Order) -> Result<String, Refusal> {
    let path = shared
        .state()
        .projects
        .get(order.project)
        .and_then(|project| project.settings.ci_config_path.clone())
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| ".gitlab-ci.yml".to_owned());
    let files = files(shared, order);
    let text = match path.split_once('@') {
        None => files.local(path.trim_start_matches('/')),
        Some((path, place)) => {
            let (project, reference) = match place.split_once(':') {
                Some((project, reference)) => (project, Some(reference)),
                None => (place, None),
            };
            let elsewhere = files.project(project, reference).ok();
            elsewhere.and_then(|files| files.local(path))
        }
    };
    text.ok_or_else(|| Refusal("Missing CI config file".to_owned()))
}

fn files<'a>(shared: &'a Shared, order: &Order) -> ProjectFiles<'a> {
    let state = shared.state();
    let parent = order
        .source_job_id
        .filter(|_| order.source == Source::ParentPipeline)
        .and_then(|id| state.jobs.get(id))
        .map(|bridge| bridge.pipeline_id);
    ProjectFiles {
        shared,
        project: order.project,
        sha: order.target.sha.clone(),
        user: order.user,
        parent,
    }
}

/// Why a configuration gives no jobs, in GitLab's words.
pub(super) enum Uncompiled {
    Wrong(String),
    Filtered(String),
}

pub(super) fn compile(
    shared: &Shared,
    order: &Order,
    pipeline: &Pipeline,
    text: &str,
) -> Result<PipelineDefinition, Uncompiled> {
    let compiled = with_source(shared, order, pipeline, text, |source, files| {
        ci::compile(source, files)
    });
    let compiled = compiled.map_err(|errors| Uncompiled::Wrong(errors.first().to_owned()))?;
    match compiled.outcome {
        Outcome::Pipeline(definition) => match too_new(shared.version, &definition) {
            None => Ok(definition),
            Some(error) => Err(Uncompiled::Wrong(error)),
        },
        Outcome::Filtered(why) => Err(Uncompiled::Filtered(why.message().to_owned())),
    }
}

/// What an older server says of a keyword it does not have yet.
fn too_new(version: Version, definition: &PipelineDefinition) -> Option<String> {
    if versions::has(version, Feature::MirrorStrategy) {
        return None;
    }
    let mirrors = |job: &&JobDefinition| matches!(&job.kind, JobKind::Bridge(bridge) if bridge.strategy == Some(Strategy::Mirror));
    let job = definition.jobs.iter().find(mirrors)?;
    Some(format!(
        "jobs:{}:trigger strategy should be depend",
        job.name
    ))
}

/// Works with everything that a configuration is compiled from.
fn with_source<R>(
    shared: &Shared,
    order: &Order,
    pipeline: &Pipeline,
    text: &str,
    work: impl FnOnce(&ci::Source<'_>, &dyn Files) -> R,
) -> R {
    let (predefined, assigned) = {
        let state = shared.state();
        variables::for_configuration(Server::from(shared), &state, pipeline)
    };
    let before = order.target.before.as_deref().filter(|sha| *sha != ZERO);
    let changed = before
        .and_then(|before| changed_paths(&shared.repository(order.project), before, &pipeline.sha));
    let source = ci::Source {
        text,
        predefined: &predefined,
        assigned: &assigned,
        inputs: &order.inputs,
        changed_paths: changed.as_deref(),
    };
    work(&source, &files(shared, order))
}

/// What the linter says of a configuration, or of the project's own if the order has none. A dry run is refused what a
/// pipeline would be refused.
pub(crate) fn lint(shared: &Shared, order: &Order, dry_run: bool) -> Result<ci::Lint, Refusal> {
    if dry_run {
        check_rights(&shared.state(), order, shared.clock.now())?;
    }
    let repository = shared.repository(order.project);
    let commit = match order.target.sha.as_str() {
        // A project without commits has a linter too.
        "" => None,
        sha => repository.commit(sha)?,
    };
    let now = shared.clock.now();
    let pipeline = draft(
        shared.version,
        &shared.state(),
        order,
        0,
        commit,
        String::new(),
        now,
    );
    let text = match order.configuration.clone() {
        Some(text) => text,
        None => project_configuration(shared, order)?,
    };
    let mut lint = with_source(shared, order, &pipeline, &text, |source, files| {
        ci::lint(source, files, dry_run)
    });
    if dry_run {
        // The creation of a pipeline stops at the first error.
        lint.errors.truncate(1);
    }
    Ok(lint)
}
