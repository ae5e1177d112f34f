//! Mutations: each does what the REST API does, and says so in its payload.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;
use crate::client::Client;
use crate::graphql::ask;
use crate::shop::Shop;

/// Calls a mutation whose input has the usual name; gives its payload with `errors` and what is selected.
fn mutate(client: &Client, name: &str, input: Value, selection: &str) -> Value {
    let answer = answer(client, name, input, selection);
    assert!(answer.get("errors").is_none(), "{name}: {answer}");
    answer["data"][name].clone()
}

fn answer(client: &Client, name: &str, input: Value, selection: &str) -> Value {
    let kind = name[..1].to_uppercase() + &name[1..];
    let query = format!(
        "mutation($input: {kind}Input!) {{ {name}(input: $input) {{ errors clientMutationId {selection} }} }}"
    );
    ask(client, &query, json!({ "input": input }))
}

/// The same; there must be no errors.
fn done(client: &Client, name: &str, input: Value, selection: &str) -> Value {
    let payload = mutate(client, name, input, selection);
    assert_eq!(payload["errors"], json!([]), "{name}: {payload}");
    payload
}

#[test]
fn merge_requests_are_changed_and_merged() {
    let shop = Shop::new();
    let root = shop.root();
    shop.commit("feature", Some("main"), &[("f.txt", "1")]);
    let with = |more: Value| {
        let mut input = json!({ "projectPath": "root/shop", "iid": "1" });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let input = json!({ "projectPath": "root/shop", "title": "M", "sourceBranch": "feature", "targetBranch": "main", "labels": ["bug"] });
    let made = done(
        root,
        "mergeRequestCreate",
        input.clone(),
        "mergeRequest { iid labels { nodes { title } } }",
    );
    assert_eq!(
        made["mergeRequest"],
        json!({ "iid": "1", "labels": { "nodes": [{ "title": "bug" }] } })
    );
    let again = mutate(root, "mergeRequestCreate", input, "mergeRequest { iid }");
    assert_eq!(
        (&again["errors"], &again["mergeRequest"]),
        (
            &json!(["Another open merge request already exists for this source branch: !1"]),
            &Value::Null
        )
    );
    let draft = done(
        root,
        "mergeRequestSetDraft",
        with(json!({ "draft": true, "clientMutationId": "c" })),
        "mergeRequest { title draft detailedMergeStatus }",
    );
    assert_eq!(draft["clientMutationId"], "c");
    assert_eq!(draft["mergeRequest"]["title"], "Draft: M");
    done(
        root,
        "mergeRequestSetDraft",
        with(json!({ "draft": false })),
        "mergeRequest { title }",
    );
    let label = done(
        root,
        "labelCreate",
        json!({ "projectPath": "root/shop", "title": "new" }),
        "label { id color }",
    );
    let id = &label["label"]["id"];
    let labels = |mode: &str| {
        let input = with(json!({ "labelIds": [id], "operationMode": mode }));
        let payload = done(
            root,
            "mergeRequestSetLabels",
            input,
            "mergeRequest { labels { nodes { title } } }",
        );
        payload["mergeRequest"]["labels"]["nodes"].clone()
    };
    assert_eq!(
        labels("APPEND"),
        json!([{ "title": "bug" }, { "title": "new" }])
    );
    assert_eq!(labels("REMOVE"), json!([{ "title": "bug" }]));
    assert_eq!(labels("REPLACE"), json!([{ "title": "new" }]));
    for (name, key) in [
        ("mergeRequestSetAssignees", "assignee"),
        ("mergeRequestSetReviewers", "reviewer"),
    ] {
        let input = with(json!({ format!("{key}Usernames"): ["root"] }));
        let payload = done(
            root,
            name,
            input,
            &format!("mergeRequest {{ {key}s {{ nodes {{ username }} }} }}"),
        );
        assert_eq!(
            payload["mergeRequest"][format!("{key}s")]["nodes"],
            json!([{ "username": "root" }])
        );
    }
    let locked = done(
        root,
        "mergeRequestSetLocked",
        with(json!({ "locked": true })),
        "mergeRequest { discussionLocked }",
    );
    assert_eq!(locked["mergeRequest"]["discussionLocked"], true);
    let closed = done(
        root,
        "mergeRequestUpdate",
        with(json!({ "title": "N", "state": "CLOSED" })),
        "mergeRequest { title state }",
    );
    assert_eq!(
        closed["mergeRequest"],
        json!({ "title": "N", "state": "closed" })
    );
    done(
        root,
        "mergeRequestUpdate",
        with(json!({ "state": "OPEN" })),
        "mergeRequest { state }",
    );
    shop.world.emulator.settle();

    let wrong = mutate(
        root,
        "mergeRequestAccept",
        with(json!({ "sha": "0" })),
        "mergeRequest { state }",
    );
    assert_eq!(
        wrong["errors"],
        json!(["The merge-head is not at the anticipated SHA"])
    );
    let sha = shop.head("feature");
    let merged = done(
        root,
        "mergeRequestAccept",
        with(json!({ "sha": sha })),
        "mergeRequest { state mergeUser { username } }",
    );
    assert_eq!(
        merged["mergeRequest"],
        json!({ "state": "merged", "mergeUser": { "username": "root" } })
    );
    let twice = mutate(
        root,
        "mergeRequestAccept",
        with(json!({ "sha": sha })),
        "mergeRequest { state }",
    );
    assert_eq!(twice["errors"], json!(["This branch cannot be merged"]));
}

#[test]
fn whoever_may_not_is_told_nothing_more() {
    let shop = Shop::new();
    shop.merge_request();
    let text = "The resource that you are attempting to access does not exist or you don't have permission to perform this action";
    let input = json!({ "projectPath": "root/shop", "iid": "1", "draft": true });
    let (_, guest) = shop.world.member(shop.project, "guest", 10);
    let (_, stranger) = shop.world.person("stranger");
    let token = shop.world.token(1, &["read_api"]);
    let reader = shop.world.with_token(&token);
    for client in [guest, stranger, reader, shop.world.anonymous()] {
        let answer = answer(
            &client,
            "mergeRequestSetDraft",
            input.clone(),
            "mergeRequest { iid }",
        );
        assert_eq!(
            answer,
            json!({
                "data": { "mergeRequestSetDraft": null },
                "errors": [{ "message": text, "locations": [{ "line": 1, "column": 48 }], "path": ["mergeRequestSetDraft"] }],
            })
        );
    }
}

#[test]
fn issues_and_work_items_are_opened_and_changed() {
    let shop = Shop::new();
    let root = shop.root();
    let issue = done(
        root,
        "createIssue",
        json!({ "projectPath": "root/shop", "title": "I", "labels": ["bug"], "dueDate": "2030-01-02", "type": "INCIDENT" }),
        "issue { id iid dueDate type labels { nodes { title } } }",
    );
    assert_eq!(issue["issue"]["dueDate"], "2030-01-02T00:00:00Z");
    assert_eq!(issue["issue"]["type"], "INCIDENT");
    let place = json!({ "projectPath": "root/shop", "iid": "1" });
    let change = |name: &str, field: &str, value: Value, selection: &str| {
        let mut input = place.clone();
        input[field] = value;
        done(root, name, input, &format!("issue {{ {selection} }}"))["issue"].clone()
    };
    assert_eq!(
        change("updateIssue", "stateEvent", json!("CLOSE"), "state"),
        json!({ "state": "closed" })
    );
    assert_eq!(
        change(
            "issueSetConfidential",
            "confidential",
            json!(true),
            "confidential"
        ),
        json!({ "confidential": true })
    );
    assert_eq!(
        change("issueSetLocked", "locked", json!(true), "discussionLocked"),
        json!({ "discussionLocked": true })
    );
    assert_eq!(
        change(
            "issueSetDueDate",
            "dueDate",
            json!("2031-02-03T00:00:00Z"),
            "dueDate"
        ),
        json!({ "dueDate": "2031-02-03T00:00:00Z" })
    );
    assert_eq!(
        change(
            "issueSetAssignees",
            "assigneeUsernames",
            json!(["root"]),
            "assignees { nodes { username } }"
        ),
        json!({ "assignees": { "nodes": [{ "username": "root" }] } })
    );
    let item = done(
        root,
        "workItemCreate",
        json!({ "namespacePath": "root/shop", "title": "W", "workItemTypeId": "gid://gitlab/WorkItems::Type/5", "descriptionWidget": { "description": "d" } }),
        "workItem { id iid description workItemType { name } }",
    );
    let id = item["workItem"]["id"].clone();
    assert_eq!(item["workItem"]["workItemType"]["name"], "Task");
    let changed = done(
        root,
        "workItemUpdate",
        json!({ "id": id, "title": "V", "stateEvent": "CLOSE" }),
        "workItem { title state }",
    );
    assert_eq!(
        changed["workItem"],
        json!({ "title": "V", "state": "CLOSED" })
    );
    let query = "{ namespace(fullPath: \"root/shop\") { workItem(iid: \"2\") { title features { weight { weight } assignees { assignees { nodes { id } } } }
        widgets(onlyTypes: [DESCRIPTION]) { type ... on WorkItemWidgetDescription { description } } } } }";
    let read = ask(root, query, json!({}));
    assert_eq!(
        read["data"]["namespace"]["workItem"],
        json!({
            "title": "V", "features": { "weight": null, "assignees": { "assignees": { "nodes": [] } } },
            "widgets": [{ "type": "DESCRIPTION", "description": "d" }],
        })
    );
    done(root, "workItemDelete", json!({ "id": id }), "__typename");
}

#[test]
fn notes_threads_and_emoji_come_and_go() {
    let shop = Shop::new();
    let root = shop.root();
    shop.merge_request();
    let target = "gid://gitlab/MergeRequest/1";
    let note = done(
        root,
        "createNote",
        json!({ "noteableId": target, "body": "hi" }),
        "note { id body discussion { id } }",
    );
    let id = note["note"]["id"].clone();
    let changed = done(
        root,
        "updateNote",
        json!({ "id": id, "body": "ho" }),
        "note { body }",
    );
    assert_eq!(changed["note"]["body"], "ho");
    done(root, "destroyNote", json!({ "id": id }), "note { id }");
    let thread = done(
        root,
        "createDiscussion",
        json!({ "noteableId": target, "body": "why?" }),
        "note { discussion { id resolvable resolved } }",
    );
    let discussion = &thread["note"]["discussion"];
    assert_eq!(discussion["resolved"], false);
    let resolved = done(
        root,
        "discussionToggleResolve",
        json!({ "id": discussion["id"], "resolve": true }),
        "discussion { resolved resolvedBy { username } }",
    );
    assert_eq!(
        resolved["discussion"],
        json!({ "resolved": true, "resolvedBy": { "username": "root" } })
    );
    let emoji = json!({ "awardableId": target, "name": "rocket" });
    done(
        root,
        "awardEmojiAdd",
        emoji.clone(),
        "awardEmoji { name user { username } }",
    );
    let off = done(root, "awardEmojiToggle", emoji.clone(), "toggledOn");
    assert_eq!(off["toggledOn"], false);
    let gone = mutate(root, "awardEmojiRemove", emoji, "awardEmoji { name }");
    assert_eq!(gone["errors"].as_array().unwrap().len(), 1);
    let empty = ask(
        root,
        "mutation { createNote(input: { noteableId: \"gid://gitlab/MergeRequest/99\", body: \"x\" }) { errors } }",
        json!({}),
    );
    assert_eq!(empty["data"]["createNote"], Value::Null);
}

#[test]
fn pipelines_jobs_and_schedules_are_driven() {
    let ci = CiWorld::new(
        "
build: { script: [echo] }
gate: { script: [echo], when: manual, allow_failure: true }
late: { script: [echo], when: delayed, start_in: 1 day }
",
    );
    let root = &ci.world.root;
    let made = done(
        root,
        "pipelineCreate",
        json!({ "projectPath": "root/shop", "ref": "main", "variables": [{ "key": "A", "value": "1" }] }),
        "pipeline { id status jobs { nodes { id name status } } manualVariables { nodes { key value } } }",
    );
    let pipeline = &made["pipeline"];
    assert_eq!(
        pipeline["manualVariables"]["nodes"],
        json!([{ "key": "A", "value": "1" }])
    );
    let job = |name: &str| {
        let jobs = pipeline["jobs"]["nodes"].as_array().unwrap();
        jobs.iter().find(|job| job["name"] == name).unwrap()["id"].clone()
    };
    let status = |name: &str, of: &str| {
        let payload = done(root, name, json!({ "id": job(of) }), "job { status }");
        payload["job"]["status"].clone()
    };
    assert_eq!(status("jobPlay", "gate"), "PENDING");
    assert_eq!(status("jobUnschedule", "late"), "MANUAL");
    assert_eq!(status("jobCancel", "build"), "CANCELED");
    assert_eq!(status("jobRetry", "build"), "PENDING");
    let twice = mutate(
        root,
        "jobPlay",
        json!({ "id": job("build") }),
        "job { status }",
    );
    assert_eq!(twice["errors"], json!(["Unplayable Job"]));
    let id = json!({ "id": pipeline["id"] });
    let canceled = done(
        root,
        "pipelineCancel",
        id.clone(),
        "pipeline { status cancelable retryable }",
    );
    assert_eq!(
        canceled["pipeline"],
        json!({ "status": "MANUAL", "cancelable": false, "retryable": true })
    );
    let retried = done(root, "pipelineRetry", id.clone(), "pipeline { status }");
    assert_eq!(retried["pipeline"]["status"], "RUNNING");
    done(root, "pipelineDestroy", id, "__typename");
    let missing = json!({ "projectPath": "root/shop", "ref": "nope" });
    let refused = mutate(root, "pipelineCreate", missing, "pipeline { id }");
    assert_eq!(refused["errors"], json!(["Reference not found"]));

    let schedule = done(
        root,
        "pipelineScheduleCreate",
        json!({ "projectPath": "root/shop", "description": "d", "cron": "0 1 * * *", "ref": "main",
            "variables": [{ "key": "K", "value": "V", "variableType": "ENV_VAR" }] }),
        "pipelineSchedule { id cron variables { nodes { key value } } }",
    );
    let id = schedule["pipelineSchedule"]["id"].clone();
    assert_eq!(
        schedule["pipelineSchedule"]["variables"]["nodes"],
        json!([{ "key": "K", "value": "V" }])
    );
    done(
        root,
        "pipelineScheduleUpdate",
        json!({ "id": id, "cron": "0 2 * * *" }),
        "pipelineSchedule { cron }",
    );
    done(
        root,
        "pipelineSchedulePlay",
        json!({ "id": id }),
        "pipelineSchedule { id }",
    );
    done(
        root,
        "pipelineScheduleTakeOwnership",
        json!({ "id": id }),
        "pipelineSchedule { owner { username } }",
    );
    done(
        root,
        "pipelineScheduleDelete",
        json!({ "id": id }),
        "__typename",
    );
}

#[test]
fn projects_get_settings_branches_commits_releases_and_environments() {
    let shop = Shop::new();
    let root = shop.root();
    shop.world.project("other");
    let path = "root/shop";
    let settings = done(
        root,
        "projectCiCdSettingsUpdate",
        json!({ "fullPath": path, "pushRepositoryForJobTokenAllowed": true, "keepLatestArtifact": false }),
        "ciCdSettings { pushRepositoryForJobTokenAllowed keepLatestArtifact }",
    );
    assert_eq!(
        settings["ciCdSettings"],
        json!({ "pushRepositoryForJobTokenAllowed": true, "keepLatestArtifact": false })
    );
    let scope = "ciJobTokenScope { inboundAllowlist { nodes { fullPath } } inboundAllowlistCount }";
    let input = json!({ "projectPath": path, "targetProjectPath": "root/other" });
    let added = done(root, "ciJobTokenScopeAddProject", input.clone(), scope);
    assert_eq!(added["ciJobTokenScope"]["inboundAllowlistCount"], 2);
    let removed = done(root, "ciJobTokenScopeRemoveProject", input, scope);
    assert_eq!(removed["ciJobTokenScope"]["inboundAllowlistCount"], 1);
    let branch = json!({ "projectPath": path, "name": "b", "ref": "main" });
    done(
        root,
        "createBranch",
        branch.clone(),
        "branch { name commit { sha } }",
    );
    let again = mutate(root, "createBranch", branch, "branch { name }");
    assert_eq!(again["errors"], json!(["Branch already exists"]));
    let commit = done(
        root,
        "commitCreate",
        json!({ "projectPath": path, "branch": "b", "message": "m", "actions": [{ "action": "CREATE", "filePath": "z", "content": "z" }] }),
        "commit { sha title } content",
    );
    assert_eq!(commit["commit"]["sha"], json!(shop.head("b")));
    let release = done(
        root,
        "releaseCreate",
        json!({ "projectPath": path, "tagName": "v1", "ref": "main", "assets": { "links": [{ "name": "a", "url": "https://x.example/a" }] } }),
        "release { tagName assets { links { nodes { name linkType } } } }",
    );
    assert_eq!(
        release["release"]["assets"]["links"]["nodes"],
        json!([{ "name": "a", "linkType": "OTHER" }])
    );
    let tag = json!({ "projectPath": path, "tagName": "v1" });
    let mut described = tag.clone();
    described["description"] = json!("d");
    done(root, "releaseUpdate", described, "release { description }");
    done(root, "releaseDelete", tag, "release { tagName }");
    let environment = done(
        root,
        "environmentCreate",
        json!({ "projectPath": path, "name": "qa", "tier": "TESTING" }),
        "environment { id tier state }",
    );
    let id = json!({ "id": environment["environment"]["id"] });
    let early = mutate(root, "environmentDelete", id.clone(), "__typename");
    assert_eq!(early["errors"].as_array().unwrap().len(), 1);
    let stopped = done(root, "environmentStop", id.clone(), "environment { state }");
    assert_eq!(stopped["environment"]["state"], "stopped");
    done(root, "environmentDelete", id, "__typename");
}
