//! Versions of a yard that are tried before they are final, and one that is bad.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};

use super::ground::Ground;

fn land(ground: &mut Ground, project: u64, price: &str) {
    let iid = ground.merge_request("ana", project, "contributes to feature shop/web#1", price);
    ground.run();
    ground.integrate("ana", project, iid);
    ground.run();
    assert_eq!(ground.state(project, iid), "merged");
}

/// A pipeline of the yard that the release manager starts with inputs.
fn start(ground: &mut Ground, inputs: Value) -> u64 {
    let asked = json!({"ref": "main", "inputs": inputs});
    let started = ground.ask("rita", Method::POST, ground.yard, "pipeline", asked);
    started["id"].as_u64().unwrap()
}

fn release(ground: &mut Ground) {
    let pipeline = start(ground, json!({}));
    ground.world.project = ground.yard;
    let prepared = ground.world.play_in("rita", pipeline, "release-prepare");
    let prepared = prepared.unwrap();
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    ground.run();
}

fn head(ground: &Ground, project: u64) -> String {
    let branch = ground.read(project, "repository/branches/main");
    branch["commit"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_withdrawn_version_brought_to_a_member_is_deployed_no_more() {
    let mut ground = Ground::new();
    let (web, api, yard) = (ground.web, ground.api, ground.yard);
    let world = &mut ground.world;
    world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    land(&mut ground, web, "3");
    land(&mut ground, api, "4");
    release(&mut ground);
    let (web_before, api_before) = (head(&ground, web), head(&ground, api));
    land(&mut ground, web, "5");
    // A yard's own commit stays the same, and yet there is something new.
    for number in [1, 2] {
        start(&mut ground, json!({"trainyard_pre": "rc"}));
        ground.run();
        let prepared = ground.last("release-prepare");
        assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
        ground.read(yard, &format!("repository/tags/v0.1.1-rc.{number}"));
        land(&mut ground, web, "6");
    }
    release(&mut ground);
    let bad = json!({"trainyard_withdraw": "0.1.1", "trainyard_reason": "it is down"});
    start(&mut ground, bad);
    ground.run();
    let withdrawn = ground.last("release-withdraw");
    assert_eq!(withdrawn.exit_code, Some(0), "{}", withdrawn.trace);
    let deployed = ground.last("deploy-production").trace;
    assert!(deployed.contains("deploying 0.1.0"), "{deployed}");
    assert!(
        deployed.contains(&format!("shop/web {web_before}")),
        "{deployed}"
    );
    assert!(
        !deployed.contains(&api_before),
        "nothing of it was withdrawn: {deployed}"
    );
    let recovered = ground.last("release-recovered").trace;
    assert!(
        recovered.contains("version 0.1.0 runs in production again"),
        "{recovered}"
    );
}
