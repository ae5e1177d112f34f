//! What a log lacks, compared with what GitLab knows to have happened: the facts that put it right.

use std::collections::{BTreeSet, VecDeque};

use super::event::{Fact, Subject};
use super::ids::{CommitSha, Epoch, FeatureId, JobId, ProjectPath, VersionId};
use super::integration::ChangeSet;
use super::progress::Stage;
use super::versioning::hotfix::Hotfix;
use super::versioning::{Appended, Number, by_feature};
use super::yard::Yard;

/// What GitLab knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// The newest final version that is tagged, and its commit. What a pre-release brings is in the open version still.
    pub released: Option<(Number, CommitSha)>,
    /// How many versions are tagged; where several branches share numbers, at most so many are of this one.
    pub releases: u64,
    /// The commits of the target since then; in a yard, of each member since its own newest tag.
    pub since: BTreeSet<CommitSha>,
    /// The change sets among them, in the order in which they landed.
    pub landed: Vec<Appended>,
    /// Whether the gate ever landed anything here, released or not.
    pub has_landed: bool,
    /// The hotfixes that are under way.
    pub hotfixes: Vec<Hotfix>,
    /// Members of a yard that could not be looked at: nothing is known of what is theirs.
    pub unread: BTreeSet<ProjectPath>,
}

impl Truth {
    /// Whether a log without any entry has lost some.
    pub fn tells_of_a_past(&self) -> bool {
        !self.landed.is_empty()
            || !self.hotfixes.is_empty()
            || (self.releases > 0 && self.has_landed)
    }
}

/// What landed in each project, in the order of its commits, as one sequence: trials have numbers that go up, and where none is known,
/// times tell.
pub fn in_order_of_landing(projects: Vec<Vec<Appended>>) -> Vec<Appended> {
    let mut queues: Vec<VecDeque<Appended>> = projects.into_iter().map(Into::into).collect();
    let mut sequence = Vec::new();
    loop {
        let mut first: Option<(usize, &Appended)> = None;
        for (at, queue) in queues.iter().enumerate() {
            if let Some(head) = queue.front()
                && first.is_none_or(|(_, best)| landed_before(head, best))
            {
                first = Some((at, head));
            }
        }
        let Some((at, _)) = first else {
            return sequence;
        };
        sequence.extend(queues[at].pop_front());
    }
}

fn landed_before(one: &Appended, other: &Appended) -> bool {
    match (one.trial.0, other.trial.0) {
        (0, _) | (_, 0) => one.at < other.at,
        (own, others) => own < others,
    }
}

/// The facts about versions and hotfixes that a log lacks. The same log and the same truth give none once they are recorded.
pub fn missing(yard: &Yard, truth: &Truth) -> Vec<Fact> {
    let versions = &yard.versions;
    let mut facts = Vec::new();
    let mut open = versions.open;
    if let Some((number, commit)) = &truth.released
        && let Some(content) = content_of_unknown(yard, truth, number)
    {
        facts.extend(released_before(open, number, commit, &content));
        open = VersionId(open.0 + 1);
    }
    if truth.releases > 0 {
        let closing = u64::from(versions.closing.is_some());
        let at_least = VersionId(truth.releases + 1 + closing);
        if open < at_least {
            open = at_least;
            facts.push(Fact::VersionOpened { version: open });
        }
    }
    let tagged = versions.released.iter().filter(|released| {
        // A member that lacks the tag has lost it: the version is out all the same.
        let newest = truth.released.as_ref();
        let out = newest.is_some_and(|(newest, _)| released.number.version <= newest.version);
        out && !released.number.is_pre_release() && released.withdrawn.is_none()
    });
    let known: BTreeSet<_> = versions
        .unreleased()
        .chain(tagged.flat_map(|released| &released.content))
        .map(|appended| (&appended.change_set.merge_request, &appended.landed))
        .collect();
    let lacking = truth
        .landed
        .iter()
        .filter(|landed| !known.contains(&(&landed.change_set.merge_request, &landed.landed)));
    facts.extend(lacking.map(|appended| Fact::ChangeSetAppended {
        version: open,
        appended: appended.clone(),
    }));
    let hotfixes = truth.hotfixes.iter();
    let hotfixes = hotfixes.filter(|one| versions.hotfix_of(&one.merge_request).is_none());
    facts.extend(hotfixes.map(|one| Fact::HotfixAsked {
        merge_request: one.merge_request.clone(),
        from: one.from.clone(),
        picks: one.picks.clone(),
        reason: one.reason.clone(),
        asked_by: one.by.clone(),
    }));
    facts
}

/// What the newest tag holds, where the log does not know it as a version. Nothing is said of it while a member is not known: the rest
/// of the version may be there.
fn content_of_unknown(yard: &Yard, truth: &Truth, number: &Number) -> Option<Vec<Appended>> {
    let versions = &yard.versions;
    let closing = versions.closing.iter().map(|closing| &closing.number);
    let mut known = versions.released.iter().map(|r| &r.number).chain(closing);
    if known.any(|known| known == number) || !truth.unread.is_empty() {
        return None;
    }
    let out = versions.content.iter();
    let out = out.filter(|appended| !truth.since.contains(&appended.landed));
    let out: Vec<Appended> = out.cloned().collect();
    (!out.is_empty()).then_some(out)
}

fn released_before(
    version: VersionId,
    number: &Number,
    commit: &CommitSha,
    content: &[Appended],
) -> [Fact; 3] {
    let completed = by_feature(content).0.into_iter();
    let features: Vec<FeatureId> = completed
        .filter(|(_, brought)| brought.completed)
        .map(|(feature, _)| feature)
        .collect();
    let change_sets = content.iter().map(|one| &one.change_set);
    [
        Fact::VersionClosed {
            version,
            number: number.clone(),
            commit: commit.clone(),
            content: change_sets.map(|set| set.merge_request.clone()).collect(),
            kept: Vec::new(),
            closed_by: None,
            around: Vec::new(),
            manifest: None,
            through_freeze: None,
        },
        Fact::VersionOpened {
            version: VersionId(version.0 + 1),
        },
        Fact::VersionReleased {
            version,
            number: number.clone(),
            commit: commit.clone(),
            features,
        },
    ]
}

/// A number that no grant of a lost entry can have reached: every grant took a job of its own, and GitLab counts jobs upwards.
pub fn above_all_grants(yard: &Yard, truth: &Truth, job: JobId) -> Epoch {
    let trials = truth.landed.iter().map(|landed| landed.trial.0);
    let known = yard.nrt.epoch.map(|epoch| epoch.0);
    Epoch(trials.chain(known).chain([job.0]).max().unwrap_or(job.0))
}

/// How a change set left the queue, as the mark on its merge request says: the facts that make the log know it again, and that
/// nobody is told a second time.
pub fn left_before(yard: &Yard, change_set: &ChangeSet, stage: &Stage) -> Vec<Fact> {
    let (merge_request, head) = (change_set.merge_request.clone(), change_set.head.clone());
    let served = |left: &(_, _, JobId, _)| left.2 == change_set.requested_by;
    if yard.queue.left.iter().any(served) {
        return Vec::new();
    }
    let reason = "as its note said before the state was repaired".to_owned();
    let (fact, alert) = match stage {
        Stage::FailedTests { trial } => {
            let (trial, alert) = (*trial, format!("rejected by trial {trial}"));
            (
                Fact::ChangeSetRejected {
                    merge_request: merge_request.clone(),
                    head,
                    trial,
                    reason,
                    evidence: None,
                    failures: Vec::new(),
                },
                alert,
            )
        }
        Stage::Conflicted => {
            let alert = format!("conflict at {head}");
            (
                Fact::ChangeSetConflicted {
                    merge_request: merge_request.clone(),
                    head,
                    detail: reason,
                },
                alert,
            )
        }
        Stage::LeftQueue => {
            let alert = format!("withdrawn at {head}");
            (
                Fact::ChangeSetWithdrawn {
                    merge_request: merge_request.clone(),
                    head,
                    reason,
                    order: None,
                },
                alert,
            )
        }
        Stage::LinksRefused
        | Stage::Linked
        | Stage::AwaitingValidation { .. }
        | Stage::Validated
        | Stage::Rejected { .. }
        | Stage::NotQueued
        | Stage::Queued { .. }
        | Stage::InTrial { .. }
        | Stage::Landing
        | Stage::Landed { .. }
        | Stage::Releasing { .. }
        | Stage::InProduction { .. } => return Vec::new(),
    };
    let queued = yard.queue.ticket(&merge_request).is_none();
    let queued = queued.then(|| Fact::ChangeSetQueued {
        change_set: change_set.clone(),
    });
    let told = Fact::ContributorWarned {
        about: Subject::MergeRequest(merge_request),
        alert,
        people: vec![change_set.author.clone()],
    };
    queued.into_iter().chain([told, fact]).collect()
}

#[cfg(test)]
mod tests;
