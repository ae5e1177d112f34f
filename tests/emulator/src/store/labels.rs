//! Labels of a project.

use jiff::Timestamp;

use super::State;

/// A label.
#[derive(Debug, Clone)]
pub struct Label {
    pub id: u64,
    pub project_id: u64,
    pub name: String,
    /// `#RRGGBB`.
    pub color: String,
    pub description: Option<String>,
    pub priority: Option<i64>,
    pub created_at: Timestamp,
}

impl State {
    /// The labels of a project, oldest first.
    pub fn labels_of(&self, project: u64) -> impl DoubleEndedIterator<Item = &Label> {
        self.labels
            .iter()
            .filter(move |label| label.project_id == project)
    }

    /// The label of a name in a project; case matters.
    pub fn label_named(&self, project: u64, name: &str) -> Option<&Label> {
        self.labels_of(project).find(|label| label.name == name)
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
}
