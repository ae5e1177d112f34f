//! Which pipelines let a merge request be merged, and what a merge request knows right after its head has moved.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;

const BUILD: &str = "build: { script: [echo] }";

/// A project whose merge requests need a pipeline, with one from `feature`, whose files these are.
fn opened(configuration: &str) -> CiWorld {
    let ci = CiWorld::new(BUILD);
    ci.must("build");
    set(
        &ci,
        json!({ "only_allow_merge_if_pipeline_succeeds": true }),
    );
    ci.push("feature", &[(".gitlab-ci.yml", configuration)]);
    let body = json!({ "source_branch": "feature", "target_branch": "main", "title": "a" });
    let made = ci.world.root.post(&ci.path("merge_requests"), body);
    assert_eq!(made.status, 201, "{}", made.text);
    ci
}

fn set(ci: &CiWorld, body: Value) {
    let reply = ci.world.root.put(&format!("projects/{}", ci.project), body);
    assert_eq!(reply.status, 200, "{}", reply.text);
}

fn shown(ci: &CiWorld) -> Value {
    ci.world.emulator.settle();
    ci.world.root.get(&ci.path("merge_requests/1")).json()
}

fn status(ci: &CiWorld) -> String {
    shown(ci)["detailed_merge_status"].as_str().unwrap().into()
}

fn merge(ci: &CiWorld) -> u16 {
    let path = ci.path("merge_requests/1/merge");
    ci.world.root.put(&path, json!({})).status
}

#[test]
fn a_pipeline_must_have_passed_on_the_newest_commit() {
    let ci = opened(BUILD);
    assert_eq!(status(&ci), "ci_still_running");
    assert_eq!(merge(&ci), 405);
    ci.must("build");
    assert_eq!(status(&ci), "mergeable");
    ci.commit("feature", &[("more", "1")]);
    let token = ci.world.emulator.root_token().to_owned();
    ci.push_as(&token, "feature", &["ci.no_pipeline"]);
    let row = shown(&ci);
    assert_ne!(row["head_pipeline"]["sha"], row["sha"], "{row}");
    assert_eq!(row["detailed_merge_status"], "ci_must_pass");
    assert_eq!(merge(&ci), 405);
}

#[test]
fn a_failed_pipeline_blocks_and_one_whose_failures_are_allowed_does_not() {
    let ci = opened("build: { script: ['false'] }");
    ci.run("build");
    assert_eq!(status(&ci), "ci_must_pass");
    let ci = opened("build: { script: ['false'], allow_failure: true }");
    ci.run("build");
    assert_eq!(shown(&ci)["head_pipeline"]["status"], "success");
    assert_eq!(merge(&ci), 200);
}

#[test]
fn a_blocked_pipeline_does_not_count_as_passed_and_an_optional_manual_job_does_no_harm() {
    let ci = opened("gate: { script: [echo], when: manual, allow_failure: false }");
    assert_eq!(shown(&ci)["head_pipeline"]["status"], "manual");
    assert_eq!(status(&ci), "ci_must_pass");
    assert_eq!(merge(&ci), 405);
    let ci = opened("{ build: { script: [echo] }, extra: { script: [echo], when: manual } }");
    ci.must("build");
    assert_eq!(merge(&ci), 200);
}

#[test]
fn a_skipped_pipeline_counts_only_where_the_project_says_so() {
    let ci = opened(BUILD);
    ci.must("build");
    ci.git(&["checkout", "-q", "feature"]);
    ci.git(&["commit", "-q", "--allow-empty", "-m", "docs [skip ci]"]);
    let token = ci.world.emulator.root_token().to_owned();
    ci.push_as(&token, "feature", &[]);
    assert_eq!(shown(&ci)["head_pipeline"]["status"], "skipped");
    assert_eq!(status(&ci), "ci_must_pass");
    set(&ci, json!({ "allow_merge_on_skipped_pipeline": true }));
    assert_eq!(merge(&ci), 200);
}

#[test]
fn the_status_of_another_system_holds_a_merge_back() {
    let ci = opened(BUILD);
    ci.must("build");
    let sha = shown(&ci)["sha"].as_str().unwrap().to_owned();
    let report = |state: &str| {
        let body = json!({ "state": state, "name": "nrt", "ref": "feature" });
        let path = ci.path(&format!("statuses/{sha}"));
        assert_eq!(ci.world.root.post(&path, body).status, 201);
    };
    report("pending");
    assert_eq!(status(&ci), "ci_still_running");
    assert_eq!(merge(&ci), 405);
    report("success");
    assert_eq!(merge(&ci), 200);
}

#[test]
fn a_moved_target_does_not_keep_a_merge_commit_from_being_made() {
    let ci = opened(BUILD);
    ci.must("build");
    ci.commit("main", &[("later", "1")]);
    let token = ci.world.emulator.root_token().to_owned();
    ci.push_as(&token, "main", &["ci.no_pipeline"]);
    ci.world.emulator.settle();
    let path = ci.path("merge_requests/1?include_diverged_commits_count=true");
    let row = ci.world.root.get(&path).json();
    assert_eq!(row["diverged_commits_count"], 1);
    assert_eq!(row["detailed_merge_status"], "mergeable");
    assert_eq!(merge(&ci), 200);
}

#[test]
fn a_merge_right_after_a_push_is_refused_while_it_is_being_checked() {
    let ci = opened(BUILD);
    ci.must("build");
    set(
        &ci,
        json!({ "only_allow_merge_if_pipeline_succeeds": false }),
    );
    ci.world.emulator.settle();
    ci.world.emulator.pause_background();
    ci.push("feature", &[("more", "1")]);
    let row = ci.world.root.get(&ci.path("merge_requests/1")).json();
    assert_eq!(row["detailed_merge_status"], "checking");
    assert_eq!(merge(&ci), 405);
    ci.world.emulator.resume_background();
    ci.world.emulator.settle();
    assert_eq!(merge(&ci), 200);
    assert_eq!(merge(&ci), 405, "it is merged already");
}

#[test]
fn an_outdated_deployment_is_played_again_only_where_rollbacks_are_allowed() {
    let deploy = "deploy: { script: [echo], environment: nrt, when: manual }";
    for (allowed, expected) in [(true, 200), (false, 403)] {
        let ci = CiWorld::new(deploy);
        let rule = json!({
            "ci_forward_deployment_rollback_allowed": allowed,
            "auto_cancel_pending_pipelines": "disabled",
        });
        set(&ci, rule);
        let first = ci.latest();
        ci.play(&ci.world.root, first, "deploy");
        ci.must("deploy");
        ci.push("main", &[("more", "1")]);
        ci.play(&ci.world.root, ci.latest(), "deploy");
        ci.must("deploy");
        let id = ci.job_id(first, "deploy");
        let path = ci.path(&format!("jobs/{id}/play"));
        let reply = ci.world.root.post(&path, json!({}));
        assert_eq!(reply.status, expected, "{}", reply.text);
    }
}

#[test]
fn only_those_with_the_role_the_project_asks_for_give_variables() {
    let ci = CiWorld::new("{ build: { script: [echo] }, gate: { script: [echo], when: manual } }");
    let (_, dev) = ci.world.member(ci.project, "dev", 30);
    let (_, lead) = ci.world.member(ci.project, "lead", 40);
    ci.push("work", &[]);
    let pipeline = ci.latest();
    let start = |by: &crate::client::Client| {
        let body = json!({ "ref": "work", "variables": [{ "key": "A", "value": "1" }] });
        by.post(&ci.path("pipeline"), body)
    };
    let text = "Insufficient permissions to set pipeline variables";
    let expected = (400, json!({ "message": { "base": [text] } }));
    assert_eq!(start(&dev).error(), expected);
    assert_eq!(start(&lead).status, 201);
    let gate = ci.path(&format!("jobs/{}/play", ci.job_id(pipeline, "gate")));
    let body = json!({ "job_variables_attributes": [{ "key": "A", "value": "1" }] });
    let played = dev.post(&gate, body.clone());
    assert_eq!(played.error(), (403, json!({ "message": "403 Forbidden" })));
    let role = json!({ "ci_pipeline_variables_minimum_override_role": "developer" });
    set(&ci, role);
    assert_eq!(start(&dev).status, 201);
    assert_eq!(dev.post(&gate, body).status, 200);
    let role = json!({ "ci_pipeline_variables_minimum_override_role": "owner" });
    set(&ci, role);
    assert_eq!(start(&lead).error(), expected);
}
