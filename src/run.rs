//! From a parsed command line to an outcome: connects ports, reads the project's rules, starts the job.

mod desk;
mod history;
mod job;
mod lease;
mod logs;
mod members;
mod page;
mod queue;
mod queue_controls;
mod releases;
mod simulate;
mod telling;
mod verdict;

use crate::cli::queue::Queue;
use crate::cli::{Acquire, AwaitValidation, Cli, Command, Global, NrtLock, StatePlace};
use crate::domain::validation::Decision;
use crate::gitlab::Trust;
use crate::jobs::await_validation::verdict::Wish;
use crate::jobs::nrt_lock::acquire::Files;
use crate::jobs::nrt_lock::trial_pipeline::Runtime;
use crate::jobs::release::pinned;
use crate::jobs::{Desk, Done, append_to_version, await_validation, link_check, nrt_lock, tick};
use crate::model;
use crate::outcome::ExitCode;
use crate::ports::Answer;
use crate::signals::Terminated;

use desk::with_desk;
use job::{and_tell, job};
use page::draw;
use telling::{notify, remind, remind_json};

pub use page::page_of;

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
        Command::Demo(_) | Command::Sandbox(_) => Err(crate::outcome::Problem::bug(
            "the sandbox commands are started by `main`",
        )),
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
