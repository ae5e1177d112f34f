//! What belongs to a user: addresses, keys, status, profile, followers, tokens to act in their name.

use serde_json::{Value, json};

use crate::client::World;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEuIDmTpQ3Fz8sUqA9WfKcUVYy0r7m5vP4nGdE2hXbLk me";

#[test]
fn further_addresses_are_unique_among_all_users() {
    let world = World::new();
    let (id, ana) = world.person("ana");
    let made = ana.post("user/emails", json!({ "email": "a@b.com" }));
    assert_eq!(
        (made.status, &made.json()["confirmed_at"]),
        (201, &Value::Null)
    );
    let again = world
        .root
        .post(&format!("users/{id}/emails"), json!({ "email": "A@b.com" }));
    let text = json!({ "message": { "email": ["has already been taken"] } });
    assert_eq!(again.error(), (400, text));
    let path = format!("user/emails/{}", made.json()["id"]);
    assert_eq!(ana.get(&path).json(), made.json());
    assert_eq!(world.root.get(&path).status, 404);
    assert_eq!(ana.delete(&path).status, 204);
    assert_eq!(ana.get("user/emails").json(), json!([]));
}

#[test]
fn ssh_keys_are_found_by_number_and_fingerprint() {
    let world = World::new();
    let (id, ana) = world.person("ana");
    let made = ana.post("user/keys", json!({ "title": "laptop", "key": KEY }));
    assert_eq!(made.status, 201, "{}", made.text);
    let text = made.json()["key"].as_str().unwrap().to_owned();
    assert!(text.ends_with(" ana (127.0.0.1)"), "{text}");
    let again = ana.post("user/keys", json!({ "title": "laptop", "key": KEY }));
    let taken = json!({ "message": { "fingerprint_sha256": ["has already been taken"] } });
    assert_eq!(again.error(), (400, taken));
    let bad = ana.post("user/keys", json!({ "title": "x", "key": "ssh-rsa ?" }));
    assert_eq!(bad.json()["message"]["key"], json!(["is invalid"]));
    assert_eq!(
        world.anonymous().get("users/ana/keys").json()[0]["title"],
        "laptop"
    );
    let path = format!("keys/{}", made.json()["id"]);
    assert_eq!(world.root.get(&path).json()["user"]["id"], id);
    assert_eq!(ana.get(&path).status, 403);
    assert_eq!(ana.delete(&format!("user/{path}")).status, 204);
    assert_eq!(world.root.get(&path).status, 404);
}

#[test]
fn gpg_keys_must_look_like_keys() {
    let world = World::new();
    let (id, ana) = world.person("ana");
    let key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nx\n-----END PGP PUBLIC KEY BLOCK-----";
    let made = ana.post("user/gpg_keys", json!({ "key": key }));
    assert_eq!(made.status, 201);
    assert_eq!(ana.post("user/gpg_keys", json!({ "key": "x" })).status, 400);
    let path = format!("users/{id}/gpg_keys/{}", made.json()["id"]);
    assert_eq!(world.anonymous().get(&path).json()["key"], key);
    let revoked = ana.post(
        &format!("user/gpg_keys/{}/revoke", made.json()["id"]),
        json!({}),
    );
    assert_eq!(revoked.status, 202);
    assert_eq!(world.root.get(&path).status, 404);
}

#[test]
fn a_status_clears_itself() {
    let world = World::new();
    let (_, ana) = world.person("ana");
    let body = json!({ "message": "lunch", "clear_status_after": "30_minutes" });
    let set = ana.put("user/status", body).json();
    assert_eq!(
        (&set["emoji"], &set["message"], &set["availability"]),
        (&json!("speech_balloon"), &json!("lunch"), &json!("not_set"))
    );
    let busy = json!({ "availability": "busy" });
    let busy = ana.call("PATCH", "user/status", Some(&busy)).json();
    assert_eq!(
        (&busy["message"], &busy["availability"]),
        (&json!("lunch"), &json!("busy"))
    );
    assert_eq!(world.anonymous().get("users/ana/status").json(), busy);
    let clock = world.emulator.clock();
    clock.advance(jiff::SignedDuration::from_mins(31));
    assert_eq!(ana.get("user/status").json()["message"], Value::Null);
}

#[test]
fn the_profile_is_shown_to_all_and_notes_to_administrators() {
    let world = World::new();
    let (id, ana) = world.person("ana");
    let path = format!("users/{id}");
    let change = json!({ "bio": "hi", "note": "watch", "external": true, "projects_limit": 3 });
    let edited = world.root.put(&path, change).json();
    assert_eq!(
        (&edited["note"], &edited["external"]),
        (&json!("watch"), &json!(true))
    );
    let seen = world.person("bob").1.get(&path).json();
    assert_eq!(
        (&seen["bio"], seen.get("note"), seen.get("email")),
        (&json!("hi"), None, None)
    );
    assert_eq!(ana.get("user").json()["projects_limit"], 3);
    let foreign = json!({ "commit_email": "else@where.com" });
    let refused = world.root.put(&path, foreign);
    let text = json!({ "message": { "commit_email": ["is not an email you own"] } });
    assert_eq!(refused.error(), (400, text));
    let account = json!({ "provider": "github", "extern_uid": "7" });
    let with = world.root.put(&path, account).json();
    assert_eq!(with["identities"][0]["provider"], "github");
    let found = world.root.get("users?provider=github&extern_uid=7").json();
    assert_eq!(found[0]["id"], id);
    assert_eq!(
        world
            .root
            .delete(&format!("{path}/identities/github"))
            .status,
        204
    );
    assert_eq!(
        world
            .root
            .delete(&format!("{path}/identities/github"))
            .status,
        404
    );
}

#[test]
fn followers_are_counted() {
    let world = World::new();
    let (id, ana) = world.person("ana");
    let (_, bob) = world.person("bob");
    assert_eq!(
        bob.post(&format!("users/{id}/follow"), json!({})).status,
        201
    );
    assert_eq!(
        bob.post(&format!("users/{id}/follow"), json!({})).status,
        304
    );
    let seen = bob.get(&format!("users/{id}")).json();
    assert_eq!(
        (&seen["followers"], &seen["is_followed"]),
        (&json!(1), &json!(true))
    );
    let followers = ana.get(&format!("users/{id}/followers")).json();
    assert_eq!(followers[0]["username"], "bob");
    assert_eq!(
        bob.post(&format!("users/{id}/unfollow"), json!({})).status,
        201
    );
}

#[test]
fn states_of_users_follow_each_other_as_documented() {
    let world = World::new();
    let (id, _) = world.person("ana");
    let step = |name: &str| {
        world
            .root
            .post(&format!("users/{id}/{name}"), json!({}))
            .error()
    };
    assert_eq!(step("block"), (201, json!(true)));
    assert_eq!(step("block"), (201, json!(null)));
    assert_eq!(step("activate").0, 403);
    assert_eq!(step("unblock"), (201, json!(true)));
    assert_eq!(step("unblock"), (201, json!(false)));
    assert_eq!(step("ban"), (201, json!(true)));
    assert_eq!(
        world.root.get(&format!("users/{id}")).json()["state"],
        "banned"
    );
    assert_eq!(step("unban"), (201, json!(true)));
    assert_eq!(step("deactivate"), (201, json!(true)));
    assert_eq!(step("unblock").0, 403);
    assert_eq!(step("activate"), (201, json!(true)));
    assert_eq!(step("approve").0, 409);
}

#[test]
fn impersonation_tokens_act_as_their_user_and_are_not_among_the_personal_ones() {
    let world = World::new();
    let (id, ana) = world.person("ana");
    let path = format!("users/{id}/impersonation_tokens");
    let made = world
        .root
        .post(&path, json!({ "name": "i", "scopes": ["api"] }));
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(made.json()["impersonation"], true);
    assert_eq!(
        world.with_token(&token).get("user").json()["username"],
        "ana"
    );
    let listed = ana.get("personal_access_tokens").json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let one = format!("{path}/{}", made.json()["id"]);
    assert_eq!(world.root.get(&one).json().get("token"), None);
    assert_eq!(world.root.delete(&one).status, 204);
    assert_eq!(world.with_token(&token).get("user").status, 401);
    let inactive = world.root.get(&format!("{path}?state=inactive")).json();
    assert_eq!(inactive[0]["revoked"], true);
    let own = json!({ "name": "k", "scopes": ["k8s_proxy"] });
    assert_eq!(ana.post("user/personal_access_tokens", own).status, 201);
    let strong = json!({ "name": "k", "scopes": ["api"] });
    assert_eq!(ana.post("user/personal_access_tokens", strong).status, 400);
}
