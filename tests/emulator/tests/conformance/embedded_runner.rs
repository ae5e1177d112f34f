//! What the embedded runner does with a job besides its script: caches, sources, hooks, `after_script`, debugging.

use serde_json::json;
use trainyard_emulator::Status;

use crate::ci_world::CiWorld;

#[test]
fn a_cache_is_kept_between_jobs_by_its_key() {
    let ci = CiWorld::new(
        "
stages: [one, two, three]
default: { cache: { key: { files: [lock] , prefix: $CI_JOB_STAGE-x }, paths: [deps/] } }
fill:
  stage: one
  cache: { key: 'deps-$CI_PROJECT_ID', paths: [deps/], policy: push }
  script: [mkdir deps, 'echo kept > deps/a.txt']
use:
  stage: two
  cache: { key: missing, fallback_keys: ['deps-$CI_PROJECT_ID'], paths: [deps/], policy: pull }
  script: ['cat deps/a.txt']
fails:
  stage: three
  cache: { key: failing, paths: [deps/], when: on_failure }
  script: [mkdir deps, 'echo broken > deps/b.txt', 'false']
",
    );
    let fill = ci.must("fill").trace;
    assert!(
        fill.contains("Creating cache deps-1-protected..."),
        "{fill}"
    );
    let used = ci.must("use").trace;
    assert!(
        used.contains("Checking cache for missing-protected..."),
        "{used}"
    );
    assert!(used.contains("\nkept\n"), "{used}");
    assert!(!used.contains("Creating cache"), "{used}");
    let failed = ci.run("fails").trace;
    assert!(failed.contains("Created cache"), "{failed}");
    // An unprotected branch has caches of its own.
    ci.push("side", &[]);
    ci.must("fill");
    let used = ci.must("use").trace;
    assert!(
        used.contains("Checking cache for deps-1-non_protected..."),
        "{used}"
    );
}

#[test]
fn sources_come_as_the_git_variables_want_them() {
    let ci = CiWorld::new(
        "
shallow: { variables: { GIT_DEPTH: '1' }, script: ['git rev-list --count HEAD'] }
none: { variables: { GIT_STRATEGY: none }, script: ['ls -a | wc -l'] }
bare: { variables: { GIT_CHECKOUT: 'false' }, script: ['test ! -e .gitlab-ci.yml', 'git rev-parse FETCH_HEAD'] }
odd: { variables: { GIT_STRATEGY: guess }, script: ['true'] }
elsewhere: { variables: { GIT_CLONE_PATH: $CI_BUILDS_DIR/x }, script: ['true'] }
modules: { variables: { GIT_SUBMODULE_STRATEGY: recursive }, script: ['true'] }
hooked: { hooks: { pre_get_sources_script: ['test ! -e .gitlab-ci.yml', 'echo before sources'] }, script: ['cat .gitlab-ci.yml'] }
",
    );
    ci.push("main", &[("second", "")]);
    assert!(ci.must("shallow").trace.contains("\n1\n"));
    assert!(ci.must("none").trace.contains("\n2\n"));
    ci.must("bare");
    for (name, why) in [
        ("odd", "unknown GIT_STRATEGY"),
        ("elsewhere", "setting GIT_CLONE_PATH is not allowed"),
    ] {
        let done = ci.run(name);
        assert_eq!(
            done.failure_reason.as_deref(),
            Some("runner_system_failure")
        );
        assert!(done.trace.contains(why), "{}", done.trace);
    }
    let modules = ci.must("modules").trace;
    assert!(
        modules.contains("Updating/initializing submodules..."),
        "{modules}"
    );
    let hooked = ci.must("hooked").trace;
    let (before, sources) = (hooked.find("before sources"), hooked.find("Checking out"));
    assert!(before.unwrap() < sources.unwrap(), "{hooked}");
}

#[test]
fn a_script_runs_in_bash_with_failing_pipes_and_shows_itself_when_debugged() {
    let ci = CiWorld::new(
        "
arrays: { script: ['list=(a b)', 'if [[ ${list[1]} == b ]]; then echo bash; fi'] }
piped: { script: ['false | true', 'echo not reached'] }
debugged: { variables: { CI_DEBUG_TRACE: 'true' }, script: ['echo \"$((1 + 1))\"'] }
",
    );
    let arrays = ci.must("arrays").trace;
    assert!(arrays.contains("\nbash\n"), "{arrays}");
    assert!(arrays.contains("section_start:") && arrays.contains(":step_script\r\u{1b}[0K"));
    let piped = ci.run("piped");
    assert_eq!((piped.status, piped.exit_code), (Status::Failed, Some(1)));
    assert!(!piped.trace.contains("\nnot reached"));
    assert!(ci.must("debugged").trace.contains("+ echo 2"));
}

#[test]
fn after_script_follows_failure_in_its_own_shell_and_its_result_is_forgotten() {
    let ci = CiWorld::new(
        "
job:
  script: ['export KEPT=no', 'exit 4']
  after_script: ['echo after=$CI_JOB_STATUS kept=$KEPT', 'false']
",
    );
    let done = ci.run("job");
    assert_eq!((done.status, done.exit_code), (Status::Failed, Some(4)));
    assert!(done.trace.contains("after=failed kept="), "{}", done.trace);
    assert!(!done.trace.contains("kept=no"));
}

#[test]
fn reports_are_held_to_their_limits() {
    let ci = CiWorld::new(
        "
links:
  script: ['echo ''{\"shop\": [{\"external_link\": {\"label\": \"a\", \"url\": \"http://x\"}}]}'' > a.json']
  artifacts: { reports: { annotations: a.json } }
wrong:
  script: ['echo ''{\"shop\": [{\"label\": \"a\"}]}'' > a.json']
  artifacts: { reports: { annotations: a.json } }
",
    );
    ci.must("links");
    let wrong = ci.run("wrong");
    assert_eq!(wrong.status, Status::Failed);
    assert!(
        wrong
            .trace
            .contains("400 Validation failed: Data must be a valid json schema"),
        "{}",
        wrong.trace
    );
    let kinds = ci.job(ci.latest(), "links")["artifacts"].clone();
    assert_eq!(kinds[0]["file_type"], "annotations");
}

#[test]
fn tokens_that_nobody_could_verify_are_refused_by_name() {
    let ci = CiWorld::new("job: { id_tokens: { T: { aud: x } }, script: ['true'] }");
    assert!(ci.run_all().is_empty());
    let job = ci.job(ci.latest(), "job");
    assert_eq!(job["failure_reason"], json!("runner_unsupported"));
    let trace = ci
        .world
        .root
        .get(&ci.path(&format!("jobs/{}/trace", job["id"])));
    assert!(trace.text.contains("`id_tokens` are not implemented"));
}
