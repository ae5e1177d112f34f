//! Reminders in words, and what `remind` says in the job log.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::domain::event::Subject;
use crate::domain::notification::letter::{Span, Words};
use crate::domain::notification::reminder::{Kind, Waiting};
use crate::domain::notification::rounds::{Mode, Rounds};
use crate::outcome::Outcome;

use super::messages::{Addresses, text};
use super::plain;
use super::queue::age;
use super::release::counted;

/// What a reminder says.
pub fn reminder_words(
    waiting: &Waiting,
    now: Timestamp,
    escalated: bool,
    at: &Addresses<'_>,
) -> Words {
    let since = age(waiting.since, now);
    let subject = match &waiting.about {
        Subject::MergeRequest(id) => at.merge_request(id),
        Subject::Environment => text("the NRT environment"),
        Subject::Trial(id) => text(format!("trial {id}")),
        Subject::Version(id) => text(format!("version #{id}")),
        Subject::Channel(name) => text(format!("the channel `{name}`")),
    };
    let (happened, next) = match waiting.kind {
        Kind::ValidationWaiting => (
            vec![
                text(" has awaited validation by "),
                Span::Said(waiting.detail.clone()),
            ],
            "Play `validate:<role>` or `reject:<role>` in its newest pipeline.",
        ),
        Kind::DraftStale => (
            vec![text(" has been a draft without a new pipeline")],
            "Go on with it, mark it as ready, or close it so that others know.",
        ),
        Kind::TicketWaiting => (
            vec![text(" has been in the queue")],
            "Look at what holds the queue up: `trainyard queue`.",
        ),
        Kind::LeaseHeld => (
            vec![
                text(" has been held by "),
                Span::Said(waiting.detail.clone()),
            ],
            "See whether that pipeline still does something; cancel it if not.",
        ),
        Kind::VerdictWaiting => (
            vec![
                text(" has waited for the verdict of "),
                Span::Said(waiting.detail.clone()),
            ],
            "Play `nrt:validate` or `nrt:reject` in its pipeline; nothing else can be tried meanwhile.",
        ),
        Kind::ReleaseWaiting => (
            vec![
                text(" ("),
                Span::Said(waiting.detail.clone()),
                text(") has been closed and not released"),
            ],
            "Finish its deployment and `release-publish`, or play `release-abort`.",
        ),
        Kind::AlarmUnanswered => (
            vec![
                text(" ("),
                Span::Said(waiting.detail.clone()),
                text(") has had no new commit"),
            ],
            "Push a fix and press `integrate` again, or close it so that others know.",
        ),
    };
    let lead = if escalated {
        vec![text("Reminders did not help: ")]
    } else {
        Vec::new()
    };
    Words {
        headline: lead
            .into_iter()
            .chain([subject])
            .chain(happened)
            .chain([text(format!(" for {since}."))])
            .collect(),
        next: vec![text(next)],
    }
}

/// The words of a message that only tries a channel out; the odd signs in it show that text stays text.
pub fn test_words(at: &Addresses<'_>) -> Words {
    Words {
        headline: vec![
            text("this is what messages of "),
            Span::Link {
                label: at.home.to_string(),
                url: at.home_url.to_owned(),
            },
            text(" look like; text of others stays text: "),
            Span::Said("<!channel> @all [link](https://example.com) *bold* `code`".to_owned()),
            text("."),
        ],
        next: vec![text("Nothing to do for you.")],
    }
}

/// What a run did, or would do.
pub fn reminded(rounds: &Rounds, mode: Mode, zone: &TimeZone, now: Timestamp) -> Outcome {
    let sent: usize = rounds.handed.iter().map(|handed| handed.taken.len()).sum();
    let (mentioned, due) = (
        rounds.mentioned.len(),
        rounds.held.iter().filter(|(_, p)| p.due <= now).count(),
    );
    let mut outcome = Outcome::open(match mode {
        Mode::Real => format!(
            "{} mentioned, {} sent to channels, {} held back",
            counted(mentioned, "reminder"),
            counted(sent, "message"),
            rounds.held.len()
        ),
        Mode::Dry => format!(
            "dry run, nothing is written: {} would be mentioned, {} sent to channels now",
            counted(mentioned, "reminder"),
            counted(due, "message")
        ),
    });
    let at = |instant: Timestamp| {
        instant
            .to_zoned(zone.clone())
            .strftime("%Y-%m-%d %H:%M %Z")
            .to_string()
    };
    for mentioned in &rounds.mentioned {
        let people = mentioned.people.iter().map(|name| format!("`{name}`"));
        outcome = outcome.with(format!(
            "{}: {} ({})",
            mentioned.merge_request,
            people.collect::<Vec<_>>().join(", "),
            plain(&mentioned.key)
        ));
    }
    for (channel, why) in &rounds.unready {
        outcome = outcome.warning(format!("`{channel}` cannot be used: {}", plain(why)));
    }
    for handed in &rounds.handed {
        for letter in &handed.taken {
            outcome = outcome.with(format!(
                "`{}`: {} {}",
                handed.channel,
                letter.sort.name(),
                words(&letter.words.headline)
            ));
        }
        if let Some(failure) = &handed.failure {
            outcome = outcome.warning(format!(
                "`{}` takes no messages: {}",
                handed.channel,
                plain(failure)
            ));
        }
    }
    for (channel, pending) in &rounds.held {
        let when = if pending.due <= now {
            "due now".to_owned()
        } else {
            format!("held until {}", at(pending.due))
        };
        let digest = if pending.digest {
            ", in its digest"
        } else {
            ""
        };
        outcome = outcome.with(format!(
            "`{channel}`: {} {} {when}{digest}",
            pending.sort.name(),
            pending.occasion
        ));
    }
    let lines = rounds.waiting.iter().map(|(waiting, next)| {
        let next = next.map_or("no more reminders".to_owned(), |next| {
            format!("next reminder {}", at(next))
        });
        format!(
            "waiting: {} {} since {}; {next}",
            waiting.kind.name(),
            waiting.about,
            at(waiting.since)
        )
    });
    outcome = outcome.read(lines);
    if rounds.left_out > 0 {
        outcome = outcome.warning(format!(
            "{} more open merge requests were not looked at: one run looks at the oldest",
            rounds.left_out
        ));
    }
    outcome
}

/// The same for programs.
pub fn reminded_json(rounds: &Rounds, now: Timestamp) -> String {
    let mentioned: Vec<Value> = rounds
        .mentioned
        .iter()
        .map(|m| json!({"merge_request": m.merge_request.iid, "project": m.merge_request.project, "people": m.people, "reminder": m.key}))
        .collect();
    let channels: Vec<Value> = rounds
        .handed
        .iter()
        .map(|handed| {
            let taken: Vec<Value> = handed
                .taken
                .iter()
                .map(|letter| json!({"id": letter.id, "sort": letter.sort.name(), "occasion": letter.occasion, "about": letter.about.to_string()}))
                .collect();
            json!({"channel": handed.channel, "taken": taken, "failure": handed.failure})
        })
        .collect();
    let held: Vec<Value> = rounds
        .held
        .iter()
        .map(|(channel, pending)| {
            json!({
                "channel": channel, "id": pending.id, "sort": pending.sort.name(), "occasion": pending.occasion,
                "due": pending.due, "due_now": pending.due <= now, "digest": pending.digest,
            })
        })
        .collect();
    let waiting: Vec<Value> = rounds
        .waiting
        .iter()
        .map(|(waiting, next)| {
            json!({
                "kind": waiting.kind.name(), "about": waiting.about.to_string(), "since": waiting.since,
                "people": waiting.people, "next": next,
            })
        })
        .collect();
    let unready: Vec<Value> = rounds
        .unready
        .iter()
        .map(|(channel, why)| json!({"channel": channel, "why": why}))
        .collect();
    format!(
        "{:#}",
        json!({"mentioned": mentioned, "channels": channels, "held": held, "unready": unready, "waiting": waiting, "left_out": rounds.left_out})
    )
}

fn words(spans: &[Span]) -> String {
    let text: String = spans
        .iter()
        .map(|span| match span {
            Span::Text(text) | Span::Said(text) | Span::Code(text) => text.clone(),
            Span::MergeRequest { id, .. } => id.to_string(),
            Span::Link { label, .. } => label.clone(),
            Span::Person(name) => name.to_string(),
        })
        .collect();
    plain(&text)
}
