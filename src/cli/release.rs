//! Flags of `release` and `version`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::domain::ids::PackageName;
use crate::domain::releasing::{NOTHING, Prepared};
use crate::domain::versioning::hotfix;
use crate::domain::versioning::numbers::{self, PreRelease};

/// A step of a release, and what it is about.
#[derive(Debug, Args)]
pub struct ReleaseCommand {
    /// The package to release, where `versions.packages` gives each its own versions.
    #[arg(long, value_name = "NAME", global = true, value_parser = or_nothing::<PackageName>)]
    pub package: Option<OrNothing<PackageName>>,
    /// Which step.
    #[command(subcommand)]
    pub step: Release,
}

/// Steps of a release.
#[derive(Debug, Subcommand)]
pub enum Release {
    /// Show the number, the checks and the notes of what would be released now; writes nothing.
    Preview {
        /// What is asked of the number.
        #[command(flatten)]
        asked: Asked,
        /// Print JSON for programs; ends with 1 when a release would be refused.
        #[arg(long)]
        json: bool,
    },
    /// Freeze content and commit, and open the next version.
    ///
    /// Hands `TRAINYARD_VERSION`, `TRAINYARD_TAG` and `TRAINYARD_COMMIT` on to the deployment job, and leaves a manifest of what is
    /// frozen: content, validations, trials. Its checksum is in the log; with `TRAINYARD_SIGNING_KEY`, an SSH key in a variable of type
    /// File, it is signed for `ssh-keygen -Y verify -n trainyard-release`.
    Prepare {
        /// What is asked of the number.
        #[command(flatten)]
        asked: Asked,
        /// With `now`, a schedule or a program starts it, which did not look before: nothing to release is no failure then.
        #[arg(long, value_name = "now", value_parser = or_nothing::<Start>)]
        start: Option<OrNothing<Start>>,
        /// Release although releases are frozen; kept with the reason.
        #[arg(long)]
        through_freeze: bool,
        /// Why. Without it, the variable `TRAINYARD_REASON`.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Where number, tag and commit are written for the deployment job.
        #[arg(long, value_name = "FILE", default_value = "trainyard-release.env")]
        dotenv: PathBuf,
        /// Where the manifest is written.
        #[arg(long, value_name = "FILE", default_value = "trainyard-release.json")]
        manifest: PathBuf,
    },
    /// Tag and publish the version whose deployment succeeded; a retry goes on where it stopped.
    Publish {
        /// The version that this pipeline prepared; nothing is done for another one, nor when this is empty.
        #[arg(long, value_name = "X.Y.Z", value_parser = own_version)]
        prepared: Option<Prepared>,
    },
    /// Give the content of a version whose deployment failed back to the open one.
    Abort {
        /// What went wrong; the failed job of this pipeline when not given.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// The version that this pipeline prepared; nothing is done for another one, nor when this is empty.
        #[arg(long, value_name = "X.Y.Z", value_parser = own_version)]
        prepared: Option<Prepared>,
    },
    /// Take a version back that is in production and bad: the one before it is handed on to the deployment job.
    ///
    /// Its change sets are in the open version again, its features are open, its release says that it is withdrawn. Run again, it does
    /// what is left.
    Withdraw {
        /// The version in production.
        #[arg(value_name = "X.Y.Z")]
        version: semver::Version,
        /// Why. Without it, the variable `TRAINYARD_REASON`.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Where number, tag and commit of the version before it are written for the deployment job.
        #[arg(long, value_name = "FILE", default_value = "trainyard-release.env")]
        dotenv: PathBuf,
    },
    /// Pick landed change sets onto the version in production, in one merge request to the branch of hotfixes.
    ///
    /// The environment (`--environment`) is one of `nrt.environments` with `hotfixes: true`. Its branch goes on to that version; the merge
    /// request is tried and lands like every other one, and `release prepare` in a pipeline of that branch releases it. Run again, it does
    /// what is left.
    Hotfix {
        /// The merge requests, such as `!34 !36`.
        #[arg(value_name = "MERGE-REQUEST", value_parser = named)]
        merge_requests: Vec<Named>,
        /// The version to put them on; the one in production when not given.
        #[arg(long, value_name = "X.Y.Z", value_parser = or_nothing::<semver::Version>)]
        from: Option<OrNothing<semver::Version>>,
        /// Why. Without it, the variable `TRAINYARD_REASON`.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Record that the version before a withdrawn one runs again (after the deployment job).
    Recovered,
}

/// What is asked of the number.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// Another number than the content asks for.
    #[arg(long, value_name = "X.Y.Z", value_parser = or_nothing::<semver::Version>)]
    pub version: Option<OrNothing<semver::Version>>,
    /// A pre-release with this word, such as `rc`: its content stays in the open version until a final one takes it.
    #[arg(long, value_name = "WORD", value_parser = or_nothing::<PreRelease>)]
    pub pre: Option<OrNothing<PreRelease>>,
}

/// A value, or an empty one: an input of a pipeline that nobody filled in.
#[derive(Debug, Clone)]
pub struct OrNothing<T>(pub Option<T>);

/// Merge requests that one argument names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named(pub Vec<u64>);

fn named(text: &str) -> Result<Named, String> {
    hotfix::named(text).map(Named)
}

impl<T> OrNothing<T> {
    /// The value, if somebody filled it in.
    pub fn value(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

/// The one word that starts a release by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start;

impl std::str::FromStr for Start {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if word == "now" {
            Ok(Self)
        } else {
            Err("the only word is `now`")
        }
    }
}

/// The version that a pipeline prepared, as its template tells.
pub fn prepared(flag: Option<Prepared>) -> Prepared {
    flag.unwrap_or(Prepared::NotTold)
}

fn own_version(text: &str) -> Result<Prepared, String> {
    match text {
        "" => Ok(Prepared::Nothing),
        NOTHING => Ok(Prepared::NothingNew),
        number => {
            let version = number
                .parse()
                .map_err(|error: semver::Error| error.to_string())?;
            Ok(Prepared::Version(version))
        }
    }
}

fn or_nothing<T: std::str::FromStr<Err: std::fmt::Display>>(
    text: &str,
) -> Result<OrNothing<T>, String> {
    if text.is_empty() {
        return Ok(OrNothing(None));
    }
    let value = text.parse().map_err(|error: T::Err| error.to_string())?;
    Ok(OrNothing(Some(value)))
}

impl From<&Asked> for numbers::Asked {
    fn from(flags: &Asked) -> Self {
        Self {
            version: flags.version.as_ref().and_then(|value| value.0.clone()),
            pre_release: flags.pre.as_ref().and_then(|value| value.0.clone()),
        }
    }
}

/// Flags of `version`.
#[derive(Debug, Args)]
pub struct ShowVersion {
    /// Print JSON for programs.
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Print Markdown for a page that people read.
    #[arg(long)]
    pub markdown: bool,
}
