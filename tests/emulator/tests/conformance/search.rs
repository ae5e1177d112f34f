//! Searching everywhere, in a group and in a project.

use serde_json::{Value, json};

use crate::shop::{Shop, text};

fn names(found: &Value, field: &str) -> Vec<String> {
    found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, field))
        .collect()
}

#[test]
fn everything_is_searched_by_scope() {
    let shop = Shop::new();
    shop.issue("Needle in a haystack");
    shop.issue("Nothing");
    shop.merge_request();
    shop.root()
        .post(&shop.path("milestones"), json!({ "title": "needle week" }));
    let found = |query: &str| shop.root().get(&format!("search?{query}")).json();
    assert_eq!(
        names(&found("scope=issues&search=needle"), "title"),
        ["Needle in a haystack"]
    );
    assert_eq!(
        names(&found("scope=issues&search=%232"), "title"),
        ["Nothing"]
    );
    assert_eq!(found("scope=issues&search=needle&state=closed"), json!([]));
    assert_eq!(
        names(&found("scope=merge_requests&search=feature"), "title"),
        ["Add feature"]
    );
    assert_eq!(
        names(&found("scope=milestones&search=NEEDLE"), "title"),
        ["needle week"]
    );
    assert_eq!(names(&found("scope=projects&search=sho"), "path"), ["shop"]);
    assert_eq!(found("scope=users&search=Administrator")[0]["id"], 1);
    let blobs = shop.root().get("search?scope=blobs&search=x");
    let text = "Scope supported only with advanced search or exact code search";
    assert_eq!(
        blobs.error(),
        (400, json!({ "message": { "error": text } }))
    );
    let odd = shop.root().get("search?scope=cars&search=x");
    assert_eq!(
        odd.error(),
        (400, json!({ "error": "scope does not have a valid value" }))
    );
    assert_eq!(
        shop.world
            .anonymous()
            .get("search?scope=issues&search=x")
            .status,
        401
    );
}

#[test]
fn a_project_is_searched_in_its_code_commits_and_notes() {
    let shop = Shop::new();
    shop.commit("main", None, &[("src/a.rs", "one\ntwo needle\nthree\n")]);
    shop.issue("one");
    shop.root()
        .post(&shop.path("issues/1/notes"), json!({ "body": "a Needle" }));
    let found = |query: &str| {
        shop.root()
            .get(&shop.path(&format!("search?{query}")))
            .json()
    };
    let blob = found("scope=blobs&search=NEEDLE")[0].clone();
    assert_eq!(
        (
            &blob["path"],
            &blob["basename"],
            &blob["startline"],
            &blob["ref"]
        ),
        (
            &json!("src/a.rs"),
            &json!("src/a"),
            &json!(1),
            &json!("main")
        )
    );
    assert_eq!(blob["data"], "one\ntwo needle\nthree\n");
    assert_eq!(
        names(&found("scope=blobs&search=a.rs"), "path"),
        ["src/a.rs"]
    );
    assert_eq!(
        names(&found("scope=commits&search=change"), "title")[0],
        "change src/a.rs"
    );
    assert_eq!(
        names(&found("scope=notes&search=needle"), "body"),
        ["a Needle"]
    );
    let (_, guest) = shop.world.member(shop.project, "gus", 10);
    assert_eq!(
        guest.get(&shop.path("search?scope=blobs&search=x")).status,
        403
    );
}

#[test]
fn a_group_is_searched_in_its_projects_only() {
    let shop = Shop::new();
    shop.issue("needle outside");
    let group = shop
        .root()
        .post("groups", json!({ "name": "Tools", "path": "tools" }))
        .json()["id"]
        .clone();
    let saw = shop
        .root()
        .post("projects", json!({ "name": "saw", "namespace_id": group }))
        .json()["id"]
        .clone();
    shop.root().post(
        &format!("projects/{saw}/issues"),
        json!({ "title": "needle inside" }),
    );
    let found = shop
        .root()
        .get(&format!(
            "groups/{group}/-/search?scope=issues&search=needle"
        ))
        .json();
    assert_eq!(names(&found, "title"), ["needle inside"]);
}
