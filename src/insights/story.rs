//! Histories for tests, told in minutes since a Monday morning.

use jiff::{SignedDuration, Timestamp};

use crate::domain::event::{Event, Fact};
use crate::domain::ids::{
    CommitSha, Epoch, FeatureId, JobId, MergeRequestId, PipelineId, ProjectPath, TrialId, VersionId,
};
use crate::domain::integration::{ChangeSet, Priority};
use crate::domain::linking::{Link, LinkKind};
use crate::domain::nrt::{Abandoned, Candidate, Holder};
use crate::domain::validation::{Decision, Verdict};
use crate::domain::versioning::packages::Spread;
use crate::domain::versioning::{Appended, Number};

/// A growing history.
#[derive(Debug, Clone, Default)]
pub(crate) struct Story {
    pub(crate) events: Vec<Event>,
    pub(crate) title: String,
}

/// An instant of the story.
pub(crate) fn minute(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-01-05T08:00:00Z".parse().unwrap();
    start + SignedDuration::from_mins(minute)
}

pub(crate) fn project() -> ProjectPath {
    "shop/web".parse().unwrap()
}

pub(crate) fn mr(iid: u64) -> MergeRequestId {
    let project = project();
    MergeRequestId { project, iid }
}

pub(crate) fn feature(iid: u64) -> FeatureId {
    let project = project();
    FeatureId { project, iid }
}

fn sha(n: u64) -> CommitSha {
    format!("{n:040x}").parse().unwrap()
}

impl Story {
    pub(crate) fn add(&mut self, at: i64, fact: Fact) -> &mut Self {
        let job = u64::try_from(self.events.len()).unwrap();
        let event = Event::new(&project(), minute(at), None, Some(JobId(job)), fact);
        self.events.push(event);
        self
    }

    pub(crate) fn linked(&mut self, at: i64, iid: u64, of: u64, kind: LinkKind) -> &mut Self {
        let (merge_request, feature) = (mr(iid), feature(of));
        let fact = Fact::FeatureLinked {
            merge_request,
            feature,
            kind,
            commit: None,
            told_by: None,
        };
        self.add(at, fact)
    }

    pub(crate) fn asked(&mut self, at: i64, iid: u64, of: u64, roles: &[&str]) -> &mut Self {
        let fact = Fact::ValidationRequested {
            merge_request: mr(iid),
            features: vec![feature(of)],
            roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
            commit: sha(iid * 1_000 + u64::try_from(at).unwrap()),
        };
        self.add(at, fact)
    }

    pub(crate) fn verdict(
        &mut self,
        at: i64,
        iid: u64,
        of: u64,
        role: &str,
        why: Option<&str>,
    ) -> &mut Self {
        let verdict = Verdict {
            role: role.parse().unwrap(),
            decision: why.map_or(Decision::Validate, |_| Decision::Reject),
            by: "paul".parse().unwrap(),
            at: minute(at),
            commit: sha(iid),
            job: JobId(10_000 + u64::try_from(self.events.len()).unwrap()),
        };
        let (merge_request, features) = (mr(iid), vec![feature(of)]);
        let fact = match why {
            None => Fact::FeatureValidated {
                merge_request,
                features,
                verdict,
            },
            Some(why) => Fact::FeatureRejected {
                merge_request,
                features,
                verdict,
                reason: Some(why.to_owned()),
            },
        };
        self.add(at, fact)
    }

    pub(crate) fn change_set(&self, iid: u64, links: &[(u64, LinkKind)], job: u64) -> ChangeSet {
        let link = |(of, kind): &(u64, LinkKind)| Link {
            feature: feature(*of),
            kind: *kind,
        };
        ChangeSet {
            merge_request: mr(iid),
            head: sha(iid),
            target: "main".parse().unwrap(),
            title: self.title.clone(),
            author: "ana".parse().unwrap(),
            links: links.iter().map(link).collect(),
            verdicts: Vec::new(),
            breaking: false,
            priority: Priority::Normal,
            requested_at: minute(0),
            requested_by: JobId(job),
            note: None,
        }
    }

    pub(crate) fn queued(&mut self, at: i64, iid: u64, links: &[(u64, LinkKind)]) -> &mut Self {
        let job = u64::try_from(self.events.len()).unwrap();
        let change_set = self.change_set(iid, links, job);
        self.add(at, Fact::ChangeSetQueued { change_set })
    }

    /// The environment is granted, the change sets leave the queue, the trial starts: all at one instant, as one job does it.
    pub(crate) fn tried(&mut self, at: i64, trial: u64, iids: &[u64]) -> &mut Self {
        let holder = Holder {
            project: project(),
            pipeline: PipelineId(trial),
            job: JobId(trial),
            user: None,
        };
        let until = minute(at + 600);
        let epoch = Epoch(trial);
        self.add(
            at,
            Fact::LeaseGranted {
                epoch,
                holder,
                until,
            },
        );
        let trial = TrialId(trial);
        for iid in iids {
            let (merge_request, head) = (mr(*iid), sha(*iid));
            let fact = Fact::ChangeSetUnqueued {
                merge_request,
                head,
                trial,
            };
            self.add(at, fact);
        }
        let candidate = Candidate {
            commit: sha(90_000 + trial.0),
            base: sha(1),
            reference: "refs/trainyard/candidate".into(),
        };
        let change_sets = iids.iter().map(|iid| mr(*iid)).collect();
        self.add(
            at,
            Fact::TrialStarted {
                trial,
                candidate,
                change_sets,
                placed: Vec::new(),
                postponed: Vec::new(),
            },
        )
    }

    /// The trial passed, and the change sets land in the version.
    pub(crate) fn passed(
        &mut self,
        at: i64,
        trial: u64,
        version: u64,
        sets: &[(u64, &[(u64, LinkKind)])],
    ) -> &mut Self {
        let (epoch, trial, version) = (Epoch(trial), TrialId(trial), VersionId(version));
        self.add(at, Fact::TrialValidated { trial });
        for (iid, links) in sets {
            let merge_request = mr(*iid);
            let (head, commit) = (sha(*iid), sha(70_000 + iid));
            self.add(
                at,
                Fact::ChangeSetMerged {
                    merge_request,
                    head,
                    commit,
                    trial,
                    leaves: None,
                },
            );
            let appended = Appended {
                change_set: self.change_set(*iid, links, 0),
                landed: sha(70_000 + iid),
                base: None,
                spread: Spread::default(),
                trial,
                at: minute(at),
            };
            self.add(at, Fact::ChangeSetAppended { version, appended });
        }
        self.add(at, Fact::LeaseReleased { epoch })
    }

    /// The trial failed and so its one change set is rejected.
    pub(crate) fn failed(&mut self, at: i64, trial: u64, iid: u64, why: &str) -> &mut Self {
        let (epoch, trial) = (Epoch(trial), TrialId(trial));
        let (culprits, evidence, reason) = (vec![mr(iid)], why.to_owned(), why.to_owned());
        self.add(
            at,
            Fact::TrialRejected {
                trial,
                culprits,
                evidence,
            },
        );
        let (merge_request, head) = (mr(iid), sha(iid));
        self.add(
            at,
            Fact::ChangeSetRejected {
                merge_request,
                head,
                trial,
                reason,
                evidence: None,
                failures: Vec::new(),
            },
        );
        self.add(at, Fact::LeaseReleased { epoch })
    }

    pub(crate) fn abandoned(&mut self, at: i64, trial: u64) -> &mut Self {
        let reason = Abandoned::TargetMoved;
        let epoch = Epoch(trial);
        let trial = TrialId(trial);
        self.add(at, Fact::TrialAbandoned { trial, reason });
        self.add(at, Fact::LeaseReleased { epoch })
    }

    pub(crate) fn closed(&mut self, at: i64, version: u64, content: &[u64]) -> &mut Self {
        let (id, content) = (
            VersionId(version),
            content.iter().map(|iid| mr(*iid)).collect(),
        );
        let fact = Fact::VersionClosed {
            version: id,
            number: number(version),
            commit: sha(1),
            content,
            kept: Vec::new(),
            closed_by: None,
            around: Vec::new(),
            manifest: None,
            through_freeze: None,
        };
        self.add(at, fact);
        let next = VersionId(version + 1);
        self.add(at, Fact::VersionOpened { version: next })
    }

    pub(crate) fn released(&mut self, at: i64, version: u64, features: &[u64]) -> &mut Self {
        let fact = Fact::VersionReleased {
            version: VersionId(version),
            number: number(version),
            commit: sha(1),
            features: features.iter().map(|iid| feature(*iid)).collect(),
        };
        self.add(at, fact)
    }

    pub(crate) fn withdrawn(&mut self, at: i64, version: u64) -> &mut Self {
        let fact = Fact::VersionWithdrawn {
            version: VersionId(version),
            number: number(version),
            reason: "it is down".to_owned(),
            withdrawn_by: "rita".parse().unwrap(),
        };
        self.add(at, fact)
    }
}

pub(crate) fn number(minor: u64) -> Number {
    Number {
        version: semver::Version::new(1, minor, 0),
        prefix: "v".into(),
        package: None,
    }
}

/// A project in full swing: `features` one after the other, a version every tenth, some rejected, some not there yet.
pub(crate) fn busy(features: u64, title: &str) -> Story {
    let mut story = Story {
        title: title.to_owned(),
        ..Story::default()
    };
    let mut dice = 7_u64;
    let mut roll = |sides: u64| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let minutes = |n: u64| i64::try_from(n).unwrap();
    let (mut trial, mut version, mut content) = (0, 1, Vec::new());
    for n in 1..=features {
        let iid = 100 + n;
        let links: &[(u64, LinkKind)] = &[(n, LinkKind::Closes)];
        let mut at = minutes(n * 400 + roll(300));
        let mut next = |most: u64| {
            at += minutes(1 + roll(most));
            at
        };
        let stop = if n + 12 > features { n % 6 } else { 6 };
        story.linked(next(10), iid, n, LinkKind::Closes);
        if stop > 0 {
            story.asked(next(1_500), iid, n, &["po", "qa"]);
        }
        if n.is_multiple_of(7) {
            story.verdict(next(300), iid, n, "po", Some(title));
            story.asked(next(400), iid, n, &["po", "qa"]);
        }
        if stop > 1 {
            story.verdict(next(600), iid, n, "po", None);
            story.verdict(next(200), iid, n, "qa", None);
        }
        if stop > 2 {
            story.queued(next(60), iid, links);
        }
        if stop > 2 && n.is_multiple_of(9) {
            trial += 1;
            story.tried(next(90), trial, &[iid]);
            story.abandoned(next(40), trial);
        }
        if stop > 2 && n.is_multiple_of(5) {
            trial += 1;
            story.tried(next(90), trial, &[iid]);
            story.failed(next(50), trial, iid, title);
            story.queued(next(500), iid, links);
        }
        if stop > 3 {
            trial += 1;
            story.tried(next(120), trial, &[iid]);
        }
        if stop > 4 {
            story.passed(next(70), trial, version, &[(iid, links)]);
            content.push(iid);
        }
        if content.len() == 10 {
            let at = minutes(n * 400 + 4_500);
            story.closed(at, version, &content);
            story.released(at + 20, version, &[]);
            version += 1;
            content.clear();
        }
    }
    story
}
