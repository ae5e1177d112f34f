//! Forks: copying a repository in the background, and the tie between a fork and its parent.

use std::time::Duration;

use jiff::Timestamp;

use crate::issuable_changes;
use crate::shared::Shared;
use crate::store::State;
use crate::store::notes::Noteable;

/// The project at the root of a family of forks.
pub(crate) fn root_of(state: &State, project: u64) -> u64 {
    let mut root = project;
    // Forks of forks are a chain, but a broken one must not hang.
    for _ in 0..state.projects.iter().count() {
        match state.projects.get(root).and_then(|found| found.forked_from) {
            Some(parent) if state.projects.get(parent).is_some() => root = parent,
            Some(_) | None => break,
        }
    }
    root
}

/// How many forks a project has.
pub(crate) fn count(state: &State, project: u64) -> usize {
    let forks = state.projects.iter();
    forks
        .filter(|fork| fork.forked_from == Some(project))
        .count()
}

/// Copies the parent's branches, all or those named, a moment later.
pub(crate) fn copy_later(shared: &Shared, fork: u64, parent: u64, branches: Vec<String>) {
    shared.background.after(Duration::ZERO, move |shared| {
        copy(shared, fork, parent, &branches);
    });
}

fn copy(shared: &Shared, fork: u64, parent: u64, branches: &[String]) {
    let repository = shared.repository(fork);
    let copied = repository.copy_refs(&shared.repository(parent), branches);
    let wished = {
        let state = shared.state();
        let parent = state.projects.get(parent);
        let own = parent.and_then(|parent| parent.default_branch.clone());
        branches.first().cloned().or(own)
    };
    let head = wished.as_ref().map_or(Ok(()), |branch| {
        let known = repository.resolve(&format!("refs/heads/{branch}"))?;
        known.map_or(Ok(()), |_| repository.set_head(branch))
    });
    let done = copied.and(head);
    if let Err(error) = &done {
        shared
            .report
            .say(&format!("forking project {parent}: {error}"));
    }
    let mut state = shared.state();
    let Some(project) = state.projects.get_mut(fork) else {
        return;
    };
    project.import_status = if done.is_ok() { "finished" } else { "failed" };
    if let Some(branch) = wished.filter(|_| done.is_ok()) {
        project.default_branch = Some(branch.clone());
        state.protect_branch(fork, &branch);
    }
}

/// Ends the tie of a fork to its parent: merge requests between it and its family are closed. False if there was none.
pub(crate) fn unlink(state: &mut State, fork: u64, user: u64, now: Timestamp) -> bool {
    close_merge_requests(state, fork, user, now);
    let project = state.projects.get_mut(fork);
    project.is_some_and(|project| project.forked_from.take().is_some())
}

/// Closes the open merge requests from a project to others and from others to it.
pub(crate) fn close_merge_requests(state: &mut State, project: u64, user: u64, now: Timestamp) {
    let between: Vec<u64> = state
        .merge_requests
        .iter()
        .filter(|row| row.is_open() && row.source_project_id != row.project_id)
        .filter(|row| row.source_project_id == project || row.project_id == project)
        .map(|row| row.id)
        .collect();
    for id in between {
        let noteable = Noteable::MergeRequest(id);
        issuable_changes::set_open(state, noteable, false, user, now);
    }
}
