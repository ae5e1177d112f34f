//! The label that holds: whoever may label needs no job and no token.

use serde_json::json;
use trainyard::domain::event::Fact;
use trainyard::domain::integration::Priority;

use super::{landed, order, state_note, tick, waiting};
use crate::stage::Stage;

#[test]
fn a_label_holds_for_as_long_as_the_merge_request_carries_it() {
    let mut stage = Stage::with(&[(
        "integration:",
        "integration:\n  hold_label: 'trainyard::hold'",
    )]);
    let iids = waiting(&mut stage, 2);
    stage.edit_merge_request("dan", iids[0], json!({"labels": "trainyard::hold"}));
    tick(&mut stage, "");
    assert_eq!(landed(&stage), [iids[1]]);
    let note = state_note(&stage, iids[0]);
    assert!(
        note.contains("held with the label `trainyard::hold` by `dan`"),
        "{note}"
    );
    let told = stage.notes(iids[0]);
    assert!(
        told.iter()
            .any(|note| note.contains("@ana") && note.contains("is held by `dan`")),
        "{told:?}"
    );
    let refused = order(&stage, "rita", &["unhold", &iids[0].to_string()]);
    assert!(
        refused.code == Some(1) && refused.said.contains("take the label off"),
        "{}",
        refused.said
    );
    let third = stage.merge_request("eve", "contributes to feature #1");
    stage.edit_merge_request("eve", third, json!({"labels": "trainyard::hold"}));
    stage.integrate("eve", third);
    stage.run();
    assert!(
        state_note(&stage, third).contains("held with the label"),
        "{}",
        state_note(&stage, third)
    );
    assert!(
        !stage.notes(third).iter().any(|note| note.contains("@eve")),
        "who set it knows"
    );
    stage.edit_merge_request("dan", iids[0], json!({"labels": ""}));
    tick(&mut stage, "");
    assert_eq!(landed(&stage), [iids[1], iids[0]]);
}

#[test]
fn the_hotfix_lane_is_for_whom_the_project_names() {
    let mut stage = Stage::with(&[("integration:", "integration:\n  hotfix_by: [qa]")]);
    stage.feature("Wanted");
    let lane = |stage: &Stage, iid: u64| {
        let of_it = |fact: Fact| {
            if let Fact::ChangeSetQueued { change_set } = fact
                && change_set.merge_request.iid == iid
            {
                Some(change_set.priority)
            } else {
                None
            }
        };
        stage.facts().into_iter().find_map(of_it)
    };
    for (person, expected) in [("ana", Priority::High), ("quentin", Priority::Hotfix)] {
        let iid = stage.merge_request("ana", "contributes to feature #1");
        stage.edit_merge_request("ana", iid, json!({"labels": "priority::high"}));
        stage.edit_merge_request(person, iid, json!({"add_labels": "hotfix"}));
        stage.integrate("ana", iid);
        stage.run_but("nrt-acquire");
        assert_eq!(lane(&stage, iid), Some(expected));
        let said = stage.last("nrt-admit").trace;
        assert_eq!(
            said.contains("hotfixes are sent by people of the roles `qa`"),
            expected == Priority::High,
            "{said}"
        );
    }
}
