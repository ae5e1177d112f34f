//! `trainyard release prepare | publish | abort | preview | withdraw | recovered | hotfix`: the open version goes to production, or comes back.
//!
//! `prepare` freezes content and commit and opens the next version at once; the project deploys; `publish` tags, which is the
//! commit point, and everything after it can be done again by a plain retry; `abort` gives the content back.

mod abort;
mod by_tag;
mod changelog;
pub mod forward;
pub mod grounds;
pub mod hotfix;
pub mod members;
mod notices;
pub mod permission;
pub mod pinned;
pub mod prepare;
pub mod preview;
mod publish;
mod taking;
mod telling;
pub mod withdraw;

use std::collections::BTreeSet;
use std::path::Path;

use super::{Desk, observe};
use crate::ci_reports::dotenv::{Dotenv, Name};
use crate::domain::ids::{CommitSha, MergeRequestId, UserName};
use crate::domain::releasing::NOTHING;
use crate::domain::versioning::{Appended, Number};
use crate::files;
use crate::ports::Answer;

pub use abort::abort;
pub(super) use notices::{between_trials, go_on};
pub use publish::publish;

fn merge_requests(content: &[Appended]) -> Vec<MergeRequestId> {
    content
        .iter()
        .map(|appended| appended.change_set.merge_request.clone())
        .collect()
}

/// Who looks after a release: whoever closed the version, or else the people who may release.
pub(super) fn people(desk: &Desk<'_>, closed_by: Option<&UserName>) -> Answer<BTreeSet<UserName>> {
    match closed_by {
        Some(person) => Ok(BTreeSet::from([person.clone()])),
        None => observe::people_of(desk, &desk.config.versions.released_by),
    }
}

/// That there is nothing to deploy.
fn hand_on_nothing(path: &Path) -> Answer<()> {
    let values = Dotenv::default().with(Name::Version, NOTHING)?;
    files::write_whole(path, &values.to_string())
}

/// What the project's deployment job is to deploy; only characters that a dotenv report can carry.
fn hand_on(path: &Path, number: &Number, commit: &CommitSha) -> Answer<()> {
    let values = Dotenv::default()
        .with(Name::Version, &number.version)?
        .with(Name::Tag, number.tag())?
        .with(Name::Commit, commit)?;
    files::write_whole(path, &values.to_string())
}
