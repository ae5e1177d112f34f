//! One project with several environments: each branch has its own queue, trials and versions.

mod repairing;

use std::path::Path;

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use trainyard::demo::world::{Beginning, Said, World};

use crate::stage::folder;

const RULES: &str = "features: {label: feature}\nroles: {release: {users: [rita]}}\n\
    versions: {released_by: [release]}\n\
    nrt:\n  environments:\n  - {name: main, branch: main}\n  - {name: old, branch: release/1.x, pipeline: ci/old.yml}\n";

const OLD_NRT: &str = "old-tests:\n  extends: .trainyard-candidate\n  stage: test\n  script: ['echo \"old $TRAINYARD_CHANGE_SETS\"']\n";

/// The CI file of a branch, which is released from there.
fn ci(environment: &str, branch: &str) -> String {
    let mut text = "spec:\n  inputs:\n    trainyard_merge_request: {default: \"\"}\n    trainyard_environment: {default: \"\"}\n---\ninclude:\n".to_owned();
    let mut include = |name: &str, inputs: &str| {
        text.push_str(&format!(
            "  - local: ci-templates/{name}.yml\n    inputs: {{server: \"@SERVER@\"{inputs}}}\n"
        ));
    };
    include("link-check", "");
    include("integrate", "");
    for name in ["main", "old"] {
        let of = format!(", environment: {name}, suffix: \":{name}\"");
        include(
            "nrt-lock",
            &format!(
                "{of}, woken: \"$[[ inputs.trainyard_environment ]]\", merge_request: \"$[[ inputs.trainyard_merge_request ]]\""
            ),
        );
        include("tick", &of);
    }
    include(
        "release",
        &format!(", environment: {environment}, branch: '{branch}'"),
    );
    text + "deploy-production:\n  extends: .trainyard-deploy-production\n  script: [echo deploying]\n\
        stages: [test, integrate, gate, deploy, release]\n"
}

struct Ground {
    world: World,
    branches: usize,
    _folder: TempDir,
}

impl Ground {
    fn new() -> Self {
        let folder = folder();
        let programs = Path::new(env!("CARGO_BIN_EXE_trainyard")).parent().unwrap();
        let ci_of_main = ci("main", "$CI_DEFAULT_BRANCH");
        let world = World::start_with(
            &Beginning::new(folder.path(), programs),
            &[
                (".gitlab-ci.yml", &ci_of_main),
                (".trainyard.yml", RULES),
                ("ci/old.yml", OLD_NRT),
            ],
        )
        .unwrap();
        let server = world.emulator.url().to_owned();
        let files = [(
            ".gitlab-ci.yml".to_owned(),
            ci("old", "\"release/1.x\"").replace("@SERVER@", &server),
        )];
        world
            .push("root", "release/1.x", "Maintain 1.x", &files, &[])
            .unwrap();
        let rule =
            json!({"name": "release/1.x", "push_access_level": 40, "merge_access_level": 40});
        world
            .ask("root", Method::POST, &world.at("protected_branches"), rule)
            .unwrap();
        world
            .feature("olga", "Wanted", "As a customer I want this.")
            .unwrap();
        Self {
            world,
            branches: 0,
            _folder: folder,
        }
    }

    /// A merge request that starts at its target and adds one price.
    fn merge_request(&mut self, target: &str) -> u64 {
        self.branches += 1;
        let world = &self.world;
        let branch = format!("change-{}", self.branches);
        let new = json!({"branch": branch, "ref": target});
        world
            .ask("ana", Method::POST, &world.at("repository/branches"), new)
            .unwrap();
        let file = (
            format!("shop/item-{}.price", self.branches),
            "3\n".to_owned(),
        );
        world
            .push("ana", &branch, "A change", &[file], &[])
            .unwrap();
        let opened = json!({"source_branch": branch, "target_branch": target, "title": "A change", "description": "contributes to feature #1"});
        world
            .ask("ana", Method::POST, &world.at("merge_requests"), opened)
            .unwrap()["iid"]
            .as_u64()
            .unwrap()
    }

    fn integrate(&mut self, iid: u64) {
        self.world
            .run(|job| job.name != "nrt-acquire" && !job.name.starts_with("nrt-admit"));
        let ended = self.world.play("ana", iid, "integrate").unwrap();
        assert_eq!(ended.exit_code, Some(0), "{}", ended.trace);
    }

    fn gate(&self, arguments: &[&str]) -> Said {
        self.world
            .program(&self.world.gate_environment(), arguments)
            .unwrap()
    }

    fn version(&self, environment: &str) -> Vec<u64> {
        let said = self
            .gate(&["version", "--json", "--environment", environment])
            .said;
        let version: Value = serde_json::from_str(&said).unwrap();
        let content = version["open"]["change_sets"].as_array().unwrap();
        let iids = content
            .iter()
            .map(|set| set["change_set"]["merge_request"]["iid"].as_u64());
        iids.map(Option::unwrap).collect()
    }

    /// The release manager releases what landed on a branch.
    fn release(&mut self, branch: &str) {
        let branch = branch.replace('/', "%2F");
        let at = self
            .world
            .at(&format!("pipelines?ref={branch}&source=push"));
        let newest = self.world.read("rita", &at).unwrap()[0]["id"].as_u64();
        let prepared = self
            .world
            .play_in("rita", newest.unwrap(), "release-prepare");
        let prepared = prepared.unwrap();
        assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
        self.world.run(|_| true);
        let published = self.traces("release-publish");
        let said = published.last().unwrap();
        assert!(said.contains("is released"), "{said}");
    }

    fn head(&self, branch: &str) -> Value {
        let branch = branch.replace('/', "%2F");
        let at = self.world.at(&format!("repository/branches/{branch}"));
        self.world.read("rita", &at).unwrap()["commit"]["id"].clone()
    }

    fn traces(&self, job: &str) -> Vec<String> {
        let of = self.world.ran.iter().filter(|ran| ran.finished.name == job);
        of.map(|ran| ran.finished.trace.clone()).collect()
    }
}

#[test]
fn each_branch_has_its_own_queue_trials_and_versions() {
    let mut ground = Ground::new();
    let new = ground.merge_request("main");
    let old = ground.merge_request("release/1.x");
    ground.integrate(new);
    ground.integrate(old);
    ground.world.run(|_| true);
    assert_eq!(ground.version("main"), [new]);
    assert_eq!(ground.version("old"), [old]);
    let tested = ground.traces("old-tests");
    assert!(
        tested.len() == 1 && tested[0].contains("old !2"),
        "the file of its environment: {tested:?}"
    );
    let left = ground.traces("nrt-admit:main");
    assert!(
        left.iter()
            .any(|said| said
                .contains("!2 is tried in another environment: `old` serves `release/1.x`")),
        "{left:?}"
    );
    for branch in ["release/1.x", "main"] {
        ground.release(branch);
    }
    let tag = |name: &str| {
        let at = ground.world.at(&format!("repository/tags/{name}"));
        ground.world.read("rita", &at).unwrap()["commit"]["id"].clone()
    };
    assert_eq!(tag("v0.1.0"), ground.head("release/1.x"));
    assert_eq!(tag("v0.1.1"), ground.head("main"), "0.1.0 is taken");

    let seen = ground.gate(&["queue"]);
    assert!(
        seen.code == Some(2)
            && seen
                .said
                .contains("several environments (`main`, `old`), and the job says none"),
        "{}",
        seen.said
    );
}
