//! Pictures, badges, custom attributes and topics.

use serde_json::{Value, json};

use crate::client::{World, send};

#[test]
fn a_picture_is_uploaded_served_and_taken_away() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}");
    let set = world
        .root
        .upload("PUT", &path, ("avatar", "a.png", b"png"), &[]);
    let address = set.json()["avatar_url"].as_str().unwrap().to_owned();
    let page = address.strip_prefix(&world.root.url).unwrap();
    let served = send(&world.root.url, "GET", page, &[], b"").unwrap();
    assert_eq!((served.status, served.text.as_str()), (200, "png"));
    assert_eq!(served.header("content-type"), Some("image/png"));
    assert_eq!(world.root.get(&format!("{path}/avatar")).text, "png");
    let bad = world
        .root
        .upload("PUT", &path, ("avatar", "a.txt", b"x"), &[]);
    assert_eq!(bad.status, 400);
    let gone = world.root.put(&path, json!({ "avatar": "" })).json();
    assert_eq!(gone["avatar_url"], Value::Null);
    assert_eq!(world.root.get(&format!("{path}/avatar")).status, 404);
    let own = world
        .root
        .upload("PUT", "user/avatar", ("avatar", "me.jpg", b"j"), &[]);
    assert_eq!(
        own.json()["avatar_url"],
        world.root.get("user").json()["avatar_url"]
    );
}

#[test]
fn badges_are_rendered_for_their_project_and_inherited_from_its_group() {
    let world = World::new();
    let group = world
        .root
        .post("groups", json!({ "name": "team", "path": "team" }))
        .json();
    let body = json!({ "name": "shop", "namespace_id": group["id"] });
    let project = world.root.post("projects", body).json()["id"]
        .as_u64()
        .unwrap();
    let body = json!({ "link_url": "http://x/%{project_path}", "image_url": "http://x/%{default_branch}.svg" });
    let own = world
        .root
        .post(&format!("projects/{project}/badges"), body.clone())
        .json();
    assert_eq!(own["rendered_link_url"], "http://x/team/shop");
    let inherited = world
        .root
        .post(&format!("groups/{}/badges", group["id"]), body)
        .json();
    let listed = world.root.get(&format!("projects/{project}/badges")).json();
    let kinds: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|badge| &badge["kind"])
        .collect();
    assert_eq!(kinds, [&json!("project"), &json!("group")]);
    let foreign = format!("projects/{project}/badges/{}", inherited["id"]);
    assert_eq!(world.root.delete(&foreign).status, 404);
    let bad = world.root.put(
        &format!("projects/{project}/badges/{}", own["id"]),
        json!({ "link_url": "ftp://x" }),
    );
    assert_eq!(bad.status, 400);
    let preview = format!("projects/{project}/badges/render?link_url=http://y&image_url=http://z");
    assert_eq!(
        world.root.get(&preview).json()["rendered_link_url"],
        "http://y"
    );
}

#[test]
fn custom_attributes_are_for_administrators() {
    let world = World::new();
    let project = world.project("shop");
    let (ana, client) = world.member(project, "ana", 50);
    for path in [format!("projects/{project}"), format!("users/{ana}")] {
        let one = format!("{path}/custom_attributes/rank");
        let set = world.root.put(&one, json!({ "value": "1" }));
        assert_eq!(set.error(), (200, json!({ "key": "rank", "value": "1" })));
        assert_eq!(client.get(&one).status, 403);
        let shown = world
            .root
            .get(&format!("{path}?with_custom_attributes=true"))
            .json();
        assert_eq!(
            shown["custom_attributes"],
            json!([{ "key": "rank", "value": "1" }])
        );
    }
    let found = world.root.get("users?custom_attributes%5Brank%5D=1").json();
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    let none = world
        .root
        .get("projects?custom_attributes%5Brank%5D=2")
        .json();
    assert_eq!(none, json!([]));
    let one = format!("projects/{project}/custom_attributes/rank");
    assert_eq!(world.root.delete(&one).status, 204);
    assert_eq!(world.root.get(&one).status, 404);
}

#[test]
fn topics_come_with_projects_and_are_merged() {
    let world = World::new();
    let project = world.project("shop");
    let path = format!("projects/{project}");
    world.root.put(&path, json!({ "topics": ["rust", "ci"] }));
    let listed = world.root.get("topics?search=ru").json();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["total_projects_count"]),
        (&json!("rust"), &json!(1))
    );
    let body = json!({ "name": "ferris", "title": "Ferris" });
    let target = world.root.post("topics", body.clone()).json();
    assert_eq!(world.root.post("topics", body).status, 400);
    assert_eq!(
        world.root.get("topics?without_projects=true").json()[0]["name"],
        "ferris"
    );
    let merge = json!({ "source_topic_id": listed[0]["id"], "target_topic_id": target["id"] });
    assert_eq!(
        world.root.post("topics/merge", merge).json()["id"],
        target["id"]
    );
    assert_eq!(
        world.root.get(&path).json()["topics"],
        json!(["ci", "ferris"])
    );
    assert_eq!(
        world
            .root
            .delete(&format!("topics/{}", target["id"]))
            .status,
        204
    );
    assert_eq!(world.root.get(&path).json()["topics"], json!(["ci"]));
}
