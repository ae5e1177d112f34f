//! From a parsed command line to an outcome: connects ports, reads the project's rules, starts the job.

mod history;
mod lease;
mod logs;
mod members;
mod queue;
mod queue_controls;
mod releases;
mod simulate;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::channels::Post;
use crate::ci_reports::log::{self, Manner};
use crate::cli::queue::Queue;
use crate::cli::{
    Acquire, AwaitValidation, Cli, Command, Global, Notify, NrtLock, Remind, Report, StatePlace,
};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::config::ci::{Ci, JobLog};
use crate::domain::event::Event;
use crate::domain::ids::{BranchName, FeatureId, ProjectPath};
use crate::domain::notification::rounds::Mode;
use crate::domain::validation::Decision;
use crate::files;
use crate::folder::FolderJournal;
use crate::git::{Destination, WorkTree};
use crate::gitlab::door::Door;
use crate::gitlab::{GitLab, Trust};
use crate::insights::page::{Frame, page};
use crate::insights::{self, Insights, Period};
use crate::jobs::await_validation::verdict::Wish;
use crate::jobs::nrt_lock::acquire::Files;
use crate::jobs::nrt_lock::trial_pipeline::Runtime;
use crate::jobs::release::pinned;
use crate::jobs::{
    Desk, Done, Members, append_to_version, archive, await_validation, link_check, nrt_lock, post,
    remind, tick,
};
use crate::outcome::{ExitCode, Outcome, Problem};
use crate::ports::{Answer, Append, Clock, Journal, Log, Policies};
use crate::signals::Terminated;
use crate::sinks::cloud_event;
use crate::{ci_reports, model, report};
use logs::LogsOf;
use members::{Fleet, Surroundings};

/// The file of events that a job leaves as its artifact.
const EVENTS_FILE: &str = "trainyard-events.ndjson";

/// Where a command prints to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdout {
    /// A terminal or a pipe: in a job, its log.
    Stream,
    /// A file.
    File,
}

/// What a command prints and how it ends.
#[derive(Debug)]
pub struct Printed {
    /// For stdout.
    pub text: String,
    /// The exit status.
    pub code: ExitCode,
}

impl Printed {
    fn text(text: String) -> Self {
        Self {
            text,
            code: ExitCode::Open,
        }
    }
}

/// Runs one command.
///
/// # Errors
/// The problem, for whoever must act.
pub fn run(cli: Cli, stdout: Stdout) -> Answer<Printed> {
    let Cli {
        command,
        mut global,
    } = cli;
    if let Command::NrtLock(NrtLock::Admit {
        merge_request,
        project,
    }) = &command
    {
        // One of another project is read there.
        let here = project.as_ref().is_none_or(|project| project.0.is_none());
        let number = merge_request.as_ref().and_then(|number| number.0);
        global.about = number.filter(|_| here);
    }
    let job = |command, trust, work: &dyn Fn(&Desk<'_>) -> Answer<Done>| {
        job(&global, stdout, command, trust, work)
    };
    let gate = |command, work: &dyn Fn(&Desk<'_>) -> Answer<Done>| {
        job(command, Trust::Gate, &|desk| and_tell(desk, work))
    };
    match command {
        Command::LinkCheck => job("link-check", Trust::MergeRequest, &link_check::run),
        Command::AwaitValidation(flags) => job("await-validation", Trust::MergeRequest, &|desk| {
            validation(desk, &flags)
        }),
        Command::NrtLock(NrtLock::Enqueue { gate }) => {
            let yard = gate.and_then(|gate| gate.0);
            let trust = match &yard {
                Some(_) => Trust::MergeRequest,
                None => Trust::WakeUp,
            };
            job("nrt-lock enqueue", trust, &|desk| {
                nrt_lock::enqueue::run(desk, yard.as_ref())
            })
        }
        Command::NrtLock(NrtLock::Admit {
            merge_request,
            project,
        }) => {
            let number = merge_request.and_then(|number| number.0);
            let project = project.and_then(|project| project.0);
            gate("nrt-lock admit", &|desk| {
                nrt_lock::admit::run(desk, project.as_ref(), number)
            })
        }
        Command::NrtLock(NrtLock::Acquire(flags)) => {
            let runtime = runtime(&global, &flags);
            gate("nrt-lock acquire", &|desk| {
                nrt_lock::acquire::run(
                    desk,
                    &Terminated::listen()?,
                    Files {
                        pipeline: &flags.output,
                        dotenv: &flags.dotenv,
                    },
                    &runtime,
                )
            })
        }
        Command::NrtLock(NrtLock::Ask(flags)) => gate("nrt-lock ask", &|desk| {
            nrt_lock::ask::run(desk, flags.epoch)
        }),
        Command::NrtLock(NrtLock::Conclude(flags)) => gate("nrt-lock conclude", &|desk| {
            nrt_lock::conclude::run(desk, flags.epoch, &verdict::given(&flags))
        }),
        Command::NrtLock(NrtLock::Break(flags)) => gate("nrt-lock break", &|desk| {
            let reason = flags.reason.as_deref().or(desk.ci.reason.as_deref());
            nrt_lock::breaking::run(desk, reason)
        }),
        Command::NrtLock(NrtLock::Release(flags)) => gate("nrt-lock release", &|desk| {
            nrt_lock::release::run(desk, flags.epoch)
        }),
        Command::AppendToVersion(flags) => gate("append-to-version", &|desk| {
            append_to_version::run(desk, flags.epoch)
        }),
        Command::Release(command) => releases::run(&global, stdout, command),
        Command::Remind(flags) if flags.json => {
            with_desk(&global, Trust::Gate, |desk| remind_json(desk, &flags))
        }
        Command::Remind(flags) => job("remind", Trust::Gate, &|desk| remind(desk, &flags)),
        Command::Tick => gate("tick", &|desk| Ok(pinned::at_tick(desk, tick::run(desk)?))),
        Command::Repair(flags) => lease::repair(&global, stdout, &flags),
        Command::Notify(flags) => with_desk(&global, Trust::Gate, |desk| notify(desk, &flags)),
        Command::Queue(Queue {
            order: Some(order), ..
        }) => queue_controls::run(&global, stdout, &order),
        Command::Queue(Queue { view, order: None }) => queue::run(&global, &view),
        Command::Version(flags) => releases::version(&global, &flags),
        Command::Report(flags) => draw(&global, &flags),
        Command::Events(flags) => history::events(&global, &flags),
        Command::Simulate(flags) => simulate::run(&flags),
        Command::Model => Ok(Printed::text(model::markdown())),
        #[cfg(feature = "sandbox")]
        Command::Demo(_) | Command::Sandbox(_) => {
            Err(Problem::bug("the sandbox commands are started by `main`"))
        }
    }
}

fn validation(desk: &Desk<'_>, flags: &AwaitValidation) -> Answer<Done> {
    let reason = flags.reason.as_deref().or(desk.ci.reason.as_deref());
    let (decision, role) = match (&flags.verdict.approve, &flags.verdict.reject) {
        (Some(role), _) => (Decision::Validate, role),
        (None, Some(role)) => (Decision::Reject, role),
        (None, None) => return await_validation::run(desk),
    };
    await_validation::verdict::run(
        desk,
        Wish {
            decision,
            role,
            reason: reason
                .map(str::trim)
                .filter(|text| decision == Decision::Reject && !text.is_empty()),
        },
    )
}

/// Our own jobs in a trial's pipeline are called as this one was.
fn runtime(global: &Global, flags: &Acquire) -> Runtime {
    let mut command = "trainyard".to_owned();
    if let Some(server) = &global.server {
        command.push_str(&format!(" --server {server}"));
    }
    if let StatePlace::Folder(path) = &global.state {
        command.push_str(&format!(" --state dir:{}", path.display()));
    }
    if let Some(name) = global.environment() {
        command.push_str(&format!(" --environment {name}"));
    }
    Runtime {
        image: flags.image.clone(),
        tags: flags.tags.clone(),
        command,
    }
}

/// Runs a job, leaves its events and reports, and prints its outcome.
fn job(
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
fn and_tell(desk: &Desk<'_>, work: &dyn Fn(&Desk<'_>) -> Answer<Done>) -> Answer<Done> {
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

fn mode(flags: &Remind) -> Mode {
    if flags.dry_run { Mode::Dry } else { Mode::Real }
}

fn remind(desk: &Desk<'_>, flags: &Remind) -> Answer<Done> {
    let (rounds, events) = remind::run(desk, mode(flags))?;
    let zone = &desk.config.notification.rules.calendar.zone;
    let waiting = rounds.waiting.iter();
    let merge_requests: BTreeSet<_> = waiting
        .filter_map(|(waiting, _)| waiting.about.merge_request().cloned())
        .collect();
    let links: Vec<_> = merge_requests.into_iter().collect();
    let outcome = report::reminded(&rounds, mode(flags), zone, desk.clock.now());
    Ok(Done {
        outcome: outcome.seeing(report::change_set_links(&links, &desk.ci.server)),
        events,
    })
}

fn remind_json(desk: &Desk<'_>, flags: &Remind) -> Answer<Printed> {
    let (rounds, events) = remind::run(desk, mode(flags))?;
    leave_events(desk.ci, &events)?;
    let text = report::reminded_json(&rounds, desk.clock.now());
    Ok(Printed::text(text))
}

fn notify(desk: &Desk<'_>, flags: &Notify) -> Answer<Printed> {
    let channel = &flags.test;
    let channels = &desk.config.notification.channels;
    if !channels.contains_key(channel) {
        let known: Vec<String> = channels.keys().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        return Err(Problem::misconfigured(
            format!("there is no channel `{channel}`; `notification.channels` defines {known}"),
            "name one of them, or define it in `.trainyard.yml` on the default branch",
        ));
    }
    let letter = post::test_letter(desk, channel);
    if flags.dry_run {
        let post = Post::new(channels, desk.ci, desk.clock);
        return Ok(Printed::text(
            post.preview(channel, &[letter]).unwrap_or_default(),
        ));
    }
    match desk.channels.deliver(channel, &[letter]).failure {
        None => Ok(Printed::text(format!(
            "ok: the channel `{channel}` took a test message"
        ))),
        Some(failure) => Err(Problem::misconfigured(
            format!(
                "the channel `{channel}` took no test message: {}",
                failure.reason
            ),
            failure.mend,
        )),
    }
}

/// Folded only where GitLab's log viewer reads it.
fn manner(ci: &Ci, stdout: Stdout, command: &str) -> Manner {
    match (ci.log, stdout) {
        (JobLog::Elsewhere, _) | (_, Stdout::File) => Manner::Plain,
        (JobLog::OfGitLab { colour }, Stdout::Stream) => Manner::Folded {
            command: command.to_owned(),
            second: SystemClock.now().as_second(),
            colour,
        },
    }
}

fn with_desk<T>(
    global: &Global,
    trust: Trust,
    work: impl FnOnce(&Desk<'_>) -> Answer<T>,
) -> Answer<T> {
    let ci = Ci::from_environment(global.server.as_deref())?;
    at_desk(&ci, global, trust, work)
}

fn at_desk<T>(
    ci: &Ci,
    global: &Global,
    trust: Trust,
    work: impl FnOnce(&Desk<'_>) -> Answer<T>,
) -> Answer<T> {
    let clock = SystemClock;
    let gitlab = GitLab::new(ci, &clock, trust)?;
    let asked = global.environment();
    let destination = ci.gate_token.as_ref().map(|token| Destination {
        address: ci.git_address(),
        token: token.clone(),
        ca: ci.ca_file.clone(),
    });
    let tree = WorkTree::at(&ci.directory).pushing_to(destination);
    let config = rules(ci, &gitlab, &tree, trust, global.about)?;
    let (config, door) = match (trust, config.gate.project.clone()) {
        (Trust::Gate, None) => {
            let config = config.at_environment(asked)?;
            let door = Door::own(ci).within(&config);
            (config, door)
        }
        (Trust::Gate, Some(yard)) => return Err(gate_is_elsewhere(ci, &yard)),
        (Trust::MergeRequest | Trust::WakeUp, None) => {
            (config, Door::own(ci).of_environment(asked))
        }
        (Trust::MergeRequest | Trust::WakeUp, Some(yard)) => {
            let door = Door::of_yard(ci, &yard, config.gate.branch.as_ref());
            (config, door.of_environment(asked))
        }
    };
    let gitlab = gitlab.waking(door);
    let channels = Post::new(&config.notification.channels, ci, &clock);
    let variables;
    let folder;
    let journal: &dyn Journal = match (trust, &global.state) {
        (Trust::MergeRequest | Trust::WakeUp, _) => &NoJournal,
        (Trust::Gate, StatePlace::GitLab) => {
            variables = gitlab.journal(&config.nrt.environment);
            &variables
        }
        (Trust::Gate, StatePlace::Folder(path)) => {
            let several = !config.nrt.environments.is_empty();
            let of_environment = several.then(|| path.join(&config.nrt.environment));
            folder = FolderJournal::open(of_environment.as_deref().unwrap_or(path))?;
            &folder
        }
    };
    let logs = LogsOf {
        gitlab: &gitlab,
        place: &global.state,
    };
    let surroundings = Surroundings::of(&config.gate.projects);
    let shared = (ci, &config);
    let fleet = Fleet::new(
        &surroundings,
        shared,
        &gitlab,
        &clock,
        &channels,
        (journal, &logs),
    );
    let members: Option<&dyn Members> = match trust {
        Trust::Gate if config.is_yard() => Some(&fleet),
        Trust::Gate | Trust::MergeRequest | Trust::WakeUp => None,
    };
    work(&Desk {
        ci,
        config: &config,
        may_look_up: gitlab.may_look_up(),
        clock: &clock,
        merge_requests: &gitlab,
        features: &gitlab,
        records: &gitlab,
        changes: &gitlab,
        people: &gitlab,
        traces: &gitlab,
        proposals: &gitlab,
        workers: &gitlab,
        boards: &gitlab,
        announcements: &gitlab,
        channels: &channels,
        releases: &gitlab,
        milestones: &gitlab,
        pins: &gitlab,
        files: &gitlab,
        commits: &tree,
        candidates: &tree,
        picks: &tree,
        journal,
        logs: &logs,
        members,
    })
}

fn gate_is_elsewhere(ci: &Ci, yard: &ProjectPath) -> Problem {
    Problem::misconfigured(
        format!(
            "this is a command of the gate, and `gate.project` says that the gate of `{}` is in `{yard}`",
            ci.project
        ),
        format!(
            "run it in a pipeline of `{yard}`; a member includes `member.yml` of the templates, and no gate jobs"
        ),
    )
}

/// The project's rules, from the target branch and never from a merge request's work tree. A gate job runs on the protected
/// default branch, so the commit it was started for is such a source where the job has a clone; where it has none, they come with the
/// log.
fn rules(
    ci: &Ci,
    gitlab: &GitLab<'_>,
    tree: &WorkTree,
    trust: Trust,
    about: Option<u64>,
) -> Answer<Config> {
    let branch: &BranchName = ci
        .merge_request
        .as_ref()
        .map_or(&ci.default_branch, |mr| &mr.target);
    let local = match trust {
        // What a tag names may be an old commit, and then it has old rules.
        Trust::Gate if ci.protected && ci.tag.is_none() => {
            tree.file_at(&ci.commit, crate::config::FILE)
        }
        Trust::WakeUp => Some(String::new()),
        Trust::Gate | Trust::MergeRequest => None,
    };
    match local {
        Some(text) => Config::parse(&text),
        None if trust == Trust::Gate => {
            Config::parse(&gitlab.open_up(branch, about)?.unwrap_or_default())
        }
        None => Config::parse(&gitlab.policy(branch)?.unwrap_or_default()),
    }
}

/// Jobs of a merge request pipeline hold no state: they have no token for it.
#[derive(Debug)]
struct NoJournal;

impl Journal for NoJournal {
    fn read(&self) -> Answer<Log> {
        Err(Problem::bug("a merge request job asked for the log"))
    }

    fn append(&self, _decided_on: u64, _events: &[Event]) -> Answer<Append> {
        Err(Problem::bug("a merge request job wrote to the log"))
    }
}

/// GitLab hands a job the artifacts of the jobs before it: only this job's own events are left in its file.
fn leave_events(ci: &Ci, events: &[Event]) -> Answer<()> {
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

/// Draws what happened, from the log and from the events that jobs left as artifacts.
fn draw(global: &Global, flags: &Report) -> Answer<Printed> {
    let mut events = Vec::new();
    let mut frame = Frame {
        rebuild: rebuild_command(flags),
        ..own_frame()
    };
    if !flags.offline {
        let (history, titles, urls) = with_desk(global, Trust::Gate, |desk| {
            let history = archive::history(desk.journal, flags.span.begins())?;
            let (titles, urls) = titles(desk, &history.events)?;
            Ok((history, titles, urls))
        })?;
        for missing in &history.missing {
            tracing::warn!("the report is not whole: {missing}");
        }
        (events, frame.missing) = (history.events, history.missing);
        (frame.titles, frame.urls) = (titles, urls);
    }
    for path in &flags.events {
        let reading = cloud_event::read_lines(&files::read(path)?);
        for bad in &reading.bad {
            tracing::warn!(file = %path.display(), line = bad.number, problem = %bad.error, "not an event; left out");
        }
        frame.unreadable.extend(
            reading
                .bad
                .iter()
                .map(|bad| (bad.number, bad.error.to_string())),
        );
        frame.foreign += reading.foreign.len();
        events.extend(reading.events);
    }
    let insights = all_of(&events, SystemClock.now());
    if flags.json {
        let text = serde_json::to_string_pretty(&insights)
            .map_err(|error| Problem::bug("the insights cannot be written").caused_by(error))?;
        return Ok(Printed::text(text));
    }
    let rejected = frame.unreadable.len();
    files::write_whole(&flags.output, &page(&insights, &frame))?;
    let note = if rejected > 0 {
        format!("; {rejected} lines were no events and are named on the page")
    } else {
        String::new()
    };
    Ok(Printed::text(format!(
        "wrote `{}` from {} events{note}",
        flags.output.display(),
        insights.events.read
    )))
}

/// The page of these events, for features whose titles are known.
pub fn page_of(events: &[Event], titles: BTreeMap<FeatureId, String>, now: Timestamp) -> String {
    page(
        &all_of(events, now),
        &Frame {
            titles,
            rebuild: "trainyard demo --keep DIR".to_owned(),
            ..own_frame()
        },
    )
}

fn all_of(events: &[Event], now: Timestamp) -> Insights {
    insights::insights(
        events,
        now,
        Period {
            from: None,
            to: now,
        },
    )
}

fn own_frame() -> Frame {
    Frame {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Frame::default()
    }
}

/// Titles and addresses of the features that everybody who reads the page may know.
fn titles(
    desk: &Desk<'_>,
    events: &[Event],
) -> Answer<(BTreeMap<FeatureId, String>, BTreeMap<FeatureId, String>)> {
    let ids: BTreeSet<FeatureId> = events
        .iter()
        .flat_map(|event| event.fact.features())
        .collect();
    let sights = desk.features.sights(&ids.into_iter().collect::<Vec<_>>())?;
    let open = || {
        sights
            .values()
            .filter_map(|sight| sight.seen())
            .filter(|feature| !feature.confidential)
    };
    let titles = open()
        .map(|feature| (feature.id.clone(), feature.title.clone()))
        .collect();
    Ok((
        titles,
        open()
            .map(|feature| (feature.id.clone(), feature.url.clone()))
            .collect(),
    ))
}

fn rebuild_command(flags: &Report) -> String {
    let files: Vec<String> = flags
        .events
        .iter()
        .map(|path| format!(" --events {}", path.display()))
        .collect();
    format!(
        "trainyard report{}{}",
        if flags.offline { " --offline" } else { "" },
        files.concat()
    )
}
