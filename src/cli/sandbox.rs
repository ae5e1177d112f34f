//! Flags of the commands that run the embedded GitLab.

use std::path::PathBuf;

use clap::Args;

/// Flags of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Print one machine-readable summary instead of the story.
    #[arg(long)]
    pub json: bool,
    /// Keep everything in this folder: repositories, job logs, events, the report.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// Flags of `sandbox`.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// The port on 127.0.0.1; any free one when not given.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub port: u16,
    /// What it holds at the start.
    #[arg(long, value_name = "WHAT", default_value = "empty")]
    pub seed: Seed,
    /// A file whose first line is the token of `root`; a fresh token when not given.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Say where it is as one line of JSON, also on a terminal.
    #[arg(long)]
    pub json: bool,
    /// Which GitLab it is: routes, fields and variables that are newer are not there.
    #[arg(long, value_name = "VERSION", default_value_t)]
    pub gitlab_version: trainyard_emulator::Version,
    /// How many jobs its own runner executes at a time.
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    pub concurrency: u8,
    /// Leave all jobs to runners that register from outside.
    #[arg(long, conflicts_with = "concurrency")]
    pub no_runner: bool,
}

/// What the sandbox holds at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Seed {
    /// Nobody but the administrator `root`.
    Empty,
    /// The demo's people and their project, before the story.
    Shop,
    /// The demo's people and project as the story leaves them.
    Story,
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::Parser;

    #[test]
    fn the_sandbox_is_a_gitlab_of_a_version_that_exists() {
        let sandbox =
            |version| Cli::try_parse_from(["trainyard", "sandbox", "--gitlab-version", version]);
        assert!(sandbox("17.11").is_ok());
        let error = sandbox("16.3").unwrap_err().to_string();
        assert!(error.contains("18.0 to 18.11"), "{error}");
    }
}
