//! Commits that are picked from one branch onto another, in the object store alone. Whoever picks the same twice gets the same
//! commits: they keep their dates.

use super::WorkTree;
use super::assembly::{Merged, sha};
use crate::domain::ids::{BranchName, CommitSha};
use crate::domain::versioning::Number;
use crate::domain::versioning::hotfix::picked_message;
use crate::outcome::Problem;
use crate::ports::{Answer, Commits, Missing, Picked, Picks, Push, Source};

/// How a message says where a commit was picked from.
const PICKED_FROM: &str = "(cherry picked from commit ";

/// One commit to be picked, and what it is compared with.
struct One {
    commit: CommitSha,
    before: CommitSha,
    message: String,
    /// The commit whose author it gets.
    author: CommitSha,
}

impl WorkTree {
    fn parents(&self, commit: &CommitSha) -> Answer<Vec<CommitSha>> {
        let said = self.run(&["log", "-1", "--format=%P", commit.as_str()])?;
        said.split_whitespace().map(sha).collect()
    }

    fn message_of(&self, commit: &CommitSha) -> Answer<String> {
        self.run(&["log", "-1", "--format=%B", commit.as_str()])
    }

    /// A merge commit is picked as one, against its first parent; all else commit by commit. Nothing when it is not known where they
    /// begin, or when merges are among them.
    fn ones(&self, source: &Source) -> Answer<Option<Vec<One>>> {
        if let [first, second, ..] = self.parents(&source.landed)?.as_slice() {
            return Ok(Some(vec![One {
                commit: source.landed.clone(),
                before: first.clone(),
                message: source.title.clone(),
                author: second.clone(),
            }]));
        }
        let Some(after) = &source.after else {
            return Ok(None);
        };
        self.bring(&[after])?;
        let range = format!("{after}..{}", source.landed);
        let listed = self.run(&["rev-list", "--reverse", "--topo-order", &range])?;
        let mut ones = Vec::new();
        for line in listed.lines() {
            let commit = sha(line)?;
            let parents = self.parents(&commit)?;
            let [before] = parents.as_slice() else {
                return Ok(None);
            };
            ones.push(One {
                message: self.message_of(&commit)?,
                author: commit.clone(),
                before: before.clone(),
                commit,
            });
        }
        Ok(Some(ones))
    }

    /// The author of a commit, and the date of another one: whoever picks it again gets the same commit.
    fn signed(&self, author: &CommitSha, dated: &CommitSha) -> Answer<Vec<(&'static str, String)>> {
        let mut signed = self.author_of(author)?;
        let date = self.run(&["log", "-1", "--format=%cI", dated.as_str()])?;
        signed.push(("GIT_COMMITTER_DATE", date));
        Ok(signed)
    }

    /// Whether a commit of the one side was picked from the history of the other one, and is the same change still.
    fn was_picked_from(&self, commit: &CommitSha, head: &CommitSha) -> Answer<bool> {
        let message = self.message_of(commit)?;
        let mut named = message
            .lines()
            .filter_map(|line| line.strip_prefix(PICKED_FROM)?.strip_suffix(')'));
        let Some(original) = named.next_back().and_then(|text| sha(text).ok()) else {
            return Ok(false);
        };
        if !self.has(&original) || !self.is_ancestor(&original, head)? {
            return Ok(false);
        }
        let (own, other) = (self.parents(commit)?, self.parents(&original)?);
        let (Some(own), Some(other)) = (own.first(), other.first()) else {
            return Ok(false);
        };
        Ok(self.patch_between(own.as_str(), commit)?
            == self.patch_between(other.as_str(), &original)?)
    }
}

impl Picks for WorkTree {
    fn head(&self, branch: &BranchName) -> Answer<Option<CommitSha>> {
        self.listed(branch)
    }

    fn going_on(
        &self,
        head: &CommitSha,
        released: &CommitSha,
        number: &Number,
    ) -> Answer<CommitSha> {
        if self.is_ancestor(head, released)? {
            return Ok(released.clone());
        }
        let message = format!(
            "Go on from version {number}\n\nThe files are those of {}; what was here before stays in the history.\n\nTrainyard-Release: {number}",
            number.tag()
        );
        let mut signed = self.signed(released, released)?;
        // Ours by name, the released one's by date.
        signed.retain(|(key, _)| key.ends_with("DATE"));
        self.commit(
            &self.tree_of(released)?,
            &[released, head],
            &message,
            &signed,
        )
    }

    fn pick(&self, onto: &CommitSha, sources: &[Source]) -> Answer<Picked> {
        self.bring_history()?;
        let landed: Vec<&CommitSha> = sources.iter().map(|source| &source.landed).collect();
        self.bring(&[&landed[..], &[onto]].concat())?;
        let (mut tip, mut commits) = (onto.clone(), 0);
        for source in sources {
            let merge_request = source.merge_request.clone();
            let Some(ones) = self.ones(source)? else {
                return Ok(Picked::Unclear { merge_request });
            };
            let before = commits;
            for one in ones {
                let tree = match self.merge_trees(Some(&one.before), &tip, &one.commit)? {
                    Merged::Tree(tree) => tree,
                    Merged::Conflict(files) => {
                        return Ok(Picked::Conflict {
                            merge_request,
                            commit: one.commit,
                            files,
                        });
                    }
                };
                if tree == self.tree_of(&tip)? {
                    continue;
                }
                let message = picked_message(&one.message, &one.commit, Some(&merge_request));
                let signed = self.signed(&one.author, &one.commit)?;
                tip = self.commit(&tree, &[&tip], &message, &signed)?;
                commits += 1;
            }
            if commits == before {
                return Ok(Picked::AlreadyThere { merge_request });
            }
        }
        Ok(Picked::Done { tip, commits })
    }

    fn push_heads(&self, heads: &[(&BranchName, &CommitSha)]) -> Answer<Push> {
        let refs: Vec<String> = heads
            .iter()
            .map(|(branch, head)| format!("{head}:refs/heads/{branch}"))
            .collect();
        self.push(&["-o", "ci.skip"], &refs)
    }

    fn missing(&self, commit: &CommitSha, branch: &BranchName) -> Answer<Missing> {
        let head = self.listed(branch)?.ok_or_else(|| {
            Problem::gitlab(
                format!("the branch `{branch}` is not in the project"),
                "check the branches of `nrt.environments` in `.trainyard.yml`",
            )
        })?;
        if self.is_ancestor(commit, &head)? {
            return Ok(Missing::Nothing);
        }
        let range = format!("{head}..{commit}");
        let order = ["rev-list", "--reverse", "--topo-order", "--no-merges"];
        let listed = self.run(&[&order[..], &[&range]].concat())?;
        let (mut tip, mut all_picked) = (head.clone(), true);
        for line in listed.lines() {
            let one = sha(line)?;
            if self.was_picked_from(&one, &head)? {
                continue;
            }
            all_picked = false;
            let parents = self.parents(&one)?;
            let tree = match self.merge_trees(parents.first(), &tip, &one)? {
                Merged::Tree(tree) => tree,
                Merged::Conflict(_) => return Ok(Missing::Conflict),
            };
            if tree != self.tree_of(&tip)? {
                let message = picked_message(&self.message_of(&one)?, &one, None);
                tip = self.commit(&tree, &[&tip], &message, &self.signed(&one, &one)?)?;
            }
        }
        if all_picked {
            return Ok(Missing::Nothing);
        }
        if tip != head {
            return Ok(Missing::Commits { tip });
        }
        // What a merge of two branches decided by itself is in none of these commits.
        Ok(match self.merge_trees(None, &head, commit)? {
            Merged::Tree(tree) if tree == self.tree_of(&head)? => Missing::Nothing,
            Merged::Tree(_) | Merged::Conflict(_) => Missing::Conflict,
        })
    }
}

#[cfg(test)]
mod tests;
