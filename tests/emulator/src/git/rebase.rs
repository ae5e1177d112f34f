//! Rebasing inside a bare repository: each commit is replayed with its author kept.

use super::{GitError, Identity, Repository};

impl Repository {
    /// Replays the commits of `head` that `onto` lacks on top of `onto` and returns the new head; no ref is moved.
    ///
    /// Merge commits are left out, and so are commits that `onto` already holds or that become empty, as `git rebase` does.
    pub fn rebase(&self, head: &str, onto: &str, committer: &Identity) -> Result<String, GitError> {
        if self.is_ancestor(onto, head)? {
            return Ok(head.to_owned());
        }
        let range = format!("{onto}...{head}");
        let chosen = [
            "--reverse",
            "--topo-order",
            "--no-merges",
            "--right-only",
            "--cherry-pick",
            &range,
        ];
        let mut new_head = onto.to_owned();
        for commit in self.commits(&chosen)? {
            let Some(parent) = commit.parents.first() else {
                return Err(GitError::Action(
                    "the branch has no common history with its target".to_owned(),
                ));
            };
            let tree = self.merge_tree_from(Some(parent), &new_head, &commit.id)?;
            let was_empty = self.tree_of(parent)? == commit.tree;
            if tree == self.tree_of(&new_head)? && !was_empty {
                continue;
            }
            let author = [
                commit.author.name,
                commit.author.email,
                commit.author.raw_date,
            ];
            new_head =
                self.commit_tree_by(&tree, &[&new_head], &commit.message, &author, committer)?;
        }
        Ok(new_head)
    }

    fn tree_of(&self, commit: &str) -> Result<String, GitError> {
        match self.commit_object(commit) {
            Some(commit) => Ok(commit.tree),
            None => self.text(&["rev-parse", "--verify", &format!("{commit}^{{tree}}")]),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::git::{GitError, fixture};

    #[test]
    fn a_rebase_keeps_authors_and_names_the_acting_user_as_committer() {
        let made = fixture::empty();
        let git = &made.repository;
        let root = made.commit("main", None, "root", &[("a", "1\n")]);
        made.commit("feature", Some(&root), "f1", &[("b", "1\n")]);
        let feature = made.commit("feature", None, "f2\n\nwhy", &[("b", "2\n")]);
        let main = made.commit("main", None, "m", &[("c", "1\n")]);
        let rebased = git
            .rebase(&feature, &main, &fixture::identity("bot", 60))
            .unwrap();
        let commits = git.commits(&[&format!("{main}..{rebased}")]).unwrap();
        assert_eq!(
            commits
                .iter()
                .map(|commit| commit.title())
                .collect::<Vec<_>>(),
            ["f2", "f1"]
        );
        assert!(
            commits
                .iter()
                .all(|commit| commit.author.name == "ana" && commit.committer.name == "bot")
        );
        assert_eq!(
            commits[0].author.raw_date,
            git.commit(&feature).unwrap().unwrap().author.raw_date
        );
        assert!(git.is_ancestor(&main, &rebased).unwrap());
    }

    #[test]
    fn a_branch_that_is_up_to_date_stays_as_it_is() {
        let made = fixture::empty();
        let root = made.commit("main", None, "root", &[("a", "1\n")]);
        let feature = made.commit("feature", Some(&root), "f", &[("b", "1\n")]);
        assert_eq!(
            made.repository
                .rebase(&feature, &root, &fixture::identity("bot", 1))
                .unwrap(),
            feature
        );
    }

    #[test]
    fn a_conflict_names_its_files() {
        let made = fixture::empty();
        let root = made.commit("main", None, "root", &[("a", "1\n")]);
        let feature = made.commit("feature", Some(&root), "f", &[("a", "2\n")]);
        let main = made.commit("main", None, "m", &[("a", "3\n")]);
        let result = made
            .repository
            .rebase(&feature, &main, &fixture::identity("bot", 1));
        assert!(matches!(result, Err(GitError::Conflict { files }) if files == ["a"]));
    }

    #[test]
    fn a_change_that_is_already_there_is_left_out() {
        let made = fixture::empty();
        let root = made.commit("main", None, "root", &[("a", "1\n")]);
        let feature = made.commit("feature", Some(&root), "f", &[("b", "1\n")]);
        made.commit("main", None, "same", &[("b", "1\n")]);
        let main = made.commit("main", None, "more", &[("c", "1\n")]);
        assert_eq!(
            made.repository
                .rebase(&feature, &main, &fixture::identity("bot", 1))
                .unwrap(),
            main
        );
    }
}
