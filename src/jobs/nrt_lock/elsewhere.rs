//! With several environments: which merge requests are another one's to admit.

use crate::domain::ids::{BranchName, MergeRequestId, ProjectPath};
use crate::domain::integration::QueueRefusal;
use crate::domain::serving::{Serves, serving};
use crate::jobs::Desk;
use crate::outcome::Outcome;

fn environments(desk: &Desk<'_>) -> Vec<Serves> {
    let all = desk.config.nrt.environments.iter();
    all.map(|one| one.serves.clone()).collect()
}

fn is_ours(desk: &Desk<'_>, one: &Serves) -> bool {
    one.environment == desk.config.nrt.environment
}

/// That no merge request of a project is this environment's, although another one takes it: every environment may hear of a wake-up.
pub(super) fn project(desk: &Desk<'_>, project: &ProjectPath) -> Option<Outcome> {
    let all = environments(desk);
    let takes = |one: &&Serves| one.takes_project(project);
    if all.iter().any(|one| is_ours(desk, one) && takes(&one)) {
        return None;
    }
    let other = all.iter().find(takes)?;
    Some(left_to(other, &format!("the merge request of `{project}`")))
}

/// That a merge request is another environment's.
pub(super) fn merge_request(
    desk: &Desk<'_>,
    id: &MergeRequestId,
    target: &BranchName,
) -> Option<Outcome> {
    let all = environments(desk);
    let other = serving(&all, &id.project, target)?;
    (!is_ours(desk, other)).then(|| left_to(other, &id.to_string()))
}

/// Whether open merge requests with this target are looked at here: those that no environment serves are told by the first one only.
pub(super) fn looks_at(desk: &Desk<'_>, id: &MergeRequestId, target: &BranchName) -> bool {
    let all = environments(desk);
    match serving(&all, &id.project, target) {
        Some(one) => is_ours(desk, one),
        None => all.first().is_none_or(|one| is_ours(desk, one)),
    }
}

/// Of a branch that nobody serves, all that somebody serves are told.
pub(super) fn told(desk: &Desk<'_>, refusal: QueueRefusal) -> QueueRefusal {
    let all = environments(desk);
    if let QueueRefusal::OtherTarget { target, .. } = &refusal
        && !all.is_empty()
    {
        return QueueRefusal::NoEnvironment {
            target: target.clone(),
            serving: all.iter().map(ToString::to_string).collect(),
        };
    }
    refusal
}

fn left_to(other: &Serves, what: &str) -> Outcome {
    Outcome::open(format!(
        "{what} is tried in another environment: {other}; nothing to do here"
    ))
}
