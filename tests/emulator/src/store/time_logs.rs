//! Time that people say they spent on an issue or merge request. The estimate is on the issue or merge request itself.

use jiff::Timestamp;
use jiff::civil::Date;

use super::State;
use super::notes::Noteable;

/// One entry; negative to take time back.
#[derive(Debug, Clone)]
pub struct TimeLog {
    pub id: u64,
    pub project_id: u64,
    pub noteable: Noteable,
    pub user_id: u64,
    pub seconds: i64,
    pub summary: Option<String>,
    pub spent_at: Option<Date>,
    pub created_at: Timestamp,
}

impl State {
    /// All time spent on something, in seconds.
    pub fn time_spent(&self, noteable: Noteable) -> i64 {
        let own = self.time_logs.iter().filter(|log| log.noteable == noteable);
        own.map(|log| log.seconds).sum()
    }

    /// The time something is expected to take, in seconds.
    pub fn time_estimate(&self, noteable: Noteable) -> i64 {
        match noteable {
            Noteable::Issue(id) => self.issues.get(id).map(|issue| issue.time_estimate),
            Noteable::MergeRequest(id) => self.merge_requests.get(id).map(|row| row.time_estimate),
        }
        .unwrap_or(0)
    }
}
