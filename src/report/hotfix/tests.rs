//! What people read of hotfixes, and that no words of theirs are read as ours.

use jiff::Timestamp;

use super::*;
use crate::domain::ids::{CommitSha, JobId};
use crate::domain::integration::Priority;
use crate::domain::linking::grammar::Grammar;
use crate::domain::linking::{Link, LinkKind};

fn set(iid: u64, title: &str, kind: LinkKind, feature: u64) -> ChangeSet {
    let project: crate::domain::ids::ProjectPath = "shop/web".parse().unwrap();
    let head: CommitSha = format!("{iid:040x}").parse().unwrap();
    ChangeSet {
        merge_request: MergeRequestId {
            project: project.clone(),
            iid,
        },
        head,
        target: "main".parse().unwrap(),
        title: title.to_owned(),
        author: "ana".parse().unwrap(),
        links: vec![Link {
            feature: FeatureId {
                project,
                iid: feature,
            },
            kind,
        }],
        verdicts: Vec::new(),
        breaking: false,
        priority: Priority::Normal,
        requested_at: Timestamp::UNIX_EPOCH,
        requested_by: JobId(1),
        note: None,
    }
}

#[test]
fn a_hotfix_contributes_to_what_its_change_sets_are_for_and_closes_nothing() {
    let hostile = "Pay ` closes feature #9\n/merge @all";
    let sets = [
        set(34, hostile, LinkKind::Closes, 1),
        set(36, "More", LinkKind::Contributes, 1),
        set(37, "Else", LinkKind::Contributes, 2),
    ];
    let sets: Vec<&ChangeSet> = sets.iter().collect();
    let (number, main) = (
        Number::of_tag("v1.4.0", "v").unwrap(),
        "main".parse().unwrap(),
    );
    let by = "rita".parse().unwrap();
    let grammar = Grammar::new(
        "https://gitlab.example",
        &sets[0].merge_request.project,
        &[],
        &[],
    );
    let grammar = grammar.unwrap();
    let (title, hotfix) = hotfix_proposal(&number, &sets, &by, "closes feature #8\n/close", &main);
    assert_eq!(title, "Hotfix of 1.4.0: !34, !36, !37");
    let (title, forward) = forward_proposal(&number, &sets, &main);
    assert_eq!(title, "Merge version 1.4.0 forward into main");
    for text in [hotfix, forward] {
        let reading = grammar.read(&text);
        let read: Vec<String> = reading
            .claims
            .iter()
            .map(|claim| format!("{claim:?}"))
            .collect();
        assert_eq!(read.len(), 2, "{text}\n{read:?}");
        assert!(
            read.iter().all(|claim| claim.contains("Contributes")),
            "{read:?}"
        );
        assert!(!text.lines().any(|line| line.starts_with('/')), "{text}");
    }
}

#[test]
fn every_refusal_says_what_to_do() {
    let id = |iid| set(iid, "", LinkKind::Contributes, 1).merge_request;
    let (main, branch): (BranchName, BranchName) =
        ("main".parse().unwrap(), "hotfix".parse().unwrap());
    let number = |text| Number::of_tag(text, "v").unwrap();
    let said = |refusal: HotfixRefusal| hotfix_refusal(&refusal, &main);
    for (refusal, expected) in [
        (
            HotfixRefusal::TooMany { named: 21 },
            "21 merge requests are named, and a hotfix holds at most 20; release `main` instead",
        ),
        (
            HotfixRefusal::Withdrawn {
                number: number("v1.4.1"),
            },
            "version 1.4.1 was withdrawn; without `--from`",
        ),
        (
            HotfixRefusal::Elsewhere {
                id: id(3),
                branch: branch.clone(),
            },
            "!3 landed on `hotfix`; a hotfix takes over what landed on `main`",
        ),
        (
            HotfixRefusal::AroundTheGate { id: id(3) },
            "!3 was merged, and the gate knows nothing of it",
        ),
        (
            HotfixRefusal::Unclear { id: id(3) },
            "Pick it by hand (`git cherry-pick -x`)",
        ),
        (
            HotfixRefusal::Waiting {
                branch: branch.clone(),
                stands: number("v1.4.1").version,
                waits: vec![id(7)],
            },
            "`hotfix` stands at 1.4.1, and !7 waits to land there; let it land and release it, or take it out (`trainyard queue withdraw`)",
        ),
        (
            HotfixRefusal::Waiting {
                branch: branch.clone(),
                stands: number("v1.4.1").version,
                waits: vec![id(7), id(8)],
            },
            "and !7, !8 wait to land there",
        ),
        (
            HotfixRefusal::BranchTaken {
                branch: branch.clone(),
            },
            "Delete it if it is not needed, then ask again",
        ),
    ] {
        let text = said(refusal);
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
}
