//! What a branch got since a commit, and what the messages of its commits tell.

use super::WorkTree;
use crate::domain::ids::{BranchName, CommitSha, TrialId};
use crate::outcome::Problem;
use crate::ports::{Answer, BroughtIn};

impl WorkTree {
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
                let commit = commit.parse().map_err(|error| {
                    Problem::bug("git named a commit in a form that we do not understand")
                        .caused_by(error)
                })?;
                Ok(BroughtIn {
                    commit,
                    trial: trial.trim().parse().ok().map(TrialId),
                })
            })
            .collect()
    }
}
