//! Jobs with `environment:` and `release:`.

use serde_json::json;

use crate::ci_world::CiWorld;

const DEPLOY: &str = "
deploy:
  script: ['echo HOST=h-$CI_ENVIRONMENT_TIER > v.env', 'echo scoped=$SCOPED slug=$CI_ENVIRONMENT_SLUG']
  environment: { name: nrt, url: 'http://$HOST.example/$CI_COMMIT_SHORT_SHA' }
  artifacts: { reports: { dotenv: v.env } }
";

#[test]
fn a_job_with_an_environment_makes_a_deployment_that_follows_it() {
    let ci = CiWorld::new(DEPLOY);
    let root = &ci.world.root;
    root.post(
        &ci.path("variables"),
        json!({ "key": "SCOPED", "value": "s", "environment_scope": "n*" }),
    );
    let list = || root.get(&ci.path("deployments")).json();
    assert_eq!(
        (&list()[0]["status"], &list()[0]["environment"]["name"]),
        (&json!("created"), &json!("nrt"))
    );
    let done = ci.must("deploy");
    assert!(done.trace.contains("scoped=s slug=nrt"), "{}", done.trace);
    assert_eq!(
        (&list()[0]["status"], &list()[0]["deployable"]["id"]),
        (&json!("success"), &json!(done.id))
    );
    let short = &ci.git(&["rev-parse", "HEAD"])[..8];
    let environment = root.get(&ci.path("environments")).json();
    assert_eq!(
        environment[0]["external_url"],
        json!(format!("http://h-other.example/{short}"))
    );
}

#[test]
fn a_deployment_that_was_overtaken_is_dropped() {
    let ci = CiWorld::new(
        "
stages: [gate, go]
gate: { stage: gate, script: [echo], when: manual, allow_failure: false }
deploy: { stage: go, script: [echo], environment: nrt, when: manual, allow_failure: false }
",
    );
    let older = ci.latest();
    ci.play(&ci.world.root, older, "gate");
    ci.must("gate");
    ci.world.root.put(
        &format!("projects/{}", ci.project),
        json!({ "auto_cancel_pending_pipelines": "disabled" }),
    );
    ci.push("main", &[("x", "1")]);
    let newer = ci.latest();
    ci.play(&ci.world.root, newer, "gate");
    ci.must("gate");
    ci.play(&ci.world.root, newer, "deploy");
    ci.must("deploy");
    let id = ci.job_id(older, "deploy");
    let refused = ci
        .world
        .root
        .post(&ci.path(&format!("jobs/{id}/play")), json!({}));
    assert_eq!(refused.status, 403, "{}", refused.text);
    // With the rule off it may.
    ci.world.root.put(
        &format!("projects/{}", ci.project),
        json!({ "ci_forward_deployment_enabled": false }),
    );
    ci.play(&ci.world.root, older, "deploy");
    ci.must("deploy");
}

#[test]
fn a_deployment_that_was_overtaken_while_it_waited_for_its_resource_fails() {
    let ci = CiWorld::new("deploy: { script: [echo], environment: nrt, resource_group: nrt }");
    ci.world.root.put(
        &format!("projects/{}", ci.project),
        json!({ "auto_cancel_pending_pipelines": "disabled" }),
    );
    let first = ci.latest();
    ci.push("main", &[("x", "1")]);
    let second = ci.latest();
    ci.push("main", &[("x", "2")]);
    let third = ci.latest();
    ci.world.root.put(
        &ci.path("resource_groups/nrt"),
        json!({ "process_mode": "newest_ready_first" }),
    );
    ci.must("deploy");
    ci.must("deploy");
    let reason = |pipeline| ci.job(pipeline, "deploy")["failure_reason"].clone();
    assert_eq!(
        (ci.status(first), ci.status(third)),
        ("success".into(), "success".into())
    );
    assert_eq!(reason(second), "failed_outdated_deployment_job");
}

#[test]
fn the_release_keyword_makes_a_release_as_the_job() {
    let ci = CiWorld::new("
workflow: { rules: [{ if: $CI_COMMIT_BRANCH }] }
publish:
  script: [echo the notes > notes.md]
  release: { tag_name: 'v1.$CI_PIPELINE_IID', description: notes.md, name: 'Release $CI_PIPELINE_IID' }
");
    ci.must("publish");
    let release = ci.world.root.get(&ci.path("releases/v1.1")).json();
    assert_eq!(
        (&release["name"], &release["description"]),
        (&json!("Release 1"), &json!("the notes\n")),
        "{release}"
    );
    let id = ci.job_id(ci.latest(), "publish");
    ci.world
        .root
        .post(&ci.path(&format!("jobs/{id}/retry")), json!({}));
    let again = ci.run("publish");
    assert!(
        again.trace.contains("Release already exists"),
        "{}",
        again.trace
    );
}
