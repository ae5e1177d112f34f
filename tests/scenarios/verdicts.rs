//! Verdicts on trials: by tests that name the culprit, and by people.

mod naming;
mod people;
mod scene;
mod shown;
