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
