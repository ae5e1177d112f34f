//! Rules that protect packages and container repositories from being pushed by everybody.

use super::State;

/// What a rule covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    Package,
    ContainerRepository,
}

/// A rule of a project; the emulator keeps it and shows it.
#[derive(Debug, Clone)]
pub struct PackageRule {
    pub id: u64,
    pub project_id: u64,
    pub kind: RuleKind,
    /// A name with `*` for any text.
    pub pattern: String,
    /// Such as `npm`; empty for container repositories.
    pub package_type: String,
    /// `maintainer`, `owner` or `admin`.
    pub for_push: Option<String>,
    pub for_delete: Option<String>,
}

impl State {
    /// The rules of a project for one kind of thing, oldest first.
    pub fn package_rules_of(
        &self,
        project: u64,
        kind: RuleKind,
    ) -> impl Iterator<Item = &PackageRule> {
        self.package_rules
            .iter()
            .filter(move |rule| rule.project_id == project && rule.kind == kind)
    }
}
