//! The notes that are kept in place.

use crate::stage::Stage;

#[test]
fn debug_rounds() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    let ran = stage.ran("link-check", iid);
    println!("{}", ran.trace);
    println!("{:#?}", stage.notes(iid));
    for entry in stage.world.emulator.requests() {
        println!("{} {} {}", entry.method, entry.path, entry.status);
    }
    let v = stage.world.reply("trainyard-bot", gitlab::api::endpoint_prelude::Method::POST, "graphql", serde_json::json!({"query": "{ project(fullPath: \"shop/web\") { issues(iids: [\"1\"], first: 100) { nodes { iid notes(filter: ONLY_COMMENTS, first: 100) { nodes { id body author { username } } } } } mergeRequests(iids: [\"1\"], first: 100) { nodes { iid diffHeadSha notes(filter: ONLY_COMMENTS, first: 100) { nodes { id body author { username } } } } } } }"})).unwrap();
    println!("{}", v.text());
}
