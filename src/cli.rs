//! Commands and flags. The doc comments are the help text.

pub mod history;
mod lease;
mod nrt_lock;
pub mod queue;
pub mod queue_controls;
pub mod release;
#[cfg(feature = "sandbox")]
mod sandbox;
mod simulate;
mod telling;
mod validation;
pub mod verdict;
pub mod what_if;
pub mod yard;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use history::Report;
pub use lease::{Break, Repair};
pub use nrt_lock::{Acquire, NrtLock, OptionalNumber, Trial};
pub use release::{Asked, Release, ReleaseCommand, ShowVersion};
#[cfg(feature = "sandbox")]
pub use sandbox::{Demo, Sandbox, Seed};
pub use simulate::Simulate;
pub use telling::{Notify, Remind};
pub use validation::{AwaitValidation, AwaitValidationVerdict};

/// Takes features from their GitLab issue to production: links, validations, one queue for one test environment, versions.
///
/// Most commands run as jobs of GitLab CI and take everything from the job's environment and from `.trainyard.yml` on the target
/// branch. To see the whole story without a GitLab, run `trainyard demo`.
///
/// Exit codes: 0 the gate is open, 1 refused by a rule, 2 usage or configuration, 3 still waiting, 4 GitLab unreachable or denying
/// access, 70 our bug, 143 ended by GitLab (SIGTERM) after giving back what it held.
#[derive(Debug, Parser)]
#[command(
    name = "trainyard",
    version,
    max_term_width = 110,
    propagate_version = false,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The GitLab that this job is for; no token is sent to any other one.
    ///
    /// A literal in the trusted CI file: pipeline variables can override what the environment says.
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Where the state is kept: `gitlab` (CI variables of the project) or `dir:PATH` (a folder, for a single machine).
    #[arg(long, global = true, value_name = "WHERE", default_value = "gitlab")]
    pub state: StatePlace,
    /// The NRT environment that the job is for, where `nrt.environments` in `.trainyard.yml` has several.
    ///
    /// A literal in the trusted CI file; an empty one says nothing.
    #[arg(long, global = true, value_name = "NAME", value_parser = yard::environment)]
    pub environment: Option<yard::OptionalEnvironment>,
    /// How the job's log lines are written.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// The merge request that the command is about: read together with the rules.
    #[arg(skip)]
    pub about: Option<u64>,
}

/// Where the state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatePlace {
    /// CI variables of the project.
    GitLab,
    /// A folder.
    Folder(PathBuf),
}

impl std::str::FromStr for StatePlace {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "gitlab" => Ok(Self::GitLab),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            _ => Err("it may be `gitlab` or `dir:PATH`".to_owned()),
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that the merge request's links to features are in order (merge request pipeline).
    ///
    /// The description says `contributes to feature #34` or `closes feature #42`; several references may follow, separated by
    /// commas, "and" or "&", also as `project#34`, `group/project#34` or an issue's address, or in a list below the words. Code,
    /// HTML comments, quotations and struck-out text do not count. One open merge request at most closes a feature: the one with
    /// the lowest number keeps it. Every refusal gives the line as it would be accepted.
    ///
    /// Whether a link is required, and who is exempt: `features.links` and `features.exempt` in `.trainyard.yml`.
    ///
    /// Needs `CI_JOB_TOKEN`; with `TRAINYARD_TOKEN` it also looks the features up and keeps the note on the merge request. It says
    /// what it could not check; the gate checks everything again.
    ///
    /// Leaves each rule as a test case in `trainyard-junit.xml`, links in `trainyard-annotations.json`, and what the links are, for later
    /// jobs, in `trainyard-links.env`. A report that cannot be written is a warning.
    LinkCheck,
    /// Check that every role has validated this content; or give a verdict (merge request pipeline).
    ///
    /// Without flags: the gate after the manual jobs. With `--approve ROLE` or `--reject ROLE`: the script of the manual jobs
    /// `validate:<role>` and `reject:<role>`. The verdict is GitLab's record that a person of the role played that job on this
    /// commit; it holds until the content of the merge request changes.
    ///
    /// Needs `CI_JOB_TOKEN`; with `TRAINYARD_TOKEN` it also sees who played and shows the acceptance criteria. Waits for nobody: while a
    /// role is missing it ends with exit code 3.
    AwaitValidation(AwaitValidation),
    /// The queue for the one environment of the non-regression tests (NRT), and the environment itself.
    ///
    /// `enqueue` asks, `admit` gives a ticket, `acquire` begins a trial, `conclude` judges it, `release` ends it; `break` is for people
    /// when it hangs.
    #[command(subcommand)]
    NrtLock(NrtLock),
    /// Land what the trial validated and append it to the open version (last step of a trial's pipeline).
    ///
    /// Checks that nothing moved since the trial, merges, checks that what landed is what was tested, and records it. Run again, it
    /// changes nothing. Needs `TRAINYARD_GATE_TOKEN`.
    AppendToVersion(Trial),
    /// Release the open version (pipeline of the default branch).
    ///
    /// `preview` shows it, `prepare` freezes it, your own job deploys it, `publish` or `abort` ends it. Needs `TRAINYARD_GATE_TOKEN`.
    Release(ReleaseCommand),
    /// Tell what is due: messages that were held back, and reminders of what has waited too long (scheduled pipeline).
    ///
    /// Reads what waits from the log and from the open merge requests: validations, stale drafts, tickets, the lease, a release
    /// that is not finished, trouble that nobody answers. Mentions the people on the merge request, and tells the channels of
    /// `notification` in `.trainyard.yml`. Run twice, it tells nothing twice.
    Remind(Remind),
    /// See that the queue goes on: admit requests whose wake-up was lost, and start a worker where one is missing (scheduled pipeline).
    ///
    /// Looks at the open merge requests that name a feature, and asks GitLab whether the run that has the environment is still there. Run
    /// twice, it does nothing twice. Needs `TRAINYARD_GATE_TOKEN` and `TRAINYARD_TRIGGER_TOKEN`.
    Tick,
    /// Put the state right after somebody deleted or garbled it, from what GitLab knows (pipeline of the default branch).
    ///
    /// Shows what is wrong, what would be written and what cannot be recovered; writes with `--write` only. What cannot be read is moved
    /// aside and never deleted; tickets are given by the same checks as ever. Waits for a run that uses the environment (exit code 3).
    /// Run twice, it changes nothing the second time. Needs `TRAINYARD_GATE_TOKEN`.
    Repair(Repair),
    /// Send a test message to one channel, and say what it answered.
    Notify(Notify),
    /// Show the queue now: who has the NRT environment, what is tried, who waits and why, and when each may land. Or steer it.
    ///
    /// Reads the log, and asks GitLab one question: is the holder still there, or is a worker on its way? Changes nothing. On a person's
    /// machine give `--server` and `--project`; a folder (`--state dir:PATH`) is read without a GitLab.
    ///
    /// An order (`hold`, `pause`, ...) says who gave it and why, on the merge request and in the log; none of them lets anything land
    /// untested.
    ///
    /// Needs `TRAINYARD_GATE_TOKEN`, but for the view of a folder outside of a job.
    Queue(queue::Queue),
    /// Print the open version: what it holds, the number it would get and why, and whether the commits agree.
    ///
    /// In a clone, what is merged since the last tag is compared with what the log says; what came around the gate is listed. Changes
    /// nothing. Needs `TRAINYARD_GATE_TOKEN`.
    Version(ShowVersion),
    /// Draw what happened: one self-contained HTML page, or the numbers as JSON.
    Report(Report),
    /// Print what happened, one CloudEvent a line: for `report --events` and `simulate --from-events`, and for programs of your own.
    ///
    /// Reads the archive, which is in the project's package registry, and the log. Names every package that is missing or was changed.
    /// Needs `TRAINYARD_GATE_TOKEN`.
    Events(history::Events),
    /// Play arrivals through the queue's own rules: how long change sets would wait, and what the environment can bear.
    ///
    /// The unit of time is D, one trial: deployment, tests, verdict. Every figure is compared with a clairvoyant who knows which change
    /// sets are bad and has the same one environment. The same seed gives the same figures.
    ///
    /// With `--from-events` it replays what happened to a project instead, and what would have happened otherwise.
    Simulate(Simulate),
    /// Print the event model: glossary, event-storming boards (Mermaid) and the table of events.
    Model,
    /// Play the whole story on an embedded GitLab: from feature to production, job by job.
    #[cfg(feature = "sandbox")]
    Demo(Demo),
    /// Run the embedded GitLab as a server of its own until interrupted.
    #[cfg(feature = "sandbox")]
    Sandbox(Sandbox),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }
}
