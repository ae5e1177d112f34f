//! The linter: what it checks, and at which commit.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;

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
