//! What labels, milestones and boards belong to: a project or a group.

use super::State;

/// A project or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    Project(u64),
    Group(u64),
}

impl Holder {
    /// The project, if it is one.
    pub fn project(self) -> Option<u64> {
        match self {
            Self::Project(id) => Some(id),
            Self::Group(_) => None,
        }
    }

    /// The group, if it is one.
    pub fn group(self) -> Option<u64> {
        match self {
            Self::Project(_) => None,
            Self::Group(id) => Some(id),
        }
    }
}

impl State {
    /// The groups above a project, the nearest first.
    pub fn groups_above(&self, project: u64) -> impl Iterator<Item = u64> {
        let namespace = self.projects.get(project).map(|found| found.namespace_id);
        namespace.into_iter().flat_map(|id| self.with_ancestors(id))
    }

    /// A project or group itself and the groups above it, the nearest first.
    pub fn holder_and_above(&self, holder: Holder) -> Vec<Holder> {
        match holder {
            Holder::Project(project) => std::iter::once(holder)
                .chain(self.groups_above(project).map(Holder::Group))
                .collect(),
            Holder::Group(group) => self.with_ancestors(group).map(Holder::Group).collect(),
        }
    }

    /// The groups and projects below a group.
    pub fn holders_below(&self, group: u64) -> Vec<Holder> {
        let inside = |namespace: u64| self.with_ancestors(namespace).any(|above| above == group);
        let groups = self.groups.iter().map(|found| found.id);
        let groups = groups.filter(|id| *id != group && inside(*id));
        let projects = self.projects.iter();
        let projects = projects.filter(|found| inside(found.namespace_id));
        groups
            .map(Holder::Group)
            .chain(projects.map(|found| Holder::Project(found.id)))
            .collect()
    }

    /// The address of a project's or group's page.
    pub fn holder_url(&self, url: &str, holder: Holder) -> String {
        match holder {
            Holder::Project(project) => self.project_url(url, project),
            Holder::Group(group) => format!("{url}/groups/{}", self.namespace_path(group)),
        }
    }
}
