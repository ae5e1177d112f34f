//! Diff notes follow their lines when the source branch moves, and become outdated when these change.

use crate::diff_positions;
use crate::git::{GitError, Repository};
use crate::issuables;
use crate::resolving;
use crate::shared::Shared;
use crate::store::merge_requests::{DiffVersion, MergeRequest};
use crate::store::notes::{Noteable, Position};

/// Moves the notes of the former version of a merge request's difference to a new one. Call it without holding the state.
pub(crate) fn follow(
    shared: &Shared,
    repository: &Repository,
    old: &MergeRequest,
    version: &DiffVersion,
    user: u64,
) -> Result<(), GitError> {
    let noteable = Noteable::MergeRequest(old.id);
    let mut threads: Vec<(String, Position)> = Vec::new();
    {
        let state = shared.state();
        for note in state.notes_on(noteable) {
            let Some(position) = &note.position else {
                continue;
            };
            let current = position.value["head_sha"] == old.sha.as_str();
            let known = threads.iter().any(|(id, _)| *id == note.discussion_id);
            if current && position.line_code.is_some() && !known {
                threads.push((note.discussion_id.clone(), position.clone()));
            }
        }
    }
    for (thread, position) in threads {
        let refs = (
            version.base.as_str(),
            version.start.as_str(),
            version.head.as_str(),
        );
        match diff_positions::moved(repository, &position, refs)? {
            Some(moved) => {
                for note in shared.state().notes.iter_mut() {
                    if note.noteable == noteable && note.discussion_id == thread {
                        note.position = Some(moved.clone());
                    }
                }
            }
            None => tell(shared, old, version, &thread, &position, user),
        }
    }
    Ok(())
}

/// Says in a thread that its line was changed, and resolves it where the project wants that.
fn tell(
    shared: &Shared,
    old: &MergeRequest,
    version: &DiffVersion,
    thread: &str,
    position: &Position,
    user: u64,
) {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let noteable = Noteable::MergeRequest(old.id);
    let page = state.project_url("", old.project_id);
    let text = format!(
        "changed this line in [version {} of the diff]({page}/-/merge_requests/{}/diffs?diff_id={}&start_sha={}#{})",
        old.versions.len() + 1,
        old.iid,
        version.id,
        old.sha,
        position.line_code.as_deref().unwrap_or_default()
    );
    let id = issuables::add_note(&mut state, noteable, user, now, &text, Some(thread));
    if let Some(note) = state.notes.get_mut(id) {
        note.system = true;
        note.position = Some(position.clone());
    }
    let wanted = state
        .projects
        .get(old.project_id)
        .is_some_and(|project| project.settings.resolve_outdated_diff_discussions);
    if wanted {
        resolving::set(&mut state, noteable, true, user, now, |note| {
            note.discussion_id == thread
        });
    }
}
