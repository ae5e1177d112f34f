//! Messages to people who must act, or who want to know: the words, and their form as a note on GitLab. The forms of other
//! channels are in `channels`.

mod words;

use std::collections::BTreeSet;

use crate::domain::event::Fact;
use crate::domain::ids::{MergeRequestId, ProjectPath, UserName};
use crate::domain::notification::Alert;
use crate::domain::notification::letter::{Letter, Sort, Span, Words};
use crate::domain::notification::outbox::{Pending, Raised};

use super::{inert, quote};
use words::words;

/// Where things are, for links.
#[derive(Debug, Clone, Copy)]
pub struct Addresses<'a> {
    /// Our GitLab.
    pub server: &'a str,
    /// The project that the job runs in.
    pub home: &'a ProjectPath,
    /// Where people see it.
    pub home_url: &'a str,
}

impl Addresses<'_> {
    fn of(&self, project: &ProjectPath) -> String {
        if project == self.home {
            self.home_url.to_owned()
        } else {
            format!("{}/{project}", self.server.trim_end_matches('/'))
        }
    }

    pub(super) fn merge_request(&self, id: &MergeRequestId) -> Span {
        Span::MergeRequest {
            id: id.clone(),
            url: format!("{}/-/merge_requests/{}", self.of(&id.project), id.iid),
        }
    }
}

/// What may be said of text that people wrote about a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discretion {
    /// Everybody in the project may read it.
    Open,
    /// It may be about a confidential feature: left out.
    Withheld,
}

/// A message about something that was raised.
pub fn letter(
    pending: &Pending,
    raised: &Raised,
    discretion: Discretion,
    at: &Addresses<'_>,
) -> Letter {
    let fact = &raised.event.fact;
    let must_act = pending.sort == Sort::Alarm;
    Letter {
        id: pending.id.clone(),
        sort: pending.sort,
        occasion: pending.occasion.clone(),
        about: fact.subject(),
        at: raised.event.at,
        words: words(fact, pending.sort, discretion, at),
        people: raised.people.iter().filter(|_| must_act).cloned().collect(),
        recovers: raised.recovers.clone(),
    }
}

pub(super) fn text(words: impl Into<String>) -> Span {
    Span::Text(words.into())
}

/// A new note for people who must act; the mention is what makes GitLab tell them.
///
/// Why a person rejected a feature stands below, as it was written; when no reason was given, the note asks for one. Below the
/// rejection by a trial stand the test cases that failed.
pub fn alert(alert: &Alert, at: &Addresses<'_>) -> String {
    let said = |discretion| {
        let words = words(&alert.cause, Sort::Alarm, discretion, at);
        mention(&alert.people, &words)
    };
    if let Fact::FeatureRejected {
        verdict, reason, ..
    } = &alert.cause
    {
        let why = match reason {
            Some(reason) => quote(reason),
            None => format!(
                "@{}, you gave no reason with the job: please write a note here that begins with `Reason:`.",
                verdict.by
            ),
        };
        return format!("{}\n\n{why}", said(Discretion::Withheld));
    }
    if let Fact::ChangeSetRejected { failures, .. } = &alert.cause {
        let cases = super::trial_verdict::failing_cases(failures);
        return format!("{}{cases}", said(Discretion::Open));
    }
    said(Discretion::Open)
}

/// Any words as a note that mentions people.
pub fn mention(people: &BTreeSet<UserName>, words: &Words) -> String {
    let people: Vec<String> = people.iter().map(|name| format!("@{name}")).collect();
    let next = if words.next.is_empty() {
        String::new()
    } else {
        format!(" {}", note(&words.next))
    };
    format!("{} {}{next}", people.join(" "), note(&words.headline))
}

/// An alert whose matter is over: what it said is kept, out of the way.
pub fn settled(body: &str, how: &str) -> String {
    let before: Vec<&str> = body
        .lines()
        .skip_while(|line| line.starts_with("<!--"))
        .collect();
    format!(
        "**Settled**: {how}.\n\n<details><summary>What it was</summary>\n\n{}\n\n</details>",
        before.join("\n")
    )
}

/// Whether an alert was marked as settled before.
pub fn is_settled(body: &str) -> bool {
    body.lines()
        .find(|line| !line.starts_with("<!--"))
        .is_some_and(|line| line.starts_with("**Settled**"))
}

fn note(spans: &[Span]) -> String {
    spans
        .iter()
        .map(|span| match span {
            Span::Text(text) => text.clone(),
            Span::Said(text) => inert(text),
            Span::Code(text) => format!("`{}`", super::plain(text).replace('`', "'")),
            Span::MergeRequest { id, .. } => id.to_string(),
            Span::Link { label, url } => format!("[{}]({url})", inert(label)),
            Span::Person(name) => format!("`{name}`"),
        })
        .collect()
}
