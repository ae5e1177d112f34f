//! People: who belongs to a role, by user name, group or access level. One request for all roles, as long as a page holds them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::wire::Nodes;
use super::{GitLab, translate};
use crate::domain::ids::{RoleName, UserName};
use crate::domain::validation::Members;
use crate::outcome::Problem;
use crate::ports::{Answer, People};

/// How many pages of 100 people are read of one group or project.
const MOST_PAGES: u32 = 20;

/// The members of a group itself and of groups invited to it. Whoever is only inherited from a group above is left out:
/// otherwise everybody in `shop` would belong to `shop/qa`.
const GROUP: &str = "groupMembers(first: 100, after: $after, relations: [DIRECT, SHARED_FROM_GROUPS]) { pageInfo { hasNextPage endCursor } nodes { accessLevel { integerValue } expiresAt user { username state bot } } }";

/// The members of the project and of the groups above it. Those of invited groups are left out: GitLab tells the level that they
/// have in their own group, not the lower one that they were invited with.
const PROJECT: &str = "projectMembers(first: 100, after: $after, relations: [DIRECT, INHERITED]) { pageInfo { hasNextPage endCursor } nodes { accessLevel { integerValue } expiresAt user { username state bot } } }";

/// Where people are looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Group(String),
    Project,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    #[serde(alias = "groupMembers", alias = "projectMembers")]
    members: Nodes<Member>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    access_level: Option<Level>,
    expires_at: Option<String>,
    user: Option<Person>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    integer_value: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
struct Person {
    username: String,
    state: String,
    bot: bool,
}

impl People for GitLab<'_> {
    fn holders(
        &self,
        roles: &[(RoleName, &Members)],
    ) -> Answer<BTreeMap<RoleName, BTreeSet<UserName>>> {
        let sources: BTreeSet<Source> = roles
            .iter()
            .flat_map(|(_, members)| sources_of(members))
            .collect();
        if !sources.is_empty() && !self.may_look_up() {
            return Err(Problem::gitlab(
                "the members of a group can only be read with `TRAINYARD_TOKEN`, which this job does not have",
                "store a token with role Reporter and scope `api` as the masked variable `TRAINYARD_TOKEN`, or name the people of the role by `users`",
            ));
        }
        let found = self.members(sources)?;
        let now = self.clock.now();
        let mut holders = BTreeMap::new();
        for (role, members) in roles {
            let mut people = members.users.clone();
            for source in sources_of(members) {
                let level = match source {
                    Source::Group(_) => 0,
                    Source::Project => members.access.unwrap_or(u64::MAX),
                };
                for member in found.get(&source).into_iter().flatten() {
                    people.extend(person(member, level, now)?);
                }
            }
            holders.insert(role.clone(), people);
        }
        Ok(holders)
    }
}

impl GitLab<'_> {
    /// Everybody of each place, all first pages in one request.
    fn members(&self, sources: BTreeSet<Source>) -> Answer<BTreeMap<Source, Vec<Member>>> {
        let mut found: BTreeMap<Source, Vec<Member>> = BTreeMap::new();
        let mut open: Vec<(Source, Option<String>)> =
            sources.into_iter().map(|source| (source, None)).collect();
        for _ in 0..MOST_PAGES {
            if open.is_empty() {
                return Ok(found);
            }
            let (query, variables) = query(&open, self.ci.project.as_str());
            let mut places: BTreeMap<String, Option<Place>> =
                self.graph(&self.main, query.into(), variables)?;
            let mut next = Vec::new();
            for (index, (source, _)) in open.into_iter().enumerate() {
                let place = places
                    .remove(&format!("p{index}"))
                    .flatten()
                    .ok_or_else(|| unseen(&source, self.main.token().variable()))?;
                if place.members.page_info.has_next_page {
                    next.push((source.clone(), place.members.page_info.end_cursor));
                }
                found.entry(source).or_default().extend(place.members.nodes);
            }
            open = next;
        }
        match open.first() {
            None => Ok(found),
            Some((source, _)) => Err(Problem::misconfigured(
                format!(
                    "{} has more than {} members: too many for a role",
                    name_of(source),
                    MOST_PAGES * 100
                ),
                "give the role in `.trainyard.yml` a smaller group",
            )),
        }
    }
}

fn sources_of(members: &Members) -> impl Iterator<Item = Source> {
    let groups = members.groups.iter().cloned().map(Source::Group);
    groups.chain(members.access.map(|_| Source::Project))
}

fn query(open: &[(Source, Option<String>)], project: &str) -> (String, Value) {
    let mut declared = Vec::new();
    let mut fields = String::new();
    let mut variables = Map::new();
    for (index, (source, after)) in open.iter().enumerate() {
        let (path, place, members) = match source {
            Source::Group(path) => (path.as_str(), "group", GROUP),
            Source::Project => (project, "project", PROJECT),
        };
        declared.push(format!("$path{index}: ID!, $after{index}: String"));
        let members = members.replace("$after", &format!("$after{index}"));
        fields.push_str(&format!(
            " p{index}: {place}(fullPath: $path{index}) {{ {members} }}"
        ));
        variables.insert(format!("path{index}"), json!(path));
        variables.insert(format!("after{index}"), json!(after));
    }
    let query = format!("query({}) {{{fields} }}", declared.join(", "));
    (query, Value::Object(variables))
}

fn name_of(source: &Source) -> String {
    match source {
        Source::Group(path) => format!("the group `{path}`"),
        Source::Project => "the project".to_owned(),
    }
}

fn unseen(source: &Source, variable: &str) -> Problem {
    Problem::gitlab(
        format!(
            "{} that a role of `.trainyard.yml` names does not exist, or the token in `{variable}` may not see it",
            name_of(source)
        ),
        "check the path; a private group must be shared with the token's user as Guest or more",
    )
}

/// Somebody who may hold a role: an active person whose membership has not run out.
fn person(member: &Member, level: u64, now: Timestamp) -> Answer<Option<UserName>> {
    let Some(user) = &member.user else {
        return Ok(None);
    };
    let expired = match &member.expires_at {
        None => false,
        Some(at) => translate::field::<Timestamp>("members.expiresAt", at)? <= now,
    };
    let own = member
        .access_level
        .as_ref()
        .and_then(|level| level.integer_value)
        .unwrap_or_default();
    if expired || user.bot || user.state != "active" || own < level {
        return Ok(None);
    }
    translate::field("members.user.username", &user.username).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(change: impl FnOnce(&mut Value)) -> Option<UserName> {
        let mut value = json!({"accessLevel": {"integerValue": 30}, "expiresAt": null, "user": {"username": "olga", "state": "active", "bot": false}});
        change(&mut value);
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        person(&serde_json::from_value(value).unwrap(), 30, now).unwrap()
    }

    #[test]
    fn only_active_people_with_a_running_membership_hold_a_role() {
        assert!(member(|_| {}).is_some());
        assert!(member(|m| m["expiresAt"] = json!("2026-06-02T00:00:00Z")).is_some());
        assert!(member(|m| m["expiresAt"] = json!("2026-05-31T00:00:00Z")).is_none());
        assert!(member(|m| m["user"]["state"] = json!("blocked")).is_none());
        assert!(member(|m| m["user"]["bot"] = json!(true)).is_none());
        assert!(member(|m| m["user"] = Value::Null).is_none());
        assert!(member(|m| m["accessLevel"]["integerValue"] = json!(20)).is_none());
        assert!(member(|m| m["accessLevel"] = Value::Null).is_none());
    }

    #[test]
    fn all_places_are_asked_for_at_once() {
        let open = [
            (Source::Group("shop/qa".into()), None),
            (Source::Project, Some("abc".into())),
        ];
        let (query, variables) = query(&open, "shop/web");
        assert!(query.contains("p0: group(fullPath: $path0)") && query.contains("after: $after1"));
        assert_eq!(
            variables,
            json!({"path0": "shop/qa", "after0": null, "path1": "shop/web", "after1": "abc"})
        );
    }
}
