//! Test cases name the culprit by their tags; whatever they leave unexplained means a search.

use trainyard_emulator::faults::{Effect, Rule};

use super::scene::{Change, Scene};
use crate::cuts;
use crate::deaths::{Deaths, Run, run_until_death};

/// Six change sets of six features, the fourth bad; every test case carries the tag of its feature.
fn six(nrt: &str, fourth: &str) -> Scene {
    let tags: Vec<String> = (1..=6).map(|n| format!("item [feature #{n}]")).collect();
    let changes: Vec<Change<'_>> = tags
        .iter()
        .zip(1..)
        .map(|(tag, n)| match n {
            4 => Change::bad(n, fourth),
            n => Change::good(n, tag),
        })
        .collect();
    Scene::new(nrt, &changes)
}

#[test]
fn six_change_sets_with_a_bad_fourth_that_is_named_take_two_trials() {
    let mut scene = six("{}", "item [feature #4]");
    scene.stage.run();
    let rest = vec![1, 2, 3, 5, 6];
    assert_eq!(scene.trials(), [vec![1, 2, 3, 4, 5, 6], rest.clone()]);
    assert_eq!((scene.landed(), scene.rejected()), (rest, vec![4]));
    let release = scene.stage.world.ran.iter();
    let said = release
        .filter(|ran| ran.finished.name == "nrt-release")
        .map(|ran| ran.finished.trace.clone())
        .next()
        .unwrap();
    for words in [
        "trial 1 of !1, !2, !3, !4, !5, !6 is rejected: `nrt-tests` failed",
        "left the queue, its author was warned: !4",
        "wait again at their old place: !1, !2, !3, !5, !6; they are tried together next",
        "prices > item [feature #4]: not a price: free (points at !4)",
    ] {
        assert!(said.contains(words), "{words}\n---\n{said}");
    }
    cuts::decide_alike(&cuts::log(&scene.stage, &[]));
}

#[test]
fn the_author_reads_the_failing_cases_and_the_others_that_nothing_is_held_against_them() {
    let mut scene = six("{}", "item [!4] /close @all");
    scene.stage.run_but("nrt-acquire");
    scene.stage.run_but("append-to-version");
    let state = scene.state_note(4);
    let told = scene.mentions(4, "ana");
    assert_eq!(told.len(), 1, "{told:?}");
    for note in [&state, &told[0]] {
        assert!(
            note.contains("Failing test cases:") && note.contains("not a price:\u{2060} free")
                || note.contains("not a price: free"),
            "{note}"
        );
        assert!(note.contains("/-/jobs/"), "a link to the job: {note}");
        assert!(
            !note.contains("@all") && !note.contains("\n/close"),
            "{note}"
        );
    }
    assert!(
        state.contains("together with !1, !2, !3, !5, !6"),
        "{state}"
    );
    assert_eq!(scene.mentions(1, "ana"), Vec::<String>::new());
}

#[test]
fn those_who_wait_again_read_why() {
    let mut scene = six("{}", "item [feature #4]");
    let mut releases = 0;
    // Up to the end of the first trial, and no further.
    while releases == 0 {
        let ran = scene.stage.world.run_one(|_| true).unwrap();
        releases += u32::from(ran.finished.name == "nrt-release");
    }
    let note = scene.state_note(1);
    assert!(
        note.contains("the verdict points at !\u{2060}4; nothing is held against the others"),
        "{note}"
    );
}

#[test]
fn one_failing_case_without_a_tag_means_a_search() {
    let mut scene = six("{}", "item");
    scene.stage.run();
    assert_eq!((scene.landed().len(), scene.rejected()), (5, vec![4]));
    assert!(
        (3..=5).contains(&scene.trials().len()),
        "{:?}",
        scene.trials()
    );
    let first = scene
        .stage
        .world
        .ran
        .iter()
        .find(|ran| ran.finished.name == "nrt-release")
        .unwrap();
    let said = &first.finished.trace;
    assert!(
        said.contains(
            "nobody is named: this case has no tag of a change set of the trial: prices > item"
        ),
        "{said}"
    );
}

#[test]
fn tagged_and_untagged_failures_together_name_nobody_at_first() {
    let changes = [
        Change::bad(1, "item [feature #1]"),
        Change::good(2, "item [feature #2]"),
        Change::bad(3, "an old one [feature #99]"),
        Change::good(4, "item [feature #4]"),
    ];
    let mut scene = Scene::new("{}", &changes);
    scene.stage.run();
    assert_eq!(scene.landed(), [2, 4]);
    let mut rejected = scene.rejected();
    rejected.sort_unstable();
    assert_eq!(rejected, [1, 3]);
    assert!(scene.trials()[1].len() <= 2, "{:?}", scene.trials());
}

#[test]
fn a_feature_of_two_change_sets_makes_them_suspects_and_only_the_bad_one_leaves() {
    let changes = [
        Change::good(1, "one"),
        Change::good(2, "item [feature #2]"),
        Change::good(3, "three"),
        Change::bad(2, "other item [feature #2]"),
        Change::good(5, "five"),
    ];
    let mut scene = Scene::new("{}", &changes);
    scene.stage.run();
    assert_eq!(scene.rejected(), [4]);
    let trials = scene.trials();
    assert_eq!(trials[1], [2], "{trials:?}");
    let mut landed = scene.landed();
    landed.sort_unstable();
    assert_eq!(landed, [1, 2, 3, 5]);
}

#[test]
fn a_job_without_a_report_that_fails_beside_means_a_search() {
    let pipeline = "
deploy-nrt:
  extends: .trainyard-candidate
  stage: deploy
  script: [echo deployed]
nrt-tests:
  extends: .trainyard-candidate
  stage: test
  script: [sh tests/nrt.sh]
  artifacts: {when: always, reports: {junit: report.xml}}
smoke:
  extends: .trainyard-candidate
  stage: test
  script: ['! grep -q free shop/*.price']
";
    let changes = [
        Change::good(1, "item [feature #1]"),
        Change::bad(2, "item [feature #2]"),
        Change::good(3, "item [feature #3]"),
    ];
    let mut scene = Scene::with_pipeline("{}", pipeline, &changes);
    scene.stage.run();
    assert_eq!((scene.landed(), scene.rejected()), (vec![1, 3], vec![2]));
    assert_ne!(scene.trials()[1], [1, 3], "not named: {:?}", scene.trials());
}

#[test]
fn tags_are_spelled_as_the_project_says() {
    let changes = [
        Change::good(1, "t_1_price"),
        Change::bad(2, "t_2_price"),
        Change::good(3, "t_3_price"),
    ];
    let mut scene = Scene::new("{tags: ['t_{feature}_']}", &changes);
    scene.stage.run();
    assert_eq!(scene.trials(), [vec![1, 2, 3], vec![1, 3]]);
}

#[test]
fn with_two_strikes_one_that_is_named_is_tried_alone_before_it_leaves() {
    let changes = [
        Change::good(1, "item [feature #1]"),
        Change::bad(2, "item [feature #2]"),
        Change::good(3, "item [feature #3]"),
    ];
    let mut scene = Scene::new("{strikes: 2}", &changes);
    scene.stage.run();
    assert_eq!(scene.trials()[..2], [vec![1, 2, 3], vec![2]]);
    let mut landed = scene.landed();
    landed.sort_unstable();
    assert_eq!((landed, scene.rejected()), (vec![1, 3], vec![2]));
}

#[test]
fn a_report_that_gitlab_does_not_give_costs_only_the_name() {
    let mut scene = six("{}", "item [feature #4]");
    let route = "projects/:id/pipelines/:pipeline_id/test_report";
    let refused = Rule::new(Effect::Html { status: 403 }).on("GET", route);
    scene
        .stage
        .world
        .emulator
        .faults()
        .add(refused.times(1_000));
    scene.stage.run();
    assert_eq!((scene.landed().len(), scene.rejected()), (5, vec![4]));
    assert!(scene.trials().len() <= 5, "{:?}", scene.trials());
}

#[test]
fn a_conclusion_that_dies_at_any_request_rejects_once_and_loses_nobody() {
    let changes = [
        Change::good(1, "item [feature #1]"),
        Change::bad(2, "item [feature #2]"),
    ];
    let mut scene = Scene::new("{}", &changes);
    let before = scene.stage.moment();
    let deaths = Deaths::of("nrt-release").most(30).in_turn(
        &mut scene,
        |scene| before.restore(&mut scene.stage.world),
        |scene| run_until_death(&mut scene.stage.world, |_| true),
        |scene, Run { context, .. }| {
            scene.stage.run();
            let ends = (scene.landed(), scene.rejected());
            assert_eq!(ends, (vec![1], vec![2]), "{context}");
            let trials = scene.trials().len();
            assert!((2..=3).contains(&trials), "{context}: {trials}");
            assert_eq!(scene.mentions(2, "ana").len(), 1, "{context}");
        },
    );
    assert!(deaths > 5, "{deaths}");
}
