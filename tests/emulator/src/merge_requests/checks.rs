//! May a merge request be merged? Conflicts are looked for in the background, the other checks are made on demand.

use std::time::Duration;

use jiff::Timestamp;

use super::auto_merge;
use crate::git::GitError;
use crate::hooks::{PipelineView, Pipelines};
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::{MergeRequest, MergeStatus, Mergeability};
use crate::store::notes::Noteable;

/// The first reason not to merge, in GitLab's order; `Mergeable` when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    NotOpen,
    Checking,
    MergeTime,
    Draft,
    NoCommits,
    DiscussionsNotResolved,
    Conflict,
    NeedRebase,
    CiStillRunning,
    CiMustPass,
    Mergeable,
}

impl Verdict {
    /// As `detailed_merge_status` of the API writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotOpen => "not_open",
            Self::Checking => "checking",
            Self::MergeTime => "merge_time",
            Self::Draft => "draft_status",
            Self::NoCommits => "commits_status",
            Self::DiscussionsNotResolved => "discussions_not_resolved",
            Self::Conflict => "conflict",
            Self::NeedRebase => "need_rebase",
            Self::CiStillRunning => "ci_still_running",
            Self::CiMustPass => "ci_must_pass",
            Self::Mergeable => "mergeable",
        }
    }

    /// Does an automatic merge wait until this has gone?
    pub(crate) fn can_be_waited_for(self) -> bool {
        match self {
            Self::MergeTime
            | Self::Draft
            | Self::DiscussionsNotResolved
            | Self::CiStillRunning
            | Self::CiMustPass
            | Self::Mergeable => true,
            Self::NotOpen
            | Self::Checking
            | Self::NoCommits
            | Self::Conflict
            | Self::NeedRebase => false,
        }
    }
}

/// Makes all checks.
pub(crate) fn verdict(
    pipelines: &dyn Pipelines,
    state: &State,
    now: Timestamp,
    merge_request: &MergeRequest,
) -> Verdict {
    let found = match merge_request.merge_status {
        _ if !merge_request.is_open() => return Verdict::NotOpen,
        MergeStatus::Checking => return Verdict::Checking,
        MergeStatus::Checked(found) => found,
    };
    let settings = state.projects.get(merge_request.project_id);
    let settings = settings.map(|project| &project.settings);
    let linear = settings.is_some_and(|settings| settings.merge_method != "merge");
    let discussions =
        settings.is_some_and(|settings| settings.only_allow_merge_if_all_discussions_are_resolved);
    let resolved = || state.discussions_are_resolved(Noteable::MergeRequest(merge_request.id));
    if merge_request.merge_after.is_some_and(|after| now < after) {
        Verdict::MergeTime
    } else if merge_request.is_draft() {
        Verdict::Draft
    } else if !found.has_commits {
        Verdict::NoCommits
    } else if discussions && !resolved() {
        Verdict::DiscussionsNotResolved
    } else if found.conflicts {
        Verdict::Conflict
    } else if linear && !found.up_to_date {
        Verdict::NeedRebase
    } else {
        pipeline_verdict(pipelines, state, merge_request)
    }
}

fn pipeline_verdict(
    pipelines: &dyn Pipelines,
    state: &State,
    merge_request: &MergeRequest,
) -> Verdict {
    let settings = match state.projects.get(merge_request.project_id) {
        Some(project) if project.settings.only_allow_merge_if_pipeline_succeeds => {
            &project.settings
        }
        Some(_) | None => return Verdict::Mergeable,
    };
    let pipeline = pipeline_of_head(pipelines, state, merge_request);
    match pipeline.as_ref().map(|pipeline| pipeline.status.as_str()) {
        Some("success") => Verdict::Mergeable,
        Some("skipped") if settings.allow_merge_on_skipped_pipeline == Some(true) => {
            Verdict::Mergeable
        }
        Some(status) if is_in_progress(status) => Verdict::CiStillRunning,
        Some(_) | None => Verdict::CiMustPass,
    }
}

/// The head pipeline, unless it ran on an older head.
pub(crate) fn pipeline_of_head(
    pipelines: &dyn Pipelines,
    state: &State,
    merge_request: &MergeRequest,
) -> Option<PipelineView> {
    pipelines
        .head_pipeline(state, merge_request)
        .filter(|pipeline| pipeline.sha == merge_request.sha)
}

/// Is a pipeline of this status still going to change by itself?
pub(crate) fn is_in_progress(status: &str) -> bool {
    [
        "created",
        "waiting_for_resource",
        "preparing",
        "waiting_for_callback",
        "pending",
        "running",
        "canceling",
    ]
    .contains(&status)
}

/// Marks a merge request as not looked at, and looks in the background.
pub(crate) fn check_later(shared: &Shared, id: u64) {
    let delay = {
        let mut state = shared.state();
        let Some(merge_request) = state.merge_requests.get_mut(id) else {
            return;
        };
        merge_request.merge_status = MergeStatus::Checking;
        Duration::from_millis(state.limits.mergeability_check_delay)
    };
    shared
        .background
        .after(delay, move |shared| check(shared, id));
}

fn check(shared: &Shared, id: u64) {
    let Some(seen) = shared.state().merge_requests.get(id).cloned() else {
        return;
    };
    let found = match look(shared, &seen) {
        Ok(found) => found,
        Err(error) => {
            shared
                .report
                .say(&format!("checking !{}: {error}", seen.iid));
            return;
        }
    };
    {
        let mut state = shared.state();
        match state.merge_requests.get_mut(id) {
            Some(merge_request) if merge_request.sha == seen.sha => {
                merge_request.merge_status = MergeStatus::Checked(found);
            }
            // A newer head has its own check on the way.
            Some(_) | None => return,
        }
    }
    auto_merge::merge_if_ready(shared, seen.project_id, seen.iid);
}

/// Looks at the two branches.
pub(crate) fn look(
    shared: &Shared,
    merge_request: &MergeRequest,
) -> Result<Mergeability, GitError> {
    let repository = shared.repository(merge_request.project_id);
    let head = |branch: &str| repository.resolve(&format!("refs/heads/{branch}"));
    let source = format!("refs/heads/{}", merge_request.source_branch);
    let source = shared
        .repository(merge_request.source_project_id)
        .resolve(&source)?;
    let Some(target) = head(&merge_request.target_branch)?.filter(|_| source.is_some()) else {
        return Ok(Mergeability {
            conflicts: false,
            up_to_date: false,
            has_commits: false,
        });
    };
    Ok(Mergeability {
        conflicts: !repository
            .conflicts(&target, &merge_request.sha)?
            .is_empty(),
        up_to_date: repository.is_ancestor(&target, &merge_request.sha)?,
        has_commits: repository.count_between(&target, &merge_request.sha)? > 0,
    })
}
