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

/// Sends a comment of one command; gives what it says.
fn said(client: &Client, path: &str, command: &str) -> String {
    let (status, answer) = note(client, path, command);
    assert_eq!(status, 202, "{command}: {answer}");
    let summary = answer["summary"].as_array().unwrap();
    let lines: Vec<&str> = summary.iter().map(|line| line.as_str().unwrap()).collect();
    lines.join(" ")
}

#[test]
fn time_days_and_attention_are_planned_by_commands() {
    let shop = Shop::new();
    shop.issue("one");
    let path = shop.path("issues/1");
    for (command, answer) in [
        ("/estimate 1w 2h", "Set time estimate to 1w 2h."),
        ("/spend 1h30m 2020-01-02", "Added 1h 30m spent time."),
        ("/spent -30m", "Subtracted 30m spent time."),
        ("/remove_time_spent", "Removed spent time."),
        ("/remove_estimate", "Removed time estimate."),
        ("/due 2031-02-03", "Set the due date to Feb 3, 2031."),
        ("/remove_due_date", "Removed the due date."),
        (
            "/due whenever",
            "Failed to set due date because the date format is invalid.",
        ),
        ("/todo", "Added a to-do item."),
        ("/done", "Marked to-do item as done."),
        ("/unsubscribe", "Unsubscribed from notifications."),
        ("/subscribe", "Subscribed to notifications."),
        ("/react :tada:", "Toggled :tada: emoji reaction."),
        ("/lock", "Locked the discussion."),
        ("/unlock", "Unlocked the discussion."),
        (
            "/promote_to_incident",
            "Issue has been promoted to incident",
        ),
        ("/severity S2", "Severity updated to High."),
        ("/confidential", "Made this issue confidential."),
    ] {
        assert_eq!(said(shop.root(), &path, command), answer, "{command}");
    }
    let shown = shop.root().get(&path).json();
    assert_eq!(
        (&shown["severity"], &shown["issue_type"]),
        (&json!("HIGH"), &json!("incident"))
    );
    let (status, refused) = note(shop.root(), &path, "/estimate soon");
    assert_eq!(
        (status, &refused["message"]),
        (
            400,
            &json!(
                "400 Bad request - Time estimate must have a valid format and be greater than or equal to zero."
            )
        )
    );
    let (_, made) = note(shop.root(), &path, "/shrug who knows");
    assert_eq!(made["body"], "who knows ¯\\＿(ツ)＿/¯");
}

#[test]
fn other_issues_are_related_moved_and_copied_by_commands() {
    let shop = Shop::new();
    let other = shop.world.project("other");
    for title in ["one", "two", "three", "four"] {
        shop.issue(title);
    }
    let label = json!({ "add_labels": "red" });
    shop.root().put(&shop.path("issues/4"), label);
    let issue = |iid: u64| shop.path(&format!("issues/{iid}"));
    let page = format!("{}/root/shop/-/issues/2", shop.root().url);
    for (iid, command, answer) in [
        (
            1,
            "/relate #3",
            "Added #3 as a linked item related to this issue.".to_owned(),
        ),
        (1, "/unlink #3", "Removed linked item #3.".to_owned()),
        (
            1,
            "/unlink #3",
            "No linked issue matches the provided parameter.".to_owned(),
        ),
        (
            1,
            "/duplicate #2",
            format!("Closed this issue. Marked as related to, and a duplicate of, {page}."),
        ),
        (
            3,
            "/copy_metadata #4",
            "Copied labels and milestone from #4.".to_owned(),
        ),
        (3, "/clone", "Cloned this item to root/shop.".to_owned()),
        (
            3,
            "/move root/other",
            "Moved this item to root/other.".to_owned(),
        ),
    ] {
        assert_eq!(said(shop.root(), &issue(iid), command), answer, "{command}");
    }
    let one = shop.root().get(&issue(1)).json();
    assert_eq!(one["state"], "closed");
    let duplicate = one["_links"]["closed_as_duplicate_of"].as_str().unwrap();
    assert!(duplicate.ends_with("/issues/2"), "{duplicate}");
    assert_eq!(shop.root().get(&issue(5)).json()["labels"], json!(["red"]));
    let moved = shop.root().get(&format!("projects/{other}/issues/1"));
    assert_eq!(moved.json()["title"], "three");
    let notes = shop
        .root()
        .get(&format!("{}/notes?sort=asc", issue(1)))
        .json();
    let bodies: Vec<&str> = notes
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["body"].as_str().unwrap())
        .collect();
    assert_eq!(
        bodies,
        [
            "marked this issue as related to #3",
            "removed the relation with #3",
            "marked this issue as a duplicate of #2",
            "marked this issue as related to #2",
        ]
    );
}

#[test]
fn reviews_and_targets_are_set_by_commands() {
    let shop = Shop::new();
    let (_, ana) = shop.world.member(shop.project, "ana", 30);
    shop.commit("release", Some("main"), &[("r", "1")]);
    let iid = shop.merge_request();
    let path = shop.path(&format!("merge_requests/{iid}"));
    let drafts = format!("{path}/draft_notes");
    ana.post(&drafts, json!({ "note": "hm" }));
    assert_eq!(
        said(shop.root(), &path, "/assign_reviewer @ana"),
        "Assigned @ana as reviewer."
    );
    assert_eq!(shop.show(iid)["reviewers"][0]["username"], "ana");
    assert_eq!(
        said(&ana, &path, "/submit_review"),
        "Submitted the current review."
    );
    assert_eq!(ana.get(&drafts).json(), json!([]));
    assert_eq!(
        said(shop.root(), &path, "/remove_reviewer"),
        "Removed reviewer @ana."
    );
    assert_eq!(
        said(shop.root(), &path, "/target_branch release"),
        "Set target branch to release."
    );
    assert_eq!(shop.show(iid)["target_branch"], "release");
}

#[test]
fn commands_that_are_not_there_are_reported() {
    let shop = Shop::new();
    shop.issue("one");
    let path = shop.path("issues/1");
    let (status, made) = note(shop.root(), &path, "talk\n/zoom https://zoom.us/j/1");
    assert_eq!((status, &made["body"]), (201, &json!("talk")));
    let unknown = shop.world.emulator.unknown_requests();
    assert_eq!(
        unknown[0].unknown.as_deref(),
        Some("quick action `/zoom` is not implemented")
    );
}
