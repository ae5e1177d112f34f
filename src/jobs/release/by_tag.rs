//! A release that somebody starts by pushing a tag: the commit of the tag is released with its number.

use crate::domain::ids::UserName;
use crate::domain::versioning::by_tag::{TagAsks, TagPushed, asked_by};
use crate::domain::versioning::{Number, Versions};
use crate::jobs::Desk;
use crate::outcome::Outcome;
use crate::ports::Answer;
use crate::report;

/// What a tag asks for.
#[derive(Debug)]
pub(super) enum ByTag {
    /// The pipeline is of a branch.
    NoTag,
    /// This version, of the job's commit.
    Of(Number),
    /// Nothing: it is no version, or one that is released already; in words.
    NothingToDo(String),
    /// What cannot be.
    Refused(Outcome),
}

/// Reads the tag that the job's pipeline is of.
///
/// # Errors
/// When GitLab cannot be asked.
pub(super) fn read(desk: &Desk<'_>, versions: &Versions, player: &UserName) -> Answer<ByTag> {
    let Some(tag) = &desk.ci.tag else {
        return Ok(ByTag::NoTag);
    };
    let shown = report::plain(tag);
    let (numbering, commit) = (&desk.config.versions.numbering, &desk.ci.commit);
    let pushed = TagPushed {
        name: tag,
        commit,
        by: player,
        protected: desk.ci.protected,
    };
    let number = match asked_by(&pushed, numbering, versions) {
        TagAsks::Release(number) => number,
        TagAsks::Nothing => {
            return Ok(ByTag::NothingToDo(format!(
                "the tag `{shown}` is no number of a version after `{}`; nothing is released",
                report::plain(&numbering.prefix)
            )));
        }
        TagAsks::ReleasedBefore(number) => {
            return Ok(ByTag::NothingToDo(format!(
                "version {number} is released already; nothing changed"
            )));
        }
        TagAsks::OfAnother(number) => {
            return Ok(ByTag::NothingToDo(format!(
                "version {number} is being released by the pipeline that prepared it; nothing changed"
            )));
        }
        TagAsks::Unprotected => {
            return Ok(ByTag::Refused(Outcome::refused(
                format!("the tag `{shown}` is not protected, so anybody who may push could have made it; nothing is released"),
                vec!["protect tags of this form in Settings > Repository > Protected tags, then push the tag again".to_owned()],
            )));
        }
    };
    let branch = desk.branch_of_versions();
    if !desk.candidates.has_landed(commit, branch)? {
        return Ok(ByTag::Refused(Outcome::refused(
            format!(
                "the tag `{shown}` is at `{commit}`, which is not on the branch `{branch}`; nothing is released"
            ),
            vec!["delete the tag, and make it at a commit of the branch".to_owned()],
        )));
    }
    Ok(ByTag::Of(number))
}
