//! What a release of a yard does in its members: their landed heads belong to the version, and get its tag.

use std::collections::BTreeMap;

use crate::domain::ids::{CommitSha, ProjectPath};
use crate::domain::versioning::{Appended, Closing, Versions, heads};
use crate::files;
use crate::jobs::Desk;
use crate::outcome::Outcome;
use crate::ports::Answer;

/// The file that tells the deployment which commit of each member it is about: a project and a commit a line.
pub const FILE: &str = "trainyard-members.txt";

/// The landed commits that a version would hold: those that the job's commit has or, in a yard, the target branch of each member.
pub(super) fn held(desk: &Desk<'_>, versions: &Versions) -> Answer<Vec<CommitSha>> {
    let mut held: Vec<CommitSha> = Vec::new();
    let mut whole: BTreeMap<ProjectPath, bool> = BTreeMap::new();
    for (project, head) in heads(&versions.content) {
        if project != desk.ci.project {
            let there = desk.of(&project)?;
            whole.insert(project, there.candidates.has_landed(&head, there.branch())?);
        }
    }
    for Appended {
        change_set, landed, ..
    } in &versions.content
    {
        let project = &change_set.merge_request.project;
        let is_in = match whole.get(project) {
            None => desk.commits.is_ancestor(landed, &desk.ci.commit)?,
            // Each landing of a project stands on the one before it.
            Some(true) => true,
            Some(false) => {
                let there = desk.of(project)?;
                there.candidates.has_landed(landed, there.branch())?
            }
        };
        if is_in {
            held.push(landed.clone());
        }
    }
    Ok(held)
}

/// Leaves the commits of the members for the deployment job; nothing in a project that is its own gate.
pub(super) fn leave_heads(desk: &Desk<'_>, closing: &Closing) -> Answer<()> {
    leave(desk, &heads(&closing.content))
}

/// The same for any commits of projects.
pub(super) fn leave(desk: &Desk<'_>, heads: &BTreeMap<ProjectPath, CommitSha>) -> Answer<()> {
    let of_members = heads
        .iter()
        .filter(|(project, _)| **project != desk.ci.project);
    let heads: Vec<_> = of_members.collect();
    if heads.is_empty() {
        return Ok(());
    }
    let lines = heads
        .iter()
        .map(|(project, head)| format!("{project} {head}\n"));
    let text: String = lines.collect();
    files::write_whole(&desk.ci.directory.join(FILE), &text)
}

/// Why a version cannot be tagged in a member: its tag is there, on another commit.
pub(super) fn tagged_otherwise(desk: &Desk<'_>, closing: &Closing) -> Answer<Option<Outcome>> {
    let tag = closing.number.tag();
    for (project, head) in of_members(desk, closing) {
        let other = desk.of(&project)?.releases.tag(&tag)?;
        if let Some(other) = other.filter(|commit| *commit != head) {
            return Ok(Some(Outcome::refused(
                format!("the tag `{tag}` exists in `{project}` at `{other}`, but the version is closed there at `{head}`"),
                vec!["delete the tag if it is wrong, or abort and prepare with another number (`--version`)".to_owned()],
            )));
        }
    }
    Ok(None)
}

/// Tags the members; a line for each.
pub(super) fn tag(desk: &Desk<'_>, closing: &Closing, message: &str) -> Answer<Vec<String>> {
    let tag = closing.number.tag();
    let mut lines = Vec::new();
    for (project, head) in of_members(desk, closing) {
        desk.of(&project)?
            .releases
            .create_tag(&tag, &head, message)?;
        lines.push(format!("tag `{tag}` of `{project}` at `{}`", head.short()));
    }
    Ok(lines)
}

fn of_members(desk: &Desk<'_>, closing: &Closing) -> BTreeMap<ProjectPath, CommitSha> {
    let mut heads = heads(&closing.content);
    heads.remove(&desk.ci.project);
    heads
}
