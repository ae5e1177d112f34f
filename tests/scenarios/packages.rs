//! A repository with two packages: each has versions, numbers, tags and releases of its own, over one queue.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard_emulator::FinishedJob;

use crate::releases::file;
use crate::repair::{damage, repair};
use crate::stage::Stage;
use crate::versions::{in_clone, tags};

const PACKAGES: &str = "versions:\n  packages:\n    api: {paths: ['api/**', 'proto/**']}\n    web: {paths: ['web/**', 'proto/**'], initial: \"1.0.0\", changelog: web/CHANGELOG.md}";

/// The CI file: the gate once, the release once for each package.
fn ci() -> String {
    let mut text = "spec:\n  inputs:\n    trainyard_merge_request: {default: \"\"}\n    trainyard_withdraw: {default: \"\"}\n    trainyard_reason: {default: \"\"}\n---\ninclude:\n".to_owned();
    let mut include = |name: &str, inputs: &str| {
        text.push_str(&format!(
            "  - local: ci-templates/{name}.yml\n    inputs: {{server: \"@SERVER@\"{inputs}}}\n"
        ));
    };
    include("link-check", "");
    include("integrate", "");
    include(
        "nrt-lock",
        ", merge_request: \"$[[ inputs.trainyard_merge_request ]]\"",
    );
    include("tick", "");
    for name in ["api", "web"] {
        let withdraw = match name {
            "api" => {
                ", withdraw: \"$[[ inputs.trainyard_withdraw ]]\", reason: \"$[[ inputs.trainyard_reason ]]\""
            }
            _ => "",
        };
        let of = format!(", package: {name}, suffix: \":{name}\"{withdraw}");
        include("release", &of);
    }
    text.push_str("stages: [test, integrate, gate, deploy, release]\n");
    for name in ["api", "web"] {
        text.push_str(&format!(
            "deploy-production:{name}:\n  extends: .trainyard-deploy-production:{name}\n  script: ['echo \"deploying $TRAINYARD_TAG\"', 'test ! -s {name}/broken']\n"
        ));
    }
    text
}

fn stage() -> Stage {
    let mut stage = Stage::with_files(
        &[
            ("versions:", PACKAGES),
            ("  roles: [po, qa]\n", "  roles: []\n"),
        ],
        &[(".gitlab-ci.yml", &ci())],
    );
    stage.feature("Prices");
    stage.feature("Discounts");
    stage
}

fn land(stage: &mut Stage, description: &str, files: &[(&str, &str)]) -> u64 {
    let iid = stage.merge_request_with("ana", description, files);
    stage.integrate("ana", iid);
    stage.run();
    assert_eq!(stage.state(iid), "merged");
    iid
}

/// Somebody plays `release-prepare` of a package, and what follows runs.
fn release(stage: &mut Stage, package: &str) -> FinishedJob {
    let main = stage.newest_of_main();
    let job = format!("release-prepare:{package}");
    let prepared = stage.play_in("rita", main, &job).unwrap();
    stage.run();
    prepared
}

fn read(stage: &Stage, path: &str) -> Value {
    stage.world.read("rita", &stage.world.at(path)).unwrap()
}

/// The merge requests of the open version, in its order.
fn open(stage: &Stage) -> Vec<u64> {
    let version = version(stage);
    let sets = version["open"]["change_sets"].as_array().unwrap().iter();
    let iids = sets.map(|set| set["change_set"]["merge_request"]["iid"].as_u64());
    iids.map(Option::unwrap).collect()
}

fn version(stage: &Stage) -> Value {
    let said = in_clone(stage, &["version", "--json"]).said;
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// What of the open version each package would bring, by its number.
fn share(stage: &Stage, package: &str) -> (String, Vec<u64>) {
    let version = version(stage);
    let packages = version["open"]["packages"].as_array().unwrap();
    let of = packages.iter().find(|one| one["package"] == package);
    let of = of.unwrap_or_else(|| panic!("{version:#}"));
    let sets = of["change_sets"].as_array().unwrap().iter();
    (
        of["next_tag"].as_str().unwrap().to_owned(),
        sets.map(|set| set["iid"].as_u64().unwrap()).collect(),
    )
}

fn shared(tag: &str, sets: &[u64]) -> (String, Vec<u64>) {
    (tag.to_owned(), sets.to_vec())
}

#[test]
fn each_package_is_released_with_what_changes_its_files() {
    let mut stage = stage();
    let api = land(&mut stage, "contributes to feature #1", &[("api/a", "1\n")]);
    land(&mut stage, "contributes to feature #1", &[("web/w", "1\n")]);
    let both = land(&mut stage, "closes feature #2", &[("proto/p", "1\n")]);
    stage.push_to_main("web/hand", "1\n");
    land(
        &mut stage,
        "contributes to feature #1",
        &[("README", "1\n")],
    );
    assert_eq!(share(&stage, "api"), shared("api-v0.1.0", &[1, 3, 4]));
    assert_eq!(share(&stage, "web"), shared("web-v1.0.0", &[2, 3, 4]));
    let said = in_clone(&stage, &["version"]).said;
    for told in [
        "api: would be 0.1.0, the first one, as `versions.initial` says (3 change sets: !1, !3, !4)",
        "  of other packages too, so that they stay in the open version for them: 1 change set",
        "  nothing is merged since the beginning but what was tried",
        "web: would be 1.0.0, the first one",
        "  came around the gate, untested by it: 1 commit",
    ] {
        assert!(said.contains(told), "{told}\n{said}");
    }

    let page = in_clone(&stage, &["version", "--markdown"]).said;
    let (of_api, of_web) = page.split_once("## web").unwrap();
    assert!(of_api.contains("## api\n\nIt would be **0.1.0**"), "{page}");
    assert!(
        of_web.contains("| !2 |") && of_web.contains("Came around the gate"),
        "{page}"
    );
    assert!(
        !of_api.contains("| !2 |") && !of_api.contains("Came around"),
        "{page}"
    );

    let prepared = release(&mut stage, "api");
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    assert!(
        prepared.trace.contains("version api 0.1.0 is closed at"),
        "{}",
        prepared.trace
    );
    let deployed = stage.last("deploy-production:api").trace;
    assert!(deployed.contains("deploying api-v0.1.0"), "{deployed}");
    let published = stage.last("release-publish:api");
    assert!(
        published.trace.contains("version api 0.1.0 is released"),
        "{}",
        published.trace
    );
    assert_eq!(tags(&stage), ["api-v0.1.0"]);
    let notes = read(&stage, "releases/api-v0.1.0")["description"].clone();
    let notes = notes.as_str().unwrap();
    assert!(
        notes.contains("Version api 0.1.0: 3 change sets"),
        "{notes}"
    );
    assert!(
        !notes.contains("Around the gate"),
        "that is of web: {notes}"
    );
    assert_eq!(
        read(&stage, "issues/2")["state"],
        "opened",
        "web is to come"
    );
    let told = |stage: &Stage, iid: u64, words: &str| {
        let notes = stage.notes(iid).join("\n");
        assert!(notes.contains(words), "{words}\n{notes}");
    };
    told(&stage, api, "In production with version api 0.1.0 (");
    told(
        &stage,
        both,
        "In production with version api 0.1.0, to come with web (",
    );
    assert_eq!(share(&stage, "api"), shared("api-v0.1.1", &[]));
    assert_eq!(share(&stage, "web"), shared("web-v1.0.0", &[2, 3]));

    release(&mut stage, "web");
    assert_eq!(tags(&stage), ["api-v0.1.0", "web-v1.0.0"]);
    let notes = read(&stage, "releases/web-v1.0.0")["description"].clone();
    let notes = notes.as_str().unwrap();
    assert!(
        notes.contains("Around the gate") && notes.contains("Discounts"),
        "{notes}"
    );
    assert_eq!(read(&stage, "issues/2")["state"], "closed");
    told(
        &stage,
        both,
        "In production with version api 0.1.0, web 1.0.0 (",
    );
    let changelog = file(&stage, "web%2FCHANGELOG.md").unwrap();
    assert!(
        changelog.contains("web 1.0.0") && !changelog.contains("api"),
        "{changelog}"
    );

    land(&mut stage, "contributes to feature #1", &[("api/b", "1\n")]);
    assert_eq!(share(&stage, "api"), shared("api-v0.1.1", &[5]));
    assert_eq!(share(&stage, "web"), shared("web-v1.0.1", &[]));
    let nothing = release(&mut stage, "web");
    assert!(
        nothing.exit_code == Some(1) && nothing.trace.contains("there is nothing to release"),
        "{}",
        nothing.trace
    );
}

#[test]
fn a_package_that_fails_or_is_withdrawn_gives_its_share_back_and_leaves_the_others() {
    let mut stage = stage();
    land(&mut stage, "contributes to feature #1", &[("api/a", "1\n")]);
    land(&mut stage, "contributes to feature #1", &[("web/w", "1\n")]);
    release(&mut stage, "api");
    release(&mut stage, "web");
    let broken = [("proto/p", "1\n"), ("api/broken", "1\n")];
    land(&mut stage, "contributes to feature #1", &broken);
    land(&mut stage, "contributes to feature #1", &[("web/x", "1\n")]);
    release(&mut stage, "api");
    let before = ["api-v0.1.0", "web-v1.0.0"];
    assert_eq!(tags(&stage), before, "the deployment failed");
    assert_eq!(share(&stage, "api"), shared("api-v0.1.1", &[3]));
    assert_eq!(share(&stage, "web"), shared("web-v1.0.1", &[3, 4]));
    assert_eq!(open(&stage), [3, 4], "in the order in which they landed");

    land(
        &mut stage,
        "contributes to feature #1",
        &[("api/broken", "")],
    );
    release(&mut stage, "api");
    assert_eq!(tags(&stage), ["api-v0.1.0", "api-v0.1.1", "web-v1.0.0"]);
    assert_eq!(share(&stage, "api"), shared("api-v0.1.2", &[]));
    assert_eq!(open(&stage), [3, 4]);

    let inputs = json!({"trainyard_withdraw": "0.1.1", "trainyard_reason": "it is slow"});
    let asked = json!({"ref": "main", "inputs": inputs});
    let at = stage.world.at("pipeline");
    stage.world.ask("rita", Method::POST, &at, asked).unwrap();
    stage.run();
    let said = stage.last("release-withdraw:api").trace;
    assert!(
        said.contains("api 0.1.1") && said.contains("api 0.1.0"),
        "{said}"
    );
    let deployed = stage.last("deploy-production:api").trace;
    assert!(deployed.contains("deploying api-v0.1.0"), "{deployed}");
    assert_eq!(open(&stage), [3, 4, 5]);
    assert_eq!(share(&stage, "api"), shared("api-v0.1.2", &[3, 5]));
    assert_eq!(share(&stage, "web"), shared("web-v1.0.1", &[3, 4]));

    release(&mut stage, "web");
    assert_eq!(
        open(&stage),
        [3, 5],
        "it is out with web, and api is to bring it again"
    );
    land(&mut stage, "contributes to feature #1", &[("web/z", "1\n")]);
    release(&mut stage, "api");
    assert_eq!(open(&stage), [6]);
    assert_eq!(tags(&stage)[2], "api-v0.1.2", "{:?}", tags(&stage));
}

#[test]
fn whoever_names_no_package_or_another_ones_version_is_refused_and_changes_nothing() {
    let mut stage = stage();
    land(
        &mut stage,
        "contributes to feature #1",
        &[("proto/p", "1\n")],
    );
    let none = in_clone(&stage, &["release", "preview"]);
    assert!(
        none.code == Some(2)
            && none.said.contains(
                "each package has versions of its own (`api`, `web`), and the job says none"
            ),
        "{}",
        none.said
    );
    let bare = stage.gate(&["release", "preview", "--package", "api"]);
    assert!(
        bare.code == Some(2) && bare.said.contains("there is no clone here"),
        "{}",
        bare.said
    );
    let main = stage.newest_of_main();
    stage.play_in("rita", main, "release-prepare:api").unwrap();
    let other = stage.play_in("rita", main, "release-prepare:web").unwrap();
    assert!(
        other.exit_code == Some(1)
            && other
                .trace
                .contains("version api 0.1.0 is being released since"),
        "{}",
        other.trace
    );
    let before = stage.facts();
    let published = stage.gate(&["release", "publish", "--package", "web"]);
    assert!(
        published.code == Some(1)
            && published
                .said
                .contains("this is a job of the package `web`, and api 0.1.0 is the version that is being released"),
        "{}",
        published.said
    );
    assert_eq!(stage.facts(), before);
    assert_eq!(tags(&stage), Vec::<String>::new());
}

#[test]
fn what_packages_are_still_to_bring_is_mended_from_their_tags() {
    let mut stage = stage();
    land(&mut stage, "contributes to feature #1", &[("api/a", "1\n")]);
    land(&mut stage, "contributes to feature #1", &[("web/w", "1\n")]);
    land(
        &mut stage,
        "contributes to feature #1",
        &[("proto/p", "1\n")],
    );
    release(&mut stage, "api");
    land(&mut stage, "contributes to feature #1", &[("api/b", "1\n")]);
    let before = [share(&stage, "api"), share(&stage, "web")];
    assert_eq!(
        before,
        [shared("api-v0.1.1", &[4]), shared("web-v1.0.0", &[2, 3])]
    );
    assert_eq!(open(&stage), [2, 3, 4]);
    damage(&stage.world, (1, "nrt"), None, |_| true);
    let lost = in_clone(&stage, &["version"]).said;
    assert!(lost.contains("Open: version #1 (0 change sets)"), "{lost}");
    let repaired = repair(&stage, &["--write"]);
    assert_eq!(repaired.code, Some(0), "{}", repaired.said);
    assert_eq!(open(&stage), [2, 3, 4]);
    assert_eq!([share(&stage, "api"), share(&stage, "web")], before);
    let facts = stage.facts().len();
    assert_eq!(repair(&stage, &["--write"]).code, Some(0));
    assert_eq!(stage.facts().len(), facts, "once");
}
