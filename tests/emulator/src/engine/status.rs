//! The statuses of pipelines and jobs, and the status that several jobs have together. Pure.

use serde::{Deserialize, Serialize};

/// The status of a pipeline or job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Created,
    WaitingForResource,
    Preparing,
    WaitingForCallback,
    Pending,
    Running,
    Success,
    Failed,
    Canceling,
    Canceled,
    Skipped,
    Manual,
    Scheduled,
}

/// Every status, by the names of the API.
pub(crate) const NAMES: &[&str] = &[
    "created",
    "waiting_for_resource",
    "preparing",
    "waiting_for_callback",
    "pending",
    "running",
    "success",
    "failed",
    "canceling",
    "canceled",
    "skipped",
    "manual",
    "scheduled",
];

impl Status {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::WaitingForResource => "waiting_for_resource",
            Self::Preparing => "preparing",
            Self::WaitingForCallback => "waiting_for_callback",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Canceling => "canceling",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
        }
    }

    /// Nothing will happen by itself any more.
    pub fn is_complete(self) -> bool {
        matches!(
            self,
            Self::Success | Self::Failed | Self::Canceled | Self::Skipped
        )
    }

    /// Waits for a runner or is with one.
    pub fn is_active(self) -> bool {
        matches!(
            self,
            Self::WaitingForResource
                | Self::Preparing
                | Self::WaitingForCallback
                | Self::Pending
                | Self::Running
        )
    }

    /// Can still be canceled (`manual` jobs are left alone).
    pub fn is_cancelable(self) -> bool {
        self.is_active() || matches!(self, Self::Created | Self::Scheduled)
    }
}

/// How one job counts among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    As(Status),
    /// Failed or canceled, and allowed to be.
    Warning,
    /// Manual and optional.
    Ignored,
}

fn counted(&(status, allow_failure): &(Status, bool)) -> Counted {
    match status {
        Status::Failed | Status::Canceled if allow_failure => Counted::Warning,
        Status::Manual if allow_failure => Counted::Ignored,
        Status::Created
        | Status::WaitingForResource
        | Status::Preparing
        | Status::WaitingForCallback
        | Status::Pending
        | Status::Running
        | Status::Success
        | Status::Failed
        | Status::Canceling
        | Status::Canceled
        | Status::Skipped
        | Status::Manual
        | Status::Scheduled => Counted::As(status),
    }
}

/// The status of a stage or pipeline, from the status and `allow_failure` of its jobs. No jobs: success.
pub(crate) fn composite(jobs: &[(Status, bool)]) -> Status {
    use Counted::{As, Ignored, Warning};
    let set: Vec<Counted> = jobs.iter().map(counted).collect();
    let only = |allowed: &[Counted]| set.iter().all(|one| allowed.contains(one));
    let any = |wanted: Status| set.contains(&As(wanted));
    if set.is_empty() {
        return Status::Success;
    }
    if only(&[As(Status::Skipped), Ignored]) {
        return Status::Skipped;
    }
    if only(&[As(Status::Success), As(Status::Skipped), Warning, Ignored]) {
        return Status::Success;
    }
    if only(&[As(Status::Created), Warning, Ignored]) {
        return Status::Created;
    }
    if only(&[As(Status::Preparing), Warning, Ignored]) {
        return Status::Preparing;
    }
    let canceled = [
        As(Status::Canceled),
        As(Status::Success),
        As(Status::Skipped),
        Warning,
        Ignored,
    ];
    if only(&canceled) {
        return Status::Canceled;
    }
    let pending = [
        As(Status::Pending),
        As(Status::Created),
        As(Status::Skipped),
        Warning,
        Ignored,
    ];
    if only(&pending) {
        return Status::Pending;
    }
    if any(Status::Running) || any(Status::Pending) {
        return Status::Running;
    }
    [
        Status::WaitingForCallback,
        Status::Canceling,
        Status::WaitingForResource,
        Status::Manual,
        Status::Scheduled,
        Status::Preparing,
    ]
    .into_iter()
    .find(|status| any(*status))
    .unwrap_or(if any(Status::Created) {
        Status::Running
    } else {
        Status::Failed
    })
}

/// The status of the jobs that a job `needs`: one that did not run at all skips it, an unfinished one holds it.
pub(crate) fn composite_of_needs(jobs: &[(Status, bool)]) -> Status {
    let skips = |one: Counted| matches!(one, Counted::As(Status::Skipped) | Counted::Ignored);
    if jobs.iter().map(counted).any(skips) {
        return Status::Skipped;
    }
    let unfinished = |one: Counted| match one {
        Counted::As(status) => !status.is_complete(),
        Counted::Warning | Counted::Ignored => false,
    };
    if jobs.iter().map(counted).any(unfinished) {
        return Status::Pending;
    }
    composite(jobs)
}

#[cfg(test)]
mod tests {
    use super::Status::*;
    use super::*;

    #[test]
    fn jobs_together_have_gitlabs_composite_status() {
        let cases: &[(&[(Status, bool)], Status)] = &[
            (&[], Success),
            (&[(Success, false), (Failed, true)], Success),
            (&[(Success, false), (Failed, false)], Failed),
            (&[(Success, false), (Manual, true)], Success),
            (&[(Success, false), (Manual, false)], Manual),
            (&[(Manual, true)], Skipped),
            (&[(Created, false), (Created, false)], Created),
            (&[(Pending, false), (Created, false)], Pending),
            (
                &[(Success, false), (Pending, false), (Created, false)],
                Running,
            ),
            (
                &[(Success, false), (Manual, false), (Created, false)],
                Manual,
            ),
            (&[(Success, false), (Created, false)], Running),
            (&[(Canceled, false), (Success, false)], Canceled),
            (
                &[(Canceled, false), (Manual, false), (Canceled, false)],
                Manual,
            ),
            (&[(Skipped, false), (Skipped, false)], Skipped),
            (
                &[(WaitingForResource, false), (Success, false)],
                WaitingForResource,
            ),
            (&[(Scheduled, false), (Created, false)], Scheduled),
            (&[(Canceling, false), (Canceled, false)], Canceling),
            (&[(Failed, false), (Skipped, false)], Failed),
        ];
        for (jobs, expected) in cases {
            assert_eq!(composite(jobs), *expected, "{jobs:?}");
        }
    }

    #[test]
    fn a_needed_job_that_did_not_run_skips_and_an_unfinished_one_holds() {
        assert_eq!(composite_of_needs(&[]), Success);
        assert_eq!(composite_of_needs(&[(Manual, true)]), Skipped);
        assert_eq!(composite_of_needs(&[(Manual, false)]), Pending);
        assert_eq!(
            composite_of_needs(&[(Success, false), (Running, false)]),
            Pending
        );
        assert_eq!(composite_of_needs(&[(Failed, true)]), Success);
        assert_eq!(
            composite_of_needs(&[(Success, false), (Failed, false)]),
            Failed
        );
    }
}
