//! A yard: several projects share one environment, one queue and one version, and hold no strong token themselves.

mod branches;
mod dying;
mod environments;
mod ground;
mod refusing;
mod repairing;
mod steering;
mod withdrawing;

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::sinks::cloud_event;

use crate::cuts;
use ground::Ground;

#[test]
fn change_sets_of_two_projects_queue_are_tried_land_and_are_released_through_one_yard() {
    let mut ground = Ground::new();
    let (web, api, yard) = (ground.web, ground.api, ground.yard);
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    let closing = ground.merge_request("ana", web, "closes feature #1", "3");
    let bad = ground.merge_request("dan", api, "contributes to feature shop/web#1", "free");
    let good = ground.merge_request("ana", api, "contributes to feature shop/web#1", "4");
    ground.run();
    for (person, job) in [("olga", "validate:po"), ("quentin", "validate:qa")] {
        let verdict = ground.play(person, web, closing, job);
        assert_eq!(verdict.exit_code, Some(0), "{}", verdict.trace);
    }
    let asking = [("ana", web, closing), ("dan", api, bad), ("ana", api, good)];
    for (author, project, iid) in asking {
        // GitLab's times are of whole seconds, and the order of the queue is that of requests.
        let clock = ground.world.emulator.clock();
        clock.advance(jiff::SignedDuration::from_secs(1));
        let ended = ground.integrate(author, project, iid);
        assert_eq!(ended.exit_code, Some(0), "{}", ended.trace);
        let admitted = ground.last("nrt-admit");
        assert_eq!(admitted.exit_code, Some(0), "{}", admitted.trace);
    }
    ground.run();
    let trials = [
        vec!["web!1"],
        vec!["api!1", "api!2"],
        vec!["api!1"],
        vec!["api!2"],
    ];
    assert_eq!(
        ground.trials(),
        trials,
        "{}",
        ground.last("nrt-acquire").trace
    );
    assert_eq!(
        ground.landed(),
        ["web!1", "api!2"],
        "{}",
        ground.last("append-to-version").trace
    );
    let deployed = ground.last("deploy-nrt").trace;
    assert!(deployed.contains("for shop/api!2"), "{deployed}");
    assert_eq!(ground.state(web, closing), "merged");
    assert_eq!(ground.state(api, good), "merged");
    assert_eq!(ground.state(api, bad), "opened");
    let told = ground.notes(api, bad);
    assert!(told.iter().any(|note| note.contains("@dan")), "{told:?}");
    assert!(ground.notes(web, closing)[0].contains("**Landed: in version #1"));

    let released = json!({"ref": "main"});
    let pipeline = ground.ask("rita", Method::POST, yard, "pipeline", released)["id"]
        .as_u64()
        .unwrap();
    ground.world.project = yard;
    let prepared = ground.world.play_in("rita", pipeline, "release-prepare");
    let prepared = prepared.unwrap();
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    ground.run();
    let published = ground.last("release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
    let deployed = ground.last("deploy-production").trace;
    for (project, name) in [(web, "web"), (api, "api")] {
        let head = ground.read(project, "repository/branches/main")["commit"]["id"].clone();
        let tag = ground.read(project, "repository/tags/v0.1.0");
        assert_eq!(tag["commit"]["id"], head, "{name}");
        let line = format!("shop/{name} {}", head.as_str().unwrap());
        assert!(deployed.contains(&line), "{deployed}");
    }
    let release = ground.read(yard, "releases/v0.1.0");
    let notes = release["description"].as_str().unwrap();
    assert!(
        notes.contains("shop/web!1 Change 1") && notes.contains("shop/api!2 Change 3"),
        "{notes}"
    );
    assert_eq!(ground.read(web, "issues/1")["state"], "closed");
    let progress = ground.read(web, "issues/1/notes?sort=asc&order_by=created_at");
    let progress: Vec<&str> = progress
        .as_array()
        .unwrap()
        .iter()
        .filter(|note| note["system"] == false)
        .map(|note| note["body"].as_str().unwrap())
        .collect();
    assert!(
        progress.len() == 1
            && ["| !1+ ", "| shop/api!1+ ", "| shop/api!2+ "]
                .iter()
                .all(|row| progress[0].contains(row)),
        "one note for all members: {progress:?}"
    );
    assert!(ground.notes(api, good)[0].contains("**In production with version 0.1.0"));
    let log = ground.gate(&["events"]).said;
    cuts::decide_alike(&cloud_event::read_lines(log.as_bytes()).events);
}
