//! The linter's answers.

use serde_json::json;

use crate::given::on_branch;

const TEXT: &str = "
include: shared.yml
stages: [build, test]
late: {stage: test, script: [x], needs: [early], tags: [t], environment: prod, when: manual}
early: {extends: .base, stage: build, except: [tags]}
never: {stage: test, script: [x], rules: [{if: $NEVER}]}
";

#[test]
fn a_valid_configuration_is_shown_merged_with_its_jobs_by_stage() {
    let lint = on_branch(TEXT)
        .file("shared.yml", ".base: {script: [b], before_script: [a]}")
        .linted(false);
    assert!(lint.is_valid());
    let names: Vec<&str> = lint.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["early", "late", "never"]);
    let late = &lint.jobs[1];
    assert_eq!(late.environment.as_deref(), Some("prod"));
    assert!(late.allow_failure);
    assert_eq!(late.only, Some(json!({"refs": ["branches", "tags"]})));
    assert_eq!(
        late.needs,
        Some(json!([{"name": "early", "artifacts": true, "optional": false}]))
    );
    assert_eq!(lint.jobs[0].except, Some(json!({"refs": ["tags"]})));
    assert_eq!(lint.jobs[0].before_script, ["a"]);
    let merged = lint.merged_yaml.expect("merged");
    assert!(
        merged.starts_with("---\n.base:\n  script:\n  - b\n  before_script:\n  - a\nstages:\n"),
        "{merged}"
    );
    assert!(
        merged.contains("stages:\n- .pre\n- build\n- test\n- .post\n"),
        "{merged}"
    );
    assert!(!merged.contains("include"), "{merged}");
    assert_eq!(lint.includes.len(), 1);
    assert_eq!(
        (lint.includes[0].kind, lint.includes[0].location.as_str()),
        ("local", "shared.yml")
    );
}

#[test]
fn a_dry_run_evaluates_rules() {
    let given = on_branch(TEXT).file("shared.yml", ".base: {script: [b]}");
    let lint = given.linted(true);
    let names: Vec<&str> = lint.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["early", "late"]);
    let empty = on_branch("a: {script: x, rules: [{if: $NEVER}]}");
    assert!(empty.linted(false).is_valid());
    assert_eq!(
        empty.linted(true).errors,
        ["Pipeline will not run for the selected trigger. \
          The rules configuration prevented any jobs from being added to the pipeline."]
    );
}

#[test]
fn errors_and_warnings_are_apart() {
    let lint =
        on_branch("a: {script: x, foo: y}\nb: {script: x, rules: [{when: always}]}").linted(false);
    assert_eq!(lint.errors, ["jobs:a config contains unknown keys: foo"]);
    assert_eq!(lint.warnings.len(), 1);
    assert!(lint.jobs.is_empty() && lint.merged_yaml.is_some());
    let broken = on_branch("include: gone.yml").linted(false);
    assert_eq!(broken.errors, ["Local file `gone.yml` does not exist!"]);
    assert_eq!(broken.merged_yaml, None);
}
