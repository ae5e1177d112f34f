//! The notes as they are written: what is read first, what the next job finds again, and what cannot be smuggled in.

use super::*;
use crate::domain::ids::{FeatureId, ProjectPath, VersionId};
use crate::domain::validation::Criterion;

fn home() -> MergeRequestId {
    MergeRequestId {
        project: "shop/web".parse().unwrap(),
        iid: 0,
    }
}

fn row(iid: u64, kind: LinkKind, stands: Whereabouts) -> Row {
    Row {
        project: None,
        iid,
        author: "ana".parse().unwrap(),
        kind,
        stands,
        since: Some(Timestamp::UNIX_EPOCH),
    }
}

fn progress(rows: Vec<Row>, criteria: &[(&str, bool)]) -> Progress {
    let project: ProjectPath = "shop/web".parse().unwrap();
    Progress {
        feature: FeatureId { project, iid: 34 },
        open: true,
        criteria: criteria
            .iter()
            .map(|(text, ticked)| Criterion {
                text: (*text).to_owned(),
                ticked: *ticked,
                applies: true,
            })
            .collect(),
        rows,
    }
}

fn visible(note: &str) -> &str {
    note.split_once("-->\n").unwrap().1
}

#[test]
fn a_product_owner_reads_the_state_first_then_who_is_awaited_then_the_rest() {
    let asked = |role: &str, people: &[&str]| Asked {
        role: role.parse().unwrap(),
        people: people.iter().map(|name| name.parse().unwrap()).collect(),
    };
    let roles = vec![asked("po", &["olga"]), asked("qa", &[])];
    let told = progress(
        vec![
            row(
                3,
                LinkKind::Contributes,
                Whereabouts::At(Stage::Landed {
                    version: VersionId(2),
                }),
            ),
            row(5, LinkKind::Contributes, Whereabouts::Closed),
            row(
                7,
                LinkKind::Closes,
                Whereabouts::At(Stage::AwaitingValidation { roles }),
            ),
        ],
        &[("the card is charged once", false), ("a receipt", true)],
    );
    let note = progress_note(&told, Naming::Short, &home());
    assert_eq!(
        visible(&note),
        "**Awaiting validation** by `po` (`olga`) and `qa` (nobody holds it) since 1970-01-01 00:00 UTC. They play `validate:<role>` or `reject:<role>` in the newest pipeline of !7.\n\
         \n| merge request | | by | where it stands | since |\n|---|---|---|---|---|\n\
         | !3+ | contributes | `ana` | Landed: in version #2, not released yet | 1970-01-01 00:00 UTC |\n\
         | !7+ | closes | `ana` | Awaiting validation by `po` (`olga`) and `qa` (nobody holds it) | 1970-01-01 00:00 UTC |\n\
         \nAcceptance criteria: 1 of 2 ticked. Open:\n\n- the card is charged once\n\
         \n<details><summary>Earlier (1)</summary>\n\n| merge request | | by | where it stands | since |\n|---|---|---|---|---|\n\
         | !5+ | contributes | `ana` | Closed without being merged | 1970-01-01 00:00 UTC |\n\n</details>"
    );
    assert_eq!(
        rows_of(&note),
        told.rows,
        "the next job finds the rows again"
    );
}

#[test]
fn every_stage_begins_with_its_word_and_every_note_can_be_read_back() {
    let role = "qa".parse().unwrap();
    let by = "quentin".parse().unwrap();
    for stage in [
        Stage::LinksRefused,
        Stage::Linked,
        Stage::Validated,
        Stage::Rejected { role, by },
        Stage::NotQueued,
        Stage::Queued {
            rank: 2,
            at: Timestamp::UNIX_EPOCH,
            landing: None,
        },
        Stage::InTrial {
            trial: crate::domain::ids::TrialId(3),
        },
        Stage::Landing,
        Stage::FailedTests {
            trial: crate::domain::ids::TrialId(3),
        },
        Stage::Conflicted,
        Stage::LeftQueue,
        Stage::Landed {
            version: VersionId(1),
        },
        Stage::Releasing {
            number: "1.2.0".into(),
        },
        Stage::InProduction {
            number: "1.2.0".into(),
            environment: Some("production".into()),
        },
    ] {
        let mark = Mark {
            stage: stage.clone(),
            head: "a".repeat(40).parse().unwrap(),
            links: Vec::new(),
            since: Timestamp::UNIX_EPOCH,
            history: Vec::new(),
            links_since: None,
        };
        let note = state_note(&mark, "**State.** Text.");
        assert_eq!(mark_of(&note), Some(mark));
        let told = progress(vec![row(7, LinkKind::Closes, Whereabouts::At(stage))], &[]);
        let note = progress_note(&told, Naming::Short, &home());
        assert!(visible(&note).starts_with("**"), "{note}");
        assert_eq!(rows_of(&note), told.rows);
    }
}

#[test]
fn no_line_of_a_criterion_becomes_a_command_a_mention_or_markup() {
    let hostile = "x\n/close\n@all --> <details> !1 #2";
    let told = progress(Vec::new(), &[(hostile, false)]);
    let note = progress_note(&told, Naming::Short, &home());
    assert!(note.lines().all(|line| !line.starts_with('/')), "{note}");
    assert!(!note.contains("@all") && !note.contains("#2"), "{note}");
    assert_eq!(note.matches("-->").count(), 1, "{note}");
    assert!(!note.contains("<details>"), "{note}");
}

#[test]
fn merge_requests_that_readers_cannot_see_are_not_named() {
    let mut elsewhere = row(7, LinkKind::Closes, Whereabouts::InReview);
    elsewhere.project = Some(home().project);
    let told = progress(vec![elsewhere], &[]);
    let hidden = progress_note(&told, Naming::Hidden, &home());
    assert!(!hidden.contains('7') && !hidden.contains("ana"), "{hidden}");
    let full = progress_note(&told, Naming::Full, &home());
    assert!(full.contains("| shop/web!7+ |"), "{full}");
}

#[test]
fn a_note_does_not_grow_without_end() {
    let rows = (1..=500).map(|iid| row(iid, LinkKind::Contributes, Whereabouts::InReview));
    let note = progress_note(&progress(rows.collect(), &[]), Naming::Short, &home());
    assert!(note.len() < 20_000, "{}", note.len());
    assert!(note.contains("And 460 more."), "{note}");
    assert_eq!(rows_of(&note).len(), MOST_ROWS);
}

#[test]
fn a_note_that_somebody_garbled_tells_nothing() {
    for text in [
        "",
        "text",
        "<!-- trainyard:progress {oops} -->\n",
        "<!-- trainyard:progress",
    ] {
        assert!(
            rows_of(text).is_empty() && mark_of(text).is_none(),
            "{text}"
        );
    }
}
