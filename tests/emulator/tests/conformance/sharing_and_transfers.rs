//! Projects and groups shared with other groups, and moved to other namespaces.

use serde_json::{Value, json};

use crate::client::World;

fn group(world: &World, path: &str, parent: Option<u64>) -> u64 {
    let body = json!({ "name": path, "path": path, "parent_id": parent });
    world.root.post("groups", body).json()["id"]
        .as_u64()
        .unwrap()
}

#[test]
fn members_of_a_group_reach_what_is_shared_with_it() {
    let world = World::new();
    let (team, shop) = (group(&world, "team", None), world.project("shop"));
    let (ana, client) = world.person("ana");
    let member = json!({ "user_id": ana, "access_level": 40 });
    world.root.post(&format!("groups/{team}/members"), member);
    let project = format!("projects/{shop}");
    assert_eq!(client.get(&project).status, 404);
    let share = json!({ "group_id": team, "group_access": 30 });
    let shared = world.root.post(&format!("{project}/share"), share.clone());
    assert_eq!(
        (shared.status, &shared.json()["group_access"]),
        (201, &json!(30))
    );
    assert_eq!(
        world.root.post(&format!("{project}/share"), share).status,
        409
    );
    assert_eq!(
        client.get(&project).json()["shared_with_groups"][0]["group_id"],
        team
    );
    // A developer through the group, not the maintainer the person is there.
    assert_eq!(client.get(&format!("{project}/variables")).status, 403);
    let groups = client
        .get(&format!("{project}/groups?with_shared=true"))
        .json();
    assert_eq!(groups[0]["id"], team);
    for list in ["projects", "projects/shared", "projects?with_shared=false"] {
        let listed = client.get(&format!("groups/{team}/{list}")).json();
        let ids: Vec<_> = listed.as_array().unwrap().iter().collect();
        let expected = usize::from(!list.ends_with("false"));
        assert_eq!(ids.len(), expected, "{list}");
    }
    assert_eq!(
        world.root.delete(&format!("{project}/share/{team}")).status,
        204
    );
    let shared = client.get(&format!("groups/{team}/projects/shared"));
    assert_eq!(shared.json(), json!([]));
    assert_eq!(client.get(&project).status, 404);
}

#[test]
fn a_shared_group_lets_others_into_its_projects() {
    let world = World::new();
    let (team, guests) = (group(&world, "team", None), group(&world, "guests", None));
    let body = json!({ "name": "shop", "namespace_id": team });
    let shop = world.root.post("projects", body).json()["id"]
        .as_u64()
        .unwrap();
    let (ana, client) = world.person("ana");
    let member = json!({ "user_id": ana, "access_level": 30 });
    world.root.post(&format!("groups/{guests}/members"), member);
    let share = json!({ "group_id": guests, "group_access": 20 });
    let shared = world
        .root
        .post(&format!("groups/{team}/share"), share)
        .json();
    assert_eq!(shared["shared_with_groups"][0]["group_access_level"], 20);
    assert_eq!(client.get(&format!("projects/{shop}")).status, 200);
    assert_eq!(
        world
            .root
            .delete(&format!("groups/{team}/share/{guests}"))
            .status,
        204
    );
    assert_eq!(client.get(&format!("projects/{shop}")).status, 404);
}

#[test]
fn a_project_moves_to_a_group_and_back() {
    let world = World::new();
    let (team, shop) = (group(&world, "team", None), world.project("shop"));
    let path = format!("projects/{shop}/transfer");
    let moved = world.root.put(&path, json!({ "namespace": team })).json();
    assert_eq!(moved["path_with_namespace"], "team/shop");
    assert_eq!(
        world.root.put(&path, json!({ "namespace": "team" })).status,
        400
    );
    assert_eq!(
        world
            .root
            .put(&path, json!({ "namespace": "nowhere" }))
            .status,
        404
    );
    let back = world.root.put(&path, json!({ "namespace": "root" })).json();
    assert_eq!(back["path_with_namespace"], "root/shop");
}

#[test]
fn a_group_moves_below_another_but_not_below_itself() {
    let world = World::new();
    let (team, top) = (group(&world, "team", None), group(&world, "top", None));
    let path = format!("groups/{team}/transfer");
    let moved = world.root.post(&path, json!({ "group_id": top })).json();
    assert_eq!(moved["full_path"], "top/team");
    let loops = world.root.post(
        &format!("groups/{top}/transfer"),
        json!({ "group_id": team }),
    );
    assert_eq!(loops.status, 400);
    let back = world.root.post(&path, json!({})).json();
    assert_eq!(
        (&back["full_path"], &back["parent_id"]),
        (&json!("team"), &Value::Null)
    );
    let again = world.root.post(&path, json!({}));
    let text = "Transfer failed: Group is already a root group.";
    assert_eq!(again.error(), (400, json!({ "message": text })));
}

#[test]
fn settings_of_a_group_are_kept() {
    let world = World::new();
    let team = group(&world, "team", None);
    let path = format!("groups/{team}");
    let change =
        json!({ "lfs_enabled": false, "project_creation_level": "owner", "emails_disabled": true });
    let edited = world.root.put(&path, change).json();
    assert_eq!(
        (
            &edited["lfs_enabled"],
            &edited["project_creation_level"],
            &edited["emails_enabled"]
        ),
        (&json!(false), &json!("owner"), &json!(false))
    );
    assert_eq!(world.root.get(&path).json()["lfs_enabled"], false);
}
