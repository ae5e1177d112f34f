//! Given what GitLab, the marks and the log say, where does the feature stand?

use super::*;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{CommitSha, JobId, TrialId, VersionId};
use crate::domain::integration::{ChangeSet, Priority};
use crate::domain::linking::Link;
use crate::domain::versioning::Appended;
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

fn feature() -> FeatureId {
    FeatureId {
        project: home(),
        iid: 34,
    }
}

fn sha(n: u64) -> CommitSha {
    format!("{n:040x}").parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn mark(stage: Stage) -> Mark {
    Mark {
        stage,
        head: sha(1),
        links: Vec::new(),
        since: at(100),
        history: Vec::new(),
        links_since: None,
    }
}

fn member(iid: u64, kind: LinkKind, state: MergeRequestState, mark: Option<Mark>) -> Member {
    Member {
        id: mr(iid),
        author: "ana".parse().unwrap(),
        kind,
        state,
        draft: false,
        mark,
    }
}

fn told(looked_at: &[Option<Member>], before: &[Row], yard: Option<&Yard>) -> Progress {
    let looked_at: Vec<(MergeRequestId, Option<Member>)> = looked_at
        .iter()
        .enumerate()
        .map(|(index, member)| {
            let id = member
                .as_ref()
                .map_or(mr(900 + index as u64), |m| m.id.clone());
            (id, member.clone())
        })
        .collect();
    progress(&ProgressFacts {
        feature: &feature(),
        home: &home(),
        open: true,
        criteria: Vec::new(),
        looked_at: &looked_at,
        told: before,
        yard,
    })
}

fn set(iid: u64) -> ChangeSet {
    ChangeSet {
        merge_request: mr(iid),
        head: sha(1),
        target: "main".parse().unwrap(),
        title: String::new(),
        author: "ana".parse().unwrap(),
        links: vec![Link {
            feature: feature(),
            kind: LinkKind::Closes,
        }],
        verdicts: Vec::new(),
        breaking: false,
        priority: Priority::Normal,
        requested_at: at(iid as i64),
        requested_by: JobId(iid),
        note: None,
    }
}

fn yard(facts: Vec<Fact>) -> Yard {
    let events: Vec<Event> = facts
        .into_iter()
        .zip(200..)
        .map(|(fact, second)| Event::new(&home(), at(second), None, Some(JobId(1)), fact))
        .collect();
    Yard::of(&events)
}

use LinkKind::{Closes, Contributes};
use MergeRequestState::{Closed, Merged, Open};

#[test]
fn without_a_log_gitlab_and_the_mark_of_the_head_tell() {
    let awaiting = || Stage::AwaitingValidation { roles: Vec::new() };
    for (state, stage, stands) in [
        (Open, None, Whereabouts::InReview),
        (Open, Some(awaiting()), Whereabouts::At(awaiting())),
        (Closed, Some(awaiting()), Whereabouts::Closed),
        (Merged, Some(awaiting()), Whereabouts::MergedAround),
        (Merged, None, Whereabouts::MergedAround),
        (
            Merged,
            Some(Stage::InTrial { trial: TrialId(3) }),
            Whereabouts::At(Stage::Landing),
        ),
        (
            Merged,
            Some(Stage::Landed {
                version: VersionId(2),
            }),
            Whereabouts::At(Stage::Landed {
                version: VersionId(2),
            }),
        ),
    ] {
        let progress = told(
            &[Some(member(7, Closes, state, stage.map(mark)))],
            &[],
            None,
        );
        assert_eq!(progress.rows[0].stands, stands);
    }
    let mut draft = member(7, Closes, Open, Some(mark(Stage::Linked)));
    draft.draft = true;
    assert_eq!(
        told(&[Some(draft)], &[], None).rows[0].stands,
        Whereabouts::Draft
    );
}

#[test]
fn the_log_is_the_truth_for_what_queues_and_lands() {
    let queued = yard(vec![Fact::ChangeSetQueued { change_set: set(7) }]);
    let stale = member(7, Closes, Open, Some(mark(Stage::Validated)));
    let progress = told(&[Some(stale)], &[], Some(&queued));
    assert_eq!(
        progress.rows[0].stands,
        Whereabouts::At(Stage::Queued {
            rank: 1,
            at: at(200),
            landing: None
        })
    );
    assert_eq!(progress.rows[0].since, Some(at(200)));
    let again = told(
        &[],
        &progress.rows,
        Some(&yard(vec![
            Fact::ChangeSetQueued { change_set: set(7) },
            Fact::ChangeSetQueued { change_set: set(9) },
        ])),
    );
    assert_eq!(
        again.rows[0], progress.rows[0],
        "a rank that has not changed keeps its instant"
    );
    assert_eq!(
        again.rows.len(),
        2,
        "what only the log knows is told as well"
    );
    let appended = Appended {
        change_set: set(7),
        landed: sha(5),
        base: None,
        spread: Spread::default(),
        trial: TrialId(1),
        at: at(300),
    };
    let landed = yard(vec![
        Fact::ChangeSetQueued { change_set: set(7) },
        Fact::ChangeSetAppended {
            version: VersionId(1),
            appended,
        },
    ]);
    assert_eq!(
        told(&[], &progress.rows, Some(&landed)).rows[0].stands,
        Whereabouts::At(Stage::Landed {
            version: VersionId(1)
        })
    );
}

#[test]
fn a_mark_of_the_gate_without_a_ticket_means_that_it_left() {
    let stale = member(
        7,
        Closes,
        Open,
        Some(mark(Stage::InTrial { trial: TrialId(1) })),
    );
    let progress = told(&[Some(stale)], &[], Some(&Yard::default()));
    assert_eq!(progress.rows[0].stands, Whereabouts::At(Stage::LeftQueue));
}

#[test]
fn what_no_longer_names_the_feature_is_not_told_and_the_rest_is_kept() {
    let rows = told(
        &[
            Some(member(3, Contributes, Open, None)),
            Some(member(7, Closes, Open, None)),
        ],
        &[],
        None,
    )
    .rows;
    let now = progress(&ProgressFacts {
        feature: &feature(),
        home: &home(),
        open: true,
        criteria: Vec::new(),
        looked_at: &[(mr(3), None)],
        told: &rows,
        yard: None,
    });
    let left: Vec<u64> = now.rows.iter().map(|row| row.iid).collect();
    assert_eq!(left, [7]);
}

#[test]
fn the_open_closer_is_read_first_then_the_last_one_that_closed() {
    let landed = Some(mark(Stage::Landed {
        version: VersionId(1),
    }));
    let progress = told(
        &[
            Some(member(3, Closes, Merged, landed.clone())),
            Some(member(5, Closes, Open, None)),
            Some(member(4, Closes, Closed, None)),
        ],
        &[],
        None,
    );
    assert_eq!(progress.closing().unwrap().iid, 5);
    let progress = told(&[Some(member(3, Closes, Merged, landed))], &[], None);
    assert_eq!(progress.closing().unwrap().iid, 3);
    let progress = told(&[Some(member(3, Contributes, Open, None))], &[], None);
    assert_eq!(progress.closing(), None);
}

#[test]
fn a_stage_lasts_from_its_first_mark_on_the_same_head() {
    let later = |stage: Stage, head: u64| Mark {
        stage,
        head: sha(head),
        links: Vec::new(),
        since: at(500),
        history: Vec::new(),
        links_since: None,
    };
    let before = mark(Stage::Validated);
    assert_eq!(
        later(Stage::Validated, 1).after(Some(&before)).since,
        at(100)
    );
    assert_eq!(
        later(Stage::Validated, 2).after(Some(&before)).since,
        at(500)
    );
    assert_eq!(later(Stage::Linked, 1).after(Some(&before)).since, at(500));
}

#[test]
fn merge_requests_of_two_projects_with_the_same_number_are_two_rows() {
    let api: ProjectPath = "shop/api".parse().unwrap();
    let mut theirs = member(7, LinkKind::Contributes, MergeRequestState::Open, None);
    theirs.id.project = api.clone();
    let seen = [(theirs.id.clone(), Some(theirs))];
    let facts = |home, looked_at, told| ProgressFacts {
        feature: Box::leak(Box::new(feature())),
        home,
        open: true,
        criteria: Vec::new(),
        looked_at,
        told,
        yard: None,
    };
    let by_api = progress(&facts(&api, &seen, &[])).rows;
    let own = [(
        mr(7),
        Some(member(7, LinkKind::Closes, MergeRequestState::Open, None)),
    )];
    let by_web = progress(&facts(&home(), &own, &by_api)).rows;
    let ids: Vec<MergeRequestId> = by_web.iter().map(|row| row.id(&feature())).collect();
    assert_eq!(ids, [mr(7), seen[0].0.clone()], "nobody's row is lost");
}
