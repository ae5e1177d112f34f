//! `git push -o merge_request.*`: merge requests that are made or changed by the push of their source branch.
//!
//! They go through the API as the pusher, so the same rules hold. What goes wrong does not undo the push; it is a warning.

use serde_json::{Map, Value, json};

use crate::access;
use crate::dispatch;
use crate::git::GitError;
use crate::merge_requests::auto_merge;
use crate::push::Push;
use crate::shared::Shared;
use crate::store::merge_requests::AutoMerge;

const PREFIX: &str = "merge_request.";
/// GitLab refuses more.
const MAX_BRANCHES: usize = 10;

/// Does what the push options ask for; the answer are the warnings, in words.
pub(crate) fn apply(shared: &Shared, push: &Push) -> Vec<String> {
    let wishes: Vec<(&str, &str)> = push
        .options
        .iter()
        .filter_map(|option| option.strip_prefix(PREFIX))
        .map(|option| option.split_once('=').unwrap_or((option, "")))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    if wishes.is_empty() {
        return Vec::new();
    }
    let branches: Vec<&str> = push
        .updates
        .iter()
        .filter(|update| update.new.is_some())
        .filter_map(|update| update.branch())
        .collect();
    if branches.len() > MAX_BRANCHES {
        return vec![format!(
            "Too many branches given: {} is more than {MAX_BRANCHES}",
            branches.len()
        )];
    }
    branches
        .into_iter()
        .filter_map(|branch| for_branch(shared, push, branch, &wishes).err())
        .collect()
}

fn for_branch(
    shared: &Shared,
    push: &Push,
    branch: &str,
    wishes: &[(&str, &str)],
) -> Result<(), String> {
    let found = {
        let state = shared.state();
        let mut open = state.open_merge_requests_from(push.project, branch);
        open.next().map(|row| row.iid)
    };
    let last = |name: &str| {
        let mut matching = wishes.iter().rev().filter(|(known, _)| *known == name);
        matching.next().map(|(_, value)| *value)
    };
    let mut body = fields(shared, push.project, wishes)?;
    let path = format!("projects/{}/merge_requests", push.project);
    let iid = match found {
        Some(iid) => {
            if !body.is_empty() {
                call(
                    shared,
                    push,
                    "PUT",
                    &format!("{path}/{iid}"),
                    &Value::Object(body),
                )?;
            }
            iid
        }
        None if last("create").is_some() => {
            let target = last("target").map(str::to_owned).or_else(|| {
                let state = shared.state();
                let project = state.projects.get(push.project);
                project.and_then(|project| project.default_branch.clone())
            });
            let target = target.unwrap_or_default();
            complete(shared, push, branch, &target, &mut body)
                .map_err(|error| error.to_string())?;
            let made = call(shared, push, "POST", &path, &Value::Object(body))?;
            made["iid"].as_u64().unwrap_or_default()
        }
        None => {
            return Err(format!(
                "A merge_request.create push option is required to create a merge request for branch {branch}"
            ));
        }
    };
    if last("merge_when_pipeline_succeeds").is_some() || last("auto_merge").is_some() {
        merge_later(shared, push, iid)?;
    }
    Ok(())
}

/// It merges by itself once the checks pass, which are still being made right after the push.
fn merge_later(shared: &Shared, push: &Push, iid: u64) -> Result<(), String> {
    let (id, wish) = {
        let state = shared.state();
        let row = state.merge_request(push.project, iid);
        let row = row.ok_or("The merge request is gone")?;
        if !access::may_update(&state, push.user, push.project, &row.target_branch) {
            return Err("You are not allowed to merge this merge request".to_owned());
        }
        let wish = AutoMerge {
            user_id: push.user,
            sha: row.sha.clone(),
            squash: row.squash,
            should_remove_source_branch: None,
            merge_commit_message: None,
            squash_commit_message: None,
        };
        (row.id, wish)
    };
    auto_merge::set(shared, id, wish);
    auto_merge::merge_if_ready(shared, push.project, iid);
    Ok(())
}

/// The parameters of the API that the options stand for.
fn fields(
    shared: &Shared,
    project: u64,
    wishes: &[(&str, &str)],
) -> Result<Map<String, Value>, String> {
    let mut body = Map::new();
    let mut add = |name: &str, item: Value| {
        let list = body.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(items) = list {
            items.push(item);
        }
    };
    for (name, value) in wishes {
        match *name {
            "label" => add("add_labels", json!(value)),
            "unlabel" => add("remove_labels", json!(value)),
            "assign" => add("assignee_ids", json!(user(shared, value)?)),
            _ => {}
        }
    }
    for (name, value) in wishes {
        match *name {
            "title" => body.insert("title".to_owned(), json!(value)),
            "description" => body.insert("description".to_owned(), json!(value)),
            "target" => body.insert("target_branch".to_owned(), json!(value)),
            "remove_source_branch" => body.insert("remove_source_branch".to_owned(), json!(true)),
            "squash" => body.insert("squash".to_owned(), json!(true)),
            "milestone" => {
                let id = milestone(shared, project, value)?;
                body.insert("milestone_id".to_owned(), json!(id))
            }
            "unassign" => body.insert("assignee_ids".to_owned(), json!([])),
            "create"
            | "label"
            | "unlabel"
            | "assign"
            | "draft"
            | "merge_when_pipeline_succeeds"
            | "auto_merge" => None,
            unknown => return Err(format!("Unknown push option merge_request.{unknown}")),
        };
    }
    Ok(body)
}

/// What GitLab fills in for a merge request that is made by a push.
fn complete(
    shared: &Shared,
    push: &Push,
    branch: &str,
    target: &str,
    body: &mut Map<String, Value>,
) -> Result<(), GitError> {
    let repository = shared.repository(push.project);
    let range = format!("refs/heads/{target}..refs/heads/{branch}");
    let commits = match repository.resolve(&format!("refs/heads/{target}"))? {
        Some(_) => repository.commits(&["--reverse", &range])?,
        None => Vec::new(),
    };
    let body_of = |message: &str| {
        let (_, rest) = message.trim_end().split_once('\n').unwrap_or(("", ""));
        rest.trim_start_matches('\n').to_owned()
    };
    let telling = match commits.as_slice() {
        [only] => Some(only),
        several => several
            .iter()
            .find(|commit| !body_of(&commit.message).is_empty()),
    };
    let (title, description) = match telling {
        Some(commit) => (commit.title().to_owned(), body_of(&commit.message)),
        None => (humanized(branch), String::new()),
    };
    let draft = push
        .options
        .iter()
        .any(|option| option == "merge_request.draft");
    let title = match body.get("title").and_then(Value::as_str) {
        Some(given) => given.to_owned(),
        None => title,
    };
    let title = if draft {
        format!("Draft: {title}")
    } else {
        title
    };
    body.insert("title".to_owned(), json!(title));
    if !description.is_empty() && !body.contains_key("description") {
        body.insert("description".to_owned(), json!(description));
    }
    if let Some(labels) = body.remove("add_labels") {
        body.insert("labels".to_owned(), labels);
    }
    body.remove("remove_labels");
    body.insert("source_branch".to_owned(), json!(branch));
    body.insert("target_branch".to_owned(), json!(target));
    Ok(())
}

/// `fix-the_door` is `Fix the door`.
fn humanized(branch: &str) -> String {
    let words = branch.replace(['-', '_'], " ");
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), chars.as_str())
}

fn user(shared: &Shared, name: &str) -> Result<u64, String> {
    let state = shared.state();
    let by_id = name.parse().ok().and_then(|id| state.users.get(id));
    by_id
        .or_else(|| state.user_named(name.trim_start_matches('@')))
        .map(|user| user.id)
        .ok_or_else(|| format!("User {name} not found"))
}

fn milestone(shared: &Shared, project: u64, title: &str) -> Result<u64, String> {
    let state = shared.state();
    state
        .milestone_titled(project, title)
        .map(|row| row.id)
        .ok_or_else(|| format!("Milestone {title} not found"))
}

fn call(
    shared: &Shared,
    push: &Push,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, String> {
    let answer = dispatch::inside(shared, push.user, method, path, body);
    let response = answer.map_err(|error| error.text())?;
    serde_json::from_slice(&response.body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::humanized;

    #[test]
    fn a_branch_name_becomes_a_title() {
        assert_eq!(humanized("fix-the_door"), "Fix the door");
        assert_eq!(humanized(""), "");
    }
}
