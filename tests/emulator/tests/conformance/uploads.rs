//! Files attached to projects.

use serde_json::json;

use crate::client::World;

#[test]
fn an_attachment_is_found_by_its_secret() {
    let world = World::new();
    let project = world.project("shop");
    let (_, guest) = world.member(project, "guest", 10);
    let path = format!("projects/{project}/uploads");
    let made = guest.upload("POST", &path, ("file", "my notes.txt", b"text"), &[]);
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let url = made["url"].as_str().unwrap();
    assert_eq!(made["alt"], "my_notes.txt");
    assert_eq!(made["markdown"], format!("[my_notes.txt]({url})"));
    assert_eq!(made["full_path"], format!("/-/project/{project}{url}"));
    let own = format!("projects/{project}{url}");
    assert_eq!(guest.get(&own).text, "text");
    assert_eq!(guest.get(&path).status, 403);
    let listed = world.root.get(&path).json();
    assert_eq!(
        (&listed[0]["size"], &listed[0]["uploaded_by"]["username"]),
        (&json!(4), &json!("guest"))
    );
    assert_eq!(world.root.delete(&own).status, 204);
    assert_eq!(world.root.get(&own).status, 404);
    let picture = guest
        .upload("POST", &path, ("file", "a.png", b"p"), &[])
        .json();
    assert!(picture["markdown"].as_str().unwrap().starts_with("![a]("));
}
