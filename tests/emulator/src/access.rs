//! What a user may do in a project or group: the one place that knows membership, visibility and protected branches.

use serde::{Deserialize, Serialize};

use crate::store::State;
use crate::store::merge_requests::MergeRequest;
use crate::store::places::Place;
use crate::store::projects::Visibility;

/// A role, ordered; the numbers are GitLab's access levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    Guest = 10,
    Planner = 15,
    Reporter = 20,
    Developer = 30,
    Maintainer = 40,
    Owner = 50,
}

impl Role {
    /// The access level as the API writes it.
    pub fn level(self) -> i64 {
        self as i64
    }

    /// The role of an access level.
    pub fn from_level(level: i64) -> Option<Self> {
        [
            Self::Guest,
            Self::Planner,
            Self::Reporter,
            Self::Developer,
            Self::Maintainer,
            Self::Owner,
        ]
        .into_iter()
        .find(|role| role.level() == level)
    }
}

/// What somebody may do somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// `None`: not a member.
    pub role: Option<Role>,
    /// May see it at all.
    pub can_read: bool,
}

impl Access {
    /// True for this role and those above it.
    pub fn at_least(self, role: Role) -> bool {
        self.role.is_some_and(|own| own >= role)
    }
}

/// The access of a user (`None`: nobody signed in) in a project.
pub fn in_project(state: &State, user: Option<u64>, project: u64) -> Access {
    let Some(found) = state.projects.get(project) else {
        return Access {
            role: None,
            can_read: false,
        };
    };
    let direct = user
        .and_then(|user| state.member_role(user, crate::store::members::Source::Project(project)));
    let inherited = user.and_then(|user| group_role(state, user, found.namespace_id));
    let shared = user.and_then(|user| shared_role(state, user, Place::Project(project)));
    visible(
        state,
        user,
        direct.max(inherited).max(shared),
        found.visibility,
    )
}

/// The access of a user (`None`: nobody signed in) in a group.
pub fn in_group(state: &State, user: Option<u64>, group: u64) -> Access {
    let Some(found) = state.groups.get(group) else {
        return Access {
            role: None,
            can_read: false,
        };
    };
    let role = user.and_then(|user| group_role(state, user, group));
    visible(state, user, role, found.visibility)
}

fn visible(state: &State, user: Option<u64>, role: Option<Role>, visibility: Visibility) -> Access {
    let user = user.and_then(|user| state.users.get(user));
    let role = if user.is_some_and(|user| user.admin) {
        Some(Role::Owner)
    } else {
        role
    };
    let open = match visibility {
        Visibility::Public => true,
        Visibility::Internal => user.is_some(),
        Visibility::Private => false,
    };
    Access {
        role,
        can_read: open || role.is_some(),
    }
}

fn group_role(state: &State, user: u64, group: u64) -> Option<Role> {
    let above = state.with_ancestors(group);
    let shared = above.filter_map(|group| shared_role(state, user, Place::Group(group)));
    membership(state, user, group).max(shared.max())
}

/// The role of a member of the group or of those above it.
fn membership(state: &State, user: u64, group: u64) -> Option<Role> {
    state
        .with_ancestors(group)
        .filter_map(|group| state.member_role(user, crate::store::members::Source::Group(group)))
        .max()
}

/// The role that the members of other groups have because it is shared with these.
fn shared_role(state: &State, user: u64, place: Place) -> Option<Role> {
    let links = state.belongings.group_links.iter();
    links
        .filter(|link| link.shared == place)
        .filter_map(|link| Some(membership(state, user, link.with_group)?.min(link.role)))
        .max()
}

/// May the user read the code of the project? Guests and Planners of a private one may not.
pub fn may_read_code(state: &State, user: Option<u64>, project: u64) -> bool {
    let access = in_project(state, user, project);
    let open = state
        .projects
        .get(project)
        .is_some_and(|project| project.visibility != Visibility::Private);
    access.can_read && (open || access.at_least(Role::Reporter))
}

/// May the user push to this branch of the project?
pub fn may_push(state: &State, user: u64, project: u64, branch: &str) -> bool {
    branch_right(state, user, project, branch, |protection| {
        &protection.push_access_levels
    })
}

/// May the user merge into this branch of the project?
pub fn may_merge(state: &State, user: u64, project: u64, branch: &str) -> bool {
    branch_right(state, user, project, branch, |protection| {
        &protection.merge_access_levels
    })
}

/// May the user create this tag in the project?
pub fn may_create_tag(state: &State, user: u64, project: u64, tag: &str) -> bool {
    let access = in_project(state, Some(user), project);
    let own = access.role.map_or(0, Role::level);
    let admin = state.users.get(user).is_some_and(|user| user.admin);
    let mut rules = state.tag_protections(project, tag).peekable();
    let open = rules.peek().is_none();
    access.at_least(Role::Developer)
        && (open
            || rules.any(|rule| {
                rule.create_access_levels
                    .iter()
                    .any(|level| *level > 0 && (admin || *level <= own))
            }))
}

/// May the user change this branch at all: push or merge, the right that also running protected pipelines needs?
pub fn may_update(state: &State, user: u64, project: u64, branch: &str) -> bool {
    may_push(state, user, project, branch) || may_merge(state, user, project, branch)
}

/// May the user force push to this branch of the project?
pub fn may_force_push(state: &State, user: u64, project: u64, branch: &str) -> bool {
    may_push(state, user, project, branch)
        && state
            .protections(project, branch)
            .all(|protection| protection.allow_force_push)
}

/// May the user push to this branch of a fork because its merge request welcomes those who may merge it?
pub fn collaborates(state: &State, user: u64, project: u64, branch: &str) -> bool {
    let mut open = state.open_merge_requests_from(project, branch);
    open.any(|row| welcomes(state, user, row))
}

/// Is there a branch of the project to which the user may push like that?
pub fn collaborates_somewhere(state: &State, user: u64, project: u64) -> bool {
    let mut rows = state.merge_requests.iter();
    rows.any(|row| row.is_open() && row.source_project_id == project && welcomes(state, user, row))
}

fn welcomes(state: &State, user: u64, row: &MergeRequest) -> bool {
    row.allow_collaboration
        && row.project_id != row.source_project_id
        && in_project(state, Some(user), row.source_project_id).can_read
        && in_project(state, Some(user), row.project_id).at_least(Role::Developer)
        && may_merge(state, user, row.project_id, &row.target_branch)
}

fn branch_right(
    state: &State,
    user: u64,
    project: u64,
    branch: &str,
    levels: fn(&crate::store::protected_branches::ProtectedBranch) -> &Vec<i64>,
) -> bool {
    let access = in_project(state, Some(user), project);
    if !access.at_least(Role::Developer) {
        return collaborates(state, user, project, branch);
    }
    let admin = state.users.get(user).is_some_and(|user| user.admin);
    let own = access.role.map_or(0, Role::level);
    let mut protections = state.protections(project, branch).peekable();
    // Several rules for one branch: the most permissive counts.
    protections.peek().is_none()
        || protections.any(|protection| {
            levels(protection)
                .iter()
                .any(|level| *level > 0 && (admin || *level <= own))
        })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::members::Source;

    #[test]
    fn protected_branches_follow_their_levels_and_the_most_permissive_rule() {
        let mut state = State::with_root("glpat-root", Timestamp::UNIX_EPOCH);
        let project = state.add_project("shop", "shop", 1, 1, Timestamp::UNIX_EPOCH);
        let developer = state.add_user("dev", "Dev", "dev@example.com", Timestamp::UNIX_EPOCH);
        state.add_member(
            developer,
            Source::Project(project),
            Role::Developer,
            Timestamp::UNIX_EPOCH,
        );
        assert!(may_push(&state, developer, project, "main"));
        state.protect_branch(project, "main");
        assert!(!may_push(&state, developer, project, "main"));
        assert!(
            may_push(&state, 1, project, "main") && !may_force_push(&state, 1, project, "main")
        );
        let wide = state.protect_branch(project, "ma*");
        if let Some(rule) = state.protected_branches.get_mut(wide) {
            rule.merge_access_levels = vec![30];
        }
        assert!(
            may_merge(&state, developer, project, "main")
                && may_update(&state, developer, project, "main")
        );
        assert!(!may_push(&state, developer, project, "main"));
    }
}
