//! `needs:pipeline:job`: artifacts of jobs in other pipelines of the same family (parents, children and their children).

use std::collections::BTreeSet;

use super::status::Status;
use super::variables::{Server, expanded, for_references, substituted};
use crate::ci::definition::CrossDependency;
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::Pipeline;

/// The jobs whose artifacts are fetched from elsewhere; `None`: one of them is not there, so the job cannot run.
pub(crate) fn cross_dependencies<'a>(
    server: Server<'_>,
    state: &'a State,
    pipeline: &Pipeline,
    job: &Job,
) -> Option<Vec<&'a Job>> {
    let wanted: Vec<&CrossDependency> = job
        .definition()
        .into_iter()
        .flat_map(|definition| &definition.cross_dependencies)
        .filter(|dependency| dependency.artifacts)
        .collect();
    if wanted.is_empty() {
        return Some(Vec::new());
    }
    let variables = expanded(&for_references(server, state, pipeline, job));
    let family = family(state, pipeline.id);
    let find = |dependency: &CrossDependency| {
        let id: u64 = substituted(&dependency.pipeline, &variables).parse().ok()?;
        let name = substituted(&dependency.job, &variables);
        // Jobs of the same pipeline are needed without naming it.
        (id != pipeline.id && family.contains(&id)).then_some(())?;
        state
            .current_jobs_of(id)
            .find(|other| other.is_build() && other.name == name && other.status == Status::Success)
    };
    let mut found = Vec::new();
    for dependency in wanted {
        match find(dependency) {
            Some(other) => found.push(other),
            None if dependency.optional => {}
            None => return None,
        }
    }
    Some(found)
}

/// The pipeline, the one on top of it, and all that came of that one.
fn family(state: &State, pipeline: u64) -> BTreeSet<u64> {
    let mut top = pipeline;
    while let Some(parent) = parent(state, top) {
        top = parent;
    }
    let mut family = BTreeSet::from([top]);
    let mut waiting = vec![top];
    while let Some(id) = waiting.pop() {
        let children = state
            .jobs
            .iter()
            .filter(|job| job.pipeline_id == id)
            .filter_map(|job| job.downstream_pipeline_id)
            .filter(|child| parent(state, *child) == Some(id));
        for child in children {
            if family.insert(child) {
                waiting.push(child);
            }
        }
    }
    family
}

/// The pipeline whose child this is; a pipeline of another project is nobody's child.
fn parent(state: &State, pipeline: u64) -> Option<u64> {
    let child = state.pipelines.get(pipeline)?;
    let bridge = state.jobs.get(child.source_job_id?)?;
    (bridge.project_id == child.project_id).then_some(bridge.pipeline_id)
}
