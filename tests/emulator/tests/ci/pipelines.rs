//! Which pipeline there is, and which jobs are in it.

use trainyard_emulator::ci::definition::{AllowFailure, OnNewCommit, When};

use crate::given::{in_merge_request, on_branch, on_tag};

#[test]
fn stages_are_those_that_hold_a_job_in_their_order() {
    let text = "
stages: [prepare, [build, test]]
last: {stage: .post, script: a}
t: {stage: test, script: a}
first: {stage: .pre, script: a}
p: {stage: prepare, script: a}
";
    assert_eq!(
        on_branch(text).pipeline().stages,
        [".pre", "prepare", "test", ".post"]
    );
    assert_eq!(on_branch(text).job_names(), ["last", "t", "first", "p"]);
    assert_eq!(on_branch("a: {script: x}").pipeline().stages, ["test"]);
}

#[test]
fn only_edge_stages_are_no_pipeline() {
    let why = "Pipeline will not run for the selected trigger. \
               The rules configuration prevented any jobs from being added to the pipeline.";
    assert_eq!(on_branch("a: {script: x, stage: .pre}").filtered(), why);
    assert_eq!(
        on_branch("a: {script: x, rules: [{if: $NEVER}]}").filtered(),
        why
    );
}

#[test]
fn jobs_without_conditions_are_for_branches_and_tags_only() {
    let text = "a: {script: x}\nb: {script: x, rules: [{when: always}]}";
    assert_eq!(on_branch(text).job_names(), ["a", "b"]);
    assert_eq!(on_tag(text).job_names(), ["a", "b"]);
    assert_eq!(in_merge_request(text).job_names(), ["b"]);
    let with_workflow = format!("workflow: {{rules: [{{when: always}}]}}\n{text}");
    assert_eq!(in_merge_request(&with_workflow).job_names(), ["a", "b"]);
}

#[test]
fn only_and_except_name_refs_sources_patterns_variables_and_changes() {
    let text = "
main: {script: x, only: [main]}
pattern: {script: x, only: [/^ma.n$/]}
tags: {script: x, only: [tags]}
requests: {script: x, only: [merge_requests]}
pushes: {script: x, only: [pushes]}
not-main: {script: x, except: [main]}
variable: {script: x, only: {variables: ['$CI_COMMIT_BRANCH == \"main\"']}}
changed: {script: x, only: {refs: [branches], changes: ['src/*']}}
elsewhere: {script: x, only: ['main@other/app']}
";
    assert_eq!(
        on_branch(text).changed(&["src/a"]).job_names(),
        ["main", "pattern", "pushes", "variable", "changed"]
    );
    assert_eq!(
        on_tag(text).changed(&["doc"]).job_names(),
        ["tags", "pushes", "not-main"]
    );
    assert_eq!(in_merge_request(text).job_names(), ["requests"]);
}

#[test]
fn the_first_matching_rule_decides() {
    let text = "
a:
  script: x
  rules:
    - if: $CI_COMMIT_BRANCH == 'other'
      when: never
    - if: $CI_COMMIT_BRANCH
      when: manual
      variables: {FROM: rule}
      interruptible: true
    - when: always
  variables: {FROM: job, KEPT: 'yes'}
b:
  script: x
  rules:
    - if: $CI_COMMIT_BRANCH
      when: never
    - when: on_success
c:
  script: x
  rules: [{when: on_success}]
";
    let job = on_branch(text).job("a");
    assert_eq!(job.when, When::Manual);
    assert!(job.interruptible);
    let variables: Vec<(&str, &str)> = job
        .variables
        .iter()
        .map(|variable| (variable.key.as_str(), variable.value.as_str()))
        .collect();
    assert_eq!(variables, [("KEPT", "yes"), ("FROM", "rule")]);
    assert_eq!(on_branch(text).job_names(), ["a", "c"]);
}

#[test]
fn a_manual_job_may_fail_unless_a_rule_made_it_manual() {
    let cases = [
        ("when: manual", AllowFailure::Yes),
        ("when: manual, allow_failure: false", AllowFailure::No),
        ("rules: [{when: manual}]", AllowFailure::No),
        (
            "rules: [{when: manual, allow_failure: true}]",
            AllowFailure::Yes,
        ),
        (
            "rules: [{if: $CI_COMMIT_BRANCH}], when: manual",
            AllowFailure::Yes,
        ),
        ("allow_failure: true", AllowFailure::Yes),
        (
            "allow_failure: {exit_codes: 3}",
            AllowFailure::ExitCodes(vec![3]),
        ),
        (
            "allow_failure: {exit_codes: [3, 4]}, rules: [{when: on_success}]",
            AllowFailure::ExitCodes(vec![3, 4]),
        ),
        (
            "allow_failure: {exit_codes: 3}, rules: [{allow_failure: false}]",
            AllowFailure::No,
        ),
        ("script: x", AllowFailure::No),
    ];
    for (keys, expected) in cases {
        let text = format!("a: {{script: x, {keys}}}");
        assert_eq!(on_branch(&text).job("a").allow_failure, expected, "{keys}");
    }
}

#[test]
fn delays_come_from_the_job_or_its_rule() {
    let text = "
a: {script: x, when: delayed, start_in: 30 minutes}
b: {script: x, rules: [{when: delayed, start_in: 1h 30m}]}
";
    assert_eq!(on_branch(text).job("a").start_in_seconds, Some(1800));
    assert_eq!(on_branch(text).job("b").start_in_seconds, Some(5400));
    assert_eq!(on_branch(text).job("b").when, When::Delayed);
}

#[test]
fn changes_and_files_decide_too() {
    let text = "
changed: {script: x, rules: [{changes: ['src/**/*.rs']}]}
either: {script: x, rules: [{changes: {paths: ['$DIR/*']}}]}
against: {script: x, rules: [{changes: {paths: ['docs/*'], compare_to: main}}]}
exists: {script: x, rules: [{exists: ['*.toml']}]}
folder: {script: x, rules: [{exists: ['ci/']}]}
missing: {script: x, rules: [{exists: gone.txt}]}
foreign: {script: x, rules: [{exists: {paths: [Makefile], project: group/other, ref: main}}]}
";
    let given = on_branch(text)
        .file("Cargo.toml", "x")
        .file("ci/a.yml", "x")
        .project_file("group/other", "Makefile", "x")
        .assigned("DIR", "web");
    assert_eq!(
        given.clone().changed(&["src/a/b.rs"]).job_names(),
        ["changed", "against", "exists", "folder", "foreign"]
    );
    assert_eq!(
        given.clone().changed(&["web/x"]).job_names(),
        ["either", "against", "exists", "folder", "foreign"]
    );
    assert_eq!(
        given.clone().changed(&[]).job_names(),
        ["against", "exists", "folder", "foreign"]
    );
    assert_eq!(
        given.job_names(),
        [
            "changed", "either", "against", "exists", "folder", "foreign"
        ]
    );
}

#[test]
fn conditions_see_all_variables_and_the_outer_ones_win() {
    let text = "
variables: {LEVEL: global, SHADOWED: yaml}
job: {script: x, variables: {LEVEL: job}, rules: [{if: $LEVEL == 'job'}]}
global: {script: x, rules: [{if: $LEVEL == 'global'}]}
shut-off: {script: x, inherit: {variables: false}, rules: [{if: $LEVEL}]}
shadowed: {script: x, rules: [{if: $SHADOWED == 'project'}]}
predefined: {script: x, variables: {CI_COMMIT_BRANCH: mine}, rules: [{if: $CI_COMMIT_BRANCH == 'mine'}]}
unexpanded: {script: x, variables: {A: $LEVEL}, rules: [{if: \"$A == '$LEVEL'\"}]}
";
    assert_eq!(
        on_branch(text).assigned("SHADOWED", "project").job_names(),
        ["job", "global", "shadowed", "predefined", "unexpanded"]
    );
}

#[test]
fn the_workflow_lets_pipelines_in_or_not() {
    let text = "
workflow:
  name: 'Pipeline for $CI_COMMIT_BRANCH by $WHO'
  auto_cancel: {on_new_commit: interruptible, on_job_failure: none}
  rules:
    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'
      when: never
    - if: $CI_COMMIT_TAG
      auto_cancel: {on_new_commit: none}
    - if: $CI_COMMIT_BRANCH
      variables: {WHO: workflow}
      auto_cancel: {on_job_failure: all}
variables: {WHO: global, OTHER: kept}
a: {script: x, rules: [{if: $WHO == 'workflow'}]}
b: {script: x}
";
    let pipeline = on_branch(text).pipeline();
    assert_eq!(
        pipeline.name.as_deref(),
        Some("Pipeline for main by workflow")
    );
    assert_eq!(
        pipeline.auto_cancel.on_new_commit,
        OnNewCommit::Interruptible
    );
    assert!(pipeline.auto_cancel.all_on_job_failure);
    let variables: Vec<(&str, &str)> = pipeline
        .variables
        .iter()
        .map(|variable| (variable.key.as_str(), variable.value.as_str()))
        .collect();
    assert_eq!(variables, [("OTHER", "kept"), ("WHO", "workflow")]);
    assert_eq!(pipeline.jobs.len(), 2);

    let tagged = on_tag(text).pipeline();
    assert_eq!(tagged.auto_cancel.on_new_commit, OnNewCommit::None);
    assert_eq!(tagged.jobs.len(), 1);

    assert_eq!(
        in_merge_request(text).filtered(),
        "Pipeline filtered out by workflow rules."
    );
    let silent = "workflow: {rules: [{if: $NEVER}]}\na: {script: x}";
    assert_eq!(
        on_branch(silent).filtered(),
        "Pipeline filtered out by workflow rules."
    );
}

#[test]
fn needs_say_what_is_waited_for() {
    let text = "
stages: [build, test]
one: {stage: build, script: x}
two: {stage: build, script: x, rules: [{if: $NEVER}]}
three: {stage: build, script: x}
at-once: {stage: test, script: x, needs: []}
picky:
  stage: test
  script: x
  needs: [one, {job: two, optional: true}, {job: three, artifacts: false}]
single: {stage: test, script: x, needs: {job: one}}
ruled: {stage: test, script: x, needs: [one], rules: [{needs: [three]}]}
staged: {stage: test, script: x, dependencies: [one]}
";
    let given = on_branch(text);
    let needs = |name: &str| -> Option<Vec<(String, bool)>> {
        let needs = given.job(name).needs?;
        Some(
            needs
                .into_iter()
                .map(|need| (need.job, need.artifacts))
                .collect(),
        )
    };
    assert_eq!(needs("at-once"), Some(vec![]));
    assert_eq!(
        needs("picky"),
        Some(vec![("one".to_owned(), true), ("three".to_owned(), false)])
    );
    assert_eq!(needs("single"), Some(vec![("one".to_owned(), true)]));
    assert_eq!(needs("ruled"), Some(vec![("three".to_owned(), true)]));
    assert_eq!(needs("staged"), None);
    assert_eq!(
        given.job("staged").dependencies,
        Some(vec!["one".to_owned()])
    );
}

#[test]
fn parallel_jobs_are_many_and_needed_together() {
    let text = "
stages: [build, test]
plain: {stage: build, script: x, parallel: 2}
grid:
  stage: build
  script: x
  parallel: {matrix: [{OS: [linux, mac], ARCH: x86}]}
after: {stage: test, script: x, needs: [plain], dependencies: ['plain']}
chosen:
  stage: test
  script: x
  needs: [{job: grid, parallel: {matrix: [{OS: mac, ARCH: x86}]}}]
along:
  stage: test
  script: x
  needs: ['grid: [$[[ matrix.OS ]], x86]']
  parallel: {matrix: [{OS: [linux, mac]}]}
";
    let given = on_branch(text);
    assert_eq!(
        given.job_names(),
        [
            "plain 1/2",
            "plain 2/2",
            "grid: [linux, x86]",
            "grid: [mac, x86]",
            "after",
            "chosen",
            "along: [linux]",
            "along: [mac]"
        ]
    );
    let variables: Vec<(String, String)> = given
        .job("grid: [mac, x86]")
        .variables
        .into_iter()
        .map(|variable| (variable.key, variable.value))
        .collect();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        variables,
        [
            pair("OS", "mac"),
            pair("ARCH", "x86"),
            pair("CI_NODE_INDEX", "2"),
            pair("CI_NODE_TOTAL", "2")
        ]
    );
    let needs = |name: &str| -> Vec<String> {
        given
            .job(name)
            .needs
            .expect("needs")
            .into_iter()
            .map(|need| need.job)
            .collect()
    };
    assert_eq!(needs("after"), ["plain 1/2", "plain 2/2"]);
    assert_eq!(needs("chosen"), ["grid: [mac, x86]"]);
    assert_eq!(needs("along: [mac]"), ["grid: [mac, x86]"]);
}

#[test]
fn names_and_groups_are_expanded_when_the_pipeline_is_created() {
    let text = "
variables: {TARGET: nrt, FULL: $TARGET-$SUFFIX}
a:
  script: x
  variables: {SUFFIX: job}
  resource_group: group-$FULL$MISSING
  environment: {name: env/$FULL, url: 'https://$HOST', on_stop: stop, auto_stop_in: 1 week, deployment_tier: testing}
  tags: [$RUNNER, $MISSING, linux]
  rules: [{variables: {SUFFIX: rule}}]
stop: {script: x, when: manual, environment: {name: env/$FULL, action: stop}}
empty: {script: x, resource_group: $MISSING}
each: {script: x, resource_group: '$CI_JOB_NAME/$OS', parallel: {matrix: [{OS: [one]}]}}
";
    let job = on_branch(text).assigned("RUNNER", "big").job("a");
    assert_eq!(job.resource_group.as_deref(), Some("group-nrt-rule"));
    let environment = job.environment.expect("an environment");
    assert_eq!(environment.name, "env/nrt-rule");
    assert_eq!(environment.url.as_deref(), Some("https://$HOST"));
    assert_eq!(environment.action, "start");
    assert_eq!(environment.auto_stop_in.as_deref(), Some("1 week"));
    assert_eq!(job.tags, ["big", "$MISSING", "linux"]);
    assert_eq!(on_branch(text).job("empty").resource_group, None);
    assert_eq!(
        on_branch(text).job("each: [one]").resource_group.as_deref(),
        Some("each: [one]/one")
    );
}

#[test]
fn raw_variables_keep_their_references() {
    let text = "
variables:
  RAW: {value: $OTHER, expand: false}
  OTHER: x
a: {script: x, resource_group: g-$RAW}
";
    let pipeline = on_branch(text).pipeline();
    assert!(pipeline.variables[0].raw);
    assert_eq!(pipeline.jobs[0].resource_group.as_deref(), Some("g-$OTHER"));
}

#[test]
fn changed_and_existing_paths_can_be_found_by_a_pattern() {
    let given = |rule: &str| {
        on_branch(&format!(
            "a: {{script: x, rules: [{rule}]}}\nb: {{script: x, rules: [{{when: always}}]}}"
        ))
        .assigned("DOCS", "docs")
        .file("src/main.rs", "")
        .changed(&["docs/a.md", "README.md"])
    };
    for (rule, runs) in [
        ("{changes: {regexp: '^$DOCS/.*[.]md$'}}", true),
        ("{changes: {regexp: '[.]rs$'}}", false),
        ("{exists: {regexp: '[.]rs$'}}", true),
        ("{exists: {regexp: '^main'}}", false),
    ] {
        let names = given(rule).job_names();
        assert_eq!(names.contains(&"a".to_owned()), runs, "{rule}");
    }
    assert_eq!(
        given("{changes: {regexp: a, paths: [b]}}").error(),
        "jobs:a:rules:rule:changes config must use exactly one of these keys: paths, regexp"
    );
    assert_eq!(
        given("{changes: {regexp: '(?!a)b'}}").error(),
        "Failed to parse rule for a: rules:changes:regexp `(?!a)b` is not a pattern that is supported by this server"
    );
}
