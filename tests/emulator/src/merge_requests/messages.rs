//! The messages of merge and squash commits, from the project's templates or GitLab's own.

use crate::closing;
use crate::git::{Commit, GitError};
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::MergeRequest;

const MERGE: &str = "Merge branch '%{source_branch}' into '%{target_branch}'\n\n%{title}\n\n%{issues}\n\nSee merge request %{reference}";
const SQUASH: &str = "%{title}";

/// Every placeholder that a template may have.
const PLACEHOLDERS: &[&str] = &[
    "source_branch",
    "target_branch",
    "title",
    "issues",
    "description",
    "reference",
    "local_reference",
    "source_project_id",
    "first_commit",
    "first_multiline_commit",
    "first_multiline_commit_description",
    "url",
    "reviewed_by",
    "approved_by",
    "merged_by",
    "co_authored_by",
    "merge_request_author",
    "all_commits",
];

/// The message of the merge commit. Call it without holding the state.
pub(crate) fn of_merge(shared: &Shared, row: &MergeRequest, user: u64) -> Result<String, GitError> {
    let template = template(shared, row, |settings| {
        settings.merge_commit_template.as_ref()
    });
    filled(shared, row, user, template.as_deref().unwrap_or(MERGE))
}

/// The message of the squash commit. Call it without holding the state.
pub(crate) fn of_squash(
    shared: &Shared,
    row: &MergeRequest,
    user: u64,
) -> Result<String, GitError> {
    let template = template(shared, row, |settings| {
        settings.squash_commit_template.as_ref()
    });
    filled(shared, row, user, template.as_deref().unwrap_or(SQUASH))
}

fn template(
    shared: &Shared,
    row: &MergeRequest,
    choose: impl Fn(&crate::store::projects::Settings) -> Option<&String>,
) -> Option<String> {
    let state = shared.state();
    let project = state.projects.get(row.project_id)?;
    choose(&project.settings)
        .filter(|template| !template.trim().is_empty())
        .cloned()
}

fn filled(
    shared: &Shared,
    row: &MergeRequest,
    user: u64,
    template: &str,
) -> Result<String, GitError> {
    let closes = closing::of_merge_request(shared, row)?;
    let commits = match row.diff() {
        Some(diff) => {
            let range = format!("{}..{}", diff.base, diff.head);
            let repository = shared.repository(row.project_id);
            repository.commits(&["--reverse", &range])?
        }
        None => Vec::new(),
    };
    let state = shared.state();
    let facts = Facts {
        shared,
        state: &state,
        row,
        user,
        closes: &closes,
        commits: &commits,
    };
    let mut text = template.replace("\r\n", "\n");
    for name in PLACEHOLDERS {
        let mark = format!("%{{{name}}}");
        if !text.contains(&mark) {
            continue;
        }
        let value = facts.value(name);
        if value.is_empty() {
            text = without_empty_lines(&text, &mark);
        }
        text = text.replace(&mark, &value);
    }
    Ok(text.trim().to_owned())
}

/// A line that would be empty goes, with the empty lines in front of it.
fn without_empty_lines(text: &str, mark: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.split('\n') {
        if line.trim() == mark {
            while lines.last().is_some_and(|last| last.is_empty()) {
                lines.pop();
            }
        } else {
            lines.push(line);
        }
    }
    lines.join("\n")
}

struct Facts<'a> {
    shared: &'a Shared,
    state: &'a State,
    row: &'a MergeRequest,
    user: u64,
    closes: &'a [u64],
    commits: &'a [Commit],
}

impl Facts<'_> {
    fn value(&self, name: &str) -> String {
        let row = self.row;
        match name {
            "source_branch" => row.source_branch.clone(),
            "target_branch" => row.target_branch.clone(),
            "title" => row.title.clone(),
            "issues" => self.issues(),
            "description" => row.description.clone().unwrap_or_default(),
            "reference" => format!("{}!{}", self.path(), row.iid),
            "local_reference" => format!("!{}", row.iid),
            "source_project_id" => row.source_project_id.to_string(),
            "first_commit" => self
                .commits
                .first()
                .map(|commit| commit.message.trim().to_owned())
                .unwrap_or_default(),
            "first_multiline_commit" => self.multiline().map_or_else(
                || row.title.clone(),
                |commit| commit.message.trim().to_owned(),
            ),
            "first_multiline_commit_description" => self
                .multiline()
                .map(|commit| body_of(&commit.message).to_owned())
                .unwrap_or_default(),
            "url" => format!(
                "{}/{}/-/merge_requests/{}",
                self.shared.url,
                self.path(),
                row.iid
            ),
            "reviewed_by" => self.trailers("Reviewed-by", row.reviewer_ids.iter().copied()),
            "approved_by" => {
                self.trailers("Approved-by", row.approvals.iter().map(|(user, _)| *user))
            }
            "merged_by" => self.person(self.user),
            "co_authored_by" => self.co_authors(),
            "merge_request_author" => self.person(row.author_id),
            "all_commits" => {
                let items = self
                    .commits
                    .iter()
                    .map(|commit| format!("* {}", commit.message.trim()));
                items.collect::<Vec<_>>().join("\n\n")
            }
            _ => String::new(),
        }
    }

    fn path(&self) -> String {
        let project = self.state.projects.get(self.row.project_id);
        project
            .map(|project| self.state.project_path(project))
            .unwrap_or_default()
    }

    fn issues(&self) -> String {
        let numbers: Vec<String> = self
            .closes
            .iter()
            .filter_map(|id| self.state.issues.get(*id))
            .map(|issue| {
                let project = self.state.projects.get(issue.project_id);
                match project.filter(|project| project.id != self.row.project_id) {
                    Some(other) => format!("{}#{}", self.state.project_path(other), issue.iid),
                    None => format!("#{}", issue.iid),
                }
            })
            .collect();
        match numbers.as_slice() {
            [] => String::new(),
            [one] => format!("Closes {one}"),
            [one, two] => format!("Closes {one} and {two}"),
            [most @ .., last] => format!("Closes {}, and {last}", most.join(", ")),
        }
    }

    fn multiline(&self) -> Option<&Commit> {
        let mut commits = self.commits.iter();
        commits.find(|commit| !body_of(&commit.message).is_empty())
    }

    fn person(&self, user: u64) -> String {
        let identity = self.state.identity(user, self.shared.clock.now());
        format!("{} <{}>", identity.name, identity.email)
    }

    fn trailers(&self, name: &str, users: impl Iterator<Item = u64>) -> String {
        let lines: Vec<String> = users
            .map(|user| format!("{name}: {}", self.person(user)))
            .collect();
        lines.join("\n")
    }

    /// Who wrote the commits beside the author of the merge request.
    fn co_authors(&self) -> String {
        let own = self.person(self.row.author_id);
        let mut lines: Vec<String> = Vec::new();
        for commit in self.commits {
            let (name, email) = (&commit.author.name, &commit.author.email);
            let line = format!("Co-authored-by: {name} <{email}>");
            if format!("{name} <{email}>") != own && !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines.join("\n")
    }
}

/// The message without its title.
fn body_of(message: &str) -> &str {
    let (_, rest) = message.trim().split_once('\n').unwrap_or(("", ""));
    rest.trim()
}

#[cfg(test)]
mod tests {
    use super::without_empty_lines;

    #[test]
    fn a_placeholder_without_a_value_leaves_no_hole() {
        let text = "title\n\n%{issues}\n\nSee it";
        assert_eq!(without_empty_lines(text, "%{issues}"), "title\n\nSee it");
        assert_eq!(
            without_empty_lines("a %{issues}", "%{issues}"),
            "a %{issues}"
        );
    }
}
