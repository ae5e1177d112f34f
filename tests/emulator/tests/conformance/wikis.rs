//! The wiki of a project.

use serde_json::json;

use crate::client::send;
use crate::shop::Shop;

#[test]
fn a_page_is_made_moved_within_its_folder_and_removed() {
    let shop = Shop::new();
    let path = shop.path("wikis");
    let made = shop.root().post(
        &path,
        json!({ "title": "how/to build", "content": "**run**" }),
    );
    assert_eq!(made.status, 201);
    let page = made.json();
    assert_eq!(
        (&page["slug"], &page["title"], &page["format"]),
        (
            &json!("how/to-build"),
            &json!("to build"),
            &json!("markdown")
        )
    );
    let again = shop
        .root()
        .post(&path, json!({ "title": "how/to build", "content": "x" }));
    assert_eq!(again.status, 400);
    let listed = shop.root().get(&path).json();
    assert_eq!(
        (listed[0]["slug"].clone(), listed[0]["content"].clone()),
        (json!("how/to-build"), json!(null))
    );
    assert_eq!(
        shop.root().get(&format!("{path}?with_content=true")).json()[0]["content"],
        "**run**"
    );
    let moved = shop
        .root()
        .put(
            &format!("{path}/how%2Fto-build"),
            json!({ "title": "make" }),
        )
        .json();
    assert_eq!(
        (&moved["slug"], &moved["encoding"]),
        (&json!("how/make"), &json!("UTF-8"))
    );
    let lost = shop.root().get(&format!("{path}/how%2Fto-build"));
    assert_eq!(
        lost.error(),
        (404, json!({ "message": "404 Wiki Page Not Found" }))
    );
    let (_, reporter) = shop.world.member(shop.project, "rita", 20);
    assert_eq!(reporter.delete(&format!("{path}/how%2Fmake")).status, 403);
    assert_eq!(
        shop.root().delete(&format!("{path}/how%2Fmake")).status,
        204
    );
}

#[test]
fn a_file_is_attached_under_a_path_of_its_own() {
    let shop = Shop::new();
    let body = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\nbytes\r\n--x--\r\n";
    let token = shop.root().token.clone().unwrap();
    let headers = [
        ("private-token", token.as_str()),
        ("content-type", "multipart/form-data; boundary=x"),
    ];
    let path = format!("/api/v4/{}", shop.path("wikis/attachments"));
    let reply = send(&shop.root().url, "POST", &path, &headers, body.as_bytes()).unwrap();
    assert_eq!(reply.status, 201, "{}", reply.text);
    let file = reply.json();
    let stored = file["file_path"].as_str().unwrap();
    assert!(stored.starts_with("uploads/") && stored.ends_with("/a.png"));
    assert_eq!(file["link"]["markdown"], format!("![a.png]({stored})"));
}

#[test]
fn groups_have_no_wiki_without_a_licence() {
    let shop = Shop::new();
    let group = shop
        .root()
        .post("groups", json!({ "name": "Tools", "path": "tools" }))
        .json()["id"]
        .clone();
    assert_eq!(
        shop.root().get(&format!("groups/{group}/wikis")).status,
        404
    );
}
