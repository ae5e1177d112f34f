//! What a push does to merge requests: those it merged, those whose source moved, those whose target moved.

use std::sync::PoisonError;

use super::auto_merge;
use super::checks;
use super::diff_notes;
use super::merging::mark_merged;
use super::opening::{bring_head, diff_version, keep_head};
use crate::closing;
use crate::git::{Commit, GitError};
use crate::issuable_changes;
use crate::issuables;
use crate::push::{Push, RefUpdate};
use crate::references;
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::{DiffVersion, MergeRequest, without_draft_prefix};
use crate::store::notes::Noteable;
use crate::store::resource_events::Via;

/// Brings the merge requests of a project up to date; gives the project and number of those that got new commits.
pub(crate) fn after_push(shared: &Shared, push: &Push) -> Result<Vec<(u64, u64)>, GitError> {
    // One push after the other: whoever looks at a branch later must also write later.
    let _turn = shared
        .after_push
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut changed = Vec::new();
    for update in &push.updates {
        let Some(branch) = update.branch() else {
            continue;
        };
        if update.old.is_none() || update.new.is_none() {
            presence_changed(shared, push, update, branch);
        }
        // GitLab looks for merged ones first, with the heads as they were recorded before this push.
        mark_those_merged(shared, push, update, branch)?;
        heed_messages(shared, push, update, branch)?;
        changed.extend(follow_source(shared, push.user, push.project, branch)?);
        let into: Vec<u64> = {
            let state = shared.state();
            let open = state.open_merge_requests_into(push.project, branch);
            open.map(|merge_request| merge_request.id).collect()
        };
        for id in into {
            stop_what_must_be_rebased(shared, push.user, id)?;
            checks::check_later(shared, id);
        }
    }
    Ok(changed)
}

/// Looks again at a branch whose open merge requests could have missed a push: those just opened, reopened or unlocked.
pub(crate) fn catch_up(
    shared: &Shared,
    user: u64,
    project: u64,
    branch: &str,
) -> Result<(), GitError> {
    let _turn = shared
        .after_push
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    follow_source(shared, user, project, branch).map(drop)
}

/// Tells the merge requests of a branch that it appeared or went; without it they are closed.
fn presence_changed(shared: &Shared, push: &Push, update: &RefUpdate, branch: &str) {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let open = state.open_merge_requests_from(push.project, branch);
    let open: Vec<u64> = open.map(|row| row.id).collect();
    for id in open {
        let noteable = Noteable::MergeRequest(id);
        let verb = if update.new.is_some() {
            "restored"
        } else {
            issuable_changes::set_open(&mut state, noteable, false, push.user, now);
            "deleted"
        };
        let text = format!("{verb} source branch `{branch}`");
        issuables::add_system_note(&mut state, noteable, push.user, now, &text);
    }
}

/// An automatic merge that a moved target branch keeps from being fast-forwarded is given up.
fn stop_what_must_be_rebased(shared: &Shared, user: u64, id: u64) -> Result<(), GitError> {
    let waiting = {
        let state = shared.state();
        let row = state.merge_requests.get(id);
        let row = row.filter(|row| row.auto_merge.is_some()).cloned();
        row.filter(|row| {
            let project = state.projects.get(row.project_id);
            project.is_some_and(|project| project.settings.merge_method != "merge")
        })
    };
    let Some(waiting) = waiting else {
        return Ok(());
    };
    if !checks::look(shared, &waiting)?.up_to_date {
        let (mut state, now) = (shared.state(), shared.clock.now());
        auto_merge::abort(&mut state, id, user, now, "target branch was updated");
    }
    Ok(())
}

fn mark_those_merged(
    shared: &Shared,
    push: &Push,
    update: &RefUpdate,
    branch: &str,
) -> Result<(), GitError> {
    let (Some(old), Some(new)) = (&update.old, &update.new) else {
        return Ok(());
    };
    let repository = shared.repository(push.project);
    let open: Vec<MergeRequest> = {
        let state = shared.state();
        let open = state.open_merge_requests_into(push.project, branch);
        open.cloned().collect()
    };
    for merge_request in open {
        let empty = merge_request.diff().is_none_or(|diff| diff.commits == 0);
        let head = &merge_request.sha;
        let arrived = repository.resolve(head)?.is_some()
            && repository.is_ancestor(head, new)?
            && !repository.is_ancestor(head, old)?;
        if empty || !arrived {
            continue;
        }
        // The commit of the target branch itself that brought it in: a merge commit, or the head when fast-forwarded.
        let range = format!("{old}..{new}");
        let line = repository.commits(&["--first-parent", "--reverse", &range])?;
        let mut brought = None;
        for commit in line {
            if repository.is_ancestor(head, &commit.id)? {
                brought = Some(commit.id);
                break;
            }
        }
        {
            let (mut state, now) = (shared.state(), shared.clock.now());
            match state.merge_requests.get_mut(merge_request.id) {
                Some(row) if row.is_open() => row.merge_commit_sha = brought,
                Some(_) | None => continue,
            }
            mark_merged(&mut state, merge_request.id, push.user, now);
        }
        close_issues(shared, merge_request.id, push.user)?;
    }
    Ok(())
}

/// Closes the issues that a merged merge request says it closes.
pub(crate) fn close_issues(shared: &Shared, id: u64, user: u64) -> Result<(), GitError> {
    let Some(merge_request) = shared.state().merge_requests.get(id).cloned() else {
        return Ok(());
    };
    let closes = closing::of_merge_request(shared, &merge_request)?;
    let (mut state, now) = (shared.state(), shared.clock.now());
    for issue in closes {
        issuable_changes::close_via(&mut state, issue, Via::MergeRequest(id), user, now);
    }
    Ok(())
}

/// New commits are told of where their messages mention something; once they reach the default branch they close the
/// issues they say they close.
fn heed_messages(
    shared: &Shared,
    push: &Push,
    update: &RefUpdate,
    branch: &str,
) -> Result<(), GitError> {
    let default = {
        let state = shared.state();
        let project = state.projects.get(push.project);
        project.and_then(|project| project.default_branch.clone())
    };
    let (Some(default), Some(new)) = (default, &update.new) else {
        return Ok(());
    };
    let range = match &update.old {
        Some(old) => format!("{old}..{new}"),
        None if default != branch => format!("refs/heads/{default}..{new}"),
        None => return Ok(()),
    };
    let repository = shared.repository(push.project);
    let commits = repository.commits(&["--max-count=100", &range])?;
    let (mut state, now) = (shared.state(), shared.clock.now());
    for commit in commits {
        let (project, text) = (push.project, &commit.message);
        let closes = if default == branch {
            closing::issues_in(&state, &shared.url, project, text)
        } else {
            Vec::new()
        };
        let author = state
            .users
            .iter()
            .find(|user| user.email == commit.author.email)
            .map_or(push.user, |author| author.id);
        for target in references::mentioned(&state, &shared.url, project, text) {
            let closed = matches!(target, Noteable::Issue(id) if closes.contains(&id));
            if !closed {
                let reference = commit_from(&state, project, target, &commit.id);
                let body = format!("mentioned in commit {reference}");
                issuables::add_mention(&mut state, target, author, now, &body);
            }
        }
        for issue in closes {
            let via = Via::Commit(commit.id.clone());
            issuable_changes::close_via(&mut state, issue, via, push.user, now);
        }
    }
    Ok(())
}

/// A commit as a text about something in another or the same project refers to it.
fn commit_from(state: &State, project: u64, target: Noteable, sha: &str) -> String {
    let away = issuables::project_of(state, target);
    match state.projects.get(project).filter(|_| away != project) {
        Some(home) => format!("{}@{sha}", state.project_path(home)),
        None => sha.to_owned(),
    }
}

/// Gives the open merge requests of a branch its new head and a new diff version.
fn follow_source(
    shared: &Shared,
    user: u64,
    project: u64,
    branch: &str,
) -> Result<Vec<(u64, u64)>, GitError> {
    let source = shared.repository(project);
    let head = source.resolve(&format!("refs/heads/{branch}"))?;
    let from: Vec<MergeRequest> = {
        let state = shared.state();
        let open = state.open_merge_requests_from(project, branch);
        open.cloned().collect()
    };
    let mut changed = Vec::new();
    for old in from {
        if let Some(head) = head.as_ref().filter(|head| **head != old.sha) {
            bring_head(shared, project, old.project_id, head)?;
            let repository = shared.repository(old.project_id);
            let version = diff_version(shared, &repository, head, &old.target_branch)?;
            let news = news(shared, &old, &version)?;
            keep_head(&repository, old.iid, head)?;
            diff_notes::follow(shared, &repository, &old, &version, user)?;
            let (mut state, now) = (shared.state(), shared.clock.now());
            if let Some(merge_request) = state.merge_requests.get_mut(old.id) {
                merge_request.sha.clone_from(head);
                merge_request.versions.push(version);
                merge_request.merge_error = None;
                merge_request.updated_at = now;
            }
            auto_merge::abort(&mut state, old.id, user, now, "source branch was updated");
            let noteable = Noteable::MergeRequest(old.id);
            issuables::add_system_note(&mut state, noteable, user, now, &news);
            drop(state);
            draft_by_commits(shared, user, &old, head)?;
            closing::remember(shared, old.id)?;
            changed.push((old.project_id, old.iid));
        }
        checks::check_later(shared, old.id);
    }
    Ok(changed)
}

/// A new commit that is to be squashed or calls itself a draft makes the merge request one.
fn draft_by_commits(
    shared: &Shared,
    user: u64,
    old: &MergeRequest,
    head: &str,
) -> Result<(), GitError> {
    if old.is_draft() {
        return Ok(());
    }
    let repository = shared.repository(old.project_id);
    let commits = repository.commits(&[&format!("{}..{head}", old.sha)])?;
    let unfinished = commits.iter().find(|commit| {
        let title = commit.title();
        let marks = ["fixup! ", "squash! ", "amend! "];
        marks.iter().any(|mark| title.starts_with(mark))
            || without_draft_prefix(title).len() < title.len()
    });
    let Some(unfinished) = unfinished else {
        return Ok(());
    };
    let (mut state, now) = (shared.state(), shared.clock.now());
    if let Some(row) = state.merge_requests.get_mut(old.id) {
        row.title = format!("Draft: {}", row.title);
    }
    let text = format!(
        "marked this merge request as **draft** from {}",
        unfinished.short_id()
    );
    let noteable = Noteable::MergeRequest(old.id);
    issuables::add_system_note(&mut state, noteable, user, now, &text);
    Ok(())
}

/// The words in which the system tells of new commits: those that are new to the merge request one by one, those that
/// came from its target branch in one line.
fn news(shared: &Shared, old: &MergeRequest, version: &DiffVersion) -> Result<String, GitError> {
    let repository = shared.repository(old.project_id);
    let (base, head) = (&version.base, &version.head);
    let own = repository.commits(&[&format!("{base}..{head}")])?;
    let commits = repository.commits(&[&format!("{}..{head}", old.sha)])?;
    let (new, known): (Vec<_>, Vec<_>) = commits
        .iter()
        .rev()
        .partition(|commit| own.iter().any(|own| own.id == commit.id));
    let mut items = Vec::new();
    let short = |id: &str| id.get(..8).unwrap_or(id).to_owned();
    if let Some(last) = known.last() {
        let (ids, count) = match known.len() {
            1 => (short(&last.id), "1 commit".to_owned()),
            several => (
                format!("{}...{}", short(&old.sha), short(&last.id)),
                format!("{several} commits"),
            ),
        };
        let branch = target_name(shared, old);
        let item = format!("<li>{ids} - {count} from branch <code>{branch}</code></li>");
        items.push(item);
    }
    let line = |commit: &&Commit| format!("<li>{} - {}</li>", commit.short_id(), commit.title());
    items.extend(new.iter().map(line));
    let count = match commits.len() {
        1 => "added 1 commit".to_owned(),
        several => format!("added {several} commits"),
    };
    let page = shared.state().project_url("", old.project_id);
    let compare = format!(
        "{page}/-/merge_requests/{}/diffs?diff_id={}&start_sha={}",
        old.iid, version.id, old.sha
    );
    Ok(format!(
        "{count}\n\n<ul>{}</ul>\n\n[Compare with previous version]({compare})",
        items.concat()
    ))
}

/// The target branch, with its namespace if the merge request comes from elsewhere.
fn target_name(shared: &Shared, row: &MergeRequest) -> String {
    let state = shared.state();
    let target = state.projects.get(row.project_id);
    match target.filter(|_| row.source_project_id != row.project_id) {
        Some(target) => format!(
            "{}:{}",
            state.namespace_path(target.namespace_id),
            row.target_branch
        ),
        None => row.target_branch.clone(),
    }
}
