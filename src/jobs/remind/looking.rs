//! What waits: read from GitLab's records of the open merge requests, and from the log.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::event::{Fact, Subject};
use crate::domain::ids::{MergeRequestId, RoleName, UserName};
use crate::domain::integration::Place as Standing;
use crate::domain::linking::{LinkKind, named_features};
use crate::domain::notification::reminder::{Kind, Waiting, head_of_alarm};
use crate::domain::validation;
use crate::domain::yard::Yard;
use crate::jobs::judging::{self, Look};
use crate::jobs::nrt_lock::ask;
use crate::jobs::{Desk, observe, release};
use crate::ports::{Answer, Evidence, MergeRequest, OwnNotes};

/// How many open merge requests one run looks at closely, the oldest first.
const MOST_LOOKED_AT: usize = 60;
/// The word that every link contains.
const LINK_WORD: &str = "feature";

/// What GitLab shows of the merge requests that are open.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) waiting: Vec<Waiting>,
    /// Verdicts that no gate job has recorded: channels are told of them from the log.
    pub(super) rejections: Vec<Fact>,
    pub(super) notes: BTreeMap<MergeRequestId, OwnNotes>,
    pub(super) left_out: usize,
}

/// Looks at those whose turn it can be: closing ones that people must judge, and drafts.
pub(super) fn look(desk: &Desk<'_>, yard: &Yard) -> Answer<Seen> {
    let mut seen = Seen::default();
    for there in desk.all() {
        match there {
            Ok(there) => look_at(&there, yard, &mut seen)?,
            Err(problem) => tracing::warn!("{}", problem.full_text()),
        }
    }
    Ok(seen)
}

fn look_at(desk: &Desk<'_>, yard: &Yard, seen: &mut Seen) -> Answer<()> {
    let mut open = desk.merge_requests.open_mentioning(LINK_WORD)?;
    open.retain(|mr| yard.queue.ticket(&mr.id).is_none());
    open.sort_by_key(|mr| mr.id.iid);
    let drafts = desk
        .config
        .notification
        .rules
        .reminders
        .of(Kind::DraftStale);
    let roles = !desk.config.validation.is_off();
    let mut looked_at = 0;
    for found in &open {
        unanswered(yard, found, &mut seen.waiting);
        let looks = if found.draft {
            drafts.most > 0
        } else {
            roles && closes_a_feature(desk, found)?
        };
        if !looks {
            continue;
        }
        looked_at += 1;
        if looked_at > MOST_LOOKED_AT {
            seen.left_out += 1;
            continue;
        }
        let evidence = desk.records.evidence(found.id.iid)?;
        if found.draft {
            seen.waiting.extend(draft(found, &evidence));
        } else {
            validation(desk, found, &evidence, seen)?;
        }
        seen.notes.insert(found.id.clone(), evidence.notes);
    }
    Ok(())
}

fn closes_a_feature(desk: &Desk<'_>, found: &MergeRequest) -> Answer<bool> {
    let reading = observe::read_description(desk, &found.description)?;
    let named = named_features(&reading, observe::features_project(desk));
    Ok(named.iter().any(|(link, _)| link.kind == LinkKind::Closes))
}

/// An author who was told of trouble and has pushed nothing since.
fn unanswered(yard: &Yard, found: &MergeRequest, waiting: &mut Vec<Waiting>) {
    let about = Subject::MergeRequest(found.id.clone());
    for raised in yard.outbox.unanswered() {
        let fact = &raised.event.fact;
        if fact.subject() == about && head_of_alarm(fact) == Some(&found.head) {
            waiting.push(Waiting {
                kind: Kind::AlarmUnanswered,
                about: about.clone(),
                which: raised.id.to_string(),
                since: raised.event.at,
                people: BTreeSet::from([found.author.clone()]),
                detail: trouble(fact).to_owned(),
                merge_request: Some(found.id.clone()),
            });
        }
    }
}

fn trouble(fact: &Fact) -> &'static str {
    match fact.name() {
        "ChangeSetConflicted" => "in conflict with its target",
        "ChangeSetWithdrawn" => "out of the queue",
        _ => "rejected",
    }
}

/// A draft is as old as its newest pipeline: pushing starts one, and our own notes do not.
fn draft(found: &MergeRequest, evidence: &Evidence) -> Option<Waiting> {
    let newest = evidence.pipelines.iter().map(|p| p.created).max()?;
    Some(Waiting {
        kind: Kind::DraftStale,
        about: Subject::MergeRequest(found.id.clone()),
        which: found.head.to_string(),
        since: newest,
        people: BTreeSet::from([found.author.clone()]),
        detail: String::new(),
        merge_request: Some(found.id.clone()),
    })
}

/// Roles that are awaited, since the first pipeline of this content; and rejections that stand.
fn validation(
    desk: &Desk<'_>,
    found: &MergeRequest,
    evidence: &Evidence,
    seen: &mut Seen,
) -> Answer<()> {
    let features: Vec<_> = named_features(
        &observe::read_description(desk, &found.description)?,
        observe::features_project(desk),
    )
    .into_iter()
    .map(|(link, _)| link)
    .filter(|link| link.kind == LinkKind::Closes)
    .map(|link| link.feature)
    .collect();
    let sights = if desk.config.validation.looks_at_features() {
        desk.features.sights(&features)?
    } else {
        BTreeMap::new()
    };
    let asked = judging::asked(desk, found, &features, &sights)?;
    let judged = judging::judge(desk, found, evidence, &asked, Look::Enough, None)?;
    let reasons = judging::reasons(&judged.judgement, evidence);
    let (mut awaited, mut rejected) = (Vec::new(), false);
    for (asked, standing) in &judged.judgement.standings {
        match standing {
            validation::Standing::Validated(_) => {}
            validation::Standing::Awaited { .. } => awaited.push(asked.role.clone()),
            validation::Standing::Rejected(verdict) => {
                rejected = true;
                seen.rejections.push(Fact::FeatureRejected {
                    merge_request: found.id.clone(),
                    features: features.clone(),
                    reason: reasons.get(&verdict.job).cloned(),
                    verdict: verdict.clone(),
                });
            }
        }
    }
    let first = evidence
        .pipelines
        .iter()
        .filter(|pipeline| judged.content.contains(&pipeline.commit))
        .min_by_key(|pipeline| pipeline.created);
    let Some(first) = first.filter(|_| !awaited.is_empty() && !rejected) else {
        return Ok(());
    };
    let mut people: BTreeSet<UserName> = awaited
        .iter()
        .filter_map(|role| judged.holders.get(role))
        .flatten()
        .cloned()
        .collect();
    if !desk.config.validation.who.author {
        people.remove(&found.author);
    }
    seen.waiting.push(Waiting {
        kind: Kind::ValidationWaiting,
        about: Subject::MergeRequest(found.id.clone()),
        which: first.commit.to_string(),
        since: first.created,
        people,
        detail: names(&awaited),
        merge_request: Some(found.id.clone()),
    });
    Ok(())
}

fn names(roles: &[RoleName]) -> String {
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    names.join(", ")
}

/// What waits according to the log: tickets, the lease, a version that is closed.
pub(super) fn of_the_yard(desk: &Desk<'_>, yard: &Yard) -> Answer<Vec<Waiting>> {
    let mut all = Vec::new();
    for ticket in yard.queue.tickets.iter() {
        let waits = match ticket.place {
            Standing::Waiting => true,
            Standing::InTrial(_) | Standing::Merged { .. } => false,
        };
        if waits {
            all.push(Waiting {
                kind: Kind::TicketWaiting,
                about: Subject::MergeRequest(ticket.change_set.merge_request.clone()),
                which: ticket.change_set.requested_by.to_string(),
                since: ticket.queued_at,
                people: BTreeSet::new(),
                detail: String::new(),
                merge_request: Some(ticket.change_set.merge_request.clone()),
            });
        }
    }
    if let Some(lease) = &yard.nrt.lease {
        let tried = yard.nrt.trial.as_ref().and_then(|t| t.change_sets.first());
        let (which, merge_request) = (lease.epoch.to_string(), tried.cloned());
        let judged = yard
            .nrt
            .trial
            .as_ref()
            .filter(|trial| !trial.validated && ask::was_asked(yard, trial.id));
        all.push(match judged {
            // The environment is held for people: they are the ones to hurry.
            Some(trial) => Waiting {
                kind: Kind::VerdictWaiting,
                about: Subject::Trial(trial.id),
                which,
                since: trial.started_at,
                people: BTreeSet::new(),
                detail: names(&desk.config.nrt.deciders),
                merge_request,
            },
            None => Waiting {
                kind: Kind::LeaseHeld,
                about: Subject::Environment,
                which,
                since: lease.granted_at,
                people: BTreeSet::new(),
                detail: format!("pipeline {}", lease.holder.pipeline),
                merge_request,
            },
        });
    }
    if let Some(closing) = &yard.versions.closing {
        let last = closing.content.last();
        all.push(Waiting {
            kind: Kind::ReleaseWaiting,
            about: Subject::Version(closing.id),
            which: closing.number.to_string(),
            since: closing.at,
            people: BTreeSet::new(),
            detail: closing.number.to_string(),
            merge_request: last.map(|appended| appended.change_set.merge_request.clone()),
        });
    }
    for waiting in &mut all {
        let cadence = desk.config.notification.rules.reminders.of(waiting.kind);
        let calendar = &desk.config.notification.rules.calendar;
        let due = waiting.turns(cadence, calendar, desk.clock.now()).due;
        if !due.is_empty() {
            let closed_by = yard.versions.closing.as_ref().and_then(|c| c.by.as_ref());
            let closed_by = closed_by.filter(|_| waiting.kind == Kind::ReleaseWaiting);
            waiting.people = if waiting.kind == Kind::VerdictWaiting {
                ask::deciders(desk)?
            } else {
                release::people(desk, closed_by)?
            };
        }
    }
    Ok(all)
}
