//! Commands and flags of the queue and its environment.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::lease::Break;
use super::{verdict, yard};
use crate::domain::ids::Epoch;

/// The queue and the environment.
#[derive(Debug, Subcommand)]
pub enum NrtLock {
    /// Ask for integration: wakes the gate and ends at once (job `integrate` of the merge request pipeline).
    ///
    /// The request itself is this job's success on the merge request's head; the wake-up carries no power.
    Enqueue {
        /// The yard project that the gate is in, where it is in another one; `gate.project` in `.trainyard.yml` must say the same.
        #[arg(long, value_name = "PROJECT", value_parser = yard::project)]
        gate: Option<yard::OptionalProject>,
    },
    /// Verify everything again and give the change set its ticket (first job of a gate pipeline).
    ///
    /// Lists every rule as a test case in `trainyard-junit.xml`. Needs `TRAINYARD_GATE_TOKEN`.
    Admit {
        /// The merge request that asked; without it, every one whose request has no ticket is looked for.
        #[arg(long, value_name = "NUMBER", value_parser = optional_number)]
        merge_request: Option<OptionalNumber>,
        /// The member of the yard that the merge request is of; without it, this project or every member.
        #[arg(long, value_name = "PROJECT", value_parser = yard::project)]
        project: Option<yard::OptionalProject>,
    },
    /// Take the lease, choose the next trial, prepare its candidate, and write the trial's pipeline.
    ///
    /// With nothing to do it writes a pipeline of one green job. Files that cannot be written end it before it takes the lease. Needs
    /// `TRAINYARD_GATE_TOKEN`.
    Acquire(Acquire),
    /// Tell the people who decide that a trial waits for their verdict (job `nrt:ask` of a trial's pipeline).
    ///
    /// Needs `TRAINYARD_GATE_TOKEN`. Run again, it tells nobody twice.
    Ask(Trial),
    /// Say whether a trial passed, as a person (jobs `nrt:validate` and `nrt:reject` of a trial's pipeline).
    ///
    /// GitLab says who plays the job; only people of `nrt.roles` decide. The first verdict counts: the pipeline goes on with it at
    /// once. Needs `CI_JOB_TOKEN` and `TRAINYARD_GATE_TOKEN`.
    Conclude(verdict::Conclude),
    /// Conclude a trial that did not land, give the environment back, and see that whoever waits is served.
    ///
    /// Runs last in every trial, whatever happened; a lease that is over already changes nothing. Needs `TRAINYARD_GATE_TOKEN`.
    Release(Trial),
    /// Take the environment away from a run that hangs (manual job, for maintainers or the roles of `nrt.broken_by`).
    ///
    /// Cancels the run; its change sets wait again at their old places, and their notes tell who broke the lease and why. A run that
    /// merges what it validated is left alone. Needs `TRAINYARD_GATE_TOKEN`, and `CI_JOB_TOKEN` to know who played the job.
    Break(Break),
}

/// A number, or nothing: pipeline inputs that nobody gave are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionalNumber(pub Option<u64>);

fn optional_number(text: &str) -> Result<OptionalNumber, String> {
    match text.trim() {
        "" => Ok(OptionalNumber(None)),
        digits => digits
            .parse()
            .map(|n| OptionalNumber(Some(n)))
            .map_err(|error| format!("not the number of a merge request: {error}")),
    }
}

/// Flags of `nrt-lock acquire`.
#[derive(Debug, Args)]
pub struct Acquire {
    /// Where the trial's pipeline is written.
    #[arg(long, value_name = "FILE", default_value = "trainyard-trial.yml")]
    pub output: PathBuf,
    /// Where the lease is written, for the job that gives it back whatever happens.
    #[arg(long, value_name = "FILE", default_value = "trainyard-nrt.env")]
    pub dotenv: PathBuf,
    /// The image of our own jobs in it.
    #[arg(long, value_name = "IMAGE", default_value = concat!("trainyard:", env!("CARGO_PKG_VERSION")), value_parser = image)]
    pub image: String,
    /// Tags of the runners for our own jobs in it.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
}

/// The reference stands in generated YAML: only what such a reference can hold.
fn image(text: &str) -> Result<String, String> {
    let fits = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "./:@_-".contains(c));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("not the reference of an image".to_owned())
    }
}

/// Flags of commands that act under a lease.
#[derive(Debug, Args)]
pub struct Trial {
    /// The lease under which the trial ran; a literal in the trial's pipeline.
    #[arg(long, value_name = "NUMBER", value_parser = epoch)]
    pub epoch: Epoch,
}

pub(super) fn epoch(text: &str) -> Result<Epoch, std::num::ParseIntError> {
    text.parse().map(Epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    #[test]
    fn an_input_that_nobody_gave_is_no_number() {
        let admit = |value: &str| {
            Cli::try_parse_from(["trainyard", "nrt-lock", "admit", "--merge-request", value])
        };
        assert!(matches!(
            admit("").unwrap().command,
            Command::NrtLock(NrtLock::Admit {
                merge_request: Some(OptionalNumber(None)),
                ..
            })
        ));
        assert!(matches!(
            admit("7").unwrap().command,
            Command::NrtLock(NrtLock::Admit {
                merge_request: Some(OptionalNumber(Some(7))),
                ..
            })
        ));
        assert!(admit("x").is_err());
    }
}
