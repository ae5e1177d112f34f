//! Trigger jobs: child pipelines from files and artifacts, strategies, limits, forwarded variables.

use serde_json::json;

use crate::ci_world::CiWorld;

#[test]
fn a_child_pipeline_runs_from_a_file_and_its_bridge_waits_for_it() {
    let ci = CiWorld::empty();
    ci.push(
        "main",
        &[
            (
                ".gitlab-ci.yml",
                "
stages: [a, b]
variables: { GLOBAL: g }
child:
  stage: a
  variables: { MINE: 'm-$CI_PIPELINE_ID' }
  trigger: { include: child.yml, strategy: depend }
after: { stage: b, script: [echo] }
",
            ),
            (
                "child.yml",
                "
work: { script: ['echo $GLOBAL $MINE $CI_PIPELINE_SOURCE $CI_COMMIT_BRANCH'] }
ask: { script: [echo], when: manual }
",
            ),
        ],
    );
    let parent = ci.latest();
    assert_eq!(ci.statuses(parent), ["child:running", "after:created"]);
    let bridge = ci.job(parent, "child");
    let child = bridge["downstream_pipeline"]["id"].as_u64().unwrap();
    assert_eq!(bridge["downstream_pipeline"]["source"], "parent_pipeline");
    let done = ci.must("work");
    assert!(
        done.trace
            .contains(&format!("\ng m-{parent} parent_pipeline main")),
        "{}",
        done.trace
    );
    // An optional manual job does not hold the child.
    assert_eq!(
        (ci.status(child), ci.job_status(parent, "child")),
        ("success".into(), "success".into())
    );
    ci.must("after");
    assert_eq!(ci.status(parent), "success");
    let listed = ci.world.root.get(&ci.path("pipelines")).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let children = ci
        .world
        .root
        .get(&ci.path("pipelines?source=parent_pipeline"))
        .json();
    assert_eq!(children[0]["id"], json!(child));
}

#[test]
fn a_job_writes_the_pipeline_that_runs_next() {
    let ci = CiWorld::new(
        "
stages: [make, go]
make:
  stage: make
  script: ['printf \"deep: { script: [echo from artifact] }\\n\" > gen.yml']
  artifacts: { paths: [gen.yml] }
go:
  stage: go
  trigger: { include: [{ artifact: gen.yml, job: make }], strategy: mirror }
",
    );
    ci.must("make");
    assert!(ci.must("deep").trace.contains("from artifact"));
    assert_eq!(ci.status(ci.latest()), "success");
}

#[test]
fn strategies_follow_failed_skipped_and_blocked_children() {
    let ci = CiWorld::empty();
    ci.push(
        "main",
        &[
            (
                ".gitlab-ci.yml",
                "
plain: { trigger: { include: blocked.yml } }
waits: { trigger: { include: blocked.yml, strategy: depend } }
mirrors: { trigger: { include: blocked.yml, strategy: mirror } }
fails: { trigger: { include: fails.yml, strategy: depend } }
wrong: { trigger: { include: wrong.yml, strategy: depend }, allow_failure: true }
skipped: { trigger: { include: skipped.yml, strategy: depend } }
",
            ),
            (
                "blocked.yml",
                "gate: { script: [echo], when: manual, allow_failure: false }",
            ),
            ("fails.yml", "bad: { script: [exit 1] }"),
            ("wrong.yml", "bad: { script: 5 }"),
            ("skipped.yml", "maybe: { script: [echo], when: manual }"),
        ],
    );
    let parent = ci.latest();
    ci.run("bad");
    let status = |name: &str| ci.job_status(parent, name);
    assert_eq!(
        [
            status("plain"),
            status("waits"),
            status("mirrors"),
            status("fails"),
            status("wrong"),
            status("skipped")
        ],
        ["success", "running", "manual", "failed", "failed", "failed"]
    );
    assert_eq!(
        ci.job(parent, "wrong")["failure_reason"],
        "downstream_pipeline_creation_failed"
    );
    for bridge in ["waits", "mirrors"] {
        let child = ci.job(parent, bridge)["downstream_pipeline"]["id"]
            .as_u64()
            .unwrap();
        ci.play(&ci.world.root, child, "gate");
        ci.must("gate");
        assert_eq!(status(bridge), "success");
    }
    // Retrying the job in the child brings its bridge back to life.
    let child = ci.job(parent, "fails")["downstream_pipeline"]["id"]
        .as_u64()
        .unwrap();
    let bad = ci.job_id(child, "bad");
    ci.world
        .root
        .post(&ci.path(&format!("jobs/{bad}/retry")), json!({}));
    assert_eq!(status("fails"), "pending");
}

#[test]
fn children_have_children_but_no_grandchildren() {
    let ci = CiWorld::empty();
    ci.push(
        "main",
        &[
            (
                ".gitlab-ci.yml",
                "one: { trigger: { include: one.yml, strategy: depend } }",
            ),
            (
                "one.yml",
                "two: { trigger: { include: two.yml, strategy: depend } }",
            ),
            ("two.yml", "three: { trigger: { include: three.yml } }"),
            ("three.yml", "end: { script: [echo] }"),
        ],
    );
    let parent = ci.latest();
    assert_eq!(ci.status(parent), "failed");
    let ids: Vec<u64> = ci
        .world
        .emulator
        .pipelines(ci.project)
        .into_iter()
        .map(|pipeline| pipeline.id)
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(
        ci.job(ids[2], "three")["failure_reason"],
        "reached_max_descendant_pipelines_depth"
    );
}

#[test]
fn pipeline_variables_are_forwarded_only_when_asked() {
    let ci = CiWorld::empty();
    ci.push("main", &[
        (".gitlab-ci.yml", "
workflow: { rules: [{ if: $CI_PIPELINE_SOURCE == 'api' }] }
keeps: { variables: { NAME: keeps }, trigger: { include: child.yml } }
gives: { variables: { NAME: gives }, trigger: { include: child.yml, forward: { pipeline_variables: true, yaml_variables: true } } }
"),
        ("child.yml", "show: { script: ['echo $NAME=$GIVEN.'] }"),
    ]);
    let body = json!({ "ref": "main", "variables": [{ "key": "GIVEN", "value": "yes" }] });
    assert_eq!(ci.world.root.post(&ci.path("pipeline"), body).status, 201);
    let traces: String = ci.run_all().into_iter().map(|done| done.trace).collect();
    assert!(
        traces.contains("keeps=.") && traces.contains("gives=yes."),
        "{traces}"
    );
}

#[test]
fn canceling_a_parent_cancels_its_children() {
    let ci = CiWorld::empty();
    ci.push(
        "main",
        &[
            (
                ".gitlab-ci.yml",
                "one: { trigger: { include: one.yml, strategy: depend } }",
            ),
            ("one.yml", "work: { script: [echo] }"),
        ],
    );
    let parent = ci.latest();
    ci.world
        .root
        .post(&ci.path(&format!("pipelines/{parent}/cancel")), json!({}));
    let statuses: Vec<&str> = ci
        .world
        .emulator
        .pipelines(ci.project)
        .iter()
        .map(|pipeline| pipeline.status.as_str())
        .collect();
    assert_eq!(statuses, ["canceled", "canceled"]);
}

#[test]
fn a_bridge_to_another_project_runs_there_as_the_same_user() {
    let ci = CiWorld::new(
        "go: { variables: { FROM: shop }, trigger: { project: root/other, strategy: depend } }",
    );
    let other = ci.world.project("other");
    let parent = ci.latest();
    assert_eq!(
        ci.job(parent, "go")["failure_reason"],
        "downstream_bridge_project_not_found"
    );
    let file = json!({ "branch": "main", "commit_message": "m", "content": "job: { script: ['echo from=$FROM'] }" });
    let made = ci.world.root.post(
        &format!("projects/{other}/repository/files/.gitlab-ci.yml"),
        file,
    );
    assert_eq!(made.status, 201, "{}", made.text);
    ci.must("job");
    let id = ci.job_id(parent, "go");
    assert_eq!(
        ci.world
            .root
            .post(&ci.path(&format!("jobs/{id}/retry")), json!({}))
            .status,
        201
    );
    assert!(ci.must("job").trace.contains("from=shop"));
    assert_eq!(ci.status(parent), "success");
}

#[test]
fn a_child_takes_artifacts_of_a_job_of_its_parent_if_that_succeeded() {
    let ci = CiWorld::empty();
    ci.push(
        "main",
        &[
            (
                ".gitlab-ci.yml",
                "
stages: [a, b]
make: { stage: a, script: ['echo parental > made.txt'], artifacts: { paths: [made.txt] } }
bad: { stage: a, script: ['exit 1'], allow_failure: true }
child:
  stage: b
  variables: { ABOVE: '$CI_PIPELINE_ID' }
  trigger: { include: child.yml }
",
            ),
            (
                "child.yml",
                "
take: { script: ['cat made.txt'], needs: [{ pipeline: '$ABOVE', job: make }] }
miss: { script: ['cat made.txt'], needs: [{ pipeline: '$ABOVE', job: bad }] }
skip: { script: ['test ! -e made.txt'], needs: [{ pipeline: '$ABOVE', job: make, artifacts: false }] }
",
            ),
        ],
    );
    let parent = ci.latest();
    ci.must("make");
    ci.run("bad");
    let child = ci.job(parent, "child")["downstream_pipeline"]["id"]
        .as_u64()
        .unwrap();
    assert!(ci.must("take").trace.contains("\nparental"));
    ci.must("skip");
    assert!(ci.run_all().is_empty());
    let missed = ci.job(child, "miss");
    assert_eq!(missed["status"], "failed");
    assert_eq!(missed["failure_reason"], "missing_dependency_failure");
}
