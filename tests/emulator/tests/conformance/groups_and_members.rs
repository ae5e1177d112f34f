//! Groups, subgroups and who belongs to them.

use serde_json::json;

use crate::client::World;
use crate::schemas;

#[test]
fn groups_nest_and_their_paths_are_unique() {
    let world = World::new();
    let parent = world
        .root
        .post("groups", json!({ "name": "Shop", "path": "shop" }))
        .json();
    let child = world
        .root
        .post(
            "groups",
            json!({ "name": "Team", "path": "team", "parent_id": parent["id"] }),
        )
        .json();
    assert_eq!(
        (&child["full_path"], &child["full_name"]),
        (&json!("shop/team"), &json!("Shop / Team"))
    );
    assert_eq!(
        world.root.get("groups/shop%2Fteam").json()["id"],
        child["id"]
    );
    assert_eq!(
        world
            .root
            .get(&format!("groups/{}/subgroups", parent["id"]))
            .json()[0]["id"],
        child["id"]
    );
    assert_eq!(
        world
            .root
            .get("groups?top_level_only=true")
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let taken = world
        .root
        .post("groups", json!({ "name": "Other", "path": "shop" }));
    assert_eq!(
        taken.error(),
        (
            400,
            json!({ "message": "Failed to save group {\"path\":[\"has already been taken\"]}" })
        )
    );
    let (_, stranger) = world.person("sam");
    assert_eq!(
        stranger.get("groups/shop").error(),
        (404, json!({ "message": "404 Group Not Found" }))
    );
    assert_eq!(world.root.delete("groups/shop").status, 202);
    assert_eq!(world.root.get("groups/shop%2Fteam").status, 404);
}

#[test]
fn members_are_added_changed_and_removed() {
    let world = World::new();
    let project = world.project("p");
    let path = format!("projects/{project}/members");
    let (ana, client) = world.person("ana");
    let added = world.root.post(
        &path,
        json!({ "username": "ana", "access_level": 30, "expires_at": "2099-12-31" }),
    );
    assert_eq!(
        (added.status, &added.json()["expires_at"]),
        (201, &json!("2099-12-31"))
    );
    let again = world
        .root
        .post(&path, json!({ "user_id": ana, "access_level": 30 }));
    assert_eq!(
        again.error(),
        (409, json!({ "message": "Member already exists" }))
    );
    schemas::check("public_api/v4/members.json", &world.root.get(&path).json());
    assert_eq!(
        client.get(&format!("{path}/{ana}")).json()["access_level"],
        30
    );
    assert_eq!(
        client
            .post(&path, json!({ "user_id": 1, "access_level": 30 }))
            .status,
        403
    );
    let odd = world
        .root
        .put(&format!("{path}/{ana}"), json!({ "access_level": 33 }));
    assert_eq!(
        odd.error(),
        (
            400,
            json!({ "message": { "access_level": ["is not included in the list"] } })
        )
    );
    assert_eq!(
        world
            .root
            .put(&format!("{path}/{ana}"), json!({ "access_level": 20 }))
            .json()["access_level"],
        20
    );
    assert_eq!(world.root.delete(&format!("{path}/{ana}")).status, 204);
    assert_eq!(
        world.root.get(&format!("{path}/{ana}")).error(),
        (404, json!({ "message": "404 Not found" }))
    );
}

#[test]
fn maintainers_cannot_make_owners() {
    let world = World::new();
    let project = world.project("p");
    let (_, maintainer) = world.member(project, "mia", 40);
    let (ana, _) = world.person("ana");
    let add = |level: u64| {
        maintainer
            .post(
                &format!("projects/{project}/members"),
                json!({ "user_id": ana, "access_level": level }),
            )
            .status
    };
    assert_eq!(add(50), 403);
    assert_eq!(add(40), 201);
}

#[test]
fn roles_come_down_from_groups_and_the_highest_counts() {
    let world = World::new();
    let group = world
        .root
        .post("groups", json!({ "name": "G", "path": "g" }))
        .json()["id"]
        .clone();
    let sub = world
        .root
        .post(
            "groups",
            json!({ "name": "S", "path": "s", "parent_id": group }),
        )
        .json()["id"]
        .clone();
    let project = world
        .root
        .post("projects", json!({ "name": "p", "namespace_id": sub }))
        .json()["id"]
        .as_u64()
        .unwrap();
    let (ana, client) = world.person("ana");
    world.root.post(
        &format!("groups/{group}/members"),
        json!({ "user_id": ana, "access_level": 40 }),
    );
    assert_eq!(
        client.get(&format!("projects/{project}/variables")).status,
        200
    );
    world.root.post(
        &format!("projects/{project}/members"),
        json!({ "user_id": ana, "access_level": 20 }),
    );
    assert_eq!(
        client
            .get(&format!("projects/{project}/members/{ana}"))
            .json()["access_level"],
        20
    );
    assert_eq!(
        client
            .get(&format!("projects/{project}/members/all/{ana}"))
            .json()["access_level"],
        40
    );
    let all = client
        .get(&format!("projects/{project}/members/all?user_ids[]={ana}"))
        .json();
    assert_eq!(all.as_array().unwrap().len(), 1);
    let in_group = client
        .get(&format!("groups/{group}/projects?include_subgroups=true"))
        .json();
    assert_eq!(in_group[0]["id"], project);
}

#[test]
fn the_users_of_a_project_are_its_members_whatever_they_come_from() {
    let world = World::new();
    let project = world.project("shop");
    world.member(project, "ana", 30);
    let path = format!("projects/{project}/users");
    let found = world.root.get(&format!("{path}?search=AN")).json();
    assert_eq!(found[0]["username"], "ana");
    assert!(found[0].get("access_level").is_none());
    assert_eq!(world.root.get(&path).json().as_array().unwrap().len(), 2);
}

#[test]
fn a_membership_ends_on_its_last_day() {
    let world = World::new();
    world
        .emulator
        .clock()
        .set("2026-01-05T10:00:00Z".parse().unwrap());
    let project = world.project("shop");
    let (id, developer) = world.member(project, "dev", 30);
    let path = format!("projects/{project}");
    let until = json!({ "access_level": 30, "expires_at": "2026-01-07" });
    let edited = world.root.put(&format!("{path}/members/{id}"), until);
    assert_eq!(edited.json()["expires_at"], "2026-01-07");
    world
        .emulator
        .clock()
        .set("2026-01-06T23:59:59Z".parse().unwrap());
    assert_eq!(developer.get(&path).status, 200);
    world
        .emulator
        .clock()
        .set("2026-01-07T00:00:00Z".parse().unwrap());
    assert_eq!(developer.get(&path).status, 404);
    assert_eq!(world.root.get(&format!("{path}/members/{id}")).status, 404);
}

#[test]
fn namespaces_are_groups_and_users_in_one_list() {
    let world = World::new();
    let made = world
        .root
        .post("groups", json!({ "name": "G", "path": "g" }));
    let group = made.json()["id"].clone();
    let listed = world.root.get("namespaces").json();
    let kinds: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["user", "group"]);
    assert_eq!(world.root.get("namespaces/g").json()["id"], group);
    assert_eq!(
        world.root.get("namespaces/g/exists").json(),
        json!({ "exists": true, "suggests": ["g1"] })
    );
    assert_eq!(
        world.root.get("namespaces/free/exists").json(),
        json!({ "exists": false, "suggests": [] })
    );
    let (_, stranger) = world.person("sam");
    assert_eq!(stranger.get("namespaces/g").status, 404);
}
