//! The state of the hotfixes deleted or damaged while one is under way: its merge request tells what it is.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;

use super::{ask, asked_for, four_landed, hotfix, integrate, release};
use crate::repair::{damage, repair_in, state_of};
use crate::stage::Stage;

type Variables = Vec<(String, String, String)>;

fn variables(stage: &Stage, name: &str) -> Variables {
    let mut all = state_of(&stage.world, stage.world.project);
    all.retain(|(_, scope, _)| scope.starts_with(&format!("trainyard/{name}/")));
    all
}

fn repair(stage: &Stage, flags: &[&str]) -> String {
    let flags = [&["--environment", "hotfix"], flags].concat();
    let said = repair_in(&stage.world, &flags);
    assert_eq!(said.code, Some(0), "{}", said.said);
    said.said
}

#[test]
fn a_hotfix_that_waits_or_has_landed_is_known_again_and_is_released_as_one() {
    let mut stage = four_landed();
    let asked = hotfix(&mut stage, "!4 !2");
    assert_eq!(asked.exit_code, Some(0), "{}", asked.trace);
    // Whoever names a branch like that makes no hotfix of it.
    let made = json!({"branch": "trainyard-hotfix/v0.1.0/3", "ref": "hotfix"});
    ask(&stage, Method::POST, "repository/branches", made);
    let commit = json!({"branch": "trainyard-hotfix/v0.1.0/3", "commit_message": "Mine", "actions": [{"action": "create", "file_path": "mine.txt", "content": "1\n"}]});
    ask(&stage, Method::POST, "repository/commits", commit);
    let opened = json!({"source_branch": "trainyard-hotfix/v0.1.0/3", "target_branch": "hotfix", "title": "Mine", "description": "contributes to feature #1"});
    let at = stage.world.at("merge_requests");
    stage.world.ask("dan", Method::POST, &at, opened).unwrap();
    stage.run();

    let before = asked_for(&stage);
    assert_eq!(before.len(), 1);
    for landed in [false, true] {
        if landed {
            integrate(&mut stage, "ana", 5);
        }
        assert!(repair(&stage, &["--write"]).contains("nothing to repair"));
        for value in [None, Some("{oops")] {
            let bystander = variables(&stage, "nrt");
            let place = (stage.world.project, "hotfix");
            damage(&stage.world, place, value, |_| true);
            let damaged = variables(&stage, "hotfix");
            let dry = repair(&stage, &[]);
            for words in [
                "nothing was written",
                "!5 is a hotfix under way and was not known as one",
                "cannot be recovered: which change sets went out with hotfixes that are released",
            ] {
                assert!(dry.contains(words), "{landed} {value:?} {words}: {dry}");
            }
            assert!(!dry.contains("!6 is a hotfix"), "{dry}");
            assert_eq!(variables(&stage, "hotfix"), damaged);
            let done = repair(&stage, &["--write"]);
            assert!(done.contains("the state is repaired"), "{done}");
            assert_eq!(asked_for(&stage), before, "{landed} {value:?}: {done}");
            let after = variables(&stage, "hotfix");
            let again = repair(&stage, &["--write"]);
            assert!(again.contains("nothing to repair"), "{again}");
            assert_eq!(variables(&stage, "hotfix"), after);
            assert_eq!(variables(&stage, "nrt"), bystander);
        }
    }
    release(&mut stage, "hotfix");
    for iid in [2, 4] {
        let notes = stage.notes(iid).concat();
        assert!(
            notes.contains("In production with version 0.1.1 (a hotfix of 0.1.0)"),
            "{notes}"
        );
    }
}
