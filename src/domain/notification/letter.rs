//! What a message to a channel consists of, before any format: words whose origin is known, so that each format can make the
//! untrusted ones inert in its own way.

use jiff::Timestamp;

use crate::domain::event::Subject;
use crate::domain::ids::{MergeRequestId, MessageId, UserName};

/// A piece of text that knows where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Our own words.
    Text(String),
    /// What somebody wrote: shown, never obeyed.
    Said(String),
    /// A short name or value, shown as code. Untrusted too.
    Code(String),
    /// A merge request, with its address.
    MergeRequest { id: MergeRequestId, url: String },
    /// A page of our GitLab.
    Link { label: String, url: String },
    /// A person.
    Person(UserName),
}

/// What a message says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// What happened: one line.
    pub headline: Vec<Span>,
    /// What to do next; empty when nobody must act.
    pub next: Vec<Span>,
}

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Somebody must act.
    Alarm,
    /// Somebody has been awaited for long.
    Reminder,
    /// What was wrong is over.
    Recovery,
    /// Good to know.
    News,
    /// Somebody tries the channel out.
    Test,
}

impl Sort {
    /// Its name, in configuration and payloads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Reminder => "reminder",
            Self::Recovery => "recovery",
            Self::News => "news",
            Self::Test => "test",
        }
    }
}

/// A message for a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The same however often it is tried.
    pub id: MessageId,
    /// Why it is sent.
    pub sort: Sort,
    /// The fact, or the kind of reminder, that it tells.
    pub occasion: String,
    /// What it is about.
    pub about: Subject,
    /// When that happened.
    pub at: Timestamp,
    /// What it says.
    pub words: Words,
    /// Who must act.
    pub people: Vec<UserName>,
    /// The messages whose matter is over.
    pub recovers: Vec<MessageId>,
}
