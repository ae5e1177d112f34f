//! Who publishes a version, or gives it up: one job at a time, and when that one has died, the next.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{CommitSha, JobId, UserName, VersionId};
use super::versioning::{Number, Released, Versions};

/// A release in the hands of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Which version.
    pub version: VersionId,
    /// The job.
    pub job: Option<JobId>,
    /// Its user.
    pub by: Option<UserName>,
    /// Since when.
    pub at: Timestamp,
}

/// A version that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The number that it would have had.
    pub number: Number,
    /// The commit that was to be released.
    pub commit: CommitSha,
    /// When.
    pub at: Timestamp,
}

/// What a pipeline that found nothing to release hands on in the place of a number.
pub const NOTHING: &str = "nothing";

/// What is known of the version that the pipeline of a job prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// Nobody told: whoever gives the command means the version that is on its way.
    NotTold,
    /// None: it was refused.
    Nothing,
    /// None: there was nothing to release.
    NothingNew,
    /// This one.
    Version(semver::Version),
}

impl Prepared {
    /// Whether the pipeline may go on with a version. A pipeline whose own one was refused must not publish, or give up, the one
    /// of another pipeline, whose deployment may not have begun.
    pub fn is(&self, number: &Number) -> bool {
        match self {
            Self::NotTold => true,
            Self::Nothing | Self::NothingNew => false,
            Self::Version(version) => *version == number.version,
        }
    }
}

/// Whose turn it is to go on with the release of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// This job's already.
    Ours,
    /// Whoever takes it.
    Free,
    /// Another job has it, which may have died: GitLab knows.
    Theirs(Taken),
}

impl Versions {
    /// Whose turn it is with this version.
    pub fn turn(&self, version: VersionId, job: JobId) -> Turn {
        match &self.taken {
            Some(taken) if taken.version == version && taken.job == Some(job) => Turn::Ours,
            Some(taken) if taken.version == version && taken.job.is_some() => {
                Turn::Theirs(taken.clone())
            }
            Some(_) | None => Turn::Free,
        }
    }

    /// The last released version, unless it was withdrawn, while something that goes with its release is not done.
    pub fn unannounced(&self) -> Option<&Released> {
        let last = self.released.last();
        last.filter(|released| !released.announced && released.withdrawn.is_none())
    }

    pub(super) fn announce(&mut self, version: VersionId) {
        if self
            .taken
            .as_ref()
            .is_some_and(|taken| taken.version == version)
        {
            self.taken = None;
        }
        let mut released = self.released.iter_mut();
        if let Some(released) = released.find(|released| released.id == version) {
            released.announced = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_in_the_hands_of_one_job() {
        let taken = Taken {
            version: VersionId(3),
            job: Some(JobId(7)),
            by: None,
            at: Timestamp::UNIX_EPOCH,
        };
        let versions = Versions {
            taken: Some(taken.clone()),
            ..Versions::default()
        };
        assert_eq!(Versions::default().turn(VersionId(3), JobId(7)), Turn::Free);
        assert_eq!(versions.turn(VersionId(3), JobId(7)), Turn::Ours);
        assert_eq!(versions.turn(VersionId(3), JobId(8)), Turn::Theirs(taken));
        assert_eq!(versions.turn(VersionId(4), JobId(8)), Turn::Free);
    }
}
