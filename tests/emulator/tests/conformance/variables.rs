//! CI/CD variables: values, scopes, rules, limits and races.

use std::thread;

use serde_json::{Value, json};
use trainyard_emulator::faults::{BEFORE_VARIABLE_INSERT, BEFORE_VARIABLE_RECHECK, Effect, Rule};

use crate::client::{Client, World, send};

fn world() -> (World, String) {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}/variables");
    (world, path)
}

#[test]
fn a_created_variable_is_answered_with_every_field() {
    let (world, path) = world();
    let body = json!({ "key": "GATE_LOCK", "value": "{\"owner\":\"job-1\"}", "environment_scope": "gate-state", "raw": true });
    let reply = world.root.post(&path, body);
    let expected = json!({
        "variable_type": "env_var", "key": "GATE_LOCK", "value": "{\"owner\":\"job-1\"}", "hidden": false, "protected": false,
        "masked": false, "raw": true, "environment_scope": "gate-state", "description": null
    });
    assert_eq!(reply.error(), (201, expected.clone()));
    assert_eq!(
        world.root.get(&format!("{path}/GATE_LOCK")).error(),
        (200, expected.clone())
    );
    assert_eq!(world.root.get(&path).error(), (200, json!([expected])));
}

#[test]
fn form_query_and_multipart_create_like_json() {
    let (world, path) = world();
    let token = world.emulator.root_token().to_owned();
    let post = |query: &str, kind: &str, body: &str| {
        let headers = [("private-token", token.as_str()), ("content-type", kind)];
        send(
            &world.root.url,
            "POST",
            &format!("/api/v4/{path}{query}"),
            &headers,
            body.as_bytes(),
        )
        .unwrap()
        .status
    };
    assert_eq!(
        post(
            "",
            "application/x-www-form-urlencoded",
            "key=A&value=a+b%2Bc&protected=true"
        ),
        201
    );
    assert_eq!(post("?key=B&value=2", "", ""), 201);
    let part = |name: &str, value: &str| {
        format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    assert_eq!(
        post(
            "",
            "multipart/form-data; boundary=x",
            &format!("{}{}--x--\r\n", part("key", "C"), part("value", "3"))
        ),
        201
    );
    let all = world.root.get(&path).json();
    let pairs: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["key"].as_str().unwrap(), one["value"].as_str().unwrap()))
        .collect();
    assert_eq!(pairs, [("A", "a b+c"), ("B", "2"), ("C", "3")]);
    assert_eq!(all[0]["protected"], true);
}

#[test]
fn a_key_is_taken_once_per_scope() {
    let (world, path) = world();
    let create = |scope: &str| {
        world.root.post(
            &path,
            json!({ "key": "K", "value": "1", "environment_scope": scope }),
        )
    };
    assert_eq!(create("a").status, 201);
    assert_eq!(
        create("a").error(),
        (
            400,
            json!({ "message": { "key": ["(K) has already been taken"] } })
        )
    );
    assert_eq!(create("b").status, 201);
}

#[test]
fn several_scopes_need_a_filter_and_one_does_not() {
    let (world, path) = world();
    let of = |reply: crate::client::Reply| reply.json()["environment_scope"].clone();
    world.root.post(
        &path,
        json!({ "key": "K", "value": "1", "environment_scope": "a/*" }),
    );
    assert_eq!(of(world.root.get(&format!("{path}/K"))), "a/*");
    world.root.post(
        &path,
        json!({ "key": "K", "value": "2", "environment_scope": "b" }),
    );
    let several = "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'";
    for method in ["GET", "PUT", "DELETE"] {
        let body = (method == "PUT").then(|| json!({ "value": "x" }));
        assert_eq!(
            world
                .root
                .call(method, &format!("{path}/K"), body.as_ref())
                .error(),
            (409, json!({ "message": several }))
        );
    }
    assert_eq!(
        of(world
            .root
            .get(&format!("{path}/K?filter%5Benvironment_scope%5D=a%2F*"))),
        "a/*"
    );
    assert_eq!(
        of(world
            .root
            .get(&format!("{path}/K?filter[environment_scope]=b"))),
        "b"
    );
    let missing = world
        .root
        .get(&format!("{path}/K?filter%5Benvironment_scope%5D=c"));
    assert_eq!(
        missing.error(),
        (404, json!({ "message": "404 Variable Not Found" }))
    );
    let in_body = json!({ "value": "9", "filter": { "environment_scope": "b" } });
    assert_eq!(
        world.root.put(&format!("{path}/K"), in_body).json()["value"],
        "9"
    );
}

#[test]
fn an_update_may_move_the_variable_to_a_free_scope_only() {
    let (world, path) = world();
    for scope in ["a", "b"] {
        world.root.post(
            &path,
            json!({ "key": "K", "value": scope, "environment_scope": scope }),
        );
    }
    let filter = format!("{path}/K?filter%5Benvironment_scope%5D=a");
    let taken = world.root.put(&filter, json!({ "environment_scope": "b" }));
    assert_eq!(
        taken.error(),
        (
            400,
            json!({ "message": { "key": ["(K) has already been taken"] } })
        )
    );
    let moved = world.root.put(&filter, json!({ "environment_scope": "c" }));
    assert_eq!(
        (moved.status, &moved.json()["environment_scope"]),
        (200, &json!("c"))
    );
    assert_eq!(world.root.get(&filter).status, 404);
}

#[test]
fn deletion_answers_204_once() {
    let (world, path) = world();
    world.root.post(&path, json!({ "key": "K", "value": "1" }));
    let reply = world.root.delete(&format!("{path}/K"));
    assert_eq!((reply.status, reply.text.as_str()), (204, ""));
    assert_eq!(world.root.delete(&format!("{path}/K")).status, 404);
}

#[test]
fn parameters_are_validated_in_the_shapes_of_gitlab() {
    let (world, path) = world();
    let post = |body: Value| world.root.post(&path, body).error();
    assert_eq!(
        post(json!({})),
        (400, json!({ "error": "key is missing, value is missing" }))
    );
    let odd_type = json!({ "key": "K", "value": "1", "variable_type": "secret" });
    assert_eq!(
        post(odd_type),
        (
            400,
            json!({ "error": "variable_type does not have a valid value" })
        )
    );
    assert_eq!(
        post(json!({ "key": "K", "value": "1", "raw": "maybe" })),
        (400, json!({ "error": "raw is invalid" }))
    );
    let key = post(json!({ "key": "A-B", "value": "1" }));
    assert_eq!(
        key,
        (
            400,
            json!({ "message": { "key": ["can contain only letters, digits and '_'."] } })
        )
    );
    let scope = post(json!({ "key": "K", "value": "1", "environment_scope": "a#b" }));
    assert_eq!(
        scope.1["message"]["environment_scope"][0],
        "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', '*' and spaces"
    );
    let long = post(json!({ "key": "K".repeat(256), "value": "1" }));
    assert_eq!(
        long.1["message"]["key"][0],
        "is too long (maximum is 255 characters)"
    );
    assert_eq!(
        world
            .root
            .post(&path, json!({ "key": " PADDED ", "value": "" }))
            .json()["key"],
        "PADDED"
    );
}

#[test]
fn masked_values_follow_the_rule_of_their_kind() {
    let (world, path) = world();
    let create = |key: &str, value: &str, raw: bool| {
        world
            .root
            .post(
                &path,
                json!({ "key": key, "value": value, "masked": true, "raw": raw }),
            )
            .status
    };
    assert_eq!(create("SHORT", "1234567", false), 400);
    assert_eq!(create("JSON", "{\"a\":\"bcdef\"}", false), 400);
    assert_eq!(create("JSON", "{\"a\":\"bcdef\"}", true), 201);
    assert_eq!(create("SPACE", "1234 56789", true), 400);
    assert_eq!(create("PLAIN", "abcDEF12+/=@:.~-", false), 201);
}

#[test]
fn a_hidden_value_is_never_shown_and_stays_masked() {
    let (world, path) = world();
    let created = world
        .root
        .post(
            &path,
            json!({ "key": "TOKEN", "value": "abcdefgh", "masked_and_hidden": true }),
        )
        .json();
    assert_eq!(
        (&created["hidden"], &created["masked"], &created["value"]),
        (&json!(true), &json!(true), &Value::Null)
    );
    let unmask = world
        .root
        .put(&format!("{path}/TOKEN"), json!({ "masked": false }));
    let text = "The visibility setting cannot be changed for masked and hidden variables.";
    assert_eq!(
        unmask.error(),
        (400, json!({ "message": { "base": [text] } }))
    );
    assert_eq!(
        world
            .root
            .put(&format!("{path}/TOKEN"), json!({ "value": "12345678" }))
            .json()["value"],
        Value::Null
    );
    assert_eq!(
        world
            .emulator
            .with_state(|state| state.variables.iter().next().unwrap().value.clone()),
        "12345678"
    );
}

#[test]
fn the_number_of_variables_is_limited() {
    let (world, path) = world();
    world
        .emulator
        .with_state(|state| state.limits.project_ci_variables = 1);
    assert_eq!(
        world
            .root
            .post(&path, json!({ "key": "A", "value": "1" }))
            .status,
        201
    );
    let text = "Maximum number of project ci variables (1) exceeded";
    assert_eq!(
        world
            .root
            .post(&path, json!({ "key": "B", "value": "1" }))
            .error(),
        (400, json!({ "message": { "base": [text] } }))
    );
}

#[test]
fn only_maintainers_reach_the_variables_and_job_tokens_never_do() {
    let (world, path) = world();
    let (developer_id, developer) = world.member(1, "dev", 30);
    let (_, maintainer) = world.member(1, "mia", 40);
    let (_, stranger) = world.person("sam");
    assert_eq!(maintainer.get(&path).status, 200);
    assert_eq!(
        developer.get(&path).error(),
        (403, json!({ "message": "403 Forbidden" }))
    );
    assert_eq!(
        stranger.get(&path).error(),
        (404, json!({ "message": "404 Project Not Found" }))
    );
    assert_eq!(
        world.anonymous().get(&path).error(),
        (401, json!({ "message": "401 Unauthorized" }))
    );
    let secret = world
        .emulator
        .with_state(|state| state.issue_job_token(9, "gate", 4, 1, developer_id));
    let reply = send(
        &world.root.url,
        "GET",
        &format!("/api/v4/{path}"),
        &[("job-token", &secret)],
        b"",
    )
    .unwrap();
    assert_eq!(
        reply.error(),
        (401, json!({ "message": "401 Unauthorized" }))
    );
    // The role is checked before the parameters.
    assert_eq!(developer.post(&path, json!({})).status, 403);
}

fn race(client: &Client, path: &str) -> Vec<u16> {
    let create = |value: &'static str| {
        let (client, path) = (client.clone(), path.to_owned());
        thread::spawn(move || {
            client
                .post(&path, json!({ "key": "LOCK", "value": value }))
                .status
        })
    };
    let (one, two) = (create("one"), create("two"));
    let mut statuses = vec![one.join().unwrap(), two.join().unwrap()];
    statuses.sort_unstable();
    statuses
}

#[test]
fn of_two_simultaneous_creations_one_fails_with_500() {
    let (world, path) = world();
    world.emulator.faults().add(
        Rule::new(Effect::Rendezvous { parties: 2 })
            .at(BEFORE_VARIABLE_INSERT)
            .times(2),
    );
    assert_eq!(race(&world.root, &path), [201, 500]);
    assert_eq!(world.root.get(&path).json().as_array().unwrap().len(), 1);
}

#[test]
fn a_phantom_201_stores_nothing() {
    let (world, path) = world();
    world
        .root
        .post(&path, json!({ "key": "LOCK", "value": "old" }));
    world
        .emulator
        .faults()
        .add(Rule::new(Effect::Phantom).at(BEFORE_VARIABLE_RECHECK));
    let phantom = world
        .root
        .post(&path, json!({ "key": "LOCK", "value": "new" }));
    assert_eq!(
        (phantom.status, &phantom.json()["value"]),
        (201, &json!("new"))
    );
    assert_eq!(
        world.root.get(&format!("{path}/LOCK")).json()["value"],
        "old"
    );
    assert_eq!(
        world
            .root
            .post(&path, json!({ "key": "LOCK", "value": "new" }))
            .status,
        400
    );
}

#[test]
fn group_variables_belong_to_owners_and_know_no_scopes() {
    let world = World::new();
    let group = world
        .root
        .post("groups", json!({ "name": "Shop", "path": "shop" }))
        .json()["id"]
        .as_u64()
        .unwrap();
    let path = format!("groups/{group}/variables");
    let created = world.root.post(
        &path,
        json!({ "key": "K", "value": "1", "environment_scope": "prod" }),
    );
    assert_eq!(
        (created.status, &created.json()["environment_scope"]),
        (201, &json!("*"))
    );
    let (id, maintainer) = world.person("mia");
    world.root.post(
        &format!("groups/{group}/members"),
        json!({ "user_id": id, "access_level": 40 }),
    );
    assert_eq!(maintainer.get(&path).status, 403);
    assert_eq!(world.root.delete(&format!("{path}/K")).status, 204);
}
