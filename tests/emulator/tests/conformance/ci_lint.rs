//! The linter: the project's own file at any commit, given texts, dry runs, and what it says of jobs and includes.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;

fn linted(ci: &CiWorld, query: &str) -> Value {
    ci.world
        .root
        .get(&ci.path(&format!("ci/lint{query}")))
        .json()
}

fn lint_text(ci: &CiWorld, body: Value) -> Value {
    ci.world.root.post(&ci.path("ci/lint"), body).json()
}

#[test]
fn the_file_of_any_commit_is_checked() {
    let ci = CiWorld::new("job: { script: [echo] }");
    ci.push("wrong", &[(".gitlab-ci.yml", "job: { scrip: [echo] }")]);
    let first = ci.git(&["rev-parse", "main"]).trim().to_owned();
    assert_eq!(linted(&ci, "")["valid"], true);
    let wrong = linted(&ci, "?content_ref=wrong");
    assert_eq!(wrong["valid"], false);
    assert_eq!(
        wrong["errors"],
        json!([
            "jobs job config should implement the script:, run:, or trigger: keyword",
            "jobs config should contain at least one visible job"
        ])
    );
    assert_eq!(linted(&ci, &format!("?sha={first}"))["valid"], true);
    let gone = ci.world.root.get(&ci.path("ci/lint?content_ref=gone"));
    assert_eq!(
        gone.error(),
        (404, json!({ "message": "404 Commit Not Found" }))
    );
    let both = ci
        .world
        .root
        .get(&ci.path("ci/lint?content_ref=main&sha=main"));
    assert_eq!(
        both.error(),
        (
            400,
            json!({ "error": "sha, content_ref are mutually exclusive" })
        )
    );
}

#[test]
fn a_project_without_a_file_or_without_commits_says_so() {
    let ci = CiWorld::empty();
    ci.push("main", &[("README.md", "hello")]);
    let nothing = linted(&ci, "");
    assert_eq!(
        nothing["errors"],
        json!(["Please provide content of .gitlab-ci.yml"])
    );
    assert_eq!(nothing["merged_yaml"], Value::Null);
    assert_eq!(
        linted(&ci, "?dry_run=true")["errors"],
        json!(["Missing CI config file"])
    );
    let created = ci.world.root.post("projects", json!({ "name": "blank" }));
    let blank = created.json()["id"].as_u64().unwrap();
    let empty = ci.world.root.get(&format!("projects/{blank}/ci/lint"));
    assert_eq!(
        empty.error(),
        (404, json!({ "message": "404 Repository Not Found" }))
    );
    let text = ci.world.root.post(
        &format!("projects/{blank}/ci/lint"),
        json!({ "content": "job: { script: [echo] }" }),
    );
    assert_eq!(text.json()["valid"], true, "{}", text.json());
}

#[test]
fn a_dry_run_asks_for_another_branch_and_stops_at_the_first_error() {
    let ci =
        CiWorld::new("job: { script: [echo], rules: [{ if: '$CI_COMMIT_BRANCH == \"side\"' }] }");
    ci.push("side", &[("README.md", "side")]);
    assert_eq!(linted(&ci, "")["valid"], true);
    let on_main = linted(&ci, "?dry_run=true");
    assert_eq!(
        on_main["errors"],
        json!(["Pipeline will not run for the selected trigger. \
             The rules configuration prevented any jobs from being added to the pipeline."])
    );
    let on_side = linted(&ci, "?dry_run=true&dry_run_ref=side&include_jobs=true");
    assert_eq!(on_side["valid"], true, "{on_side}");
    let job = on_side["jobs"][0].as_object().unwrap();
    assert!(!job.contains_key("only") && !job.contains_key("needs"));
    assert_eq!(
        linted(&ci, "?dry_run=true&dry_run_ref=gone")["errors"],
        json!(["Reference not found"])
    );
    let two = json!({ "content": "a: { script: x, b: c }\nd: { script: x, e: f }" });
    let both = json!([
        "jobs:a config contains unknown keys: b",
        "jobs:d config contains unknown keys: e"
    ]);
    assert_eq!(lint_text(&ci, two.clone())["errors"], both);
    let mut dry = two;
    dry["dry_run"] = json!(true);
    assert_eq!(lint_text(&ci, dry)["errors"], json!([both[0]]));
}

#[test]
fn jobs_and_includes_are_shown_with_what_was_said_of_them() {
    let ci = CiWorld::empty();
    let sha = ci.push("main", &[("ci/shared.yml", ".base: { script: [b] }")]);
    let lint = lint_text(
        &ci,
        json!({
            "content": "include: { local: /ci/shared.yml, inputs: {} }\n\
                        job: { extends: .base, only: { refs: [main], variables: ['$A'] }, except: [tags], needs: [] }",
            "include_jobs": true,
        }),
    );
    assert_eq!(lint["valid"], true, "{lint}");
    let job = &lint["jobs"][0];
    assert_eq!(
        job["only"],
        json!({ "refs": ["main"], "variables": ["$A"] })
    );
    assert_eq!(job["except"], json!({ "refs": ["tags"] }));
    let included = &lint["includes"][0];
    assert_eq!(
        (&included["type"], &included["location"], &included["extra"]),
        (
            &json!("local"),
            &json!("ci/shared.yml"),
            &json!({ "inputs": {} })
        )
    );
    assert_eq!(included["context_sha"], json!(sha));
    let blob = included["blob"].as_str().unwrap();
    assert!(
        blob.ends_with(&format!("/-/blob/{sha}/ci/shared.yml")),
        "{blob}"
    );
    assert!(included["raw"].as_str().unwrap().contains("/-/raw/"));
}
const GOOD: &str = "job: { script: [echo] }";

fn verdict(lint: &Value) -> (bool, Vec<&str>) {
    let errors = lint["errors"].as_array().unwrap();
    let errors = errors.iter().filter_map(Value::as_str).collect();
    (lint["valid"] == json!(true), errors)
}

#[test]
fn a_sent_text_is_checked_without_any_commit_or_branch() {
    let ci = CiWorld::empty();
    let lint = |body| ci.world.root.post(&ci.path("ci/lint"), body);
    let here = lint(json!({ "content": GOOD, "dry_run": false, "ref": "" }));
    assert_eq!(verdict(&here.json()), (true, vec![]), "{}", here.text);
    let simulated = lint(json!({ "content": GOOD, "dry_run": true }));
    assert_eq!(
        verdict(&simulated.json()),
        (false, vec!["Reference not found"])
    );
    let own = ci.world.root.get(&ci.path("ci/lint"));
    assert_eq!(
        own.error(),
        (404, json!({ "message": "404 Repository Not Found" }))
    );
}

#[test]
fn the_projects_own_file_is_read_at_a_commit() {
    let ci = CiWorld::new("job: { scrip: 1 }");
    let first = ci.git(&["rev-parse", "HEAD"]);
    ci.push("main", &[(".gitlab-ci.yml", GOOD)]);
    let lint = |query: &str| ci.world.root.get(&ci.path(&format!("ci/lint{query}")));
    assert_eq!(verdict(&lint("").json()), (true, vec![]));
    assert!(!verdict(&lint(&format!("?content_ref={first}")).json()).0);
    assert!(verdict(&lint("?dry_run=true&dry_run_ref=main").json()).0);
    assert_eq!(
        lint("?sha=gone").error(),
        (404, json!({ "message": "404 Commit Not Found" }))
    );
    ci.git(&["rm", "-q", ".gitlab-ci.yml"]);
    ci.push("main", &[]);
    assert_eq!(
        verdict(&lint("").json()),
        (false, vec!["Please provide content of .gitlab-ci.yml"])
    );
}
