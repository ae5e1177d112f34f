//! Milestones of projects and groups.

use jiff::Timestamp;
use jiff::civil::Date;

use super::State;
use super::holders::Holder;

/// A milestone.
#[derive(Debug, Clone)]
pub struct Milestone {
    pub id: u64,
    pub iid: u64,
    pub holder: Holder,
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
    /// The milestones that a project or group itself has, oldest first.
    pub fn own_milestones(&self, holder: Holder) -> impl DoubleEndedIterator<Item = &Milestone> {
        self.milestones
            .iter()
            .filter(move |milestone| milestone.holder == holder)
    }

    /// The milestones that a project or group can use: its own and those of the groups above it, oldest first.
    pub fn milestones_for(&self, holder: Holder) -> impl DoubleEndedIterator<Item = &Milestone> {
        let holders = self.holder_and_above(holder);
        self.milestones
            .iter()
            .filter(move |milestone| holders.contains(&milestone.holder))
    }

    /// The milestone of a title that a project can use.
    pub fn milestone_titled(&self, project: u64, title: &str) -> Option<&Milestone> {
        self.milestones_for(Holder::Project(project))
            .find(|milestone| milestone.title == title)
    }

    /// The next number of a milestone in its project or group.
    pub fn next_milestone_iid(&mut self, holder: Holder) -> u64 {
        match holder {
            Holder::Project(project) => self.next_iid(project, "milestones"),
            Holder::Group(group) => self.next_iid(group, "group milestones"),
        }
    }

    /// Gives everything that has one milestone another, or none.
    pub fn replace_milestone(&mut self, old: u64, new: Option<u64>) {
        let exchange = |milestone: &mut Option<u64>| {
            if *milestone == Some(old) {
                *milestone = new;
            }
        };
        self.issues
            .iter_mut()
            .for_each(|issue| exchange(&mut issue.milestone_id));
        self.merge_requests
            .iter_mut()
            .for_each(|row| exchange(&mut row.milestone_id));
        for release in self.releases.iter_mut() {
            release.milestone_ids.retain(|id| *id != old);
        }
        self.milestones.remove(old);
    }
}
