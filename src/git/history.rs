//! What a branch got since a commit, and what the messages of its commits tell.

use super::WorkTree;
use crate::domain::ids::{BranchName, CommitSha, TrialId};
use crate::domain::versioning::comparison::Merged;
use crate::outcome::Problem;
use crate::ports::{Answer, BroughtIn};

/// The fields of a commit, each ended by a NUL, which no message can hold.
const FIELDS: &str = "--format=tformat:%H%x00%P%x00%an%x00%(trailers:key=Trainyard-Change-Set,valueonly)%x00%(trailers:key=Trainyard-Release,valueonly)%x00%B";

impl WorkTree {
    /// The commits of a commit's history that are not in another one's, oldest first; none where there is no clone.
    pub(super) fn history_since(
        &self,
        after: &CommitSha,
        up_to: &CommitSha,
    ) -> Answer<Option<Vec<Merged>>> {
        if !self.folder.join(".git").exists() {
            return Ok(None);
        }
        self.bring_history()?;
        self.bring(&[after, up_to])?;
        let without = format!("^{after}");
        let order = ["log", "-z", "--reverse", "--topo-order", FIELDS];
        let arguments: Vec<&str> = order
            .into_iter()
            .chain([up_to.as_str(), &without])
            .collect();
        let text = self.run(&arguments)?;
        let fields: Vec<&str> = text.split('\0').collect();
        let commits = fields.chunks_exact(6).map(|fields| {
            Ok(Merged {
                commit: commit_of(fields[0])?,
                parents: fields[1]
                    .split_whitespace()
                    .map(commit_of)
                    .collect::<Answer<_>>()?,
                author: fields[2].to_owned(),
                by_gate: !fields[3].trim().is_empty(),
                by_release: !fields[4].trim().is_empty(),
                message: fields[5].to_owned(),
            })
        });
        commits.collect::<Answer<_>>().map(Some)
    }

    /// The commits of a branch that are not part of another commit's history, oldest first. One fetch.
    pub(super) fn brought_since(
        &self,
        after: Option<&CommitSha>,
        branch: &BranchName,
    ) -> Answer<Vec<BroughtIn>> {
        let head = self.head_of(branch)?;
        self.bring_history()?;
        let mut arguments = vec![
            "log".to_owned(),
            "--reverse".to_owned(),
            "--topo-order".to_owned(),
            "--format=%H %(trailers:key=Trainyard-Trial,valueonly,separator=%x2C)".to_owned(),
            head.to_string(),
        ];
        if let Some(after) = after {
            self.bring(&[after])?;
            arguments.push(format!("^{after}"));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.run(&arguments)?
            .lines()
            .map(|line| {
                let (commit, trial) = line.split_once(' ').unwrap_or((line, ""));
                Ok(BroughtIn {
                    commit: commit_of(commit)?,
                    trial: trial.trim().parse().ok().map(TrialId),
                })
            })
            .collect()
    }
}

fn commit_of(text: &str) -> Answer<CommitSha> {
    text.parse().map_err(|error| {
        Problem::bug("git named a commit in a form that we do not understand").caused_by(error)
    })
}
