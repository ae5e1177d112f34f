//! Feature flags of projects and their user lists.

use serde_json::json;

use crate::client::World;

#[test]
fn a_flag_is_made_found_by_name_renamed_switched_off_and_deleted() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/feature_flags");
    let made = world.root.post(
        &path,
        json!({ "name": "new-cart", "version": "new_version_flag" }),
    );
    assert_eq!(made.status, 201, "{}", made.text);
    let flag = made.json();
    assert_eq!(
        (
            &flag["active"],
            &flag["version"],
            &flag["scopes"],
            &flag["strategies"]
        ),
        (
            &json!(true),
            &json!("new_version_flag"),
            &json!([]),
            &json!([])
        )
    );
    let off = json!({ "name": "old_cart", "active": false, "description": "D" });
    let off = world.root.put(&format!("{path}/new-cart"), off);
    assert_eq!(off.status, 200, "{}", off.text);
    assert_eq!(world.root.get(&format!("{path}/new-cart")).status, 404);
    let shown = world.root.get(&format!("{path}/old_cart")).json();
    assert_eq!(
        (&shown["active"], &shown["description"]),
        (&json!(false), &json!("D"))
    );
    let enabled = world.root.get(&format!("{path}?scope=enabled")).json();
    assert_eq!(enabled, json!([]));
    let (_, reporter) = world.member(project, "rep", 20);
    assert_eq!(reporter.get(&path).status, 403);
    let gone = world.root.delete(&format!("{path}/old_cart"));
    assert_eq!(
        (gone.status, &gone.json()["name"]),
        (200, &json!("old_cart"))
    );
    assert_eq!(world.root.get(&path).json(), json!([]));
}

#[test]
fn flags_that_are_not_well_formed_are_refused_with_sentences() {
    let world = World::new();
    let path = format!("projects/{}/feature_flags", world.project("shop"));
    let refused = |body| world.root.post(&path, body).error();
    assert_eq!(
        world.root.post(&path, json!({ "name": "cart" })).status,
        201
    );
    let taken = json!({ "message": ["Name has already been taken"] });
    assert_eq!(refused(json!({ "name": "cart" })), (400, taken));
    let legacy = json!({ "name": "more", "version": "legacy_flag" });
    assert_eq!(
        refused(legacy),
        (400, json!({ "message": "Version is invalid" }))
    );
    let strategy = |name: &str, parameters| {
        let strategies = [json!({ "name": name, "parameters": parameters })];
        json!({ "name": "more", "strategies": strategies })
    };
    for (body, text) in [
        (strategy("whim", json!({})), "name strategy name is invalid"),
        (
            strategy("default", json!({ "a": "b" })),
            "parameters parameters are invalid",
        ),
        (
            strategy(
                "gradualRolloutUserId",
                json!({ "groupId": "default", "percentage": 40 }),
            ),
            "parameters percentage must be a string between 0 and 100 inclusive",
        ),
        (
            strategy("gitlabUserList", json!({})),
            "user list can't be blank",
        ),
    ] {
        let text = format!("Strategies {text}");
        assert_eq!(refused(body), (400, json!({ "message": [text] })));
    }
}

#[test]
fn strategies_and_their_scopes_are_added_and_removed_one_by_one() {
    let world = World::new();
    let path = format!("projects/{}/feature_flags", world.project("shop"));
    let strategies = json!([
        { "name": "default", "parameters": {}, "scopes": [{ "environment_scope": "*" }, { "environment_scope": "prod" }] },
        { "name": "userWithId", "parameters": { "userIds": "ana,ben" } },
    ]);
    let made = world
        .root
        .post(&path, json!({ "name": "cart", "strategies": strategies }));
    let mut flag = made.json();
    assert_eq!(flag["strategies"][1]["parameters"]["userIds"], "ana,ben");
    flag["strategies"][0]["scopes"][1]["_destroy"] = json!(true);
    flag["strategies"][1]["_destroy"] = json!(true);
    let own = format!("{path}/cart");
    let left = world
        .root
        .put(&own, json!({ "strategies": flag["strategies"] }))
        .json();
    assert_eq!(left["strategies"].as_array().map(Vec::len), Some(1));
    let scopes = left["strategies"][0]["scopes"].as_array().unwrap();
    assert_eq!(
        (scopes.len(), &scopes[0]["environment_scope"]),
        (1, &json!("*"))
    );
    let stranger = json!({ "strategies": [{ "id": 999 }] });
    assert_eq!(world.root.put(&own, stranger).status, 404);
}

#[test]
fn a_user_list_stays_while_a_strategy_goes_by_it() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/feature_flags_user_lists");
    let made = world
        .root
        .post(&path, json!({ "name": "Testers", "user_xids": "ana,ben" }));
    assert_eq!(made.status, 201, "{}", made.text);
    let list = made.json();
    assert_eq!(list["iid"], 1);
    assert!(
        list["edit_path"]
            .as_str()
            .unwrap()
            .ends_with("/-/feature_flags_user_lists/1/edit")
    );
    let twice = world
        .root
        .post(&path, json!({ "name": "More", "user_xids": "ana,ana" }));
    let text = "User xids user_xids must be a string of unique comma separated values each 256 characters or less";
    assert_eq!(twice.error(), (400, json!({ "message": [text] })));
    let found = world.root.get(&format!("{path}?search=test")).json();
    assert_eq!(found[0]["id"], list["id"]);
    let strategy =
        json!({ "name": "gitlabUserList", "parameters": {}, "user_list_id": list["id"] });
    let flags = format!("projects/{project}/feature_flags");
    let flag = json!({ "name": "cart", "strategies": [strategy] });
    let flag = world.root.post(&flags, flag).json();
    assert_eq!(flag["strategies"][0]["user_list"]["name"], "Testers");
    let own = format!("{path}/1");
    let edited = world.root.put(&own, json!({ "name": "Friends" })).json();
    assert_eq!(
        (&edited["name"], &edited["user_xids"]),
        (&json!("Friends"), &json!("ana,ben"))
    );
    assert_eq!(world.root.delete(&own).status, 409);
    world.root.delete(&format!("{flags}/cart"));
    assert_eq!(world.root.delete(&own).status, 204);
}
