//! A release is in the hands of one job at a time; one that died is followed by the next.

use crate::domain::event::Fact;
use crate::domain::ids::VersionId;
use crate::domain::releasing::{Taken, Turn};
use crate::domain::versioning::Number;
use crate::jobs::Desk;
use crate::jobs::ledger::{Decision, Ledger};
use crate::outcome::Outcome;
use crate::ports::Answer;

/// What became of an attempt to take a release.
#[derive(Debug)]
pub(super) enum Took {
    /// It is this job's.
    Ours {
        /// Whether another job had it before, which may have got somewhere after this one had looked.
        inherited: bool,
    },
    /// Another job has it, and runs.
    Theirs(Taken),
    /// It is over: somebody published it, or gave it up.
    Over,
}

/// Takes the release of a version that is on its way, or of one that is out and not told of everywhere.
pub(super) fn take(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    version: VersionId,
    number: &Number,
) -> Answer<Took> {
    ledger.decide(|yard| {
        let versions = &yard.versions;
        let closing = versions.closing.as_ref().map(|closing| closing.id);
        let unannounced = versions.unannounced().map(|released| released.id);
        if closing != Some(version) && unannounced != Some(version) {
            return Ok(Decision {
                facts: Vec::new(),
                then: Took::Over,
            });
        }
        let theirs = match versions.turn(version, desk.ci.job) {
            Turn::Ours => {
                return Ok(Decision {
                    facts: Vec::new(),
                    then: Took::Ours { inherited: false },
                });
            }
            Turn::Free => None,
            Turn::Theirs(taken) => Some(taken),
        };
        let inherited = theirs.is_some();
        if let Some(taken) = theirs
            && let Some(job) = taken.job
            && !desk.records.is_over(job)?
        {
            return Ok(Decision {
                facts: Vec::new(),
                then: Took::Theirs(taken),
            });
        }
        Ok(Decision {
            facts: vec![Fact::ReleaseTaken {
                version,
                number: number.clone(),
            }],
            then: Took::Ours { inherited },
        })
    })
}

/// Says who has it.
pub(super) fn refused(desk: &Desk<'_>, number: &Number, taken: &Taken) -> Outcome {
    let by = taken
        .by
        .as_ref()
        .map_or(String::new(), |by| format!(" of `{by}`"));
    let job = taken.job.map_or(String::new(), |job| {
        format!(" {job}{by}, {}/-/jobs/{job}", desk.ci.project_url)
    });
    Outcome::refused(
        format!(
            "the release of version {number} is in the hands of another job; nothing was changed"
        ),
        vec![format!(
            "it is job{job}, since {}; let it end, and run this again if it fails",
            taken.at
        )],
    )
}
