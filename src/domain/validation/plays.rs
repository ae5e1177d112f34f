//! GitLab's records of validation jobs: who pressed play, on what, when.

use jiff::Timestamp;

use crate::domain::ids::{CommitSha, JobId, PipelineId, RoleName, UserName};
use crate::domain::validation::Decision;

/// How a job came to run, according to GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Somebody pressed play on a manual job of a pipeline of this merge request, in this project.
    ByHand,
    /// It started by itself, at once or after a delay: its user pushed or ran a pipeline again, and decided nothing.
    ByItself,
    /// It belongs to a pipeline of the branch, or of a fork.
    Elsewhere,
}

/// One successful job named `validate:<role>` or `reject:<role>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    /// The job.
    pub job: JobId,
    /// The pipeline that it belongs to.
    pub pipeline: PipelineId,
    /// The role of its name.
    pub role: RoleName,
    /// What its name says.
    pub decision: Decision,
    /// When it was set going, to the second: the order in which people decided, whichever job a runner took first.
    pub pressed_at: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// The commit it ran on.
    pub commit: CommitSha,
    /// How it came to run.
    pub way: Way,
}

/// The user of a job, according to GitLab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    /// The user name.
    pub name: UserName,
    /// Whether the user is a bot, a token's user or a service account.
    pub bot: bool,
    /// Whether the account is active now.
    pub active: bool,
    /// When the user set the job going, where that is known more exactly.
    pub pressed_at: Option<Timestamp>,
}

/// A play with its user; none when the account was deleted since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The job.
    pub play: Play,
    /// Who pressed play.
    pub player: Option<Player>,
}

impl Run {
    /// The order in which people decided; of two decisions in the same instant the rejection counts as the later one.
    pub(super) fn order(&self) -> (Timestamp, bool, JobId) {
        let exact = self.player.as_ref().and_then(|player| player.pressed_at);
        let rejects = self.play.decision == Decision::Reject;
        (
            exact.unwrap_or(self.play.pressed_at),
            rejects,
            self.play.job,
        )
    }
}
