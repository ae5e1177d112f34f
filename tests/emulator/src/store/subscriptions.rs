//! Who chose to hear, or not to hear, about an issue or merge request. Those who take part hear of it without choosing.

use super::State;
use super::notes::Noteable;

/// A choice.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub project_id: u64,
    pub noteable: Noteable,
    pub user_id: u64,
    pub subscribed: bool,
}

impl State {
    /// Does a user hear about it?
    pub fn is_subscribed(&self, user: u64, noteable: Noteable) -> bool {
        let chosen = self
            .subscriptions
            .iter()
            .find(|row| row.user_id == user && row.noteable == noteable);
        chosen.map_or_else(
            || self.participants(noteable).contains(&user),
            |row| row.subscribed,
        )
    }

    /// Writes down a choice.
    pub fn subscribe(&mut self, user: u64, noteable: Noteable, project: u64, subscribed: bool) {
        self.subscriptions
            .retain(|row| !(row.user_id == user && row.noteable == noteable));
        self.subscriptions.push(Subscription {
            project_id: project,
            noteable,
            user_id: user,
            subscribed,
        });
    }

    /// The author, the assignees, the reviewers, those who commented and those who are mentioned; each once.
    pub fn participants(&self, noteable: Noteable) -> Vec<u64> {
        let mut ids: Vec<u64> = Vec::new();
        let mut texts: Vec<&str> = Vec::new();
        match noteable {
            Noteable::Issue(id) => {
                if let Some(issue) = self.issues.get(id) {
                    ids.push(issue.author_id);
                    ids.extend(&issue.assignee_ids);
                    texts.extend(issue.description.as_deref());
                }
            }
            Noteable::MergeRequest(id) => {
                if let Some(row) = self.merge_requests.get(id) {
                    ids.push(row.author_id);
                    ids.extend(&row.assignee_ids);
                    ids.extend(&row.reviewer_ids);
                    texts.extend(row.description.as_deref());
                }
            }
        }
        for note in self.notes_on(noteable).filter(|note| !note.system) {
            ids.push(note.author_id);
            texts.push(&note.body);
        }
        for text in texts {
            ids.extend(crate::mentions::users_in(self, text));
        }
        let mut seen = std::collections::BTreeSet::new();
        ids.retain(|id| seen.insert(*id));
        ids
    }
}
