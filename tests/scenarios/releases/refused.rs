//! What is refused of a release, in which words, and that nothing changes then.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard_emulator::faults::{Effect, Rule};

use super::{TOLD, done_once, landed, landed_with, prepared, read, retried, standing};
use crate::stage::Stage;

fn ask(stage: &Stage, method: Method, path: &str, body: serde_json::Value) {
    let path = stage.world.at(path);
    stage.world.ask("root", method, &path, body).unwrap();
}

#[test]
fn a_tag_of_another_commit_is_refused_and_one_of_this_commit_is_gone_on_from() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    let here = read(&stage, "repository/branches/main")["commit"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let older = read(&stage, "repository/commits?ref_name=main&per_page=100");
    let older = older.as_array().unwrap().last().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    ask(
        &stage,
        Method::POST,
        "repository/tags",
        json!({"tag_name": "v0.1.0", "ref": older}),
    );
    stage.run();
    let refused = stage.last("release-publish");
    assert_eq!(refused.exit_code, Some(1));
    let words =
        format!("the tag `v0.1.0` exists at `{older}`, but the version is closed at `{here}`");
    assert!(refused.trace.contains(&words), "{}", refused.trace);
    assert!(
        refused
            .trace
            .contains("delete the tag if it is wrong, or abort and prepare with another number"),
        "{}",
        refused.trace
    );
    let now = standing(&stage);
    assert_eq!(
        (now.releases, now.events.len(), now.deployments.len()),
        (0, 0, 0)
    );
    ask(&stage, Method::DELETE, "repository/tags/v0.1.0", json!({}));
    ask(
        &stage,
        Method::POST,
        "repository/tags",
        json!({"tag_name": "v0.1.0", "ref": here, "message": "by hand"}),
    );
    let retry = retried(&mut stage, "release-publish");
    assert_eq!(retry.exit_code, Some(0), "{}", retry.trace);
    assert_eq!(standing(&stage), done_once());
}

#[test]
fn a_protected_tag_names_the_setting_and_a_retry_goes_on_once_it_is_mended() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    ask(
        &stage,
        Method::POST,
        "protected_tags",
        json!({"name": "v*", "create_access_level": 0}),
    );
    stage.run();
    let refused = stage.last("release-publish");
    assert_eq!(refused.exit_code, Some(4));
    for words in [
        "GitLab does not let the user of `TRAINYARD_GATE_TOKEN` make the tag `v0.1.0` in `shop/web`: it is protected; nothing is tagged or published",
        "in Settings > Repository > Protected tags, allow that user or its role to create tags of this form, then retry the job",
    ] {
        assert!(refused.trace.contains(words), "{words}:\n{}", refused.trace);
    }
    assert_eq!((standing(&stage).tags, standing(&stage).releases), (0, 0));
    ask(&stage, Method::DELETE, "protected_tags/v*", json!({}));
    let retry = retried(&mut stage, "release-publish");
    assert_eq!(retry.exit_code, Some(0), "{}", retry.trace);
    assert_eq!(standing(&stage), done_once());
}

#[test]
fn one_publish_wins_and_the_other_says_who() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    // A job that has not ended: it takes the release and gets no further.
    let other = read(&stage, "jobs?scope[]=manual&per_page=100")[0]["id"]
        .as_u64()
        .unwrap();
    let down = Rule::new(Effect::Answer {
        status: 403,
        body: json!({"message": "403 Forbidden"}),
    });
    let rule = stage
        .world
        .emulator
        .faults()
        .add(down.on("POST", "projects/:id/releases"));
    let mut environment = stage.world.gate_environment();
    for (key, value) in &mut environment {
        if key == "CI_JOB_ID" {
            *value = other.to_string();
        }
    }
    let first = stage
        .world
        .program(&environment, &["release", "publish"])
        .unwrap();
    assert_eq!(first.code, Some(4), "{}", first.said);
    stage.world.emulator.faults().remove(rule);
    stage.run();
    let second = stage.last("release-publish");
    assert_eq!(second.exit_code, Some(1));
    for words in [
        "the release of version 0.1.0 is in the hands of another job; nothing was changed"
            .to_owned(),
        format!("it is job {other}"),
        "let it end, and run this again if it fails".to_owned(),
    ] {
        assert!(second.trace.contains(&words), "{words}:\n{}", second.trace);
    }
    assert_eq!(standing(&stage).tags, 0);
    ask(
        &stage,
        Method::POST,
        &format!("jobs/{other}/cancel"),
        json!({}),
    );
    let retry = retried(&mut stage, "release-publish");
    assert_eq!(retry.exit_code, Some(0), "{}", retry.trace);
    assert_eq!(standing(&stage), done_once());
}

#[test]
fn a_template_that_cannot_be_used_is_refused_before_anything_is_frozen() {
    let told = "  released_by: [release]\n  notes_template: .gitlab/notes.md\n";
    let template = "# {{ version }}\n\n{{ contributers }}\n";
    let mut stage = landed_with(
        &[("  released_by: [release]\n", told)],
        &[(".gitlab/notes.md", template)],
    );
    let words = "the template `.gitlab/notes.md` of the release notes cannot be used: line 3, `{{ contributers }}`: it uses a name that notes do not have";
    let preview = stage.gate(&["release", "preview"]);
    assert_eq!(preview.code, Some(2));
    assert!(preview.said.contains(words), "{}", preview.said);
    let closed = prepared(&mut stage);
    assert_eq!(closed.exit_code, Some(2));
    assert!(closed.trace.contains(words), "{}", closed.trace);
    assert!(
        closed.trace.contains("mend it on the target branch"),
        "{}",
        closed.trace
    );
    let version: serde_json::Value =
        serde_json::from_str(&stage.gate(&["version", "--json"]).said).unwrap();
    assert!(version["closing"].is_null());

    stage.run();
    assert!(
        stage
            .last("deploy-production")
            .trace
            .contains("release-prepare prepared no version, so nothing is deployed")
    );
    let aborted = stage.last("release-abort");
    assert!(
        aborted
            .trace
            .contains("this pipeline prepared no version; nothing was changed"),
        "{}",
        aborted.trace
    );
    assert_eq!(standing(&stage).events, [""; 0]);

    // One that prints more than GitLab keeps: cut, with a link, and said so.
    let long = "{% for one in range(90000) %}0123456789abcd\n{% endfor %}";
    stage.push_to_main(".gitlab/notes.md", long);
    let closed = prepared(&mut stage);
    assert_eq!(closed.exit_code, Some(0), "{}", closed.trace);
    stage.run();
    let published = stage.last("release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    assert!(
        published
            .trace
            .contains("the notes are longer than GitLab keeps: "),
        "{}",
        published.trace
    );
    let release = read(&stage, "releases/v0.1.0");
    let notes = release["description"].as_str().unwrap();
    assert!(
        notes.chars().count() <= 1_000_000
            && notes.contains("[Everything that changed](")
            && notes.ends_with("/-/commits/v0.1.0)")
    );
}

#[test]
fn a_pipeline_whose_version_was_refused_leaves_that_of_another_one_alone() {
    let mut stage = landed(TOLD);
    let pipeline = stage.newest_of_main();
    let first = stage.play_in("rita", pipeline, "release-prepare").unwrap();
    assert_eq!(first.exit_code, Some(0), "{}", first.trace);
    let waits = |job: &trainyard_emulator::JobInfo| job.pipeline_id != pipeline;
    stage.push_to_main("shop/hot.price", "1\n");
    let second = stage.newest_of_main();
    let refused = stage.play_in("rita", second, "release-prepare").unwrap();
    assert!(
        refused.trace.contains("version 0.1.0 is being released"),
        "{}",
        refused.trace
    );
    stage.world.run(waits);
    assert_eq!(stage.last("deploy-production").exit_code, Some(1));
    assert_eq!(stage.last("release-abort").exit_code, Some(1));
    assert_eq!(standing(&stage).events, [""; 0]);
    let other = stage.gate(&["release", "publish", "--prepared", "0.2.0"]);
    assert!(
        other.said.contains(
            "this pipeline prepared version 0.2.0, and 0.1.0 is the one that is being released"
        ),
        "{}",
        other.said
    );
    stage.run();
    assert_eq!(standing(&stage), done_once());
}

#[test]
fn an_empty_version_and_a_number_that_is_not_above_the_last_are_refused() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    stage.run();
    let pipeline = stage.newest_of_main();
    let said = stage.gate(&["release", "preview"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.said
            .contains("nothing has landed since the last release; there is nothing to release"),
        "{}",
        said.said
    );
    let before = standing(&stage);
    let empty = stage.play_in("rita", pipeline, "release-prepare");
    assert!(empty.is_none_or(|ran| ran.exit_code == Some(1)));
    assert_eq!(standing(&stage), before);
}
