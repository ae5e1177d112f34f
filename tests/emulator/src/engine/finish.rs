//! The end of a job that a runner executed.

use std::sync::LazyLock;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use super::retry;
use super::status::Status;
use super::transition::{drop_job, move_job};
use crate::ci::definition::AllowFailure;
use crate::ci::duration;
use crate::store::State;
use crate::store::jobs::{Artifact, Job};

/// GitLab keeps artifacts this long unless the job says otherwise.
const DEFAULT_LIFETIME_DAYS: i64 = 30;

/// How a job ended for its runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failed {
        reason: &'static str,
        exit_code: Option<i32>,
    },
    Canceled,
}

/// Ends a job. One that is being canceled is canceled, whatever its script said last.
pub(crate) fn finish(state: &mut State, id: u64, outcome: &Outcome, now: Timestamp) {
    let Some(job) = state.jobs.get_mut(id) else {
        return;
    };
    job.coverage = coverage(job);
    keep_trace(job, now);
    let status = job.status;
    if status == Status::Canceling {
        move_job(state, id, Status::Canceled, now);
        return;
    }
    if status != Status::Running {
        return;
    }
    match outcome {
        Outcome::Success => move_job(state, id, Status::Success, now),
        Outcome::Canceled => move_job(state, id, Status::Canceled, now),
        Outcome::Failed { reason, exit_code } => {
            job.exit_code = *exit_code;
            let allowed = job.definition().is_some_and(|definition| {
                matches!(
                    (&definition.allow_failure, exit_code),
                    (AllowFailure::ExitCodes(codes), Some(code)) if codes.contains(code)
                )
            });
            job.allow_failure |= allowed;
            drop_job(state, id, reason, now);
            retry::retry_by_itself(state, id, now);
        }
    }
}

/// The trace becomes an artifact too, and the others get their day of expiry.
fn keep_trace(job: &mut Job, now: Timestamp) {
    job.artifacts.push(Artifact {
        file_type: "trace".to_owned(),
        file_name: "job.log".to_owned(),
        file_format: "raw".to_owned(),
        content: Bytes::from(job.trace.clone()),
    });
    if job.artifacts.len() == 1 || job.artifacts_expire_at.is_some() {
        return;
    }
    let wish = job
        .build()
        .and_then(|build| build.artifacts.as_ref()?.expire_in.clone());
    let seconds = match wish.as_deref() {
        Some("never") => return,
        Some(text) => duration::seconds(text).and_then(|seconds| i64::try_from(seconds).ok()),
        None => None,
    };
    let lifetime = seconds.map_or(
        SignedDuration::from_hours(DEFAULT_LIFETIME_DAYS * 24),
        SignedDuration::from_secs,
    );
    job.artifacts_expire_at = now.checked_add(lifetime).ok();
}

/// The last number in the trace that the job's `coverage` expression finds.
fn coverage(job: &Job) -> Option<f64> {
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d+(?:\.\d+)?").ok());
    let pattern = job.definition()?.coverage.as_deref()?;
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
    let found = Regex::new(pattern).ok()?;
    let last = found.captures_iter(&job.trace).last()?;
    let text = last.get(1).or_else(|| last.get(0))?.as_str();
    NUMBER.as_ref()?.find(text)?.as_str().parse().ok()
}
