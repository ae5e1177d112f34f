//! The changelog: a file of the target branch that gets the notes of every version, by a commit.
//!
//! The commit moves the target, and a trial that runs meanwhile would be in vain. So it waits for the end of the trial, for a
//! day at most.

use jiff::SignedDuration;

use super::notices::Finished;
use super::telling::{self, Version};
use crate::domain::versioning::Released;
use crate::domain::yard::Yard;
use crate::jobs::Desk;
use crate::ports::{Answer, FileChange, FileWritten};
use crate::report;

/// How often a file is read again that somebody else has changed meanwhile.
const ATTEMPTS: u32 = 5;
/// How long a commit waits for a trial to end.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// Whether the commit waits for a trial that runs now.
pub(super) fn waits(desk: &Desk<'_>, yard: &Yard, released: &Released) -> bool {
    let young = desk.clock.now().duration_since(released.at) < PATIENCE;
    desk.config.versions.publishing.changelog.is_some() && young && yard.nrt.trial.is_some()
}

/// Writes the section of a released version, where it is not there yet.
pub(super) fn write(desk: &Desk<'_>, yard: &Yard, released: &Released, finished: &mut Finished) {
    // What a pre-release brings is in the section of the final version.
    let path = desk.config.versions.publishing.changelog.as_ref();
    let Some(path) = path.filter(|_| !released.number.is_pre_release()) else {
        return;
    };
    if let Some(trial) = yard
        .nrt
        .trial
        .as_ref()
        .filter(|_| waits(desk, yard, released))
    {
        let why = format!(
            "`{path}` is written when trial {} is over, which would be in vain otherwise: the commit moves the target",
            trial.id
        );
        return finished.left(1, &why);
    }
    match commit(desk, yard, released, path) {
        Ok(Ok(line)) => finished.lines.extend(line),
        Ok(Err(why)) => finished.left(1, &why),
        Err(problem) => finished.left(
            1,
            &format!("`{path}` is not written: {}", problem.full_text()),
        ),
    }
}

/// What was done, if anything was left to do; or what somebody has to mend.
fn commit(
    desk: &Desk<'_>,
    yard: &Yard,
    released: &Released,
    path: &str,
) -> Answer<Result<Option<String>, String>> {
    let package = released.number.package.as_ref();
    let mut before = yard.versions.released_of(package).rev();
    let previous = before.find(|other| other.id != released.id);
    let (notes, _) = telling::compose_notes(
        desk,
        Version {
            number: &released.number,
            previous: previous.map(|other| &other.number),
            commit: &released.commit,
            content: &released.content,
            around: &[],
        },
        telling::Known::default(),
    )?;
    let url = format!(
        "{}/-/releases/{}",
        desk.ci.project_url,
        released.number.tag()
    );
    let branch = desk.branch_of_versions();
    let message = format!(
        "Add version {0} to {path} [skip ci]\n\nTrainyard-Release: {0}",
        released.number
    );
    for _ in 0..ATTEMPTS {
        let file = desk.files.file(path, branch)?;
        let text = file.as_ref().map_or("", |file| file.text.as_str());
        let Some(text) = report::changelog(text, &notes, &desk.ci.project, &url) else {
            return Ok(Ok(None));
        };
        let written = desk.files.write_file(&FileChange {
            path,
            branch,
            text: &text,
            known: file.as_ref().map(|file| &file.last_commit),
            message: &message,
        })?;
        match written {
            FileWritten::Done => {
                return Ok(Ok(Some(format!(
                    "`{path}` holds version {}",
                    released.number
                ))));
            }
            FileWritten::Moved => {
                tracing::info!("somebody else changed `{path}`; reading it again")
            }
            FileWritten::Refused { words } => {
                return Ok(Err(format!(
                    "`{path}` is not written: GitLab says \"{}\"; allow the gate's user to push to `{branch}` in Settings > Repository > Protected branches, or take `versions.changelog` out",
                    report::plain(&words)
                )));
            }
        }
    }
    Ok(Err(format!(
        "`{path}` is not written: somebody else changed it {ATTEMPTS} times meanwhile"
    )))
}
