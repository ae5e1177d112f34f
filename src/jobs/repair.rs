//! `trainyard repair`: puts the log right after somebody deleted or garbled it, from what GitLab knows.
//!
//! What cannot be read is set aside and never deleted; holes are filled; versions, queue and the number of the lease are brought
//! up to what GitLab tells. Killed anywhere, it goes on when it is run again; when nothing is wrong it changes nothing. With several
//! environments it is about the one that the job was given.

mod hotfixes;
mod packages;
mod truth;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub(super) use truth::truth;

use super::ledger::{self, Decision, Ledger};
use super::nrt_lock::{admit, release};
use super::{Desk, Done, append_to_version, notes, tell};
use crate::domain::archive::Base;
use crate::domain::event::Fact;
use crate::domain::ids::{JobId, MergeRequestId, PipelineId};
use crate::domain::nrt::{Lease, Liveness, expire, is_gone};
use crate::domain::progress::Stage;
use crate::domain::repair::{Truth, above_all_grants, left_before, missing};
use crate::domain::yard::Yard;
use crate::outcome::{Outcome, Problem};
use crate::ports::{Answer, Damage, Mending, Replaced, Survey};
use crate::report::{self, Diagnosis};

/// A merge request whose request the log does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// Which one.
    pub id: MergeRequestId,
    /// The job that asked.
    pub job: JobId,
    /// How it left the queue, where its note says so.
    pub left: Option<Stage>,
}

/// Looks what is wrong, and puts it right when `write` says so.
///
/// # Errors
/// When GitLab or git cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>, write: bool) -> Answer<(Done, Diagnosis)> {
    let mending = desk
        .journal
        .mending()
        .ok_or_else(|| Problem::bug("this state cannot be repaired"))?;
    let survey = mending.survey()?;
    let yard = survey.yard();
    let (mut truth, mut unsure) = truth(desk)?;
    let (hotfixes, unknown) = hotfixes::under_way(desk, &truth.since)?;
    truth.hotfixes = hotfixes;
    unsure.extend(unknown);
    let facts = missing(&yard, &truth);
    let forgotten = forgotten(desk, &yard, &truth, &mut unsure)?;
    let wiped = survey.last == 0
        && survey.replaced.is_none()
        && (truth.tells_of_a_past() || !forgotten.is_empty());
    let users = users(desk, &yard)?;
    let mut diagnosis = Diagnosis {
        home: desk.ci.project.clone(),
        damages: survey.damages.clone(),
        wiped,
        replaced: survey.replaced.clone(),
        appended: appended(&facts),
        hotfixes: hotfixes_in(&facts),
        for_hotfixes: desk.config.is_for_hotfixes(),
        released: facts
            .iter()
            .any(|fact| matches!(fact, Fact::VersionReleased { .. })),
        forgotten,
        unsure,
        busy: users.busy,
        left: users.left,
        aside: Vec::new(),
    };
    if !write || diagnosis.is_healthy() {
        let outcome = report::diagnosed(&diagnosis);
        return Ok((Done::saying(outcome), diagnosis));
    }
    if !diagnosis.busy.is_empty() {
        let outcome = report::repair_must_wait(&diagnosis, &desk.ci.project_url);
        return Ok((Done::saying(outcome), diagnosis));
    }
    let marker = Fact::StateRepaired {
        epoch: above_all_grants(&yard, &truth, desk.ci.job),
        lost: diagnosis.lost(),
    };
    diagnosis.aside = mend(desk, mending, &survey, &marker)?;
    let ledger = Ledger::new(*desk);
    let mut outcome = bring_up_to_date(desk, &ledger, &truth, &diagnosis, &marker)?;
    tell::alert_all(desk, &ledger)?;
    let waiting = ledger.yard()?.queue.waiting().count();
    if waiting > 0 {
        outcome = outcome.next(release::serve_the_waiting(desk, waiting)?);
    }
    let events = ledger.into_events();
    Ok((Done { outcome, events }, diagnosis))
}

/// Makes the log readable again. The first entry that is written says that it was repaired, so that nobody reads the one without
/// the other.
fn mend(
    desk: &Desk<'_>,
    mending: &dyn Mending,
    survey: &Survey,
    marker: &Fact,
) -> Answer<Vec<String>> {
    let marker = [ledger::event(desk, marker.clone())];
    if let (Some(base), Some(replaced)) = (&survey.base, &survey.replaced) {
        let mut base = Base::clone(base);
        if let Replaced::Nothing(_) = replaced {
            // No grant of the lost state may be made again, from the first instant on.
            marker.iter().for_each(|event| base.state.apply(event));
        }
        // First of all: from now on the log can be read, and whoever dies leaves it so.
        mending.replace_base(&base)?;
    }
    let mut aside = Vec::new();
    let mut first = true;
    for damage in &survey.damages {
        if damage.there {
            let to = mending.set_aside(damage)?;
            aside.push(format!("{} to {to}", damage.name));
        }
        if let Damage {
            slot: Some(slot), ..
        } = damage
        {
            mending.fill(*slot, if first { &marker } else { &[] })?;
            first = false;
        }
    }
    Ok(aside)
}

/// Records what the log lacks, now that it can be read.
fn bring_up_to_date(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    truth: &Truth,
    diagnosis: &Diagnosis,
    marker: &Fact,
) -> Answer<Outcome> {
    let told = ledger.decide(|yard| {
        let mut facts = missing(yard, truth);
        let told = appended(&facts);
        if diagnosis.wiped || diagnosis.replaced.is_some() || !facts.is_empty() {
            facts.insert(0, marker.clone());
        }
        Ok(Decision { facts, then: told })
    })?;
    if let Some(left) = &diagnosis.left {
        give_back(desk, ledger, left)?;
    }
    let mut outcome = report::repaired(diagnosis);
    for forgotten in &diagnosis.forgotten {
        let iid = forgotten.id.iid;
        let there = desk.of(&forgotten.id.project)?;
        let Some(stage) = &forgotten.left else {
            outcome = outcome.including(admit::admit(&there, ledger, iid)?);
            continue;
        };
        let set = admit::look(&there, iid)?.candidacy.change_set;
        ledger.decide(|yard| {
            Ok(Decision {
                facts: left_before(yard, &set, stage),
                then: (),
            })
        })?;
    }
    let warnings = notes::keep_all(desk, ledger, &told)?;
    Ok(warnings.into_iter().fold(outcome, Outcome::with))
}

fn appended(facts: &[Fact]) -> Vec<MergeRequestId> {
    let mut appended_ids = Vec::new();
    for fact in facts {
        if let Fact::ChangeSetAppended { appended, .. } = fact {
            appended_ids.push(appended.change_set.merge_request.clone());
        }
    }
    appended_ids
}

fn hotfixes_in(facts: &[Fact]) -> Vec<MergeRequestId> {
    let mut ids = Vec::new();
    for fact in facts {
        if let Fact::HotfixAsked { merge_request, .. } = fact {
            ids.push(merge_request.clone());
        }
    }
    ids
}

/// Who is in the environment, by GitLab and by what is left of the log.
struct Users {
    /// Runs that use it, or are about to: what they record meanwhile would be lost or wrong.
    busy: BTreeSet<PipelineId>,
    /// The lease of a run that is over.
    left: Option<Lease>,
}

fn users(desk: &Desk<'_>, yard: &Yard) -> Answer<Users> {
    let mut busy: BTreeSet<PipelineId> = desk.traces.running_workers()?.into_iter().collect();
    let mut left = None;
    if let Some(lease) = &yard.nrt.lease {
        let liveness = desk.records.liveness(&lease.holder)?;
        if liveness == Liveness::Running {
            busy.insert(lease.holder.pipeline);
        }
        left = is_gone(lease, liveness, desk.clock.now()).then(|| lease.clone());
    }
    busy.remove(&desk.ci.pipeline);
    Ok(Users { busy, left })
}

/// Gives the environment back in the place of a run that is over: the entry that said so is lost, or it died.
fn give_back(desk: &Desk<'_>, ledger: &Ledger<'_>, left: &Lease) -> Answer<()> {
    append_to_version::finish_what_a_dead_holder_began(desk, ledger)?;
    ledger.decide(|yard| {
        let now = yard.nrt.lease.as_ref();
        let same = now.is_some_and(|now| now.epoch == left.epoch);
        Ok(Decision {
            facts: if same { expire(&yard.nrt) } else { Vec::new() },
            then: (),
        })
    })
}

/// Requests that the log does not know, of every project that can be looked at.
fn forgotten(
    desk: &Desk<'_>,
    yard: &Yard,
    truth: &Truth,
    unsure: &mut Vec<String>,
) -> Answer<Vec<Forgotten>> {
    let mut forgotten = Vec::new();
    for (project, seen) in truth::in_each(desk, |there| forgotten_of(there, yard))? {
        match seen {
            Ok(seen) => forgotten.extend(seen),
            Err(problem) if !truth.unread.contains(&project) => {
                unsure.push(report::requests_unread(&project, &problem));
            }
            Err(_told_already) => {}
        }
    }
    forgotten.sort_by_key(|(asked, one)| (*asked, one.id.clone()));
    Ok(forgotten.into_iter().map(|(_, one)| one).collect())
}

/// Open merge requests of a project with a request that the log does not know, or whose note says that they left the queue; and when
/// they asked.
fn forgotten_of(desk: &Desk<'_>, yard: &Yard) -> Answer<Vec<(Timestamp, Forgotten)>> {
    let mut forgotten = Vec::new();
    for open in desk.merge_requests.open_mentioning("feature")? {
        // Those of another branch are another environment's, or nobody's.
        if open.target != *desk.branch() {
            continue;
        }
        let evidence = desk.records.evidence(open.id.iid)?;
        let Some(request) = evidence.pipelines.iter().find_map(|p| p.request.clone()) else {
            continue;
        };
        if yard
            .queue
            .left
            .iter()
            .any(|(_, _, job, _)| *job == request.job)
        {
            continue;
        }
        let mark = evidence
            .found
            .as_ref()
            .and_then(notes::note_of)
            .and_then(|own| report::mark_of(&own.text));
        let left = mark
            .filter(|mark| mark.head == open.head)
            .map(|mark| mark.stage)
            .filter(|stage| {
                matches!(
                    stage,
                    Stage::FailedTests { .. } | Stage::Conflicted | Stage::LeftQueue
                )
            });
        // A request for what was changed since is none, and its author was told then.
        let stands = || Answer::Ok(admit::look(desk, open.id.iid)?.candidacy.request.is_some());
        if left.is_none() && (yard.queue.ticket(&open.id).is_some() || !stands()?) {
            continue;
        }
        let one = Forgotten {
            id: open.id,
            job: request.job,
            left,
        };
        forgotten.push((request.at, one));
    }
    Ok(forgotten)
}
