//! What each fact changes in the state: one list, in the order of the facts.

use super::Yard;
use crate::domain::candidate::{Placed, Postponed};
use crate::domain::controls::{Force, Hold};
use crate::domain::event::{Event, Fact, Subject};
use crate::domain::ids::{CommitSha, Epoch, MergeRequestId, TrialId, UserName};
use crate::domain::integration::{Again, Left, Place};
use crate::domain::leaving::Leaving;
use crate::domain::nrt::{Abandoned, Asked, Lease, Trial};
use crate::domain::releasing::Taken;
use crate::domain::trial_verdict::ASKED;
use crate::domain::versioning::Closing;
use crate::domain::versioning::hotfix::Hotfix;
use crate::domain::versioning::withdrawal::Withdrawn;

impl Yard {
    /// Changes what the event's fact says.
    pub(super) fn apply_fact(&mut self, event: &Event) {
        match &event.fact {
            Fact::ChangeSetQueued { change_set } => self.queue.join(change_set.clone(), event.at),
            Fact::ChangeSetWithdrawn {
                merge_request,
                reason,
                order,
                ..
            } => {
                self.nrt.fruitless = 0;
                self.search.left(merge_request, false);
                if order.is_some() {
                    self.queue.holds.remove(merge_request);
                }
                self.queue.leave(
                    merge_request,
                    Left::Withdrawn {
                        reason: reason.clone(),
                    },
                );
            }
            Fact::ChangeSetHeld {
                merge_request,
                order,
                until,
                label,
            } => {
                let hold = Hold {
                    order: order.clone(),
                    until: *until,
                    label: label.clone(),
                };
                self.queue.holds.insert(merge_request.clone(), hold);
            }
            Fact::ChangeSetUnheld { merge_request, .. } => {
                self.queue.holds.remove(merge_request);
            }
            Fact::ChangeSetForced {
                merge_request,
                order,
                through_freezes,
                ..
            } => {
                let force = Force {
                    order: order.clone(),
                    through_freezes: *through_freezes,
                };
                self.queue.force(merge_request, force);
            }
            Fact::QueuePaused { order } => self.queue.paused = Some(order.clone()),
            Fact::QueueResumed { .. } => self.queue.paused = None,
            Fact::LeaseGranted {
                epoch,
                holder,
                until,
            } => {
                self.nrt.epoch = Some(*epoch);
                self.nrt.fruitless += 1;
                self.nrt.lease = Some(Lease {
                    epoch: *epoch,
                    holder: holder.clone(),
                    granted_at: event.at,
                    until: *until,
                });
                self.nrt.trial = None;
            }
            Fact::LeaseReleased { epoch } | Fact::LeaseExpired { epoch, .. } => {
                if self
                    .nrt
                    .lease
                    .as_ref()
                    .is_some_and(|lease| lease.epoch == *epoch)
                {
                    self.nrt.lease = None;
                    self.nrt.trial = None;
                }
                self.nrt.freed = Some(event.at);
                // Whatever was taken out for this lease and has not landed waits again, trial or not.
                self.end_trial(TrialId(epoch.0), None);
            }
            Fact::LeaseBroken {
                epoch,
                reason,
                broken_by,
                ..
            } => {
                if self
                    .nrt
                    .lease
                    .as_ref()
                    .is_some_and(|lease| lease.epoch == *epoch)
                {
                    self.nrt.lease = None;
                    self.nrt.trial = None;
                }
                self.nrt.freed = Some(event.at);
                // Somebody looked after it: what was wrong before counts no more.
                self.nrt.fruitless = 0;
                self.break_trial(TrialId(epoch.0), broken_by, reason);
            }
            Fact::StateRepaired { epoch, .. } => {
                self.nrt.epoch = Some(
                    self.nrt
                        .epoch
                        .map_or(*epoch, |last| Epoch(last.0.max(epoch.0))),
                );
                // A trial whose grant was lost can have no verdict any more.
                if self.nrt.lease.is_none() {
                    self.end_trials_without_a_lease();
                }
            }
            Fact::ChangeSetUnqueued {
                merge_request,
                trial,
                ..
            } => {
                self.queue.change(merge_request, |ticket| {
                    ticket.place = Place::InTrial(*trial)
                });
            }
            Fact::ChangeSetRebased {
                merge_request,
                from,
                to,
                ..
            } => self.queue.change(merge_request, |ticket| {
                ticket.earlier_heads.push(from.clone());
                ticket.change_set.head = to.clone();
            }),
            Fact::ChangeSetConflicted { merge_request, .. } => {
                self.nrt.fruitless = 0;
                self.search.left(merge_request, false);
                self.queue.leave(merge_request, Left::Conflicted);
            }
            Fact::TrialStarted {
                trial,
                candidate,
                change_sets,
                placed,
                postponed,
            } => {
                if self.searched_on.as_ref() != Some(&candidate.base) {
                    self.search.target_moved();
                    self.searched_on = Some(candidate.base.clone());
                }
                // What was taken for this trial and did not fit waits again.
                for ticket in &mut self.queue.tickets {
                    if ticket.place == Place::InTrial(*trial)
                        && !change_sets.contains(&ticket.change_set.merge_request)
                    {
                        ticket.place = Place::Waiting;
                    }
                }
                for Postponed {
                    merge_request,
                    files,
                } in postponed
                {
                    let again = Again::Neighbour {
                        trial: *trial,
                        files: files.clone(),
                    };
                    self.queue
                        .change(merge_request, |ticket| ticket.again = Some(again));
                }
                self.nrt.trial = Some(Trial {
                    id: *trial,
                    candidate: candidate.clone(),
                    change_sets: change_sets.clone(),
                    placed: placed.clone(),
                    landed: Vec::new(),
                    started_at: event.at,
                    validated: false,
                });
            }
            Fact::TrialValidated { trial } => {
                let current = self.nrt.trial.as_mut();
                if let Some(current) = current.filter(|current| current.id == *trial) {
                    current.validated = true;
                    // From here on its branches may be given the heads by which they land.
                    for Placed {
                        merge_request,
                        head,
                        ..
                    } in &current.placed
                    {
                        self.queue.change(merge_request, |ticket| {
                            if ticket.change_set.head != *head {
                                ticket.rewritten.push(head.clone());
                            }
                        });
                    }
                }
            }
            Fact::TrialRejected {
                trial, culprits, ..
            } => {
                self.nrt.fruitless = 0;
                if let Some(tried) = self.nrt.trial.as_ref().filter(|t| t.id == *trial) {
                    self.search.rejected(&tried.change_sets, culprits);
                }
                self.rejected = Some(*trial);
                let again = Again::Searched {
                    trial: *trial,
                    culprits: culprits.clone(),
                };
                self.end_trial(*trial, Some(again));
            }
            Fact::TrialAbandoned { trial, reason } => {
                let unlanded = self.nrt.trial.as_ref();
                let unlanded = unlanded.filter(|t| t.id == *trial && t.validated);
                self.nrt.overdue.extend(unlanded.cloned());
                if !reason.is_fruitless() {
                    self.nrt.fruitless = 0;
                }
                let again = Again::NoVerdict {
                    trial: *trial,
                    why: *reason,
                };
                self.end_trial(*trial, Some(again));
            }
            Fact::ChangeSetRejected {
                merge_request,
                reason,
                ..
            } => {
                self.search.left(merge_request, true);
                self.queue.leave(
                    merge_request,
                    Left::Rejected {
                        reason: reason.clone(),
                    },
                );
            }
            Fact::ChangeSetMerged {
                merge_request,
                head,
                commit,
                leaves,
                ..
            } => {
                self.leaving.extend(leaves.as_ref().map(|branch| Leaving {
                    merge_request: merge_request.clone(),
                    branch: branch.clone(),
                    head: head.clone(),
                    since: event.at,
                }));
                self.queue.change(merge_request, |ticket| {
                    ticket.place = Place::Merged {
                        commit: commit.clone(),
                    }
                });
            }
            Fact::SourceBranchesSettled { merge_requests } => {
                self.leaving
                    .retain(|one| !merge_requests.contains(&one.merge_request));
            }
            Fact::ChangeSetAppended { appended, .. } => {
                // Not when it was validated: what cannot land although it was would be tried for ever.
                self.nrt.fruitless = 0;
                self.versions.append(appended.clone());
                let landed = &appended.change_set.merge_request;
                self.queue.holds.remove(landed);
                self.queue
                    .leave(&appended.change_set.merge_request, Left::Landed);
                self.land_in_trial(&appended.change_set.merge_request, &appended.landed);
            }
            Fact::VersionOpened { version } => self.versions.open = *version,
            Fact::VersionClosed {
                version,
                number,
                commit,
                content,
                kept,
                closed_by,
                around,
                manifest,
                ..
            } => {
                let closing = Closing {
                    id: *version,
                    number: number.clone(),
                    commit: commit.clone(),
                    content: Vec::new(),
                    by: closed_by.clone(),
                    at: event.at,
                    environment: None,
                    around: around.clone(),
                    manifest: manifest.clone(),
                };
                self.versions.close(closing, content, kept);
            }
            Fact::ReleaseTaken { version, .. } => {
                self.versions.taken = Some(Taken {
                    version: *version,
                    job: event.job,
                    by: event.by.clone(),
                    at: event.at,
                });
            }
            Fact::VersionDeployed {
                version,
                environment,
                ..
            } => {
                // An older version may be deployed again.
                let closing = self.versions.closing.as_mut();
                if let Some(closing) = closing.filter(|closing| closing.id == *version) {
                    closing.environment = Some(environment.clone());
                }
            }
            Fact::VersionReleased { .. } => self.versions.release(event.at),
            Fact::VersionAnnounced { version, .. } => self.versions.announce(*version),
            Fact::ReleaseFailed { .. } => self.versions.fail(event.at),
            Fact::VersionWithdrawn {
                version,
                reason,
                withdrawn_by,
                ..
            } => self.versions.withdraw(
                *version,
                Withdrawn {
                    reason: reason.clone(),
                    by: withdrawn_by.clone(),
                    at: event.at,
                },
            ),
            Fact::HotfixAsked {
                merge_request,
                from,
                picks,
                reason,
                asked_by,
            } => self.versions.hotfixes.push(Hotfix {
                merge_request: merge_request.clone(),
                from: from.clone(),
                picks: picks.clone(),
                reason: reason.clone(),
                by: asked_by.clone(),
            }),
            Fact::ContributorWarned {
                about,
                alert,
                people,
            } => {
                if let Subject::Trial(trial) = about
                    && alert == ASKED
                {
                    self.nrt.asked = Some(Asked {
                        trial: *trial,
                        people: people.clone(),
                        at: event.at,
                    });
                }
                let key = (about.to_string(), alert.clone());
                self.warned.insert(key, event.at);
            }
            Fact::FeatureLinked { .. }
            | Fact::FeatureUnlinked { .. }
            | Fact::LinkRefused { .. }
            | Fact::ValidationRequested { .. }
            | Fact::FeatureValidated { .. }
            | Fact::FeatureRejected { .. }
            | Fact::ValidationLapsed { .. }
            | Fact::EnvironmentStuck { .. }
            | Fact::LandedUntested { .. }
            | Fact::ChannelOpened { .. }
            | Fact::DeliveryStarted { .. }
            | Fact::DeliverySucceeded { .. }
            | Fact::DeliveryFailed { .. } => {}
        }
        let queue = &self.queue;
        self.nrt.overdue.retain(|trial| {
            trial
                .change_sets
                .iter()
                .any(|id| queue.ticket(id).is_some())
        });
    }

    /// The trial is over: whatever has not landed waits again.
    fn end_trial(&mut self, trial: TrialId, again: Option<Again>) {
        for ticket in &mut self.queue.tickets {
            if ticket.place == Place::InTrial(trial) {
                ticket.place = Place::Waiting;
                ticket.again = again.clone();
            }
        }
        if self
            .nrt
            .trial
            .as_ref()
            .is_some_and(|current| current.id == trial)
        {
            self.nrt.trial = None;
        }
    }

    /// A person ended the trial: whatever was taken for it and has not landed waits again, and its note says why.
    fn break_trial(&mut self, trial: TrialId, by: &UserName, reason: &str) {
        for ticket in &mut self.queue.tickets {
            let ended = matches!(&ticket.again, Some(Again::NoVerdict { trial: of, why: Abandoned::Broken }) if *of == trial);
            if ended || ticket.place == Place::InTrial(trial) {
                ticket.place = Place::Waiting;
                ticket.again = Some(Again::Broken {
                    trial,
                    by: by.clone(),
                    reason: reason.to_owned(),
                });
            }
        }
    }

    fn end_trials_without_a_lease(&mut self) {
        for ticket in &mut self.queue.tickets {
            if let Place::InTrial(trial) = ticket.place {
                ticket.place = Place::Waiting;
                ticket.again = Some(Again::NoVerdict {
                    trial,
                    why: Abandoned::HolderGone,
                });
            }
        }
        self.nrt.trial = None;
    }

    /// A trial whose last change set landed is over.
    fn land_in_trial(&mut self, merge_request: &MergeRequestId, by: &CommitSha) {
        let Some(trial) = &mut self.nrt.trial else {
            return;
        };
        trial.change_sets.retain(|id| id != merge_request);
        trial.landed.push(merge_request.clone());
        if trial.change_sets.is_empty() {
            self.search.landed(&trial.landed);
            self.searched_on = Some(by.clone());
            self.nrt.trial = None;
        }
    }
}
