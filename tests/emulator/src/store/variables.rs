//! CI/CD variables of projects, groups and the instance.

use std::collections::{BTreeMap, BTreeSet};

use super::{State, Table};

/// What a variable belongs to; it never changes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// All variables, found by their owner without a look at those of others: projects keep thousands of them.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    rows: Table<Variable>,
    by_owner: BTreeMap<Owner, BTreeSet<u64>>,
}

impl Variables {
    /// The variables of an owner by ascending id.
    pub fn of(&self, owner: Owner) -> impl Iterator<Item = &Variable> {
        let ids = self.by_owner.get(&owner).into_iter().flatten();
        ids.filter_map(|id| self.rows.get(*id))
    }

    /// All of them by ascending id.
    pub fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.rows.iter()
    }

    /// Another value, key or scope for a variable that is still there.
    pub fn replace(&mut self, variable: &Variable) {
        if let Some(stored) = self.rows.get_mut(variable.id) {
            stored.clone_from(variable);
        }
    }

    /// Takes one out.
    pub fn remove(&mut self, id: u64) {
        if let Some(gone) = self.rows.remove(id)
            && let Some(ids) = self.by_owner.get_mut(&gone.owner)
        {
            ids.remove(&id);
        }
    }

    /// Takes all of an owner out.
    pub fn remove_of(&mut self, owner: Owner) {
        for id in self.by_owner.remove(&owner).unwrap_or_default() {
            self.rows.remove(id);
        }
    }

    fn insert(&mut self, variable: Variable) -> u64 {
        let owner = variable.owner;
        let id = self.rows.insert(|id| Variable { id, ..variable });
        self.by_owner.entry(owner).or_default().insert(id);
        id
    }
}

impl State {
    /// The variables of an owner by ascending id.
    pub fn variables_of(&self, owner: Owner) -> impl Iterator<Item = &Variable> {
        self.variables.of(owner)
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
        Some(self.variables.insert(variable))
    }
}
