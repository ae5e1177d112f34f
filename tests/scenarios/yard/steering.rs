//! People steer a yard: orders that name a member, the environment taken away from a run, and verdicts on trials of two members; and
//! what the way of one change set through a yard costs.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::domain::event::Fact;

use super::ground::{Ground, YARD_RULES};

/// A change set of each member that waits, that of `shop/web` first; no worker has come.
fn two_waiting(mut ground: Ground) -> Ground {
    let (web, api) = (ground.web, ground.api);
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    let first = ground.merge_request("ana", web, "contributes to feature #1", "3");
    let second = ground.merge_request("dan", api, "contributes to feature shop/web#1", "4");
    for (author, project, iid) in [("ana", web, first), ("dan", api, second)] {
        // GitLab's times are of whole seconds, and the order of the queue is that of requests.
        let clock = ground.world.emulator.clock();
        clock.advance(jiff::SignedDuration::from_secs(1));
        let ended = ground.integrate(author, project, iid);
        assert_eq!(ended.exit_code, Some(0), "{}", ended.trace);
    }
    ground
}

/// An order from Rita's own machine; what she reads.
fn order(ground: &Ground, words: &[&str]) -> String {
    let said = order_of(ground, "rita", words);
    assert_eq!(said.code, Some(0), "{words:?}: {}", said.said);
    said.said
}

fn order_of(ground: &Ground, person: &str, words: &[&str]) -> trainyard::demo::world::Said {
    let mut environment = ground.environment(ground.yard, "yard");
    environment.retain(|(key, _)| key != "TRAINYARD_GATE_TOKEN");
    let token = ground.world.token(person).unwrap().to_owned();
    environment.push(("TRAINYARD_GATE_TOKEN".to_owned(), token));
    let words: Vec<&str> = ["queue"].iter().chain(words).copied().collect();
    ground.world.program(&environment, &words).unwrap()
}

#[test]
fn an_order_names_the_member_and_touches_no_merge_request_of_that_number_elsewhere() {
    let mut ground = two_waiting(Ground::new());
    let api = ["--member", "shop/api", "--reason", "not before the fair"];
    order(&ground, &[&["hold", "!1"], &api[..]].concat());
    let queue = ground.gate(&["queue"]).said;
    assert!(
        queue.contains("shop/api!1") && queue.contains("waits: held by `rita` since "),
        "{queue}"
    );
    ground.run();
    assert_eq!(ground.landed(), ["web!1"], "the other one is not held");
    let told = ground.notes(ground.api, 1).join("\n");
    assert!(!told.contains("Landed"), "{told}");
    order(&ground, &["unhold", "!1", "--member", "shop/api"]);
    order(&ground, &["pause", "--reason", "the database moves"]);
    ground.tick();
    assert_eq!(ground.landed(), ["web!1"], "paused");
    order(&ground, &["resume"]);
    ground.tick();
    assert_eq!(ground.landed(), ["web!1", "api!1"]);
    let unknown = order_of(
        &ground,
        "rita",
        &["hold", "!1", "--member", "shop/other", "--reason", "x"],
    );
    assert!(
        unknown.code == Some(1) && unknown.said.contains("`shop/other` is not served here"),
        "{}",
        unknown.said
    );
}

#[test]
fn what_is_forced_goes_before_an_older_one_of_another_member() {
    let mut ground = two_waiting(Ground::new());
    let wish = [
        "force", "!1", "--member", "shop/api", "--reason", "it burns",
    ];
    order(&ground, &wish);
    ground.run();
    assert_eq!(ground.landed(), ["api!1", "web!1"]);
}

#[test]
fn what_is_withdrawn_during_its_trial_does_not_land_and_the_other_member_is_served() {
    let mut ground = two_waiting(Ground::new());
    ground.world.run(|job| job.name != "nrt-tests");
    assert_eq!(ground.trials(), [vec!["web!1"]]);
    let wish = [
        "withdraw",
        "!1",
        "--member",
        "shop/web",
        "--reason",
        "not like this",
    ];
    order(&ground, &wish);
    ground.run();
    assert_eq!(ground.landed(), ["api!1"]);
    assert_eq!(ground.state(ground.web, 1), "opened");
    let told = ground.notes(ground.web, 1).join("\n");
    assert!(told.contains("not like this"), "{told}");
}

#[test]
fn a_run_that_hangs_in_a_trial_of_a_member_loses_the_environment() {
    let mut ground = two_waiting(Ground::new());
    let settings = json!({"ci_pipeline_variables_minimum_override_role": "developer"});
    let yard = format!("projects/{}", ground.yard);
    ground
        .world
        .ask("root", Method::PUT, &yard, settings)
        .unwrap();
    ground.world.run(|job| job.name != "nrt-tests");
    let gates = ground.read(ground.yard, "pipelines?ref=main&source=trigger");
    let gate = gates[0]["id"].as_u64().unwrap();
    ground.world.project = ground.yard;
    let job = ground.world.job("rita", gate, "nrt-break").unwrap();
    let why = json!({"job_variables_attributes": [{"key": "TRAINYARD_REASON", "value": "the database hangs"}]});
    let play = format!("jobs/{job}/play");
    ground.ask("rita", Method::POST, ground.yard, &play, why);
    ground.world.run(|job| job.name == "nrt-break");
    let broken = ground.last("nrt-break");
    assert_eq!(broken.exit_code, Some(0), "{}", broken.trace);
    let note = ground.notes(ground.web, 1).join("\n");
    assert!(
        note.contains("rita ended trial 1") && note.contains("the database hangs"),
        "{note}"
    );
    let late = ground.gate(&["append-to-version", "--epoch", "1"]);
    assert!(late.code != Some(0) && ground.landed().is_empty());
    ground.run();
    let mut landed = ground.landed();
    landed.sort();
    assert_eq!(landed, ["api!1", "web!1"], "both are tried again");
}

#[test]
fn people_judge_the_trials_of_both_members_in_the_yard() {
    let rules = YARD_RULES.replace(
        "roles: {release: {users: [rita]}}",
        "roles: {release: {users: [rita]}, qa: {users: [quentin]}}\nnrt: {verdict: manual, roles: [qa]}",
    );
    assert_ne!(rules, YARD_RULES);
    let ground = Ground::with(&rules, super::ground::MEMBER_RULES);
    let quentin = ground.world.read("root", "users?username=quentin").unwrap()[0]["id"].clone();
    let member = json!({"user_id": quentin, "access_level": 40});
    ground.ask("root", Method::POST, ground.yard, "members", member);
    let mut ground = two_waiting(ground);
    ground.run();
    for (project, iid, landed) in [
        (ground.web, 1, vec!["web!1"]),
        (ground.api, 1, vec!["web!1", "api!1"]),
    ] {
        let asked = ground.notes(project, iid);
        let asked = asked.iter().filter(|note| note.contains("@quentin"));
        assert_eq!(asked.count(), 1, "asked where the change set is");
        let queue = ground.gate(&["queue"]).said;
        assert!(queue.contains("Verdict: asked for since "), "{queue}");
        let trial = ground.last("deploy-nrt").pipeline_id;
        ground.world.project = ground.yard;
        let pressed = ground.world.play_in("quentin", trial, "nrt:validate");
        assert_eq!(pressed.unwrap().exit_code, Some(0));
        ground.run();
        assert_eq!(ground.landed(), landed);
    }
    let by = ground.facts();
    let validated = by
        .iter()
        .filter(|fact| matches!(fact, Fact::TrialValidated { .. }));
    assert_eq!(validated.count(), 2);
}

#[test]
fn one_change_set_through_a_yard_costs_some_requests_more_than_at_home() {
    let mut ground = Ground::new();
    let api = ground.api;
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    let iid = ground.merge_request("ana", api, "contributes to feature shop/web#1", "3");
    ground.world.run(|job| job.name != "integrate");
    ground.world.emulator.clear_requests();
    ground.integrate("ana", api, iid);
    ground.run();
    assert_eq!(ground.landed(), ["api!1"]);
    let way = ["integrate", "nrt-admit", "nrt-acquire", "append-to-version"];
    let mut listed = String::new();
    let mut requests = 0;
    for entry in ground.world.emulator.requests() {
        let Some(job) = &entry.job else { continue };
        if way.contains(&job.name.as_str()) && entry.path.starts_with("/api/") {
            requests += 1;
            listed += &format!("{}: {} {}\n", job.name, entry.method, entry.path);
        }
    }
    assert!(requests <= 26, "{requests} requests:\n{listed}");
}
