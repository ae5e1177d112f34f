//! CI/CD variables of projects, groups and the instance.

use super::State;

/// What a variable belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Instance,
    Project(u64),
    Group(u64),
}

/// A CI/CD variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    pub id: u64,
    pub owner: Owner,
    pub key: String,
    pub value: String,
    /// `env_var` or `file`.
    pub variable_type: String,
    pub protected: bool,
    pub masked: bool,
    pub hidden: bool,
    pub raw: bool,
    pub environment_scope: String,
    pub description: Option<String>,
}

impl State {
    /// The variables of an owner by ascending id.
    pub fn variables_of(&self, owner: Owner) -> impl Iterator<Item = &Variable> {
        self.variables
            .iter()
            .filter(move |variable| variable.owner == owner)
    }

    /// What the unique index of the database forbids: another variable with the same owner, key and scope.
    pub fn variable_is_taken(&self, variable: &Variable) -> bool {
        self.variables_of(variable.owner).any(|other| {
            other.id != variable.id
                && other.key == variable.key
                && other.environment_scope == variable.environment_scope
        })
    }

    /// Inserts a variable, unless the unique index forbids it.
    pub fn insert_variable(&mut self, variable: Variable) -> Option<u64> {
        if self.variable_is_taken(&variable) {
            return None;
        }
        Some(self.variables.insert(|id| Variable { id, ..variable }))
    }
}
