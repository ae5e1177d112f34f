//! Who belongs to which project or group, and as what.

use jiff::Timestamp;
use jiff::civil::Date;

use super::State;
use super::events::{EventAction, EventTarget};
use super::places::Place;
use crate::access::Role;

/// What a membership is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Project(u64),
    Group(u64),
}

/// A direct membership.
#[derive(Debug, Clone)]
pub struct Member {
    pub user_id: u64,
    pub source: Source,
    pub role: Role,
    pub created_at: Timestamp,
    pub created_by: Option<u64>,
    pub expires_at: Option<Date>,
}

impl State {
    /// Makes a user a direct member, replacing the former membership.
    pub fn add_member(&mut self, user: u64, source: Source, role: Role, now: Timestamp) {
        let known = self.member_role(user, source).is_some();
        if let (Source::Project(project), false) = (source, known)
            && !self.is_own_project(user, project)
        {
            let target = EventTarget::Project;
            self.record(project, user, EventAction::Joined, target, now);
        }
        self.members
            .retain(|member| !(member.user_id == user && member.source == source));
        self.members.insert(|_| Member {
            user_id: user,
            source,
            role,
            created_at: now,
            created_by: None,
            expires_at: None,
        });
    }

    /// Is it in the namespace of the user?
    fn is_own_project(&self, user: u64, project: u64) -> bool {
        let user = self.users.get(user).map(|user| user.namespace_id);
        let project = self.projects.get(project);
        project.map(|project| project.namespace_id) == user
    }

    /// Ends the memberships whose last day has come, as GitLab does every night.
    pub(crate) fn remove_expired_members(&mut self, today: Date) {
        self.members
            .retain(|member| member.expires_at.is_none_or(|day| day > today));
    }

    /// The role of a direct member.
    pub fn member_role(&self, user: u64, source: Source) -> Option<Role> {
        self.members
            .iter()
            .find(|member| member.user_id == user && member.source == source)
            .map(|member| member.role)
    }

    /// The groups whose members share a project or group, by invitation.
    pub fn invited_groups(&self, place: Place) -> impl Iterator<Item = u64> {
        self.belongings
            .group_links
            .iter()
            .filter(move |link| link.shared == place)
            .map(|link| link.with_group)
    }

    /// Where the members of a project or group come from: itself first, then the groups above.
    pub fn member_sources(&self, source: Source) -> Vec<Source> {
        let above = match source {
            Source::Project(project) => self
                .projects
                .get(project)
                .map(|project| project.namespace_id),
            Source::Group(group) => self.groups.get(group).and_then(|group| group.parent_id),
        };
        let groups = above
            .into_iter()
            .flat_map(|group| self.with_ancestors(group))
            .map(Source::Group);
        std::iter::once(source).chain(groups).collect()
    }
}
