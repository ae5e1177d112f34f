//! Source branches of a member are deleted in the member, by the yard's candidates and its tick.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;

use super::ground::Ground;

/// Two change sets of `shop/api` that wait and whose branches are to go; their branches.
fn two_waiting(ground: &mut Ground) -> [String; 2] {
    let api = ground.api;
    [3, 4].map(|price| {
        let text = "contributes to feature shop/web#1";
        let iid = ground.merge_request("ana", api, text, &price.to_string());
        let path = format!("merge_requests/{iid}");
        let wish = json!({"remove_source_branch": true});
        ground.ask("ana", Method::PUT, api, &path, wish);
        let ended = ground.integrate("ana", api, iid);
        assert_eq!(ended.exit_code, Some(0), "{}", ended.trace);
        ground.read(api, &path)["source_branch"]
            .as_str()
            .unwrap()
            .to_owned()
    })
}

/// The branches of a project whose names begin so.
fn branches(ground: &Ground, project: u64) -> Vec<String> {
    let found = ground.read(project, "repository/branches?per_page=100");
    let names = found.as_array().unwrap().iter();
    let names = names.map(|branch| branch["name"].as_str().unwrap().to_owned());
    names.filter(|name| name.starts_with("change-")).collect()
}

#[test]
fn branches_of_a_member_go_with_its_next_candidate_and_with_the_tick_of_the_yard() {
    let mut ground = Ground::new();
    ground
        .world
        .feature("olga", "Wanted", "As a customer I want this.")
        .unwrap();
    let first = two_waiting(&mut ground);
    // The other project has a branch of the same name.
    ground.push(
        "ana",
        "web",
        &first[0],
        &[("shop/other.price".to_owned(), "1\n".to_owned())],
    );
    ground.run();
    assert_eq!(ground.landed(), ["api!1", "api!2"]);
    assert_eq!(branches(&ground, ground.api), first);
    let second = two_waiting(&mut ground);
    ground.run();
    assert_eq!(ground.landed().len(), 4);
    assert_eq!(
        branches(&ground, ground.api),
        second,
        "the candidate took the others along"
    );
    let ticked = ground.tick();
    assert_eq!(ticked.exit_code, Some(0), "{}", ticked.trace);
    assert_eq!(branches(&ground, ground.api), Vec::<String>::new());
    assert_eq!(branches(&ground, ground.web), [first[0].clone()]);
}
