//! Running one script: its output streamed, its end awaited, its whole process group ended when it must stop early.

use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::runs::{Run, Runs, signal};

/// How often a running script is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// The same once it has closed its output: it is about to end.
const SOON: Duration = Duration::from_millis(1);

/// Why a script is stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Canceled,
    TimedOut,
    Killed,
}

/// How a script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Exit(i32),
    Stopped(Stop),
}

/// Runs a command to its end. `output` gets what it prints; `stop` is asked again and again whether it must end.
pub(super) fn run(
    mut command: Command,
    runs: &Runs,
    run: &Run,
    grace: Duration,
    mut output: impl FnMut(&[u8]) + Send,
    stop: impl Fn() -> Option<Stop>,
) -> io::Result<End> {
    let (mut reader, writer) = io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0);
    let mut child = command.spawn()?;
    // The command holds the writing end of the pipe; without it the reader sees the end.
    drop(command);
    let group = i32::try_from(child.id())
        .map(Pid::from_raw)
        .map_err(io::Error::other)?;
    run.set_group(Some(group));
    let silent = AtomicBool::new(false);
    let end = thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                output(&buffer[..count]);
            }
            silent.store(true, Ordering::SeqCst);
            runs.ring();
        });
        let pause = || {
            if silent.load(Ordering::SeqCst) {
                SOON
            } else {
                GLANCE
            }
        };
        let end = wait(&mut child, group, (runs, &pause), run, grace, stop);
        // Whatever the script left behind must not outlive the job, nor hold the pipe.
        signal(group, Signal::SIGKILL);
        end
    });
    run.set_group(None);
    end
}

fn wait(
    child: &mut Child,
    group: Pid,
    (runs, pause): (&Runs, &dyn Fn() -> Duration),
    run: &Run,
    grace: Duration,
    stop: impl Fn() -> Option<Stop>,
) -> io::Result<End> {
    let glance = |child: &mut Child| -> io::Result<Option<ExitStatus>> {
        let ended = child.try_wait()?;
        if ended.is_none() {
            runs.wait(pause());
        }
        Ok(ended)
    };
    let reason = loop {
        if let Some(status) = glance(child)? {
            return Ok(if run.is_killed() {
                End::Stopped(Stop::Killed)
            } else {
                End::Exit(exit_code(status))
            });
        }
        if run.is_killed() {
            break Stop::Killed;
        }
        if let Some(reason) = stop() {
            break reason;
        }
    };
    if reason != Stop::Killed {
        signal(group, Signal::SIGTERM);
        let mut left = grace;
        while !left.is_zero() && !run.is_killed() {
            if glance(child)?.is_some() {
                return Ok(End::Stopped(reason));
            }
            left = left.saturating_sub(GLANCE);
        }
    }
    signal(group, Signal::SIGKILL);
    child.wait()?;
    Ok(End::Stopped(reason))
}

fn exit_code(status: ExitStatus) -> i32 {
    let by_signal = status.signal().map(|signal| 128 + signal);
    status.code().or(by_signal).unwrap_or(1)
}
