//! One server as GitLab of several versions: what is newer is not there.

use serde_json::{Value, json};
use trainyard_emulator::Options;

use crate::ci_world::CiWorld;
use crate::client::World;
use crate::shop::Shop;

fn options(version: &str) -> Options {
    Options {
        version: version.parse().unwrap(),
        ..Options::default()
    }
}

#[test]
fn the_version_is_told_by_the_api_and_in_jobs() {
    let ci = CiWorld::start(options("17.11.3"));
    ci.push(
        "main",
        &[(
            ".gitlab-ci.yml",
            "job: { script: ['echo $CI_SERVER_VERSION $CI_SERVER_VERSION_MAJOR-$CI_SERVER_VERSION_MINOR-$CI_SERVER_VERSION_PATCH'] }",
        )],
    );
    for path in ["version", "metadata"] {
        assert_eq!(ci.world.root.get(path).json()["version"], "17.11.3");
    }
    let trace = ci.must("job").trace;
    assert!(trace.contains("17.11.3 17-11-3"), "{trace}");
}

#[test]
fn a_newer_route_is_as_unknown_as_any_and_not_our_lack() {
    for (version, status, body) in [
        ("18.5", 404, json!({ "error": "404 Not Found" })),
        ("18.6", 404, json!({ "message": "404 Not found" })),
    ] {
        let world = World::start(options(version));
        let project = world.project("shop");
        let path = format!("projects/{project}/resource_groups/nrt/current_job");
        assert_eq!(world.root.get(&path).error(), (status, body));
        assert!(world.emulator.unknown_requests().is_empty());
    }
}

#[test]
fn fields_appear_with_the_version_that_brought_them() {
    let fields = |version: &str| {
        let world = World::start(options(version));
        let project = world.project("shop");
        let shown = world.root.get(&format!("projects/{project}")).json();
        let variable = world.root.post(
            &format!("projects/{project}/variables"),
            json!({ "key": "K", "value": "v" }),
        );
        let environment = world.root.post(
            &format!("projects/{project}/environments"),
            json!({ "name": "nrt" }),
        );
        [
            (shown, "ci_pipeline_variables_minimum_override_role"),
            (variable.json(), "hidden"),
            (environment.json(), "auto_stop_setting"),
        ]
        .map(|(object, name)| object.get(name).is_some())
    };
    assert_eq!(fields("17.0"), [false, false, false]);
    assert_eq!(fields("17.1"), [true, false, false]);
    assert_eq!(fields("17.4"), [true, true, false]);
    assert_eq!(fields("17.8"), [true, true, true]);
}

#[test]
fn a_newer_parameter_is_ignored_like_one_that_nobody_knows() {
    let world = World::start(options("17.3"));
    let project = world.project("shop");
    let reply = world.root.post(
        &format!("projects/{project}/variables"),
        json!({ "key": "K", "value": "eightchars", "masked_and_hidden": true }),
    );
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.json()["masked"], false);
    assert_eq!(reply.json()["value"], "eightchars");
    let entry = world.emulator.requests().pop().unwrap();
    assert_eq!(entry.ignored, ["masked_and_hidden"]);
}

#[test]
fn predefined_variables_come_with_their_version() {
    let seen = |version: &str| {
        let ci = CiWorld::start(options(version));
        let script =
            "job: { script: ['echo \"[${CI_JOB_GROUP_NAME-none}] [${CI_PROJECT_TOPICS-none}]\"'] }";
        ci.push("main", &[(".gitlab-ci.yml", script)]);
        ci.must("job").trace
    };
    for (version, expected) in [
        ("17.9", "[none] [none]"),
        ("17.10", "[job] [none]"),
        ("18.3", "[job] []"),
    ] {
        let trace = seen(version);
        assert!(trace.contains(expected), "{version}: {trace}");
    }
}

#[test]
fn a_downstream_pipeline_knows_where_it_comes_from_since_18_9() {
    let ci = CiWorld::start(options("18.9"));
    let files = [
        (".gitlab-ci.yml", "go: { trigger: { include: child.yml } }"),
        (
            "child.yml",
            "work: { script: ['echo from $CI_UPSTREAM_PIPELINE_ID $CI_UPSTREAM_PROJECT_ID'] }",
        ),
    ];
    ci.push("main", &files);
    let (parent, project) = (ci.latest(), ci.project);
    let trace = ci.must("work").trace;
    assert!(
        trace.contains(&format!("from {parent} {project}")),
        "{trace}"
    );
}

#[test]
fn older_servers_know_no_mirror_strategy() {
    let error = |version: &str| -> Value {
        let ci = CiWorld::start(options(version));
        let files = [
            (
                ".gitlab-ci.yml",
                "go: { trigger: { include: child.yml, strategy: mirror } }",
            ),
            ("child.yml", "work: { script: [echo] }"),
        ];
        ci.push("main", &files);
        ci.pipeline(ci.latest())["yaml_errors"].clone()
    };
    assert_eq!(error("18.1"), "jobs:go:trigger strategy should be depend");
    assert_eq!(error("18.2"), Value::Null);
}

#[test]
fn an_older_automatic_merge_waits_for_the_pipeline_alone() {
    let enable = |version: &str| {
        let shop = Shop::start(options(version));
        shop.commit("feature", Some("main"), &[("a.txt", "a\n")]);
        let iid = shop.open("feature", json!({ "title": "Draft: a" }));
        shop.world.emulator.settle();
        let path = shop.path(&format!("merge_requests/{iid}/merge"));
        shop.root().put(&path, json!({ "auto_merge": true })).status
    };
    assert_eq!(enable("17.6"), 405);
    assert_eq!(enable("17.7"), 200);
}
