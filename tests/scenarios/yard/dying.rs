//! A landing in the yard form that dies at any of its requests loses nothing and lands nothing twice.

use trainyard_emulator::faults::{Effect, Rule};

use super::ground::Ground;
use crate::stage::Moment;

#[test]
fn a_landing_in_a_member_that_dies_anywhere_is_finished_once() {
    let mut ground = Ground::new();
    let api = ground.api;
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    let iid = ground.merge_request("ana", api, "contributes to feature shop/web#1", "3");
    ground.integrate("ana", api, iid);
    let before = Moment::of(&ground.world);
    let mut deaths = 0;
    for nth in (0..40).step_by(3) {
        before.restore(&mut ground.world);
        let kill = Rule::new(Effect::Kill)
            .of_job("append-to-version")
            .after(nth);
        ground.world.emulator.faults().add(kill);
        ground.run();
        let landing = ground.world.ran.iter().map(|ran| &ran.finished);
        let died = landing
            .filter(|job| job.name == "append-to-version")
            .any(|job| job.exit_code != Some(0));
        ground.tick();
        assert_eq!(ground.landed(), ["api!1"], "killed at request {nth}");
        assert_eq!(ground.state(api, iid), "merged", "killed at request {nth}");
        deaths += u32::from(died);
        if !died {
            break;
        }
    }
    assert!(deaths >= 3, "{deaths} of the requests were tried");
}
