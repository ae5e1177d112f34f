//! Suggestions: changes of lines that a diff note proposes, and applying them as a commit.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::access;
use crate::git::{Action, GitError};
use crate::push::{self, RefUpdate};
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::{MergeRequest, MergeRequestState};
use crate::store::notes::{Note, Noteable, Suggestion};

const MESSAGE: &str =
    "Apply %{suggestions_count} suggestion(s) to %{files_count} file(s)\n\n%{co_authored_by}";

static FENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?ms)^```suggestion(?::(?:-(?P<above>\d+))?(?:\+(?P<below>\d+))?)?[ \t]*\n(?P<text>.*?)^?```[ \t]*$")
        .ok()
});

/// Finds the suggestions of a note's text anew. Call it without holding the state.
pub(crate) fn read(shared: &Shared, note: u64) -> Result<(), GitError> {
    let Some(note) = shared.state().notes.get(note).cloned() else {
        return Ok(());
    };
    let Some((path, line, head)) = place(&note) else {
        return Ok(());
    };
    let content = shared.repository(note.project_id).file(&head, &path)?;
    let content = String::from_utf8_lossy(&content.unwrap_or_default()).into_owned();
    let mut state = shared.state();
    state
        .suggestions
        .retain(|row| row.note_id != note.id || row.applied);
    let Some(pattern) = FENCE.as_ref() else {
        return Ok(());
    };
    for found in pattern.captures_iter(&note.body) {
        let count = |name: &str| {
            let text = found.name(name).map_or("0", |text| text.as_str());
            text.parse::<u64>().unwrap_or(0).min(100)
        };
        let from_line = line.saturating_sub(count("above")).max(1);
        let to_line = line + count("below");
        let to_content = found
            .name("text")
            .map_or("", |text| text.as_str())
            .to_owned();
        state.suggestions.insert(|id| Suggestion {
            id,
            project_id: note.project_id,
            note_id: note.id,
            from_line,
            to_line,
            from_content: lines(&content, from_line, to_line),
            to_content,
            applied: false,
        });
    }
    Ok(())
}

/// The file, new line and head of a note that can suggest something.
fn place(note: &Note) -> Option<(String, u64, String)> {
    let value = &note.position.as_ref()?.value;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    matches!(note.noteable, Noteable::MergeRequest(_)).then_some(())?;
    Some((
        text("new_path")?,
        value["new_line"].as_u64()?,
        text("head_sha")?,
    ))
}

/// Some lines of a text, counted from 1, with their line breaks.
fn lines(content: &str, from: u64, to: u64) -> String {
    let numbered = (1..).zip(content.split_inclusive('\n'));
    numbered
        .filter(|(number, _)| (from..=to).contains(number))
        .map(|(_, line)| line)
        .collect()
}

/// Why a suggestion cannot be applied as things stand, in GitLab's words.
pub(crate) fn obstacle(state: &State, suggestion: &Suggestion) -> Option<&'static str> {
    let row = merge_request(state, suggestion)?;
    let note = state.notes.get(suggestion.note_id)?;
    let (_, _, head) = place(note)?;
    let single = suggestion.from_line == suggestion.to_line;
    if suggestion.applied {
        return Some("Can't apply this suggestion.");
    }
    match row.state {
        MergeRequestState::Merged => Some(
            "This merge request was merged. To apply this suggestion, edit this file directly.",
        ),
        MergeRequestState::Closed => {
            Some("This merge request is closed. To apply this suggestion, edit this file directly.")
        }
        MergeRequestState::Opened | MergeRequestState::Locked if head != row.sha && single => {
            Some("Can't apply as this line was changed in a more recent version.")
        }
        MergeRequestState::Opened | MergeRequestState::Locked if head != row.sha => {
            Some("Can't apply as these lines were changed in a more recent version.")
        }
        MergeRequestState::Opened | MergeRequestState::Locked => {
            let same = suggestion.from_content == suggestion.to_content;
            same.then_some("This suggestion already matches its content.")
        }
    }
}

/// The merge request a suggestion is for.
pub(crate) fn merge_request<'a>(
    state: &'a State,
    suggestion: &Suggestion,
) -> Option<&'a MergeRequest> {
    match state.notes.get(suggestion.note_id)?.noteable {
        Noteable::MergeRequest(id) => state.merge_requests.get(id),
        Noteable::Issue(_) => None,
    }
}

/// Why nothing was applied.
pub(crate) enum Refusal {
    Forbidden,
    /// `400` with these words.
    Because(&'static str),
    Git(GitError),
}

impl From<GitError> for Refusal {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// Applies suggestions of one merge request in one commit on its source branch.
pub(crate) fn apply(
    shared: &Shared,
    user: u64,
    ids: &[u64],
    message: Option<&str>,
) -> Result<(), Refusal> {
    let (row, chosen, paths) = {
        let state = shared.state();
        let chosen: Vec<Suggestion> = ids
            .iter()
            .filter_map(|id| state.suggestions.get(*id).cloned())
            .collect();
        let rows = chosen.iter().map(|one| merge_request(&state, one));
        let rows: Vec<&MergeRequest> = rows.collect::<Option<_>>().ok_or(Refusal::Forbidden)?;
        let may = |row: &&MergeRequest| {
            access::may_push(&state, user, row.source_project_id, &row.source_branch)
        };
        let row = rows.first().copied().filter(|_| rows.iter().all(may));
        let row = row.ok_or(Refusal::Forbidden)?.clone();
        if rows.iter().any(|other| other.id != row.id) {
            return Err(Refusal::Because(
                "Suggestions must all be on the same branch.",
            ));
        }
        if let Some(reason) = chosen.iter().find_map(|one| obstacle(&state, one)) {
            return Err(Refusal::Because(reason));
        }
        let path = |one: &Suggestion| place(state.notes.get(one.note_id)?).map(|place| place.0);
        let paths: Vec<String> = chosen.iter().filter_map(path).collect();
        (row, chosen, paths)
    };
    let repository = shared.repository(row.source_project_id);
    let name = format!("refs/heads/{}", row.source_branch);
    let Some(head) = repository.resolve(&name)? else {
        let text = "Can't apply as the source branch was deleted.";
        return Err(Refusal::Because(text));
    };
    if head != row.sha {
        return Err(Refusal::Because("A file has been changed."));
    }
    let mut files: BTreeMap<&str, Vec<&Suggestion>> = BTreeMap::new();
    for (path, one) in paths.iter().zip(&chosen) {
        files.entry(path).or_default().push(one);
    }
    let mut actions = Vec::new();
    for (path, changes) in &mut files {
        let old = repository.file(&head, path)?;
        let Some(old) = old else {
            return Err(Refusal::Because("A file was not found."));
        };
        changes.sort_by_key(|one| one.from_line);
        if changes
            .windows(2)
            .any(|two| two[0].to_line >= two[1].from_line)
        {
            let text = "Suggestions are not applicable as their lines cannot overlap.";
            return Err(Refusal::Because(text));
        }
        let new = replaced(&String::from_utf8_lossy(&old), changes);
        actions.push(Action::put(path, new.as_bytes()));
    }
    let (message, author, committer) = words(shared, user, &row, &chosen, &files, message);
    let commit = repository.commit_actions(Some(&head), &actions, &message, &author, &committer)?;
    let update = RefUpdate {
        name,
        old: Some(head),
        new: Some(commit),
    };
    for id in ids {
        if let Some(suggestion) = shared.state().suggestions.get_mut(*id) {
            suggestion.applied = true;
        }
    }
    Ok(push::move_ref(
        shared,
        row.source_project_id,
        user,
        update,
        Vec::new(),
    )?)
}

/// A text with the lines of suggestions exchanged, which are in order and do not overlap.
fn replaced(old: &str, changes: &[&Suggestion]) -> String {
    let mut new = String::new();
    for (number, line) in (1..).zip(old.split_inclusive('\n')) {
        let inside = changes
            .iter()
            .find(|one| (one.from_line..=one.to_line).contains(&number));
        match inside {
            None => new.push_str(line),
            Some(one) if one.from_line == number => new.push_str(&one.to_content),
            Some(_) => {}
        }
    }
    new
}

type Words = (String, crate::git::Identity, crate::git::Identity);

fn words(
    shared: &Shared,
    user: u64,
    row: &MergeRequest,
    chosen: &[Suggestion],
    files: &BTreeMap<&str, Vec<&Suggestion>>,
    message: Option<&str>,
) -> Words {
    let (state, now) = (shared.state(), shared.clock.now());
    let mut authors: Vec<u64> = Vec::new();
    for note in chosen.iter().filter_map(|one| state.notes.get(one.note_id)) {
        if !authors.contains(&note.author_id) {
            authors.push(note.author_id);
        }
    }
    let others = authors.iter().filter(|id| **id != user);
    let others: Vec<String> = others
        .map(|id| state.identity(*id, now))
        .map(|other| format!("Co-authored-by: {} <{}>", other.name, other.email))
        .collect();
    let project = state.projects.get(row.project_id);
    let own = project.and_then(|project| project.settings.suggestion_commit_message.clone());
    let template = message
        .filter(|message| !message.is_empty())
        .map(str::to_owned)
        .or(own.filter(|own| !own.is_empty()))
        .unwrap_or_else(|| MESSAGE.to_owned());
    let paths: Vec<&str> = files.keys().copied().collect();
    let actor = state.users.get(user);
    let mut text = template;
    for (name, value) in [
        ("branch_name", row.source_branch.clone()),
        ("files_count", files.len().to_string()),
        ("file_paths", paths.join(", ")),
        (
            "project_name",
            project
                .map(|project| project.name.clone())
                .unwrap_or_default(),
        ),
        (
            "project_path",
            project
                .map(|project| project.path.clone())
                .unwrap_or_default(),
        ),
        (
            "user_full_name",
            actor.map(|actor| actor.name.clone()).unwrap_or_default(),
        ),
        (
            "username",
            actor
                .map(|actor| actor.username.clone())
                .unwrap_or_default(),
        ),
        ("suggestions_count", chosen.len().to_string()),
        ("co_authored_by", others.join("\n")),
    ] {
        text = text.replace(&format!("%{{{name}}}"), &value);
    }
    let author = match authors.as_slice() {
        [one] => *one,
        _ => user,
    };
    (
        text.trim_end().to_owned(),
        state.identity(author, now),
        state.identity(user, now),
    )
}
