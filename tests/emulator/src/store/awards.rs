//! Emoji that people give to issues, merge requests and snippets, and to the notes on them.

use jiff::Timestamp;

use super::State;
use super::notes::Noteable;

/// What can be given emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awardable {
    Noteable(Noteable),
    Snippet(u64),
    Note(u64),
}

impl Awardable {
    /// The name of the type in the API.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Noteable(noteable) => noteable.type_name(),
            Self::Snippet(_) => "Snippet",
            Self::Note(_) => "Note",
        }
    }

    /// Its id.
    pub fn id(self) -> u64 {
        match self {
            Self::Noteable(noteable) => noteable.id(),
            Self::Snippet(id) | Self::Note(id) => id,
        }
    }
}

/// One emoji of one user.
#[derive(Debug, Clone)]
pub struct Award {
    pub id: u64,
    pub project_id: u64,
    pub target: Awardable,
    pub user_id: u64,
    /// Such as `thumbsup`.
    pub name: String,
    pub created_at: Timestamp,
}

impl State {
    /// The emoji on something, oldest first.
    pub fn awards_to(&self, target: Awardable) -> impl Iterator<Item = &Award> {
        self.awards
            .iter()
            .filter(move |award| award.target == target)
    }

    /// The emoji on an issue or merge request, oldest first.
    pub fn awards_on(&self, noteable: Noteable) -> impl Iterator<Item = &Award> {
        self.awards_to(Awardable::Noteable(noteable))
    }

    /// How many gave it this emoji.
    pub fn award_count(&self, noteable: Noteable, name: &str) -> usize {
        self.awards_on(noteable)
            .filter(|award| award.name == name)
            .count()
    }
}
