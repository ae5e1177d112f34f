//! Issues and the links between them.

use jiff::Timestamp;
use jiff::civil::Date;

use super::State;

/// An issue.
#[derive(Debug, Clone)]
pub struct Issue {
    pub id: u64,
    pub iid: u64,
    pub project_id: u64,
    pub title: String,
    pub description: Option<String>,
    pub open: bool,
    pub author_id: u64,
    pub assignee_ids: Vec<u64>,
    pub label_ids: Vec<u64>,
    pub milestone_id: Option<u64>,
    /// Only for the author, assignees and members from Planner on.
    pub confidential: bool,
    /// `issue`, `incident`, `test_case` or `task`.
    pub issue_type: String,
    pub due_date: Option<Date>,
    /// Seconds.
    pub time_estimate: i64,
    /// The place in lists that people put in order.
    pub relative_position: Option<i64>,
    /// The id of the issue that this one was closed as a duplicate of.
    pub duplicate_of: Option<u64>,
    /// `critical`, `high`, `medium`, `low` or `unknown`; only incidents have another than the last.
    pub severity: String,
    pub discussion_locked: Option<bool>,
    /// The id of the issue that this one became in another project.
    pub moved_to_id: Option<u64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub closed_by: Option<u64>,
}

impl Issue {
    /// As the API writes it.
    pub fn state(&self) -> &'static str {
        if self.open { "opened" } else { "closed" }
    }
}

/// A link between two issues.
#[derive(Debug, Clone)]
pub struct IssueLink {
    pub id: u64,
    /// Ids, not numbers.
    pub source: u64,
    pub target: u64,
    pub created_at: Timestamp,
}

impl State {
    /// The issue of a number in a project.
    pub fn issue(&self, project: u64, iid: u64) -> Option<&Issue> {
        self.issues_of(project).find(|issue| issue.iid == iid)
    }

    /// The issues of a project, oldest first.
    pub fn issues_of(&self, project: u64) -> impl DoubleEndedIterator<Item = &Issue> {
        self.issues
            .iter()
            .filter(move |issue| issue.project_id == project)
    }
}
