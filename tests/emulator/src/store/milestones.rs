//! Milestones of a project.

use jiff::Timestamp;
use jiff::civil::Date;

use super::State;

/// A milestone.
#[derive(Debug, Clone)]
pub struct Milestone {
    pub id: u64,
    pub iid: u64,
    pub project_id: u64,
    pub title: String,
    pub description: Option<String>,
    /// Not closed.
    pub active: bool,
    pub start_date: Option<Date>,
    pub due_date: Option<Date>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Milestone {
    /// As the API writes it.
    pub fn state(&self) -> &'static str {
        if self.active { "active" } else { "closed" }
    }
}

impl State {
    /// The milestones of a project, oldest first.
    pub fn milestones_of(&self, project: u64) -> impl DoubleEndedIterator<Item = &Milestone> {
        self.milestones
            .iter()
            .filter(move |milestone| milestone.project_id == project)
    }

    /// The milestone of a title in a project.
    pub fn milestone_titled(&self, project: u64, title: &str) -> Option<&Milestone> {
        self.milestones_of(project)
            .find(|milestone| milestone.title == title)
    }
}
