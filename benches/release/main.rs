//! What a release of a hundred change sets costs this program: `cargo bench --bench release`. Budget: a second of our own time.
//!
//! The log is folded, the notes are put together and written, and so are the tag's message, the changelog and the text of every note.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]
#![expect(clippy::print_stdout, reason = "the figures are the result")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

mod repository;

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;
use trainyard::domain::event::{Event, Fact};
use trainyard::domain::ids::{
    CommitSha, FeatureId, JobId, MergeRequestId, ProjectPath, TrialId, VersionId,
};
use trainyard::domain::integration::{ChangeSet, Priority};
use trainyard::domain::linking::{Feature, Link, LinkKind, Sight};
use trainyard::domain::progress::stage_in_yard;
use trainyard::domain::release_notes::{Sources, compose};
use trainyard::domain::versioning::packages::Spread;
use trainyard::domain::versioning::{Appended, Number};
use trainyard::domain::yard::Yard;
use trainyard::report;

const CHANGE_SETS: u64 = 100;
const ROUNDS: u32 = 20;

fn main() {
    if repository::is_measured() {
        return;
    }
    let events = events();
    let sights = sights();
    let mut folded = 0.0;
    let mut told = 0.0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let yard = Yard::of(&events);
        folded += begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        let written = tell(&yard, &sights);
        told += begun.elapsed().as_secs_f64();
        assert!(written > 10_000);
    }
    let each = |seconds: f64| seconds * 1000.0 / f64::from(ROUNDS);
    println!("folding {} events: {:.2} ms", events.len(), each(folded));
    println!(
        "notes, tag, changelog and the notes of {CHANGE_SETS} change sets: {:.2} ms",
        each(told)
    );
    repository::measure();
}

fn home() -> ProjectPath {
    "shop/web".parse().unwrap()
}

fn commit() -> CommitSha {
    "a".repeat(40).parse().unwrap()
}

fn feature(iid: u64) -> FeatureId {
    FeatureId {
        project: home(),
        iid,
    }
}

/// How many bytes are told.
fn tell(yard: &Yard, sights: &BTreeMap<FeatureId, Sight>) -> usize {
    let number = Number::of_tag("v1.3.0", "v").unwrap();
    let content = &yard.versions.content;
    let sources = Sources {
        number: &number,
        previous: None,
        commit: &commit(),
        at: Timestamp::UNIX_EPOCH,
        content,
        sights,
        open: &[],
        around: &[],
        headings: &[],
        out_before: &BTreeMap::new(),
    };
    let notes = compose(&sources, |_| true);
    let written = report::release_notes(&notes, None, &home(), "https://gitlab.example").unwrap();
    let message = report::tag_message(&notes, None, &home());
    let changelog = report::changelog("", &notes, &home(), "https://gitlab.example").unwrap();
    let notes = content.iter().map(|appended| {
        let (stage, _) = stage_in_yard(yard, &appended.change_set.merge_request).unwrap();
        report::note_landed(&stage, appended, &home()).len()
    });
    written.text.len() + message.len() + changelog.len() + notes.sum::<usize>()
}

fn sights() -> BTreeMap<FeatureId, Sight> {
    let sight = |iid| {
        let seen = Feature {
            id: feature(iid),
            title: format!("Feature {iid} with *stars* and @names"),
            description: "As a customer, so that I need no cash.\n\n## Acceptance criteria\n\n- [x] one\n- [ ] two\n".repeat(5),
            open: true,
            confidential: false,
            labels: Vec::new(),
            issue_type: "issue".to_owned(),
            moved: None,
            author: "olga".parse().unwrap(),
            url: String::new(),
        };
        (feature(iid), Sight::Seen(Box::new(seen)))
    };
    (1..=CHANGE_SETS).map(sight).collect()
}

fn events() -> Vec<Event> {
    let facts = (1..=CHANGE_SETS).flat_map(|iid| {
        let appended = appended(iid);
        let change_set = appended.change_set.clone();
        [
            Fact::ChangeSetQueued { change_set },
            Fact::ChangeSetAppended {
                version: VersionId(1),
                appended,
            },
        ]
    });
    facts
        .map(|fact| Event::new(&home(), Timestamp::UNIX_EPOCH, None, Some(JobId(1)), fact))
        .collect()
}

/// A change set that closes a feature of its own.
fn appended(iid: u64) -> Appended {
    let change_set = ChangeSet {
        merge_request: MergeRequestId {
            project: home(),
            iid,
        },
        head: commit(),
        target: "main".parse().unwrap(),
        title: format!("Change {iid} that somebody wrote a title for"),
        author: "ana".parse().unwrap(),
        links: vec![Link {
            feature: feature(iid),
            kind: LinkKind::Closes,
        }],
        verdicts: Vec::new(),
        breaking: false,
        priority: Priority::Normal,
        requested_at: Timestamp::UNIX_EPOCH,
        requested_by: JobId(iid),
        note: None,
    };
    Appended {
        change_set,
        landed: commit(),
        trial: TrialId(iid),
        base: None,
        spread: Spread::default(),
        at: Timestamp::UNIX_EPOCH,
    }
}
