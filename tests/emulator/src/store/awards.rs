//! Emoji that people give to issues and merge requests.

use jiff::Timestamp;

use super::State;
use super::notes::Noteable;

/// One emoji of one user.
#[derive(Debug, Clone)]
pub struct Award {
    pub id: u64,
    pub project_id: u64,
    pub noteable: Noteable,
    /// Given to this comment on it, not to the thing itself.
    pub note_id: Option<u64>,
    pub user_id: u64,
    /// Such as `thumbsup`.
    pub name: String,
    pub created_at: Timestamp,
}

impl State {
    /// The emoji on something, oldest first.
    pub fn awards_on(&self, noteable: Noteable) -> impl Iterator<Item = &Award> {
        self.awards
            .iter()
            .filter(move |award| award.noteable == noteable && award.note_id.is_none())
    }

    /// The emoji on a comment, oldest first.
    pub fn awards_on_note(&self, note: u64) -> impl Iterator<Item = &Award> {
        self.awards
            .iter()
            .filter(move |award| award.note_id == Some(note))
    }

    /// How many gave it this emoji.
    pub fn award_count(&self, noteable: Noteable, name: &str) -> usize {
        self.awards_on(noteable)
            .filter(|award| award.name == name)
            .count()
    }
}
