//! Flags by which jobs of a yard, or of one of several environments, are told apart. Pipeline inputs that nobody gave are empty.

use super::Global;
use crate::domain::ids::ProjectPath;

/// A project, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalProject(pub Option<ProjectPath>);

/// The name of an environment, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalEnvironment(Option<String>);

pub(super) fn project(text: &str) -> Result<OptionalProject, String> {
    match text.trim() {
        "" => Ok(OptionalProject(None)),
        path => path
            .parse()
            .map(|path| OptionalProject(Some(path)))
            .map_err(|error: crate::domain::ids::NotAnId| error.to_string()),
    }
}

pub(super) fn environment(text: &str) -> Result<OptionalEnvironment, String> {
    let name = text.trim();
    let fits = name.len() <= 60
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if fits {
        let given = (!name.is_empty()).then(|| name.to_owned());
        Ok(OptionalEnvironment(given))
    } else {
        Err("it may hold letters, digits, `-` and `_`, at most 60".to_owned())
    }
}

impl Global {
    /// The environment that was asked for.
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_ref()?.0.as_deref()
    }
}
