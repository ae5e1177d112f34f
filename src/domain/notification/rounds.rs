//! What a run of `remind` did, or would do: for the job log and for programs.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::letter::Letter;
use super::outbox::Pending;
use super::reminder::Waiting;
use crate::domain::ids::{ChannelName, MergeRequestId, UserName};

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is.
    Real,
    /// Only what would be is told.
    Dry,
}

/// What one channel took, or why it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// The channel.
    pub channel: ChannelName,
    /// What it took.
    pub taken: Vec<Letter>,
    /// Why it did not take the rest.
    pub failure: Option<String>,
}

/// People who were mentioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mentioned {
    /// On which merge request.
    pub merge_request: MergeRequestId,
    /// Who.
    pub people: BTreeSet<UserName>,
    /// Which turn of which reminder.
    pub key: String,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rounds {
    /// Who was mentioned.
    pub mentioned: Vec<Mentioned>,
    /// What channels took, or why not.
    pub handed: Vec<Handed>,
    /// What channels have not got, each now or later.
    pub held: Vec<(ChannelName, Pending)>,
    /// Channels that cannot be used from this job, and why.
    pub unready: Vec<(ChannelName, String)>,
    /// What waits, and when there is a next reminder.
    pub waiting: Vec<(Waiting, Option<Timestamp>)>,
    /// How many open merge requests were not looked at.
    pub left_out: usize,
}
