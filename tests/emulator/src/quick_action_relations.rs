//! Quick actions about other things: duplicates, links, moves, clones, copied metadata, reviewers, target branches, reviews.

use serde_json::{Value, json};

use crate::access;
use crate::issuable_changes as changes;
use crate::issuable_details::{kind_of, set_reviewers};
use crate::issuables;
use crate::issue_moving as moving;
use crate::merge_requests::{checks, opening};
use crate::quick_action_effects::{Effect, effect};
use crate::quick_actions::Command;
use crate::references;
use crate::reviewing;
use crate::shared::Shared;
use crate::store::State;
use crate::store::notes::Noteable;

/// Does one action of this file; the outer nothing says that it is none of them.
pub(crate) fn apply(
    shared: &Shared,
    user: u64,
    noteable: Noteable,
    command: &Command,
) -> Option<Option<Effect>> {
    let argument = command.argument.as_str();
    Some(match command.name.as_str() {
        "duplicate" => duplicate(shared, user, noteable, argument),
        "relate" => relate(shared, user, noteable, argument),
        "unlink" => unlink(shared, user, noteable, argument),
        "move" => relocate(shared, user, noteable, argument),
        "clone" => clone(shared, user, noteable, argument),
        "copy_metadata" => copy_metadata(shared, user, noteable, argument),
        "assign_reviewer" | "reviewer" | "request_review" => {
            reviewer(shared, user, noteable, argument)
        }
        "unassign_reviewer" | "remove_reviewer" => remove_reviewer(shared, user, noteable),
        "target_branch" => retarget(shared, user, noteable, argument),
        "submit_review" => submit(shared, user, noteable),
        _ => return None,
    })
}

fn issue_id(noteable: Noteable) -> Option<u64> {
    match noteable {
        Noteable::Issue(id) => Some(id),
        Noteable::MergeRequest(_) => None,
    }
}

fn merge_request_id(noteable: Noteable) -> Option<u64> {
    match noteable {
        Noteable::Issue(_) => None,
        Noteable::MergeRequest(id) => Some(id),
    }
}

/// What a text refers to, as far as the user may see it.
fn referred(
    shared: &Shared,
    state: &State,
    user: u64,
    noteable: Noteable,
    text: &str,
) -> Vec<Noteable> {
    let home = issuables::project_of(state, noteable);
    let mut found = references::mentioned(state, &shared.url, home, text);
    found.retain(|other| issuables::may_read(state, Some(user), *other));
    found
}

fn duplicate(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let issue = issue_id(noteable)?;
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let found = referred(shared, &state, user, noteable, argument);
    let Some(canonical) = found.into_iter().find_map(issue_id) else {
        let text =
            "Failed to mark this issue as a duplicate because referenced item was not found.";
        return Some(Effect::said(text));
    };
    if canonical == issue {
        let text = "Failed to mark the issue as duplicate of itself.";
        return Some(Effect::said(text));
    }
    moving::mark_duplicate(&mut state, issue, canonical, user, now);
    let other = Noteable::Issue(canonical);
    let home = issuables::project_of(&state, other);
    let page = state.project_url(&shared.url, home);
    let url = format!("{page}/-/issues/{}", issuables::iid_of(&state, other));
    let text = format!("Closed this issue. Marked as related to, and a duplicate of, {url}.");
    effect("canonical_issue_id", json!(canonical), text)
}

fn relate(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let issue = issue_id(noteable)?;
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let found = referred(shared, &state, user, noteable, argument);
    for other in found.into_iter().filter_map(issue_id) {
        if other != issue {
            moving::relate(&mut state, issue, other, user, now);
        }
    }
    let named: Vec<String> = argument.split_whitespace().map(str::to_owned).collect();
    Some(Effect::said(format!(
        "Added {} as a linked item related to this {}.",
        changes::sentence(&named),
        kind_of(&state, noteable)
    )))
}

fn unlink(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let issue = issue_id(noteable)?;
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let found = referred(shared, &state, user, noteable, argument);
    let other = found.into_iter().find_map(issue_id);
    let link = other.and_then(|other| moving::link_between(&state, issue, other));
    let (Some(link), Some(other)) = (link, other) else {
        let text = "No linked issue matches the provided parameter.";
        return Some(Effect::said(text));
    };
    moving::unlink(&mut state, link, user, now);
    let home = issuables::project_of(&state, noteable);
    let reference = issuables::reference_from(&state, home, Noteable::Issue(other));
    Some(Effect::said(format!("Removed linked item {reference}.")))
}

/// The project of a path that the user may see.
fn project_named(state: &State, user: u64, path: &str) -> Option<u64> {
    let project = state.find_project(path)?.id;
    access::in_project(state, Some(user), project)
        .can_read
        .then_some(project)
}

fn relocate(shared: &Shared, user: u64, noteable: Noteable, path: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let issue = issue_id(noteable)?;
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let text = match project_named(&state, user, path) {
        None => {
            "Unable to move. Target project or group doesn't exist or doesn't support this item type."
                .to_owned()
        }
        Some(target) => match moving::relocate(&mut state, issue, target, user, now) {
            Ok(_) => format!("Moved this item to {path}."),
            Err(_) => "Unable to move. Insufficient permissions.".to_owned(),
        },
    };
    Some(Effect::said(text))
}

fn clone(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let issue = issue_id(noteable)?;
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let mut words: Vec<&str> = argument.split_whitespace().collect();
    let with_notes = words.contains(&"--with_notes");
    words.retain(|word| *word != "--with_notes");
    let home = issuables::project_of(&state, noteable);
    let target = match words.as_slice() {
        [] => Some(home),
        [path] => project_named(&state, user, path),
        _ => {
            let text = "Failed to clone this item: wrong parameters.";
            return Some(Effect::said(text));
        }
    };
    let text = match target {
        None => {
            "Unable to clone. Target project or group doesn't exist or doesn't support this item type."
                .to_owned()
        }
        Some(target) => {
            let path = state.projects.get(target).map(|found| state.project_path(found));
            match moving::clone(&mut state, issue, target, with_notes, user, now) {
                Ok(_) => format!("Cloned this item to {}.", path.unwrap_or_default()),
                Err(_) => "Unable to clone. Insufficient permissions.".to_owned(),
            }
        }
    };
    Some(Effect::said(text))
}

fn copy_metadata(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let home = issuables::project_of(&state, noteable);
    let found = referred(shared, &state, user, noteable, argument);
    let Some(source) = found.into_iter().next() else {
        let text =
            "Could not apply copy_metadata command. Failed to find work item or merge request.";
        return Some(Effect::said(text));
    };
    if issuables::project_of(&state, source) != home {
        return Some(Effect::nothing());
    }
    let labels = changes::label_ids(&state, source);
    let mut wanted = changes::label_ids(&state, noteable);
    wanted.extend(&labels);
    changes::set_labels(&mut state, noteable, &wanted, user, now);
    let milestone = match source {
        Noteable::Issue(id) => state.issues.get(id)?.milestone_id,
        Noteable::MergeRequest(id) => state.merge_requests.get(id)?.milestone_id,
    };
    if milestone.is_some() {
        changes::set_milestone(&mut state, noteable, milestone, user, now);
    }
    let reference = issuables::reference_from(&state, home, source);
    let text = format!("Copied labels and milestone from {reference}.");
    effect("add_label_ids", json!(labels), text)
}

fn reviewer(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let id = merge_request_id(noteable)?;
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let project = issuables::project_of(&state, noteable);
    let named = argument.split_whitespace().find_map(|word| {
        let name = word.trim_start_matches('@');
        let found = if name == "me" {
            Some(user)
        } else {
            state.user_named(name).map(|user| user.id)
        };
        found.filter(|id| access::in_project(&state, Some(*id), project).can_read)
    });
    let Some(named) = named else {
        let text = "Failed to assign a reviewer because no user was found.";
        return Some(Effect::said(text));
    };
    // Several reviewers are a paid feature: the first one named is it.
    set_reviewers(&mut state, id, vec![named], user, now);
    let name = state.users.get(named).map(|user| user.username.clone());
    let text = format!("Assigned @{} as reviewer.", name.unwrap_or_default());
    effect("reviewer_ids", json!([named]), text)
}

fn remove_reviewer(shared: &Shared, user: u64, noteable: Noteable) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let id = merge_request_id(noteable)?;
    let old = state.merge_requests.get(id)?.reviewer_ids.clone();
    (!old.is_empty() && issuables::may_administer(&state, user, noteable)).then_some(())?;
    let names = old.iter().filter_map(|id| state.users.get(*id));
    let names: Vec<String> = names.map(|user| format!("@{}", user.username)).collect();
    set_reviewers(&mut state, id, Vec::new(), user, now);
    let plural = if names.len() == 1 { "" } else { "s" };
    let text = format!("Removed reviewer{plural} {}.", changes::sentence(&names));
    effect("reviewer_ids", Value::Array(Vec::new()), text)
}

fn retarget(shared: &Shared, user: u64, noteable: Noteable, branch: &str) -> Option<Effect> {
    let id = merge_request_id(noteable)?;
    let row = {
        let state = shared.state();
        issuables::may_update(&state, user, noteable).then_some(())?;
        state.merge_requests.get(id)?.clone()
    };
    let text = format!("Set target branch to {branch}.");
    let repository = shared.repository(row.project_id);
    let known = repository.resolve(&format!("refs/heads/{branch}")).ok()?;
    if known.is_none() || branch == row.target_branch {
        return Some(Effect::said(text));
    }
    let version = opening::diff_version(shared, &repository, &row.sha, branch).ok()?;
    {
        let (mut state, now) = (shared.state(), shared.clock.now());
        let told = format!(
            "changed target branch from `{}` to `{branch}`",
            row.target_branch
        );
        issuables::add_system_note(&mut state, noteable, user, now, &told);
        if let Some(row) = state.merge_requests.get_mut(id) {
            branch.clone_into(&mut row.target_branch);
            row.versions.push(version);
        }
    }
    checks::check_later(shared, id);
    effect("target_branch", json!(branch), text)
}

fn submit(shared: &Shared, user: u64, noteable: Noteable) -> Option<Effect> {
    let id = merge_request_id(noteable)?;
    let drafts = reviewing::drafts_of(&shared.state(), user, id);
    reviewing::publish(shared, &drafts).ok()?;
    Some(Effect::said("Submitted the current review."))
}
