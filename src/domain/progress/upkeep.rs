//! How a text that we keep at a place is brought to what it should say: one text of a kind, the oldest one, changed in place.

use crate::domain::ids::NoteId;

/// A text of ours that stands somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its number; older ones have lower numbers.
    pub id: NoteId,
    /// What it says, marker included.
    pub text: String,
}

/// What should stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<P> {
    /// Where.
    pub place: P,
    /// The text, marker included.
    pub text: String,
}

/// One step towards what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit<P> {
    /// Write it for the first time.
    Write { place: P, text: String },
    /// Change the one that stands.
    Change { id: NoteId, text: String },
    /// Take away a second one: two jobs wrote the first text in the same instant.
    Remove { id: NoteId },
}

/// The steps from what stands (ours, of one kind, at one place) to what is wanted; none when it says that already.
pub fn edits<P>(stands: &[Own], wanted: Wanted<P>) -> Vec<Edit<P>> {
    let Some(oldest) = stands.iter().min_by_key(|own| own.id) else {
        let Wanted { place, text } = wanted;
        return vec![Edit::Write { place, text }];
    };
    let change = (oldest.text.trim_end() != wanted.text.trim_end()).then(|| Edit::Change {
        id: oldest.id,
        text: wanted.text,
    });
    let others = stands
        .iter()
        .filter(|own| own.id != oldest.id)
        .map(|own| Edit::Remove { id: own.id });
    change.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(id: u64, text: &str) -> Own {
        Own {
            id: NoteId(id),
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_oldest_text_is_changed_only_when_it_says_something_else_and_a_second_one_goes() {
        let wanted = || Wanted {
            place: (),
            text: "new".to_owned(),
        };
        let write = Edit::Write {
            place: (),
            text: "new".to_owned(),
        };
        assert_eq!(edits(&[], wanted()), [write]);
        assert_eq!(edits(&[own(3, "new\n")], wanted()), []);
        let change = Edit::Change {
            id: NoteId(3),
            text: "new".to_owned(),
        };
        let remove = Edit::Remove { id: NoteId(9) };
        assert_eq!(
            edits(&[own(9, "new"), own(3, "old")], wanted()),
            [change, remove]
        );
    }
}
