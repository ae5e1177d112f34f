//! The queue: which change sets wait for the NRT environment, in which order, and when one may not join.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::controls::{Force, Hold, Order};
use super::event::Fact;
use super::ids::{
    BranchName, CommitSha, JobId, MergeRequestId, NoteId, RoleName, TrialId, UserName,
};
use super::linking::{Link, LinkRefusal};
use super::nrt::Abandoned;
use super::pairs;
use super::ruling::Ruling;
use super::validation::Verdict;

/// Which lane a change set queues in; the first one goes first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Repairs what is broken in production.
    Hotfix,
    /// Before the others.
    High,
    /// As it comes.
    #[default]
    Normal,
    /// When nothing else waits.
    Low,
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hotfix => "hotfix",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        })
    }
}

/// A merge request frozen at a head commit, with everything that let it into the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// The merge request.
    pub merge_request: MergeRequestId,
    /// Its head when it joined; our own rebase moves it.
    pub head: CommitSha,
    /// The branch it lands on.
    pub target: BranchName,
    /// Its title, untrusted, at most 255 characters (GitLab's limit).
    pub title: String,
    /// Who wrote it.
    pub author: UserName,
    /// The features it serves.
    pub links: Vec<Link>,
    /// The verdicts that hold on its content.
    pub verdicts: Vec<Verdict>,
    /// Whether it says that it breaks what users rely on.
    pub breaking: bool,
    /// Its lane.
    pub priority: Priority,
    /// When its integration was asked for: its age in the lane.
    pub requested_at: Timestamp,
    /// The job by which it was asked for.
    pub requested_by: JobId,
    /// The note on the merge request that tells where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<NoteId>,
}

/// Where a ticket is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// In the queue.
    Waiting,
    /// Taken out of the queue for a trial.
    InTrial(TrialId),
    /// Merged, on its way into the version.
    Merged { commit: CommitSha },
}

/// A change set's place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// What waits.
    pub change_set: ChangeSet,
    /// Where it is.
    pub place: Place,
    /// Heads it had before we rebased it, oldest first.
    pub earlier_heads: Vec<CommitSha>,
    /// Heads that its branch may have got from us to land together with others. They can hold commits of neighbours, so nothing is
    /// built on them.
    pub rewritten: Vec<CommitSha>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// Why it waits again, when it was taken out for a trial before.
    pub again: Option<Again>,
    /// Who put it before all others, if somebody did.
    pub forced: Option<Force>,
}

/// Why a change set that was taken out for a trial waits again at its old place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Again {
    /// It does not go together with a change set that was tried before it.
    Neighbour {
        /// The trial of the others.
        trial: TrialId,
        /// Files in conflict, as git names them; untrusted.
        files: Vec<String>,
    },
    /// Its trial was rejected, for the fault of others, or it is not known yet for whose.
    Searched {
        /// The rejected trial.
        trial: TrialId,
        /// Whom its verdict names; one of several, where it only points at some.
        culprits: Vec<MergeRequestId>,
    },
    /// A person took the environment away from its trial.
    Broken {
        /// The trial.
        trial: TrialId,
        /// Who.
        by: UserName,
        /// Why, in that person's words; untrusted.
        reason: String,
    },
    /// Its trial ended without a verdict.
    NoVerdict {
        /// The trial.
        trial: TrialId,
        /// What ended it.
        why: Abandoned,
    },
}

impl Ticket {
    /// First what was forced, in the order in which it was; then lane by lane, first come, first served. The number of the merge
    /// request decides between the same instants.
    pub fn order(&self) -> impl Ord + use<> {
        let forced_at = self.forced.as_ref().map(|force| force.order.given_at);
        (
            forced_at.is_none(),
            forced_at,
            self.change_set.priority,
            self.change_set.requested_at,
            self.change_set.merge_request.clone(),
        )
    }

    /// Whether it goes before all others, and is never tried together with those that are not urgent.
    pub fn is_urgent(&self) -> bool {
        self.forced.is_some() || self.change_set.priority == Priority::Hotfix
    }

    /// Whether no freeze stops it.
    pub fn goes_through_freezes(&self) -> bool {
        self.forced
            .as_ref()
            .is_some_and(|force| force.through_freezes)
    }

    /// Whether this head is, or was before our own rebase, the head of the change set.
    pub fn is_of(&self, head: &CommitSha) -> bool {
        self.change_set.head == *head || self.earlier_heads.contains(head)
    }
}

/// How a change set left the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Left {
    /// It is in the version.
    Landed,
    /// A trial rejected it.
    Rejected { reason: String },
    /// It does not apply on the target.
    Conflicted,
    /// It was taken back.
    Withdrawn { reason: String },
}

/// Everything that waits, folded from events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Queue {
    /// Open tickets in the order of their service.
    pub tickets: Vec<Ticket>,
    /// How change sets of the open version's time left: merge request, head, request job, way.
    pub left: Vec<(MergeRequestId, CommitSha, JobId, Left)>,
    /// Merge requests that are not to be tried, whether they wait now or not.
    #[serde(with = "pairs")]
    pub holds: BTreeMap<MergeRequestId, Hold>,
    /// Who paused the queue, if somebody did.
    pub paused: Option<Order>,
}

impl Queue {
    /// The ticket of a merge request.
    pub fn ticket(&self, merge_request: &MergeRequestId) -> Option<&Ticket> {
        self.tickets
            .iter()
            .find(|ticket| ticket.change_set.merge_request == *merge_request)
    }

    /// The tickets that wait, best first.
    pub fn waiting(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets
            .iter()
            .filter(|ticket| ticket.place == Place::Waiting)
    }

    /// The place of a waiting merge request, from 1.
    pub fn rank(&self, merge_request: &MergeRequestId) -> Option<usize> {
        self.waiting()
            .position(|ticket| ticket.change_set.merge_request == *merge_request)
            .map(|index| index + 1)
    }

    /// How a merge request left the queue last.
    pub fn last_left(&self, merge_request: &MergeRequestId) -> Option<&Left> {
        let of_it = |(id, ..): &&(MergeRequestId, CommitSha, JobId, Left)| id == merge_request;
        self.left.iter().rev().find(of_it).map(|(.., how)| how)
    }

    /// A change set that joins while its merge request has a ticket is the same content on another head: what people ordered stands.
    pub(super) fn join(&mut self, change_set: ChangeSet, at: Timestamp) {
        let before = self.ticket(&change_set.merge_request).cloned();
        self.tickets
            .retain(|ticket| ticket.change_set.merge_request != change_set.merge_request);
        self.tickets.push(Ticket {
            change_set,
            place: Place::Waiting,
            earlier_heads: Vec::new(),
            rewritten: Vec::new(),
            queued_at: before.as_ref().map_or(at, |before| before.queued_at),
            again: None,
            forced: before.and_then(|before| before.forced),
        });
        self.tickets.sort_by_key(Ticket::order);
    }

    /// Merge requests that are gone leave nothing behind.
    pub(super) fn forget(&mut self, merge_requests: &BTreeSet<MergeRequestId>) {
        self.left.retain(|(id, ..)| !merge_requests.contains(id));
        self.holds.retain(|id, _| !merge_requests.contains(id));
    }

    pub(super) fn force(&mut self, merge_request: &MergeRequestId, force: Force) {
        self.change(merge_request, |ticket| ticket.forced = Some(force));
        self.tickets.sort_by_key(Ticket::order);
    }

    pub(super) fn change(
        &mut self,
        merge_request: &MergeRequestId,
        change: impl FnOnce(&mut Ticket),
    ) {
        if let Some(ticket) = self
            .tickets
            .iter_mut()
            .find(|t| t.change_set.merge_request == *merge_request)
        {
            change(ticket);
        }
    }

    pub(super) fn leave(&mut self, merge_request: &MergeRequestId, how: Left) {
        if let Some(at) = self
            .tickets
            .iter()
            .position(|t| t.change_set.merge_request == *merge_request)
        {
            let change_set = self.tickets.remove(at).change_set;
            self.left.push((
                change_set.merge_request,
                change_set.head,
                change_set.requested_by,
                how,
            ));
        }
    }
}

/// A person's request to integrate: the successful `integrate` job on the merge request's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The job.
    pub job: JobId,
    /// When it ended.
    pub at: Timestamp,
}

/// The part of a merge request that the queue looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidacy {
    /// What would be queued.
    pub change_set: ChangeSet,
    /// Whether it is open, closed or merged.
    pub state: MergeRequestState,
    /// Whether it is a draft.
    pub draft: bool,
    /// The request found on its head; none when nobody asked, or when it was asked on an earlier head.
    pub request: Option<Request>,
    /// Whether the pipeline of its head passed everything before the request.
    pub pipeline: HeadPipeline,
    /// Whether it has unresolved threads although the project wants them resolved.
    pub unresolved_threads: bool,
    /// Acceptance criteria that are not fulfilled although the project wants them to be, as people may read them.
    pub open_criteria: Vec<String>,
    /// Heads of the merge request that hold the same content as this one.
    pub same_content: BTreeSet<CommitSha>,
}

/// Whether a merge request can still be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeRequestState {
    /// It can.
    Open,
    /// Somebody closed it.
    Closed,
    /// It is in.
    Merged,
}

/// What the pipeline of the head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadPipeline {
    /// All jobs that count have passed (the one that asks may still be running).
    Passed,
    /// Some have not finished.
    NotFinished { jobs: Vec<String> },
    /// Some have failed.
    Failed { jobs: Vec<String> },
    /// There is none for this head.
    Missing,
}

impl HeadPipeline {
    /// What jobs (name, GitLab's word for the state, whether a failure matters not) amount to. The job that asks for integration
    /// is not counted: it may still be running when it is looked at.
    pub fn of<'a>(jobs: impl IntoIterator<Item = (&'a str, &'a str, bool)>, asking: &str) -> Self {
        let (mut failed, mut open) = (Vec::new(), Vec::new());
        for (name, state, may_fail) in jobs {
            if may_fail || name == asking {
                continue;
            }
            match state {
                "success" | "skipped" => {}
                "failed" | "canceled" | "canceling" => failed.push(name.to_owned()),
                _ => open.push(name.to_owned()),
            }
        }
        if !failed.is_empty() {
            Self::Failed { jobs: failed }
        } else if !open.is_empty() {
            Self::NotFinished { jobs: open }
        } else {
            Self::Passed
        }
    }
}

/// Why a change set may not join the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueRefusal {
    /// It is closed or merged.
    NotOpen(MergeRequestState),
    /// It is a draft.
    Draft,
    /// Its target is not the branch that versions are made of.
    OtherTarget {
        target: BranchName,
        wanted: BranchName,
    },
    /// Its target is a branch that no environment serves.
    NoEnvironment {
        /// Its target.
        target: BranchName,
        /// What each environment serves, in words.
        serving: Vec<String>,
    },
    /// Nobody asked for its integration on this head.
    NotRequested,
    /// Its links are not in order.
    Links(LinkRefusal),
    /// A role rejected the feature.
    Rejected(Verdict),
    /// Roles have not validated this content.
    NotValidated { roles: Vec<RoleName> },
    /// The pipeline of its head failed.
    PipelineFailed { jobs: Vec<String> },
    /// The pipeline of its head has not finished.
    PipelineNotFinished { jobs: Vec<String> },
    /// Its head has no pipeline.
    NoPipeline,
    /// Threads are open and the project wants them resolved.
    UnresolvedThreads,
    /// Acceptance criteria are not fulfilled and the project wants them to be.
    OpenCriteria { criteria: Vec<String> },
    /// No change set may join now.
    Frozen { reason: String },
}

/// What became of a request to join the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// It is in, once these facts are recorded.
    New(Vec<Fact>),
    /// It was in already, waiting or under trial.
    Already,
    /// This very request was served before.
    Served(Left),
}

/// Decides whether a merge request joins the queue. Links and validation were ruled on before; their refusals are passed in.
///
/// # Errors
/// Every reason at once.
pub fn join_queue(
    queue: &Queue,
    candidacy: &Candidacy,
    links: Ruling<(), LinkRefusal>,
    validation: Ruling<Vec<RoleName>, Verdict>,
    frozen: Option<&str>,
    branch: &BranchName,
) -> Result<Joined, Vec<QueueRefusal>> {
    let change_set = &candidacy.change_set;
    let known = |(mr, _, job, _): &&(MergeRequestId, CommitSha, JobId, Left)| {
        *mr == change_set.merge_request
            && candidacy
                .request
                .as_ref()
                .is_some_and(|request| request.job == *job)
    };
    if let Some((.., left)) = queue.left.iter().rev().find(known) {
        return Ok(Joined::Served(left.clone()));
    }
    let current = queue.ticket(&change_set.merge_request);
    if current.is_some_and(|ticket| ticket.is_of(&change_set.head)) {
        return Ok(Joined::Already);
    }
    let reasons = refusals(candidacy, links, validation, frozen, branch);
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let mut change_set = change_set.clone();
    let mut facts = Vec::new();
    match current.map(|ticket| &ticket.change_set) {
        Some(old) if candidacy.same_content.contains(&old.head) => {
            change_set.requested_at = old.requested_at.min(change_set.requested_at);
        }
        Some(old) => facts.push(Fact::ChangeSetWithdrawn {
            merge_request: old.merge_request.clone(),
            head: old.head.clone(),
            reason: "replaced by newer commits".to_owned(),
            order: None,
        }),
        None => {}
    }
    facts.push(Fact::ChangeSetQueued { change_set });
    Ok(Joined::New(facts))
}

fn refusals(
    candidacy: &Candidacy,
    links: Ruling<(), LinkRefusal>,
    validation: Ruling<Vec<RoleName>, Verdict>,
    frozen: Option<&str>,
    branch: &BranchName,
) -> Vec<QueueRefusal> {
    if candidacy.state != MergeRequestState::Open {
        return vec![QueueRefusal::NotOpen(candidacy.state)];
    }
    let mut reasons = Vec::new();
    if candidacy.draft {
        reasons.push(QueueRefusal::Draft);
    }
    let target = &candidacy.change_set.target;
    if target != branch {
        reasons.push(QueueRefusal::OtherTarget {
            target: target.clone(),
            wanted: branch.clone(),
        });
    }
    match &candidacy.pipeline {
        HeadPipeline::Passed if candidacy.request.is_none() => {
            reasons.push(QueueRefusal::NotRequested)
        }
        HeadPipeline::Passed => {}
        HeadPipeline::Missing => reasons.push(QueueRefusal::NoPipeline),
        HeadPipeline::NotFinished { jobs } => {
            reasons.push(QueueRefusal::PipelineNotFinished { jobs: jobs.clone() })
        }
        HeadPipeline::Failed { jobs } => {
            reasons.push(QueueRefusal::PipelineFailed { jobs: jobs.clone() })
        }
    }
    match links {
        Ruling::Refuse(refused) => reasons.extend(refused.into_iter().map(QueueRefusal::Links)),
        Ruling::Pass | Ruling::Wait(()) => {}
    }
    match validation {
        Ruling::Pass => {}
        Ruling::Wait(roles) => reasons.push(QueueRefusal::NotValidated { roles }),
        Ruling::Refuse(verdicts) => {
            reasons.extend(verdicts.into_iter().map(QueueRefusal::Rejected))
        }
    }
    if candidacy.unresolved_threads {
        reasons.push(QueueRefusal::UnresolvedThreads);
    }
    if !candidacy.open_criteria.is_empty() {
        reasons.push(QueueRefusal::OpenCriteria {
            criteria: candidacy.open_criteria.clone(),
        });
    }
    if let Some(reason) = frozen
        && candidacy.change_set.priority != Priority::Hotfix
    {
        reasons.push(QueueRefusal::Frozen {
            reason: reason.to_owned(),
        });
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ProjectPath;
    use proptest::prelude::*;

    fn sha(digit: char) -> CommitSha {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn main() -> BranchName {
        "main".parse().unwrap()
    }

    fn change_set(iid: u64, head: char, priority: Priority, second: i64) -> ChangeSet {
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

    fn candidacy(iid: u64, head: char) -> Candidacy {
        let change_set = change_set(iid, head, Priority::Normal, 10);
        let request = Request {
            job: JobId(iid),
            at: change_set.requested_at,
        };
        Candidacy {
            change_set,
            state: MergeRequestState::Open,
            draft: false,
            request: Some(request),
            pipeline: HeadPipeline::Passed,
            unresolved_threads: false,
            open_criteria: Vec::new(),
            same_content: BTreeSet::from([sha(head)]),
        }
    }

    fn join(queue: &Queue, candidacy: &Candidacy) -> Result<Joined, Vec<QueueRefusal>> {
        join_queue(queue, candidacy, Ruling::Pass, Ruling::Pass, None, &main())
    }

    fn queue_of(sets: Vec<ChangeSet>) -> Queue {
        let mut queue = Queue::default();
        for set in sets {
            queue.join(set, Timestamp::UNIX_EPOCH);
        }
        queue
    }

    #[test]
    fn lanes_go_first_then_age_then_number() {
        let queue = queue_of(vec![
            change_set(5, 'a', Priority::Low, 1),
            change_set(4, 'a', Priority::Normal, 9),
            change_set(3, 'a', Priority::Normal, 2),
            change_set(2, 'a', Priority::Hotfix, 99),
            change_set(1, 'a', Priority::Normal, 9),
        ]);
        let order: Vec<u64> = queue
            .waiting()
            .map(|t| t.change_set.merge_request.iid)
            .collect();
        assert_eq!(order, [2, 3, 1, 4, 5]);
        assert_eq!(
            queue.rank(&change_set(1, 'a', Priority::Normal, 9).merge_request),
            Some(3)
        );
    }

    #[test]
    fn every_reason_to_refuse_is_given_at_once() {
        let mut bad = candidacy(7, 'a');
        bad.draft = true;
        bad.change_set.target = "develop".parse().unwrap();
        bad.pipeline = HeadPipeline::Failed {
            jobs: vec!["rspec".into()],
        };
        bad.unresolved_threads = true;
        bad.open_criteria = vec!["\"two\" of #1".into()];
        let refused = join_queue(
            &Queue::default(),
            &bad,
            Ruling::Refuse(vec![LinkRefusal::NoLink]),
            Ruling::Wait(vec!["qa".parse().unwrap()]),
            Some("end of year"),
            &main(),
        )
        .unwrap_err();
        assert_eq!(refused.len(), 8, "{refused:?}");
        bad.state = MergeRequestState::Merged;
        assert_eq!(
            join(&Queue::default(), &bad),
            Err(vec![QueueRefusal::NotOpen(MergeRequestState::Merged)])
        );
    }

    #[test]
    fn jobs_that_matter_decide_what_the_pipeline_says() {
        let of = |jobs: &[(&'static str, &'static str, bool)]| {
            HeadPipeline::of(jobs.iter().copied(), "integrate")
        };
        assert_eq!(
            of(&[
                ("a", "success", false),
                ("integrate", "running", false),
                ("lint", "failed", true)
            ]),
            HeadPipeline::Passed
        );
        assert_eq!(
            of(&[("a", "manual", false)]),
            HeadPipeline::NotFinished {
                jobs: vec!["a".into()]
            }
        );
        assert_eq!(
            of(&[("a", "manual", false), ("b", "failed", false)]),
            HeadPipeline::Failed {
                jobs: vec!["b".into()]
            }
        );
    }

    #[test]
    fn nobody_joins_who_did_not_ask_on_this_head() {
        let mut quiet = candidacy(7, 'a');
        quiet.request = None;
        assert_eq!(
            join(&Queue::default(), &quiet),
            Err(vec![QueueRefusal::NotRequested])
        );
    }

    #[test]
    fn a_hotfix_joins_during_a_freeze() {
        let mut hotfix = candidacy(7, 'a');
        let frozen = |c: &Candidacy| {
            join_queue(
                &Queue::default(),
                c,
                Ruling::Pass,
                Ruling::Pass,
                Some("holiday"),
                &main(),
            )
        };
        assert!(frozen(&hotfix).is_err());
        hotfix.change_set.priority = Priority::Hotfix;
        assert!(frozen(&hotfix).is_ok());
    }

    #[test]
    fn the_same_change_set_joins_once_and_newer_commits_replace_it() {
        let mut queue = queue_of(vec![change_set(7, 'a', Priority::Normal, 10)]);
        assert_eq!(join(&queue, &candidacy(7, 'a')), Ok(Joined::Already));
        let Ok(Joined::New(facts)) = join(&queue, &candidacy(7, 'b')) else {
            panic!()
        };
        assert!(matches!(&facts[0], Fact::ChangeSetWithdrawn { head, .. } if *head == sha('a')));
        assert!(
            matches!(&facts[1], Fact::ChangeSetQueued { change_set } if change_set.head == sha('b'))
        );
        queue.change(&candidacy(7, 'a').change_set.merge_request, |t| {
            t.earlier_heads.push(sha('a'));
            t.change_set.head = sha('c');
        });
        assert_eq!(
            join(&queue, &candidacy(7, 'a')),
            Ok(Joined::Already),
            "our own rebase does not make it another one"
        );
    }

    #[test]
    fn the_same_content_on_another_head_keeps_its_rank_and_what_was_ordered() {
        let mut queue = queue_of(vec![
            change_set(7, 'a', Priority::Normal, 10),
            change_set(8, 'c', Priority::Normal, 20),
        ]);
        let mut rebased = candidacy(7, 'b');
        rebased.change_set.requested_at = Timestamp::from_second(30).unwrap();
        rebased.same_content.insert(sha('a'));
        let Ok(Joined::New(facts)) = join(&queue, &rebased) else {
            panic!()
        };
        let [Fact::ChangeSetQueued { change_set: joined }] = &facts[..] else {
            panic!("{facts:?}")
        };
        let order = Order {
            person: None,
            reason: "first".into(),
            given_at: Timestamp::UNIX_EPOCH,
        };
        let force = Force {
            order,
            through_freezes: false,
        };
        queue.force(&joined.merge_request, force.clone());
        queue.join(joined.clone(), Timestamp::UNIX_EPOCH);
        let ticket = queue.ticket(&joined.merge_request).unwrap();
        assert_eq!(ticket.change_set.requested_at.as_second(), 10);
        assert_eq!(ticket.forced, Some(force));
        assert_eq!(queue.rank(&joined.merge_request), Some(1));
    }

    #[test]
    fn a_request_is_served_once_and_a_new_one_again() {
        let mut queue = queue_of(vec![change_set(7, 'a', Priority::Normal, 10)]);
        queue.leave(
            &candidacy(7, 'a').change_set.merge_request,
            Left::Rejected {
                reason: "red".into(),
            },
        );
        assert_eq!(
            join(&queue, &candidacy(7, 'a')),
            Ok(Joined::Served(Left::Rejected {
                reason: "red".into()
            }))
        );
        let mut again = candidacy(7, 'a');
        again.request.as_mut().unwrap().job = JobId(99);
        assert!(matches!(join(&queue, &again), Ok(Joined::New(_))));
    }

    proptest! {
        #[test]
        fn among_equals_the_older_is_never_overtaken(seconds in prop::collection::vec((0i64..50, 0u8..4), 1..40)) {
            let lane = |n: u8| [Priority::Hotfix, Priority::High, Priority::Normal, Priority::Low][usize::from(n)];
            let sets = seconds.iter().enumerate().map(|(i, (s, p))| change_set(i as u64 + 1, 'a', lane(*p), *s)).collect();
            let queue = queue_of(sets);
            let served: Vec<&Ticket> = queue.waiting().collect();
            prop_assert_eq!(served.len(), seconds.len());
            for pair in served.windows(2) {
                let (a, b) = (&pair[0].change_set, &pair[1].change_set);
                prop_assert!(a.priority < b.priority || (a.priority == b.priority && a.requested_at <= b.requested_at));
            }
        }
    }
}
