//! Labels of projects and groups.

use jiff::Timestamp;

use super::State;
use super::holders::Holder;

/// A label.
#[derive(Debug, Clone)]
pub struct Label {
    pub id: u64,
    pub holder: Holder,
    pub name: String,
    /// `#RRGGBB`.
    pub color: String,
    pub description: Option<String>,
    /// Only labels of projects have one.
    pub priority: Option<i64>,
    pub subscribers: Vec<u64>,
    pub created_at: Timestamp,
}

impl State {
    /// The labels that a project or group itself has, oldest first.
    pub fn own_labels(&self, holder: Holder) -> impl DoubleEndedIterator<Item = &Label> {
        self.labels
            .iter()
            .filter(move |label| label.holder == holder)
    }

    /// The label of a name that a project can use, its own before those of the groups above it; case matters.
    pub fn label_named(&self, project: u64, name: &str) -> Option<&Label> {
        self.label_of(Holder::Project(project), name)
    }

    /// The label of a name that a project or group can use.
    pub fn label_of(&self, holder: Holder, name: &str) -> Option<&Label> {
        let holders = self.holder_and_above(holder);
        let own = |holder: &Holder| self.own_labels(*holder).find(|label| label.name == name);
        holders.iter().find_map(own)
    }

    /// The names of labels, in alphabetical order.
    pub fn label_names(&self, ids: &[u64]) -> Vec<String> {
        let mut names: Vec<String> = ids
            .iter()
            .filter_map(|id| self.labels.get(*id))
            .map(|label| label.name.clone())
            .collect();
        names.sort();
        names
    }

    /// Takes a label away from everything that has it.
    pub fn remove_label(&mut self, label: u64) {
        self.labels.remove(label);
        for issue in self.issues.iter_mut() {
            issue.label_ids.retain(|other| *other != label);
        }
        for merge_request in self.merge_requests.iter_mut() {
            merge_request.label_ids.retain(|other| *other != label);
        }
        for board in self.boards.iter_mut() {
            board.lists.retain(|list| list.label_id != label);
        }
    }

    /// Puts one label in the place of another everywhere, and removes the other.
    pub fn replace_label(&mut self, old: u64, new: u64) {
        let exchange = |ids: &mut Vec<u64>| {
            if ids.contains(&old) {
                ids.retain(|id| *id != old && *id != new);
                ids.push(new);
            }
        };
        self.issues
            .iter_mut()
            .for_each(|issue| exchange(&mut issue.label_ids));
        self.merge_requests
            .iter_mut()
            .for_each(|row| exchange(&mut row.label_ids));
        for list in self.boards.iter_mut().flat_map(|board| &mut board.lists) {
            if list.label_id == old {
                list.label_id = new;
            }
        }
        self.labels.remove(old);
    }
}
