//! Inputs of jobs, as given by whoever plays or retries one.

use serde_json::{Map, Value};

use crate::ci::definition::Build;
use crate::ci::{job_input_values, with_inputs};
use crate::store::State;
use crate::store::jobs::Job;

/// Keeps the values for a job that is about to run again or for the first time; the errors are those of the inputs.
pub(crate) fn give(state: &mut State, id: u64, given: Map<String, Value>) {
    if let Some(job) = state.jobs.get_mut(id)
        && !given.is_empty()
    {
        job.inputs = given;
    }
}

/// What is wrong with values for the inputs of a job.
pub(crate) fn faults(job: &Job, given: &Map<String, Value>) -> Vec<String> {
    let inputs = job.build().map(|build| build.inputs.as_slice());
    job_input_values(inputs.unwrap_or_default(), given)
        .err()
        .unwrap_or_default()
}

/// The work of a job with the values of its inputs put in.
pub(crate) fn build_with_inputs(job: &Job) -> Option<Build> {
    let build = job.build()?;
    let values = job_input_values(&build.inputs, &job.inputs).unwrap_or_default();
    Some(with_inputs(build, &values))
}

/// Name, type and value of every input of a job.
pub(crate) fn typed_values(job: &Job) -> Vec<(String, String, Value)> {
    let Some(build) = job.build() else {
        return Vec::new();
    };
    let mut values = job_input_values(&build.inputs, &job.inputs).unwrap_or_default();
    build
        .inputs
        .iter()
        .map(|input| {
            let value = values.remove(&input.name).unwrap_or_default();
            (input.name.clone(), input.kind.clone(), value)
        })
        .collect()
}
