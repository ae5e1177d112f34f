//! Candidates of several change sets: built in the object store alone, with no work tree, no index and no hook.
//!
//! Merges and rebases are three-way merges of trees (`git merge-tree --write-tree`) whose results become commits by
//! `git commit-tree`, as GitLab's own Gitaly does it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{Repository, WorkTree};
use crate::domain::candidate::{Assembly, Clash, MergeMethod, Part, Placed};
use crate::domain::ids::{BranchName, CommitSha};
use crate::outcome::Problem;
use crate::ports::Answer;

/// Where fetched heads are kept in the job's clone; no ref that anybody else uses.
const FETCHED: &str = "refs/trainyard";

/// A merge of two trees: the tree, or the files in conflict.
pub(super) enum Merged {
    Tree(String),
    Conflict(Vec<String>),
}

impl WorkTree {
    /// Puts change sets one after the other onto the head of the target; what does not fit is left out. One fetch.
    ///
    /// # Errors
    /// When git cannot be run, the project cannot be fetched, or an object cannot be written.
    pub fn assemble(
        &self,
        target: &BranchName,
        method: MergeMethod,
        parts: &[Part],
    ) -> Answer<Assembly> {
        let heads = self.fetch_heads(target, parts)?;
        let base = head_of(&heads, target)?;
        let mut assembly = Assembly {
            base: base.clone(),
            placed: Vec::new(),
            left_out: Vec::new(),
        };
        let mut tip = base.clone();
        for part in parts {
            let now = heads.get(&part.merge_request.iid.to_string());
            let placed = if now == Some(&part.head) {
                self.place(part, &tip, method)?
            } else {
                Err(Clash::Moved { to: now.cloned() })
            };
            match placed {
                Ok(placed) => {
                    tip = placed.landed.clone();
                    assembly.placed.push(placed);
                }
                Err(clash) => {
                    let clash = self.whose(clash, part, &base, &tip, method)?;
                    assembly.left_out.push((part.merge_request.clone(), clash));
                }
            }
        }
        Ok(assembly)
    }

    /// A conflict on the bare target is the author's; any other one is with a neighbour, and goes away once that one has landed.
    fn whose(
        &self,
        clash: Clash,
        part: &Part,
        base: &CommitSha,
        tip: &CommitSha,
        method: MergeMethod,
    ) -> Answer<Clash> {
        match clash {
            Clash::WithTarget { files } if base != tip => {
                Ok(match self.place(part, base, method)? {
                    Ok(_) => Clash::WithNeighbour { files },
                    Err(alone) => alone,
                })
            }
            other @ (Clash::WithTarget { .. }
            | Clash::WithNeighbour { .. }
            | Clash::Moved { .. }) => Ok(other),
        }
    }

    /// The heads of the target and of the merge requests as the project has them now, in one fetch.
    fn fetch_heads(
        &self,
        target: &BranchName,
        parts: &[Part],
    ) -> Answer<BTreeMap<String, CommitSha>> {
        let mut options = vec!["--prune"];
        if self.ready()? == Repository::Found
            && self.run(&["rev-parse", "--is-shallow-repository"])? == "true"
        {
            options.push("--unshallow");
        }
        let mut refs = vec![format!("+refs/heads/{target}:{FETCHED}/target")];
        let numbers = parts.iter().map(|part| part.merge_request.iid);
        refs.extend(numbers.map(|iid| format!("+refs/merge-requests/{iid}/head:{FETCHED}/{iid}")));
        let refs: Vec<&str> = refs.iter().map(String::as_str).collect();
        self.fetch(&options, &refs)?;
        let format = "--format=%(refname:lstrip=2) %(objectname)";
        let listed = self.run(&["for-each-ref", format, FETCHED])?;
        let mut heads = BTreeMap::new();
        for line in listed.lines() {
            if let Some((name, commit)) = line.split_once(' ') {
                heads.insert(name.to_owned(), sha(commit)?);
            }
        }
        Ok(heads)
    }

    /// The head of a branch as the project has it now.
    pub(super) fn head_of(&self, branch: &BranchName) -> Answer<CommitSha> {
        head_of(&self.fetch_heads(branch, &[])?, branch)
    }

    /// One change set on top of a commit.
    fn place(
        &self,
        part: &Part,
        tip: &CommitSha,
        method: MergeMethod,
    ) -> Answer<Result<Placed, Clash>> {
        let source = match &part.squash {
            Some(message) => self.squashed(&part.head, tip, message, method)?,
            None => part.head.clone(),
        };
        let (head, tree) = match method {
            MergeMethod::MergeCommit => match self.merge_trees(None, tip, &source)? {
                Merged::Tree(tree) => (source, tree),
                Merged::Conflict(files) => return Ok(Err(Clash::WithTarget { files })),
            },
            MergeMethod::SemiLinear | MergeMethod::FastForward => {
                match self.rebased(&source, tip)? {
                    Ok(head) => {
                        let tree = self.tree_of(&head)?;
                        (head, tree)
                    }
                    Err(files) => return Ok(Err(Clash::WithTarget { files })),
                }
            }
        };
        let landed = match method {
            MergeMethod::FastForward => head.clone(),
            MergeMethod::MergeCommit | MergeMethod::SemiLinear => {
                self.commit(&tree, &[tip, &head], &part.message, &[])?
            }
        };
        Ok(Ok(Placed {
            merge_request: part.merge_request.clone(),
            head,
            landed,
        }))
    }

    /// The commits of a source as one, at the place where the source left the target: its diff, and so its patch id, stay. One that is
    /// one already stays as it is, unless no merge commit would say where it came from.
    fn squashed(
        &self,
        head: &CommitSha,
        tip: &CommitSha,
        message: &str,
        method: MergeMethod,
    ) -> Answer<CommitSha> {
        let fork = sha(&self.run(&["merge-base", tip.as_str(), head.as_str()])?)?;
        let only = self.run(&["rev-list", "--count", &format!("{fork}..{head}")])?;
        if only == "1" && method != MergeMethod::FastForward {
            return Ok(head.clone());
        }
        let author = self.author_of(head)?;
        self.commit(&self.tree_of(head)?, &[&fork], message, &author)
    }

    /// The commits of a source on top of another commit, as `git rebase` would put them there: merges are left out, and so is what
    /// the target has already.
    fn rebased(
        &self,
        head: &CommitSha,
        onto: &CommitSha,
    ) -> Answer<Result<CommitSha, Vec<String>>> {
        let range = format!("{onto}..{head}");
        let merges = self.run(&["rev-list", "--count", "--merges", &range])?;
        if merges == "0"
            && self.run(&["merge-base", onto.as_str(), head.as_str()])? == onto.as_str()
        {
            return Ok(Ok(head.clone()));
        }
        let commits = self.run(&[
            "rev-list",
            "--reverse",
            "--topo-order",
            "--no-merges",
            &range,
        ])?;
        let mut tip = onto.clone();
        for line in commits.lines() {
            let commit = sha(line)?;
            let parent = sha(&self.run(&["rev-parse", "--verify", &format!("{commit}^")])?)?;
            let tree = match self.merge_trees(Some(&parent), &tip, &commit)? {
                Merged::Tree(tree) => tree,
                Merged::Conflict(files) => return Ok(Err(files)),
            };
            let was_empty = self.tree_of(&parent)? == self.tree_of(&commit)?;
            if tree == self.tree_of(&tip)? && !was_empty {
                continue;
            }
            let message = self.run(&["log", "-1", "--format=%B", commit.as_str()])?;
            tip = self.commit(&tree, &[&tip], &message, &self.author_of(&commit)?)?;
        }
        Ok(Ok(tip))
    }

    pub(super) fn merge_trees(
        &self,
        base: Option<&CommitSha>,
        ours: &CommitSha,
        theirs: &CommitSha,
    ) -> Answer<Merged> {
        let mut arguments = vec![
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
        ];
        let base = base.map(|base| format!("--merge-base={base}"));
        arguments.extend(base.as_deref());
        arguments.extend([ours.as_str(), theirs.as_str()]);
        let output = self.output(&arguments)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut fields = text.split('\0').map(|field| field.trim_end_matches('\n'));
        let tree = fields.next().unwrap_or_default().to_owned();
        match output.status.code() {
            Some(0) => Ok(Merged::Tree(tree)),
            Some(1) => {
                let files = fields.filter(|file| !file.is_empty());
                Ok(Merged::Conflict(files.map(str::to_owned).collect()))
            }
            Some(_) | None => Err(Problem::gitlab(
                format!("git cannot merge `{theirs}` into `{ours}`"),
                "the job's image needs git 2.40 or later; retry the job with a fresh clone (`GIT_STRATEGY: clone`)",
            )),
        }
    }

    pub(super) fn commit(
        &self,
        tree: &str,
        parents: &[&CommitSha],
        message: &str,
        author: &[(&str, String)],
    ) -> Answer<CommitSha> {
        let mut arguments = vec!["commit-tree", tree, "-F", "-"];
        for parent in parents {
            arguments.extend(["-p", parent.as_str()]);
        }
        sha(&self.run_with(&arguments, author, message)?)
    }

    pub(super) fn author_of(&self, commit: &CommitSha) -> Answer<Vec<(&'static str, String)>> {
        let said = self.run(&["log", "-1", "--format=%an%x00%ae%x00%aI", commit.as_str()])?;
        let names = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"];
        Ok(names
            .into_iter()
            .zip(said.split('\0').map(str::to_owned))
            .collect())
    }

    pub(super) fn tree_of(&self, commit: &CommitSha) -> Answer<String> {
        self.run(&["rev-parse", "--verify", &format!("{commit}^{{tree}}")])
    }
}

fn head_of(heads: &BTreeMap<String, CommitSha>, branch: &BranchName) -> Answer<CommitSha> {
    heads.get("target").cloned().ok_or_else(|| {
        Problem::gitlab(
            format!("the branch `{branch}` is not in the project"),
            "check `branch` in `.trainyard.yml`",
        )
    })
}

pub(super) fn sha(text: &str) -> Answer<CommitSha> {
    text.trim().parse().map_err(|error| {
        Problem::bug("git named a commit in a form that we do not understand").caused_by(error)
    })
}
