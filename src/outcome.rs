//! How a run can end: what it says, what it recorded, who must act, and the exit code that CI sees.

use std::fmt;

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

    /// The message as printed: what, the library's words, the mend.
    pub fn full_text(&self) -> String {
        let mut text = self.what.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            text.push_str(&format!("\n  because: {inner}"));
            cause = inner.source();
        }
        format!("{text}\n  next: {}", self.hint)
    }
}

/// What a job has to say when it ran to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code.
    pub code: ExitCode,
    /// One line: what was decided.
    pub headline: String,
    /// Why, and what to do next; printed below.
    pub details: Vec<String>,
}

impl Outcome {
    /// The gate is open.
    pub fn open(headline: impl Into<String>) -> Self {
        Self {
            code: ExitCode::Open,
            headline: headline.into(),
            details: Vec::new(),
        }
    }

    /// A rule says no.
    pub fn refused(headline: impl Into<String>, details: Vec<String>) -> Self {
        Self {
            code: ExitCode::Refused,
            headline: headline.into(),
            details,
        }
    }

    /// Somebody is awaited.
    pub fn waiting(headline: impl Into<String>, details: Vec<String>) -> Self {
        Self {
            code: ExitCode::Waiting,
            headline: headline.into(),
            details,
        }
    }

    /// Adds a line.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.code {
            ExitCode::Open => "ok",
            ExitCode::Waiting => "waiting",
            ExitCode::Refused | ExitCode::Misconfigured | ExitCode::GitLab | ExitCode::Bug => {
                "refused"
            }
        };
        write!(f, "{sign}: {}", self.headline)?;
        for detail in &self.details {
            write!(f, "\n  {}", detail.replace('\n', "\n  "))?;
        }
        Ok(())
    }
}
