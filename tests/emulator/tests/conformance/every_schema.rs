//! Every response schema of GitLab's that is at hand, against an answer of the emulator: none is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::ci_world::CiWorld;
use crate::schemas;

/// Schemas that describe no answer of the API, and why they are not checked.
const NO_ANSWERS: &[(&str, &str)] = &[
    (
        "variable.json",
        "the variables page of the web interface, not the API",
    ),
    (
        "variables.json",
        "the variables page of the web interface, not the API",
    ),
    ("http_method.json", "only used by `status/action.json`"),
    ("status/action.json", "the buttons of the web interface"),
    (
        "status/illustration.json",
        "the pictures of the web interface",
    ),
    (
        "public_api/v4/membership.json",
        "of a controller of the web interface; no field is obligatory",
    ),
];

const CONFIGURATION: &str = "
build:
  script: [mkdir out, echo x > out/file]
  artifacts: { paths: [out] }
deploy:
  stage: deploy
  script: [echo deployed]
  environment: { name: production, url: https://shop.example }
";

/// An answer for each schema, by the file of the schema.
fn answers() -> Vec<(&'static str, Value)> {
    let ci = CiWorld::new(CONFIGURATION);
    let root = &ci.world.root;
    let make = |tail: &str, body: Value| {
        let reply = root.post(&ci.path(tail), body);
        assert!(reply.status < 300, "{tail}: {}", reply.text);
        reply.json()
    };
    let list = |tail: &str| {
        let reply = root.get(&ci.path(tail));
        assert_eq!(reply.status, 200, "{tail}: {}", reply.text);
        reply.json()
    };
    let pipeline = ci.latest();
    ci.run_all();
    make("labels", json!({ "name": "feature", "color": "#428BCA" }));
    let milestone = make(
        "milestones",
        json!({ "title": "v1", "due_date": "2026-12-24" }),
    );
    for title in ["one", "two"] {
        let issue = json!({ "title": title, "labels": "feature", "milestone_id": milestone["id"] });
        make("issues", issue);
    }
    let link = make(
        "issues/1/links",
        json!({ "target_project_id": ci.project, "target_issue_iid": 2 }),
    );
    make("issues/1/notes", json!({ "body": "a note" }));
    ci.push("topic", &[("topic", "1")]);
    let branches = json!({ "source_branch": "topic", "target_branch": "main", "title": "Topic" });
    make("merge_requests", branches);
    ci.world.emulator.settle();
    let release = json!({
        "tag_name": "v1", "ref": "main", "description": "All of it", "milestones": ["v1"],
        "assets": { "links": [{ "name": "site", "url": "https://shop.example" }] },
    });
    make("releases", release);
    let freeze = json!({ "freeze_start": "0 23 * * 5", "freeze_end": "0 7 * * 1" });
    make("freeze_periods", freeze);
    let head = ci.git(&["rev-parse", "HEAD"]);
    let commit = list(&format!("repository/commits/{}", head.trim()));
    let jobs = list(&format!("pipelines/{pipeline}/jobs"));
    let of = |name: &str| {
        let found = jobs
            .as_array()
            .unwrap()
            .iter()
            .find(|job| job["name"] == name);
        found.unwrap().clone()
    };
    let build = of("build");
    let detail = list(&format!("pipelines/{pipeline}"));
    let environment = &list("environments")[0]["id"];
    let release = list("releases/v1");
    let with_stats = release["milestones"][0].clone();
    let issue = list("issues/1");
    let label = list("labels")[0].clone();
    vec![
        ("public_api/v4/artifact.json", build["artifacts"][0].clone()),
        (
            "public_api/v4/artifact_file.json",
            build["artifacts_file"].clone(),
        ),
        (
            "public_api/v4/branch.json",
            list("repository/branches/main"),
        ),
        (
            "public_api/v4/commit/basic.json",
            list("repository/commits")[0].clone(),
        ),
        ("public_api/v4/commit_stats.json", commit["stats"].clone()),
        ("public_api/v4/commit/detail.json", commit),
        (
            "public_api/v4/deployment.json",
            list("deployments")[0].clone(),
        ),
        (
            "public_api/v4/environment.json",
            list(&format!("environments/{environment}")),
        ),
        ("public_api/v4/environments.json", list("environments")),
        ("public_api/v4/freeze_period.json", list("freeze_periods/1")),
        ("public_api/v4/freeze_periods.json", list("freeze_periods")),
        ("public_api/v4/issue_link.json", link),
        ("public_api/v4/issues.json", list("issues")),
        ("public_api/v4/user/basic.json", issue["author"].clone()),
        ("public_api/v4/issue.json", issue),
        ("public_api/v4/job.json", build.clone()),
        ("public_api/v4/labels/project_label.json", label.clone()),
        ("label_basic.json", label.clone()),
        ("public_api/v4/label_basic.json", label.clone()),
        ("public_api/v4/labels/label.json", label),
        ("public_api/v4/members.json", list("members/all")),
        (
            "public_api/v4/merge_request.json",
            list("merge_requests")[0].clone(),
        ),
        (
            "public_api/v4/merge_request_simple.json",
            list("merge_requests?view=simple")[0].clone(),
        ),
        (
            "public_api/v4/milestone.json",
            list("milestones")[0].clone(),
        ),
        ("public_api/v4/milestone_with_stats.json", with_stats),
        (
            "public_api/v4/notes.json",
            list("issues/1/notes?activity_filter=only_comments"),
        ),
        (
            "public_api/v4/pipeline/basic.json",
            list("pipelines")[0].clone(),
        ),
        (
            "status/ci_detailed_status.json",
            detail["detailed_status"].clone(),
        ),
        ("public_api/v4/pipeline/detail.json", detail),
        (
            "public_api/v4/project.json",
            root.get(&format!("projects/{}", ci.project)).json(),
        ),
        ("public_api/v4/releases.json", list("releases")),
        (
            "public_api/v4/release/evidence.json",
            release["evidences"][0].clone(),
        ),
        ("public_api/v4/release.json", release),
        ("public_api/v4/runner.json", build["runner"].clone()),
        (
            "public_api/v4/runner_manager.json",
            build["runner_manager"].clone(),
        ),
        (
            "release/link.json",
            list("releases/v1/assets/links")[0].clone(),
        ),
        ("release/links.json", list("releases/v1/assets/links")),
        (
            "types/nullable_string.json",
            list("milestones/1")["description"].clone(),
        ),
    ]
}

#[test]
fn every_schema_at_hand_fits_an_answer() {
    let Some(folder) = schemas::folder("every schema") else {
        return;
    };
    let answers = answers();
    let mut known: BTreeSet<String> = NO_ANSWERS
        .iter()
        .map(|(file, _)| (*file).to_owned())
        .collect();
    for (schema, answer) in &answers {
        if folder.join(schema).exists() {
            assert!(
                !answer.is_null() || schema.contains("nullable"),
                "{schema}: no answer"
            );
            schemas::check(schema, answer);
            known.insert((*schema).to_owned());
        }
    }
    let mut files = BTreeSet::new();
    collect(&folder, &folder, &mut files);
    let forgotten: Vec<&String> = files.difference(&known).collect();
    assert!(
        forgotten.is_empty(),
        "no answer is checked against {forgotten:?}"
    );
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let inside = path.strip_prefix(root).unwrap();
            files.insert(inside.to_str().unwrap().to_owned());
        }
    }
}
