//! Users, in their various parts.

use serde_json::json;

use super::entity::{many, shown};
use super::merge_request_lists::{self, filters};
use crate::access::Role;
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, gid, one, record, time, value,
};
use crate::graphql::schema::{Family, Line, Table, field, interface, object};
use crate::store::State;
use crate::store::members::Source;
use crate::store::merge_requests::MergeRequestState;
use crate::store::users::User;

const FIELDS: &[Line] = &[
    field("id: UserID!", |c| of(c, |row, _| gid("User", row.id))),
    field("username: String!", |c| {
        of(c, |row, _| value(row.username.clone()))
    }),
    field("name: String!", |c| of(c, |row, _| value(row.name.clone()))),
    field("bot: Boolean!", |c| of(c, |row, _| value(row.bot))),
    field("human: Boolean", |c| of(c, |row, _| value(!row.bot))),
    field("active: Boolean", |c| {
        of(c, |row, _| value(row.state == "active"))
    }),
    field("state: UserState!", |c| {
        of(c, |row, _| value(row.state.clone()))
    }),
    field("type: UserType!", |c| {
        of(c, |row, _| {
            value(if row.bot { "PROJECT_BOT" } else { "HUMAN" })
        })
    }),
    field("webUrl: String!", |c| {
        of(c, |row, url| value(format!("{url}/{}", row.username)))
    }),
    field("webPath: String!", |c| {
        of(c, |row, _| value(format!("/{}", row.username)))
    }),
    field("avatarUrl: String", |c| shown(c, "/avatar_url")),
    field("email: String @deprecated", |_| Ok(NOTHING)),
    field("publicEmail: String", |c| shown(c, "/public_email")),
    field("commitEmail: String", |c| {
        let own = c.user();
        of_own(c, own, |row| value(row.email.clone()))
    }),
    field("bio: String", |c| shown(c, "/bio")),
    field("location: String", |c| shown(c, "/location")),
    field("jobTitle: String", |c| shown(c, "/job_title")),
    field("organization: String", |c| shown(c, "/organization")),
    field("pronouns: String", |c| shown(c, "/pronouns")),
    field("createdAt: Time", |c| of(c, |row, _| time(row.created_at))),
    field("lastActivityOn: Date", |c| {
        of(c, |row, _| {
            Found::Value(json!(row.last_activity_on.map(|day| day.to_string())))
        })
    }),
    field("status: UserStatus", |c| {
        of(c, |row, _| {
            let own = &row.status;
            if own.emoji.is_none() && own.message.is_none() && !own.busy {
                return NOTHING;
            }
            let data = json!({
                "availability": if own.busy { "BUSY" } else { "NOT_SET" }, "emoji": own.emoji, "message": own.message,
                "messageHtml": own.message,
            });
            record("UserStatus", data)
                .with("clearStatusAt", time(own.clear_at))
                .found()
        })
    }),
    field("namespace: Namespace", |c| {
        of(c, |row, _| Found::One(Object::Namespace(row.namespace_id)))
    }),
    field("userPermissions: UserPermissions!", |c| {
        let own = c.user().is_some();
        Ok(record("UserPermissions", json!({ "createSnippet": own })).found())
    }),
    field("groupCount: Int", |c| {
        let ids = memberships(c, |source| matches!(source, Source::Group(_)));
        Ok(value(ids.len()))
    }),
    field("groups(search: String): GroupConnection", |c| {
        let rows = memberships(c, |source| matches!(source, Source::Group(_)));
        let ids = rows.into_iter().filter_map(|source| match source {
            Source::Group(id) => Some(id),
            Source::Project(_) => None,
        });
        let state = c.state();
        let search = c.text("search").unwrap_or_default().to_lowercase();
        let fits = |id: &u64| {
            let group = state.groups.get(*id);
            group.is_some_and(|group| group.name.to_lowercase().contains(&search))
        };
        Ok(many(ids.filter(fits), Object::Group))
    }),
    field("projectMemberships: ProjectMemberConnection", |c| {
        membership_records(c, "ProjectMember", |source| {
            matches!(source, Source::Project(_))
        })
    }),
    field("groupMemberships: GroupMemberConnection", |c| {
        membership_records(c, "GroupMember", |source| {
            matches!(source, Source::Group(_))
        })
    }),
    field("starredProjects(search: String): ProjectConnection", |c| {
        let Object::User(id, _) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let search = c.text("search").unwrap_or_default();
        let starred = state.projects.iter().filter(|row| {
            row.starred_by.contains_key(id)
                && row.name.contains(search)
                && crate::access::in_project(&state, c.user(), row.id).can_read
        });
        Ok(many(starred.map(|row| row.id), Object::Project))
    }),
    field(
        concat!(
            "authoredMergeRequests(",
            filters!(),
            ", projectPath: String, projectId: ProjectID): MergeRequestConnection"
        ),
        |c| merge_request_lists::of_user(c, "author_username"),
    ),
    field(
        concat!(
            "assignedMergeRequests(",
            filters!(),
            ", projectPath: String, projectId: ProjectID): MergeRequestConnection"
        ),
        |c| merge_request_lists::of_user(c, "assignee_username"),
    ),
    field(
        concat!(
            "reviewRequestedMergeRequests(",
            filters!(),
            ", projectPath: String, projectId: ProjectID): MergeRequestConnection"
        ),
        |c| merge_request_lists::of_user(c, "reviewer_username"),
    ),
];

const PART: &[Line] = &[field(
    "mergeRequestInteraction: UserMergeRequestInteraction",
    interaction,
)];

const fn person(name: &'static str, lines: &'static [&'static [Line]]) -> Table {
    object(name, lines).implements(&["User"])
}

/// The family of users.
pub(super) const FAMILY: Family = Family {
    tables: &[
        interface("User", &[FIELDS]),
        person("UserCore", &[FIELDS]),
        person("CurrentUser", &[FIELDS, super::todos::OF_USER]),
        person("MergeRequestAuthor", &[FIELDS, PART]),
        person("MergeRequestAssignee", &[FIELDS, PART]),
        person("MergeRequestReviewer", &[FIELDS, PART]),
        person("MergeRequestParticipant", &[FIELDS, PART]),
    ],
    sdl: "
        enum UserState { active banned blocked blocked_pending_approval deactivated ldap_blocked }
        enum UserType { ADMIN_BOT ALERT_BOT AUTOMATION_BOT GHOST HUMAN MIGRATION_BOT PROJECT_BOT SECURITY_BOT SERVICE_USER SUPPORT_BOT }
        type UserStatus { availability: AvailabilityEnum! clearStatusAt: Time emoji: String message: String messageHtml: String }
        enum AvailabilityEnum { BUSY NOT_SET }
        type UserPermissions { createSnippet: Boolean! }
        type UserMergeRequestInteraction {
            approved: Boolean!
            canMerge: Boolean!
            canUpdate: Boolean!
            reviewState: MergeRequestReviewState
            reviewed: Boolean!
        }
        enum MergeRequestReviewState { APPROVED REQUESTED_CHANGES REVIEWED REVIEW_STARTED UNAPPROVED UNREVIEWED }
        interface MemberInterface {
            accessLevel: AccessLevel createdAt: Time createdBy: UserCore expiresAt: Time id: ID! updatedAt: Time user: UserCore
        }
        type ProjectMember implements MemberInterface {
            accessLevel: AccessLevel createdAt: Time createdBy: UserCore expiresAt: Time id: ID! project: Project updatedAt: Time user: UserCore
        }
        type GroupMember implements MemberInterface {
            accessLevel: AccessLevel createdAt: Time createdBy: UserCore expiresAt: Time group: Group id: ID! updatedAt: Time user: UserCore
        }
        type AccessLevel { humanAccess: String integerValue: Int stringValue: AccessLevelEnum }
        enum AccessLevelEnum { ADMIN DEVELOPER GUEST MAINTAINER MINIMAL_ACCESS NO_ACCESS OWNER PLANNER REPORTER }
        scalar Time
        scalar Date
        scalar ISO8601Date
        scalar JSON
        scalar BigInt
        scalar Duration
        scalar Color
        type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }
    ",
};

fn of(call: &Call<'_>, read: fn(&User, &str) -> Found) -> Outcome {
    let Object::User(id, _) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state
        .users
        .get(*id)
        .map_or(NOTHING, |row| read(row, call.url())))
}

fn of_own(call: &Call<'_>, own: Option<u64>, read: fn(&User) -> Found) -> Outcome {
    let Object::User(id, _) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    let row = state.users.get(*id).filter(|row| Some(row.id) == own);
    Ok(row.map_or(NOTHING, read))
}

fn memberships(call: &Call<'_>, wanted: fn(&Source) -> bool) -> Vec<Source> {
    let Object::User(id, _) = call.object else {
        return Vec::new();
    };
    let state = call.state();
    let rows = state.members.iter().filter(|row| row.user_id == *id);
    rows.map(|row| row.source)
        .filter(wanted)
        .filter(|source| may_see(&state, call.user(), *source))
        .collect()
}

fn may_see(state: &State, user: Option<u64>, source: Source) -> bool {
    match source {
        Source::Project(id) => crate::access::in_project(state, user, id).can_read,
        Source::Group(id) => crate::access::in_group(state, user, id).can_read,
    }
}

fn membership_records(call: &Call<'_>, name: &'static str, wanted: fn(&Source) -> bool) -> Outcome {
    let sources = memberships(call, wanted);
    let Object::User(id, _) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    let made = sources.into_iter().filter_map(|source| {
        Some(member(
            &state,
            name,
            *id,
            source,
            state.member_role(*id, source)?,
        ))
    });
    Ok(Found::Many(made.collect()))
}

/// A membership.
pub(super) fn member(
    state: &State,
    name: &'static str,
    user: u64,
    source: Source,
    role: Role,
) -> Object {
    let row = state
        .members
        .iter()
        .find(|row| row.user_id == user && row.source == source);
    let (created, expires, by) = row.map_or((None, None, None), |row| {
        (Some(row.created_at), row.expires_at, row.created_by)
    });
    let expires = expires.map(|day| format!("{day}T00:00:00Z"));
    let made = record(
        name,
        json!({ "id": format!("gid://gitlab/{name}/{user}"), "expiresAt": expires }),
    )
    .with("accessLevel", access_level(Some(role)))
    .with("createdAt", time(created))
    .with("updatedAt", time(created))
    .with("createdBy", one(by.map(|id| Object::User(id, None))))
    .with("user", Found::One(Object::User(user, None)));
    match source {
        Source::Project(id) => made.with("project", Found::One(Object::Project(id))),
        Source::Group(id) => made.with("group", Found::One(Object::Group(id))),
    }
    .object()
}

/// A role as an `AccessLevel`.
pub(super) fn access_level(role: Option<Role>) -> Found {
    let (level, word) = match role {
        None => (0, "NO_ACCESS"),
        Some(Role::Guest) => (10, "GUEST"),
        Some(Role::Planner) => (15, "PLANNER"),
        Some(Role::Reporter) => (20, "REPORTER"),
        Some(Role::Developer) => (30, "DEVELOPER"),
        Some(Role::Maintainer) => (40, "MAINTAINER"),
        Some(Role::Owner) => (50, "OWNER"),
    };
    let human = word[..1].to_owned() + &word[1..].to_lowercase();
    let data = json!({
        "integerValue": level,
        "stringValue": word,
        "humanAccess": if level == 0 { "No access".to_owned() } else { human },
    });
    record("AccessLevel", data).found()
}

fn interaction(call: &Call<'_>) -> Outcome {
    let Object::User(id, Some(merge_request)) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    let Some(row) = state.merge_requests.get(*merge_request) else {
        return Ok(NOTHING);
    };
    let approved = row.approvals.iter().any(|(user, _)| user == id);
    let can_merge = crate::access::may_merge(&state, *id, row.project_id, &row.target_branch);
    let access = crate::access::in_project(&state, Some(*id), row.project_id);
    let review =
        row.reviewer_ids
            .contains(id)
            .then_some(if approved { "APPROVED" } else { "UNREVIEWED" });
    let data = json!({
        "approved": approved,
        "canMerge": can_merge && row.state == MergeRequestState::Opened,
        "canUpdate": access.at_least(Role::Developer) || row.author_id == *id,
        "reviewState": review,
        "reviewed": approved,
    });
    Ok(record("UserMergeRequestInteraction", data).found())
}
