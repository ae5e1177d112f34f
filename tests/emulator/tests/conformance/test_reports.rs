//! Test reports of pipelines, and what becomes of artifacts later.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;

const FIRST: &str = r#"<?xml version="1.0"?>
<testsuites>
  <testsuite name="Math" tests="4">
    <testcase classname="Sum" name="adds" time="0.25" file="sum.rs"/>
    <testcase classname="Sum" name="carries" time="1.5"><failure message="no">expected 3 &amp; got 4</failure>
      <system-out>seen [[ATTACHMENT|shots/one.png]]</system-out></testcase>
    <testcase classname="Sum" name="rests"><skipped/></testcase>
    <testcase classname="Sum" name="breaks" time="0.1"><error message="m" type="T"/><system-err>oops</system-err></testcase>
  </testsuite>
</testsuites>"#;
const SECOND: &str = r#"<testsuite name="Words"><testsuite name="Inner"><testcase name="reads" time="2"/></testsuite></testsuite>"#;

#[test]
fn a_pipeline_reports_the_tests_of_its_jobs() {
    let ci = CiWorld::empty();
    ci.push(
        "main",
        &[
            ("a.xml", FIRST),
            ("b.xml", SECOND),
            ("broken.xml", "<testsuites>\n<testsuite></testsuites>"),
            (
                ".gitlab-ci.yml",
                "
unit: { script: ['true'], artifacts: { reports: { junit: [a.xml, b.xml] } } }
odd: { script: ['true'], artifacts: { reports: { junit: broken.xml } } }
",
            ),
        ],
    );
    assert_eq!(ci.run_all().len(), 2);
    let pipeline = ci.latest();
    let get = |tail: &str| {
        let reply = ci
            .world
            .root
            .get(&ci.path(&format!("pipelines/{pipeline}/{tail}")));
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    };
    let report = get("test_report");
    let counts = |entity: &Value| {
        [
            "total_count",
            "success_count",
            "failed_count",
            "skipped_count",
            "error_count",
        ]
        .map(|key| entity[key].as_u64().unwrap())
    };
    assert_eq!(counts(&report), [5, 2, 1, 1, 1]);
    assert_eq!(report["total_time"], 3.85);
    let suite = &report["test_suites"][0];
    assert_eq!(
        (&suite["name"], &suite["suite_error"]),
        (&json!("unit"), &Value::Null)
    );
    assert_eq!(counts(suite), [5, 2, 1, 1, 1]);
    let cases = suite["test_cases"].as_array().unwrap();
    let order: Vec<&Value> = cases.iter().map(|case| &case["name"]).collect();
    assert_eq!(order, ["breaks", "carries", "reads", "adds", "rests"]);
    assert_eq!(
        cases[0]["system_output"],
        "{\"message\"=>\"m\", \"type\"=>\"T\"}\n\nSystem Err:\n\noops"
    );
    let job = ci.job_id(pipeline, "unit");
    let url = format!(
        "{}/root/shop/-/jobs/{job}/artifacts/file/shots/one.png",
        ci.world.root.url
    );
    assert_eq!(
        cases[1],
        json!({
            "status": "failed", "name": "carries", "classname": "Sum", "file": null, "execution_time": 1.5,
            "system_output": "expected 3 & got 4\n\nSystem Out:\n\nseen [[ATTACHMENT|shots/one.png]]",
            "stack_trace": null, "recent_failures": null, "attachment_url": url,
        })
    );
    assert_eq!(
        (&cases[3]["file"], &cases[3]["system_output"]),
        (&json!("sum.rs"), &Value::Null)
    );
    let broken = &report["test_suites"][1];
    assert_eq!(counts(broken), [0, 0, 0, 0, 0]);
    assert_eq!(
        broken["suite_error"],
        "JUnit XML parsing failed: 2:12: FATAL: Opening and ending tag mismatch"
    );
    let summary = get("test_report_summary");
    assert_eq!(
        summary["total"],
        json!({ "time": 3.85, "count": 5, "success": 2, "failed": 1, "skipped": 1, "error": 1,
                "suite_error": broken["suite_error"] })
    );
    assert_eq!(summary["test_suites"][0]["build_ids"], json!([job]));
    let none = ci.world.root.get(&ci.path("pipelines/99/test_report"));
    assert_eq!(none.status, 404);
}

#[test]
fn artifacts_are_kept_deleted_and_expired_with_their_project() {
    let ci = CiWorld::new(
        "
make: { script: ['echo 1 > a.txt'], artifacts: { paths: [a.txt], expire_in: 1 hour } }
bare: { script: ['true'] }
",
    );
    ci.run_all();
    let root = &ci.world.root;
    let pipeline = ci.latest();
    let (make, bare) = (ci.job_id(pipeline, "make"), ci.job_id(pipeline, "bare"));
    assert!(ci.job(pipeline, "make")["artifacts_expire_at"].is_string());
    let keep = |job: u64| root.post(&ci.path(&format!("jobs/{job}/artifacts/keep")), json!({}));
    assert_eq!(keep(make).json()["artifacts_expire_at"], Value::Null);
    assert_eq!(keep(bare).status, 404);
    let file = |job: u64| root.get(&ci.path(&format!("jobs/{job}/artifacts/a.txt")));
    assert_eq!(file(make).text, "1\n");
    // The newest successful pipeline of a ref keeps what it has.
    let expire = || root.delete(&ci.path("artifacts"));
    assert_eq!(
        expire().error(),
        (202, json!({ "message": "202 Accepted" }))
    );
    assert_eq!(file(make).status, 200);
    ci.push("main", &[("b", "")]);
    ci.run_all();
    assert_eq!(expire().status, 202);
    assert_eq!(file(make).status, 404);
    let newest = ci.job_id(ci.latest(), "make");
    assert_eq!(file(newest).status, 200);
    assert_eq!(
        root.delete(&ci.path(&format!("jobs/{newest}/artifacts")))
            .status,
        204
    );
    assert_eq!(file(newest).status, 404);
    let trace = root.get(&ci.path(&format!("jobs/{newest}/trace")));
    assert!(trace.text.contains("Job succeeded"));
}
