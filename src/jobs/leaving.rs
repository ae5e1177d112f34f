//! Source branches that are still to be deleted: what is looked at, and what is done where no push of a candidate takes them along.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use super::ledger::Ledger;
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, MergeRequestId, ProjectPath};
use crate::domain::leaving::{Leaving, Parting, Shown, parting};
use crate::domain::yard::Yard;
use crate::ports::{Answer, Push, Targets};

/// What is looked at to decide about them.
pub(super) fn asked(leaving: &[&Leaving]) -> BTreeMap<u64, BranchName> {
    let of = |one: &&Leaving| (one.merge_request.iid, one.branch.clone());
    leaving.iter().map(of).collect()
}

/// What becomes of those of this desk's project, by what was looked at.
pub(super) fn decided(desk: &Desk<'_>, yard: &Yard, shown: &Shown) -> Parting {
    let leaving = yard.leaving_in(&desk.ci.project);
    parting(&leaving, shown, desk.clock.now())
}

/// Deletes what can go by now, and tells what went. A branch that stays is no harm, so what cannot be done is told as well, and is tried
/// again for a day.
///
/// # Errors
/// When the log cannot be read or written.
pub(super) fn delete(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Answer<Vec<String>> {
    let yard = ledger.yard()?;
    let projects = yard.leaving.iter().map(|one| &one.merge_request.project);
    let projects: BTreeSet<&ProjectPath> = projects.collect();
    let mut lines = Vec::new();
    for project in projects {
        let done = desk
            .of(project)
            .and_then(|there| delete_there(&there, &yard));
        let settled = match done {
            Ok(Done { line, settled }) => {
                lines.extend(line);
                settled
            }
            Err(problem) => {
                lines.push(format!(
                    "warning: source branches of `{project}` are not deleted: {}",
                    problem.full_text()
                ));
                let leaving = yard.leaving_in(project);
                parting(&leaving, &Shown::default(), desk.clock.now()).settled
            }
        };
        if !settled.is_empty() {
            ledger.record(&[Fact::SourceBranchesSettled {
                merge_requests: settled,
            }])?;
        }
    }
    Ok(lines)
}

/// What was done in one project.
struct Done {
    /// For the job's log.
    line: Option<String>,
    /// Those about which nothing more is to be done.
    settled: Vec<MergeRequestId>,
}

fn delete_there(desk: &Desk<'_>, yard: &Yard) -> Answer<Done> {
    let targets = Targets {
        leaving: asked(&yard.leaving_in(&desk.ci.project)),
        ..Targets::default()
    };
    let shown = desk.boards.board(&targets)?.leaving;
    let Parting { delete, settled } = decided(desk, yard, &shown);
    let names: Vec<String> = delete
        .iter()
        .map(|one| format!("`{}`", one.branch))
        .collect();
    let line = match &delete[..] {
        [] => None,
        delete => Some(match desk.candidates.remove(delete)? {
            Push::Done => format!(
                "source branches of what landed are deleted: {}",
                names.join(", ")
            ),
            Push::TargetMoved | Push::Refused { .. } => format!(
                "not all of these source branches could be deleted, for somebody pushed to them, or GitLab protects them: {}",
                names.join(", ")
            ),
        }),
    };
    Ok(Done { line, settled })
}
