//! Merging: the commits it makes, the push to the target branch, and what follows a merge.

use super::{checks, messages, opening, refresh};
use crate::access;
use crate::closing;
use crate::git::{GitError, Identity, Repository};
use crate::issuable_changes;
use crate::issuables;
use crate::push::{self, Push, RefUpdate};
use crate::shared::Shared;
use crate::store::merge_requests::{MergeRequest, MergeRequestState};
use crate::store::notes::Noteable;
use crate::store::resource_events::Change;

/// GitLab moves only so many merge requests along.
const RETARGETED: usize = 4;

/// What whoever merges has chosen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) squash: bool,
    pub(crate) should_remove_source_branch: Option<bool>,
    pub(crate) merge_commit_message: Option<String>,
    pub(crate) squash_commit_message: Option<String>,
}

/// Why nothing was merged.
#[derive(Debug)]
pub(crate) enum MergeError {
    /// Not open, or being merged by somebody else.
    NotOpen,
    /// Git could not do it; the reason is in `merge_error`.
    Failed,
}

struct Made {
    new_head: String,
    merge_commit: Option<String>,
    squash_commit: Option<String>,
}

/// Merges into the target branch as a user, and pushes it. The checks are up to the caller, who must not hold the state.
pub(crate) fn merge(
    shared: &Shared,
    user: u64,
    project: u64,
    iid: u64,
    wish: &Wish,
) -> Result<(), MergeError> {
    let merge_request = lock(shared, project, iid)?;
    let target = format!("refs/heads/{}", merge_request.target_branch);
    let repository = shared.repository(project);
    // Merges into one branch come one after the other, as GitLab's lease makes them; a `git push` can still come between.
    let attempt = || -> Result<RefUpdate, GitError> {
        loop {
            let old = repository.resolve(&target)?;
            let Some(old) = old else {
                let text = "Target branch does not exist";
                return Err(GitError::Action(text.to_owned()));
            };
            let made = make(shared, &repository, user, &merge_request, &old, wish)?;
            match repository.update_ref(&target, Some(&made.new_head), Some(&old)) {
                Ok(()) => {
                    let update = RefUpdate {
                        name: target.clone(),
                        old: Some(old),
                        new: Some(made.new_head.clone()),
                    };
                    record(shared, user, project, iid, wish, &made);
                    return Ok(update);
                }
                Err(GitError::RefMoved { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    };
    match attempt() {
        Ok(update) => {
            after(shared, user, &merge_request, update);
            Ok(())
        }
        Err(error) => {
            {
                let mut state = shared.state();
                if let Some(row) = state.merge_request_mut(project, iid) {
                    row.state = MergeRequestState::Opened;
                    row.merge_error = Some(format!("Merge failed: {error}. Please try again."));
                    row.auto_merge = None;
                }
            }
            let branch = &merge_request.source_branch;
            let home = merge_request.source_project_id;
            if let Err(error) = refresh::catch_up(shared, user, home, branch) {
                let text = format!("after the failed merge of !{iid}: {error}");
                shared.report.say(&text);
            }
            Err(MergeError::Failed)
        }
    }
}

fn lock(shared: &Shared, project: u64, iid: u64) -> Result<MergeRequest, MergeError> {
    let mut state = shared.state();
    let found = state.merge_request_mut(project, iid);
    let merge_request = found
        .filter(|merge_request| merge_request.is_open())
        .ok_or(MergeError::NotOpen)?;
    merge_request.state = MergeRequestState::Locked;
    Ok(merge_request.clone())
}

fn make(
    shared: &Shared,
    repository: &Repository,
    user: u64,
    merge_request: &MergeRequest,
    target: &str,
    wish: &Wish,
) -> Result<Made, GitError> {
    let (committer, author, method) = {
        let (state, now) = (shared.state(), shared.clock.now());
        let project = state.projects.get(merge_request.project_id);
        let method = project.map(|project| project.settings.merge_method.clone());
        (
            state.identity(user, now),
            state.identity(merge_request.author_id, now),
            method.unwrap_or_default(),
        )
    };
    let squash_commit = if wish.squash {
        let message = match &wish.squash_commit_message {
            Some(message) => message.clone(),
            None => messages::of_squash(shared, merge_request, user)?,
        };
        squash(
            repository,
            merge_request,
            target,
            &message,
            &author,
            &committer,
        )?
    } else {
        None
    };
    let source = squash_commit.as_deref().unwrap_or(&merge_request.sha);
    if method == "ff" {
        if !repository.is_ancestor(target, source)? {
            let text = "Fast-forward merge is not possible";
            return Err(GitError::Action(text.to_owned()));
        }
        return Ok(Made {
            new_head: source.to_owned(),
            merge_commit: None,
            squash_commit,
        });
    }
    let tree = repository.merge_tree(target, source)?;
    let message = match &wish.merge_commit_message {
        Some(message) => message.clone(),
        None => messages::of_merge(shared, merge_request, user)?,
    };
    let parents = [target, source];
    let commit = repository.commit_tree(&tree, &parents, &message, &committer, &committer)?;
    Ok(Made {
        new_head: commit.clone(),
        merge_commit: Some(commit),
        squash_commit,
    })
}

/// All commits as one; a single commit that already has the message stays what it is.
fn squash(
    repository: &Repository,
    merge_request: &MergeRequest,
    target: &str,
    message: &str,
    author: &Identity,
    committer: &Identity,
) -> Result<Option<String>, GitError> {
    let head = &merge_request.sha;
    let Some(base) = repository.merge_base(target, head)? else {
        return Ok(None);
    };
    let Some(commit) = repository.commit(head)? else {
        return Ok(None);
    };
    let single = repository.count_between(&base, head)? < 2;
    if single && commit.message.trim_end() == message.trim_end() {
        return Ok(Some(head.clone()));
    }
    repository
        .commit_tree(&commit.tree, &[&base], message, author, committer)
        .map(Some)
}

/// Writes down that it is merged, before anybody can see the push.
fn record(shared: &Shared, user: u64, project: u64, iid: u64, wish: &Wish, made: &Made) {
    let now = shared.clock.now();
    let mut state = shared.state();
    let Some(merge_request) = state.merge_request_mut(project, iid) else {
        return;
    };
    merge_request
        .merge_commit_sha
        .clone_from(&made.merge_commit);
    merge_request
        .squash_commit_sha
        .clone_from(&made.squash_commit);
    merge_request.squash = wish.squash;
    merge_request.should_remove_source_branch = wish.should_remove_source_branch;
    let id = merge_request.id;
    mark_merged(&mut state, id, user, now);
}

/// The state and event of a merge, however it came about.
pub(crate) fn mark_merged(
    state: &mut crate::store::State,
    id: u64,
    user: u64,
    now: jiff::Timestamp,
) {
    let Some(merge_request) = state.merge_requests.get_mut(id) else {
        return;
    };
    merge_request.state = MergeRequestState::Merged;
    merge_request.merged_at = Some(now);
    merge_request.merged_by = Some(user);
    merge_request.merge_error = None;
    merge_request.auto_merge = None;
    merge_request.updated_at = now;
    let merged = Change::State { state: "merged" };
    issuables::add_event(state, Noteable::MergeRequest(id), user, now, merged);
    issuable_changes::stop_environments(state, id, user, now);
}

fn after(shared: &Shared, user: u64, merge_request: &MergeRequest, update: RefUpdate) {
    let project = merge_request.project_id;
    let pushed = push::on_push(
        shared,
        &Push {
            project,
            user,
            updates: vec![update],
            options: Vec::new(),
        },
    );
    let followed = pushed.and_then(|()| {
        refresh::close_issues(shared, merge_request.id, user)?;
        remove_source_branch(shared, user, project, merge_request.iid)
    });
    if let Err(error) = followed {
        let text = format!("after merging !{}: {error}", merge_request.iid);
        shared.report.say(&text);
    }
}

/// Removes the source branch if that was wished and nothing speaks against it.
fn remove_source_branch(
    shared: &Shared,
    user: u64,
    project: u64,
    iid: u64,
) -> Result<(), GitError> {
    let (home, branch, sha, into) = {
        let state = shared.state();
        let Some(merge_request) = state.merge_request(project, iid) else {
            return Ok(());
        };
        let home = merge_request.source_project_id;
        let branch = &merge_request.source_branch;
        let wished = merge_request
            .should_remove_source_branch
            .or(merge_request.force_remove_source_branch)
            .unwrap_or(false);
        let default = state
            .projects
            .get(home)
            .and_then(|project| project.default_branch.as_ref());
        let kept = state.is_protected_branch(home, branch)
            || default == Some(branch)
            || !access::may_push(&state, user, home, branch);
        if !wished || kept {
            return Ok(());
        }
        let into = merge_request.target_branch.clone();
        (home, branch.clone(), merge_request.sha.clone(), into)
    };
    let update = RefUpdate {
        name: format!("refs/heads/{branch}"),
        old: Some(sha),
        new: None,
    };
    match push::move_ref(shared, home, user, update, Vec::new()) {
        // It has got new commits meanwhile, or is gone already.
        Err(GitError::RefMoved { .. }) => Ok(()),
        Ok(()) => retarget(shared, user, home, &branch, &into),
        Err(error) => Err(error),
    }
}

/// Merge requests into the removed branch go on into the branch it was merged into.
fn retarget(
    shared: &Shared,
    user: u64,
    project: u64,
    gone: &str,
    into: &str,
) -> Result<(), GitError> {
    let rows: Vec<MergeRequest> = {
        let state = shared.state();
        let open = state.open_merge_requests_into(project, gone);
        open.take(RETARGETED).cloned().collect()
    };
    for row in rows {
        let repository = shared.repository(project);
        let version = opening::diff_version(shared, &repository, &row.sha, into)?;
        {
            let (mut state, now) = (shared.state(), shared.clock.now());
            if let Some(row) = state.merge_requests.get_mut(row.id) {
                into.clone_into(&mut row.target_branch);
                row.versions.push(version);
            }
            let text = format!(
                "changed automatically target branch to `{into}` because `{gone}` was deleted"
            );
            let noteable = Noteable::MergeRequest(row.id);
            issuables::add_system_note(&mut state, noteable, user, now, &text);
        }
        closing::remember(shared, row.id)?;
        checks::check_later(shared, row.id);
    }
    Ok(())
}
