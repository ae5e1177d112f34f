//! Protected tags: who may create them.

use super::State;
use super::protected_branches::covers;

/// The rule for a tag or, with `*`, for several.
#[derive(Debug, Clone)]
pub struct ProtectedTag {
    pub id: u64,
    pub project_id: u64,
    pub name: String,
    /// Access levels that may create: 0 nobody, 30, 40, 60 administrators.
    pub create_access_levels: Vec<i64>,
}

impl State {
    /// The rules that cover a tag.
    pub fn tag_protections<'a>(
        &'a self,
        project: u64,
        tag: &'a str,
    ) -> impl Iterator<Item = &'a ProtectedTag> {
        self.protected_tags
            .iter()
            .filter(move |rule| rule.project_id == project && covers(&rule.name, tag))
    }

    /// Is the tag protected?
    pub fn is_protected_tag(&self, project: u64, tag: &str) -> bool {
        self.tag_protections(project, tag).next().is_some()
    }
}
