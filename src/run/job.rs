//! A command that is a job: it leaves its events and reports, and prints its outcome.

use super::desk::at_desk;
use super::{Printed, Stdout};
use crate::ci_reports;
use crate::ci_reports::log::{self, Manner};
use crate::cli::Global;
use crate::clock::SystemClock;
use crate::config::ci::{Ci, JobLog};
use crate::domain::event::Event;
use crate::files;
use crate::gitlab::Trust;
use crate::jobs::release::pinned;
use crate::jobs::{Desk, Done, post};
use crate::outcome::{Outcome, Problem};
use crate::ports::{Answer, Clock};
use crate::sinks::cloud_event;

/// The file of events that a job leaves as its artifact.
const EVENTS_FILE: &str = "trainyard-events.ndjson";

/// Runs a job, leaves its events and reports, and prints its outcome.
pub(super) fn job(
    global: &Global,
    stdout: Stdout,
    command: &str,
    trust: Trust,
    work: &dyn Fn(&Desk<'_>) -> Answer<Done>,
) -> Answer<Printed> {
    let ci = Ci::from_environment(global.server.as_deref())?;
    let done = match at_desk(&ci, global, trust, work) {
        Ok(done) => done,
        Err(problem) => {
            for missing in reports(&ci, command, Err(&problem)) {
                tracing::warn!("{missing}");
            }
            return Err(problem);
        }
    };
    let mut missing = reports(&ci, command, Ok(&done.outcome));
    missing.extend(
        leave_events(&ci, &done.events)
            .err()
            .map(|problem| ci_reports::not_left(&problem)),
    );
    let outcome = missing.into_iter().fold(done.outcome, Outcome::warning);
    Ok(Printed {
        text: log::text(&outcome, &manner(&ci, stdout, command)),
        code: outcome.code,
    })
}

/// Leaves them where GitLab collects them; whoever tries a command by hand finds no files of ours afterwards.
fn reports(ci: &Ci, command: &str, ended: Result<&Outcome, &Problem>) -> Vec<String> {
    match ci.log {
        JobLog::OfGitLab { .. } => ci_reports::leave(&ci.directory, command, ended),
        JobLog::Elsewhere => Vec::new(),
    }
}

/// A job of the gate also tells the channels what happened; that never fails it.
pub(super) fn and_tell(desk: &Desk<'_>, work: &dyn Fn(&Desk<'_>) -> Answer<Done>) -> Answer<Done> {
    let mut done = pinned::after(desk, work(desk)?);
    match post::run(desk) {
        Ok(events) => done.events.extend(events),
        Err(problem) => tracing::warn!(
            "the channels were not told, a later job does: {}",
            problem.full_text()
        ),
    }
    Ok(done)
}

/// Folded only where GitLab's log viewer reads it.
pub(super) fn manner(ci: &Ci, stdout: Stdout, command: &str) -> Manner {
    match (ci.log, stdout) {
        (JobLog::Elsewhere, _) | (_, Stdout::File) => Manner::Plain,
        (JobLog::OfGitLab { colour }, Stdout::Stream) => Manner::Folded {
            command: command.to_owned(),
            second: SystemClock.now().as_second(),
            colour,
        },
    }
}

/// GitLab hands a job the artifacts of the jobs before it: only this job's own events are left in its file.
pub(super) fn leave_events(ci: &Ci, events: &[Event]) -> Answer<()> {
    let path = ci.directory.join(EVENTS_FILE);
    let before = if path.exists() {
        cloud_event::read_lines(&files::read(&path)?).events
    } else {
        Vec::new()
    };
    let own = before
        .iter()
        .filter(|event| event.job == Some(ci.job))
        .chain(events);
    let text: String = own
        .map(|event| cloud_event::to_line(event, &ci.project_url) + "\n")
        .collect();
    if text.is_empty() {
        files::remove(&path)
    } else {
        files::write_whole(&path, &text)
    }
}
