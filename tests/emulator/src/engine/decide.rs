//! What becomes of a job whose turn it is. Pure.

use super::status::Status;
use crate::ci::definition::When;

/// The next step of a job in status `created`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Hold,
    Skip,
    Enqueue,
    WaitForPlay,
    WaitForTime,
}

/// How a job waits for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ordering {
    Stages,
    Needs,
}

/// Decides from the status of everything that comes before the job.
pub(super) fn next(when: When, ordering: Ordering, played: bool, before: Status) -> Next {
    if !before.is_complete() {
        return Next::Hold;
    }
    let fits = match when {
        When::OnSuccess | When::Manual | When::Delayed => match ordering {
            Ordering::Needs => before == Status::Success,
            Ordering::Stages => matches!(before, Status::Success | Status::Skipped),
        },
        When::OnFailure => before == Status::Failed,
        When::Always => before != Status::Canceled,
    };
    match when {
        _ if !fits => Next::Skip,
        _ if played => Next::Enqueue,
        When::Manual => Next::WaitForPlay,
        When::Delayed => Next::WaitForTime,
        When::OnSuccess | When::OnFailure | When::Always => Next::Enqueue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_job_starts_after_the_statuses_it_is_meant_for() {
        use Ordering::{Needs, Stages};
        let cases = [
            (When::OnSuccess, Stages, Status::Running, Next::Hold),
            (When::OnSuccess, Stages, Status::Manual, Next::Hold),
            (When::OnSuccess, Stages, Status::Success, Next::Enqueue),
            (When::OnSuccess, Stages, Status::Skipped, Next::Enqueue),
            (When::OnSuccess, Needs, Status::Skipped, Next::Skip),
            (When::OnSuccess, Stages, Status::Failed, Next::Skip),
            (When::OnFailure, Stages, Status::Failed, Next::Enqueue),
            (When::OnFailure, Stages, Status::Success, Next::Skip),
            (When::Always, Stages, Status::Failed, Next::Enqueue),
            (When::Always, Needs, Status::Skipped, Next::Enqueue),
            (When::Always, Stages, Status::Canceled, Next::Skip),
            (When::Manual, Stages, Status::Success, Next::WaitForPlay),
            (When::Manual, Stages, Status::Failed, Next::Skip),
            (When::Delayed, Needs, Status::Success, Next::WaitForTime),
        ];
        for (when, ordering, before, expected) in cases {
            assert_eq!(
                next(when, ordering, false, before),
                expected,
                "{when:?} {ordering:?} {before:?}"
            );
        }
        assert_eq!(
            next(When::Manual, Stages, true, Status::Success),
            Next::Enqueue
        );
    }
}
