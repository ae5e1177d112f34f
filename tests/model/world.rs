//! What is outside of the jobs: the log, the target branch, and what trials found.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use trainyard::domain::event::{Event, Fact};
use trainyard::domain::ids::{BranchName, CommitSha, JobId, MergeRequestId, ProjectPath};
use trainyard::domain::integration::{ChangeSet, Priority};
use trainyard::domain::yard::Yard;

/// The log and the repository.
#[derive(Clone)]
pub(crate) struct World {
    yard: Arc<Yard>,
    /// The same as text, which is what makes two states equal.
    seen: Arc<str>,
    /// What the target holds, in its order; from 100 on, commits that came around the queue.
    pub(crate) target: Vec<u8>,
    /// The trees that a trial found good.
    pub(crate) tested: BTreeSet<Vec<u8>>,
    /// Whether a worker landed anything else.
    pub(crate) untested_landed: bool,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Yard {
            queue, nrt, search, ..
        } = &*self.yard;
        let tickets = queue
            .tickets
            .iter()
            .map(|t| (t.change_set.merge_request.iid, &t.place));
        let left = queue.left.iter().map(|(id, _, _, how)| (id.iid, how));
        let lease = nrt
            .lease
            .as_ref()
            .map(|lease| (lease.epoch.0, lease.holder.pipeline.0));
        let trial = nrt.trial.as_ref().map(|t| {
            (
                t.id.0,
                tree(&t.candidate.base),
                tree(&t.candidate.commit),
                t.validated,
            )
        });
        write!(
            f,
            "target {:?}, tested {:?}, version {:?}",
            self.target,
            self.tested,
            self.content()
        )?;
        write!(
            f,
            ", tickets {:?}, left {:?}",
            tickets.collect::<Vec<_>>(),
            left.collect::<Vec<_>>()
        )?;
        write!(f, ", lease {lease:?}, trial {trial:?}, {search:?}")
    }
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        (&self.seen, &self.target, &self.tested, self.untested_landed)
            == (
                &other.seen,
                &other.target,
                &other.tested,
                other.untested_landed,
            )
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.seen, &self.target, &self.tested, self.untested_landed).hash(state);
    }
}

pub(crate) fn project() -> ProjectPath {
    "shop/web".parse().expect("a project")
}

pub(crate) fn id(change: u8) -> MergeRequestId {
    MergeRequestId {
        project: project(),
        iid: u64::from(change),
    }
}

/// The commit of a tree: its content, readable.
pub(crate) fn commit(tree: &[u8]) -> CommitSha {
    let mut text: String = tree.iter().map(|change| format!("{change:02x}")).collect();
    text.push_str(&"0".repeat(40 - text.len()));
    text.parse().expect("forty digits")
}

/// The tree of a commit.
pub(crate) fn tree(commit: &CommitSha) -> Vec<u8> {
    let text = commit.as_str().as_bytes();
    let pairs = text
        .chunks(2)
        .map_while(|pair| std::str::from_utf8(pair).ok());
    let changes = pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits"));
    changes.take_while(|change| *change != 0).collect()
}

/// The head that a change set has by itself.
pub(crate) fn own_head(change: u8) -> CommitSha {
    format!("{}{change:02x}", "f".repeat(38))
        .parse()
        .expect("forty digits")
}

fn target() -> BranchName {
    "main".parse().expect("a branch")
}

impl World {
    /// So many change sets wait.
    pub(crate) fn with(changes: u8) -> Self {
        let mut world = Self {
            yard: Arc::default(),
            seen: "".into(),
            target: Vec::new(),
            tested: BTreeSet::new(),
            untested_landed: false,
        };
        for change in 1..=changes {
            let change_set = ChangeSet {
                merge_request: id(change),
                head: own_head(change),
                target: target(),
                title: String::new(),
                author: "dev".parse().expect("a user"),
                links: Vec::new(),
                verdicts: Vec::new(),
                breaking: false,
                priority: Priority::Normal,
                requested_at: Timestamp::UNIX_EPOCH,
                requested_by: JobId(u64::from(change)),
                note: None,
            };
            world.record(
                JobId(u64::from(change)),
                [Fact::ChangeSetQueued { change_set }],
            );
        }
        world
    }

    pub(crate) fn yard(&self) -> &Yard {
        &self.yard
    }

    /// One entry of the log.
    pub(crate) fn record(&mut self, job: JobId, facts: impl IntoIterator<Item = Fact>) {
        let yard = Arc::make_mut(&mut self.yard);
        for fact in facts {
            yard.apply(&Event::new(
                &project(),
                Timestamp::UNIX_EPOCH,
                None,
                Some(job),
                fact,
            ));
        }
        let Yard {
            queue,
            nrt,
            versions,
            search,
            ..
        } = &*yard;
        self.seen = format!("{queue:?}{nrt:?}{:?}{search:?}", versions.content).into();
    }

    /// Change sets in the version.
    pub(crate) fn content(&self) -> Vec<u8> {
        let content = self.yard.versions.content.iter();
        content
            .map(|appended| appended.change_set.merge_request.iid as u8)
            .collect()
    }

    /// Change sets in the target.
    pub(crate) fn landed(&self) -> Vec<u8> {
        self.target
            .iter()
            .copied()
            .filter(|change| *change < 100)
            .collect()
    }

    pub(crate) fn somebody_pushes(&mut self) {
        self.target.push(100);
    }

    /// Makes a candidate the head of the target, if that is still what the candidate stands on.
    pub(crate) fn push(&mut self, base: &[u8], tree: &[u8]) -> bool {
        if self.target != base {
            return false;
        }
        self.untested_landed |= !self.tested.contains(tree);
        self.target = tree.to_vec();
        true
    }
}
