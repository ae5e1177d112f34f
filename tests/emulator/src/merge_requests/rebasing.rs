//! Rebasing the source branch onto the target branch, in the background.

use std::time::Duration;

use crate::access;
use crate::git::{GitError, Repository};
use crate::push::{self, RefUpdate};
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::MergeRequest;

const CONFLICT: &str =
    "Rebase failed: Rebase locally, resolve all conflicts, then push the branch.";

/// Why a rebase was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoSourceBranch,
    CannotPush,
    CannotForcePush,
    /// Not open, or another rebase is running.
    Busy,
}

/// Accepts a rebase and does it in the background. `options` are those of the push, such as `ci.no_pipeline`.
pub(crate) fn start(
    shared: &Shared,
    user: u64,
    project: u64,
    iid: u64,
    options: Vec<String>,
) -> Result<(), Refusal> {
    let (home, source) = {
        let state = shared.state();
        let found = state.merge_request(project, iid);
        let found = found.ok_or(Refusal::Busy)?;
        (found.source_project_id, found.source_branch.clone())
    };
    let head = shared
        .repository(home)
        .resolve(&format!("refs/heads/{source}"));
    if !matches!(head, Ok(Some(_))) {
        return Err(Refusal::NoSourceBranch);
    }
    let (id, delay) = {
        let mut state = shared.state();
        right(&state, user, home, &source)?;
        let delay = state.limits.rebase_delay;
        let found = state.merge_request_mut(project, iid);
        let merge_request = found
            .filter(|merge_request| merge_request.is_open() && !merge_request.rebase_in_progress)
            .ok_or(Refusal::Busy)?;
        merge_request.rebase_in_progress = true;
        merge_request.merge_error = None;
        (merge_request.id, Duration::from_millis(delay))
    };
    shared
        .background
        .after(delay, move |shared| run(shared, user, id, options));
    Ok(())
}

fn right(state: &State, user: u64, project: u64, branch: &str) -> Result<(), Refusal> {
    if !access::may_push(state, user, project, branch) {
        Err(Refusal::CannotPush)
    } else if !access::may_force_push(state, user, project, branch) {
        Err(Refusal::CannotForcePush)
    } else {
        Ok(())
    }
}

fn run(shared: &Shared, user: u64, id: u64, options: Vec<String>) {
    let Some(merge_request) = shared.state().merge_requests.get(id).cloned() else {
        return;
    };
    let failure = match rebase(shared, user, &merge_request, options) {
        Ok(()) => None,
        Err(GitError::Conflict { .. }) => Some(CONFLICT.to_owned()),
        Err(GitError::Action(text)) => Some(text),
        Err(error @ (GitError::Start(_) | GitError::Failed { .. } | GitError::RefMoved { .. })) => {
            shared
                .report
                .say(&format!("rebasing !{}: {error}", merge_request.iid));
            Some(CONFLICT.to_owned())
        }
    };
    if let Some(merge_request) = shared.state().merge_requests.get_mut(id) {
        merge_request.rebase_in_progress = false;
        merge_request.merge_error = failure;
    }
}

fn rebase(
    shared: &Shared,
    user: u64,
    merge_request: &MergeRequest,
    options: Vec<String>,
) -> Result<(), GitError> {
    let project = merge_request.source_project_id;
    let repository = shared.repository(project);
    let parent = shared.repository(merge_request.project_id);
    let name = format!("refs/heads/{}", merge_request.source_branch);
    let head = |repository: &Repository, name: &str, text: &str| {
        let found = repository.resolve(name)?;
        found.ok_or_else(|| GitError::Action(text.to_owned()))
    };
    let old = head(&repository, &name, "Source branch does not exist")?;
    let target = format!("refs/heads/{}", merge_request.target_branch);
    let target = head(&parent, &target, "Target branch does not exist")?;
    repository.bring(&parent, &target)?;
    let committer = shared.state().identity(user, shared.clock.now());
    let new = repository.rebase(&old, &target, &committer)?;
    if new == old {
        return Ok(());
    }
    let update = RefUpdate {
        name,
        old: Some(old),
        new: Some(new),
    };
    push::move_ref(shared, project, user, update, options)
}
