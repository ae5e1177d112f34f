//! The state of a yard deleted or garbled, and put right from what all of its members know.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard::demo::world::Said;

use super::ground::Ground;
use crate::repair::{damage, repair_with, seen, state_of};

/// A version of both members is out; since then each has landed one change set, and another one of each waits.
fn in_full_swing() -> Ground {
    let mut ground = Ground::new();
    let (web, api) = (ground.web, ground.api);
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    for round in [[web, api], [api, web], [api, web]] {
        for project in round {
            let feature = "contributes to feature shop/web#1";
            let iid = ground.merge_request("ana", project, feature, "3");
            let clock = ground.world.emulator.clock();
            clock.advance(jiff::SignedDuration::from_secs(1));
            let ended = ground.integrate("ana", project, iid);
            assert_eq!(ended.exit_code, Some(0), "{}", ended.trace);
        }
        match state_of(&ground.world, ground.yard).len() {
            waiting if ground.landed().len() == 4 => assert!(waiting > 4),
            _ => ground.run(),
        }
        if ground.landed().len() == 2 {
            release(&mut ground);
        }
    }
    ground
}

fn release(ground: &mut Ground) {
    let by_hand = json!({"ref": "main"});
    let yard = ground.yard;
    let pipeline = ground.ask("rita", Method::POST, yard, "pipeline", by_hand)["id"].as_u64();
    ground.world.project = yard;
    let played = ground
        .world
        .play_in("rita", pipeline.unwrap(), "release-prepare");
    let prepared = played.unwrap();
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    ground.run();
    let published = ground.last("release-publish");
    assert_eq!(published.exit_code, Some(0), "{}", published.trace);
}

fn repair(ground: &Ground, flags: &[&str]) -> Said {
    let environment = ground.environment(ground.yard, "yard");
    repair_with(&ground.world, environment, flags)
}

fn seen_in(ground: &Ground) -> (Vec<Value>, Vec<Value>) {
    seen(|words| ground.gate(words), &[])
}

fn repaired(ground: &Ground) -> String {
    let damaged = state_of(&ground.world, ground.yard);
    let dry = repair(ground, &[]);
    assert!(
        dry.code == Some(0) && dry.said.contains("nothing was written"),
        "{}",
        dry.said
    );
    assert_eq!(state_of(&ground.world, ground.yard), damaged);
    let done = repair(ground, &["--write"]);
    assert!(
        done.code == Some(0) && done.said.contains("the state is repaired"),
        "{}",
        done.said
    );
    let after = state_of(&ground.world, ground.yard);
    let again = repair(ground, &["--write"]);
    assert!(
        again.code == Some(0) && again.said.contains("the state agrees"),
        "{}",
        again.said
    );
    assert_eq!(state_of(&ground.world, ground.yard), after);
    done.said
}

#[test]
fn a_yard_is_rebuilt_from_its_members_in_the_order_in_which_things_happened() {
    let mut ground = in_full_swing();
    let before = seen_in(&ground);
    assert_eq!((before.0.len(), before.1.len()), (2, 2), "{before:?}");
    let whole = repair(&ground, &["--write"]);
    assert!(whole.said.contains("nothing to repair"), "{}", whole.said);
    let members = [ground.web, ground.api].map(|member| state_of(&ground.world, member));
    let yard = (ground.yard, "nrt");

    damage(&ground.world, yard, Some("{oops"), |key| key.ends_with('3'));
    damage(&ground.world, yard, None, |key| key.ends_with('2'));
    repaired(&ground);
    assert_eq!(seen_in(&ground), before);

    damage(&ground.world, yard, None, |_| true);
    let done = repaired(&ground);
    assert!(
        done.contains("shop/web!2 landed and was in no version")
            && done.contains("shop/api!3 asked for integration"),
        "{done}"
    );
    assert_eq!(seen_in(&ground), before, "{done}");

    let after = [ground.web, ground.api].map(|member| state_of(&ground.world, member));
    assert_eq!(after, members, "nothing of a member was touched");
    ground.run();
    let version = ground.gate(&["version"]).said;
    assert!(version.contains("Open: version #2"), "{version}");
    assert_eq!(seen_in(&ground).1.len(), 4, "{version}");
    release(&mut ground);
    let at = |project: u64, place: &str| ground.read(project, place)["commit"]["id"].clone();
    for project in [ground.web, ground.api] {
        let head = at(project, "repository/branches/main");
        assert_eq!(at(project, "repository/tags/v0.1.1"), head);
    }
}

#[test]
fn a_member_that_cannot_be_seen_is_named_and_hinders_none_of_the_others() {
    let ground = in_full_swing();
    let before = seen_in(&ground);
    let bot = ground
        .world
        .read("root", "users?username=trainyard-bot")
        .unwrap()[0]["id"]
        .clone();
    let membership = format!("members/{bot}");
    ground.ask("root", Method::DELETE, ground.api, &membership, Value::Null);
    damage(&ground.world, (ground.yard, "nrt"), None, |_| true);
    let done = repair(&ground, &["--write"]);
    assert!(
        done.code == Some(0)
            && done
                .said
                .contains("what landed in `shop/api` and what waits there"),
        "{}",
        done.said
    );
    let (tickets, landed) = seen_in(&ground);
    let of_web = |all: &[Value], which: fn(&Value) -> &Value| -> Vec<Value> {
        let of_web = all.iter().filter(|one| *which(one) == "shop/web");
        of_web.cloned().collect()
    };
    assert_eq!(tickets, of_web(&before.0, |ticket| &ticket[0]));
    assert_eq!(landed, of_web(&before.1, |landed| &landed[0]["project"]));
    let again = repair(&ground, &["--write", "--json"]);
    let again: Value =
        serde_json::from_str(&again.said).unwrap_or_else(|_| panic!("{}", again.said));
    assert_eq!(again["healthy"], json!(true), "{again}");
    let unknown = again["unrecoverable"][0].as_str().unwrap();
    assert!(unknown.contains("`shop/api`"), "{unknown}");

    let member = json!({"user_id": bot, "access_level": 40});
    ground.ask("root", Method::POST, ground.api, "members", member);
    let done = repair(&ground, &["--write"]);
    assert_eq!(done.code, Some(0), "{}", done.said);
    assert_eq!(seen_in(&ground), before, "{}", done.said);
}
