//! `trainyard queue`: from flags to the view of what waits. In a job, on a person's machine, or of a folder without any GitLab.

use std::path::Path;

use jiff::tz::TimeZone;

use super::desk::{at_desk, with_desk};
use super::{Printed, Trust};
use crate::cli::queue::View;
use crate::cli::{Global, StatePlace};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::config::ci::Ci;
use crate::domain::ids::ProjectPath;
use crate::domain::integration::Ticket;
use crate::domain::outlook::{AwaitedVerdict, Outlook, Service};
use crate::domain::yard::Yard;
use crate::folder::FolderJournal;
use crate::gitlab::GitLab;
use crate::insights::page::queue::{Sheet, SheetLine, SheetTrial, queue_page};
use crate::jobs::Desk;
use crate::outcome::Problem;
use crate::ports::{Answer, Clock, Journal};
use crate::report::{self, QueueView};
use crate::simulate::forecast::forecast;

/// Shows the queue.
pub(super) fn run(global: &Global, view: &View) -> Answer<Printed> {
    match (&view.project, &global.state) {
        (None, StatePlace::Folder(folder)) if !Ci::is_a_job() => of_folder(folder, view),
        (None, _) => with_desk(global, Trust::Gate, |desk| at_the_desk(desk, view)),
        (Some(project), _) => {
            let ci = of_a_person(global, project)?;
            at_desk(&ci, global, Trust::Gate, |desk| at_the_desk(desk, view))
        }
    }
}

/// The surroundings of a command that a person gives outside of a job.
pub(super) fn of_a_person(global: &Global, project: &ProjectPath) -> Answer<Ci> {
    let server = global.server.as_deref().ok_or_else(|| {
        Problem::misconfigured(
            "`--project` needs `--server`: the address of the GitLab that the project is on",
            "add `--server https://gitlab.example.com`",
        )
    })?;
    let ci = Ci::of_a_person(server, project.clone())?.with_a_token()?;
    let (id, branch) = GitLab::new(&ci, &SystemClock, Trust::Gate)?.place()?;
    Ok(ci.of_project(id, branch))
}

/// Asks GitLab the one question that the log leaves open: is the holder there, or else does a worker come?
fn at_the_desk(desk: &Desk<'_>, flags: &View) -> Answer<Printed> {
    let yard = desk.journal.read()?.yard();
    let servable = is_servable(&yard, desk.config);
    let (holder, coming) = match &yard.nrt.lease {
        Some(lease) => (Some(desk.records.liveness(&lease.holder)?), None),
        None if servable => (None, Some(desk.workers.one_is_coming()?)),
        None => (None, None),
    };
    let service = Service::of(&yard, servable, holder, coming);
    show(&yard, service, desk.config, &desk.ci.server, flags)
}

/// A folder says everything but whether somebody serves its queue.
fn of_folder(folder: &Path, flags: &View) -> Answer<Printed> {
    if !folder.is_dir() {
        return Err(Problem::misconfigured(
            format!(
                "there is no folder `{}` to read the queue from",
                folder.display()
            ),
            "check the path of `--state dir:PATH`",
        ));
    }
    let yard = FolderJournal::open(folder)?.read()?.yard();
    let rules = Path::new(crate::config::FILE);
    let config = if rules.exists() {
        Config::parse(&String::from_utf8_lossy(&crate::files::read(rules)?))?
    } else {
        Config::parse("")?
    };
    let service = Service::of(&yard, is_servable(&yard, &config), None, None);
    show(&yard, service, &config, "", flags)
}

fn is_servable(yard: &Yard, config: &Config) -> bool {
    let freezes = &config.integration.freezes;
    yard.servable(freezes, SystemClock.now()).next().is_some()
}

fn show(
    yard: &Yard,
    service: Service,
    config: &Config,
    server: &str,
    flags: &View,
) -> Answer<Printed> {
    let (policy, freezes) = (&config.nrt.trials, &config.integration.freezes);
    let now = SystemClock.now();
    let verdict = AwaitedVerdict::of(yard, &config.nrt.deciders);
    let outlook = Outlook::of(yard, policy, freezes, now, service);
    let foretold = service
        .goes_on()
        .then(|| forecast(yard, policy, freezes, now));
    let view = QueueView {
        outlook: &outlook,
        verdict: verdict.as_ref(),
        forecast: foretold.as_ref(),
        now,
        zone: &config.notification.rules.calendar.zone,
        width: width(),
    };
    match &flags.html {
        _ if flags.json => Ok(Printed::text(report::queue_json(&view))),
        None => Ok(Printed::text(report::queue_table(&view))),
        Some(path) => {
            let page = queue_page(&sheet(&view, &config.nrt.environment, server));
            crate::files::write_whole(path, &page)?;
            let waiting = outlook.lines.len();
            let said = format!("wrote `{}`: {waiting} waiting", path.display());
            Ok(Printed::text(said))
        }
    }
}

/// The view in the words of the page.
fn sheet(view: &QueueView<'_>, environment: &str, server: &str) -> Sheet {
    let yard = view.outlook.yard;
    let line = |ticket: &Ticket, rank: Option<usize>, why: String| {
        let set = &ticket.change_set;
        let id = &set.merge_request;
        let landing = view.landing(id);
        SheetLine {
            rank,
            name: view.name(id),
            url: address(server, &id.project, &format!("merge_requests/{}", id.iid)),
            title: set.title.clone(),
            author: set.author.to_string(),
            lane: set.priority.to_string(),
            since: ticket.queued_at,
            landing: landing.map(|landing| (landing.p50, landing.p85)),
            why,
        }
    };
    let tested = view.outlook.under_test();
    let tested: Vec<SheetLine> = tested
        .map(|ticket| line(ticket, None, String::new()))
        .collect();
    let lease = yard.nrt.lease.as_ref();
    Sheet {
        environment: environment.to_owned(),
        holder: report::holder_words(&QueueView {
            zone: &TimeZone::UTC,
            ..*view
        }),
        holder_url: lease.and_then(|lease| {
            let pipeline = format!("pipelines/{}", lease.holder.pipeline);
            address(server, &lease.holder.project, &pipeline)
        }),
        verdict: report::verdict_words(&QueueView {
            zone: &TimeZone::UTC,
            ..*view
        }),
        paused: report::pause_words(view),
        taken_since: lease.map(|lease| lease.granted_at),
        trial: yard.nrt.trial.as_ref().map(|trial| SheetTrial {
            number: trial.id.to_string(),
            commit: trial.candidate.commit.short().to_string(),
            since: trial.started_at,
            state: report::trial_state(trial, view.verdict),
            lines: tested,
        }),
        lines: view
            .outlook
            .lines
            .iter()
            .map(|one| {
                line(
                    one.ticket,
                    Some(one.rank),
                    report::reasons_words(&one.reasons),
                )
            })
            .collect(),
        basis: view.basis(),
        now: view.now,
        newest: yard.last,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn address(server: &str, project: &ProjectPath, of: &str) -> Option<String> {
    (!server.is_empty()).then(|| format!("{server}/{project}/-/{of}"))
}

/// How many letters a line of the terminal holds; none where stdout is no terminal.
fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
}
