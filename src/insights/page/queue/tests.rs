//! What must hold of the page whatever people wrote and whatever the clocks say.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::insights::page::tests::tags;
use crate::insights::story::minute;

fn line(rank: Option<usize>, text: &str, since: Timestamp) -> SheetLine {
    let later = since.checked_add(SignedDuration::from_hours(2));
    SheetLine {
        rank,
        name: text.to_owned(),
        url: Some(format!("https://gitlab.example/{text}")),
        title: text.to_owned(),
        author: text.to_owned(),
        lane: text.to_owned(),
        since,
        landing: later.ok().map(|later| (later, later)),
        why: text.to_owned(),
    }
}

fn sheet(text: &str, now: Timestamp, since: Timestamp, waiting: usize) -> Sheet {
    Sheet {
        verdict: Some(text.to_owned()),
        paused: Some(text.to_owned()),
        environment: text.to_owned(),
        holder: text.to_owned(),
        holder_url: Some(text.to_owned()),
        taken_since: Some(since),
        trial: Some(SheetTrial {
            number: text.to_owned(),
            commit: text.to_owned(),
            since,
            state: "running",
            lines: vec![line(None, text, since)],
        }),
        lines: (1..=waiting).map(|n| line(Some(n), text, since)).collect(),
        basis: text.to_owned(),
        now,
        newest: since,
        tool_version: text.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_leaves_the_structure_as_it_is(text in any::<String>()) {
        tags(&queue_page(&sheet(&text, minute(300), minute(200), 3)));
    }
}

#[test]
fn markup_of_a_stranger_is_text() {
    let hostile = "</td></title></style><script>alert(\"1\")</script>'\"><img src=x onerror=alert(1)>\u{202e}";
    let page = queue_page(&sheet(hostile, minute(300), minute(200), 3));
    let seen = tags(&page);
    for forbidden in ["<script", "<img", "\u{202e}"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let count = |name: &str| {
        seen.iter()
            .filter(|tag| tag.split(' ').next() == Some(name))
            .count()
    };
    assert_eq!((count("table"), count("caption")), (2, 2));
    let headers = seen.iter().filter(|tag| tag.starts_with("th "));
    assert!(headers.into_iter().all(|tag| tag.contains("scope=")));
    for drawing in seen.iter().filter(|tag| tag.starts_with("svg ")) {
        let spoken =
            drawing.contains("role=\"img\" aria-label=") || drawing.contains("aria-hidden");
        assert!(spoken, "{drawing}");
    }
}

#[test]
fn a_queue_of_nothing_and_one_of_thousands_are_pages() {
    let mut empty = sheet("nrt", minute(300), minute(200), 0);
    empty.trial = None;
    let page = queue_page(&empty);
    tags(&page);
    assert!(page.contains("Nothing is tried, and nothing waits."));
    let page = queue_page(&sheet(
        &"\"<>&'".repeat(200),
        minute(300),
        minute(200),
        5_000,
    ));
    tags(&page);
    assert!(page.len() < 500_000, "{}", page.len());
    assert!(
        page.contains("more change sets, in the table.")
            && page.contains("in the output of <code>--json</code>")
    );
}

#[test]
fn the_ends_of_time_are_no_reason_to_fail() {
    let ends = [Timestamp::MIN, minute(0), Timestamp::MAX];
    for now in ends {
        for since in ends {
            tags(&queue_page(&sheet("x", now, since, 2)));
        }
    }
}

#[test]
fn a_queue_that_nothing_happened_in_has_no_newest_event() {
    let mut empty = sheet("nrt", minute(300), minute(200), 0);
    empty.newest = Timestamp::UNIX_EPOCH;
    let page = queue_page(&empty);
    assert!(page.contains("<dt>Newest event</dt><dd>none yet</dd>") && !page.contains("1970"));
}
