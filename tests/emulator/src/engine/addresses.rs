//! The address of a job's environment, which may name what the job itself found out.

use jiff::Timestamp;

use super::deployments::{environment_of, set_address};
use super::queue;
use super::variables::{self, JobVariable, Running, Server};
use crate::store::State;
use crate::store::jobs::Job;

/// Sets the address of the environment once its job has succeeded.
pub(crate) fn tell(server: Server<'_>, state: &mut State, id: u64, now: Timestamp) {
    if let Some(address) = address(server, state, id, now) {
        set_address(state, id, &address, now);
    }
}

fn address(server: Server<'_>, state: &State, id: u64, now: Timestamp) -> Option<String> {
    let job = state.jobs.get(id)?;
    let wanted = environment_of(job)?.url.clone()?;
    let pipeline = state.pipelines.get(job.pipeline_id)?;
    let taken = job.taken.as_ref()?;
    let runner = state.runners.get(taken.runner_id);
    let earlier: Vec<&Job> = queue::dependencies(state, pipeline, job).collect();
    let running = Running {
        token: &taken.token,
        started_at: job.started_at.unwrap_or(now),
        timeout_seconds: taken.timeout_seconds,
        runner: runner.map(variables::of_runner).unwrap_or_default(),
        inherited: variables::inherited(&earlier),
    };
    let all = variables::for_job(server, state, pipeline, job, &running);
    let mut known = variables::expanded(&all);
    for (key, value) in &job.dotenv {
        known.insert(key.clone(), JobVariable::literal(key, value.as_str()));
    }
    Some(variables::substituted(&wanted, &known))
}
