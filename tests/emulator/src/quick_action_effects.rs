//! What each quick action does, and how it reports it.

use serde_json::{Value, json};

use crate::access;
use crate::issuable_changes as changes;
use crate::issuable_texts as texts;
use crate::issuables;
use crate::merge_requests::checks::{self, Verdict};
use crate::merge_requests::merging::{self, Wish};
use crate::merge_requests::{approving, rebasing};
use crate::quick_action_planning as planning;
use crate::quick_action_relations as relations;
use crate::quick_actions::Command;
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::{MergeRequest, without_draft_prefix};
use crate::store::notes::Noteable;

/// An action that was done.
pub(crate) struct Effect {
    /// One entry of `commands_changes`; nothing for an action that only answers.
    pub(crate) change: Option<(&'static str, Value)>,
    /// What it says; nothing for an action that was in vain without a word.
    pub(crate) summary: Option<String>,
    /// The summary says why it was not done, and a comment with nothing else fails with it.
    pub(crate) failed: bool,
}

impl Effect {
    /// It only says something.
    pub(crate) fn said(summary: impl Into<String>) -> Self {
        Self {
            change: None,
            summary: Some(summary.into()),
            failed: false,
        }
    }

    /// It says why it was not done.
    pub(crate) fn refused(summary: &str) -> Self {
        Self {
            failed: true,
            ..Self::said(summary)
        }
    }

    /// It did nothing and says nothing.
    pub(crate) fn nothing() -> Self {
        Self {
            change: None,
            summary: None,
            failed: false,
        }
    }
}

/// It changed something and says so.
pub(crate) fn effect(
    name: &'static str,
    value: Value,
    summary: impl Into<String>,
) -> Option<Effect> {
    Some(Effect {
        change: Some((name, value)),
        ..Effect::said(summary)
    })
}

/// Does one action; nothing if the user may not, or if it does not apply.
pub(crate) fn apply(
    shared: &Shared,
    user: u64,
    noteable: Noteable,
    command: &Command,
    head: Option<&str>,
) -> Option<Effect> {
    let elsewhere = planning::apply(shared, user, noteable, command)
        .or_else(|| relations::apply(shared, user, noteable, command));
    if let Some(done) = elsewhere {
        return done;
    }
    let argument = command.argument.as_str();
    match command.name.as_str() {
        "close" | "reopen" => set_open(shared, user, noteable, command.name == "reopen"),
        "title" => title(shared, user, noteable, argument),
        "draft" | "wip" | "ready" => draft(shared, user, noteable, command.name != "ready"),
        "label" | "labels" => labels(shared, user, noteable, argument, Labels::Add),
        "unlabel" | "remove_label" => labels(shared, user, noteable, argument, Labels::Remove),
        "relabel" => labels(shared, user, noteable, argument, Labels::Replace),
        "assign" | "unassign" => assign(shared, user, noteable, argument, command.name == "assign"),
        "milestone" | "remove_milestone" => {
            let wanted = (command.name == "milestone").then_some(argument);
            milestone(shared, user, noteable, wanted)
        }
        "confidential" => confidential(shared, user, noteable),
        "merge" => merge(shared, user, noteable, head),
        "rebase" => rebase(shared, user, noteable),
        "approve" | "unapprove" => approve(shared, user, noteable, command.name == "approve"),
        _ => None,
    }
}

fn kind(noteable: Noteable) -> &'static str {
    match noteable {
        Noteable::Issue(_) => "issue",
        Noteable::MergeRequest(_) => "merge request",
    }
}

fn merge_request(state: &State, noteable: Noteable) -> Option<&MergeRequest> {
    match noteable {
        Noteable::Issue(_) => None,
        Noteable::MergeRequest(id) => state.merge_requests.get(id),
    }
}

fn set_open(shared: &Shared, user: u64, noteable: Noteable, open: bool) -> Option<Effect> {
    {
        let (mut state, now) = (shared.state(), shared.clock.now());
        let allowed = issuables::may_update(&state, user, noteable);
        (allowed && changes::set_open(&mut state, noteable, open, user, now)).then_some(())?;
    }
    if let Noteable::MergeRequest(id) = noteable
        && open
    {
        checks::check_later(shared, id);
    }
    let (event, done) = if open {
        ("reopen", "Reopened")
    } else {
        ("close", "Closed")
    };
    effect(
        "state_event",
        json!(event),
        format!("{done} this {}.", kind(noteable)),
    )
}

fn title(shared: &Shared, user: u64, noteable: Noteable, title: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let allowed = !title.is_empty() && issuables::may_update(&state, user, noteable);
    allowed.then(|| texts::set_title(&mut state, noteable, title, user, now))?;
    effect(
        "title",
        json!(title),
        format!("Changed the title to \"{title}\"."),
    )
}

fn draft(shared: &Shared, user: u64, noteable: Noteable, draft: bool) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let old = &merge_request(&state, noteable)?.title;
    let bare = without_draft_prefix(old).to_owned();
    let title = if draft {
        format!("Draft: {bare}")
    } else {
        bare.clone()
    };
    let allowed = issuables::may_update(&state, user, noteable) && (old != &bare) != draft;
    allowed.then(|| texts::set_title(&mut state, noteable, &title, user, now))?;
    let (event, word) = if draft {
        ("draft", "a draft")
    } else {
        ("ready", "ready")
    };
    effect(
        "wip_event",
        json!(event),
        format!("Marked this merge request as {word}."),
    )
}

#[derive(Clone, Copy)]
enum Labels {
    Add,
    Remove,
    Replace,
}

fn labels(
    shared: &Shared,
    user: u64,
    noteable: Noteable,
    argument: &str,
    how: Labels,
) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let project = issuables::project_of(&state, noteable);
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let old = changes::label_ids(&state, noteable);
    let found: Vec<u64> = label_names(argument)
        .iter()
        .filter_map(|name| state.label_named(project, name))
        .map(|label| label.id)
        .collect();
    let chosen = match how {
        Labels::Remove if argument.is_empty() => old.clone(),
        Labels::Add | Labels::Remove | Labels::Replace => found,
    };
    (!chosen.is_empty()).then_some(())?;
    let named: Vec<String> = state
        .label_names(&chosen)
        .iter()
        .map(|name| {
            if name.contains(' ') {
                format!("~\"{name}\"")
            } else {
                format!("~{name}")
            }
        })
        .collect();
    let plural = if chosen.len() == 1 { "label" } else { "labels" };
    let named = named.join(" ");
    let (key, wanted, summary) = match how {
        Labels::Add => {
            let wanted = old.iter().chain(&chosen).copied().collect();
            ("add_label_ids", wanted, format!("Added {named} {plural}."))
        }
        Labels::Remove => {
            let wanted = old.into_iter().filter(|id| !chosen.contains(id)).collect();
            (
                "remove_label_ids",
                wanted,
                format!("Removed {named} {plural}."),
            )
        }
        Labels::Replace => {
            let summary = format!("Replaced all labels with {named} {plural}.");
            ("label_ids", chosen.clone(), summary)
        }
    };
    let wanted: Vec<u64> = wanted;
    changes::set_labels(&mut state, noteable, &wanted, user, now);
    effect(key, json!(chosen), summary)
}

/// `~a ~"b c" d` as names.
fn label_names(argument: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = argument.trim_start();
    while !rest.is_empty() {
        let bare = rest.strip_prefix('~').unwrap_or(rest);
        let (name, after) = match bare.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => bare.split_once(char::is_whitespace).unwrap_or((bare, "")),
        };
        names.push(name.to_owned());
        rest = after.trim_start();
    }
    names
}

fn assign(
    shared: &Shared,
    user: u64,
    noteable: Noteable,
    argument: &str,
    add: bool,
) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let old = match noteable {
        Noteable::Issue(id) => state.issues.get(id)?.assignee_ids.clone(),
        Noteable::MergeRequest(id) => state.merge_requests.get(id)?.assignee_ids.clone(),
    };
    let mut named = Vec::new();
    for word in argument.split_whitespace() {
        let name = word.trim_start_matches('@');
        let found = if name == "me" {
            Some(user)
        } else {
            state.user_named(name).map(|user| user.id)
        };
        named.push(found?);
    }
    let project = issuables::project_of(&state, noteable);
    let sees = |id: &u64| access::in_project(&state, Some(*id), project).can_read;
    (named.iter().all(sees) && (!add || !named.is_empty())).then_some(())?;
    // Several assignees are a paid feature: the last one named stays.
    let new: Vec<u64> = match (add, named.last()) {
        (true, last) => last.copied().into_iter().collect(),
        (false, None) => Vec::new(),
        (false, Some(_)) => old
            .iter()
            .copied()
            .filter(|id| !named.contains(id))
            .collect(),
    };
    let names = |ids: &[u64]| {
        let users = ids.iter().filter_map(|id| state.users.get(*id));
        let names: Vec<String> = users.map(|user| format!("@{}", user.username)).collect();
        names.join(" and ")
    };
    let summary = if add {
        format!("Assigned {}.", names(&new))
    } else {
        let gone: Vec<u64> = old.iter().copied().filter(|id| !new.contains(id)).collect();
        format!("Removed assignee {}.", names(&gone))
    };
    changes::set_assignees(&mut state, noteable, new.clone(), user, now);
    effect("assignee_ids", json!(new), summary)
}

fn milestone(
    shared: &Shared,
    user: u64,
    noteable: Noteable,
    wanted: Option<&str>,
) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let project = issuables::project_of(&state, noteable);
    let found = match wanted {
        Some(title) => {
            let title = title.trim_start_matches('%').trim_matches('"');
            let milestone = state.milestone_titled(project, title)?;
            Some((milestone.id, milestone.title.clone()))
        }
        None => None,
    };
    let id = found.as_ref().map(|(id, _)| *id);
    changes::set_milestone(&mut state, noteable, id, user, now);
    let summary = match found {
        Some((_, title)) => format!("Set the milestone to %{title}."),
        None => "Removed milestone.".to_owned(),
    };
    effect("milestone_id", json!(id), summary)
}

fn confidential(shared: &Shared, user: u64, noteable: Noteable) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let allowed = issuables::may_administer(&state, user, noteable);
    (allowed && changes::set_confidential(&mut state, noteable, true, user, now)).then_some(())?;
    effect("confidential", json!(true), "Made this issue confidential.")
}

fn merge(shared: &Shared, user: u64, noteable: Noteable, head: Option<&str>) -> Option<Effect> {
    let (row, verdict) = {
        let state = shared.state();
        let row = merge_request(&state, noteable)?.clone();
        let pipelines = shared.pipelines.as_ref();
        let verdict = checks::verdict(pipelines, &state, shared.clock.now(), &row);
        access::may_update(&state, user, row.project_id, &row.target_branch).then_some(())?;
        (row, verdict)
    };
    (verdict == Verdict::Mergeable).then_some(())?;
    let answer = match head {
        None => Some("The `/merge` quick action requires the SHA of the head of the branch."),
        Some(head) if head != row.sha => {
            Some("Branch has been updated since the merge was requested.")
        }
        Some(_) => None,
    };
    if let Some(answer) = answer {
        return Some(Effect::said(answer));
    }
    let wish = Wish {
        squash: row.squash,
        ..Wish::default()
    };
    merging::merge(shared, user, row.project_id, row.iid, &wish).ok()?;
    effect("merge", json!(row.sha), "Merged this merge request.")
}

fn rebase(shared: &Shared, user: u64, noteable: Noteable) -> Option<Effect> {
    let row = merge_request(&shared.state(), noteable)?.clone();
    rebasing::start(shared, user, row.project_id, row.iid, Vec::new()).ok()?;
    let summary = format!("Scheduled a rebase of branch {}.", row.source_branch);
    effect("rebase", json!(row.sha), summary)
}

fn approve(shared: &Shared, user: u64, noteable: Noteable, approve: bool) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let id = merge_request(&state, noteable)?.id;
    approving::set(&mut state, id, user, approve, now).then_some(())?;
    if approve {
        effect(
            "approve",
            json!(true),
            "Approved the current merge request.",
        )
    } else {
        effect(
            "unapprove",
            json!(true),
            "Unapproved the current merge request.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::label_names;

    #[test]
    fn labels_are_named_with_or_without_tilde_and_quotes() {
        assert_eq!(label_names("~a ~\"b c\"  d"), ["a", "b c", "d"]);
        assert!(label_names("").is_empty());
    }
}
