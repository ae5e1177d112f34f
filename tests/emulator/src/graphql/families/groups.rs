//! Groups and namespaces.

use serde_json::json;

use super::entity::{below, many};
use super::merge_request_lists::{filters, of_container};
use super::project_lists::{self as projects, list_filters};
use super::users::{access_level, member};
use crate::access::{self, Role};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, gid, one, record, time, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::State;
use crate::store::groups::Group;
use crate::store::members::Source;
use crate::store::places::Place;

const FIELDS: &[Line] = &[
    field("id: ID!", |c| row(c, |row, _| gid("Group", row.id))),
    field("name: String!", |c| {
        row(c, |row, _| value(row.name.clone()))
    }),
    field("path: String!", |c| {
        row(c, |row, _| value(row.path.clone()))
    }),
    field("fullPath: ID!", |c| {
        row(c, |row, state| value(state.namespace_path(row.id)))
    }),
    field("fullName: String!", |c| {
        row(c, |row, state| value(state.namespace_name(row.id)))
    }),
    field("description: String", |c| {
        row(c, |row, _| value(row.description.clone()))
    }),
    field("descriptionHtml: String", |c| {
        row(c, |row, _| value(row.description.clone()))
    }),
    field("visibility: String", |c| {
        row(c, |row, _| value(row.visibility.as_str()))
    }),
    field("avatarUrl: String", |_| Ok(NOTHING)),
    field("archived: Boolean", |_| Ok(value(false))),
    field("createdAt: Time", |c| row(c, |row, _| time(row.created_at))),
    field("webUrl: String!", |c| {
        let url = c.url();
        row(c, |row, state| value(state.namespace_path(row.id)))
            .map(|found| found.on_text(|path| value(format!("{url}/groups/{path}"))))
    }),
    field("webPath: String!", |c| {
        row(c, |row, state| {
            value(format!("/groups/{}", state.namespace_path(row.id)))
        })
    }),
    field("parent: Group", |c| {
        row(c, |row, _| one(row.parent_id.map(Object::Group)))
    }),
    field("projectsCount: Int!", |c| {
        row(c, |row, state| {
            value(
                state
                    .projects
                    .iter()
                    .filter(|project| project.namespace_id == row.id)
                    .count(),
            )
        })
    }),
    field("descendantGroupsCount: Int!", |c| {
        row(c, |row, state| {
            value(
                state
                    .groups
                    .iter()
                    .filter(|group| group.parent_id == Some(row.id))
                    .count(),
            )
        })
    }),
    field("groupMembersCount: Int!", |c| {
        row(c, |row, state| {
            value(
                state
                    .members
                    .iter()
                    .filter(|member| member.source == Source::Group(row.id))
                    .count(),
            )
        })
    }),
    field("maxAccessLevel: AccessLevel!", |c| {
        Ok(access_level(own_role(c)))
    }),
    field("userPermissions: GroupPermissions!", |c| {
        let own = own_role(c);
        let from = |role: Role| own.is_some_and(|own| own >= role);
        let data = json!({ "createProjects": from(Role::Developer), "readGroup": true });
        Ok(record("GroupPermissions", data).found())
    }),
    field(
        "groupMembers(relations: [GroupMemberRelation!] = [DIRECT, INHERITED], search: String): GroupMemberConnection",
        group_members,
    ),
    field(
        "descendantGroups(search: String, includeParentDescendants: Boolean = true): GroupConnection",
        |c| {
            let Object::Group(id) = c.object else {
                return Ok(NOTHING);
            };
            let acting = c.user();
            let all = c.flag("includeParentDescendants") != Some(false);
            let search = c.text("search").unwrap_or_default().to_lowercase();
            let state = c.state();
            let below = |row: &&Group| {
                let direct = row.parent_id == Some(*id);
                (direct
                    || (all
                        && row.id != *id
                        && state.with_ancestors(row.id).any(|above| above == *id)))
                    && row.name.to_lowercase().contains(&search)
                    && access::in_group(&state, acting, row.id).can_read
            };
            Ok(many(
                state.groups.iter().filter(below).map(|row| row.id),
                Object::Group,
            ))
        },
    ),
    field(
        concat!(
            "projects(",
            list_filters!(),
            ", ids: [ID!], includeSubgroups: Boolean = false): ProjectConnection"
        ),
        |c| {
            let path = below(c, "projects")?;
            let deep = c.flag("includeSubgroups") == Some(true);
            projects::list(c, &path, json!({ "include_subgroups": deep }))
        },
    ),
    field(
        concat!("mergeRequests(", filters!(), "): MergeRequestConnection"),
        of_container,
    ),
];

const NAMESPACE: &[Line] = &[
    field("id: ID!", |c| namespace(c, |space| value(space.gid))),
    field("name: String!", |c| namespace(c, |space| value(space.name))),
    field("path: String!", |c| namespace(c, |space| value(space.path))),
    field("fullPath: ID!", |c| {
        namespace(c, |space| value(space.full_path))
    }),
    field("fullName: String!", |c| {
        namespace(c, |space| value(space.full_name))
    }),
    field("description: String", |c| {
        namespace(c, |space| Found::Value(json!(space.description)))
    }),
    field("visibility: String", |c| {
        namespace(c, |space| value(space.visibility))
    }),
    field("webUrl: String", |c| {
        namespace(c, |space| value(space.page))
    }),
    field(
        concat!(
            "projects(",
            list_filters!(),
            ", ids: [ID!], includeSubgroups: Boolean = false): ProjectConnection!"
        ),
        |c| {
            let Object::Namespace(id) = c.object else {
                return Ok(Found::Many(Vec::new()));
            };
            let group = c.state().groups.get(*id).is_some();
            if group {
                let deep = c.flag("includeSubgroups") == Some(true);
                return projects::list(
                    c,
                    &format!("groups/{id}/projects"),
                    json!({ "include_subgroups": deep }),
                );
            }
            let owner = c
                .state()
                .users
                .iter()
                .find(|row| row.namespace_id == *id)
                .map(|row| row.id);
            projects::list(
                c,
                &format!("users/{}/projects", owner.unwrap_or_default()),
                json!({}),
            )
        },
    ),
];

/// The family of groups and namespaces.
pub(super) const FAMILY: Family = Family {
    tables: &[
        object(
            "Group",
            &[
                FIELDS,
                super::issues::OF_CONTAINER,
                super::work_items::OF_CONTAINER,
            ],
        ),
        object("Namespace", &[NAMESPACE, super::work_items::OF_CONTAINER]),
    ],
    sdl: "
        type GroupPermissions { createProjects: Boolean! readGroup: Boolean! }
        enum GroupMemberRelation { DESCENDANTS DIRECT INHERITED SHARED_FROM_GROUPS }
    ",
};

fn row(call: &Call<'_>, read: fn(&Group, &State) -> Found) -> Outcome {
    let Object::Group(id) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state
        .groups
        .get(*id)
        .map_or(NOTHING, |row| read(row, &state)))
}

/// What all namespaces have.
struct Space {
    gid: String,
    name: String,
    path: String,
    full_path: String,
    full_name: String,
    description: Option<String>,
    visibility: &'static str,
    page: String,
}

fn namespace(call: &Call<'_>, read: fn(Space) -> Found) -> Outcome {
    let state = call.state();
    let space = if let Object::Namespace(id) = call.object {
        let (full_path, full_name) = (state.namespace_path(*id), state.namespace_name(*id));
        let group = state.groups.get(*id);
        let (class, prefix) = match group {
            Some(_) => ("Group", "groups/"),
            None => ("Namespaces::UserNamespace", ""),
        };
        Space {
            gid: format!("gid://gitlab/{class}/{id}"),
            name: group.map_or(full_name.clone(), |row| row.name.clone()),
            path: group.map_or(full_path.clone(), |row| row.path.clone()),
            description: group.map(|row| row.description.clone()),
            visibility: group.map_or("public", |row| row.visibility.as_str()),
            page: format!("{}/{prefix}{full_path}", call.url()),
            full_path,
            full_name,
        }
    } else {
        let Object::ProjectNamespace(id) = call.object else {
            return Ok(NOTHING);
        };
        let Some(row) = state.projects.get(*id) else {
            return Ok(NOTHING);
        };
        let full_path = state.project_path(row);
        let above = state.namespace_name(row.namespace_id);
        Space {
            gid: format!("gid://gitlab/Namespaces::ProjectNamespace/{id}"),
            name: row.name.clone(),
            path: row.path.clone(),
            description: row.settings.description.clone(),
            visibility: row.visibility.as_str(),
            page: format!("{}/{full_path}", call.url()),
            full_name: format!("{above} / {}", row.name),
            full_path,
        }
    };
    Ok(read(space))
}

fn group_members(call: &Call<'_>) -> Outcome {
    let Object::Group(id) = call.object else {
        return Ok(NOTHING);
    };
    let relations = call.texts("relations").unwrap_or_default();
    let search = call.text("search").unwrap_or_default().to_lowercase();
    let state = call.state();
    let own = Source::Group(*id);
    let mut sources: Vec<(Source, &str)> = state
        .member_sources(own)
        .into_iter()
        .map(|source| (source, if source == own { "DIRECT" } else { "INHERITED" }))
        .collect();
    let invited = state.invited_groups(Place::Group(*id)).map(Source::Group);
    sources.extend(invited.map(|source| (source, "SHARED_FROM_GROUPS")));
    let below = state.groups.iter().filter(|group| {
        group.id != *id && state.with_ancestors(group.id).any(|above| above == *id)
    });
    sources.extend(below.map(|group| (Source::Group(group.id), "DESCENDANTS")));
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for (source, _) in sources
        .into_iter()
        .filter(|(_, relation)| relations.contains(relation))
    {
        for row in state.members.iter().filter(|row| row.source == source) {
            let user = state.users.get(row.user_id);
            let fits = user.is_some_and(|user| user.username.to_lowercase().contains(&search));
            if fits && !seen.contains(&row.user_id) {
                seen.push(row.user_id);
                found.push(member(&state, "GroupMember", row.user_id, source, row.role));
            }
        }
    }
    Ok(Found::Many(found))
}

fn own_role(call: &Call<'_>) -> Option<Role> {
    let Object::Group(id) = call.object else {
        return None;
    };
    access::in_group(&call.state(), call.user(), *id).role
}
