//! Given what landed and what GitLab shows of its features, what do the notes tell?

use super::*;
use crate::domain::ids::{JobId, ProjectPath, TrialId};
use crate::domain::integration::{ChangeSet, Priority};
use crate::domain::validation::Verdict;
use crate::domain::versioning::packages::Spread;

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

fn link(iid: u64, kind: LinkKind) -> Link {
    Link {
        feature: feature(iid),
        kind,
    }
}

fn sha(n: u64) -> CommitSha {
    format!("{n:040x}").parse().unwrap()
}

fn verdict(role: &str, by: &str, decision: Decision) -> Verdict {
    Verdict {
        role: role.parse().unwrap(),
        decision,
        by: by.parse().unwrap(),
        at: Timestamp::UNIX_EPOCH,
        commit: sha(1),
        job: JobId(1),
    }
}

fn appended(iid: u64, author: &str, links: Vec<Link>, verdicts: Vec<Verdict>) -> Appended {
    Appended {
        change_set: ChangeSet {
            merge_request: mr(iid),
            head: sha(iid),
            target: "main".parse().unwrap(),
            title: format!("Change {iid}"),
            author: author.parse().unwrap(),
            links,
            verdicts,
            breaking: false,
            priority: Priority::Normal,
            requested_at: Timestamp::UNIX_EPOCH,
            requested_by: JobId(iid),
            note: None,
        },
        landed: sha(iid),
        trial: TrialId(iid.div_ceil(2)),
        base: None,
        spread: Spread::default(),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn sight(iid: u64, description: &str, confidential: bool) -> (FeatureId, Sight) {
    let seen = Feature {
        id: feature(iid),
        title: format!("Feature {iid}"),
        description: description.to_owned(),
        open: true,
        confidential,
        labels: Vec::new(),
        issue_type: "issue".to_owned(),
        moved: None,
        author: "olga".parse().unwrap(),
        url: String::new(),
    };
    (feature(iid), Sight::Seen(Box::new(seen)))
}

fn open(iid: u64, of: u64) -> StillOpen {
    StillOpen {
        id: mr(iid),
        title: "Later".to_owned(),
        author: "eve".parse().unwrap(),
        links: vec![link(of, LinkKind::Contributes)],
    }
}

fn composed(readable: bool) -> ReleaseNotes {
    use LinkKind::{Closes, Contributes};
    let validated = vec![
        verdict("po", "olga", Decision::Validate),
        verdict("qa", "quentin", Decision::Reject),
    ];
    let content = [
        appended(
            1,
            "ana",
            vec![link(34, Contributes), link(35, Contributes)],
            Vec::new(),
        ),
        appended(2, "dan", vec![link(34, Closes)], validated),
        appended(3, "ana", Vec::new(), Vec::new()),
        appended(4, "ana", vec![link(36, Closes)], Vec::new()),
    ];
    let story = "As a customer, so that I need no cash.\n\n## Acceptance criteria\n\n- [x] charged once\n- [ ] refunds\n";
    let sights = BTreeMap::from([
        sight(34, story, false),
        sight(35, story, false),
        sight(36, story, true),
    ]);
    let number = Number::of_tag("v1.3.0", "v").unwrap();
    let open = [open(9, 34), open(10, 35), open(11, 36)];
    let sources = Sources {
        number: &number,
        previous: None,
        commit: &sha(4),
        at: Timestamp::UNIX_EPOCH,
        content: &content,
        sights: &sights,
        open: &open,
        around: &[],
        headings: &[],
        out_before: &BTreeMap::new(),
    };
    compose(&sources, |_| readable)
}

#[test]
fn a_completed_feature_is_told_with_its_benefit_its_validations_and_what_is_left_over() {
    let notes = composed(true);
    assert_eq!((notes.change_sets(), notes.trials), (4, 2));
    let card = &notes.features[0];
    assert_eq!(
        card.shown,
        Shown::Whole {
            title: "Feature 34".to_owned(),
            benefit: Some("I need no cash.".to_owned())
        }
    );
    let changes: Vec<_> = card
        .changes
        .iter()
        .map(|one| (one.merge_request.iid, one.kind))
        .collect();
    assert_eq!(
        changes,
        [
            (1, Some(LinkKind::Contributes)),
            (2, Some(LinkKind::Closes))
        ]
    );
    let by: Vec<&str> = card.validations.iter().map(|one| one.by.as_str()).collect();
    assert_eq!(by, ["olga"]);
    assert_eq!(card.open_criteria, ["refunds"]);
    assert_eq!(card.open_merge_requests[0].id, mr(9));
    let begun = &notes.features[1];
    assert!(
        !begun.completed && begun.open_criteria.is_empty() && begun.open_merge_requests.is_empty()
    );
    assert_eq!(notes.others.len(), 1);
}

#[test]
fn nothing_is_told_of_a_confidential_feature_and_only_the_number_of_one_that_readers_cannot_see() {
    let notes = composed(true);
    let secret = &notes.features[2];
    assert_eq!(secret.shown, Shown::Confidential);
    assert!(secret.open_criteria.is_empty() && secret.open_merge_requests.is_empty());
    let notes = composed(false);
    assert_eq!(notes.features[0].shown, Shown::Number);
    assert!(notes.features[0].open_criteria.is_empty());
}
