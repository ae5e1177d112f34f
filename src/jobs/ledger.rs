//! Decide on what the log says, record, and decide again when somebody else was faster.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;

use crate::domain::event::{Event, Fact};
use crate::domain::ids::UserName;
use crate::domain::yard::Yard;
use crate::outcome::Problem;
use crate::ports::{Answer, Append, Log};

use super::Desk;

/// How often a decision is taken again before something must be wrong.
const ATTEMPTS: u32 = 50;

/// What a decision wants recorded, and what it comes to.
#[derive(Debug)]
pub struct Decision<T> {
    /// Facts to record; none leaves the log as it is.
    pub facts: Vec<Fact>,
    /// What it comes to once they are recorded.
    pub then: T,
}

/// The log as this job last saw it. A decision on an old view cannot be recorded, so the view needs no refreshing by hand.
pub struct Ledger<'a> {
    desk: Desk<'a>,
    seen: RefCell<Option<(Log, Yard)>>,
    written: RefCell<Vec<Event>>,
    unproved: Cell<bool>,
}

/// When a job wants to know whether its entry is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Now,
    Later,
}

impl<'a> Ledger<'a> {
    /// A job's view of the log, not read yet.
    pub fn new(desk: Desk<'a>) -> Self {
        Self {
            desk,
            seen: RefCell::new(None),
            written: RefCell::new(Vec::new()),
            unproved: Cell::new(false),
        }
    }

    /// The state as last seen; read once.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn yard(&self) -> Answer<Yard> {
        if self.seen.borrow().is_none() {
            self.keep(self.desk.journal.read()?);
        }
        Ok(self
            .seen
            .borrow()
            .as_ref()
            .map(|(_, yard)| yard.clone())
            .unwrap_or_default())
    }

    /// Takes a decision and records its facts in one entry: all of them or none.
    ///
    /// # Errors
    /// When the decision fails, or the log can be neither read nor written.
    pub fn decide<T>(&self, decision: impl FnMut(&Yard) -> Answer<Decision<T>>) -> Answer<T> {
        self.decided(decision, Proof::Now)
    }

    /// The same, but the job looks at GitLab next, and by that look `prove` tells whether it is recorded: nothing may be done on the
    /// strength of it before.
    ///
    /// # Errors
    /// As `decide`.
    pub fn decide_unproved<T>(
        &self,
        decision: impl FnMut(&Yard) -> Answer<Decision<T>>,
    ) -> Answer<T> {
        self.decided(decision, Proof::Later)
    }

    /// Makes sure that what was decided last is in the log.
    ///
    /// # Errors
    /// When it is not, which takes somebody who deletes state variables in that very instant; or when GitLab cannot be asked.
    pub fn prove(&self) -> Answer<()> {
        if !self.unproved.replace(false) || self.desk.journal.prove()? {
            return Ok(());
        }
        Err(Problem::gitlab(
            "GitLab said that an entry of the log was stored, and it is not there",
            "retry the job, and let nobody delete state variables (scope `trainyard/...`)",
        ))
    }

    fn decided<T>(
        &self,
        mut decision: impl FnMut(&Yard) -> Answer<Decision<T>>,
        proof: Proof,
    ) -> Answer<T> {
        for attempt in 1..=ATTEMPTS {
            let yard = self.yard()?;
            let Decision { facts, then } = decision(&yard)?;
            let events: Vec<Event> = facts
                .into_iter()
                .map(|fact| self.event(fact))
                .filter(|event| !yard.has(event))
                .collect();
            if events.is_empty() {
                return Ok(then);
            }
            let revision = self
                .seen
                .borrow()
                .as_ref()
                .map_or(0, |(log, _)| log.revision);
            self.prove()?;
            let journal = self.desk.journal;
            let appended = match proof {
                Proof::Now => journal.append(revision, &events)?,
                Proof::Later => journal.append_unproved(revision, &events)?,
            };
            match appended {
                Append::Recorded(log) => {
                    self.unproved.set(proof == Proof::Later);
                    self.keep(log);
                    self.written.borrow_mut().extend(events);
                    return Ok(then);
                }
                Append::Lost(log) => {
                    tracing::info!(attempt, "another job was faster; deciding again");
                    self.keep(log);
                    if attempt > 1 {
                        // Several jobs that lose at once must not run in step.
                        let spread =
                            50 + (self.desk.ci.job.0 * 37 + u64::from(attempt) * 101) % 400;
                        self.desk
                            .clock
                            .wait(std::time::Duration::from_millis(spread));
                    }
                }
            }
        }
        Err(Problem::gitlab(
            format!("the state changed under this job {ATTEMPTS} times in a row"),
            "retry the job; if it goes on, look at which jobs of other pipelines run in a loop",
        ))
    }

    /// Records facts that need no decision.
    ///
    /// # Errors
    /// As `decide`.
    pub fn record(&self, facts: &[Fact]) -> Answer<()> {
        self.decide(|_| {
            Ok(Decision {
                facts: facts.to_vec(),
                then: (),
            })
        })
    }

    /// The state as it would be with these facts.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn with(&self, facts: &[Fact]) -> Answer<Yard> {
        let mut after = self.yard()?;
        for fact in facts {
            after.apply(&self.event(fact.clone()));
        }
        Ok(after)
    }

    /// How many entries are behind the base of the log, and from when on something that it covers can be removed.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn length(&self) -> Answer<(u64, Option<Timestamp>)> {
        self.yard()?;
        let seen = self.seen.borrow();
        let of = |(log, _): &(Log, Yard)| (log.length(), log.upkeep);
        Ok(seen.as_ref().map(of).unwrap_or_default())
    }

    /// The log as last seen, with what this job recorded.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Answer<Log> {
        self.yard()?;
        let seen = self.seen.borrow();
        Ok(seen
            .as_ref()
            .map(|(log, _)| log.clone())
            .unwrap_or_default())
    }

    /// What this job recorded so far.
    pub fn written(&self) -> Vec<Event> {
        self.written.borrow().clone()
    }

    /// What this job recorded.
    pub fn into_events(self) -> Vec<Event> {
        self.written.into_inner()
    }

    /// Puts a fact into its envelope: a verdict happened when and by whom GitLab says, everything else now and by the job's user.
    pub fn event(&self, fact: Fact) -> Event {
        event(&self.desk, fact)
    }

    fn keep(&self, log: Log) {
        let yard = log.yard();
        *self.seen.borrow_mut() = Some((log, yard));
    }
}

/// The envelope of a fact that a job saw.
pub(super) fn event(desk: &Desk<'_>, fact: Fact) -> Event {
    let (at, by): (_, Option<UserName>) = match &fact {
        Fact::FeatureValidated { verdict, .. } | Fact::FeatureRejected { verdict, .. } => {
            (verdict.at, Some(verdict.by.clone()))
        }
        Fact::ChangeSetHeld { order, .. }
        | Fact::ChangeSetUnheld { order, .. }
        | Fact::ChangeSetForced { order, .. }
        | Fact::QueuePaused { order }
        | Fact::QueueResumed { order }
        | Fact::ChangeSetWithdrawn {
            order: Some(order), ..
        } => (order.given_at, order.person.clone()),
        Fact::FeatureLinked { .. }
        | Fact::FeatureUnlinked { .. }
        | Fact::LinkRefused { .. }
        | Fact::ValidationRequested { .. }
        | Fact::ValidationLapsed { .. }
        | Fact::ChangeSetQueued { .. }
        | Fact::ChangeSetWithdrawn { order: None, .. }
        | Fact::LeaseGranted { .. }
        | Fact::LeaseReleased { .. }
        | Fact::LeaseExpired { .. }
        | Fact::LeaseBroken { .. }
        | Fact::EnvironmentStuck { .. }
        | Fact::StateRepaired { .. }
        | Fact::ChangeSetUnqueued { .. }
        | Fact::ChangeSetRebased { .. }
        | Fact::ChangeSetConflicted { .. }
        | Fact::TrialStarted { .. }
        | Fact::TrialValidated { .. }
        | Fact::TrialRejected { .. }
        | Fact::TrialAbandoned { .. }
        | Fact::ChangeSetRejected { .. }
        | Fact::ChangeSetMerged { .. }
        | Fact::LandedUntested { .. }
        | Fact::SourceBranchesSettled { .. }
        | Fact::ChangeSetAppended { .. }
        | Fact::VersionOpened { .. }
        | Fact::VersionClosed { .. }
        | Fact::ReleaseTaken { .. }
        | Fact::VersionAnnounced { .. }
        | Fact::VersionDeployed { .. }
        | Fact::VersionReleased { .. }
        | Fact::ReleaseFailed { .. }
        | Fact::VersionWithdrawn { .. }
        | Fact::HotfixAsked { .. }
        | Fact::ContributorWarned { .. }
        | Fact::ChannelOpened { .. }
        | Fact::DeliveryStarted { .. }
        | Fact::DeliverySucceeded { .. }
        | Fact::DeliveryFailed { .. } => (desk.clock.now(), desk.ci.user.clone()),
    };
    // What happens to a merge request happens in its own project, wherever the job runs.
    let about = fact.subject().merge_request().map(|id| id.project.clone());
    let project = about.unwrap_or_else(|| desk.ci.project.clone());
    let of_merge_request = fact.subject().merge_request().is_some();
    let event = Event::new(&project, at, by, Some(desk.ci.job), fact);
    if of_merge_request || desk.config.nrt.environments.is_empty() {
        event
    } else {
        event.in_environment(&desk.config.nrt.environment)
    }
}
