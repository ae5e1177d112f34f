//! Comments on lines of a difference, their suggestions, and drafts of them.

use serde_json::{Value, json};

use crate::shop::{Shop, text};

const OLD: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";
const NEW: &str = "one\nTWO\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\n";

/// A merge request that changes the second line of a file and adds one.
fn numbers() -> (Shop, u64) {
    let shop = Shop::new();
    shop.commit("main", None, &[("numbers.txt", OLD)]);
    shop.commit("feature", Some("main"), &[("numbers.txt", NEW)]);
    let iid = shop.open("feature", json!({}));
    (shop, iid)
}

fn position(shop: &Shop, iid: u64, more: Value) -> Value {
    let refs = shop.show(iid)["diff_refs"].clone();
    let mut position = json!({
        "position_type": "text", "base_sha": refs["base_sha"], "start_sha": refs["start_sha"],
        "head_sha": refs["head_sha"], "old_path": "numbers.txt", "new_path": "numbers.txt",
    });
    for (name, value) in more.as_object().unwrap() {
        position[name] = value.clone();
    }
    position
}

fn discuss(shop: &Shop, iid: u64, body: &str, at: Value) -> crate::client::Reply {
    let path = shop.path(&format!("merge_requests/{iid}/discussions"));
    let position = position(shop, iid, at);
    shop.root()
        .post(&path, json!({ "body": body, "position": position }))
}

#[test]
fn a_diff_note_stands_on_a_line_of_the_difference() {
    let (shop, iid) = numbers();
    for (at, new_line) in [
        (json!({ "new_line": 2 }), json!(2)),
        (json!({ "old_line": 2 }), json!(null)),
        (json!({ "old_line": 3, "new_line": "3" }), json!(3)),
        (json!({ "old_line": 6, "new_line": 6 }), json!(6)),
    ] {
        let made = discuss(&shop, iid, "hm", at.clone());
        assert_eq!(made.status, 201, "{at}: {}", made.text);
        let note = &made.json()["notes"][0];
        assert_eq!(
            (&note["type"], &note["resolvable"], &note["suggestions"]),
            (&json!("DiffNote"), &json!(true), &json!([]))
        );
        assert_eq!(note["position"]["new_line"], new_line);
        assert_eq!(note["position"]["position_type"], "text");
    }
    let line_code =
        r#"400 Bad request - Note {:line_code=>["can't be blank", "must be a valid line code"]}"#;
    for at in [
        json!({ "new_line": 100_000 }),
        json!({ "old_line": 2, "new_line": 2 }),
        json!({ "new_line": 3 }),
        json!({ "new_line": 2, "new_path": "other.txt", "old_path": "other.txt" }),
        json!({ "new_line": 2, "head_sha": "0123456789012345678901234567890123456789" }),
    ] {
        let refused = discuss(&shop, iid, "hm", at.clone());
        assert_eq!(
            refused.error(),
            (400, json!({ "message": line_code })),
            "{at}"
        );
    }
    let nowhere = discuss(&shop, iid, "hm", json!({}));
    let both = r#"400 Bad request - Note {:line_code=>["can't be blank", "must be a valid line code"], :position=>["is incomplete"]}"#;
    assert_eq!(nowhere.error(), (400, json!({ "message": both })));
    let path = shop.path(&format!("merge_requests/{iid}/discussions"));
    let lacking = json!({ "body": "x", "position": { "position_type": "sound", "head_sha": "x" } });
    assert_eq!(
        shop.root().post(&path, lacking).error(),
        (
            400,
            json!({ "error": "position[base_sha] is missing, position[start_sha] is missing, position[position_type] does not have a valid value" })
        )
    );
    let file = discuss(&shop, iid, "all of it", json!({ "position_type": "file" }));
    assert_eq!(file.status, 201, "{}", file.text);
    let shown = file.json()["notes"][0]["position"].clone();
    assert!(shown.get("new_line").is_none(), "{shown}");
}

#[test]
fn replies_stand_where_the_thread_stands_and_are_resolved_one_by_one() {
    let (shop, iid) = numbers();
    let range = json!({ "start": { "line_code": "a_1_1", "type": "new", "new_line": "2" }, "end": { "line_code": "a_2_2", "type": "new", "new_line": 2 } });
    let made = discuss(
        &shop,
        iid,
        "hm",
        json!({ "new_line": 2, "line_range": range }),
    )
    .json();
    let start = &made["notes"][0]["position"]["line_range"]["start"];
    assert_eq!(start["new_line"], 2);
    let path = shop.path(&format!(
        "merge_requests/{iid}/discussions/{}",
        text(&made, "id")
    ));
    let reply = shop
        .root()
        .post(&format!("{path}/notes"), json!({ "body": "well" }));
    assert_eq!(reply.json()["type"], "DiffNote");
    assert_eq!(reply.json()["position"], made["notes"][0]["position"]);
    let list = shop.root().get(&format!("{path}/notes")).json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    let ids: Vec<String> = (0..2).map(|at| list[at]["id"].to_string()).collect();
    let resolve = |id: &str| {
        let body = json!({ "resolved": true });
        shop.root().put(&format!("{path}/notes/{id}"), body).json()
    };
    assert_eq!(resolve(&ids[0])["resolved_by"]["username"], "root");
    let system = |shop: &Shop| {
        let path = shop.path(&format!(
            "merge_requests/{iid}/notes?activity_filter=only_activity"
        ));
        let notes = shop.root().get(&path).json();
        let notes = notes.as_array().unwrap().clone();
        notes
            .iter()
            .map(|note| text(note, "body"))
            .collect::<Vec<_>>()
    };
    assert_eq!(system(&shop), [] as [String; 0]);
    assert_eq!(resolve(&ids[1])["resolved"], true);
    assert_eq!(system(&shop), ["resolved all threads"]);
    let one = shop.root().get(&format!("{path}/notes/{}", ids[0]));
    assert_eq!((one.status, &one.json()["body"]), (200, &json!("hm")));
}

#[test]
fn notes_follow_their_lines_or_become_outdated() {
    let (shop, iid) = numbers();
    shop.set(json!({ "resolve_outdated_diff_discussions": true }));
    let moving = discuss(&shop, iid, "moving", json!({ "new_line": 11 })).json();
    let changing = discuss(&shop, iid, "changing", json!({ "new_line": 2 })).json();
    let newer = format!("zero\n{}", NEW.replace("TWO", "2"));
    let head = shop.commit("feature", None, &[("numbers.txt", &newer)]);
    let thread = |made: &Value| {
        let path = format!("merge_requests/{iid}/discussions/{}", text(made, "id"));
        shop.root().get(&shop.path(&path)).json()
    };
    let moved = &thread(&moving)["notes"][0]["position"];
    assert_eq!(
        (&moved["new_line"], &moved["head_sha"]),
        (&json!(12), &json!(head))
    );
    let outdated = thread(&changing);
    assert_eq!(outdated["notes"][0]["position"]["new_line"], 2);
    assert_eq!(outdated["notes"][0]["resolved"], true);
    let told = text(&outdated["notes"][1], "body");
    assert!(
        told.starts_with("changed this line in [version 2 of the diff](/root/shop/-/merge_requests/1/diffs?diff_id="),
        "{told}"
    );
}

#[test]
fn suggestions_become_commits_on_the_source_branch() {
    let (shop, iid) = numbers();
    let body = "better:\n```suggestion\ntwo and a half\n```";
    let made = discuss(&shop, iid, body, json!({ "new_line": 2 })).json();
    let suggestion = made["notes"][0]["suggestions"][0].clone();
    assert_eq!(
        suggestion,
        json!({ "id": 1, "from_line": 2, "to_line": 2, "appliable": true, "applied": false, "from_content": "TWO\n", "to_content": "two and a half\n" })
    );
    let wide = "```suggestion:-1+0\nten\neleven!\n```";
    discuss(&shop, iid, wide, json!({ "new_line": 11 }));
    let (_, reporter) = shop.world.member(shop.project, "reporter", 20);
    assert_eq!(reporter.put("suggestions/1/apply", json!({})).status, 403);
    let missing = shop
        .root()
        .put("suggestions/batch_apply", json!({ "ids": [1, 9] }));
    assert_eq!(
        missing.error(),
        (
            404,
            json!({ "message": "Suggestions are not applicable as one or more suggestions were not found." })
        )
    );
    let applied = shop
        .root()
        .put("suggestions/batch_apply", json!({ "ids": [1, 2] }));
    assert_eq!(applied.status, 200, "{}", applied.text);
    assert_eq!(applied.json()[0]["applied"], true);
    let repository = shop.world.emulator.repository(shop.project);
    let content = repository.file("feature", "numbers.txt").unwrap().unwrap();
    let content = String::from_utf8(content).unwrap();
    assert_eq!(
        content,
        "one\ntwo and a half\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven!\n"
    );
    let head = shop.show(iid)["sha"].clone();
    let commit = shop
        .root()
        .get(&shop.path(&format!("repository/commits/{}", head.as_str().unwrap())))
        .json();
    assert_eq!(commit["title"], "Apply 2 suggestion(s) to 1 file(s)");
    let again = shop.root().put("suggestions/1/apply", json!({}));
    assert_eq!(
        again.error(),
        (400, json!({ "message": "Can't apply this suggestion." }))
    );
    assert_eq!(
        shop.root()
            .put("suggestions/foo-1/apply", json!({}))
            .error(),
        (
            404,
            json!({ "message": "Suggestion is not applicable as the suggestion was not found." })
        )
    );
}

#[test]
fn drafts_are_private_until_they_are_published() {
    let (shop, iid) = numbers();
    let (_, ana) = shop.world.member(shop.project, "ana", 30);
    let path = shop.path(&format!("merge_requests/{iid}/draft_notes"));
    let made = ana.post(&path, json!({ "note": "first" }));
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        (&made.json()["note"], &made.json()["resolve_discussion"]),
        (&json!("first"), &json!(false))
    );
    let at = position(&shop, iid, json!({ "new_line": 2 }));
    let placed = ana.post(&path, json!({ "note": "second", "position": at }));
    assert_eq!(placed.status, 201, "{}", placed.text);
    let code = text(&placed.json(), "line_code");
    assert!(code.ends_with("_3_2"), "{code}");
    let one = format!("{path}/{}", made.json()["id"]);
    assert_eq!(shop.root().get(&one).status, 404);
    assert_eq!(shop.root().get(&path).json(), json!([]));
    assert_eq!(
        ana.put(&one, json!({ "note": "1st" })).json()["note"],
        "1st"
    );
    assert_eq!(
        ana.put(&one, json!({})).error(),
        (
            400,
            json!({ "message": "400 Bad request - Missing params to modify" })
        )
    );
    let resolving = ana.post(&path, json!({ "note": "x", "resolve_discussion": true }));
    assert_eq!(
        resolving.error(),
        (
            400,
            json!({ "message": { "base": ["User is not allowed to resolve thread"] } })
        )
    );
    assert_eq!(ana.put(&format!("{one}/publish"), json!({})).status, 204);
    let bulk = format!("{path}/bulk_publish");
    assert_eq!(ana.post(&bulk, json!({})).status, 204);
    assert_eq!(ana.get(&path).json(), json!([]));
    let list = shop
        .root()
        .get(&shop.path(&format!("merge_requests/{iid}/discussions")))
        .json();
    let kinds: Vec<&Value> = (0..2).map(|at| &list[at]["notes"][0]["type"]).collect();
    assert_eq!(kinds, ["DiscussionNote", "DiffNote"]);
    let thread = text(&list[0], "id");
    let body =
        json!({ "note": "done", "in_reply_to_discussion_id": thread, "resolve_discussion": true });
    assert_eq!(ana.post(&path, body).status, 201);
    assert_eq!(ana.post(&bulk, json!({})).status, 204);
    let resolved = shop
        .root()
        .get(&shop.path(&format!("merge_requests/{iid}/discussions/{thread}")))
        .json();
    assert_eq!(resolved["notes"][1]["body"], "done");
    assert_eq!(resolved["notes"][0]["resolved"], true);
}

#[test]
fn commits_are_discussed_too() {
    let (shop, _) = numbers();
    let head = shop.head("feature");
    let path = shop.path(&format!("repository/commits/{head}/discussions"));
    let made = shop.root().post(&path, json!({ "body": "fine" }));
    assert_eq!(made.status, 201, "{}", made.text);
    let thread = made.json();
    let note = &thread["notes"][0];
    assert_eq!(
        (
            &note["noteable_type"],
            &note["noteable_id"],
            &note["resolvable"]
        ),
        (&json!("Commit"), &json!(null), &json!(false))
    );
    let one = format!("{path}/{}", text(&thread, "id"));
    let reply = shop
        .root()
        .post(&format!("{one}/notes"), json!({ "body": "indeed" }));
    assert_eq!(reply.status, 201, "{}", reply.text);
    let edit = format!("{one}/notes/{}", reply.json()["id"]);
    let edited = shop.root().put(&edit, json!({ "body": "yes" }));
    assert_eq!(edited.json()["body"], "yes");
    assert_eq!(shop.root().delete(&edit).status, 204);
    let list = shop.root().get(&path).json();
    assert_eq!(list[0]["notes"].as_array().unwrap().len(), 1);
    let missing = shop.path("repository/commits/0123456789/discussions");
    assert_eq!(
        shop.root().get(&missing).error(),
        (404, json!({ "message": "404 Commit Not Found" }))
    );
}
