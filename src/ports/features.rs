//! What jobs ask about features, and who can see them.

use std::collections::{BTreeMap, BTreeSet};

use super::Answer;
use crate::domain::ids::{FeatureId, ProjectPath};
use crate::domain::linking::Sight;

/// Features.
pub trait Features {
    /// What can be seen of each.
    fn sights(&self, ids: &[FeatureId]) -> Answer<BTreeMap<FeatureId, Sight>>;
    /// Closes features; those that GitLab does not close, with its words, untrusted.
    fn close(&self, ids: &[FeatureId]) -> Answer<Vec<(FeatureId, String)>>;
    /// Opens features again that are closed; those that GitLab does not open, with its words, untrusted.
    fn reopen(&self, ids: &[FeatureId]) -> Answer<Vec<(FeatureId, String)>>;
    /// Who can see projects; those that cannot be seen at all are missing.
    fn visibilities(
        &self,
        projects: &BTreeSet<ProjectPath>,
    ) -> Answer<BTreeMap<ProjectPath, Visibility>>;
}

/// Who can see a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// Its members.
    Private,
    /// Everybody with an account.
    Internal,
    /// Everybody.
    Public,
}
