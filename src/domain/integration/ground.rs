//! Change sets and queues that the tests of the queue stand on.

use jiff::Timestamp;

use super::{ChangeSet, Priority, Queue};
use crate::domain::ids::{BranchName, CommitSha, JobId, MergeRequestId, ProjectPath};

pub(super) fn sha(digit: char) -> CommitSha {
    digit.to_string().repeat(40).parse().unwrap()
}

pub(super) fn main() -> BranchName {
    "main".parse().unwrap()
}

pub(super) fn change_set(iid: u64, head: char, priority: Priority, second: i64) -> ChangeSet {
    let project: ProjectPath = "shop/web".parse().unwrap();
    ChangeSet {
        merge_request: MergeRequestId { project, iid },
        head: sha(head),
        target: main(),
        title: format!("Change {iid}"),
        author: "ana".parse().unwrap(),
        links: Vec::new(),
        verdicts: Vec::new(),
        breaking: false,
        priority,
        requested_at: Timestamp::from_second(second).unwrap(),
        requested_by: JobId(iid),
        note: None,
    }
}

pub(super) fn queue_of(sets: Vec<ChangeSet>) -> Queue {
    let mut queue = Queue::default();
    for set in sets {
        queue.join(set, Timestamp::UNIX_EPOCH);
    }
    queue
}
