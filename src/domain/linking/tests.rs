//! The linking rule: given these facts, this ruling.

use super::*;

fn home() -> ProjectPath {
    "shop/web".parse().unwrap()
}

fn mr(iid: u64) -> MergeRequestId {
    MergeRequestId {
        project: home(),
        iid,
    }
}

fn feature(iid: u64) -> FeatureId {
    FeatureId {
        project: home(),
        iid,
    }
}

fn seen(iid: u64, open: bool, labels: &[&str]) -> Sight {
    Sight::Seen(Box::new(Feature {
        id: feature(iid),
        title: "Pay by card".into(),
        description: String::new(),
        open,
        confidential: false,
        labels: labels.iter().map(|l| (*l).to_owned()).collect(),
        issue_type: "issue".into(),
        moved: None,
        author: "olga".parse().unwrap(),
        url: format!("https://gitlab.example/shop/web/-/issues/{iid}"),
    }))
}

fn check(
    description: &str,
    sights: &[(u64, Sight)],
    others: &[OtherCloser],
    label: Option<&str>,
) -> (Ruling<(), LinkRefusal>, Linking) {
    let reading = grammar::Grammar::new("https://gitlab.example", &home(), &[], &[])
        .unwrap()
        .read(description);
    let sights = sights
        .iter()
        .map(|(iid, sight)| (feature(*iid), sight.clone()))
        .collect();
    check_links(&LinkFacts {
        merge_request: &mr(7),
        reading: &reading,
        features_project: &home(),
        sights: &sights,
        others,
        policy: LinkPolicy::Required,
        projects: None,
        exempted: None,
        label,
        issue_type: None,
    })
}

#[test]
fn an_open_feature_is_linked_and_closing_wins_over_contributing() {
    let (ruling, linking) = check(
        "contributes to feature #34, closes feature #34",
        &[(34, seen(34, true, &[]))],
        &[],
        None,
    );
    assert_eq!(ruling, Ruling::Pass);
    assert_eq!(
        linking.links,
        [Link {
            feature: feature(34),
            kind: LinkKind::Closes
        }]
    );
}

#[test]
fn every_refusal_is_given_at_once() {
    let (ruling, _) = check(
        "closes features #1, #2 and #3",
        &[
            (1, Sight::NotFound),
            (2, seen(2, false, &[])),
            (3, seen(3, true, &["bug"])),
        ],
        &[],
        Some("feature"),
    );
    let Ruling::Refuse(reasons) = ruling else {
        panic!("refused")
    };
    assert!(matches!(reasons[0], LinkRefusal::UnknownFeature { .. }));
    assert!(matches!(reasons[1], LinkRefusal::ClosedFeature { .. }));
    assert!(matches!(&reasons[2], LinkRefusal::NotAFeature { label, .. } if label == "feature"));
}

#[test]
fn the_lowest_open_closer_keeps_the_feature() {
    let other = |iid| OtherCloser {
        merge_request: mr(iid),
        author: "dan".parse().unwrap(),
        closes: vec![feature(34)],
    };
    let sights = [(34, seen(34, true, &[]))];
    let (ruling, _) = check("closes feature #34", &sights, &[other(9)], None);
    assert_eq!(ruling, Ruling::Pass, "a younger one does not take it away");
    let (ruling, _) = check("closes feature #34", &sights, &[other(6), other(5)], None);
    assert!(
        matches!(ruling, Ruling::Refuse(r) if matches!(&r[..], [LinkRefusal::AlreadyClaimed { by, .. }] if by.iid == 5))
    );
    let (ruling, _) = check("contributes to feature #34", &sights, &[other(5)], None);
    assert_eq!(ruling, Ruling::Pass, "any number may contribute");
}

#[test]
fn without_a_link_the_policy_decides() {
    let (ruling, _) = check("nothing here", &[], &[], None);
    assert_eq!(ruling, Ruling::Refuse(vec![LinkRefusal::NoLink]));
}

#[test]
fn a_feature_that_could_not_be_looked_up_is_named_as_unchecked() {
    let (ruling, linking) = check("closes feature #34", &[(34, Sight::NotLookedUp)], &[], None);
    assert_eq!(ruling, Ruling::Pass);
    assert_eq!(linking.unchecked, [feature(34)]);
}

/// The facts of a description in `shop/web`, for whoever changes one of them.
fn ruling_of(
    description: &str,
    sights: &BTreeMap<FeatureId, Sight>,
    change: impl FnOnce(&mut LinkFacts<'_>),
) -> (Ruling<(), LinkRefusal>, Linking) {
    ruling_among(description, sights, &[], change)
}

/// The same among other merge requests.
fn ruling_among(
    description: &str,
    sights: &BTreeMap<FeatureId, Sight>,
    others: &[OtherCloser],
    change: impl FnOnce(&mut LinkFacts<'_>),
) -> (Ruling<(), LinkRefusal>, Linking) {
    let grammar = grammar::Grammar::new("https://gitlab.example", &home(), &[], &[]).unwrap();
    let (reading, home, merge_request) = (grammar.read(description), home(), mr(7));
    let mut facts = LinkFacts {
        merge_request: &merge_request,
        reading: &reading,
        features_project: &home,
        sights,
        others,
        policy: LinkPolicy::Required,
        projects: None,
        exempted: None,
        label: None,
        issue_type: None,
    };
    change(&mut facts);
    check_links(&facts)
}

#[test]
fn the_policy_decides_about_what_is_missing_and_off_lets_the_unreadable_be() {
    for (policy, missing, unreadable, wrong) in [
        (LinkPolicy::Required, 1, 1, 1),
        (LinkPolicy::Warned, 0, 1, 1),
        (LinkPolicy::Off, 0, 0, 1),
    ] {
        let sights = BTreeMap::from([(feature(77), Sight::NotFound)]);
        let refused = |description| match ruling_of(description, &sights, |f| f.policy = policy).0 {
            Ruling::Refuse(reasons) => reasons.len(),
            Ruling::Pass | Ruling::Wait(()) => 0,
        };
        assert_eq!(refused("Tidies up"), missing, "{policy:?}");
        assert_eq!(refused("closes feature 1"), unreadable, "{policy:?}");
        assert_eq!(refused("closes feature #77"), wrong, "{policy:?}");
    }
}

#[test]
fn a_line_of_a_template_left_unfilled_is_a_warning_beside_a_link_that_holds() {
    let sights = BTreeMap::from([(feature(1), seen(1, true, &[]))]);
    let text = "contributes to feature #\ncloses feature #1";
    let (ruling, linking) = ruling_of(text, &sights, |_| {});
    assert_eq!((ruling, linking.warnings.len()), (Ruling::Pass, 1));
    let (ruling, _) = ruling_of("contributes to feature #", &sights, |_| {});
    assert!(matches!(ruling, Ruling::Refuse(reasons) if reasons.len() == 1));
}

#[test]
fn moves_are_followed_to_their_end_and_a_circle_to_none() {
    let moved = |from: u64, to: u64| {
        let Sight::Seen(mut sight) = seen(from, false, &[]) else {
            panic!("seen")
        };
        sight.moved = Some(Moved::To(feature(to)));
        (feature(from), Sight::Seen(sight))
    };
    let chain = BTreeMap::from([moved(1, 2), moved(2, 3), (feature(3), seen(3, true, &[]))]);
    let (ruling, linking) = ruling_of(
        "closes feature #1, contributes to feature #3",
        &chain,
        |_| {},
    );
    assert_eq!(ruling, Ruling::Pass);
    assert_eq!(
        linking.links,
        [Link {
            feature: feature(3),
            kind: LinkKind::Closes
        }],
        "one feature"
    );
    assert_eq!(
        (&linking.followed[0].from, &linking.followed[0].to),
        (&feature(1), &feature(3))
    );
    let circle = BTreeMap::from([moved(1, 2), moved(2, 1)]);
    let (ruling, _) = ruling_of("closes feature #1", &circle, |_| {});
    assert!(
        matches!(ruling, Ruling::Refuse(r) if matches!(&r[..], [LinkRefusal::MovedAway { .. }]))
    );
    let known = BTreeMap::from([moved(1, 2)]);
    assert_eq!(moved_on(&known), [feature(2)], "still to be looked up");
    let older = OtherCloser {
        merge_request: mr(5),
        author: "dan".parse().unwrap(),
        closes: vec![feature(3)],
    };
    let (ruling, _) = ruling_among("closes feature #1", &chain, &[older], |_| {});
    assert!(
        matches!(ruling, Ruling::Refuse(r) if matches!(&r[..], [LinkRefusal::AlreadyClaimed { by, .. }] if by.iid == 5))
    );
}

#[test]
fn what_readers_may_not_know_is_not_told() {
    let confidential = |open| {
        let Sight::Seen(mut sight) = seen(1, open, &[]) else {
            panic!("seen")
        };
        sight.confidential = true;
        BTreeMap::from([(feature(1), Sight::Seen(sight))])
    };
    let (ruling, _) = ruling_of("closes feature #1", &confidential(true), |_| {});
    assert_eq!(ruling, Ruling::Pass);
    let (ruling, _) = ruling_of("closes feature #1", &confidential(false), |_| {});
    assert!(
        matches!(ruling, Ruling::Refuse(r) if matches!(&r[..], [LinkRefusal::Undisclosed { .. }]))
    );
    let (ruling, _) = ruling_of("closes feature #1", &confidential(true), |f| {
        f.label = Some("feature")
    });
    assert!(
        matches!(ruling, Ruling::Refuse(r) if matches!(&r[..], [LinkRefusal::Undisclosed { .. }]))
    );
}

#[test]
fn the_memory_of_links_is_read_back_as_it_was_written_and_nothing_else_is() {
    let links = [
        Link {
            feature: feature(42),
            kind: LinkKind::Closes,
        },
        Link {
            feature: feature(34),
            kind: LinkKind::Contributes,
        },
    ];
    let told = Remembered::default().after(&links, crate::domain::ids::JobId(9));
    assert_eq!(
        told.to_string(),
        "9 closes shop/web#42 contributes shop/web#34"
    );
    assert_eq!(told.to_string().parse(), Ok(told.clone()));
    let again = [links[1].clone(), links[0].clone()];
    assert_eq!(
        told.after(&again, crate::domain::ids::JobId(10)).since,
        told.since,
        "no change"
    );
    assert_ne!(
        told.after(&again[..1], crate::domain::ids::JobId(10)).since,
        told.since
    );
    for bad in [
        "",
        "x",
        "9 closes",
        "9 closes 42",
        "9 eats a/b#1",
        "9 closes a/b#x",
        "9 closes ../b#1",
    ] {
        assert!(bad.parse::<Remembered>().is_err(), "{bad}");
    }
    assert!(
        format!("9{}", " closes a/b#1".repeat(60))
            .parse::<Remembered>()
            .is_err()
    );
}
