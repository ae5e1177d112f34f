//! What the gate pushes: candidates, rewritten sources, and the target itself. With the gate's token, never with the job's.

use std::path::PathBuf;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::refs::{Move, Moved, Together, move_refs};
use super::{WorkTree, without_credentials};
use crate::config::ci::Secret;
use crate::domain::candidate::{Assembly, MergeMethod, Part};
use crate::domain::ids::{BranchName, CommitSha};
use crate::domain::leaving::Leaving;
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

    fn destination(&self) -> Answer<&Destination> {
        self.destination
            .as_ref()
            .ok_or_else(|| Problem::bug("a work tree without a destination was asked to push"))
    }

    fn pushed(&self, options: &[&str], refs: &[String]) -> Answer<Output> {
        let mut arguments = vec!["push", "--quiet", "--porcelain"];
        arguments.extend(options);
        arguments.push(&self.destination()?.address);
        arguments.extend(refs.iter().map(String::as_str));
        self.authorized(self.command(&arguments))
            .output()
            .map_err(super::no_git)
    }

    /// One push of several refs, all of them or none.
    pub(super) fn push(&self, options: &[&str], refs: &[String]) -> Answer<Push> {
        let output = self.pushed(&[&["--atomic"], options].concat(), refs)?;
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
                    self.destination()?.address,
                    words.trim()
                ),
                "check that the token in `TRAINYARD_GATE_TOKEN` may push (scope `write_repository` or `api`, role Maintainer), then retry the job",
            ))
        }
    }
}

/// `refs/heads/*` of a branch.
fn full(branch: &BranchName) -> String {
    format!("refs/heads/{branch}")
}

/// Whether a ref is what a push wanted it to be, by the line of it that git prints for programs (git-push(1), porcelain output).
fn went(porcelain: &[u8], reference: &str) -> bool {
    String::from_utf8_lossy(porcelain).lines().any(|line| {
        let mut parts = line.split('\t');
        let flag = parts.next();
        let to = parts.next().and_then(|pair| pair.rsplit_once(':'));
        flag != Some("!") && to.is_some_and(|(_, to)| to == reference)
    })
}

impl WorkTree {
    /// Puts a candidate at its branch, and deletes others in the same push. What cannot be deleted stays: one that somebody pushed to, by
    /// itself; where GitLab refuses a deletion, it refuses the whole push, and the candidate goes alone.
    fn put(&self, candidate: &CommitSha, branch: &BranchName, leaving: &[Leaving]) -> Answer<Push> {
        let (shown, quiet) = (format!("+{candidate}:{}", full(branch)), ["-o", "ci.skip"]);
        if !leaving.is_empty() {
            let lease =
                |one: &Leaving| format!("--force-with-lease={}:{}", full(&one.branch), one.head);
            let leases: Vec<String> = leaving.iter().map(lease).collect();
            let leases = leases.iter().map(String::as_str);
            let options: Vec<&str> = quiet.into_iter().chain(leases).collect();
            let deletions = leaving.iter().map(|one| format!(":{}", full(&one.branch)));
            let refs: Vec<String> = deletions.chain([shown.clone()]).collect();
            let output = self.pushed(&options, &refs)?;
            if output.status.success() || went(&output.stdout, &full(branch)) {
                return Ok(Push::Done);
            }
        }
        self.push(&quiet, &[shown])
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

    fn show(
        &self,
        _held: &Held,
        candidate: &CommitSha,
        branch: &BranchName,
        leaving: &[Leaving],
    ) -> Answer<()> {
        match self.put(candidate, branch, leaving)? {
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
                name: full(&source.branch),
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
            name: full(target),
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

    fn remove(&self, leaving: &[Leaving]) -> Answer<Push> {
        let moves: Vec<Move> = leaving
            .iter()
            .map(|one| Move {
                name: full(&one.branch),
                from: one.head.clone(),
                to: None,
            })
            .collect();
        let together = Together::EachForItself;
        match move_refs(self.destination()?, &moves, together, &["ci.skip"])? {
            Moved::Said(push) => Ok(push),
            Moved::Missing => Err(Problem::bug("deleting branches needs no commits")),
        }
    }

    fn has_landed(&self, candidate: &CommitSha, target: &BranchName) -> Answer<bool> {
        let head = self.head_of(target)?;
        self.is_ancestor(candidate, &head)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::ground::{Ground, git};
    use super::*;
    use crate::domain::ids::MergeRequestId;

    /// The project's own git, with the push options and the hook that GitLab has: no branch of this name is deleted.
    fn origin(ground: &Ground, protected: &str) -> Destination {
        let folder = ground.clone.with_file_name("origin.git");
        git(&folder, &["config", "receive.advertisePushOptions", "true"]);
        let hook = folder.join("hooks/pre-receive");
        let refuse = format!("#!/bin/sh\n! grep -q '0\\{{40\\}} refs/heads/{protected}$'\n");
        std::fs::write(&hook, refuse).unwrap();
        std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        Destination {
            address: folder.to_string_lossy().into_owned(),
            token: Secret::new("not-a-token".to_owned()),
            ca: None,
        }
    }

    #[test]
    fn a_candidate_is_shown_whatever_becomes_of_the_branches_beside_it() {
        let ground = Ground::new();
        let head = git(&ground.clone, &["rev-parse", "HEAD"]);
        for branch in ["done", "moved", "protected"] {
            git(
                &ground.author,
                &["push", "--quiet", "origin", &format!("main:{branch}")],
            );
        }
        let leaving = |branch: &str, head: &str| Leaving {
            merge_request: MergeRequestId {
                project: "shop/web".parse().unwrap(),
                iid: 1,
            },
            branch: branch.parse().unwrap(),
            head: head.parse().unwrap(),
            since: Timestamp::UNIX_EPOCH,
        };
        let destination = origin(&ground, "protected");
        let there = || {
            git(
                &ground.clone,
                &["ls-remote", "--heads", &destination.address],
            )
        };
        let tree = WorkTree::at(&ground.clone).pushing_to(Some(destination.clone()));
        let (candidate, branch) = (head.parse().unwrap(), "trainyard/nrt".parse().unwrap());
        let shown = |leaving: &[Leaving]| tree.put(&candidate, &branch, leaving).unwrap();
        let moved = [leaving("done", &head), leaving("moved", &"b".repeat(40))];
        assert_eq!(shown(&moved), Push::Done);
        assert!(there().contains("refs/heads/trainyard/nrt"), "{}", there());
        assert!(!there().contains("refs/heads/done"), "{}", there());
        assert!(there().contains("refs/heads/moved"), "{}", there());
        git(
            &ground.clone,
            &["push", "--quiet", &destination.address, ":trainyard/nrt"],
        );
        let refused = [leaving("moved", &head), leaving("protected", &head)];
        assert_eq!(shown(&refused), Push::Done);
        assert!(there().contains("refs/heads/trainyard/nrt"), "{}", there());
        assert!(there().contains("refs/heads/protected"), "{}", there());
    }
}
