//! What a release of a hundred change sets costs GitLab.

use gitlab::api::endpoint_prelude::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use trainyard::clock::SystemClock;
use trainyard::config::ci::Secret;
use trainyard::domain::event::{Event, Fact};
use trainyard::domain::ids::{
    CommitSha, FeatureId, JobId, MergeRequestId, ProjectPath, TrialId, VersionId,
};
use trainyard::domain::integration::{ChangeSet, Priority};
use trainyard::domain::linking::{Link, LinkKind};
use trainyard::domain::versioning::packages::Spread;
use trainyard::domain::versioning::{Appended, Number};
use trainyard::gitlab::client::{Client, Token};
use trainyard::gitlab::state::VariableJournal;
use trainyard::ports::{Append, Journal};

use super::read;
use crate::archive::archive_and_remove;
use crate::stage::Stage;

const MANY: u64 = 100;
/// How many landed together.
const BATCH: u64 = 5;
/// No job ever runs: what counts is the release.
const NO_JOBS: &str = "nothing:\n  script: ['true']\n  rules: [{when: never}]\n";

static CLOCK: SystemClock = SystemClock;

fn home() -> ProjectPath {
    "shop/web".parse().unwrap()
}

fn change_set(iid: u64, head: &CommitSha) -> ChangeSet {
    ChangeSet {
        merge_request: MergeRequestId {
            project: home(),
            iid,
        },
        head: head.clone(),
        target: "main".parse().unwrap(),
        title: format!("Change {iid} of many, with a title as people write them"),
        author: "ana".parse().unwrap(),
        links: vec![Link {
            feature: FeatureId {
                project: home(),
                iid,
            },
            kind: LinkKind::Closes,
        }],
        verdicts: Vec::new(),
        breaking: false,
        priority: Priority::Normal,
        requested_at: Timestamp::UNIX_EPOCH,
        requested_by: JobId(iid),
        note: None,
    }
}

/// The log of a version of a hundred change sets, which landed in batches and wait for the end of the deployment: an entry for each
/// that was queued, and two for each batch.
fn entries(head: &CommitSha) -> Vec<Vec<Fact>> {
    let mut entries: Vec<Vec<Fact>> = (1..=MANY)
        .map(|iid| {
            vec![Fact::ChangeSetQueued {
                change_set: change_set(iid, head),
            }]
        })
        .collect();
    for batch in 0..MANY / BATCH {
        let trial = TrialId(batch + 1);
        entries.push(vec![Fact::TrialValidated { trial }]);
        let landed = (batch * BATCH + 1..=(batch + 1) * BATCH).map(|iid| Fact::ChangeSetAppended {
            version: VersionId(1),
            appended: Appended {
                change_set: change_set(iid, head),
                landed: head.clone(),
                trial,
                base: None,
                spread: Spread::default(),
                at: Timestamp::UNIX_EPOCH,
            },
        });
        entries.push(landed.collect());
    }
    entries.push(vec![
        Fact::VersionClosed {
            version: VersionId(1),
            number: Number::of_tag("v0.1.0", "v").unwrap(),
            commit: head.clone(),
            content: (1..=MANY)
                .map(|iid| MergeRequestId {
                    project: home(),
                    iid,
                })
                .collect(),
            kept: Vec::new(),
            closed_by: Some("rita".parse().unwrap()),
            around: Vec::new(),
            manifest: None,
            through_freeze: None,
        },
        Fact::VersionOpened {
            version: VersionId(2),
        },
    ]);
    entries
}

/// A project with a hundred features and merge requests, whose version of all of them is deployed.
pub(super) fn deployed(told: &str) -> Stage {
    let stage = Stage::with_files(
        &[("  released_by: [release]\n", told)],
        &[(".gitlab-ci.yml", NO_JOBS)],
    );
    let ask = |method, path: &str, body| {
        let path = stage.world.at(path);
        stage.world.ask("root", method, &path, body).unwrap()
    };
    for number in 1..=MANY {
        ask(
            Method::POST,
            "issues",
            json!({"title": format!("Feature {number}"), "labels": "feature", "description": super::STORY}),
        );
        let branch = format!("many-{number}");
        let action =
            json!({"action": "create", "file_path": format!("many/{number}"), "content": "1\n"});
        ask(
            Method::POST,
            "repository/commits",
            json!({"branch": branch, "start_branch": "main", "commit_message": "One of many", "actions": [action]}),
        );
        ask(
            Method::POST,
            "merge_requests",
            json!({"source_branch": branch, "target_branch": "main", "title": "One of many"}),
        );
    }
    let project = stage.world.at("");
    let id = stage
        .world
        .read("root", project.trim_end_matches('/'))
        .unwrap()["id"]
        .as_u64()
        .unwrap();
    let base = format!("{}/api/v4/", stage.world.emulator.url())
        .parse()
        .unwrap();
    let token = Secret::new(stage.world.token("trainyard-bot").unwrap().to_owned());
    let client = Client::new(&base, Token::Gate, token, None, &CLOCK).unwrap();
    let journal = VariableJournal::new(&client, &CLOCK, id, "nrt", "seed");
    let head = read(&stage, "repository/branches/main")["commit"]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let now = read(&stage, "repository/branches/main")["commit"]["committed_date"]
        .as_str()
        .unwrap()
        .parse::<Timestamp>()
        .unwrap();
    let mut revision = 0;
    for facts in entries(&head) {
        let events: Vec<Event> = facts
            .into_iter()
            .map(|fact| {
                Event::new(
                    &home(),
                    now + SignedDuration::from_secs(1),
                    None,
                    Some(JobId(9)),
                    fact,
                )
            })
            .collect();
        let Append::Recorded(log) = journal.append_unproved(revision, &events).unwrap() else {
            panic!("nobody else writes")
        };
        revision = log.revision;
    }
    stage
}

/// The requests that publishing makes.
fn published(stage: &Stage) -> Vec<String> {
    stage.world.emulator.clear_requests();
    let said = stage.gate(&["release", "publish"]);
    assert_eq!(said.code, Some(0), "{}", said.said);
    assert!(
        said.said.contains("100 features completed and closed"),
        "{}",
        said.said
    );
    let requests = stage.world.emulator.requests();
    let api = requests.iter().filter(|one| one.path.starts_with("/api/"));
    api.map(|one| {
        let path = one.path.split('?').next().unwrap_or_default();
        format!("{} {path}", one.method)
    })
    .collect()
}

#[test]
fn a_hundred_change_sets_with_notes_on_everything_cost_fewer_requests_than_each_of_them_one() {
    let stage = deployed("  released_by: [release]\n");
    let asked = published(&stage);
    assert!(asked.len() <= 38, "{}", asked.join("\n"));
    for iid in [1, 57, MANY] {
        let note = stage.notes(iid).concat();
        assert!(
            note.contains("**In production with version 0.1.0 (environment `production`).**"),
            "!{iid}: {note}"
        );
        let issue = read(&stage, &format!("issues/{iid}"));
        assert_eq!(issue["state"], "closed", "#{iid}");
        let notes = read(&stage, &format!("issues/{iid}/notes"));
        assert!(
            notes
                .to_string()
                .contains("In production with version 0.1.0"),
            "#{iid}"
        );
    }
    let facts = stage.facts();
    assert!(matches!(facts.last(), Some(Fact::VersionAnnounced { .. })));
}

#[test]
fn without_notes_they_cost_a_dozen_requests_and_the_archive_is_among_them() {
    let stage = deployed("  released_by: [release]\n  notices: none\n");
    let asked = published(&stage);
    let project = "/api/v4/projects/1";
    let package = |request: &String| request.contains("/packages/generic/trainyard-events/");
    let (packed, others): (Vec<_>, Vec<_>) = asked.iter().cloned().partition(package);
    assert_eq!(packed.len(), 2, "{}", asked.join("\n"));
    assert_eq!(
        others,
        [
            // The rules and the log, which is longer than a page.
            "POST /api/graphql".to_owned(),
            "POST /api/graphql".to_owned(),
            // Everything that is looked at.
            "POST /api/graphql".to_owned(),
            // The release is this job's.
            format!("POST {project}/variables"),
            format!("POST {project}/deployments"),
            format!("POST {project}/releases"),
            // A hundred features are closed.
            "POST /api/graphql".to_owned(),
            // Deployed, released, announced.
            format!("POST {project}/variables"),
            // The base in place of the log's beginning, in two variables.
            format!("POST {project}/variables"),
            format!("POST {project}/variables"),
        ],
        "{}",
        asked.join("\n")
    );
    for iid in [1, 57, MANY] {
        let issue = read(&stage, &format!("issues/{iid}"));
        assert_eq!(issue["state"], "closed", "#{iid}");
    }
    let facts = stage.facts();
    assert!(matches!(facts.last(), Some(Fact::VersionAnnounced { .. })));
}

#[test]
fn where_tick_keeps_the_log_and_the_deployment_job_its_record_ten_requests_are_enough() {
    let stage = deployed("  released_by: [release]\n  notices: none\n");
    archive_and_remove(&stage);
    let head = read(&stage, "repository/branches/main")["commit"]["id"].clone();
    let record = json!({"environment": "production", "sha": head, "ref": "main", "tag": false, "status": "success"});
    let path = stage.world.at("deployments");
    stage
        .world
        .ask("root", Method::POST, &path, record)
        .unwrap();
    let asked = published(&stage);
    assert!(asked.len() <= 10, "{}", asked.join("\n"));
    let archived = "/packages/generic/trainyard-events/";
    assert!(
        asked.iter().any(|request| request.contains(archived)),
        "{}",
        asked.join("\n")
    );
    assert_eq!(read(&stage, &format!("issues/{MANY}"))["state"], "closed");
    assert!(matches!(
        stage.facts().last(),
        Some(Fact::VersionAnnounced { .. })
    ));
}
