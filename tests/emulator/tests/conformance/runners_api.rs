//! Runners as rows: made, registered, changed, assigned, listed and removed.

use serde_json::{Value, json};

use crate::client::World;
use crate::outside_runner::OutsideRunner;

fn ids(list: &Value) -> Vec<u64> {
    let list = list.as_array().unwrap().iter();
    list.map(|runner| runner["id"].as_u64().unwrap()).collect()
}

#[test]
fn a_runner_is_made_shown_changed_and_removed() {
    let world = World::new();
    let root = &world.root;
    let made = root.post(
        "user/runners",
        json!({
            "runner_type": "instance_type", "description": "one", "tag_list": "b,a", "maximum_timeout": 900,
            "maintenance_note": "note", "locked": false,
        }),
    );
    assert_eq!(made.status, 201);
    let made = made.json();
    assert!(made["token"].as_str().unwrap().starts_with("glrt-"));
    assert_eq!(made["token_expires_at"], Value::Null);
    let path = format!("runners/{}", made["id"]);
    let shown = root.get(&path).json();
    for (key, expected) in [
        ("description", json!("one")),
        ("tag_list", json!(["a", "b"])),
        ("run_untagged", json!(true)),
        ("maximum_timeout", json!(900)),
        ("access_level", json!("not_protected")),
        ("status", json!("never_contacted")),
        ("runner_type", json!("instance_type")),
        ("is_shared", json!(true)),
        ("paused", json!(false)),
        ("online", json!(false)),
        ("maintenance_note", json!("note")),
        ("projects", json!([])),
        ("contacted_at", Value::Null),
    ] {
        assert_eq!(shown[key], expected, "{key}");
    }
    let changed = root.put(
        &path,
        json!({ "paused": true, "tag_list": ["c"], "access_level": "ref_protected" }),
    );
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["active"], false);
    assert_eq!(changed.json()["access_level"], "ref_protected");
    let wrong = root.put(&path, json!({ "tag_list": [], "run_untagged": false }));
    assert_eq!(
        wrong.error(),
        (
            400,
            json!({ "message": { "tags_list": ["can not be empty when runner is not allowed to pick untagged jobs"] } })
        )
    );
    let wrong = root.put(&path, json!({ "maximum_timeout": 10 }));
    assert_eq!(
        wrong.json()["message"]["maximum_timeout"][0],
        "needs to be at least 10 minutes"
    );
    let empty = root.put(&path, json!({})).error();
    assert_eq!(empty.0, 400);
    assert!(
        empty.1["error"]
            .as_str()
            .unwrap()
            .ends_with("at least one parameter must be provided")
    );
    assert_eq!(root.get(&format!("{path}/managers")).json(), json!([]));
    let renewed = root.post(&format!("{path}/reset_authentication_token"), json!({}));
    assert_eq!(renewed.status, 201);
    assert_ne!(renewed.json()["token"], made["token"]);
    assert_eq!(root.delete(&path).status, 204);
    assert_eq!(
        root.get(&path).error(),
        (404, json!({ "message": "404 Runner Not Found" }))
    );
}

#[test]
fn a_program_registers_checks_its_token_and_leaves() {
    let world = World::new();
    let project = world.project("shop");
    let anonymous = OutsideRunner {
        url: world.root.url.clone(),
        token: String::new(),
    }
    .anonymous();
    let refused = anonymous.post("runners", json!({ "token": "guess" }));
    assert_eq!(
        refused.error(),
        (
            403,
            json!({ "message": "403 Forbidden - invalid token supplied" })
        )
    );
    let shown = world.root.get(&format!("projects/{project}")).json();
    assert!(
        shown["runners_token"]
            .as_str()
            .unwrap()
            .starts_with("GR1348941")
    );
    let path = format!("projects/{project}/runners/reset_registration_token");
    let registration = world.root.post(&path, json!({}));
    assert_eq!(registration.status, 201);
    let token = registration.json()["token"].clone();
    let body = json!({ "token": token, "description": "theirs", "tag_list": "x", "info": { "name": "gitlab-runner" } });
    let registered = anonymous.post("runners", body);
    assert_eq!(registered.status, 201, "{}", registered.text);
    let token = registered.json()["token"].clone();
    let body = json!({ "token": token, "system_id": "s_1" });
    let verified = anonymous.post("runners/verify", body.clone());
    assert_eq!((verified.status, &verified.json()["token"]), (200, &token));
    let id = verified.json()["id"].clone();
    let managers = world.root.get(&format!("runners/{id}/managers")).json();
    assert_eq!(managers[0]["system_id"], "s_1");
    let shown = world.root.get(&format!("runners/{id}")).json();
    assert_eq!(
        (&shown["runner_type"], &shown["locked"], &shown["online"]),
        (&json!("project_type"), &json!(true), &json!(true))
    );
    assert_eq!(shown["projects"][0]["id"], project);
    let fresh = anonymous.post("runners/reset_authentication_token", body);
    assert_eq!(fresh.status, 201);
    let old = anonymous.post("runners/verify", json!({ "token": token }));
    assert_eq!(old.error(), (403, json!({ "message": "403 Forbidden" })));
    let token = fresh.json()["token"].clone();
    let leave = json!({ "token": token, "system_id": "s_1" });
    assert_eq!(
        anonymous
            .call("DELETE", "runners/managers", Some(&leave))
            .status,
        204
    );
    assert_eq!(
        anonymous
            .call("DELETE", "runners", Some(&json!({ "token": token })))
            .status,
        204
    );
    assert_eq!(world.root.get(&format!("runners/{id}")).status, 404);
}

#[test]
fn a_projects_runner_is_lent_to_others_but_stays_with_its_owner() {
    let world = World::new();
    let (first, second) = (world.project("first"), world.project("second"));
    let root = &world.root;
    let made = root
        .post(
            "user/runners",
            json!({ "runner_type": "project_type", "project_id": first }),
        )
        .json();
    let id = made["id"].as_u64().unwrap();
    let list = |project: u64| root.get(&format!("projects/{project}/runners")).json();
    assert_eq!((ids(&list(first)), ids(&list(second))), (vec![id], vec![]));
    let body = json!({ "runner_id": id });
    let path = format!("projects/{second}/runners");
    assert_eq!(root.post(&path, body.clone()).status, 201);
    assert_eq!(root.post(&path, body).status, 400);
    assert_eq!(ids(&list(second)), [id]);
    let owner = root.delete(&format!("projects/{first}/runners/{id}"));
    assert_eq!(owner.status, 403);
    assert_eq!(
        root.delete(&format!("projects/{second}/runners/{id}"))
            .status,
        204
    );
    assert_eq!(
        root.delete(&format!("projects/{second}/runners/{id}"))
            .status,
        404
    );
    let missing = root.post(
        &format!("projects/{second}/runners"),
        json!({ "runner_id": 99 }),
    );
    assert_eq!(
        missing.error(),
        (404, json!({ "message": "404 Runner Not Found" }))
    );
}

#[test]
fn lists_are_filtered_and_for_those_who_may_see_them() {
    let world = World::new();
    let root = &world.root;
    let project = world.project("shop");
    let group = root
        .post("groups", json!({ "name": "team", "path": "team" }))
        .json()["id"]
        .clone();
    let make = |body: Value| {
        root.post("user/runners", body).json()["id"]
            .as_u64()
            .unwrap()
    };
    let instance = make(json!({ "runner_type": "instance_type", "tag_list": ["a", "b"] }));
    let of_group = make(json!({ "runner_type": "group_type", "group_id": group, "paused": true }));
    let own = make(json!({ "runner_type": "project_type", "project_id": project }));
    let list = |path: &str| ids(&root.get(path).json());
    assert_eq!(list("runners/all"), [instance, of_group, own]);
    assert_eq!(list("runners"), [of_group, own]);
    assert_eq!(list("runners/all?type=group_type"), [of_group]);
    assert_eq!(
        list("runners/all?paused=false&status=never_contacted"),
        [instance, own]
    );
    assert_eq!(list("runners/all?tag_list=a,b"), [instance]);
    assert_eq!(list("runners/all?scope=shared"), [instance]);
    assert_eq!(
        list(&format!("groups/{group}/runners")),
        [instance, of_group]
    );
    assert_eq!(
        list(&format!("projects/{project}/runners")),
        [instance, own]
    );
    let wrong = root.get("runners?type=nonsense");
    assert_eq!(
        wrong.error(),
        (400, json!({ "error": "type does not have a valid value" }))
    );
    let (_, ana) = world.person("ana");
    assert_eq!(ana.get("runners/all").status, 403);
    assert_eq!(ana.get(&format!("runners/{instance}")).status, 200);
    assert_eq!(
        ana.get(&format!("runners/{own}")).error(),
        (
            403,
            json!({ "message": "403 Forbidden - No access granted" })
        )
    );
    let refused = ana.post("user/runners", json!({ "runner_type": "instance_type" }));
    assert_eq!(refused.status, 403);
    let missing = root.post("user/runners", json!({ "runner_type": "group_type" }));
    assert_eq!(
        missing.error(),
        (400, json!({ "error": "group_id is missing" }))
    );
}

#[test]
fn the_jobs_of_a_runner_are_listed_newest_first() {
    let ci = crate::ci_world::CiWorld::new("a: { script: ['true'] }\nb: { script: ['true'] }");
    let root = &ci.world.root;
    let outside = OutsideRunner::made_by(root, json!({ "runner_type": "instance_type" }));
    let (a, b) = (outside.take(), outside.take());
    a.tell(json!({ "state": "success" }));
    let id = ids(&root.get("runners/all").json())[0];
    let path = format!("runners/{id}/jobs");
    let jobs = root.get(&path).json();
    assert_eq!(ids(&jobs), [b.id(), a.id()]);
    assert_eq!(jobs[0]["project"]["path_with_namespace"], "root/shop");
    assert_eq!(
        ids(&root.get(&format!("{path}?status=running")).json()),
        [b.id()]
    );
    assert!(ids(&root.get(&format!("{path}?system_id=s_other")).json()).is_empty());
    assert_eq!(
        root.get(&format!("runners/{id}")).json()["job_execution_status"],
        "active"
    );
}
