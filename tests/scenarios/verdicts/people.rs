//! People say whether a trial passed, by manual jobs of its pipeline.

use serde_json::json;
use trainyard::domain::event::Fact;

use super::scene::{Change, Scene};
use crate::deaths::{Deaths, Run};

/// Two good change sets, deployed and waiting for QA.
fn waiting_for_qa(nrt: &str) -> Scene {
    let changes = [Change::good(1, "one"), Change::good(2, "two")];
    let mut scene = Scene::new(nrt, &changes);
    scene.stage.run();
    scene
}

fn holds(scene: &Scene) -> bool {
    !scene.stage.queue()["environment"]["lease"].is_null()
}

#[test]
fn nothing_lands_before_qa_validated_and_then_all_of_it_does() {
    for mode in ["manual", "both"] {
        let mut scene = waiting_for_qa(&format!("{{verdict: {mode}}}"));
        assert!(scene.landed().is_empty() && holds(&scene), "{mode}");
        assert!(
            scene
                .state_note(1)
                .contains("A person then says whether it passed"),
            "{}",
            scene.state_note(1)
        );
        let asked = scene.mentions(1, "quentin");
        assert!(
            asked.len() == 1 && asked[0].contains("trial 1 waits for your verdict: !1, !2"),
            "{mode}: {asked:?}"
        );
        let pressed = scene.press("quentin", "nrt:validate").unwrap();
        assert_eq!(pressed.exit_code, Some(0), "{}", pressed.trace);
        assert!(
            pressed
                .trace
                .contains("`quentin` validated trial 1 of !1, !2"),
            "{}",
            pressed.trace
        );
        assert_eq!(scene.landed(), [1, 2], "{mode}");
        assert!(!holds(&scene), "{mode}");
        let asked = scene.mentions(1, "quentin");
        assert!(
            asked.len() == 1 && asked[0].contains("**Settled**"),
            "{asked:?}"
        );
        let by = scene.stage.world.events().unwrap().into_iter();
        let by: Vec<_> = by
            .filter(|event| matches!(event.fact, Fact::TrialValidated { .. }))
            .map(|event| event.by.unwrap().to_string())
            .collect();
        assert_eq!(by, ["quentin"], "{mode}");
    }
}

#[test]
fn one_click_names_the_culprit_and_the_rest_is_tried_again_together() {
    let changes = [1, 2, 3, 4, 5, 6].map(|n| Change::good(n, "fine"));
    let mut scene = Scene::new("{verdict: both}", &changes);
    scene.stage.run();
    let pressed = scene.press("quentin", "nrt:reject:!4").unwrap();
    assert_eq!(pressed.exit_code, Some(0), "{}", pressed.trace);
    assert!(
        pressed
            .trace
            .contains("left the queue, its author was warned: !4"),
        "{}",
        pressed.trace
    );
    assert_eq!(scene.rejected(), [4]);
    let told = scene.mentions(4, "ana");
    assert!(
        told.len() == 1 && told[0].contains("quentin rejected it without a reason"),
        "{told:?}"
    );
    scene.press("quentin", "nrt:validate").unwrap();
    let rest = vec![1, 2, 3, 5, 6];
    assert_eq!(scene.trials(), [vec![1, 2, 3, 4, 5, 6], rest.clone()]);
    assert_eq!(scene.landed(), rest);
}

#[test]
fn a_rejection_that_names_nobody_starts_a_search_with_the_same_person() {
    let mut scene = waiting_for_qa("{verdict: manual}");
    scene.press("quentin", "nrt:reject").unwrap();
    assert_eq!(scene.rejected(), Vec::<u64>::new());
    assert_eq!(scene.trials(), [vec![1, 2], vec![1]]);
    scene.press("quentin", "nrt:validate").unwrap();
    assert_eq!((scene.landed(), scene.rejected()), (vec![1], vec![2]));
    let told = scene.mentions(2, "ana");
    assert!(
        told[0].contains("which passed without it and landed"),
        "{told:?}"
    );
}

#[test]
fn a_change_set_alone_that_a_person_rejects_leaves_at_once_even_with_two_strikes() {
    let mut scene = Scene::new("{verdict: manual, strikes: 2}", &[Change::good(1, "one")]);
    scene.stage.run();
    scene.press("quentin", "nrt:reject").unwrap();
    assert_eq!((scene.rejected(), scene.trials().len()), (vec![1], 1));
    assert!(!holds(&scene));
}

#[test]
fn a_reason_and_several_culprits_may_be_given_with_the_job() {
    let mut scene = waiting_for_qa("{verdict: both}");
    let world = &scene.stage.world;
    let setting = json!({"ci_pipeline_variables_minimum_override_role": "maintainer"});
    let project = world.at("");
    world
        .ask(
            "root",
            reqwest::Method::PUT,
            project.trim_end_matches('/'),
            setting,
        )
        .unwrap();
    let job = world
        .job("quentin", scene.trial_pipeline(), "nrt:reject")
        .unwrap();
    let variables = json!({"job_variables_attributes": [
        {"key": "TRAINYARD_CULPRIT", "value": "!2, shop/web!1"},
        {"key": "TRAINYARD_REASON", "value": "the basket is empty\n/close @all"}
    ]});
    let play = world.at(&format!("jobs/{job}/play"));
    world
        .ask("quentin", reqwest::Method::POST, &play, variables)
        .unwrap();
    scene.stage.run();
    assert_eq!(scene.rejected(), [1, 2]);
    for iid in [1, 2] {
        let told = scene.mentions(iid, "ana");
        assert!(
            told.len() == 1
                && told[0].contains("quentin rejected it:")
                && told[0].contains("the basket is empty /close")
                && !told[0].contains("@all"),
            "{told:?}"
        );
    }
}

#[test]
fn somebody_without_the_role_changes_nothing_and_the_trial_goes_on_waiting() {
    for job in ["nrt:validate", "nrt:reject", "nrt:reject:!1"] {
        let mut scene = waiting_for_qa("{verdict: both}");
        let pressed = scene.press("rita", job).unwrap();
        assert_eq!(pressed.exit_code, Some(1), "{}", pressed.trace);
        for words in [
            "`rita` cannot say whether trial 1 passed: does not hold the role",
            "who decides: `qa` (quentin)",
            "nothing was recorded, and the trial goes on waiting",
        ] {
            assert!(pressed.trace.contains(words), "{words}\n{}", pressed.trace);
        }
        assert!(scene.landed().is_empty() && scene.rejected().is_empty() && holds(&scene));
        assert!(
            scene.press("ana", job).is_none(),
            "GitLab lets no developer press it"
        );
        scene.press("quentin", "nrt:validate").unwrap();
        assert_eq!(scene.landed(), [1, 2], "{job}");
    }
}

#[test]
fn other_roles_may_decide_and_without_one_whoever_gitlab_lets_press() {
    for roles in ["[release]", "[]"] {
        let mut scene = waiting_for_qa(&format!("{{verdict: both, roles: {roles}}}"));
        scene.press("rita", "nrt:validate").unwrap();
        assert_eq!(scene.landed(), [1, 2], "{roles}");
    }
}

#[test]
fn a_bot_gives_no_verdict() {
    let mut scene = waiting_for_qa("{verdict: both, roles: []}");
    let pressed = scene.press("trainyard-bot", "nrt:validate").unwrap();
    assert_eq!(pressed.exit_code, Some(1), "{}", pressed.trace);
    assert!(scene.landed().is_empty());
}

#[test]
fn landing_that_is_pressed_by_hand_lands_nothing_and_loses_nobody() {
    let mut scene = waiting_for_qa("{verdict: both}");
    let pressed = scene.press("quentin", "append-to-version").unwrap();
    assert_eq!(pressed.exit_code, Some(1));
    assert!(
        pressed
            .trace
            .contains("nobody has validated trial 1, so nothing lands"),
        "{}",
        pressed.trace
    );
    assert_eq!(scene.trials().len(), 2, "they are tried again");
    scene.press("quentin", "nrt:validate").unwrap();
    assert_eq!(scene.landed(), [1, 2]);
}

#[test]
fn where_both_decide_failed_tests_reject_before_anybody_is_asked() {
    let mut scene = Scene::new("{verdict: both}", &[Change::bad(1, "one")]);
    scene.stage.run();
    assert_eq!(scene.rejected(), [1]);
    assert_eq!(scene.mentions(1, "quentin"), Vec::<String>::new());
}

#[test]
fn where_people_decide_failed_tests_inform() {
    let mut scene = Scene::new("{verdict: manual}", &[Change::bad(1, "one")]);
    scene.stage.run();
    assert_eq!(scene.stage.last("nrt-tests").exit_code, Some(1));
    assert!(scene.rejected().is_empty() && holds(&scene));
    scene.press("quentin", "nrt:validate").unwrap();
    assert_eq!(scene.landed(), [1]);
}

#[test]
fn a_candidate_that_cannot_be_deployed_is_rejected_without_a_person() {
    let pipeline = "
deploy-nrt:
  extends: .trainyard-candidate
  stage: deploy
  script: ['! grep -q free shop/*.price']
";
    let changes = [Change::bad(1, "one")];
    let mut scene = Scene::with_pipeline("{verdict: manual}", pipeline, &changes);
    scene.stage.run();
    assert_eq!(scene.rejected(), [1]);
}

#[test]
fn a_verdict_that_cannot_be_is_refused_by_name_and_records_nothing() {
    let mut scene = Scene::new("{}", &[Change::good(1, "one"), Change::good(2, "two")]);
    scene.stage.run_but("nrt-tests");
    let before = scene.stage.facts().len();
    for (arguments, code, words) in [
        (
            &["--epoch", "1", "--rejected-by", "!2,!99"][..],
            1,
            "!99 cannot be the culprit: trial 1 is of !1, !2",
        ),
        (
            &["--epoch", "1", "--rejected-by", "ana"],
            2,
            "is not a merge request, such as `!34`",
        ),
        (&["--epoch", "1"], 2, "required"),
        (
            &["--epoch", "1", "--validated"],
            2,
            "nobody is asked to validate trials here: `nrt.verdict` is `tests`",
        ),
        (
            &["--epoch", "9", "--rejected"],
            1,
            "the verdict comes too late: trial 9 ended without a verdict",
        ),
    ] {
        let said = scene
            .stage
            .gate(&[&["nrt-lock", "conclude"], arguments].concat());
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.said);
        assert!(said.said.contains(words), "{arguments:?}: {}", said.said);
    }
    assert_eq!(scene.stage.facts().len(), before, "nothing was recorded");
}

#[test]
fn a_job_of_the_project_may_name_the_culprit_by_the_command() {
    let pipeline = "
deploy-nrt:
  extends: .trainyard-candidate
  stage: deploy
  script: [echo deployed]
nrt-tests:
  extends: .trainyard-candidate
  stage: test
  script:
    - |
      if grep -q free shop/*.price; then
        trainyard nrt-lock conclude --epoch $TRAINYARD_EPOCH --rejected-by '!2' --reason 'the shop is free'
        exit 1
      fi
";
    let changes = [
        Change::good(1, "one"),
        Change::bad(2, "two"),
        Change::good(3, "three"),
    ];
    let mut scene = Scene::with_pipeline("{}", pipeline, &changes);
    scene.stage.run();
    assert_eq!(scene.trials(), [vec![1, 2, 3], vec![1, 3]]);
    assert_eq!((scene.landed(), scene.rejected()), (vec![1, 3], vec![2]));
    assert!(scene.mentions(2, "ana")[0].contains("the shop is free"));
}

#[test]
fn a_second_verdict_changes_nothing() {
    let mut scene = Scene::new("{verdict: both}", &[Change::good(1, "one")]);
    scene.stage.run();
    let pipeline = scene.trial_pipeline();
    let world = &scene.stage.world;
    // Both are pressed before any of them runs.
    for job in ["nrt:reject", "nrt:validate"] {
        let job = world.job("quentin", pipeline, job).unwrap();
        let play = world.at(&format!("jobs/{job}/play"));
        world
            .ask("quentin", reqwest::Method::POST, &play, json!({}))
            .unwrap();
    }
    scene.stage.world.run(|job| job.name == "nrt:reject");
    scene.stage.world.run(|job| job.name == "nrt:validate");
    let second = scene.stage.last("nrt:validate");
    assert_eq!(second.exit_code, Some(1));
    assert!(
        second
            .trace
            .contains("trial 1 was rejected before; nothing changed"),
        "{}",
        second.trace
    );
    scene.stage.run();
    assert_eq!((scene.landed(), scene.rejected()), (vec![], vec![1]));
    let late = scene.press("quentin", "nrt:validate").unwrap();
    assert!(
        late.trace
            .contains("the verdict comes too late: trial 1 was rejected"),
        "{}",
        late.trace
    );
}

#[test]
fn a_verdict_under_a_lost_lease_comes_too_late() {
    let mut scene = waiting_for_qa("{verdict: both}");
    let first = scene.trial_pipeline();
    scene.press("quentin", "append-to-version").unwrap();
    assert_ne!(scene.trial_pipeline(), first, "they are tried again");
    let before = scene.stage.facts().len();
    let late = scene
        .stage
        .play_in("quentin", first, "nrt:validate")
        .unwrap();
    assert_eq!(late.exit_code, Some(1), "{}", late.trace);
    for words in [
        "the verdict comes too late: trial 1 ended without a verdict",
        "the environment has been granted again since (lease 2)",
    ] {
        assert!(late.trace.contains(words), "{words}: {}", late.trace);
    }
    assert_eq!(scene.stage.facts().len(), before);
    scene.press("quentin", "nrt:validate").unwrap();
    assert_eq!(scene.landed(), [1, 2]);
}

/// Cancelled in the browser between the verdict and the landing: the trial's pipeline, or the worker's above it with all below.
#[test]
fn a_pipeline_that_is_cancelled_right_after_the_verdict_loses_nobody() {
    let mut scene = waiting_for_qa("{verdict: both}");
    let worker = scene.stage.last("nrt-acquire").pipeline_id;
    let pipeline = scene.trial_pipeline();
    let played = scene.stage.play_in("quentin", pipeline, "nrt:validate");
    assert_eq!(played.unwrap().exit_code, Some(0));
    let before = scene.stage.moment();
    for cancelled in [&[pipeline][..], &[pipeline, worker]] {
        before.restore(&mut scene.stage.world);
        for pipeline in cancelled {
            scene.stage.cancel(*pipeline);
        }
        scene.stage.run();
        if scene.landed().is_empty() {
            crate::controls::tick(&mut scene.stage, "nobody");
        }
        if scene.landed().is_empty() {
            assert_ne!(scene.trial_pipeline(), pipeline, "{cancelled:?}");
            scene.press("quentin", "nrt:validate").unwrap();
        }
        assert_eq!(scene.landed(), [1, 2], "{cancelled:?}");
        assert!(!holds(&scene), "{cancelled:?}");
        for iid in [1, 2] {
            assert_eq!(scene.stage.state(iid), "merged", "{cancelled:?}");
        }
    }
}

#[test]
fn a_verdict_that_dies_at_any_request_is_given_by_pressing_again_and_counts_once() {
    let mut scene = Scene::new("{verdict: both}", &[Change::good(1, "one")]);
    scene.stage.run();
    let before = scene.stage.moment();
    for (job, outcome) in [
        ("nrt:validate", (vec![1], vec![])),
        ("nrt:reject", (vec![], vec![1])),
    ] {
        let deaths = Deaths::of(job).most(30).in_turn(
            &mut scene,
            |scene| before.restore(&mut scene.stage.world),
            |scene| {
                scene.press_alone("quentin", job).unwrap();
            },
            |scene, Run { died, context }| {
                scene.stage.run();
                if *died && holds(scene) {
                    scene.press("quentin", job);
                }
                let ends = (scene.landed(), scene.rejected());
                assert_eq!(ends, outcome, "{job} {context}");
                assert!(!holds(scene), "{job} {context}");
                assert_eq!(scene.trials().len(), 1, "{job} {context}");
            },
        );
        assert!(deaths > 4, "{job}: {deaths}");
    }
}
