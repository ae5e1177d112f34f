//! The job that publishes dies, at every request; a plain retry does what is left, and nothing twice.

use super::{Standing, TOLD, done_once, landed, prepared, retried, standing};
use crate::deaths::{Deaths, Run, run_until_death};
use crate::stage::Stage;

/// A job dies, is retried, and everything is looked at; returns how often it died.
fn dies_anywhere(
    deaths: Deaths,
    stage: &mut Stage,
    name: &str,
    check: impl Fn(&Stage, &str),
) -> u32 {
    let before = stage.moment();
    deaths.in_turn(
        stage,
        |stage| before.restore(&mut stage.world),
        |stage| run_until_death(&mut stage.world, |_| true),
        |stage, Run { died, context }| {
            stage.run();
            if *died {
                let retry = retried(stage, name);
                assert_eq!(retry.exit_code, Some(0), "{context}:\n{}", retry.trace);
            }
            check(stage, context);
        },
    )
}

#[test]
fn a_publish_that_dies_anywhere_is_finished_by_a_plain_retry_and_does_nothing_twice() {
    let mut stage = landed(TOLD);
    prepared(&mut stage);
    let each = Deaths::of("release-publish").each_followed();
    let deaths = dies_anywhere(each, &mut stage, "release-publish", |stage, context| {
        assert_eq!(standing(stage), done_once(), "{context}");
    });
    assert!(deaths >= 15, "it was killed {deaths} times only");
}

#[test]
fn where_no_notes_are_kept_it_is_the_same_although_the_entry_comes_last() {
    let mut stage = landed("  released_by: [release]\n  notices: none\n");
    prepared(&mut stage);
    let any = Deaths::of("release-publish");
    let deaths = dies_anywhere(any, &mut stage, "release-publish", |stage, context| {
        let now = standing(stage);
        let expected = Standing {
            told: 0,
            changelog: 0,
            commits: 0,
            ..done_once()
        };
        assert_eq!(now, expected, "{context}");
    });
    assert!(deaths >= 10, "it was killed {deaths} times only");
}

#[test]
fn an_abort_that_dies_anywhere_gives_the_content_back_once() {
    let mut stage = super::aborted::failed();
    let any = Deaths::of("release-abort");
    let check = super::aborted::is_given_up;
    let deaths = dies_anywhere(any, &mut stage, "release-abort", check);
    assert!(deaths >= 8, "it was killed {deaths} times only");
}
