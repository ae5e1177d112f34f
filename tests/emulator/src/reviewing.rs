//! Publishing what a reviewer wrote as drafts.

use crate::git::GitError;
use crate::issuables;
use crate::quick_actions;
use crate::resolving;
use crate::secret;
use crate::shared::Shared;
use crate::store::State;
use crate::store::notes::Noteable;
use crate::suggestions;

/// The drafts of a user on a merge request, oldest first.
pub(crate) fn drafts_of(state: &State, user: u64, merge_request: u64) -> Vec<u64> {
    let own = state.draft_notes.iter();
    own.filter(|note| note.merge_request_id == merge_request && note.author_id == user)
        .map(|note| note.id)
        .collect()
}

/// Turns drafts into comments. Call it without holding the state.
pub(crate) fn publish(shared: &Shared, drafts: &[u64]) -> Result<(), GitError> {
    for id in drafts {
        let Some(draft) = shared.state().draft_notes.remove(*id) else {
            continue;
        };
        let noteable = Noteable::MergeRequest(draft.merge_request_id);
        let parsed = quick_actions::parse(&draft.body);
        let user = draft.author_id;
        if !parsed.text.is_empty() {
            let known = draft.discussion_id.clone();
            let thread = known.unwrap_or_else(secret::discussion_id);
            let note = {
                let (mut state, now) = (shared.state(), shared.clock.now());
                let first = state
                    .notes_on(noteable)
                    .find(|note| note.discussion_id == thread);
                let position = first.map_or(draft.position, |first| first.position.clone());
                for note in state.notes.iter_mut() {
                    if note.noteable == noteable && note.discussion_id == thread {
                        note.in_thread = true;
                    }
                }
                let (url, text) = (&shared.url, &parsed.text);
                let thread = Some(thread.as_str());
                let id = issuables::comment(&mut state, url, noteable, user, now, text, thread);
                if let Some(note) = state.notes.get_mut(id) {
                    note.position = position;
                }
                if draft.resolve_discussion {
                    resolving::set(&mut state, noteable, true, user, now, |note| {
                        Some(note.discussion_id.as_str()) == thread
                    });
                }
                id
            };
            suggestions::read(shared, note)?;
        }
        quick_actions::execute(shared, user, noteable, &parsed.commands, None);
    }
    Ok(())
}
