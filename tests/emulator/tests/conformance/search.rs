//! Search in everything and in a project.

use serde_json::json;

use crate::client::World;

#[test]
fn a_search_finds_only_what_the_caller_may_see() {
    let world = World::new();
    let project = world.project("shop");
    let issue = json!({ "title": "Secret sale", "confidential": true });
    world
        .root
        .post(&format!("projects/{project}/issues"), issue);
    world.root.post(
        &format!("projects/{project}/issues"),
        json!({ "title": "Open sale" }),
    );
    let (_, guest) = world.member(project, "guest", 10);
    let (_, stranger) = world.person("stranger");
    let count = |client: &crate::client::Client, path: &str| {
        client.get(path).json().as_array().unwrap().len()
    };
    assert_eq!(count(&world.root, "search?scope=issues&search=SALE"), 2);
    assert_eq!(count(&guest, "search?scope=issues&search=sale"), 1);
    assert_eq!(count(&stranger, "search?scope=issues&search=sale"), 0);
    assert_eq!(count(&stranger, "search?scope=projects&search=shop"), 0);
    assert_eq!(count(&guest, "search?scope=projects&search=shop"), 1);
    let users = guest.get("search?scope=users&search=Administrator").json();
    assert_eq!(users[0]["username"], "root");
    let odd = guest.get("search?scope=odd&search=x");
    assert_eq!(
        odd.error(),
        (400, json!({ "error": "scope does not have a valid value" }))
    );
}

#[test]
fn code_and_commits_are_searched_in_a_project() {
    let world = World::new();
    let project = world.project("shop");
    let body =
        json!({ "branch": "main", "content": "one\ntwo\nneedle\n", "commit_message": "Add hay" });
    world.root.post(
        &format!("projects/{project}/repository/files/hay.txt"),
        body,
    );
    let path = format!("projects/{project}/search");
    let blobs = world
        .root
        .get(&format!("{path}?scope=blobs&search=NEEDLE"))
        .json();
    assert_eq!(
        (&blobs[0]["path"], &blobs[0]["startline"], &blobs[0]["data"]),
        (&json!("hay.txt"), &json!(1), &json!("one\ntwo\nneedle\n"))
    );
    let commits = world
        .root
        .get(&format!("{path}?scope=commits&search=hay"))
        .json();
    assert_eq!(commits[0]["title"], "Add hay");
    let (_, guest) = world.member(project, "guest", 10);
    assert_eq!(
        guest
            .get(&format!("{path}?scope=blobs&search=needle"))
            .status,
        403
    );
}
