//! A landing in the yard form that dies at any of its requests loses nothing and lands nothing twice.

use trainyard::demo::world::World;

use super::ground::Ground;
use crate::deaths::{Deaths, Run, Scenery, run_until_death};
use crate::stage::Moment;

impl Scenery for Ground {
    fn world(&mut self) -> &mut World {
        &mut self.world
    }
}

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
    let deaths = Deaths::of("append-to-version").in_turn(
        &mut ground,
        |ground| before.restore(&mut ground.world),
        |ground| run_until_death(&mut ground.world, |_| true),
        |ground, Run { context, .. }| {
            ground.run();
            ground.tick();
            assert_eq!(ground.landed(), ["api!1"], "{context}");
            assert_eq!(ground.state(api, iid), "merged", "{context}");
        },
    );
    assert!(deaths >= 9, "{deaths} of the requests were tried");
}
