//! Which of several variables of one name a job sees.

use serde_json::{Value, json};

use crate::ci_world::git_in;
use crate::client::World;

/// One group with a project; each source of variables sets its own name and those of all weaker ones.
#[test]
fn every_source_wins_over_those_before_it() {
    let world = World::new();
    let root = &world.root;
    let group = root
        .post("groups", json!({ "name": "g", "path": "g" }))
        .json();
    let body = json!({ "name": "shop", "namespace_id": group["id"] });
    let project = root.post("projects", body).json()["id"].as_u64().unwrap();
    let set = |path: String, key: &str, value: &str, scope: Option<&str>| {
        let mut body = json!({ "key": key, "value": value });
        if let Some(scope) = scope {
            body["environment_scope"] = json!(scope);
        }
        let reply = root.post(&path, body);
        assert_eq!(reply.status, 201, "{}", reply.text);
    };
    let names = ["A", "B", "C", "D", "E", "F"];
    for name in &names[1..] {
        set(
            format!("groups/{}/variables", group["id"]),
            name,
            "group",
            None,
        );
    }
    for (from, scope) in [(2, "*"), (3, "n*"), (4, "nrt")] {
        for name in &names[from..] {
            let path = format!("projects/{project}/variables");
            set(path, name, &format!("project {scope}"), Some(scope));
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let yaml = "
variables: { A: global, B: global, C: global, D: global, E: global, F: global }
show:
  variables: { A: job, B: job, C: job, D: job, E: job, F: job }
  environment: nrt
  script: ['echo \"<$A|$B|$C|$D|$E|$F>\"']
";
    std::fs::write(dir.path().join(".gitlab-ci.yml"), yaml).unwrap();
    let address = root.url.trim_start_matches("http://");
    let url = format!(
        "http://oauth2:{}@{address}/g/shop.git",
        world.emulator.root_token()
    );
    for args in [
        &["init", "-q", "-b", "main", "."][..],
        &["add", "."],
        &["commit", "-q", "-m", "a"],
        &["push", "-q", &url, "main"],
    ] {
        let output = git_in(dir.path(), args);
        assert!(output.status.success(), "{output:?}");
    }
    let shown = || {
        let job = world.emulator.run_next_job(|_| true).unwrap();
        let line = job.trace.lines().find(|line| line.starts_with('<'));
        line.unwrap_or_else(|| panic!("{}", job.trace)).to_owned()
    };
    assert_eq!(
        shown(),
        "<job|group|project *|project n*|project nrt|project nrt>"
    );
    let body: Value = json!({ "ref": "main", "variables": [{ "key": "F", "value": "given" }] });
    let path = format!("projects/{project}/pipeline");
    assert_eq!(root.post(&path, body).status, 201);
    assert_eq!(
        shown(),
        "<job|group|project *|project n*|project nrt|given>"
    );
}
