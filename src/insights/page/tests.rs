//! What must hold of the page whatever it shows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::event::{Fact, Subject};
use crate::domain::ids::VersionId;
use crate::insights::story::{Story, busy, feature, minute, mr, number};
use crate::insights::{Period, insights};

const HOSTILE: &str = "</td></title></style><script>alert(\"1\")</script>'\"><img src=x onerror=alert(1)>\r\n\u{202e}<!-- ]]> &amp;";

fn look(story: &Story, now: i64) -> Insights {
    let to = minute(now);
    insights(&story.events, to, Period { from: None, to })
}

/// Everything that a stranger can write, in every place where it is shown.
fn hostile(text: &str) -> (Insights, Frame) {
    let mut story = busy(30, text);
    let reason = || text.to_owned();
    let head = || "a".repeat(40).parse().unwrap();
    let mut odd = number(9);
    odd.prefix = reason();
    let alert = Fact::ContributorWarned {
        about: Subject::MergeRequest(mr(101)),
        alert: reason(),
        people: vec!["ana".parse().unwrap()],
    };
    let closed = Fact::VersionClosed {
        version: VersionId(9),
        number: odd.clone(),
        commit: head(),
        content: vec![mr(125)],
        kept: Vec::new(),
        closed_by: None,
        around: Vec::new(),
        manifest: None,
        through_freeze: None,
    };
    let deployed = Fact::VersionDeployed {
        version: VersionId(9),
        number: odd.clone(),
        environment: reason(),
        deployment: None,
    };
    let failed = Fact::ReleaseFailed {
        version: VersionId(9),
        number: odd,
        reason: reason(),
        evidence: None,
    };
    let (merge_request, reasons) = (mr(126), vec![reason()]);
    let refused = Fact::LinkRefused {
        merge_request,
        reasons,
    };
    let withdrawn = Fact::ChangeSetWithdrawn {
        merge_request: mr(127),
        head: head(),
        reason: reason(),
        order: None,
    };
    let conflicted = Fact::ChangeSetConflicted {
        merge_request: mr(128),
        head: head(),
        detail: reason(),
    };
    for fact in [
        alert, closed, deployed, failed, refused, withdrawn, conflicted,
    ] {
        story.add(15_000, fact);
    }
    let frame = Frame {
        titles: (1..=30).map(|n| (feature(n), reason())).collect(),
        urls: (1..=30)
            .map(|n| (feature(n), format!("https://a.example/{text}")))
            .collect(),
        unreadable: vec![(3, reason())],
        missing: vec![reason()],
        foreign: 1,
        tool_version: reason(),
        rebuild: reason(),
        data_url: Some(format!("https://b.example/{text}")),
    };
    (look(&story, 20_000), frame)
}

/// The page as tags, checked to be nested properly and to hold no other tag and attribute than the page's own.
pub(super) fn tags(html: &str) -> Vec<String> {
    const EMPTY: [&str; 2] = ["meta", "!DOCTYPE"];
    const KNOWN: &str = "html head title style body header main footer section nav ul ol li dl dt dd div p h1 h2 b small span strong \
                         time code bdi a details summary table caption thead tbody tr th td svg defs pattern text tspan path rect circle g";
    let known: BTreeSet<&str> = KNOWN.split_whitespace().chain(EMPTY).collect();
    let mut open: Vec<String> = Vec::new();
    let mut seen = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "near {:.80}", rest);
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        assert!(known.contains(name), "<{tag}>");
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        // Between the quotes are values; outside of them no event handler may stand.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.contains(" on"), "<{tag}>");
        if !EMPTY.contains(&name) && !tag.ends_with('/') {
            open.push(name.to_owned());
        }
        seen.push(tag.to_owned());
    }
    assert_eq!(open, Vec::<String>::new());
    seen
}

#[test]
fn no_text_of_a_stranger_becomes_markup() {
    let (insights, frame) = hostile(HOSTILE);
    let html = page(&insights, &frame);
    tags(&html);
    for forbidden in ["<script", "<img", "<!--", "\u{202e}", "onerror=alert(1)>"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert!(html.contains("&lt;script&gt;"));
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let (insights, frame) = hostile("plain");
    let html = page(&insights, &frame);
    for forbidden in [
        "<script",
        "<link",
        "<img",
        "<iframe",
        "src=",
        "@import",
        "@font-face",
        "url(http",
        "javascript:",
    ] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn every_table_has_a_caption_and_every_header_a_scope() {
    let (insights, frame) = hostile("plain");
    let tags = tags(&page(&insights, &frame));
    let count = |name: &str| {
        let of_name = |tag: &&String| tag.split(' ').next() == Some(name);
        tags.iter().filter(of_name).count()
    };
    assert!(count("table") > 8);
    assert_eq!(count("table"), count("caption"));
    let headers = tags
        .iter()
        .filter(|tag| tag.starts_with("th ") || *tag == "th");
    assert!(headers.clone().count() > 100 && headers.clone().all(|tag| tag.contains("scope=")));
    let drawings = tags.iter().filter(|tag| tag.starts_with("svg "));
    for drawing in drawings {
        let spoken =
            drawing.contains("role=\"img\" aria-label=") || drawing.contains("aria-hidden");
        assert!(spoken, "{drawing}");
    }
}

#[test]
fn every_link_within_the_page_leads_somewhere_and_every_place_is_one() {
    let (insights, frame) = hostile("plain");
    let tags = tags(&page(&insights, &frame));
    let attribute = |name: &'static str| {
        let start = format!(" {name}=\"");
        let values = tags.iter().filter_map(move |tag| {
            let value = tag.split(&start).nth(1)?;
            value.split('"').next().map(str::to_owned)
        });
        values.collect::<Vec<String>>()
    };
    let ids = attribute("id");
    let places: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(places.len(), ids.len(), "{ids:?}");
    for link in attribute("href") {
        if let Some(place) = link.strip_prefix('#') {
            assert!(places.contains(place), "{link}");
        }
    }
}

#[test]
fn the_page_shows_the_figures() {
    let story = busy(60, "Pay by card");
    let insights = look(&story, 30_000);
    let html = page(&insights, &Frame::default());
    let wait = duration(insights.queue.wait.unwrap().p50);
    let wait = format!("<span class=\"name\">Queue wait</span><b>{wait} <small>p50</small></b>");
    for expected in [
        wait.as_str(),
        "<h1>shop/web to production</h1>",
        "<b>50</b><span>change sets, ",
        "<th scope=\"row\">v1.1.0</th>",
        "validated as po</bdi>, by paul",
        "joined the queue (normal priority)",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
}

#[test]
fn a_page_of_nothing_is_a_page() {
    let html = page(&look(&Story::default(), 0), &Frame::default());
    tags(&html);
    assert!(html.contains("no event at all") && html.contains("No version was filled"));
}

#[test]
fn a_thousand_features_of_any_content_stay_under_500_kilobytes() {
    for text in ["Pay by card", &"\"<>&'".repeat(20_000)] {
        let story = busy(1_000, &text.chars().take(255).collect::<String>());
        let frame = Frame {
            titles: (1..=1_000).map(|n| (feature(n), text.to_owned())).collect(),
            urls: (1..=1_000)
                .map(|n| {
                    (
                        feature(n),
                        format!("https://gitlab.example/shop/web/-/issues/{n}"),
                    )
                })
                .collect(),
            unreadable: (0..1_000).map(|n| (n, text.to_owned())).collect(),
            tool_version: text.to_owned(),
            rebuild: text.to_owned(),
            ..Frame::default()
        };
        let html = page(&look(&story, 500_000), &frame);
        assert!(html.len() < 500_000, "{}", html.len());
        assert!(html.contains("in the output of <code>--json</code>"));
        tags(&html);
    }
}

#[test]
fn what_lasts_longer_than_usual_is_marked_in_words() {
    let mut story = busy(30, "");
    story.queued(12_500, 900, &[]);
    let html = page(&look(&story, 25_000), &Frame::default());
    assert!(html.contains("over p85</span>"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_leaves_the_structure_as_it_is(text in any::<String>()) {
        let (insights, frame) = hostile(&text);
        tags(&page(&insights, &frame));
    }
}

/// Clocks may be wrong by centuries: the page is drawn all the same.
#[test]
fn the_ends_of_time_are_no_reason_to_fail() {
    let mut story = busy(3, "x");
    for at in [Timestamp::MIN, Timestamp::MAX] {
        let mut event = story.events[0].clone();
        event.id = at.to_string();
        event.at = at;
        story.events.push(event);
    }
    for to in [Timestamp::MIN, minute(9_000), Timestamp::MAX] {
        for from in [None, Some(Timestamp::MIN), Some(Timestamp::MAX)] {
            let period = Period { from, to };
            tags(&page(
                &insights(&story.events, to, period),
                &Frame::default(),
            ));
        }
    }
}
