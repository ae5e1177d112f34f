//! What a branch got since a commit, and what the messages of its commits tell.

use super::WorkTree;
use crate::domain::ids::{BranchName, CommitSha, TrialId};
use crate::domain::versioning::comparison::Merged;
use crate::outcome::Problem;
use crate::ports::{Answer, BroughtIn, CommitFiles};

/// The fields of a commit, each ended by a NUL, which no message can hold.
const FIELDS: &str = "--format=tformat:%H%x00%P%x00%an%x00%(trailers:key=Trainyard-Change-Set,valueonly)%x00%(trailers:key=Trainyard-Release,valueonly)%x00%B";

/// Whole histories, oldest first, with NUL between what is told.
const ORDER: &[&str] = &["log", "-z", "--reverse", "--topo-order"];

/// The files of each commit, as they are called before and after; of a merge those that differ from all its parents. The mark before
/// the commit's name tells it from a file.
const FILES: [&str; 4] = [
    "--name-only",
    "--no-renames",
    "-c",
    "--format=tformat:%x01%H",
];

/// Gives each commit its files. The commits are told in the same order once more, so no file can pass for one.
fn name_files(commits: &mut [Merged], text: &str) {
    let mut current: Option<usize> = None;
    let mut first = false;
    for told in text.split('\0') {
        let next = current.map_or(0, |at| at + 1);
        let header = told.strip_prefix('\x01');
        if header.is_some() && header == commits.get(next).map(|one| one.commit.as_str()) {
            current = Some(next);
            first = true;
            continue;
        }
        // A line break stands before the first file of a commit.
        let path = told.strip_prefix('\n').filter(|_| first).unwrap_or(told);
        if let Some(at) = current.filter(|_| !path.is_empty()) {
            commits[at].paths.push(path.to_owned());
            first = false;
        }
    }
}

impl WorkTree {
    /// The commits of a commit's history that are not in another one's, oldest first; none where there is no clone.
    pub(super) fn history_since(
        &self,
        after: Option<&CommitSha>,
        up_to: &CommitSha,
        files: CommitFiles,
    ) -> Answer<Option<Vec<Merged>>> {
        if !self.folder.join(".git").exists() {
            return Ok(None);
        }
        self.bring_history()?;
        let ends: Vec<&CommitSha> = after.into_iter().chain([up_to]).collect();
        self.bring(&ends)?;
        let without = after.map(|after| format!("^{after}"));
        let range: Vec<&str> = [up_to.as_str()]
            .into_iter()
            .chain(without.as_deref())
            .collect();
        let text = self.run(&[ORDER, &[FIELDS], &range].concat())?;
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
                paths: Vec::new(),
            })
        });
        let mut commits: Vec<Merged> = commits.collect::<Answer<_>>()?;
        if files == CommitFiles::Named {
            let text = self.run(&[ORDER, &FILES, &range].concat())?;
            name_files(&mut commits, &text);
        }
        Ok(Some(commits))
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
