//! Where queries start.

use serde_json::json;

use super::entity::many;
use super::project_lists::{self as projects, list_filters};
use crate::access;
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, Problem, one, record, user, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::holders::Holder;

const FIELDS: &[Line] = &[
    field("currentUser: CurrentUser", |c| Ok(one(c.user().map(user)))),
    field("echo(text: String!): String!", |c| {
        let state = c.state();
        let name = c
            .user()
            .and_then(|id| state.users.get(id))
            .map_or("nil", |row| row.username.as_str());
        Ok(value(format!(
            "\"{name}\" says: {}",
            c.text("text").unwrap_or_default()
        )))
    }),
    field("metadata: Metadata", |c| {
        if c.user().is_none() {
            return Ok(NOTHING);
        }
        let version = &c.world.shared.version;
        let entity = c.rest().show("metadata")?;
        let data = json!({
            "version": version,
            "revision": entity["revision"],
            "enterprise": entity["enterprise"],
        });
        let kas = json!({ "enabled": false, "externalUrl": null, "externalK8sProxyUrl": null, "version": null });
        Ok(record("Metadata", data)
            .with("kas", record("Kas", kas).found())
            .found())
    }),
    field("queryComplexity: QueryComplexity", |c| {
        let (score, limit) = c.world.complexity;
        Ok(record("QueryComplexity", json!({ "score": score, "limit": limit })).found())
    }),
    field("project(fullPath: ID!): Project", |c| {
        let state = c.state();
        let path = c.text("fullPath").unwrap_or_default();
        let row = state.find_project(path);
        let row = row.filter(|row| state.project_path(row).eq_ignore_ascii_case(path));
        let row = row.filter(|row| access::in_project(&state, c.user(), row.id).can_read);
        Ok(one(row.map(|row| Object::Project(row.id))))
    }),
    field(
        concat!(
            "projects(",
            list_filters!(),
            ", ids: [ID!], fullPaths: [String!], membership: Boolean): ProjectConnection"
        ),
        projects::all,
    ),
    field("group(fullPath: ID!): Group", |c| {
        let state = c.state();
        let path = c.text("fullPath").unwrap_or_default();
        let row = state.groups.iter().find(|row| {
            state.namespace_path(row.id).eq_ignore_ascii_case(path)
                && access::in_group(&state, c.user(), row.id).can_read
        });
        Ok(one(row.map(|row| Object::Group(row.id))))
    }),
    field(
        "groups(search: String, ids: [ID!], topLevelOnly: Boolean = false, ownedOnly: Boolean = false): GroupConnection",
        |c| {
            let wanted = super::entity::numbers(c.args, "ids", &["Group"])?;
            let search = c.text("search").unwrap_or_default().to_lowercase();
            let (top, owned) = (c.flag("topLevelOnly"), c.flag("ownedOnly"));
            let state = c.state();
            let rows = state.groups.iter().filter(|row| {
                let own = access::in_group(&state, c.user(), row.id);
                own.can_read
                    && wanted.as_ref().is_none_or(|ids| ids.contains(&row.id))
                    && (row.name.to_lowercase().contains(&search) || row.path.contains(&search))
                    && (top != Some(true) || row.parent_id.is_none())
                    && (owned != Some(true) || own.at_least(access::Role::Owner))
            });
            Ok(many(rows.map(|row| row.id), Object::Group))
        },
    ),
    field("namespace(fullPath: ID!): Namespace", |c| {
        let state = c.state();
        let path = c.text("fullPath").unwrap_or_default();
        let group = state.groups.iter().find(|row| {
            state.namespace_path(row.id).eq_ignore_ascii_case(path)
                && access::in_group(&state, c.user(), row.id).can_read
        });
        let own = state.user_named(path).map(|row| row.namespace_id);
        let found = group.map(|row| row.id).or(own).map(Object::Namespace);
        let project = || {
            let row = state.projects.iter().find(|row| {
                state.project_path(row).eq_ignore_ascii_case(path)
                    && access::in_project(&state, c.user(), row.id).can_read
            })?;
            Some(Object::ProjectNamespace(row.id))
        };
        Ok(one(found.or_else(project)))
    }),
    field("user(id: UserID, username: String): UserCore", |c| {
        let id = c.gid("id", &["User"])?;
        let name = c.text("username");
        let state = c.state();
        match (id, name) {
            (Some(_), Some(_)) | (None, None) => {
                let text = "Provide either a single username or id";
                Err(Problem::new(text))
            }
            (Some(id), None) => Ok(one(state.users.get(id).map(|row| user(row.id)))),
            (None, Some(name)) => Ok(one(state.user_named(name).map(|row| user(row.id)))),
        }
    }),
    field(
        "users(ids: [ID!], usernames: [String!], search: String, active: Boolean, admins: Boolean = false, humans: Boolean, sort: Sort = created_desc): UserCoreConnection",
        users,
    ),
    field("mergeRequest(id: MergeRequestID!): MergeRequest", |c| {
        let id = c.gid("id", &["MergeRequest"])?.unwrap_or_default();
        let state = c.state();
        let row = state.merge_requests.get(id);
        let row = row.filter(|row| access::in_project(&state, c.user(), row.project_id).can_read);
        Ok(one(row.map(|row| Object::MergeRequest(row.id))))
    }),
    field("issue(id: IssueID!): Issue", |c| {
        let id = c.gid("id", &["Issue", "WorkItem"])?.unwrap_or_default();
        Ok(one(readable_issue(c, id).map(Object::Issue)))
    }),
    field("note(id: NoteID!): Note", |c| {
        let id = c.gid("id", &["Note", "DiscussionNote", "DiffNote"])?;
        let state = c.state();
        let row = id.and_then(|id| state.notes.get(id));
        let row = row.filter(|row| super::notes::may_read(&state, c.user(), row));
        Ok(one(row.map(|row| Object::Note(row.id))))
    }),
    field("milestone(id: MilestoneID!): Milestone", |c| {
        let id = c.gid("id", &["Milestone"])?.unwrap_or_default();
        let state = c.state();
        let row = state.milestones.get(id);
        let row = row.filter(|row| match row.holder {
            Holder::Project(project) => access::in_project(&state, c.user(), project).can_read,
            Holder::Group(group) => access::in_group(&state, c.user(), group).can_read,
        });
        Ok(one(row.map(|row| Object::Milestone(row.id))))
    }),
];

/// The family of the root.
pub(super) const FAMILY: Family = Family {
    tables: &[object("Query", &[FIELDS, super::work_items::OF_QUERY, super::ci::OF_QUERY, super::runners::OF_QUERY])],
    sdl: "
        type Metadata { enterprise: Boolean! kas: Kas! revision: String! version: String! }
        type Kas { enabled: Boolean! externalK8sProxyUrl: String externalUrl: String version: String }
        type QueryComplexity { limit: Int score: Int }
        enum Sort { CREATED_ASC CREATED_DESC UPDATED_ASC UPDATED_DESC created_asc created_desc updated_asc updated_desc }
    ",
};

/// An issue the caller may see.
pub(super) fn readable_issue(call: &Call<'_>, id: u64) -> Option<u64> {
    let state = call.state();
    state.issues.get(id)?;
    let noteable = crate::store::notes::Noteable::Issue(id);
    crate::issuables::may_read(&state, call.user(), noteable).then_some(id)
}

fn users(call: &Call<'_>) -> Outcome {
    if call.user().is_none() {
        return Err(Problem::no_access());
    }
    let ids = super::entity::numbers(call.args, "ids", &["User"])?;
    let names = call.texts("usernames");
    let search = call.text("search").map(str::to_lowercase);
    let state = call.state();
    let fits = |row: &&crate::store::users::User| {
        ids.as_ref().is_none_or(|ids| ids.contains(&row.id))
            && names.as_ref().is_none_or(|names| {
                names
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(&row.username))
            })
            && search.as_ref().is_none_or(|search| {
                row.username.to_lowercase().contains(search)
                    || row.name.to_lowercase().contains(search)
            })
            && (call.flag("admins") != Some(true) || row.admin)
            && call.flag("humans").is_none_or(|humans| humans != row.bot)
            && call
                .flag("active")
                .is_none_or(|active| active == (row.state == "active"))
    };
    let mut found: Vec<u64> = state.users.iter().filter(fits).map(|row| row.id).collect();
    if call
        .text("sort")
        .is_some_and(|sort| sort.to_lowercase().ends_with("desc"))
    {
        found.reverse();
    }
    Ok(Found::Many(found.into_iter().map(user).collect()))
}
