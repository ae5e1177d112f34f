//! `trainyard repair`: puts the log right after somebody deleted or garbled it, from what GitLab knows.
//!
//! What cannot be read is set aside and never deleted; holes are filled; versions, queue and the number of the lease are brought
//! up to what GitLab tells. Killed anywhere, it goes on when it is run again; when nothing is wrong it changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::{self, Decision, Ledger};
use super::nrt_lock::{admit, release};
use super::{Desk, Done, notes, tell};
use crate::domain::archive::Base;
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, JobId, MergeRequestId, PipelineId, TrialId};
use crate::domain::nrt::Liveness;
use crate::domain::progress::Stage;
use crate::domain::repair::{Truth, above_all_grants, left_before, missing};
use crate::domain::versioning::Appended;
use crate::domain::versioning::packages::Spread;
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
    if desk.members.is_some() || !desk.config.nrt.environments.is_empty() {
        // It would take what members, or other branches, know of the queue and of versions for nothing.
        return Err(Problem::misconfigured(
            "`repair` mends the state of one project with one environment; a yard, or one of several environments, it cannot mend yet, and nothing was changed",
            "restore the variables of the scope `trainyard/<environment>/log` from a backup, or remove all of them: `tick` finds the requests to integrate again, and what landed since the last tag is then in no version",
        ));
    }
    let mending = desk
        .journal
        .mending()
        .ok_or_else(|| Problem::bug("this state cannot be repaired"))?;
    let survey = mending.survey()?;
    let yard = survey.yard();
    let (truth, unsure) = truth(desk)?;
    let facts = missing(&yard, &truth);
    let forgotten = forgotten(desk, &yard)?;
    let wiped = survey.last == 0
        && survey.replaced.is_none()
        && (!truth.landed.is_empty() || truth.releases > 0 || !forgotten.is_empty());
    let mut diagnosis = Diagnosis {
        damages: survey.damages.clone(),
        wiped,
        replaced: survey.replaced.clone(),
        appended: appended(&facts),
        released: facts
            .iter()
            .any(|fact| matches!(fact, Fact::VersionReleased { .. })),
        forgotten,
        unsure,
        busy: busy(desk, &yard)?,
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
    let mut outcome = report::repaired(diagnosis);
    for forgotten in &diagnosis.forgotten {
        let iid = forgotten.id.iid;
        let Some(stage) = &forgotten.left else {
            outcome = outcome.including(admit::admit(desk, ledger, iid)?);
            continue;
        };
        let set = admit::look(desk, iid)?.candidacy.change_set;
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

/// Runs that use the environment, or are about to: what they record meanwhile would be lost or wrong.
fn busy(desk: &Desk<'_>, yard: &Yard) -> Answer<BTreeSet<PipelineId>> {
    let mut busy: BTreeSet<PipelineId> = desk.traces.running_workers()?.into_iter().collect();
    if let Some(lease) = &yard.nrt.lease
        && desk.records.liveness(&lease.holder)? == Liveness::Running
    {
        busy.insert(lease.holder.pipeline);
    }
    busy.remove(&desk.ci.pipeline);
    Ok(busy)
}

/// What landed since the last tag, from merge requests and from the history of the target; and what could not be told.
pub(super) fn truth(desk: &Desk<'_>) -> Answer<(Truth, Vec<String>)> {
    let branch: &BranchName = desk.branch();
    let prefix = &desk.config.versions.numbering.prefix;
    let released = desk.releases.numbers(prefix)?.into_iter().next();
    let releases = match &released {
        Some(_) => desk.traces.numbered_tags(prefix)?,
        None => 0,
    };
    let history = desk
        .commits
        .brought_in(released.as_ref().map(|(_, commit)| commit), branch)?;
    let place: BTreeMap<_, _> = history
        .iter()
        .enumerate()
        .map(|(at, brought)| (&brought.commit, (at, brought.trial)))
        .collect();
    let merged = desk.traces.merged_by_gate(branch)?;
    let mut unsure = Vec::new();
    if !merged.complete {
        unsure.push(report::too_many_merged());
    }
    let mut landed = Vec::new();
    for merged in merged.seen {
        let Some((at, trial)) = place.get(&merged.landed) else {
            continue;
        };
        let id = &merged.merge_request.id;
        let change_set = admit::look(desk, id.iid)?.candidacy.change_set;
        if trial.is_none() {
            unsure.push(report::trial_unknown(id));
        }
        let appended = Appended {
            change_set,
            landed: merged.landed.clone(),
            base: None,
            spread: Spread::default(),
            trial: trial.unwrap_or(TrialId(0)),
            at: merged.at,
        };
        landed.push((*at, appended));
    }
    landed.sort_by_key(|(at, _)| *at);
    let truth = Truth {
        released,
        releases,
        since: history
            .iter()
            .map(|brought| brought.commit.clone())
            .collect(),
        landed: landed.into_iter().map(|(_, appended)| appended).collect(),
    };
    Ok((truth, unsure))
}

/// Open merge requests with a request that the log does not know, or whose note says that they left the queue.
fn forgotten(desk: &Desk<'_>, yard: &Yard) -> Answer<Vec<Forgotten>> {
    let mut forgotten = Vec::new();
    for open in desk.merge_requests.open_mentioning("feature")? {
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
        if left.is_none() && yard.queue.ticket(&open.id).is_some() {
            continue;
        }
        forgotten.push(Forgotten {
            id: open.id,
            job: request.job,
            left,
        });
    }
    forgotten.sort_by_key(|one| one.id.iid);
    Ok(forgotten)
}
