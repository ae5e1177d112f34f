//! Histories in, figures out.

use super::story::{Story, feature, minute, mr, number};
use super::*;
use crate::domain::event::Fact;
use crate::domain::linking::LinkKind::{Closes, Contributes};
use proptest::prelude::*;

const CLOSES: &[(u64, LinkKind)] = &[(34, Closes)];

fn all(to: i64) -> Period {
    Period {
        from: None,
        to: minute(to),
    }
}

fn look(story: &Story, now: i64) -> Insights {
    insights(&story.events, minute(now), all(now))
}

/// Feature 34: rejected once by the product owner, tried three times (abandoned, rejected, validated), released.
fn long_way() -> Story {
    let mut story = Story::default();
    story
        .linked(0, 6, 34, Contributes)
        .linked(10, 7, 34, Closes)
        .asked(20, 7, 34, &["po", "qa"])
        .verdict(30, 7, 34, "po", Some("wrong colour"))
        .asked(40, 7, 34, &["po", "qa"])
        .verdict(50, 7, 34, "po", None)
        .verdict(60, 7, 34, "qa", None)
        .queued(70, 7, CLOSES)
        .tried(75, 1, &[7])
        .abandoned(80, 1)
        .tried(90, 2, &[7])
        .failed(100, 2, 7, "checkout is red")
        .queued(120, 7, CLOSES)
        .tried(123, 3, &[7])
        .passed(130, 3, 1, &[(7, CLOSES)])
        .closed(190, 1, &[7])
        .released(200, 1, &[34]);
    story
}

fn minutes(feature: &FeatureFlow) -> Vec<(Stage, usize, u64)> {
    let times = feature.stages.iter();
    times.map(|t| (t.stage, t.visits, t.seconds / 60)).collect()
}

#[test]
fn repeated_visits_of_a_stage_are_summed_and_counted() {
    let insights = look(&long_way(), 300);
    let [feature] = insights.features.as_slice() else {
        panic!("{:?}", insights.features)
    };
    assert_eq!(
        minutes(feature),
        [
            (Stage::Development, 3, 20 + 10 + 20),
            (Stage::Validation, 2, 10 + 20),
            (Stage::Validated, 1, 10),
            (Stage::Queued, 3, 5 + 10 + 3),
            (Stage::Trial, 3, 5 + 10 + 7),
            (Stage::Landed, 1, 70),
        ]
    );
    assert_eq!(
        (feature.stage, feature.lead_seconds),
        (Stage::Released, Some(200 * 60))
    );
    let total: u64 = feature.stages.iter().map(|t| t.seconds).sum();
    assert_eq!(total, 200 * 60, "no minute is lost between the stages");
    assert_eq!(
        feature.released.as_ref().and_then(|r| r.number.as_deref()),
        Some("v1.1.0")
    );
}

#[test]
fn the_timeline_holds_every_event_that_concerns_the_feature_and_who_decided() {
    let mut story = long_way();
    story.linked(5, 9, 35, Closes).queued(6, 9, &[(35, Closes)]);
    let insights = look(&story, 300);
    let feature = &insights.features[0];
    let facts: Vec<&str> = feature.timeline.iter().map(|step| step.fact).collect();
    assert_eq!(
        facts.join(" "),
        "FeatureLinked FeatureLinked ValidationRequested FeatureRejected ValidationRequested FeatureValidated \
         FeatureValidated ChangeSetQueued ChangeSetUnqueued TrialStarted TrialAbandoned ChangeSetUnqueued TrialStarted \
         TrialRejected ChangeSetRejected ChangeSetQueued ChangeSetUnqueued TrialStarted TrialValidated ChangeSetMerged \
         ChangeSetAppended VersionClosed VersionReleased"
    );
    let rejected = &feature.timeline[3];
    assert_eq!(
        (rejected.turn, rejected.text.as_str()),
        (Turn::Back, "rejected as po: wrong colour")
    );
    assert_eq!(rejected.by, Some("paul".parse().unwrap()));
    let last = feature.timeline.last().unwrap();
    assert_eq!(last.text, "version 1.1.0 released");
    assert_eq!(last.merge_request, Some(mr(7)));
    assert_eq!(
        insights.features[1].timeline.len(),
        2,
        "and nothing of its neighbour"
    );
}

#[test]
fn queue_waits_are_measured_per_stay_and_in_total() {
    let insights = look(&long_way(), 300);
    let set = insights
        .change_sets
        .iter()
        .find(|set| set.merge_request == mr(7))
        .unwrap();
    assert_eq!(set.waits, [300, 600, 180]);
    assert_eq!((set.waited_seconds, set.trials), (1_080, 3));
    assert_eq!(set.lead_seconds, Some(190 * 60));
    let wait = insights.queue.wait.unwrap();
    assert_eq!((wait.n, wait.p50, wait.p85), (3, 300, 600));
    assert_eq!(insights.queue.wait_in_total.unwrap().p50, 1_080);
    assert_eq!(insights.queue.joined, 2);
    assert_eq!(
        insights.queue.exits,
        [(ExitKind::Landed, 1), (ExitKind::Rejected, 1)]
    );
}

#[test]
fn trials_and_rejections_are_counted_by_outcome_and_reason() {
    let insights = look(&long_way(), 300);
    let trials = &insights.trials;
    assert_eq!(
        (trials.validated, trials.rejected, trials.abandoned),
        (1, 1, 1)
    );
    let share = trials.rejected_share.unwrap();
    assert_eq!((share.count, share.of), (1, 2));
    assert_eq!(trials.duration.map(|d| (d.n, d.p50)), Some((2, 420)));
    let reasons: Vec<(RejectionKind, &str, usize)> = insights
        .rejections
        .iter()
        .map(|r| (r.kind, r.reason.as_str(), r.count))
        .collect();
    assert_eq!(
        reasons,
        [
            (RejectionKind::Validation, "wrong colour", 1),
            (RejectionKind::Trial, "checkout is red", 1),
        ]
    );
    let [po, qa] = insights.validation.as_slice() else {
        panic!("{:?}", insights.validation)
    };
    assert_eq!(
        (po.wait.map(|w| (w.n, w.p50)), po.awaited),
        (Some((2, 600)), 0)
    );
    assert_eq!(qa.wait.map(|w| (w.n, w.p50)), Some((1, 1_200)));
}

#[test]
fn what_lasts_is_shown_as_of_now() {
    let mut story = Story::default();
    story
        .queued(0, 7, CLOSES)
        .queued(2, 8, &[(35, Contributes)])
        .tried(5, 1, &[7])
        .linked(6, 9, 36, Closes)
        .asked(7, 9, 36, &["po"]);
    let insights = look(&story, 10);
    let stages: Vec<(u64, Stage)> = insights
        .features
        .iter()
        .map(|f| (f.feature.iid, f.stage))
        .collect();
    assert_eq!(
        stages,
        [
            (34, Stage::Trial),
            (35, Stage::Queued),
            (36, Stage::Validation)
        ]
    );
    let waiting: Vec<(u64, u64)> = insights
        .queue
        .waiting
        .iter()
        .map(|w| (w.merge_request.iid, w.seconds))
        .collect();
    assert_eq!(waiting, [(8, 480)]);
    let running = insights.trials.running.unwrap();
    assert_eq!((running.trial, running.since), (TrialId(1), minute(5)));
    assert_eq!(insights.validation[0].awaited, 1);
    assert_eq!(insights.feature_lead_time, None);
}

#[test]
fn a_batch_that_fails_sends_the_innocent_back_to_the_queue() {
    let mut story = Story::default();
    story
        .queued(0, 7, &[])
        .queued(0, 8, &[])
        .tried(5, 1, &[7, 8])
        .failed(15, 1, 8, "red")
        .tried(20, 2, &[7])
        .passed(30, 2, 1, &[(7, &[])]);
    let insights = look(&story, 40);
    let of = |iid| {
        let sets = insights.change_sets.iter();
        sets.clone().find(|s| s.merge_request == mr(iid)).unwrap()
    };
    assert_eq!(
        (of(7).stage, of(7).waits.as_slice()),
        (Stage::Landed, &[300, 300][..])
    );
    assert_eq!(
        (of(8).stage, of(8).waits.as_slice()),
        (Stage::Development, &[300][..])
    );
}

#[test]
fn a_feature_is_in_production_only_with_the_merge_request_that_closes_it() {
    let mut story = Story::default();
    story
        .queued(0, 6, &[(34, Contributes)])
        .tried(1, 1, &[6])
        .passed(2, 1, 1, &[(6, &[(34, Contributes)])])
        .closed(3, 1, &[6])
        .released(4, 1, &[34]);
    let insights = look(&story, 10);
    assert_eq!(insights.features[0].stage, Stage::Development);
    assert_eq!(insights.features[0].released, None);
    assert_eq!(insights.versions[0].contributes_to, [feature(34)]);
    assert_eq!(insights.change_set_lead_time.map(|d| d.n), Some(1));
    story
        .queued(5, 7, CLOSES)
        .tried(6, 2, &[7])
        .passed(7, 2, 2, &[(7, CLOSES)])
        .closed(8, 2, &[7])
        .released(9, 2, &[34]);
    let insights = look(&story, 10);
    assert_eq!(insights.features[0].stage, Stage::Released);
    assert_eq!(insights.features[0].lead_seconds, Some(9 * 60));
    let states: Vec<(Option<&str>, usize, usize)> = insights
        .versions
        .iter()
        .map(|v| (v.number.as_deref(), v.change_sets, v.completes.len()))
        .collect();
    assert_eq!(states, [(Some("v1.2.0"), 1, 1), (Some("v1.1.0"), 1, 0)]);
}

#[test]
fn what_was_withdrawn_is_in_production_only_with_the_release_that_lasts() {
    let mut story = Story::default();
    story
        .queued(0, 7, CLOSES)
        .tried(1, 1, &[7])
        .passed(2, 1, 1, &[(7, CLOSES)])
        .closed(3, 1, &[7])
        .released(4, 1, &[34]);
    let out = look(&story, 10);
    assert_eq!(out.features[0].lead_seconds, Some(4 * 60));
    story.withdrawn(12, 1);
    let back = look(&story, 15);
    assert_eq!(back.features[0].stage, Stage::Landed);
    assert_eq!(back.features[0].released, None);
    assert_eq!(back.features[0].lead_seconds, None);
    assert_eq!(back.change_set_lead_time.map(|d| d.n), None);
    assert_eq!(back.feature_lead_time.map(|d| d.n), None);
    story.closed(20, 2, &[7]).released(21, 2, &[34]);
    let mended = look(&story, 30);
    assert_eq!(mended.features[0].stage, Stage::Released);
    assert_eq!(mended.features[0].lead_seconds, Some(21 * 60));
    assert_eq!(mended.change_set_lead_time.map(|d| d.n), Some(1));
}

#[test]
fn a_failed_release_gives_its_content_back_to_the_open_version() {
    let mut story = Story::default();
    story
        .queued(0, 7, CLOSES)
        .tried(1, 1, &[7])
        .passed(2, 1, 1, &[(7, CLOSES)])
        .closed(3, 1, &[7]);
    let states = |story: &Story| -> Vec<(VersionState, usize)> {
        let versions = look(story, 10).versions;
        versions.iter().map(|v| (v.state, v.change_sets)).collect()
    };
    assert_eq!(states(&story), [(VersionState::Closing, 1)]);
    story.add(
        4,
        Fact::ReleaseFailed {
            version: VersionId(1),
            number: number(1),
            reason: "no disk".into(),
            evidence: None,
        },
    );
    assert_eq!(
        states(&story),
        [(VersionState::Open, 1), (VersionState::Failed, 1)]
    );
    story.closed(5, 2, &[7]).released(6, 2, &[34]);
    assert_eq!(
        states(&story),
        [(VersionState::Released, 1), (VersionState::Failed, 1)]
    );
    assert_eq!(look(&story, 10).features[0].lead_seconds, Some(360));
}

#[test]
fn a_period_counts_what_ended_in_it() {
    let story = long_way();
    let in_period = |from, to| {
        let period = Period {
            from: Some(minute(from)),
            to: minute(to),
        };
        let found = insights(&story.events, minute(300), period);
        assert!(found.excluded.is_empty());
        (
            found.queue.wait.map_or(0, |wait| wait.n),
            found.trials.validated + found.trials.rejected + found.trials.abandoned,
            found.feature_lead_time.map_or(0, |lead| lead.n),
            found.features.len(),
        )
    };
    assert_eq!(in_period(0, 80), (1, 1, 0, 1));
    assert_eq!(in_period(80, 199), (2, 2, 0, 1));
    assert_eq!(in_period(199, 200), (0, 0, 1, 1));
    assert_eq!(in_period(200, 300), (0, 0, 0, 0));
    let then = insights(&story.events, minute(300), all(95));
    assert_eq!(then.features[0].stage, Stage::Trial, "as it stood then");
    assert_eq!(then.events.later, 14);
}

#[test]
fn clocks_that_disagree_give_excluded_durations_and_no_wrong_stage() {
    let mut story = Story::default();
    story
        .queued(10, 7, CLOSES)
        .tried(8, 1, &[7])
        .passed(7, 1, 1, &[(7, CLOSES)])
        .closed(20, 1, &[7])
        .released(21, 1, &[34]);
    let insights = look(&story, 30);
    assert_eq!(insights.features[0].stage, Stage::Released);
    assert_eq!(
        (insights.queue.wait, insights.trials.duration),
        (None, None)
    );
    let measures: Vec<(&str, &str, i64)> = insights
        .excluded
        .iter()
        .map(|e| (e.measure, e.about.as_str(), e.seconds))
        .collect();
    assert_eq!(
        measures,
        [
            ("queue wait", "shop/web!7", -120),
            ("stage time", "shop/web#34", -60),
            ("stage time", "shop/web#34", -120),
            ("trial duration", "trial 1", -60),
        ]
    );
}

#[test]
fn nothing_known_is_no_error() {
    let insights = look(&Story::default(), 0);
    assert_eq!((insights.events.read, insights.features.len()), (0, 0));
    let json = serde_json::to_value(&insights).unwrap();
    assert_eq!(json["trials"]["rejected_share"], serde_json::Value::Null);
}

#[test]
fn the_json_names_its_units() {
    let json = serde_json::to_value(look(&long_way(), 300)).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["features"][0]["lead_seconds"], 12_000);
    assert_eq!(json["features"][0]["stages"][3]["stage"], "queued");
    assert_eq!(json["queue"]["wait"]["p85"], 600);
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_of_the_events_say_the_same(
        order in Just((0..36).collect::<Vec<usize>>()).prop_shuffle(), again in prop::collection::vec(0usize..36, 0..20),
    ) {
        let story = long_way();
        let expected = look(&story, 300);
        let mut events: Vec<Event> = order.iter().filter_map(|i| story.events.get(*i).cloned()).collect();
        let twice: Vec<Event> = again.iter().filter_map(|i| story.events.get(*i).cloned()).collect();
        let repeated = twice.len();
        events.extend(twice);
        prop_assert!(story.events.len() <= 36);
        let mut found = insights(&events, minute(300), all(300));
        prop_assert_eq!(found.events.duplicates, repeated);
        found.events.duplicates = 0;
        prop_assert_eq!(found, expected);
    }
}
