//! Parses, runs, prints, returns the exit code. Nothing to test.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;
#[cfg(feature = "sandbox")]
use trainyard::cli::Command;
use trainyard::cli::{Cli, LogFormat};
use trainyard::outcome::Problem;
use trainyard::run::{Printed, Stdout};

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.global.log_format);
    match start(cli) {
        Ok(printed) => {
            // A reader that closed the pipe is no failure of the job.
            let _ = writeln!(std::io::stdout().lock(), "{}", printed.text.trim_end());
            ExitCode::from(printed.code as u8)
        }
        Err(problem) => {
            let _ = writeln!(std::io::stderr().lock(), "error: {}", problem.full_text());
            ExitCode::from(problem.code as u8)
        }
    }
}

fn start(cli: Cli) -> Result<Printed, Problem> {
    match cli.command {
        #[cfg(feature = "sandbox")]
        Command::Demo(flags) => trainyard::demo::run(&flags, &mut std::io::stderr()),
        #[cfg(feature = "sandbox")]
        Command::Sandbox(flags) => trainyard::demo::sandbox::run(&flags),
        _ => trainyard::run::run(cli, stdout()),
    }
}

/// A file gets plain text, whatever the job's log would show.
fn stdout() -> Stdout {
    let file = std::io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .and_then(|stdout| File::from(stdout).metadata());
    match file {
        Ok(data) if data.is_file() => Stdout::File,
        Ok(_) | Err(_) => Stdout::Stream,
    }
}

/// Log lines go to stderr; `RUST_LOG` chooses more or fewer of them.
fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,trainyard=info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Nobody reads what is said about a log that cannot be written.
        .log_internal_errors(false)
        .with_target(false);
    match format {
        LogFormat::Text => log.without_time().with_ansi(false).init(),
        LogFormat::Json => log.json().init(),
    }
}
