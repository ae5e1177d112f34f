//! Which issues a text closes, by GitLab's own rule: a verb, an optional `issue`, references.

use std::sync::LazyLock;

use regex::Regex;

use crate::git::GitError;
use crate::markdown;
use crate::references;
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::Noteable;

static VERB: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let verbs = [
        "[Cc]los(?:e[sd]?|ing)",
        "[Ff]ix(?:e[sd]|ing)?",
        "[Rr]esolv(?:e[sd]?|ing)",
        "[Ii]mplement(?:s|ed|ing)?",
    ];
    Regex::new(&format!(r"\b(?:{}):? +", verbs.join("|"))).ok()
});
static ISSUE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^issues? +").ok());

/// The ids of the issues that a text of a project closes, where their projects allow it.
pub(crate) fn issues_in(state: &State, url: &str, project: u64, text: &str) -> Vec<u64> {
    let text = markdown::without_code(text);
    let mut found = Vec::new();
    for verb in VERB.iter().flat_map(|pattern| pattern.find_iter(&text)) {
        let mut rest = &text[verb.end()..];
        loop {
            rest = after_word(rest);
            let Some((reference, length)) = references::at_start(rest, url) else {
                break;
            };
            if let Some(Noteable::Issue(id)) = references::resolve(state, project, &reference)
                && !found.contains(&id)
                && allows_closing(state, id)
            {
                found.push(id);
            }
            rest = after_separator(&rest[length..]);
        }
    }
    found
}

/// The ids of the issues a merge request closes when it is merged: only into the default branch, by its title,
/// description and commits. Call it without holding the state.
pub(crate) fn of_merge_request(
    shared: &Shared,
    merge_request: &MergeRequest,
) -> Result<Vec<u64>, GitError> {
    let project = merge_request.project_id;
    let default = {
        let state = shared.state();
        let project = state.projects.get(project);
        project.and_then(|project| project.default_branch.clone())
    };
    if default.as_ref() != Some(&merge_request.target_branch) {
        return Ok(Vec::new());
    }
    let description = merge_request.description.as_deref().unwrap_or_default();
    let mut texts = vec![merge_request.title.clone(), description.to_owned()];
    if let Some(diff) = merge_request.diff() {
        let range = format!("{}..{}", diff.base, diff.head);
        let commits = shared.repository(project).commits(&[&range])?;
        texts.extend(commits.into_iter().map(|commit| commit.message));
    }
    let state = shared.state();
    let mut found = Vec::new();
    for text in texts {
        for id in issues_in(&state, &shared.url, project, &text) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    Ok(found)
}

/// Works out anew which issues a merge request closes, and writes it down. Call it without holding the state.
pub(crate) fn remember(shared: &Shared, id: u64) -> Result<(), GitError> {
    let Some(merge_request) = shared.state().merge_requests.get(id).cloned() else {
        return Ok(());
    };
    let closes = of_merge_request(shared, &merge_request)?;
    if let Some(merge_request) = shared.state().merge_requests.get_mut(id) {
        merge_request.closes = closes;
    }
    Ok(())
}

/// What comes after an optional `issue` or `issues`.
fn after_word(text: &str) -> &str {
    let end = ISSUE.as_ref().and_then(|pattern| pattern.find(text));
    &text[end.map_or(0, |found| found.end())..]
}

/// What comes after a comma, an `and`, both, or nothing but spaces.
fn after_separator(text: &str) -> &str {
    let rest = text.trim_start_matches(' ');
    let rest = rest.strip_prefix(',').unwrap_or(rest);
    let spaced = rest.trim_start_matches(' ');
    spaced
        .strip_prefix("and ")
        .unwrap_or(spaced)
        .trim_start_matches(' ')
}

fn allows_closing(state: &State, issue: u64) -> bool {
    state
        .issues
        .get(issue)
        .and_then(|issue| state.projects.get(issue.project_id))
        .is_some_and(|project| project.settings.autoclose_referenced_issues)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::issuables;

    #[test]
    fn only_gitlabs_own_pattern_closes() {
        let mut state = State::with_root("glpat-root", Timestamp::UNIX_EPOCH);
        let project = state.add_project("shop", "shop", 1, 1, Timestamp::UNIX_EPOCH);
        for _ in 0..4 {
            issuables::add_issue(&mut state, project, "an issue", 1, Timestamp::UNIX_EPOCH);
        }
        for (text, expected) in [
            ("closes #1", vec![1]),
            ("Fixes: #1, #2 and #3", vec![1, 2, 3]),
            ("Implements issue #1 and issues #2", vec![1, 2]),
            ("resolving root/shop#4", vec![4]),
            ("This fixes http://h/root/shop/-/issues/2.", vec![2]),
            ("closes feature #1", vec![]),
            ("CLOSES #1", vec![]),
            ("closes #9", vec![]),
            ("`closes #1`", vec![]),
            ("see #1", vec![]),
            ("discloses #1", vec![]),
        ] {
            assert_eq!(
                issues_in(&state, "http://h", project, text),
                expected,
                "{text}"
            );
        }
    }
}
