//! A version goes out: what people read, that a job that dies anywhere is followed by a plain retry, and what is refused.

mod aborted;
mod dying;
mod hundred;
mod limits;
mod pinned;
mod previewed;
mod published;
mod refused;
mod started;
mod tagged;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard::domain::event::Fact;
use trainyard_emulator::FinishedJob;

use crate::stage::Stage;

const STORY: &str = "As a customer I want to pay by card, so that I need no cash.\n\n## Acceptance criteria\n\n- [x] charged once\n- [ ] refunds @all\n";

/// What the project says of its releases, beside who may release.
const TOLD: &str = "  released_by: [release]\n  changelog: CHANGELOG.md\n  links:\n  - {name: 'Shop {version}', url: 'https://shop.example/{tag}'}\n";

/// Two features and three change sets that landed: #1 is completed by !2, #2 is only begun. !4 still contributes to #1. A milestone
/// bears the number of the version.
fn landed(told: &str) -> Stage {
    landed_with(&[("  released_by: [release]\n", told)], &[])
}

fn landed_with(changes: &[(&str, &str)], files: &[(&str, &str)]) -> Stage {
    let mut stage = Stage::with_files(changes, files);
    stage.feature("Pay by card");
    stage.edit_feature(1, json!({ "description": STORY }));
    stage.feature("Gift wrapping");
    let milestone = json!({"title": "0.1.0"});
    let milestones = stage.world.at("milestones");
    stage
        .world
        .ask("root", Method::POST, &milestones, milestone)
        .unwrap();
    stage.merge_request("ana", "contributes to feature #1");
    let closer = stage.merge_request("dan", "closes feature #1");
    stage.merge_request("eve", "contributes to feature #2");
    stage.run();
    stage.play("olga", closer, "validate:po");
    stage.play("quentin", closer, "validate:qa");
    stage.run();
    for (author, iid) in [("ana", 1), ("dan", closer), ("eve", 3)] {
        stage.world.play(author, iid, "integrate").unwrap();
        stage.run_but("nrt-acquire");
    }
    stage.run();
    for iid in 1..=3 {
        assert_eq!(stage.state(iid), "merged", "!{iid}");
    }
    stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage
}

/// The version is closed and deployed; what comes next waits.
fn prepared(stage: &mut Stage) -> FinishedJob {
    let pipeline = stage.newest_of_main();
    let ran = stage.play_in("rita", pipeline, "release-prepare").unwrap();
    stage.world.run(|job| !job.name.starts_with("release-"));
    ran
}

/// Somebody presses "retry" on the last run of a job; returns the new run.
fn retried(stage: &mut Stage, name: &str) -> FinishedJob {
    let job = stage.last(name).id;
    let path = stage.world.at(&format!("jobs/{job}/retry"));
    stage
        .world
        .ask("rita", Method::POST, &path, json!({}))
        .unwrap();
    stage.run();
    stage.last(name)
}

fn read(stage: &Stage, path: &str) -> Value {
    stage.world.read("root", &stage.world.at(path)).unwrap()
}

/// A file of the default branch.
pub(crate) fn file(stage: &Stage, path: &str) -> Option<String> {
    let path = stage.world.at(&format!("repository/files/{path}?ref=main"));
    let found = stage.world.read("root", &path).ok()?;
    let bytes = STANDARD.decode(found["content"].as_str()?).unwrap();
    Some(String::from_utf8(bytes).unwrap())
}

/// What is there of version 0.1.0, to be compared.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    tags: usize,
    releases: usize,
    deployments: Vec<String>,
    milestone: String,
    features: Vec<String>,
    /// Notes of ours on each merge request, then on each feature.
    notes: Vec<usize>,
    /// Merge requests and features whose note names the version.
    told: usize,
    changelog: usize,
    commits: usize,
    events: Vec<&'static str>,
}

fn standing(stage: &Stage) -> Standing {
    let count = |value: &Value| value.as_array().unwrap().len();
    let texts = |value: Value, key: &str| -> Vec<String> {
        let all = value.as_array().unwrap().iter();
        all.map(|one| one[key].as_str().unwrap().to_owned())
            .collect()
    };
    let mut notes = Vec::new();
    let mut told = 0;
    for place in [
        "merge_requests/1",
        "merge_requests/2",
        "merge_requests/3",
        "issues/1",
        "issues/2",
    ] {
        let all = read(stage, &format!("{place}/notes?per_page=100"));
        let ours = all.as_array().unwrap().iter().filter(|note| {
            note["author"]["username"] == "trainyard-bot" && note["system"] == false
        });
        let bodies: Vec<&str> = ours.map(|note| note["body"].as_str().unwrap()).collect();
        notes.push(bodies.len());
        let names = |body: &&&str| {
            body.contains("In production with version 0.1.0 (environment `production`)")
        };
        told += bodies.iter().filter(names).count();
    }
    let commits = read(stage, "repository/commits?ref_name=main&per_page=100");
    let of_changelog = commits.as_array().unwrap().iter().filter(|commit| {
        commit["message"]
            .as_str()
            .unwrap()
            .contains("Trainyard-Release: 0.1.0")
    });
    let about = |fact: &Fact| {
        let of_a_release = matches!(
            fact,
            Fact::VersionDeployed { .. }
                | Fact::VersionReleased { .. }
                | Fact::VersionAnnounced { .. }
                | Fact::ReleaseFailed { .. }
        );
        of_a_release.then(|| fact.name())
    };
    Standing {
        tags: count(&read(stage, "repository/tags")),
        releases: count(&read(stage, "releases")),
        deployments: texts(read(stage, "deployments?environment=production"), "status"),
        milestone: read(stage, "milestones")[0]["state"]
            .as_str()
            .unwrap()
            .to_owned(),
        features: texts(read(stage, "issues?sort=asc"), "state"),
        notes,
        told,
        changelog: file(stage, "CHANGELOG.md")
            .unwrap_or_default()
            .matches("## [0.1.0]")
            .count(),
        commits: of_changelog.count(),
        events: stage.facts().iter().filter_map(about).collect(),
    }
}

/// What there is when everything was done once.
fn done_once() -> Standing {
    Standing {
        tags: 1,
        releases: 1,
        deployments: vec!["success".to_owned()],
        milestone: "closed".to_owned(),
        features: vec!["closed".to_owned(), "opened".to_owned()],
        notes: vec![1, 1, 1, 1, 1],
        told: 5,
        changelog: 1,
        commits: 1,
        events: vec!["VersionDeployed", "VersionReleased", "VersionAnnounced"],
    }
}
