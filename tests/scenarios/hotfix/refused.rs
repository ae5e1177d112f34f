//! What is refused of a hotfix, in which words; and that nothing is pushed, opened or recorded then.

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard_emulator::FinishedJob;
use trainyard_emulator::faults::{Effect, Rule};

use super::{
    TWO, ask, asked_for, four_landed, head, hotfix, hotfix_asking, integrate, land, opened, read,
    release, set_up,
};
use crate::stage::Stage;

/// That it said all this, with this exit code, and made nothing.
fn is_refused(stage: &Stage, ran: &FinishedJob, code: i32, said: &[&str]) {
    assert_eq!(ran.exit_code, Some(code), "{}", ran.trace);
    for words in said {
        assert!(ran.trace.contains(words), "{words}:\n{}", ran.trace);
    }
    assert_eq!(opened(stage), [0u64; 0]);
    assert_eq!(asked_for(stage), []);
}

fn inputs(chosen: &str, from: &str) -> Value {
    json!({"trainyard_hotfix": chosen, "trainyard_hotfix_from": from, "trainyard_reason": "why not"})
}

#[test]
fn what_cannot_go_out_is_refused_by_name_all_at_once() {
    let mut stage = four_landed();
    let open = stage.merge_request("ana", "contributes to feature #1");
    let closed = stage.merge_request("ana", "contributes to feature #1");
    stage.edit_merge_request("ana", closed, json!({"state_event": "close"}));
    let ran = hotfix(&mut stage, "!1 !2 !99 !5 !6");
    assert_eq!((open, closed), (5, 6));
    let told = [
        "no hotfix is made",
        "!1 is out already: version 0.1.0 has it; leave it out",
        "!99: there is no such merge request; check the number",
        "!5 has not landed, it is open; a hotfix takes over what was tried and landed on `main`",
        "!6 has not landed, it is closed",
    ];
    is_refused(&stage, &ran, 1, &told);
    assert!(!ran.trace.contains("  !2 "), "{}", ran.trace);
    assert_eq!(head(&stage, "hotfix"), None);

    for (inputs, code, told) in [
        (
            inputs(" , ", ""),
            1,
            "no merge request is named; name those that landed and are to go out, such as `!34 !36`",
        ),
        (
            inputs("!2", "9.9.9"),
            1,
            "there is no version 9.9.9; the one in production is 0.1.0",
        ),
        (
            json!({"trainyard_hotfix": "!2"}),
            2,
            "a hotfix goes before everybody else for a reason, and everybody will ask for it",
        ),
    ] {
        let ran = hotfix_asking("rita", &mut stage, inputs);
        is_refused(&stage, &ran, code, &[told]);
    }
    let ran = hotfix_asking("root", &mut stage, inputs("!2", ""));
    let told = "`root` may not release, and so makes no hotfixes: `versions.released_by` names the roles that may";
    is_refused(&stage, &ran, 1, &[told]);
    let of_main = stage.gate(&[
        "release",
        "hotfix",
        "!2",
        "--reason",
        "x",
        "--environment",
        "nrt",
    ]);
    assert_eq!(of_main.code, Some(2));
    for words in [
        "the environment `nrt` is not one for hotfixes",
        "one with a branch of its own and `hotfixes: true`, and give the job that one's name",
    ] {
        assert!(of_main.said.contains(words), "{}", of_main.said);
    }
}

#[test]
fn without_a_released_version_there_is_nothing_to_put_a_hotfix_on() {
    let mut stage = set_up(TWO);
    land(&mut stage, "ana");
    let ran = hotfix(&mut stage, "!1");
    let told = "no version is released yet, so there is none to put a hotfix on; release `main`";
    is_refused(&stage, &ran, 1, &[told]);
}

#[test]
fn a_conflict_names_the_files_and_how_to_pick_by_hand() {
    let mut stage = set_up(TWO);
    land(&mut stage, "ana");
    release(&mut stage, "main");
    for text in ["1\n", "2\n"] {
        let file = [("shop/same.price", text)];
        let iid = stage.merge_request_with("dan", "contributes to feature #1", &file);
        integrate(&mut stage, "dan", iid);
    }
    let ran = hotfix(&mut stage, "!3");
    let commit = read(&stage, "merge_requests/3")["merge_commit_sha"].clone();
    let commit = commit.as_str().unwrap();
    let told = [
        format!(
            "!3 does not apply to `hotfix`: commit `{commit}` conflicts in `shop/same.price`; none of its commits was pushed"
        ),
        "It needs what landed before it (name that too), or a hand:".to_owned(),
        "git switch --create hotfix-of-3 origin/hotfix".to_owned(),
        format!("git cherry-pick -x {commit}"),
    ];
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    is_refused(&stage, &ran, 1, &told);
    let tag = read(&stage, "repository/tags/v0.1.0")["commit"]["id"].clone();
    assert_eq!(
        head(&stage, "hotfix").as_deref(),
        tag.as_str(),
        "for whoever picks by hand"
    );
    let both = hotfix(&mut stage, "!3 !2");
    assert_eq!(both.exit_code, Some(0), "{}", both.trace);
}

#[test]
fn a_push_or_a_merge_request_that_gitlab_refuses_names_the_setting() {
    let mut stage = four_landed();
    ask(
        &stage,
        Method::DELETE,
        "protected_branches/hotfix",
        Value::Null,
    );
    let rule = json!({"name": "hotfix", "push_access_level": 0, "merge_access_level": 40});
    ask(&stage, Method::POST, "protected_branches", rule);
    let ran = hotfix(&mut stage, "!2");
    let told = [
        "GitLab refuses the push of `hotfix` and `trainyard-hotfix/v0.1.0/2`: ",
        "let the user of `TRAINYARD_GATE_TOKEN` push to `hotfix` and `trainyard-hotfix/v0.1.0/2` (Settings > Repository > Protected branches; force is not needed), then retry the job",
    ];
    is_refused(&stage, &ran, 4, &told);
    assert_eq!(
        head(&stage, "trainyard-hotfix/v0.1.0/2"),
        None,
        "all or nothing"
    );

    ask(
        &stage,
        Method::DELETE,
        "protected_branches/hotfix",
        Value::Null,
    );
    let refused = Effect::Answer {
        status: 403,
        body: json!({"message": "403 Forbidden"}),
    };
    let rule = Rule::new(refused).on("POST", "projects/:id/merge_requests");
    let rule = stage.world.emulator.faults().add(rule.times(9));
    let ran = hotfix(&mut stage, "!2");
    let told = "GitLab does not let the user of `TRAINYARD_GATE_TOKEN` open a merge request of `trainyard-hotfix/v0.1.0/2` into `hotfix`";
    is_refused(&stage, &ran, 4, &[told]);
    stage.world.emulator.faults().remove(rule);
    let made = hotfix(&mut stage, "!2");
    assert_eq!(made.exit_code, Some(0), "{}", made.trace);
    let warned =
        "`hotfix` is not protected, so GitLab withholds `TRAINYARD_GATE_TOKEN` from its pipelines";
    assert!(made.trace.contains(warned), "{}", made.trace);
}

#[test]
fn the_branch_of_hotfixes_leaves_nothing_behind_and_never_goes_back() {
    let mut stage = four_landed();
    hotfix(&mut stage, "!2");
    integrate(&mut stage, "ana", 5);
    let again = hotfix(&mut stage, "!2");
    let told = "!2 would change nothing: `hotfix` has all of it already; leave it out";
    assert!(again.trace.contains(told), "{}", again.trace);

    release(&mut stage, "main");
    let late = land(&mut stage, "dan");
    let held = hotfix(&mut stage, &format!("!{late}"));
    let told = "`hotfix` stands at 0.1.0 and holds what no version has: !5; release it first (`release-prepare` in a pipeline of `hotfix`)";
    assert!(held.trace.contains(told), "{}", held.trace);

    // It goes out above the number that the main branch has taken meanwhile, and then the branch goes on.
    let published = release(&mut stage, "hotfix");
    assert!(
        published.trace.contains("version 0.1.2 is released"),
        "{}",
        published.trace
    );
    let out = hotfix(&mut stage, "!2");
    let told = "!2 is out already: version 0.1.2 has it; leave it out";
    assert!(out.trace.contains(told), "{}", out.trace);
    let from = json!({"trainyard_hotfix": format!("!{late}"), "trainyard_hotfix_from": "0.1.0", "trainyard_reason": "why not"});
    let back = hotfix_asking("rita", &mut stage, from);
    let told = "`hotfix` stands at 0.1.2 and does not go back to 0.1.0";
    assert!(back.trace.contains(told), "{}", back.trace);
    assert_eq!(opened(&stage), [5]);
}

#[test]
fn a_freeze_is_said_at_once_and_gone_through_at_the_release() {
    let mut stage = four_landed();
    let rules = super::file(&stage, ".trainyard.yml");
    let frozen = rules.replace(
        "  released_by: [release]\n",
        "  released_by: [release]\n  frozen: the fair\n",
    );
    stage.push_to_main(".trainyard.yml", &frozen);
    let made = hotfix(&mut stage, "!2");
    let told = "releases are frozen: the fair; a hotfix goes out all the same with `--through-freeze` and a reason";
    assert!(made.trace.contains(told), "{}", made.trace);
    assert_eq!(made.exit_code, Some(0));
}

#[test]
fn a_version_from_before_the_set_up_is_named_with_the_mend() {
    let mut stage = set_up("versions:\n  released_by: [release]\n");
    land(&mut stage, "ana");
    release(&mut stage, "main");
    let rules = super::file(&stage, ".trainyard.yml");
    let rules = rules.replace("versions:\n  released_by: [release]\n", TWO);
    stage.push_to_main(".trainyard.yml", &rules);
    land(&mut stage, "dan");
    let made = hotfix(&mut stage, "!2");
    assert_eq!(made.exit_code, Some(0), "{}", made.trace);
    let told = "the `.trainyard.yml` on `hotfix` does not have `hotfix` with `hotfixes: true`: this version was made before that was set up, and `release-prepare` will refuse there";
    assert!(made.trace.contains(told), "{}", made.trace);
}
