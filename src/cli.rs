//! Commands and flags. The doc comments are the help text.

pub mod history;
mod lease;
pub mod queue;
pub mod queue_controls;
pub mod release;
pub mod verdict;
pub mod what_if;
pub mod yard;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::domain::ids::{ChannelName, Epoch, RoleName};

pub use lease::{Break, Repair};
pub use release::{Asked, Release, ReleaseCommand, ShowVersion};

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

/// Flags of `await-validation`.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct AwaitValidationVerdict {
    /// Validate the features as this role.
    #[arg(long, value_name = "ROLE")]
    pub approve: Option<RoleName>,
    /// Reject the features as this role.
    #[arg(long, value_name = "ROLE")]
    pub reject: Option<RoleName>,
}

/// Flags of `await-validation`.
#[derive(Debug, Args)]
pub struct AwaitValidation {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub verdict: AwaitValidationVerdict,
    /// Why, for `--reject`; shown to the author as it is.
    #[arg(long, value_name = "TEXT", requires = "reject")]
    pub reason: Option<String>,
}

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

fn epoch(text: &str) -> Result<Epoch, std::num::ParseIntError> {
    text.parse().map(Epoch)
}

/// Flags of `remind`.
#[derive(Debug, Args)]
pub struct Remind {
    /// Write and send nothing; print what would be, and what is due when.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `notify`.
#[derive(Debug, Args)]
pub struct Notify {
    /// The channel, as `notification.channels` names it.
    #[arg(long, value_name = "CHANNEL")]
    pub test: ChannelName,
    /// Print what would be sent instead.
    #[arg(long)]
    pub dry_run: bool,
}

/// Flags of `simulate`.
#[derive(Debug, Clone, Args)]
pub struct Simulate {
    /// Change sets that arrive in the time of one trial.
    #[arg(long, value_name = "RATE", default_value_t = 1.0, value_parser = rate, allow_negative_numbers = true)]
    pub load: f64,
    /// The share of change sets that are bad.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = share, allow_negative_numbers = true)]
    pub failure_rate: f64,
    /// The share of rejected trials whose verdict names the culprits; 1 when it always does.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = whole_share, allow_negative_numbers = true)]
    pub naming: f64,
    /// The share of good trials that are rejected for nothing.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, allow_negative_numbers = true)]
    pub flake: f64,
    /// The most change sets in one trial; 1 switches batches off.
    #[arg(long, value_name = "NUMBER", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub batch_max: u16,
    /// How many rejected trials must have held a change set before it is rejected.
    #[arg(long, value_name = "1 or 2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub strikes: u8,
    /// How many change sets arrive.
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub arrivals: u32,
    /// Makes the same stream again.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// All of them wait from the beginning: what can the environment bear?
    #[arg(long)]
    pub saturated: bool,
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub history: what_if::History,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1_000.0 => Ok(rate),
        Ok(_) | Err(_) => Err("a number above 0, at most 1000".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        Ok(_) | Err(_) => Err("a share from 0 to below 1, such as 0.1".to_owned()),
    }
}

fn whole_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        Ok(_) | Err(_) => Err("a share from 0 to 1, such as 0.7".to_owned()),
    }
}

/// Flags of `report`.
#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub span: history::Span,
    /// More events, from the artifacts of jobs (`trainyard-events.ndjson`).
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Read only the files of `--events`, not the state.
    #[arg(long, requires = "events")]
    pub offline: bool,
    /// Where the page is written.
    #[arg(long, value_name = "FILE", default_value = "trainyard-report.html")]
    pub output: PathBuf,
    /// Print the numbers as JSON instead of writing a page.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `demo`.
#[cfg(feature = "sandbox")]
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
#[cfg(feature = "sandbox")]
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
#[cfg(feature = "sandbox")]
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
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

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

    #[cfg(feature = "sandbox")]
    #[test]
    fn the_sandbox_is_a_gitlab_of_a_version_that_exists() {
        let sandbox =
            |version| Cli::try_parse_from(["trainyard", "sandbox", "--gitlab-version", version]);
        assert!(sandbox("17.11").is_ok());
        let error = sandbox("16.3").unwrap_err().to_string();
        assert!(error.contains("18.0 to 18.11"), "{error}");
    }
}
