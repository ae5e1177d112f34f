//! `trainyard nrt-lock acquire`: takes the lease, chooses the trial, prepares the candidate, and writes the trial's pipeline.
//! The one job of the gate's child pipeline that decides; the resource group lets one run at a time.

mod taking;

use std::path::Path;

use super::stopping;
use super::trial_pipeline::{self, Member, ProjectPart, Runtime};
use super::withdrawing::warn_all;
use crate::ci_reports::dotenv::{Dotenv, Name};
use crate::domain::nrt::Trial;
use crate::jobs::ledger::Ledger;
use crate::jobs::{self, Desk, Done, label_holds, notes, tell};
use crate::outcome::Outcome;
use crate::ports::{Answer, Stop};
use crate::report;

use taking::{Taken, take};

/// Where the worker leaves what its pipeline goes on with.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// The trial's pipeline.
    pub pipeline: &'a Path,
    /// The lease, for the job that gives it back whatever happens.
    pub dotenv: &'a Path,
}

/// Takes the next trial, or writes a pipeline that says that there is nothing to do.
///
/// # Errors
/// When GitLab cannot be asked, the log cannot be written, or the files cannot be written.
pub fn run(desk: &Desk<'_>, stop: &dyn Stop, files: Files<'_>, runtime: &Runtime) -> Answer<Done> {
    // The pipeline above cannot go on without them, and a lease that nobody can use helps nobody.
    crate::files::check_writable(files.pipeline)?;
    crate::files::check_writable(files.dotenv)?;
    let ledger = Ledger::new(*desk);
    let outcome = begin(desk, &ledger, stop, files, runtime);
    if stop.asked() {
        return Err(stopping::give_back(desk, &ledger)?);
    }
    Ok(Done {
        outcome: outcome?,
        events: ledger.into_events(),
    })
}

fn begin(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    stop: &dyn Stop,
    files: Files<'_>,
    runtime: &Runtime,
) -> Answer<Outcome> {
    warn_all(label_holds::look(desk, ledger)?);
    warn_all(jobs::release::between_trials(desk, ledger)?);
    let (outcome, pipeline, epoch) = match take(desk, ledger, stop)? {
        Taken::Trial {
            held,
            trial,
            board,
            unshown,
        } => {
            let member = member(desk, &trial)?;
            let project = ProjectPart {
                file: &desk.config.nrt.pipeline,
                decided_by: desk.config.nrt.decided_by,
            };
            let pipeline =
                trial_pipeline::of_trial(&held, &trial, project, runtime, member.as_ref())?;
            let warnings = match (board, &trial.change_sets[..]) {
                (Some(board), [one]) => notes::keep_one(desk, ledger, one, board)?,
                (board, several) => notes::keep_several(desk, ledger, several, board)?,
            };
            let outcome = report::trial_started(&trial, &held).seeing(report::change_set_links(
                &trial.change_sets,
                &desk.ci.server,
            ));
            let outcome = warnings.into_iter().fold(outcome, Outcome::with);
            // The pipeline below is the right to the environment, and so is the candidate's branch.
            ledger.prove()?;
            if let Some(shown) = unshown {
                shown.put(desk, &held)?;
            }
            (outcome, pipeline, held.epoch().0)
        }
        Taken::Nothing(why) => (
            Outcome::open(why.clone()),
            trial_pipeline::of_nothing(&why),
            0,
        ),
    };
    stopping::unless_stopped(stop)?;
    trial_pipeline::write(files.pipeline, &pipeline)?;
    let values = Dotenv::default().with(Name::Epoch, epoch)?;
    crate::files::write_whole(files.dotenv, &values.to_string())?;
    tell::alert_all(desk, ledger)?;
    Ok(outcome)
}

/// The project of the candidate, where it is not the one that this job runs in.
fn member(desk: &Desk<'_>, trial: &Trial) -> Answer<Option<Member>> {
    let Some(id) = trial.change_sets.first() else {
        return Ok(None);
    };
    if id.project == desk.ci.project {
        return Ok(None);
    }
    Ok(Some(Member {
        project: id.project.clone(),
        address: desk.of(&id.project)?.ci.git_address(),
    }))
}
