//! Branches, tags and their protection.

use serde_json::json;

use crate::schemas;
use crate::shop::{Shop, git, text, try_git};

#[test]
fn branches_are_made_read_listed_and_deleted() {
    let shop = Shop::new();
    let made = shop.root().post(
        &shop.path("repository/branches"),
        json!({ "branch": "feature/a", "ref": "main" }),
    );
    assert_eq!(made.status, 201);
    schemas::check("public_api/v4/branch.json", &made.json());
    let one = shop
        .root()
        .get(&shop.path("repository/branches/feature%2Fa"))
        .json();
    assert_eq!(
        (&one["default"], &one["merged"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(one["can_push"], true);
    let names = |query: &str| -> Vec<String> {
        let list = shop
            .root()
            .get(&shop.path(&format!("repository/branches{query}")))
            .json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|branch| text(branch, "name"))
            .collect()
    };
    assert_eq!(names(""), ["feature/a", "main"]);
    assert_eq!(names("?search=%5Efeat"), ["feature/a"]);
    assert_eq!(names("?search=in%24"), ["main"]);
    assert_eq!(names("?regex=%5Em"), ["main"]);
    let path = shop.path("repository/branches/feature%2Fa");
    assert_eq!(shop.root().delete(&path).status, 204);
    assert_eq!(
        shop.root().get(&path).error(),
        (404, json!({ "message": "404 Branch Not Found" }))
    );
}

#[test]
fn branches_that_cannot_be_made_or_deleted_say_why() {
    let shop = Shop::new();
    let make = |branch: &str, from: &str| {
        let body = json!({ "branch": branch, "ref": from });
        shop.root()
            .post(&shop.path("repository/branches"), body)
            .error()
    };
    assert_eq!(
        make("main", "main"),
        (400, json!({ "message": "Branch already exists" }))
    );
    assert_eq!(
        make("x", "nowhere"),
        (400, json!({ "message": "Invalid reference name: nowhere" }))
    );
    assert_eq!(
        make("a..b", "main"),
        (400, json!({ "message": "Branch name is invalid" }))
    );
    assert_eq!(
        shop.root()
            .delete(&shop.path("repository/branches/main"))
            .error(),
        (405, json!({ "message": "Cannot remove HEAD branch" }))
    );
}

#[test]
fn protection_decides_who_pushes() {
    let shop = Shop::new();
    let (_, dev) = shop.world.member(shop.project, "dev", 30);
    let rules = shop.path("protected_branches");
    assert_eq!(dev.post(&rules, json!({ "name": "release/*" })).status, 403);
    let made = shop.root().post(
        &rules,
        json!({ "name": "release/*", "push_access_level": 40, "merge_access_level": 30, "allow_force_push": true }),
    );
    assert_eq!(made.status, 201);
    let rule = made.json();
    assert_eq!(rule["push_access_levels"][0]["access_level"], 40);
    assert_eq!(
        rule["merge_access_levels"][0]["access_level_description"],
        "Developers + Maintainers"
    );
    assert_eq!(
        shop.root()
            .post(&rules, json!({ "name": "release/*" }))
            .error(),
        (
            409,
            json!({ "message": "Protected branch 'release/*' already exists" })
        )
    );
    shop.commit("release/1", Some("main"), &[("a", "1\n")]);
    let body = json!({ "branch": "release/1", "commit_message": "m", "actions": [{ "action": "create", "file_path": "b", "content": "" }] });
    assert_eq!(
        dev.post(&shop.path("repository/commits"), body).error(),
        (
            403,
            json!({ "message": "403 Forbidden - You are not allowed to push into this branch" })
        )
    );
    let branch = dev
        .get(&shop.path("repository/branches/release%2F1"))
        .json();
    assert_eq!(
        (
            &branch["protected"],
            &branch["can_push"],
            &branch["developers_can_merge"]
        ),
        (&json!(true), &json!(false), &json!(true))
    );
    let one = format!("{rules}/release%2F*");
    let changed = shop
        .root()
        .call("PATCH", &one, Some(&json!({ "allow_force_push": false })));
    assert_eq!(changed.json()["allow_force_push"], false);
    assert_eq!(shop.root().delete(&one).status, 204);
    assert_eq!(shop.root().get(&one).status, 404);
}

#[test]
fn tags_are_annotated_or_light_and_unique() {
    let shop = Shop::new();
    let tags = shop.path("repository/tags");
    let make = |name: &str, message: &str| {
        shop.root().post(
            &tags,
            json!({ "tag_name": name, "ref": "main", "message": message }),
        )
    };
    let annotated = make("v1.9.0", "first").json();
    assert_eq!(
        (
            &annotated["message"],
            annotated["target"] == annotated["commit"]["id"]
        ),
        (&json!("first"), false)
    );
    schemas::check("public_api/v4/commit/basic.json", &annotated["commit"]);
    let light = make("v1.10.0", "").json();
    assert_eq!(
        (&light["release"], &light["created_at"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(light["target"], light["commit"]["id"]);
    assert_eq!(
        make("v1.9.0", "again").error(),
        (400, json!({ "message": "Tag v1.9.0 already exists" }))
    );
    let wrong = shop
        .root()
        .post(&tags, json!({ "tag_name": "x", "ref": "nowhere" }));
    assert_eq!(
        wrong.error(),
        (400, json!({ "message": "Target nowhere is invalid" }))
    );
    let names = |query: &str| -> Vec<String> {
        let list = shop.root().get(&format!("{tags}?{query}")).json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|tag| text(tag, "name"))
            .collect()
    };
    assert_eq!(names("order_by=version"), ["v1.10.0", "v1.9.0"]);
    assert_eq!(names("order_by=name&sort=asc"), ["v1.10.0", "v1.9.0"]);
    assert_eq!(names("search=%5Ev1.9"), ["v1.9.0"]);
    assert_eq!(shop.root().delete(&format!("{tags}/v1.9.0")).status, 204);
    assert_eq!(
        shop.root().get(&format!("{tags}/v1.9.0")).error(),
        (404, json!({ "message": "404 Tag Not Found" }))
    );
}

#[test]
fn protected_tags_are_for_those_allowed_by_api_and_push() {
    let shop = Shop::new();
    let (_, dev) = shop.world.member(shop.project, "dev", 30);
    let rule = json!({ "name": "v*", "create_access_level": 40 });
    let made = shop.root().post(&shop.path("protected_tags"), rule.clone());
    assert_eq!((made.status, &made.json()["name"]), (201, &json!("v*")));
    assert_eq!(
        shop.root().post(&shop.path("protected_tags"), rule).status,
        409
    );
    let tag = json!({ "tag_name": "v1", "ref": "main" });
    assert_eq!(
        dev.post(&shop.path("repository/tags"), tag.clone()).error(),
        (
            400,
            json!({ "message": "You are not allowed to create this tag as it is protected." })
        )
    );
    let copy = shop.clone_repository();
    let url = git(copy.path(), &["remote", "get-url", "origin"]);
    let token = dev.token.as_deref().unwrap();
    let url = url.replace(shop.world.emulator.root_token(), token);
    git(copy.path(), &["tag", "v2"]);
    let refused = try_git(copy.path(), &["push", &url, "v2"]);
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("create this tag as it is protected")
    );
    assert_eq!(
        shop.root().post(&shop.path("repository/tags"), tag).json()["protected"],
        true
    );
    let list = shop.root().get(&shop.path("protected_tags")).json();
    assert_eq!(list[0]["create_access_levels"][0]["access_level"], 40);
    assert_eq!(
        shop.root().delete(&shop.path("protected_tags/v*")).status,
        204
    );
}
