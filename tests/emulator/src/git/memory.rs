//! What git has said about things that never change: a commit, a tree or a blob by its full id, and two of them together.
//!
//! A pipeline reads the same twenty files of the same commit again and again; a program started for each is most of what a
//! small server does.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::objects::Objects;

/// Longer answers are asked for anew.
const LONGEST: usize = 1024 * 1024;
/// When so many bytes are remembered, all of them are forgotten.
const MOST: usize = 64 * 1024 * 1024;

/// Answers by repository and question, shared by all repositories of a server.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    answers: Mutex<Answers>,
    objects: Objects,
}

#[derive(Debug, Default)]
struct Answers {
    bytes: usize,
    known: HashMap<String, Vec<u8>>,
}

impl Memory {
    /// What git answered to these words in a repository.
    pub(super) fn recall(&self, repository: &Path, words: &[&str]) -> Option<Vec<u8>> {
        self.lock().known.get(&question(repository, words)).cloned()
    }

    /// Remembers an answer.
    pub(super) fn keep(&self, repository: &Path, words: &[&str], answer: &[u8]) {
        if answer.len() > LONGEST {
            return;
        }
        let question = question(repository, words);
        let mut answers = self.lock();
        answers.bytes += question.len() + answer.len();
        if answers.bytes > MOST {
            *answers = Answers::default();
        }
        answers.known.insert(question, answer.to_vec());
    }

    /// Objects may be gone: everything is asked anew.
    pub(crate) fn forget(&self) {
        *self.lock() = Answers::default();
        self.objects.forget();
    }

    /// The objects read so far.
    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a name stands for one object for ever.
pub(super) fn is_full_id(name: &str) -> bool {
    name.len() == 40
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn question(repository: &Path, words: &[&str]) -> String {
    let mut text = repository.to_string_lossy().into_owned();
    for word in words {
        text.push('\0');
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Memory;
    use crate::git::{Repository, fixture};

    #[test]
    fn what_cannot_change_is_answered_from_memory_and_refs_are_not() {
        let made = fixture::empty();
        let memory = Arc::new(Memory::default());
        let git = Repository::remembering(made.repository.dir().to_owned(), memory.clone());
        let one = made.commit("main", None, "1", &[("a", "1")]);
        let first = git.commit("main").unwrap().unwrap();
        assert_eq!(git.file(&one, "a").unwrap().unwrap(), b"1");
        let two = made.commit("main", None, "2", &[("a", "2")]);
        assert_eq!(git.resolve("main").unwrap(), Some(two.clone()));
        assert_eq!(git.file("main", "a").unwrap().unwrap(), b"2");
        std::fs::remove_dir_all(git.dir()).unwrap();
        assert_eq!(git.commit(&one).unwrap(), Some(first));
        assert_eq!(git.file(&one, "a").unwrap().unwrap(), b"1");
        memory.forget();
        assert_eq!(git.commit(&one).unwrap(), None);
    }

    #[test]
    fn what_is_not_there_yet_is_asked_again() {
        let made = fixture::empty();
        let git = Repository::remembering(
            made.repository.dir().to_owned(),
            Arc::new(Memory::default()),
        );
        let elsewhere = fixture::empty();
        let id = elsewhere.commit("main", None, "1", &[("a", "1")]);
        assert_eq!(git.commit(&id).unwrap(), None);
        assert_eq!(made.commit("main", None, "1", &[("a", "1")]), id);
        assert_eq!(git.commit(&id).unwrap().unwrap().id, id);
    }
}
