//! `trainyard release prepare | publish | abort | preview`: the open version goes to production.
//!
//! `prepare` freezes content and commit and opens the next version at once; the project deploys; `publish` tags, which is the
//! commit point, and everything after it can be done again by a plain retry; `abort` gives the content back.

mod abort;
mod changelog;
pub mod grounds;
pub mod members;
mod notices;
pub mod permission;
pub mod prepare;
pub mod preview;
mod publish;
mod taking;
mod telling;
pub mod withdraw;

use std::collections::BTreeSet;

use super::{Desk, observe};
use crate::domain::ids::{MergeRequestId, UserName};
use crate::domain::versioning::Appended;
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
        None => Ok(observe::holders(desk, &desk.config.versions.released_by)?
            .into_values()
            .flatten()
            .collect()),
    }
}
