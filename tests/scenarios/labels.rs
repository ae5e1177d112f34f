//! Labels that show where things stand: they follow the story, only ours come and go, and none of them ever decides or stops anything.

use serde_json::{Value, json};
use trainyard_emulator::faults::{Effect, Rule};

use crate::stage::Stage;

const LABELS: &str = "labels:
  merge_request: {linked: mr-linked, awaiting_validation: mr-awaited, validated: mr-validated, rejected: mr-rejected, queued: mr-queued, in_trial: mr-trial, landed: mr-landed, released: mr-released}
  feature: {linked: begun, awaiting_validation: awaited, validated: validated, rejected: rejected, queued: queued, in_trial: trial, landed: landed, released: released}
versions:";

fn stage() -> Stage {
    Stage::with(&[("versions:", LABELS)])
}

impl Stage {
    fn labels(&self, path: &str) -> Vec<String> {
        let found = self.world.read("olga", &self.world.at(path)).unwrap();
        let mut labels: Vec<String> = found["labels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|label| label.as_str().unwrap().to_owned())
            .collect();
        labels.sort();
        labels
    }

    fn of_merge_request(&self, iid: u64) -> Vec<String> {
        self.labels(&format!("merge_requests/{iid}"))
    }

    fn of_feature(&self, iid: u64) -> Vec<String> {
        self.labels(&format!("issues/{iid}"))
    }

    /// How often somebody asked for a change of a merge request or an issue.
    fn writes(&self) -> usize {
        let requests = self.world.emulator.requests();
        let edit = |path: &str| {
            let last = path.rsplit('/').nth(1).unwrap_or_default();
            matches!(last, "merge_requests" | "issues")
        };
        requests
            .iter()
            .filter(|request| request.method == "PUT" && edit(&request.path))
            .count()
    }

    fn requests_of(&self, job: u64) -> usize {
        let ran = self.world.ran.iter().find(|ran| ran.finished.id == job);
        ran.unwrap().requests
    }
}

#[test]
fn labels_follow_a_closing_merge_request_into_production() {
    let mut stage = stage();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "closes feature #1");
    stage.edit_merge_request("ana", iid, json!({"add_labels": "urgent"}));
    stage.run();
    assert_eq!(stage.of_merge_request(iid), ["mr-awaited", "urgent"]);
    assert_eq!(stage.of_feature(1), ["awaited", "feature"]);
    stage.play("olga", iid, "validate:po");
    stage.play("quentin", iid, "validate:qa");
    stage.run();
    assert_eq!(stage.of_merge_request(iid), ["mr-validated", "urgent"]);
    assert_eq!(stage.of_feature(1), ["feature", "validated"]);
    stage.play("ana", iid, "integrate");
    stage.world.run(|job| job.name == "nrt-admit");
    assert_eq!(stage.of_merge_request(iid), ["mr-queued", "urgent"]);
    stage.run_but("nrt-tests");
    assert_eq!(stage.of_merge_request(iid), ["mr-trial", "urgent"]);
    assert_eq!(stage.of_feature(1), ["feature", "trial"]);
    stage.run();
    assert_eq!(stage.of_merge_request(iid), ["mr-landed", "urgent"]);
    let pipeline = stage.newest_of_main();
    let prepared = stage.play_in("rita", pipeline, "release-prepare").unwrap();
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    stage.run();
    assert_eq!(stage.of_merge_request(iid), ["mr-released", "urgent"]);
    assert_eq!(stage.of_feature(1), ["feature", "released"]);
}

#[test]
fn rejections_show_and_a_contributing_merge_request_only_begins_a_feature() {
    let mut stage = stage();
    stage.feature("Wanted");
    let begun = stage.merge_request_with(
        "dan",
        "contributes to feature #1",
        &[("shop/bad.price", "x\n")],
    );
    stage.run();
    assert_eq!(stage.of_merge_request(begun), ["mr-linked"]);
    assert_eq!(stage.of_feature(1), ["begun", "feature"]);
    stage.integrate("dan", begun);
    stage.run();
    assert_eq!(
        stage.of_merge_request(begun),
        ["mr-rejected"],
        "its tests failed"
    );
    assert_eq!(
        stage.of_feature(1),
        ["begun", "feature"],
        "the feature is not"
    );
    let closing = stage.merge_request("ana", "closes feature #1");
    stage.run();
    stage.play("olga", closing, "reject:po");
    assert_eq!(stage.of_merge_request(closing), ["mr-rejected"]);
    assert_eq!(stage.of_feature(1), ["feature", "rejected"]);
    let second = stage.merge_request("dan", "closes feature #1");
    stage.run();
    assert!(
        stage.of_merge_request(second).is_empty(),
        "its link is refused"
    );
    assert_eq!(stage.of_feature(1), ["feature", "rejected"]);
}

#[test]
fn what_a_person_changed_by_hand_is_set_right_and_what_is_right_is_not_written() {
    let mut stage = stage();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    let first = stage.ran("link-check", iid);
    assert_eq!(
        stage.writes(),
        2,
        "one on each, labels that do not exist yet included"
    );
    assert!(
        stage.requests_of(first.id) <= 5 + 2,
        "{}",
        stage.requests_of(first.id)
    );
    stage.push_again("ana", iid);
    let again = stage.ran("link-check", iid);
    assert_eq!(stage.writes(), 2, "nothing to write");
    assert!(
        stage.requests_of(again.id) <= 5,
        "{}",
        stage.requests_of(again.id)
    );
    stage.edit_merge_request(
        "ana",
        iid,
        json!({"remove_labels": "mr-linked", "add_labels": "mr-landed,mine"}),
    );
    let before = stage.writes();
    stage.push("ana", iid, &[("shop/other.price", "6\n")]);
    stage.run();
    assert_eq!(stage.of_merge_request(iid), ["mine", "mr-linked"]);
    assert_eq!(stage.writes(), before + 1);
}

#[test]
fn a_label_decides_nothing() {
    let mut stage = stage();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "closes feature #1");
    stage.edit_merge_request("ana", iid, json!({"add_labels": "mr-validated,mr-landed"}));
    stage.run();
    let refused = stage.admit(iid);
    assert!(
        refused.code == Some(1) && refused.said.contains("not validated"),
        "{}",
        refused.said
    );
}

#[test]
fn a_label_that_cannot_be_written_is_told_and_stops_nothing() {
    let mut stage = stage();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    let refuse = Rule::new(Effect::Answer {
        status: 403,
        body: json!({"message": "403 Forbidden"}),
    });
    let refuse = refuse.on("PUT", "projects/:id/merge_requests/:merge_request_iid");
    stage.world.emulator.faults().add(refuse);
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert!(
        ran.trace
            .contains("the labels of !1 or its features are not up to date"),
        "{}",
        ran.trace
    );
    stage.integrate("ana", iid);
    stage.run();
    assert_eq!(stage.state(iid), "merged", "merging is another request");
}

#[test]
fn without_configuration_nobody_touches_a_label() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run();
    assert!(stage.of_merge_request(iid).is_empty());
    let labels: Value = stage.world.read("olga", &stage.world.at("labels")).unwrap();
    assert_eq!(labels.as_array().unwrap().len(), 1, "{labels}");
    assert_eq!(stage.writes(), 0);
}
