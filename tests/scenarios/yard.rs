//! A yard: several projects share one environment, one queue and one version, and hold no strong token themselves.

mod ground;

use ground::Ground;

#[test]
fn change_sets_of_two_projects_queue_are_tried_and_land_through_one_yard() {
    let mut ground = Ground::new();
    let (web, api) = (ground.web, ground.api);
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    let first = ground.merge_request("ana", web, "contributes to feature #1", "3");
    let bad = ground.merge_request("dan", api, "contributes to feature shop/web#1", "free");
    let second = ground.merge_request("ana", web, "contributes to feature #1", "4");
    for (author, project, iid) in [("ana", web, first), ("dan", api, bad), ("ana", web, second)] {
        let ended = ground.integrate(author, project, iid);
        assert_eq!(ended.exit_code, Some(0), "{}", ended.trace);
        let admitted = ground.last("nrt-admit");
        assert_eq!(admitted.exit_code, Some(0), "{}", admitted.trace);
    }
    ground.run();
    assert_eq!(
        ground.trials(),
        [vec!["web!1", "web!2"], vec!["api!1"]],
        "{}",
        ground.last("nrt-acquire").trace
    );
    assert_eq!(
        ground.landed(),
        ["web!1", "web!2"],
        "{}",
        ground.last("append-to-version").trace
    );
    assert_eq!(ground.state(web, first), "merged");
    assert_eq!(ground.state(web, second), "merged");
    assert_eq!(ground.state(api, bad), "opened");
    let told = ground.notes(api, bad);
    assert!(told.iter().any(|note| note.contains("@dan")), "{told:?}");
    assert!(ground.notes(web, first)[0].contains("**Landed: in version #1"));
}
