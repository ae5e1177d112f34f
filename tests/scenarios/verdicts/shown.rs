//! What the queue tells of a trial that waits for a person.

use serde_json::json;

use super::scene::{Change, Scene};

#[test]
fn the_queue_tells_whose_verdict_a_trial_waits_for_and_since_when() {
    let changes = [Change::good(1, "one"), Change::good(2, "two")];
    let mut scene = Scene::new("{verdict: both}", &changes);
    scene.stage.run_but("nrt-tests");
    let running = scene.stage.queue();
    assert!(running["trial"]["awaits_verdict"].is_null(), "{running:#}");
    scene.stage.run();
    let waits = scene.stage.queue()["trial"]["awaits_verdict"].clone();
    assert_eq!(waits["people"], json!(["quentin"]));
    assert_eq!(waits["roles"], json!(["qa"]));
    assert!(waits["since"].is_string(), "{waits}");
    let text = scene.stage.gate(&["queue"]).said;
    for words in [
        "Trial 1: !1, !2 at ",
        "(waits for a verdict, ",
        "Verdict: asked for since ",
        "; `quentin` (qa) gives it by `nrt:validate` or `nrt:reject` in the trial's pipeline",
    ] {
        assert!(text.contains(words), "{words}\n---\n{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("queue.html");
    let written = scene
        .stage
        .gate(&["queue", "--html", page.to_str().unwrap()]);
    assert_eq!(written.code, Some(0), "{}", written.said);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("<dt>Verdict</dt><dd>asked for since "),
        "{page}"
    );
    scene.press("quentin", "nrt:validate").unwrap();
    assert!(!scene.stage.gate(&["queue"]).said.contains("Verdict:"));
}
