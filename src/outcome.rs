//! How a run can end: what it says, what it recorded, who must act, and the exit code that CI sees.

use std::fmt;

use crate::ci_reports::dotenv::Dotenv;
use crate::ci_reports::log::{self, Manner};

/// Exit codes: a contract with CI (`retry:exit_codes`, `allow_failure:exit_codes`), documented in `docs/jobs.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The gate is open.
    Open = 0,
    /// Refused by a rule: the merge request's author acts.
    Refused = 1,
    /// Usage or configuration: the maintainer of the CI file acts.
    Misconfigured = 2,
    /// Still waiting: retry, or the person named acts.
    Waiting = 3,
    /// GitLab is unreachable, rate-limited or denies access: retry, or the token's owner acts.
    GitLab = 4,
    /// Our bug.
    Bug = 70,
    /// GitLab ended the job (SIGTERM: cancelled, or out of time), and it gave back what it held.
    Stopped = 143,
}

/// A failure, told to the person who must act.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Problem {
    /// Who must act decides the exit code.
    pub code: ExitCode,
    /// What happened and why it matters here. One sentence, values in backticks.
    pub what: String,
    /// What to do next.
    pub hint: String,
    /// What a library said, for the chain below the message.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// A wrong call or configuration.
    pub fn misconfigured(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ExitCode::Misconfigured, what, hint)
    }

    /// A rule says no.
    pub fn refused(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ExitCode::Refused, what, hint)
    }

    /// GitLab does not answer as it should.
    pub fn gitlab(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ExitCode::GitLab, what, hint)
    }

    /// GitLab ended the job.
    pub fn stopped(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ExitCode::Stopped, what, hint)
    }

    /// Something that cannot happen did.
    pub fn bug(what: impl Into<String>) -> Self {
        Self::new(ExitCode::Bug, what, "please report this with the job log")
    }

    fn new(code: ExitCode, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            hint: hint.into(),
            source: None,
        }
    }

    /// Keeps what a library said.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// The message as printed: what, the library's words, the mend. Whatever was quoted in it, it only is text.
    pub fn full_text(&self) -> String {
        let mut text = self.what.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            text.push_str(&format!("\n  because: {inner}"));
            cause = inner.source();
        }
        log::harmless(&format!("{text}\n  next: {}", self.hint))
    }
}

/// A rule that a job looked at, as test reports list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is about, in two or three words; the same in every run.
    pub about: &'static str,
    /// The rule in words. The same in every run, whatever it was applied to: GitLab compares runs by it.
    pub rule: String,
    /// What it came to.
    pub state: CheckState,
}

/// What a rule came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckState {
    /// It holds.
    Passed,
    /// It does not hold: what was read, why, and what would be accepted.
    Failed(String),
    /// It was not looked at, or it only warns: why.
    Skipped(String),
}

impl Check {
    /// A rule that fails for these reasons, and holds without any.
    pub fn of(about: &'static str, rule: impl Into<String>, reasons: &[String]) -> Self {
        let state = if reasons.is_empty() {
            CheckState::Passed
        } else {
            CheckState::Failed(reasons.join("\n"))
        };
        Self {
            about,
            rule: rule.into(),
            state,
        }
    }

    /// A rule that was not looked at.
    pub fn skipped(about: &'static str, rule: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            about,
            rule: rule.into(),
            state: CheckState::Skipped(why.into()),
        }
    }
}

/// Lines of an outcome that belong together, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What was read, and what it came to.
    Read,
    /// Longer texts that only some readers want.
    More,
    /// What is let through, but should be looked at.
    Warnings,
    /// What happens next, or what somebody may do.
    Next,
}

/// A list of links on the job's page in GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeeAlso {
    /// Features.
    Features,
    /// Merge requests.
    MergeRequests,
    /// Pipelines and jobs.
    Pipelines,
    /// Releases.
    Releases,
}

/// A link for the job's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// Where it stands.
    pub list: SeeAlso,
    /// What it is called; may be text that somebody wrote.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

impl Pointer {
    /// A link of a list.
    pub fn new(list: SeeAlso, label: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            list,
            label: label.into(),
            url: url.into(),
        }
    }
}

/// What a job has to say when it ran to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code.
    pub code: ExitCode,
    /// One line: what was decided.
    pub headline: String,
    /// Why, and what to do about it; always visible below the headline.
    pub details: Vec<String>,
    /// Everything else, by group; GitLab folds it.
    pub groups: Vec<(Group, String)>,
    /// The rules that were looked at.
    pub checks: Vec<Check>,
    /// Links for the job's page.
    pub links: Vec<Pointer>,
    /// Values for later jobs. For display: nothing may be decided on them.
    pub values: Dotenv,
}

impl Outcome {
    /// The gate is open.
    pub fn open(headline: impl Into<String>) -> Self {
        Self::new(ExitCode::Open, headline, Vec::new())
    }

    /// A rule says no.
    pub fn refused(headline: impl Into<String>, details: Vec<String>) -> Self {
        Self::new(ExitCode::Refused, headline, details)
    }

    /// Somebody is awaited.
    pub fn waiting(headline: impl Into<String>, details: Vec<String>) -> Self {
        Self::new(ExitCode::Waiting, headline, details)
    }

    fn new(code: ExitCode, headline: impl Into<String>, details: Vec<String>) -> Self {
        Self {
            code,
            headline: headline.into(),
            details,
            groups: Vec::new(),
            checks: Vec::new(),
            links: Vec::new(),
            values: Dotenv::default(),
        }
    }

    /// Adds a line.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// Takes over another outcome as a part of this one: its headline and reasons as lines, and its links.
    #[must_use]
    pub fn including(mut self, other: Self) -> Self {
        self.links.extend(other.links.iter().cloned());
        let brief = Self {
            groups: Vec::new(),
            checks: Vec::new(),
            ..other
        };
        self.with(brief.to_string())
    }

    /// Adds lines that tell what was read.
    #[must_use]
    pub fn read(self, lines: impl IntoIterator<Item = String>) -> Self {
        self.grouped(Group::Read, lines)
    }

    /// Adds a longer text.
    #[must_use]
    pub fn more(self, text: impl Into<String>) -> Self {
        self.grouped(Group::More, [text.into()])
    }

    /// Adds something that should be looked at.
    #[must_use]
    pub fn warning(self, line: impl Into<String>) -> Self {
        self.grouped(Group::Warnings, [line.into()])
    }

    /// Adds what happens next.
    #[must_use]
    pub fn next(self, line: impl Into<String>) -> Self {
        self.grouped(Group::Next, [line.into()])
    }

    /// Adds rules that were looked at.
    #[must_use]
    pub fn checked(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.checks.extend(checks);
        self
    }

    /// Adds links for the job's page.
    #[must_use]
    pub fn seeing(mut self, links: impl IntoIterator<Item = Pointer>) -> Self {
        self.links.extend(links);
        self
    }

    /// Hands values on to later jobs.
    #[must_use]
    pub fn handing_on(mut self, values: Dotenv) -> Self {
        self.values = values;
        self
    }

    fn grouped(mut self, group: Group, lines: impl IntoIterator<Item = String>) -> Self {
        self.groups
            .extend(lines.into_iter().map(|line| (group, line)));
        self
    }
}

/// As it stands in a plain text: see `ci_reports::log` for the job log.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&log::text(self, &Manner::Plain))
    }
}
