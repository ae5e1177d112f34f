//! Quick actions in comments and descriptions.

use serde_json::{Value, json};

use crate::client::Client;
use crate::shop::Shop;

fn note(client: &Client, path: &str, body: &str) -> (u16, Value) {
    client
        .post(&format!("{path}/notes"), json!({ "body": body }))
        .error()
}

#[test]
fn a_comment_of_commands_only_is_202_and_leaves_no_note() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}"));
    let label = shop
        .root()
        .post(
            &shop.path("labels"),
            json!({ "name": "ready", "color": "red" }),
        )
        .json();
    assert_eq!(
        note(shop.root(), &path, "/label ~ready"),
        (
            202,
            json!({ "commands_changes": { "add_label_ids": [label["id"]] }, "summary": ["Added ~ready label."] })
        )
    );
    assert_eq!(shop.show(iid)["labels"], json!(["ready"]));
    let comments = format!("{path}/notes?activity_filter=only_comments");
    assert_eq!(shop.root().get(&comments).json(), json!([]));
    assert_eq!(
        note(shop.root(), &path, "/reopen"),
        (
            400,
            json!({ "message": "400 Bad request - Could not apply reopen command." })
        )
    );
}

#[test]
fn commands_next_to_text_are_taken_out_and_done() {
    let shop = Shop::new();
    shop.issue("one");
    let path = shop.path("issues/1");
    let (status, made) = note(shop.root(), &path, "Done here.\n/close");
    assert_eq!((status, &made["body"]), (201, &json!("Done here.")));
    assert_eq!(made["commands_changes"], json!({ "state_event": "close" }));
    assert_eq!(shop.root().get(&path).json()["state"], "closed");
}

#[test]
fn code_quotations_and_the_middle_of_a_line_command_nothing() {
    let shop = Shop::new();
    shop.issue("one");
    let path = shop.path("issues/1");
    for body in [
        "```\n/close\n```",
        "> /close",
        ">>>\n/close\n>>>",
        "please /close",
        " /close",
        "/nonsense",
    ] {
        let (status, made) = note(shop.root(), &path, body);
        assert_eq!((status, &made["body"]), (201, &json!(body)));
    }
    assert_eq!(shop.root().get(&path).json()["state"], "opened");
}

#[test]
fn every_command_does_what_it_says() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}"));
    for name in ["a", "b c"] {
        shop.root().post(
            &shop.path("labels"),
            json!({ "name": name, "color": "#00f" }),
        );
    }
    shop.root()
        .post(&shop.path("milestones"), json!({ "title": "v1" }));
    shop.commit("main", None, &[("later", "1")]);
    let old = shop.head("feature");
    let say = |body: &str| -> String {
        let (status, answer) = note(shop.root(), &path, body);
        assert_eq!(status, 202, "{body}: {answer}");
        shop.world.emulator.settle();
        answer["summary"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(say("/label ~a ~\"b c\""), "Added ~a ~\"b c\" labels.");
    assert_eq!(say("/unlabel ~a"), "Removed ~a label.");
    assert_eq!(say("/relabel ~a"), "Replaced all labels with ~a label.");
    assert_eq!(shop.show(iid)["labels"], json!(["a"]));
    assert_eq!(
        say("/title Something new"),
        "Changed the title to \"Something new\"."
    );
    assert_eq!(say("/draft"), "Marked this merge request as a draft.");
    assert_eq!(shop.show(iid)["title"], "Draft: Something new");
    assert_eq!(say("/ready"), "Marked this merge request as ready.");
    assert_eq!(say("/assign @root"), "Assigned @root.");
    assert_eq!(say("/unassign @root"), "Removed assignee @root.");
    assert_eq!(say("/milestone %v1"), "Set the milestone to %v1.");
    assert_eq!(say("/remove_milestone"), "Removed milestone.");
    assert_eq!(say("/approve"), "Approved the current merge request.");
    assert_eq!(say("/close"), "Closed this merge request.");
    assert_eq!(say("/reopen"), "Reopened this merge request.");
    assert_eq!(say("/rebase"), "Scheduled a rebase of branch feature.");
    assert_ne!(shop.head("feature"), old);
    assert_eq!(
        say("/merge"),
        "The `/merge` quick action requires the SHA of the head of the branch."
    );
    let merge = |sha: &str| {
        let body = json!({ "body": "/merge", "merge_request_diff_head_sha": sha });
        shop.root().post(&format!("{path}/notes"), body).json()["summary"][0].clone()
    };
    assert_eq!(
        merge(&old),
        "Branch has been updated since the merge was requested."
    );
    assert_eq!(merge(&shop.head("feature")), "Merged this merge request.");
    assert_eq!(shop.show(iid)["state"], "merged");
    shop.issue("one");
    let (status, _) = note(shop.root(), &shop.path("issues/1"), "/confidential");
    assert_eq!(
        (
            status,
            &shop.root().get(&shop.path("issues/1")).json()["confidential"]
        ),
        (202, &json!(true))
    );
}

#[test]
fn commands_have_the_rights_of_whoever_writes_them() {
    let shop = Shop::new();
    let iid = shop.merge_request();
    shop.root().post(
        &shop.path("labels"),
        json!({ "name": "ready", "color": "red" }),
    );
    let (_, reporter) = shop.world.member(shop.project, "reporter", 20);
    let path = shop.path(&format!("merge_requests/{iid}"));
    for command in [
        "/merge",
        "/rebase",
        "/close",
        "/approve",
        "/label ~ready",
        "/title mine",
    ] {
        assert_eq!(note(&reporter, &path, command).0, 400, "{command}");
    }
    let row = shop.show(iid);
    assert_eq!(
        (&row["state"], &row["labels"], &row["title"]),
        (&json!("opened"), &json!([]), &json!("Add feature"))
    );
}

#[test]
fn descriptions_command_too() {
    let shop = Shop::new();
    shop.root().post(
        &shop.path("labels"),
        json!({ "name": "ready", "color": "red" }),
    );
    let body = json!({ "title": "one", "description": "What it is.\n/label ~ready" });
    let issue = shop.root().post(&shop.path("issues"), body).json();
    assert_eq!(
        (&issue["description"], &issue["labels"]),
        (&json!("What it is."), &json!(["ready"]))
    );
}
