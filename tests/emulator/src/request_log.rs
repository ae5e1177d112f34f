//! Every API and git request that was answered, for tests that count calls and for the sandbox's own pages.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Who made a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Who {
    Anonymous,
    /// A token that is unknown, expired or revoked.
    Refused,
    User {
        username: String,
    },
    Job {
        username: String,
        job_id: u64,
        job_name: String,
        pipeline_id: u64,
    },
}

impl Who {
    /// The user's name, whether present in person or through a job.
    pub fn username(&self) -> Option<&str> {
        match self {
            Self::Anonymous | Self::Refused => None,
            Self::User { username } | Self::Job { username, .. } => Some(username),
        }
    }

    /// The job whose token was used.
    pub fn job_id(&self) -> Option<u64> {
        match self {
            Self::Job { job_id, .. } => Some(*job_id),
            Self::Anonymous | Self::Refused | Self::User { .. } => None,
        }
    }
}

/// A running job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobName {
    pub id: u64,
    pub name: String,
    pub pipeline_id: u64,
}

/// One answered request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestEntry {
    pub number: u64,
    pub method: String,
    /// The pattern that matched, such as `projects/:id/variables/:key`.
    pub route: Option<String>,
    /// Path and query as sent, with the values of tokens removed.
    pub path: String,
    pub status: u16,
    pub who: Who,
    /// The running job it came from: known by its job token, or because no other running job has this access token.
    pub job: Option<JobName>,
    /// What the emulator does not have: a route, a method or a parameter.
    pub unknown: Option<String>,
    /// Parameters that GitLab does not have either, and that were dropped as it drops them.
    pub ignored: Vec<String>,
    /// The fault that was applied.
    pub fault: Option<String>,
    /// Of a request after which its job was killed: did it change anything that another job could find?
    pub changed: Option<bool>,
}

/// The list of answered requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: Mutex<Vec<RequestEntry>>,
}

impl RequestLog {
    pub(crate) fn add(&self, entry: RequestEntry) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    pub(crate) fn all(&self) -> Vec<RequestEntry> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn count(&self, is_wanted: impl Fn(&RequestEntry) -> bool) -> usize {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().filter(|entry| is_wanted(entry)).count()
    }

    pub(crate) fn clear(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// A path with query whose token parameters are blanked.
pub(crate) fn without_tokens(path: &str, query: &str) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if name.contains("token") => format!("{name}=[hidden]"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}
