//! What the gate pushes: candidates, rewritten sources, and the target itself. With the gate's token, never with the job's.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::refs::{Move, Moved, Together, move_refs};
use super::{WorkTree, without_credentials};
use crate::config::ci::Secret;
use crate::domain::candidate::{Assembly, MergeMethod, Part};
use crate::domain::ids::{BranchName, CommitSha};
use crate::domain::nrt::Held;
use crate::outcome::Problem;
use crate::ports::{Answer, Candidates, Commits, Push, Rewritten};

/// Where the gate pushes, and as whom.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The project's address for git over HTTP.
    pub address: String,
    /// The gate's token.
    pub token: Secret,
    /// The certificate authority of the server, where it is a private one.
    pub ca: Option<PathBuf>,
}

impl WorkTree {
    /// The same command with the gate's token, where the job has one. It goes through the environment: a command line can be read by
    /// everybody on the machine.
    pub(super) fn authorized(&self, mut command: Command) -> Command {
        if let Some(destination) = &self.destination {
            let credentials = STANDARD.encode(format!("trainyard:{}", destination.token.reveal()));
            command
                .env("GIT_CONFIG_COUNT", "2")
                .env("GIT_CONFIG_KEY_0", "http.extraHeader")
                .env(
                    "GIT_CONFIG_VALUE_0",
                    format!("Authorization: Basic {credentials}"),
                )
                .env("GIT_CONFIG_KEY_1", "http.followRedirects")
                .env("GIT_CONFIG_VALUE_1", "false");
            // A runner writes it into its clone only, and there may be none.
            if let Some(ca) = &destination.ca {
                command.env("GIT_SSL_CAINFO", ca);
            }
        }
        command
    }

    fn move_refs(&self, moves: &[Move], options: &[&str]) -> Answer<Moved> {
        self.destination.as_ref().map_or(Ok(Moved::Missing), |to| {
            move_refs(to, moves, Together::AllOrNone, options)
        })
    }

    /// One push of several refs, all of them or none.
    pub(super) fn push(&self, options: &[&str], refs: &[String]) -> Answer<Push> {
        let destination = self
            .destination
            .as_ref()
            .ok_or_else(|| Problem::bug("a work tree without a destination was asked to push"))?;
        let mut arguments = vec!["push", "--quiet", "--porcelain", "--atomic"];
        arguments.extend(options);
        arguments.push(&destination.address);
        arguments.extend(refs.iter().map(String::as_str));
        let output = self
            .authorized(self.command(&arguments))
            .output()
            .map_err(super::no_git)?;
        if output.status.success() {
            return Ok(Push::Done);
        }
        let said = [output.stdout, output.stderr].concat();
        let words: String = without_credentials(&String::from_utf8_lossy(&said))
            .chars()
            .take(600)
            .collect();
        // git's own words for a target that is not what it was (git-push(1), porcelain output).
        let moved = [
            "(fetch first)",
            "(non-fast-forward)",
            "(stale info)",
            "cannot lock ref",
        ];
        if moved.iter().any(|sign| words.contains(sign)) {
            Ok(Push::TargetMoved)
        } else if words.contains("[remote rejected]") || words.contains("pre-receive hook declined")
        {
            Ok(Push::Refused { words })
        } else {
            Err(Problem::gitlab(
                format!(
                    "`git push` to `{}` failed: {}",
                    destination.address,
                    words.trim()
                ),
                "check that the token in `TRAINYARD_GATE_TOKEN` may push (scope `write_repository` or `api`, role Maintainer), then retry the job",
            ))
        }
    }
}

impl Candidates for WorkTree {
    fn assemble(
        &self,
        target: &BranchName,
        method: MergeMethod,
        parts: &[Part],
    ) -> Answer<Assembly> {
        WorkTree::assemble(self, target, method, parts)
    }

    fn show(&self, _held: &Held, candidate: &CommitSha, branch: &BranchName) -> Answer<()> {
        let refs = [format!("+{candidate}:refs/heads/{branch}")];
        match self.push(&["-o", "ci.skip"], &refs)? {
            Push::Done => Ok(()),
            Push::TargetMoved => Err(Problem::gitlab(
                format!(
                    "the branch `{branch}` of the candidate could not be written: somebody else writes it"
                ),
                "retry the job; nobody but the gate's bot may push to `trainyard/*`",
            )),
            Push::Refused { words } => Err(Problem::gitlab(
                format!(
                    "GitLab refuses the branch `{branch}` of the candidate: {}",
                    words.trim()
                ),
                "let the gate's bot push to `trainyard/*` (push rules, protected branches)",
            )),
        }
    }

    fn shows(&self, candidate: &CommitSha, branch: &BranchName) -> Answer<bool> {
        Ok(self.listed(branch)?.as_ref() == Some(candidate))
    }

    fn rewrite(&self, _held: &Held, sources: &[Rewritten]) -> Answer<Push> {
        let moves: Vec<Move> = sources
            .iter()
            .map(|source| Move {
                name: format!("refs/heads/{}", source.branch),
                from: source.from.clone(),
                to: Some(source.to.clone()),
            })
            .collect();
        if let Moved::Said(push) = self.move_refs(&moves, &["ci.skip"])? {
            return Ok(push);
        }
        self.bring_history()?;
        let heads: Vec<&CommitSha> = sources.iter().map(|source| &source.to).collect();
        self.bring(&heads)?;
        let leases: Vec<String> = sources
            .iter()
            .map(|s| format!("--force-with-lease=refs/heads/{}:{}", s.branch, s.from))
            .collect();
        let mut options = vec!["-o", "ci.skip"];
        options.extend(leases.iter().map(String::as_str));
        let refs: Vec<String> = sources
            .iter()
            .map(|s| format!("{}:refs/heads/{}", s.to, s.branch))
            .collect();
        self.push(&options, &refs)
    }

    fn land(
        &self,
        _held: &Held,
        candidate: &CommitSha,
        base: &CommitSha,
        target: &BranchName,
    ) -> Answer<Push> {
        // Only from the very head that the candidate stands on.
        let landing = Move {
            name: format!("refs/heads/{target}"),
            from: base.clone(),
            to: Some(candidate.clone()),
        };
        let pushed = match self.move_refs(&[landing], &[])? {
            Moved::Said(push) => push,
            Moved::Missing => {
                self.bring_history()?;
                self.bring(&[candidate])?;
                // Without force: it succeeds only while the target is part of the candidate's history.
                self.push(&[], &[format!("{candidate}:refs/heads/{target}")])?
            }
        };
        match pushed {
            Push::Done => Ok(Push::Done),
            // A run before this one pushed it and died before it could say so.
            Push::TargetMoved | Push::Refused { .. } if self.has_landed(candidate, target)? => {
                Ok(Push::Done)
            }
            Push::TargetMoved | Push::Refused { .. } => Ok(pushed),
        }
    }

    fn remove(&self, branches: &[(BranchName, CommitSha)]) -> Answer<Push> {
        let destination = self
            .destination
            .as_ref()
            .ok_or_else(|| Problem::bug("a work tree without a destination was asked to push"))?;
        let moves: Vec<Move> = branches
            .iter()
            .map(|(branch, head)| Move {
                name: format!("refs/heads/{branch}"),
                from: head.clone(),
                to: None,
            })
            .collect();
        let together = Together::EachForItself;
        match move_refs(destination, &moves, together, &["ci.skip"])? {
            Moved::Said(push) => Ok(push),
            Moved::Missing => Err(Problem::bug("deleting branches needs no commits")),
        }
    }

    fn has_landed(&self, candidate: &CommitSha, target: &BranchName) -> Answer<bool> {
        let head = self.head_of(target)?;
        self.is_ancestor(candidate, &head)
    }
}
