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
use crate::store::State;
use crate::store::merge_requests::{AutoMerge, MergeRequest, without_draft_prefix};

const PREFIX: &str = "merge_request.";
/// GitLab refuses more.
const MAX_BRANCHES: usize = 10;

/// Does what the push options ask for; the answer are the warnings, in words.
pub(crate) fn apply(shared: &Shared, push: &Push) -> Vec<String> {
    let options = push.options.iter();
    let wishes: Vec<(&str, &str)> = options
        .filter_map(|option| option.strip_prefix(PREFIX))
        .map(|option| option.split_once('=').unwrap_or((option, "")))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    if wishes.is_empty() {
        return Vec::new();
    }
    match Job::new(shared, push, &wishes) {
        Ok(job) => job.run(),
        Err(warning) => vec![warning],
    }
}

/// The warnings as the client is to read them.
pub(crate) fn told(push: &Push, warnings: &[String]) -> Option<String> {
    if warnings.is_empty() {
        return None;
    }
    let options: Vec<String> = push
        .options
        .iter()
        .map(|option| format!("'{option}'"))
        .collect();
    Some(format!(
        "Error encountered with push options {}: {}",
        options.join(" "),
        warnings.join("\n\n")
    ))
}

struct Job<'a> {
    shared: &'a Shared,
    push: &'a Push,
    wishes: &'a [(&'a str, &'a str)],
    /// Where the merge requests go.
    target_project: u64,
    target_branch: String,
}

impl<'a> Job<'a> {
    fn new(
        shared: &'a Shared,
        push: &'a Push,
        wishes: &'a [(&'a str, &'a str)],
    ) -> Result<Self, String> {
        let mut job = Self {
            shared,
            push,
            wishes,
            target_project: push.project,
            target_branch: String::new(),
        };
        let (project, path, default) = {
            let state = shared.state();
            let own = state.projects.get(push.project).ok_or("No such project")?;
            let upstream = own
                .forked_from
                .filter(|_| own.settings.mr_default_target_self != Some(true))
                .and_then(|id| state.projects.get(id));
            let target = match job.last("target_project") {
                Some(path) => state
                    .find_project(path)
                    .filter(|found| access::in_project(&state, Some(push.user), found.id).can_read),
                None => Some(upstream.unwrap_or(own)),
            };
            let target = target.ok_or("User access was denied")?;
            let path = state.project_path(target);
            if !target.settings.merge_requests_enabled {
                return Err(format!("Merge requests are not enabled for project {path}"));
            }
            (
                target.id,
                path,
                target.default_branch.clone().unwrap_or_default(),
            )
        };
        job.target_project = project;
        job.target_branch = job.last("target").unwrap_or(&default).to_owned();
        let repository = shared.repository(project);
        let head = repository.resolve(&format!("refs/heads/{}", job.target_branch));
        if !matches!(head, Ok(Some(_))) {
            return Err(format!(
                "Target branch {path}:{} does not exist",
                job.target_branch
            ));
        }
        Ok(job)
    }

    /// The last value given for an option.
    fn last(&self, name: &str) -> Option<&'a str> {
        let mut matching = self.wishes.iter().rev().filter(|(known, _)| *known == name);
        matching.next().map(|(_, value)| *value)
    }

    fn run(&self) -> Vec<String> {
        let default = {
            let state = self.shared.state();
            let target = state.projects.get(self.target_project);
            target.and_then(|target| target.default_branch.clone())
        };
        let branches: Vec<&str> = self
            .push
            .updates
            .iter()
            .filter(|update| update.new.is_some())
            .filter_map(|update| update.branch())
            .filter(|branch| default.as_deref() != Some(branch))
            .collect();
        if branches.len() > MAX_BRANCHES {
            return vec![format!(
                "Too many branches pushed ({} were pushed, limit is {MAX_BRANCHES})",
                branches.len()
            )];
        }
        let done = branches.into_iter().map(|branch| self.for_branch(branch));
        done.filter_map(Result::err).collect()
    }

    fn for_branch(&self, branch: &str) -> Result<(), String> {
        let found = {
            let state = self.shared.state();
            let mut open = state.open_merge_requests_from(self.push.project, branch);
            open.find(|row| row.project_id == self.target_project)
                .cloned()
        };
        let iid = match found {
            Some(row) => self.update(&row)?,
            None => self.create(branch)?,
        };
        if self.last("merge_when_pipeline_succeeds").is_some() || self.last("auto_merge").is_some()
        {
            self.merge_later(iid)?;
        }
        Ok(())
    }

    fn update(&self, row: &MergeRequest) -> Result<u64, String> {
        let mut body = self.fields(&row.assignee_ids);
        if self.last("draft").is_some() {
            let title = body.get("title").and_then(Value::as_str);
            let title = without_draft_prefix(title.unwrap_or(&row.title));
            body.insert("title".to_owned(), json!(format!("Draft: {title}")));
        }
        if !body.is_empty() {
            let path = format!(
                "projects/{}/merge_requests/{}",
                self.target_project, row.iid
            );
            self.call("PUT", &path, Value::Object(body))?;
        }
        Ok(row.iid)
    }

    fn create(&self, branch: &str) -> Result<u64, String> {
        if self.last("create").is_none() {
            return Err(format!(
                "A merge_request.create push option is required to create a merge request for branch {branch}"
            ));
        }
        let mut body = self.fields(&[]);
        // Whoever pushes is the assignee, unless somebody else is.
        body.entry("assignee_ids")
            .or_insert_with(|| json!([self.push.user]));
        body.remove("remove_labels");
        if let Some(labels) = body.remove("add_labels") {
            body.insert("labels".to_owned(), labels);
        }
        let removes = {
            let state = self.shared.state();
            let project = state.projects.get(self.push.project);
            project.is_some_and(|project| project.settings.remove_source_branch_after_merge)
        };
        body.entry("remove_source_branch").or_insert(json!(removes));
        let (title, description) = self
            .told_by_commits(branch)
            .map_err(|error| error.to_string())?;
        body.entry("title").or_insert(json!(title));
        if !description.is_empty() {
            body.entry("description").or_insert(json!(description));
        }
        if self.last("draft").is_some()
            && let Some(Value::String(title)) = body.get_mut("title")
        {
            *title = format!("Draft: {}", without_draft_prefix(title));
        }
        body.insert("source_branch".to_owned(), json!(branch));
        body.insert("target_branch".to_owned(), json!(self.target_branch));
        if self.target_project != self.push.project {
            body.insert("target_project_id".to_owned(), json!(self.target_project));
        }
        let path = format!("projects/{}/merge_requests", self.push.project);
        let made = self.call("POST", &path, Value::Object(body))?;
        Ok(made["iid"].as_u64().unwrap_or_default())
    }

    /// The parameters of the API that the options stand for. Who or what is not there is left out, as GitLab does.
    fn fields(&self, assignees: &[u64]) -> Map<String, Value> {
        let all = |name: &str| -> Vec<&str> {
            let own = self.wishes.iter().filter(|(known, _)| *known == name);
            own.map(|(_, value)| *value).collect()
        };
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        for (option, field) in [("label", "add_labels"), ("unlabel", "remove_labels")] {
            if self.last(option).is_some() {
                put(field, json!(all(option)));
            }
        }
        if self.last("assign").is_some() || self.last("unassign").is_some() {
            let state = self.shared.state();
            let people = |option: &str| -> Vec<u64> {
                let named = all(option).into_iter();
                named.filter_map(|name| user(&state, name)).collect()
            };
            let gone = people("unassign");
            let mut new = assignees.to_vec();
            new.extend(people("assign"));
            new.retain(|user| !gone.contains(user));
            put("assignee_ids", json!(new));
        }
        if let Some(title) = self.last("title") {
            put("title", json!(title));
        }
        if let Some(text) = self.last("description") {
            put("description", json!(text.replace("\\n", "\n")));
        }
        if let Some(branch) = self.last("target") {
            put("target_branch", json!(branch));
        }
        for (option, field) in [
            ("remove_source_branch", "remove_source_branch"),
            ("squash", "squash"),
        ] {
            if let Some(wish) = self.last(option) {
                put(field, json!(wish != "false"));
            }
        }
        if let Some(title) = self.last("milestone") {
            let state = self.shared.state();
            if let Some(row) = state.milestone_titled(self.target_project, title) {
                put("milestone_id", json!(row.id));
            }
        }
        body
    }

    /// Title and description: of the only commit, else of the first that has more than a title, else the branch's name.
    fn told_by_commits(&self, branch: &str) -> Result<(String, String), GitError> {
        let repository = self.shared.repository(self.push.project);
        let target = format!("refs/heads/{}", self.target_branch);
        let commits = match repository.resolve(&target)? {
            Some(_) => {
                repository.commits(&["--reverse", &format!("{target}..refs/heads/{branch}")])?
            }
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
        Ok(match telling {
            Some(commit) => (commit.title().to_owned(), body_of(&commit.message)),
            None => (humanized(branch), String::new()),
        })
    }

    /// It merges by itself once the checks pass, which are still being made right after the push.
    fn merge_later(&self, iid: u64) -> Result<(), String> {
        let (id, wish) = {
            let state = self.shared.state();
            let row = state.merge_request(self.target_project, iid);
            let row = row.ok_or("The merge request is gone")?;
            let user = self.push.user;
            if !access::may_update(&state, user, self.target_project, &row.target_branch) {
                return Err("User access was denied".to_owned());
            }
            let wish = AutoMerge {
                user_id: user,
                sha: row.sha.clone(),
                squash: row.squash,
                should_remove_source_branch: None,
                merge_commit_message: None,
                squash_commit_message: None,
            };
            (row.id, wish)
        };
        auto_merge::set(self.shared, id, wish);
        auto_merge::merge_if_ready(self.shared, self.target_project, iid);
        Ok(())
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Result<Value, String> {
        let answer = dispatch::inside(self.shared, self.push.user, method, path, &body);
        let response = answer.map_err(|error| error.text())?;
        serde_json::from_slice(&response.body).map_err(|error| error.to_string())
    }
}

/// A user by name or number.
fn user(state: &State, name: &str) -> Option<u64> {
    let by_id = name.parse().ok().and_then(|id| state.users.get(id));
    let found = by_id.or_else(|| state.user_named(name.trim_start_matches('@')));
    found.map(|user| user.id)
}

/// `fix-the_door` is `Fix the door`.
fn humanized(branch: &str) -> String {
    let words = branch.replace(['-', '_'], " ");
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), chars.as_str())
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
