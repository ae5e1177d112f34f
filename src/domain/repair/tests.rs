//! What is found to be missing, and that it is missing only once.

use super::*;
use crate::domain::event::Event;
use crate::domain::ids::{MergeRequestId, ProjectPath, TrialId};
use crate::domain::integration::Priority;
use crate::domain::linking::{Link, LinkKind};
use crate::domain::versioning::packages::Spread;
use jiff::Timestamp;

fn project() -> ProjectPath {
    "shop/web".parse().unwrap()
}

fn sha(n: u64) -> CommitSha {
    format!("{n:040x}").parse().unwrap()
}

fn set(iid: u64) -> ChangeSet {
    ChangeSet {
        merge_request: MergeRequestId {
            project: project(),
            iid,
        },
        head: sha(iid),
        target: "main".parse().unwrap(),
        title: String::new(),
        author: "ana".parse().unwrap(),
        links: vec![Link {
            feature: FeatureId {
                project: project(),
                iid: 34,
            },
            kind: LinkKind::Closes,
        }],
        verdicts: Vec::new(),
        breaking: false,
        priority: Priority::Normal,
        requested_at: Timestamp::UNIX_EPOCH,
        requested_by: JobId(iid),
        note: None,
    }
}

fn landed(iid: u64) -> Appended {
    Appended {
        change_set: set(iid),
        landed: sha(100 + iid),
        base: None,
        spread: Spread::default(),
        trial: TrialId(iid),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn number(text: &str) -> Number {
    Number {
        version: text.parse().unwrap(),
        prefix: "v".to_owned(),
        package: None,
    }
}

fn with(mut yard: Yard, facts: Vec<Fact>) -> Yard {
    for fact in facts {
        let event = Event::new(
            &project(),
            Timestamp::UNIX_EPOCH,
            None,
            Some(JobId(9)),
            fact,
        );
        yard.apply(&event);
    }
    yard
}

fn content(yard: &Yard) -> Vec<u64> {
    let content = yard.versions.content.iter();
    content.map(|a| a.change_set.merge_request.iid).collect()
}

#[test]
fn a_lost_version_is_filled_again_in_order_and_only_once() {
    let truth = Truth {
        releases: 2,
        released: Some((number("0.2.0"), sha(9))),
        since: [sha(103), sha(101)].into(),
        landed: vec![landed(1), landed(3)],
        ..Truth::default()
    };
    let yard = with(Yard::default(), missing(&Yard::default(), &truth));
    assert_eq!(
        (yard.versions.open, content(&yard)),
        (VersionId(3), vec![1, 3])
    );
    assert_eq!(missing(&yard, &truth), []);
}

#[test]
fn what_is_tagged_already_leaves_the_open_version() {
    let appended = |iid| Fact::ChangeSetAppended {
        version: VersionId(1),
        appended: landed(iid),
    };
    let yard = with(Yard::default(), vec![appended(1), appended(2)]);
    let truth = Truth {
        releases: 1,
        released: Some((number("0.1.0"), sha(101))),
        since: [sha(102)].into(),
        landed: vec![landed(2)],
        ..Truth::default()
    };
    let facts = missing(&yard, &truth);
    assert!(
        facts.iter().any(
            |fact| matches!(fact, Fact::VersionReleased { features, .. } if features.len() == 1)
        ),
        "{facts:?}"
    );
    let yard = with(yard, facts);
    assert_eq!(
        (yard.versions.open, content(&yard)),
        (VersionId(2), vec![2])
    );
    assert_eq!(missing(&yard, &truth), []);
}

#[test]
fn grants_go_on_above_every_number_that_a_lost_one_can_have_had() {
    let truth = Truth {
        landed: vec![landed(7)],
        ..Truth::default()
    };
    let yard = Yard::default();
    assert_eq!(above_all_grants(&yard, &truth, JobId(900)), Epoch(900));
    let repaired = Fact::StateRepaired {
        epoch: Epoch(900),
        lost: Vec::new(),
    };
    let yard = with(yard, vec![repaired]);
    assert_eq!(
        above_all_grants(&yard, &truth, JobId(3)),
        Epoch(900),
        "never down"
    );
}

#[test]
fn what_was_rejected_before_is_not_queued_again_and_its_author_is_not_told_again() {
    let stage = Stage::FailedTests { trial: TrialId(4) };
    let yard = Yard::default();
    let facts = left_before(&yard, &set(1), &stage);
    let yard = with(yard, facts);
    assert!(yard.queue.tickets.is_empty() && yard.queue.left.len() == 1);
    assert!(
        yard.warned
            .iter()
            .any(|((_, alert), _)| alert == "rejected by trial 4")
    );
    assert_eq!(left_before(&yard, &set(1), &stage), []);
    let waits = Stage::Landing;
    assert_eq!(left_before(&Yard::default(), &set(1), &waits), []);
}

#[test]
fn what_landed_in_several_projects_is_put_into_one_order() {
    let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
    let of = |trial: u64, seconds: i64| Appended {
        trial: TrialId(trial),
        at: at(seconds),
        ..landed(trial)
    };
    let web = vec![of(2, 50), of(0, 60), of(9, 90)];
    let api = vec![of(3, 40), of(7, 70)];
    let order: Vec<(u64, i64)> = in_order_of_landing(vec![web, Vec::new(), api])
        .iter()
        .map(|one| (one.trial.0, one.at.as_second()))
        .collect();
    assert_eq!(order, [(2, 50), (3, 40), (0, 60), (7, 70), (9, 90)]);
    assert_eq!(in_order_of_landing(Vec::new()), []);
}

#[test]
fn a_version_is_not_made_up_while_a_member_is_not_known() {
    let appended = |iid| Fact::ChangeSetAppended {
        version: VersionId(1),
        appended: landed(iid),
    };
    let yard = with(Yard::default(), vec![appended(1), appended(2)]);
    let truth = Truth {
        releases: 1,
        released: Some((number("0.1.0"), sha(101))),
        has_landed: true,
        unread: ["shop/api".parse().unwrap()].into(),
        ..Truth::default()
    };
    let yard = with(yard.clone(), missing(&yard, &truth));
    assert_eq!(content(&yard), [1, 2], "some of it may be the member's");
}

#[test]
fn what_is_released_stays_so_where_a_member_has_lost_its_tag() {
    let out = Fact::ChangeSetAppended {
        version: VersionId(1),
        appended: landed(1),
    };
    let mut yard = with(Yard::default(), vec![out]);
    let released = Truth {
        releases: 1,
        released: Some((number("0.1.0"), sha(101))),
        ..Truth::default()
    };
    yard = with(yard.clone(), missing(&yard, &released));
    assert_eq!(content(&yard), [0; 0]);
    let without_tag = Truth {
        since: [sha(101)].into(),
        landed: vec![landed(1)],
        ..released
    };
    assert_eq!(missing(&yard, &without_tag), []);
}

#[test]
fn an_empty_log_beside_tags_of_others_has_lost_nothing() {
    let tagged = Truth {
        releases: 3,
        released: Some((number("0.3.0"), sha(9))),
        ..Truth::default()
    };
    assert!(!tagged.tells_of_a_past());
    let used = Truth {
        has_landed: true,
        ..tagged
    };
    assert!(used.tells_of_a_past());
}
