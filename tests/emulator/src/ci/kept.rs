//! What comes of a text every time: compiled patterns and parsed files. Pipelines are made of the same few texts again and
//! again, by servers that come and go in one process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;

/// So many results are kept; then all are forgotten.
const MOST: usize = 500;

/// Results by the text that they come of.
pub(super) struct Kept<T>(LazyLock<Mutex<HashMap<String, T>>>);

impl<T: Clone> Kept<T> {
    pub(super) const fn new() -> Self {
        Self(LazyLock::new(Mutex::default))
    }

    /// What `make` makes of a text, now or earlier; errors are not kept.
    pub(super) fn of<E>(
        &self,
        text: &str,
        make: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, E> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(text) {
            return Ok(known.clone());
        }
        let made = make(text)?;
        let mut known = lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(text.to_owned(), made.clone());
        Ok(made)
    }
}

/// The regular expression that a configuration brings along.
pub(super) fn regex(text: &str) -> Result<Arc<Regex>, regex::Error> {
    static REGEXES: Kept<Arc<Regex>> = Kept::new();
    REGEXES.of(text, |text| Regex::new(text).map(Arc::new))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::Kept;

    #[test]
    fn a_text_is_worked_on_until_something_comes_of_it_and_then_no_more() {
        let kept = Kept::new();
        let worked = Cell::new(0);
        let length = |text: &str| {
            worked.set(worked.get() + 1);
            if text.is_empty() {
                Err(())
            } else {
                Ok(text.len())
            }
        };
        for _ in 0..2 {
            assert_eq!(kept.of("ab", length), Ok(2));
            assert_eq!(kept.of("", length), Err(()));
        }
        assert_eq!(worked.get(), 3);
        for number in 0..super::MOST {
            assert!(kept.of(&format!("{number:04}"), length).is_ok());
        }
        assert_eq!(kept.of("ab", length), Ok(2));
    }
}
