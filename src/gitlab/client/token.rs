//! The tokens that a client may carry, and what a person is told when one is not enough.

/// Which token a client carries: decides the header, and what a person is told when it is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// `CI_JOB_TOKEN`.
    Job,
    /// `TRAINYARD_TOKEN`.
    Bot,
    /// `TRAINYARD_GATE_TOKEN`.
    Gate,
}

impl Token {
    /// The CI variable that holds it.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Job => "CI_JOB_TOKEN",
            Self::Bot => "TRAINYARD_TOKEN",
            Self::Gate => "TRAINYARD_GATE_TOKEN",
        }
    }

    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Job => "JOB-TOKEN",
            Self::Bot | Self::Gate => "PRIVATE-TOKEN",
        }
    }

    pub(super) fn mend(self) -> &'static str {
        match self {
            Self::Job => {
                "the job token works only while its job runs, and across projects only when the other project's job token allowlist names this one"
            }
            Self::Bot => {
                "make a project access token with role Reporter and scope `api` in Settings > Access tokens, and store it as the masked variable `TRAINYARD_TOKEN` in Settings > CI/CD > Variables"
            }
            Self::Gate => {
                "make a project access token with role Maintainer and scope `api` in Settings > Access tokens, and store it as the masked, protected variable `TRAINYARD_GATE_TOKEN` in Settings > CI/CD > Variables"
            }
        }
    }
}
