//! Pipelines of merge requests: both kinds side by side, their variables, protected ones among them, and auto-cancellation.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;

const BOTH: &str = "
show:
  script: ['echo source=$CI_PIPELINE_SOURCE branch=$CI_COMMIT_BRANCH ref=$CI_COMMIT_REF_NAME', env]
";
const ONLY_MR: &str = "
workflow: { rules: [{ if: $CI_PIPELINE_SOURCE == 'merge_request_event' }, { if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH }] }
show: { script: [env] }
only-mr: { rules: [{ if: $CI_MERGE_REQUEST_IID }], script: [echo] }
";

fn open(ci: &CiWorld, description: &str) -> Value {
    let reply = ci.world.root.post(
        &ci.path("merge_requests"),
        json!({ "source_branch": "feature", "target_branch": "main", "title": "Add $HOME", "description": description, "labels": "b,a" }),
    );
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()
}

#[test]
fn a_merge_request_has_its_own_pipeline_beside_that_of_the_branch() {
    let ci = CiWorld::new(BOTH);
    ci.must("show");
    let head = ci.push("feature", &[("f.txt", "1")]);
    open(&ci, &"é".repeat(3000));
    let branch = ci.must("show").trace;
    assert!(
        branch.contains("source=push branch=feature ref=feature"),
        "{branch}"
    );
    // Without rules no job is for merge requests: GitLab makes no pipeline for them.
    assert!(ci.world.emulator.pending_jobs().is_empty());
    let list = ci
        .world
        .root
        .get(&ci.path("merge_requests/1/pipelines"))
        .json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    let refused = ci
        .world
        .root
        .post(&ci.path("merge_requests/1/pipelines"), json!({}));
    let (status, body) = refused.error();
    assert_eq!(status, 400);
    let why = body["message"]["base"][0].as_str().unwrap();
    assert!(
        why.starts_with("Pipeline will not run for the selected trigger."),
        "{why}"
    );
    let shown = ci.world.root.get(&ci.path("merge_requests/1")).json();
    assert_eq!(shown["head_pipeline"]["sha"], json!(head));
}

#[test]
fn a_merge_request_without_commits_can_have_no_pipeline() {
    let ci = CiWorld::new(ONLY_MR);
    ci.git(&["branch", "same"]);
    ci.push_as(ci.world.emulator.root_token(), "same", &[]);
    let body = json!({ "source_branch": "same", "target_branch": "main", "title": "Same" });
    assert_eq!(
        ci.world.root.post(&ci.path("merge_requests"), body).status,
        201
    );
    let refused = ci
        .world
        .root
        .post(&ci.path("merge_requests/1/pipelines"), json!({}));
    assert_eq!(
        refused.error(),
        (405, json!({ "message": "405 Method Not Allowed" }))
    );
}

#[test]
fn merge_request_variables_are_those_of_gitlab() {
    let ci = CiWorld::new(ONLY_MR);
    ci.must("show");
    let head = ci.push("feature", &[("f.txt", "1")]);
    assert!(ci.world.emulator.pending_jobs().is_empty());
    let merge_request = open(&ci, &"é".repeat(3000));
    let pipelines = ci
        .world
        .root
        .get(&ci.path("merge_requests/1/pipelines"))
        .json();
    assert_eq!(
        (&pipelines[0]["ref"], &pipelines[0]["source"]),
        (
            &json!("refs/merge-requests/1/head"),
            &json!("merge_request_event")
        )
    );
    let trace = ci.must("show").trace;
    let has = |line: &str| assert!(trace.lines().any(|other| other == line), "{line}\n{trace}");
    has(&format!(
        "CI_MERGE_REQUEST_DESCRIPTION={}",
        "é".repeat(2700)
    ));
    has("CI_MERGE_REQUEST_DESCRIPTION_IS_TRUNCATED=true");
    has("CI_MERGE_REQUEST_TITLE=Add $HOME");
    has("CI_MERGE_REQUEST_LABELS=a,b");
    has("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=feature");
    has("CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main");
    has("CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED=true");
    has("CI_MERGE_REQUEST_SOURCE_BRANCH_PROTECTED=false");
    has("CI_MERGE_REQUEST_EVENT_TYPE=detached");
    has("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=");
    has(&format!("CI_MERGE_REQUEST_ID={}", merge_request["id"]));
    has("CI_COMMIT_REF_NAME=feature");
    has("CI_COMMIT_BEFORE_SHA=0000000000000000000000000000000000000000");
    has(&format!("CI_COMMIT_SHA={head}"));
    has("CI_COMMIT_REF_PROTECTED=false");
    has("CI_OPEN_MERGE_REQUESTS=root/shop!1");
    assert!(!trace.contains("CI_COMMIT_BRANCH="), "{trace}");
    ci.must("only-mr");
    let shown = ci.world.root.get(&ci.path("merge_requests/1")).json();
    assert_eq!(shown["head_pipeline"]["status"], "success");
    let again = ci
        .world
        .root
        .post(&ci.path("merge_requests/1/pipelines"), json!({}));
    assert_eq!(again.status, 200, "{}", again.text);
    ci.must("show");
}

#[test]
fn protected_variables_reach_merge_requests_only_between_protected_branches() {
    let ci = CiWorld::new(ONLY_MR);
    ci.must("show");
    ci.world.root.post(
        &ci.path("variables"),
        json!({ "key": "GUARDED", "value": "g", "protected": true }),
    );
    ci.push("feature", &[("f.txt", "1")]);
    open(&ci, "");
    assert!(!ci.must("show").trace.contains("GUARDED="));
    let protect = ci
        .world
        .root
        .post(&ci.path("protected_branches"), json!({ "name": "feature" }));
    assert_eq!(protect.status, 201, "{}", protect.text);
    ci.world
        .root
        .post(&ci.path("merge_requests/1/pipelines"), json!({}));
    assert!(ci.must("show").trace.contains("\nGUARDED=g"));
    ci.world.root.put(
        &format!("projects/{}", ci.project),
        json!({ "protect_merge_request_pipelines": false }),
    );
    ci.world
        .root
        .post(&ci.path("merge_requests/1/pipelines"), json!({}));
    assert!(!ci.must("show").trace.contains("GUARDED="));
}

#[test]
fn a_new_commit_cancels_what_has_not_begun_anything_uninterruptible() {
    let ci = CiWorld::new(
        "
stages: [a, b]
soft: { stage: a, script: [echo], interruptible: true }
hard: { stage: b, script: [echo] }
",
    );
    let first = ci.latest();
    ci.must("soft");
    ci.push("main", &[("x", "1")]);
    assert_eq!(ci.status(first), "canceled");
    let second = ci.latest();
    ci.must("soft");
    ci.must("hard");
    let id = ci.job_id(second, "hard");
    ci.world
        .root
        .post(&ci.path(&format!("jobs/{id}/retry")), json!({}));
    ci.push("main", &[("x", "2")]);
    // The retried one has not begun, but nothing says so of the pipeline's earlier try: only jobs that count are asked.
    assert_eq!(ci.status(second), "canceled");
    let third = ci.latest();
    ci.must("soft");
    ci.must("hard");
    ci.world.root.put(
        &format!("projects/{}", ci.project),
        json!({ "auto_cancel_pending_pipelines": "disabled" }),
    );
    ci.push("main", &[("x", "3")]);
    let fourth = ci.latest();
    ci.push("main", &[("x", "4")]);
    assert_eq!(
        (ci.status(third), ci.status(fourth)),
        ("success".into(), "pending".into())
    );
}

#[test]
fn auto_cancel_follows_the_old_pipelines_own_rule() {
    let with = |rule: &str| {
        format!(
            "
workflow: {{ auto_cancel: {{ on_new_commit: {rule} }} }}
stages: [a, b]
soft: {{ stage: a, script: [echo], interruptible: true }}
hard: {{ stage: a, script: [echo] }}
later: {{ stage: b, script: [echo], interruptible: true }}
"
        )
    };
    let ci = CiWorld::new(&with("none"));
    let none = ci.latest();
    ci.push("main", &[(".gitlab-ci.yml", &with("interruptible"))]);
    let interruptible = ci.latest();
    assert_eq!(ci.status(none), "pending");
    ci.world
        .emulator
        .run_next_job(|job| job.pipeline_id == interruptible && job.name == "hard")
        .unwrap();
    ci.push("main", &[("x", "1")]);
    assert_eq!(
        ci.statuses(interruptible),
        ["soft:canceled", "hard:success", "later:canceled"]
    );
    assert_eq!(ci.status(none), "pending");
}

#[test]
fn a_merge_request_set_to_merge_does_so_when_its_pipeline_passes() {
    let ci = CiWorld::new(ONLY_MR);
    ci.must("show");
    ci.push("feature", &[("f.txt", "1")]);
    open(&ci, "");
    ci.world.emulator.settle();
    let path = ci.path("merge_requests/1");
    let set = ci.world.root.put(
        &format!("{path}/merge"),
        json!({ "merge_when_pipeline_succeeds": true }),
    );
    assert_eq!(
        (set.status, &set.json()["state"]),
        (200, &json!("opened")),
        "{}",
        set.text
    );
    ci.must("show");
    ci.must("only-mr");
    ci.world.emulator.settle();
    assert_eq!(ci.world.root.get(&path).json()["state"], "merged");
    // The merge is a push to the target branch.
    assert_eq!(ci.pipeline(ci.latest())["ref"], "main");
}
