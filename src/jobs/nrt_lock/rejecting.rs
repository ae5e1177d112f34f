//! What follows from a rejected trial: whom its test cases name, what is recorded, who is told. Both by the job that gives the
//! environment back and by the one with which a person rejects.

use crate::domain::event::Fact;
use crate::domain::ids::{MergeRequestId, PipelineId};
use crate::domain::integration::ChangeSet;
use crate::domain::labelling;
use crate::domain::naming::{FailedJob, Naming, Tried, naming};
use crate::domain::nrt::{Held, Trial, hold};
use crate::domain::progress::Stage;
use crate::domain::trial_verdict::{Before, Rejected, Rejection, before, reject};
use crate::domain::trials::Policy;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, labels, notes, observe};
use crate::outcome::Outcome;
use crate::ports::{Answer, JobRecord};
use crate::report;

/// Reads whom the reports of the failed jobs name. A report that cannot be had names nobody: the search goes on without it.
pub(super) fn named_by_tests(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    trial: &Trial,
    (pipeline, failed): (PipelineId, &[&JobRecord]),
) -> Answer<(Naming, Option<String>)> {
    let (suites, warning) = match desk.records.failed_cases(pipeline) {
        Ok(suites) => (suites, None),
        Err(problem) => (Vec::new(), Some(report::test_report_unread(&problem))),
    };
    let jobs: Vec<FailedJob<'_>> = failed
        .iter()
        .map(|job| FailedJob {
            name: &job.name,
            ended: job.failure.as_deref() == Some("script_failure"),
        })
        .collect();
    let queue = ledger.yard()?.queue;
    let home = |id: &MergeRequestId| {
        let there = desk.of(&id.project);
        there.map_or_else(
            |_| id.project.clone(),
            |there| observe::features_project(&there).clone(),
        )
    };
    let tried: Vec<Tried> = trial
        .change_sets
        .iter()
        .map(|id| Tried {
            id: id.clone(),
            home: home(id),
            features: queue.ticket(id).map_or_else(Vec::new, |ticket| {
                let links = ticket.change_set.links.iter();
                links.map(|link| link.feature.clone()).collect()
            }),
        })
        .collect();
    let tags = &desk.config.nrt.tags;
    Ok((naming(&jobs, &suites, &tried, tags), warning))
}

/// What happens to the environment once the rejection is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    /// It is given back, in the same entry of the log.
    Free,
    /// The trial's pipeline still uses it.
    InUse,
}

/// Records a rejection, all of it or nothing; `None` when the lease is lost, or the trial was decided on by somebody else.
pub(super) fn record(
    ledger: &Ledger<'_>,
    held: &Held,
    trial: &Trial,
    rejection: &Rejection,
    policy: &Policy,
    then: Environment,
) -> Answer<Option<Rejected>> {
    ledger.decide(|yard| {
        if hold(&yard.nrt, held.epoch()).is_err() || before(yard, trial.id) != Before::Undecided {
            return Ok(Decision {
                facts: Vec::new(),
                then: None,
            });
        }
        let rejected = reject(yard, trial, rejection, policy);
        let mut facts = rejected.facts.clone();
        match then {
            Environment::Free => facts.push(Fact::LeaseReleased {
                epoch: held.epoch(),
            }),
            Environment::InUse => {}
        }
        Ok(Decision {
            facts,
            then: Some(rejected),
        })
    })
}

/// Tells everybody of the trial what became of it; returns what could not be kept.
pub(super) fn tell(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    trial: &Trial,
    rejection: &Rejection,
    rejected: &Rejected,
) -> Answer<Vec<String>> {
    let mut warnings = Vec::new();
    for change_set in &rejected.left {
        let note = report::note_rejected(change_set, trial, rejection);
        let stage = Stage::FailedTests { trial: trial.id };
        warnings.extend(notes::keep_left(desk, ledger, change_set, stage, note)?);
        labels::show_change_set(desk, change_set, labelling::Stage::Rejected);
    }
    show_queued(desk, &rejected.again);
    Ok(warnings)
}

/// Change sets that wait again.
pub(super) fn show_queued(desk: &Desk<'_>, again: &[ChangeSet]) {
    for change_set in again {
        labels::show_change_set(desk, change_set, labelling::Stage::Queued);
    }
}

/// Links for the job's page.
pub(super) fn seeing(desk: &Desk<'_>, trial: &Trial, outcome: Outcome) -> Outcome {
    let links = report::change_set_links(&trial.change_sets, &desk.ci.server);
    outcome.seeing(links)
}
