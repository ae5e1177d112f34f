//! `git push -o`, and what the server says to whoever pushes.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;

const BUILD: &str = "build: { script: [echo \"color is $COLOR\"] }";

/// Pushes a branch as root and gives what the client printed.
fn push(ci: &CiWorld, refs: &str, options: &[&str]) -> String {
    let address = ci.world.root.url.trim_start_matches("http://");
    let token = ci.world.emulator.root_token();
    let url = format!("http://oauth2:{token}@{address}/root/shop.git");
    let mut args = vec!["push", "-f", &url];
    args.extend(refs.split(' '));
    for option in options {
        args.extend(["-o", option]);
    }
    let output = ci.git_output(&args);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn merge_requests(ci: &CiWorld) -> Value {
    ci.world.root.get(&ci.path("merge_requests")).json()
}

#[test]
fn the_client_is_told_where_to_open_or_see_the_merge_request() {
    let ci = CiWorld::new(BUILD);
    ci.commit("feature/a", &[("a.txt", "a")]);
    let new = push(&ci, "feature/a", &[]);
    let base = format!("{}/root/shop/-/merge_requests", ci.world.root.url);
    assert!(
        new.contains("remote: To create a merge request for feature/a, visit:"),
        "{new}"
    );
    let address = format!("remote:   {base}/new?merge_request%5Bsource_branch%5D=feature%2Fa");
    assert!(new.contains(&address), "{new}");
    let body = json!({ "source_branch": "feature/a", "target_branch": "main", "title": "a" });
    ci.world.root.post(&ci.path("merge_requests"), body);
    ci.commit("feature/a", &[("b.txt", "b")]);
    let seen = push(&ci, "feature/a", &[]);
    assert!(
        seen.contains("remote: View merge request for feature/a:"),
        "{seen}"
    );
    assert!(seen.contains(&format!("remote:   {base}/1")), "{seen}");
    ci.commit("main", &[("c.txt", "c")]);
    assert!(!push(&ci, "main", &[]).contains("remote:"));
    let quiet = json!({ "printing_merge_request_link_enabled": false });
    ci.world
        .root
        .put(&format!("projects/{}", ci.project), quiet);
    ci.commit("feature/a", &[("d.txt", "d")]);
    assert!(!push(&ci, "feature/a", &[]).contains("remote:"));
}

#[test]
fn a_push_opens_a_merge_request_with_everything_it_asks_for() {
    let ci = CiWorld::new(BUILD);
    let (ana, _) = ci.world.member(ci.project, "ana", 30);
    let milestone = json!({ "title": "v1" });
    ci.world.root.post(&ci.path("milestones"), milestone);
    ci.push("release", &[("r.txt", "r")]);
    ci.commit("feature", &[("a.txt", "a")]);
    let told = push(
        &ci,
        "feature",
        &[
            "merge_request.create",
            "merge_request.target=release",
            "merge_request.title=A feature",
            "merge_request.description=What it does",
            "merge_request.label=one",
            "merge_request.label=two",
            "merge_request.assign=ana",
            "merge_request.milestone=v1",
            "merge_request.remove_source_branch",
            "merge_request.squash",
            "merge_request.draft",
        ],
    );
    assert!(
        told.contains("remote: View merge request for feature:"),
        "{told}"
    );
    let row = &merge_requests(&ci)[0];
    assert_eq!(row["title"], "Draft: A feature");
    assert_eq!(row["description"], "What it does");
    assert_eq!(row["target_branch"], "release");
    assert_eq!(row["labels"], json!(["one", "two"]));
    assert_eq!(row["assignee"]["id"], ana);
    assert_eq!(row["milestone"]["title"], "v1");
    assert_eq!(row["force_remove_source_branch"], true);
    assert_eq!(row["squash"], true);
    assert_eq!(row["author"]["username"], "root");
    // A second push changes it.
    ci.commit("feature", &[("b.txt", "b")]);
    push(
        &ci,
        "feature",
        &["merge_request.title=Done", "merge_request.unlabel=one"],
    );
    let row = &merge_requests(&ci)[0];
    assert_eq!(
        (&row["title"], &row["labels"]),
        (&json!("Done"), &json!(["two"]))
    );
}

#[test]
fn a_merge_request_made_by_a_push_is_named_after_its_commit() {
    let ci = CiWorld::new(BUILD);
    ci.git(&["checkout", "-q", "-b", "feature"]);
    ci.git(&[
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "Add a thing\n\nIt is useful.",
    ]);
    push(&ci, "feature", &["merge_request.create"]);
    let row = &merge_requests(&ci)[0];
    assert_eq!(row["title"], "Add a thing");
    assert_eq!(row["description"], "It is useful.");
    assert_eq!(row["target_branch"], "main");
    assert_eq!(row["assignee"]["username"], "root");
    assert_eq!(row["force_remove_source_branch"], true);
}

#[test]
fn what_goes_wrong_with_an_option_is_a_warning_and_the_push_stays() {
    let ci = CiWorld::new(BUILD);
    let sha = ci.commit("feature", &[("a.txt", "a")]);
    let told = push(&ci, "feature", &["merge_request.title=x"]);
    assert!(
        told.contains("A merge_request.create push option is required"),
        "{told}"
    );
    let branch = ci.world.root.get(&ci.path("repository/branches/feature"));
    assert_eq!(branch.json()["commit"]["id"], json!(sha));
    ci.commit("feature", &[("b.txt", "b")]);
    let told = push(
        &ci,
        "feature",
        &["merge_request.create", "merge_request.target=nowhere"],
    );
    assert!(told.contains("WARNINGS"), "{told}");
    let text = "Target branch root/shop:nowhere does not exist";
    assert!(told.contains(text), "{told}");
    assert_eq!(merge_requests(&ci), json!([]));
}

#[test]
fn a_push_can_ask_to_merge_when_the_pipeline_passes() {
    let ci = CiWorld::new(BUILD);
    let only = json!({ "only_allow_merge_if_pipeline_succeeds": true });
    ci.world.root.put(&format!("projects/{}", ci.project), only);
    ci.must("build");
    ci.commit("feature", &[("a.txt", "a")]);
    let options = [
        "merge_request.create",
        "merge_request.merge_when_pipeline_succeeds",
    ];
    push(&ci, "feature", &options);
    assert_eq!(merge_requests(&ci)[0]["merge_when_pipeline_succeeds"], true);
    ci.world.emulator.settle();
    ci.must("build");
    ci.world.emulator.settle();
    assert_eq!(merge_requests(&ci)[0]["state"], "merged");
}

#[test]
fn pipelines_take_variables_from_the_push_or_are_left_out() {
    let ci = CiWorld::new(BUILD);
    ci.must("build");
    ci.commit("feature", &[("a.txt", "a")]);
    push(&ci, "feature", &["ci.variable=COLOR=green"]);
    assert!(ci.must("build").trace.contains("color is green"));
    ci.commit("feature", &[("b.txt", "b")]);
    push(&ci, "feature", &["ci.skip"]);
    let skipped = ci.latest();
    assert_eq!(ci.status(skipped), "skipped");
    ci.commit("feature", &[("c.txt", "c")]);
    push(&ci, "feature", &["ci.no_pipeline"]);
    assert_eq!(ci.latest(), skipped);
}

#[test]
fn skipping_leaves_the_pipeline_of_the_merge_request_alone() {
    let ci = CiWorld::new(
        "build: { script: [echo], rules: [{ if: $CI_MERGE_REQUEST_IID }, { if: $CI_COMMIT_BRANCH }] }",
    );
    ci.push("feature", &[("a.txt", "a")]);
    let body = json!({ "source_branch": "feature", "target_branch": "main", "title": "a" });
    ci.world.root.post(&ci.path("merge_requests"), body);
    ci.commit("feature", &[("b.txt", "b")]);
    push(&ci, "feature", &["ci.skip"]);
    let pipelines = ci.world.root.get(&ci.path("pipelines?per_page=2")).json();
    let kinds: Vec<(&Value, &Value)> = pipelines
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["source"], &row["status"]))
        .collect();
    assert_eq!(
        kinds,
        [
            (&json!("merge_request_event"), &json!("pending")),
            (&json!("push"), &json!("skipped"))
        ]
    );
}

#[test]
fn branch_pipelines_can_give_way_to_those_of_merge_requests() {
    let ci = CiWorld::new(
        "
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'
    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS
      when: never
    - if: $CI_COMMIT_BRANCH
build: { script: [echo] }
",
    );
    let sources = || -> Vec<&'static str> {
        let all = ci.world.emulator.pipelines(ci.project);
        all.iter().map(|pipeline| pipeline.source).collect()
    };
    ci.push("feature", &[("a.txt", "a")]);
    assert_eq!(sources(), ["push", "push"]);
    let body = json!({ "source_branch": "feature", "target_branch": "main", "title": "a" });
    ci.world.root.post(&ci.path("merge_requests"), body);
    ci.push("feature", &[("b.txt", "b")]);
    assert_eq!(sources()[2..], ["merge_request_event"; 2]);
}

#[test]
fn inputs_come_with_a_push() {
    let ci = CiWorld::empty();
    let yaml = "
spec:
  inputs:
    color: { default: red }
    sizes: { type: array, default: [] }
---
build: { script: ['echo $[[ inputs.color ]]', 'echo $[[ inputs.sizes ]]'] }
";
    ci.commit("main", &[(".gitlab-ci.yml", yaml)]);
    let options = ["ci.input=color=green", "ci.input=sizes=[\"s\", \"l\"]"];
    push(&ci, "main", &options);
    let trace = ci.must("build").trace;
    assert!(trace.contains("green") && trace.contains('l'), "{trace}");
}

#[test]
fn an_atomic_push_moves_all_refs_or_none() {
    let ci = CiWorld::new(BUILD);
    ci.push("one", &[("a.txt", "a")]);
    ci.push("two", &[("b.txt", "b")]);
    let address = ci.world.root.url.trim_start_matches("http://");
    let token = ci.world.emulator.root_token();
    let url = format!("http://oauth2:{token}@{address}/root/shop.git");
    let head = |branch: &str| {
        let path = ci.path(&format!("repository/branches/{branch}"));
        ci.world.root.get(&path).json()["commit"]["id"].clone()
    };
    let (one, two) = (head("one"), head("two"));
    // `one` is stale in the working copy, `two` is new there.
    ci.git(&["checkout", "-q", "one"]);
    ci.git(&["reset", "-q", "--hard", "HEAD~1"]);
    ci.git(&["commit", "-q", "--allow-empty", "-m", "beside"]);
    ci.commit("two", &[("c.txt", "c")]);
    let together = ci.git_output(&["push", "--atomic", &url, "one", "two"]);
    assert!(!together.status.success());
    assert_eq!((head("one"), head("two")), (one.clone(), two.clone()));
    let apart = ci.git_output(&["push", &url, "one", "two"]);
    assert!(!apart.status.success());
    assert_eq!(head("one"), one);
    assert_ne!(head("two"), two);
}
