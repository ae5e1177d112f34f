//! Snippets, and comments on them and on commits.

use serde_json::json;

use crate::shop::Shop;

#[test]
fn a_personal_snippet_is_made_changed_read_and_removed() {
    let shop = Shop::new();
    let root = shop.root();
    let files = json!([{ "file_path": "a.py", "content": "import x" }, { "file_path": "b.py", "content": "y" }]);
    let made = root.post(
        "snippets",
        json!({ "title": "one", "files": files, "visibility": "public" }),
    );
    assert_eq!(made.status, 201, "{}", made.text);
    let snippet = made.json();
    let path = format!("snippets/{}", snippet["id"]);
    assert_eq!(
        (&snippet["file_name"], &snippet["project_id"]),
        (&json!("a.py"), &json!(null))
    );
    assert_eq!(
        shop.world.anonymous().get(&format!("{path}/raw")).text,
        "import x"
    );
    assert_eq!(root.get(&format!("{path}/files/main/b.py/raw")).text, "y");
    assert_eq!(root.get("snippets/public").json()[0]["title"], "one");
    let actions = json!([
        { "action": "delete", "file_path": "b.py" },
        { "action": "move", "previous_path": "a.py", "file_path": "c.py" },
        { "action": "update", "file_path": "c.py", "content": "z" },
    ]);
    let changed = root
        .put(&path, json!({ "title": "two", "files": actions }))
        .json();
    assert_eq!(
        (
            &changed["title"],
            &changed["files"][0]["path"],
            &changed["files"][1]
        ),
        (&json!("two"), &json!("c.py"), &json!(null))
    );
    let lost = root.put(
        &path,
        json!({ "files": [{ "action": "delete", "file_path": "no.py" }] }),
    );
    let text = "Error updating the snippet - A file with this name doesn't exist";
    assert_eq!(lost.error(), (400, json!({ "message": { "error": text } })));
    let (_, other) = shop.world.member(shop.project, "olga", 40);
    assert_eq!(other.put(&path, json!({ "title": "mine" })).status, 403);
    assert_eq!(root.delete(&path).status, 204);
    assert_eq!(
        root.get(&path).error(),
        (404, json!({ "message": "404 Snippet Not Found" }))
    );
}

#[test]
fn a_snippet_needs_files_in_one_of_two_forms() {
    let shop = Shop::new();
    let error = |body| shop.root().post("snippets", body).error().1["error"].clone();
    assert_eq!(
        error(json!({ "title": "t" })),
        "files, content are missing, exactly one parameter must be provided"
    );
    assert_eq!(
        error(json!({ "title": "t", "content": "c" })),
        "file_name is missing"
    );
    let old = shop.root().post(
        "snippets",
        json!({ "title": "t", "content": "c", "file_name": "f" }),
    );
    assert_eq!(
        (old.status, &old.json()["visibility"]),
        (201, &json!("internal"))
    );
    let path = shop.path("snippets");
    let project = shop.root().post(
        &path,
        json!({ "title": "t", "content": "c", "file_name": "f" }),
    );
    assert_eq!(
        project.error(),
        (400, json!({ "error": "visibility is missing" }))
    );
}

#[test]
fn a_snippet_of_a_project_is_for_its_members_and_has_threads() {
    let shop = Shop::new();
    let path = shop.path("snippets");
    let body = json!({ "title": "t", "content": "c", "file_name": "f", "visibility": "private" });
    let id = shop.root().post(&path, body).json()["id"].clone();
    let (_, guest) = shop.world.member(shop.project, "gus", 10);
    assert_eq!(guest.get(&path).json()[0]["id"], id);
    let other = json!({ "title": "t", "content": "c", "file_name": "f", "visibility": "private" });
    assert_eq!(guest.post(&path, other).status, 403);
    let threads = format!("{path}/{id}/discussions");
    let thread = shop.root().post(&threads, json!({ "body": "why" })).json();
    assert_eq!(
        (
            &thread["individual_note"],
            &thread["notes"][0]["noteable_type"]
        ),
        (&json!(false), &json!("Snippet"))
    );
    let note = shop
        .root()
        .post(&format!("{path}/{id}/notes"), json!({ "body": "alone" }))
        .json();
    assert_eq!(note["type"], json!(null));
    assert_eq!(
        shop.root().get(&threads).json().as_array().unwrap().len(),
        2
    );
    assert_eq!(
        shop.root()
            .delete(&format!("{path}/{id}/notes/{}", note["id"]))
            .status,
        204
    );
}

#[test]
fn commits_are_commented_alone_by_line_and_in_threads() {
    let shop = Shop::new();
    let sha = shop.commit("main", None, &[("a.txt", "x\n")]);
    let path = shop.path(&format!("repository/commits/{sha}"));
    let body = json!({ "note": "nice", "path": "a.txt", "line": 1, "line_type": "new" });
    let remark = shop.root().post(&format!("{path}/comments"), body);
    assert_eq!(remark.status, 201);
    assert_eq!(
        (&remark.json()["note"], &remark.json()["line"]),
        (&json!("nice"), &json!(1))
    );
    let thread = shop
        .root()
        .post(&format!("{path}/discussions"), json!({ "body": "why" }))
        .json();
    let notes = format!(
        "{path}/discussions/{}/notes",
        thread["id"].as_str().unwrap()
    );
    let reply = shop.root().post(&notes, json!({ "body": "so" })).json();
    assert_eq!(
        (&reply["noteable_type"], &reply["noteable_id"]),
        (&json!("Commit"), &json!(null))
    );
    let one = format!("{notes}/{}", reply["id"]);
    assert_eq!(
        shop.root().put(&one, json!({ "body": "thus" })).json()["body"],
        "thus"
    );
    assert_eq!(shop.root().get(&one).json()["body"], "thus");
    let (_, guest) = shop.world.member(shop.project, "dan", 30);
    assert_eq!(guest.delete(&one).status, 403);
    assert_eq!(shop.root().delete(&one).status, 204);
    assert_eq!(shop.root().get(&one).status, 404);
    let comments = shop.root().get(&format!("{path}/comments")).json();
    assert_eq!(comments.as_array().unwrap().len(), 2);
}
