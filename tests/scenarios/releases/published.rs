//! What people find when a version is out.

use serde_json::json;
use trainyard::domain::event::Fact;
use trainyard_emulator::faults::{Effect, Rule};

use super::{TOLD, done_once, file, landed, prepared, read, retried, standing};
use crate::stage::Stage;

#[test]
fn a_release_tells_what_it_brings_everywhere_and_once() {
    let mut stage = landed(TOLD);
    let closed = prepared(&mut stage);
    assert_eq!(closed.exit_code, Some(0), "{}", closed.trace);
    stage.run();
    let published = stage.last("release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    for line in [
        "version 0.1.0 is released: ",
        "1 feature completed and closed",
        "milestone `0.1.0` closed",
        "`CHANGELOG.md` holds version 0.1.0",
    ] {
        assert!(
            published.trace.contains(line),
            "{line}:\n{}",
            published.trace
        );
    }
    assert_eq!(standing(&stage), done_once());

    let release = read(&stage, "releases/v0.1.0");
    let day = &release["created_at"].as_str().unwrap()[..10];
    let expected = format!(
        "## Features\n\n\
         - **Pay by card (#1)**\n  \
           - what for: I need no cash.\n  \
           - !1 A change by `ana`\n  \
           - !2 A change by `dan`\n  \
           - validated by `olga` (po, {day}), `quentin` (qa, {day})\n  \
           - left over, a criterion that is not ticked: refunds @\u{2060}all\n  \
           - left over, still open: !4 A change by `ana`\n\n\
         ## Work on features to come\n\n\
         - **Gift wrapping (#2)**\n  \
           - !3 A change by `eve`\n\n\
         Version 0.1.0: 3 change sets by `ana`, `dan`, `eve`, each validated in the non-regression environment ("
    );
    let notes = release["description"].as_str().unwrap();
    assert!(notes.starts_with(&expected), "{notes}");
    assert_eq!(release["milestones"][0]["title"], "0.1.0");
    let link = &release["assets"]["links"][0];
    assert_eq!(
        (&link["name"], &link["url"]),
        (&json!("Shop 0.1.0"), &json!("https://shop.example/v0.1.0"))
    );

    let tag = read(&stage, "repository/tags/v0.1.0");
    let message = tag["message"].as_str().unwrap();
    assert!(
        message.starts_with("Version 0.1.0\n\nFeatures:\n- Pay by card (#1): !1, !2\n"),
        "{message}"
    );
    assert!(
        message.contains("\nTrainyard-Version: 0.1.0\nTrainyard-Manifest: sha256:"),
        "{message}"
    );

    let changelog = file(&stage, "CHANGELOG.md").unwrap();
    let section = format!(
        "/-/releases/v0.1.0) - {day}\n\n- Pay by card (#1) (!1, !2)\n- Work on Gift wrapping (#2) (!3)\n"
    );
    assert!(
        changelog.starts_with("# Changelog\n\n## [0.1.0](") && changelog.ends_with(&section),
        "{changelog}"
    );
    let pipelines = read(&stage, "pipelines?ref=main&source=push");
    let head = read(&stage, "repository/branches/main")["commit"]["id"].clone();
    let of_head = pipelines
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["sha"] == head && one["status"] != "skipped");
    assert_eq!(
        of_head.count(),
        0,
        "the commit of the changelog starts no pipeline"
    );

    let again = retried(&mut stage, "release-publish");
    assert!(again.trace.contains("nothing changed"), "{}", again.trace);
    assert_eq!(standing(&stage), done_once());

    let later = stage.merge_request("dan", "contributes to feature #2");
    stage.integrate("dan", later);
    stage.run();
    assert_eq!(stage.state(later), "merged");
    let next = prepared(&mut stage);
    assert_eq!(next.exit_code, Some(0), "{}", next.trace);
    assert!(!next.trace.contains("around the gate"), "{}", next.trace);
    assert_eq!(stage.world.emulator.unknown_requests(), []);
}

#[test]
fn what_cannot_be_told_after_the_tag_is_pending_and_a_later_look_goes_on_with_it() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    let refused = Effect::Answer {
        status: 403,
        body: json!({"message": "403 Forbidden"}),
    };
    let notes = Rule::new(refused.clone())
        .on("POST", "graphql")
        .of_job("release-publish");
    stage.world.emulator.faults().add(notes.times(100));
    let commits = Rule::new(refused).on("POST", "projects/:id/repository/commits");
    stage
        .world
        .emulator
        .faults()
        .add(commits.of_job("release-publish"));
    stage.run();
    let published = stage.last("release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    for line in [
        "version 0.1.0 is released: ",
        "; 5 notices pending, which a later job or a retry of this one gives",
        "features are not closed: ",
        "allow the gate's user to push to `main`",
    ] {
        assert!(
            published.trace.contains(line),
            "{line}:\n{}",
            published.trace
        );
    }
    let now = standing(&stage);
    assert_eq!((now.tags, now.releases, now.told), (1, 1, 0));
    assert_eq!(now.events, ["VersionDeployed", "VersionReleased"]);
    stage.world.emulator.faults().clear();
    let ticked = stage.gate(&["tick"]);
    assert_eq!(ticked.code, Some(0), "{}", ticked.said);
    assert!(
        ticked
            .said
            .contains("what was left to do after its release is done now"),
        "{}",
        ticked.said
    );
    assert_eq!(standing(&stage), done_once());
    let quiet = stage.gate(&["tick"]);
    assert!(!quiet.said.contains("0.1.0"), "{}", quiet.said);
}

#[test]
fn the_changelog_waits_for_a_trial_that_would_be_in_vain_otherwise() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    let but = |stage: &mut Stage, names: &[&str]| {
        stage.world.run(|job| !names.contains(&job.name.as_str()));
    };
    stage.world.play("ana", 4, "integrate").unwrap();
    but(&mut stage, &["release-publish", "nrt-tests"]);
    but(&mut stage, &["nrt-tests"]);
    let published = stage.last("release-publish");
    assert!(
        published.trace.contains("; 1 notice pending"),
        "{}",
        published.trace
    );
    assert!(
        published
            .trace
            .contains("`CHANGELOG.md` is written when trial "),
        "{}",
        published.trace
    );
    assert_eq!(file(&stage, "CHANGELOG.md"), None);
    let ticked = stage.gate(&["tick"]);
    assert_eq!(
        (ticked.code, file(&stage, "CHANGELOG.md")),
        (Some(0), None),
        "{}",
        ticked.said
    );
    stage.run();
    assert_eq!(stage.state(4), "merged");
    let tried = stage.facts().into_iter().filter(|fact| {
        matches!(fact, Fact::TrialStarted { change_sets, .. } if change_sets.iter().any(|id| id.iid == 4))
    });
    assert_eq!(tried.count(), 1, "no trial was in vain");
    let ticked = stage.gate(&["tick"]);
    assert_eq!(ticked.code, Some(0), "{}", ticked.said);
    assert!(file(&stage, "CHANGELOG.md").unwrap().contains("## [0.1.0]"));
}

#[test]
fn a_changelog_that_somebody_edits_meanwhile_keeps_their_words() {
    let mut stage = landed(TOLD);
    stage.push_to_main(
        "CHANGELOG.md",
        "# Our changes\n\n## Unreleased\n\n- by hand\n",
    );
    prepared(&mut stage);
    // The first commit is made and its answer is lost; the second attempt finds it.
    let lost = Rule::new(Effect::ResetAfter).on("POST", "projects/:id/repository/commits");
    stage.world.emulator.faults().add(lost.times(1));
    stage.run();
    let changelog = file(&stage, "CHANGELOG.md").unwrap();
    assert!(
        changelog.starts_with("# Our changes\n\n## Unreleased\n\n- by hand\n\n## [0.1.0]("),
        "{changelog}"
    );
    let retry = retried(&mut stage, "release-publish");
    assert!(retry.trace.contains("is done now"), "{}", retry.trace);
    assert_eq!(
        (standing(&stage).changelog, standing(&stage).commits),
        (1, 1)
    );
}

#[test]
fn a_project_tells_by_its_own_template_and_only_where_it_wants() {
    let told =
        "  released_by: [release]\n  notes_template: .gitlab/notes.md\n  notices: features\n";
    let template = "# Shop {{ version }}\n{% for one in completed %}\n* {{ one.name }}: {{ one.benefit }}\n{% endfor %}\n";
    let mut stage = super::landed_with(
        &[("  released_by: [release]\n", told)],
        &[(".gitlab/notes.md", template)],
    );
    let preview = stage.gate(&["release", "preview"]);
    assert!(
        preview
            .said
            .contains("# Shop 0.1.0\n  * Pay by card (#1): I need no cash."),
        "{}",
        preview.said
    );
    prepared(&mut stage);
    stage.run();
    let release = read(&stage, "releases/v0.1.0");
    assert_eq!(
        release["description"],
        "# Shop 0.1.0\n* Pay by card (#1): I need no cash."
    );
    let notes = stage.notes(2).concat();
    assert!(notes.contains("Landed: in version #1"), "{notes}");
    assert_eq!(standing(&stage).told, 2, "the features say it");
}
