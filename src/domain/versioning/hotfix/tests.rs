//! What may become a hotfix, and where its branch may go.

use jiff::Timestamp;

use super::super::tests::appended;
use super::*;
use crate::domain::ids::{TrialId, VersionId};

fn number(text: &str) -> Number {
    Number::of_tag(text, "v").unwrap()
}

fn released(tag: &str, at: i64, iids: &[u64]) -> Released {
    Released {
        id: VersionId(1),
        number: number(tag),
        commit: appended(99, &[], &[], false).landed,
        content: iids
            .iter()
            .map(|iid| appended(*iid, &[], &[], false))
            .collect(),
        at: Timestamp::from_second(at).unwrap(),
        environment: None,
        announced: true,
        withdrawn: None,
    }
}

fn id(iid: u64) -> MergeRequestId {
    appended(iid, &[], &[], false).change_set.merge_request
}

fn name(text: &str) -> BranchName {
    text.parse().unwrap()
}

/// Where the branch goes that stands at a version.
fn goes(
    stands: Option<&str>,
    from: &str,
    change: impl Fn(&mut Branch<'_>),
) -> Result<Stand, HotfixRefusal> {
    let (own, versions, stands) = (name("hotfix"), Versions::default(), stands.map(number));
    let mut branch = Branch {
        name: &own,
        exists: true,
        stands: stands.as_ref(),
        versions: &versions,
        waits: &[],
        forward: None,
    };
    change(&mut branch);
    stand(&branch, &number(from), &name("main"))
}

#[test]
fn the_branch_is_made_stays_or_goes_on_and_never_goes_back() {
    assert_eq!(goes(None, "v1.4.0", |b| b.exists = false), Ok(Stand::New));
    assert_eq!(goes(Some("v1.4.0"), "v1.4.0", |_| ()), Ok(Stand::Stays));
    assert_eq!(goes(Some("v1.4.1"), "v1.5.0", |_| ()), Ok(Stand::Moves));
    assert_eq!(goes(None, "v1.5.0", |_| ()), Ok(Stand::Moves));
    assert!(matches!(
        goes(Some("v1.5.0"), "v1.4.0", |_| ()),
        Err(HotfixRefusal::Backwards { .. })
    ));
}

#[test]
fn the_branch_goes_on_only_when_nothing_of_it_is_left_behind() {
    let (waits, forward) = ([id(7)], (number("v1.4.1"), id(41)));
    let holding = Versions {
        content: vec![appended(5, &[], &[], false)],
        ..Versions::default()
    };
    let own = name("hotfix");
    let stands = number("v1.4.1");
    let none = Versions::default();
    let branch = Branch {
        name: &own,
        exists: true,
        stands: Some(&stands),
        versions: &none,
        waits: &[],
        forward: None,
    };
    let to = |branch: Branch<'_>| stand(&branch, &number("v1.5.0"), &name("main"));
    assert!(matches!(
        to(Branch { versions: &holding, ..branch }),
        Err(HotfixRefusal::Unreleased { holds, .. }) if holds == [id(5)]
    ));
    assert!(matches!(
        to(Branch { waits: &waits, ..branch }),
        Err(HotfixRefusal::Waiting { waits, .. }) if waits == [id(7)]
    ));
    assert!(matches!(
        to(Branch { forward: Some(&forward), ..branch }),
        Err(HotfixRefusal::NotMergedForward { merge_request, .. }) if merge_request == id(41)
    ));
    // Whoever stays where the branch stands leaves nothing behind.
    let stays = stand(
        &Branch {
            versions: &holding,
            ..branch
        },
        &stands,
        &name("main"),
    );
    assert_eq!(stays, Ok(Stand::Stays));
}

#[test]
fn production_is_what_came_out_last() {
    let with = |one: Released| Versions {
        released: vec![one],
        ..Versions::default()
    };
    let main = with(released("v1.4.0", 10, &[]));
    let hotfix = with(released("v1.4.1", 20, &[]));
    assert_eq!(
        in_production(&main, &hotfix).unwrap().number,
        number("v1.4.1")
    );
    let later = with(released("v1.5.0", 30, &[]));
    assert_eq!(
        in_production(&later, &hotfix).unwrap().number,
        number("v1.5.0")
    );
    assert_eq!(
        in_production(&Versions::default(), &Versions::default()),
        None
    );
}

#[test]
fn a_change_set_of_a_batch_comes_after_its_neighbour_and_the_first_one_after_the_head_they_stood_on()
 {
    let of = |iid: u64, trial: u64| Appended {
        trial: TrialId(trial),
        base: Some(appended(50 + trial, &[], &[], false).landed),
        ..appended(iid, &[], &[], false)
    };
    let versions = Versions {
        content: vec![of(1, 7), of(2, 7), of(3, 8)],
        ..Versions::default()
    };
    let after = |iid| versions.landed(&id(iid)).unwrap().after.unwrap();
    assert_eq!(after(1), appended(57, &[], &[], false).landed);
    assert_eq!(after(2), appended(1, &[], &[], false).landed);
    assert_eq!(after(3), appended(58, &[], &[], false).landed);
    assert_eq!(versions.landed(&id(9)), None);
}

#[test]
fn what_went_out_as_a_hotfix_is_known_by_its_version() {
    let mut versions = Versions {
        released: vec![released("v1.4.1", 20, &[40])],
        hotfixes: vec![Hotfix {
            merge_request: id(40),
            from: number("v1.4.0"),
            picks: vec![Pick {
                merge_request: id(34),
                landed: appended(34, &[], &[], false).landed,
            }],
            reason: "x".to_owned(),
            by: "rita".parse().unwrap(),
        }],
        ..Versions::default()
    };
    let out: Vec<(MergeRequestId, Number)> = versions
        .went_out()
        .map(|(a, b)| (a.clone(), b.clone()))
        .collect();
    assert_eq!(out, [(id(34), number("v1.4.1"))]);
    versions.released[0].withdrawn = Some(super::super::withdrawal::Withdrawn {
        reason: String::new(),
        by: "rita".parse().unwrap(),
        at: Timestamp::UNIX_EPOCH,
    });
    assert_eq!(versions.went_out().count(), 0);
}

#[test]
fn merge_requests_are_named_with_or_without_their_sign() {
    assert_eq!(named("!34 !36").unwrap(), [34, 36]);
    assert_eq!(named(" 36,!34, 36").unwrap(), [36, 34]);
    assert_eq!(named("").unwrap(), [0u64; 0]);
    for (text, word) in [("!34 main", "`main`"), ("!0", "`!0`"), ("#34", "`#34`")] {
        assert!(named(text).unwrap_err().starts_with(word), "{text}");
    }
}

#[test]
fn the_branch_of_a_hotfix_tells_what_it_was_made_for() {
    let name = |text: &str| text.parse::<BranchName>().unwrap();
    let from = number("v1.4.0");
    let branch = branch_of(&from, &[id(34), id(36)]);
    assert_eq!(of_branch(&name(&branch), "v"), Some((from, vec![34, 36])));
    for stranger in [
        "trainyard-hotfix/v1.4.0",
        "trainyard-hotfix/v1.4.0/34-x",
        "trainyard-hotfix/1.4.0/34",
        "mine/v1.4.0/34",
    ] {
        assert_eq!(of_branch(&name(stranger), "v"), None, "{stranger}");
    }
}

#[test]
fn a_picked_commit_says_where_it_is_from_and_nothing_of_another_landing() {
    let original = "Pay by card\n\nIt was about time.\n\nFeature: #1\nTrainyard-Change-Set: shop/web!34@aa\nTrainyard-Trial: 7\n";
    let commit = appended(1, &[], &[], false).landed;
    assert_eq!(
        picked_message(original, &commit, Some(&id(34))),
        format!(
            "Pay by card\n\nIt was about time.\n\n(cherry picked from commit {commit})\nTrainyard-Hotfix-Of: shop/web!34"
        )
    );
}
