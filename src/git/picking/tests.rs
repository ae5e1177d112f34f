//! Picked commits, by the real git in real repositories.

use super::super::ground::{Ground, git};
use super::*;
use crate::domain::ids::MergeRequestId;

/// The project that a test works with.
struct Project(Ground);

impl Project {
    fn new() -> Self {
        Self(Ground::new())
    }

    /// One commit on the branch that the author is on.
    fn commit(&self, path: &str, text: &str) -> CommitSha {
        std::fs::write(self.0.author.join(path), text).unwrap();
        git(&self.0.author, &["add", "--all"]);
        git(
            &self.0.author,
            &["commit", "--quiet", "-m", &format!("Write {path}")],
        );
        sha(&git(&self.0.author, &["rev-parse", "HEAD"])).unwrap()
    }

    fn begin(&self, branch: &str, at: &CommitSha) {
        git(
            &self.0.author,
            &["checkout", "--quiet", "-B", branch, at.as_str()],
        );
    }

    fn push(&self, branch: &str) {
        git(
            &self.0.author,
            &["push", "--quiet", "--force", "origin", branch],
        );
    }

    fn tree(&self) -> WorkTree {
        git(&self.0.clone, &["fetch", "--quiet", "origin"]);
        WorkTree::at(&self.0.clone)
    }

    /// The author takes over what was picked, and goes on from there.
    fn take(&self, branch: &str, tip: &CommitSha) {
        git(
            &self.0.clone,
            &[
                "push",
                "--quiet",
                "--force",
                "origin",
                &format!("{tip}:refs/heads/{branch}"),
            ],
        );
        git(&self.0.author, &["fetch", "--quiet", "origin"]);
        self.begin(branch, tip);
    }
}

fn source(landed: &CommitSha, after: Option<&CommitSha>) -> Source {
    Source {
        merge_request: MergeRequestId {
            project: "shop/web".parse().unwrap(),
            iid: 7,
        },
        title: "A change".to_owned(),
        landed: landed.clone(),
        after: after.cloned(),
    }
}

fn main() -> BranchName {
    "main".parse().unwrap()
}

#[test]
fn commits_are_picked_one_by_one_and_the_same_way_every_time() {
    let project = Project::new();
    let base = project.commit("base", "x\n");
    let between = project.commit("between", "x\n");
    project.commit("first", "x\n");
    let landed = project.commit("second", "x\n");
    project.push("main");
    let tree = project.tree();
    let picked = tree
        .pick(&base, &[source(&landed, Some(&between))])
        .unwrap();
    let Picked::Done { tip, commits: 2 } = &picked else {
        panic!("{picked:?}");
    };
    let files = tree.run(&["ls-tree", "--name-only", tip.as_str()]).unwrap();
    assert_eq!(files, "base\nfirst\nprices\nsecond");
    assert_eq!(
        tree.pick(&base, &[source(&landed, Some(&between))])
            .unwrap(),
        picked
    );
    let merge_request = source(&landed, None).merge_request;
    let again = tree.pick(tip, &[source(&landed, Some(&between))]).unwrap();
    assert_eq!(again, Picked::AlreadyThere { merge_request });
}

#[test]
fn what_cannot_be_told_apart_is_not_picked_and_a_conflict_names_its_files() {
    let project = Project::new();
    let base = project.commit("base", "x\n");
    let changed = project.commit("prices", "1\n2\n3\n4\nfive\n");
    let again = project.commit("prices", "1\n2\n3\n4\nsix\n");
    project.push("main");
    let tree = project.tree();
    let merge_request = source(&base, None).merge_request;
    let unclear = Picked::Unclear {
        merge_request: merge_request.clone(),
    };
    assert_eq!(
        tree.pick(&base, &[source(&changed, None)]).unwrap(),
        unclear
    );
    let conflict = Picked::Conflict {
        merge_request,
        commit: again.clone(),
        files: vec!["prices".to_owned()],
    };
    assert_eq!(
        tree.pick(&base, &[source(&again, Some(&changed))]).unwrap(),
        conflict
    );
}

#[test]
fn a_branch_goes_on_to_a_version_without_force_and_with_its_very_files() {
    let project = Project::new();
    let old = project.commit("old", "x\n");
    let new = project.commit("new", "x\n");
    project.push("main");
    project.begin("hotfix", &old);
    let fixed = project.commit("old", "fixed\n");
    project.push("hotfix");
    let tree = project.tree();
    let number = Number::of_tag("v1.5.0", "v").unwrap();
    assert_eq!(tree.going_on(&old, &new, &number).unwrap(), new);
    let joined = tree.going_on(&fixed, &new, &number).unwrap();
    assert_eq!(tree.parents(&joined).unwrap(), [new.clone(), fixed.clone()]);
    assert_eq!(tree.tree_of(&joined).unwrap(), tree.tree_of(&new).unwrap());
    assert_eq!(tree.going_on(&fixed, &new, &number).unwrap(), joined);
}

#[test]
fn the_main_branch_lacks_what_was_not_picked_from_it() {
    let project = Project::new();
    let base = project.commit("base", "x\n");
    let landed = project.commit("first", "x\n");
    project.push("main");
    let tree = project.tree();
    let picked = tree.pick(&base, &[source(&landed, Some(&base))]).unwrap();
    let Picked::Done { tip, .. } = picked else {
        panic!("{picked:?}");
    };
    assert_eq!(
        tree.missing(&landed, &main()).unwrap(),
        Missing::Nothing,
        "in its history"
    );
    assert_eq!(
        tree.missing(&tip, &main()).unwrap(),
        Missing::Nothing,
        "picked from there"
    );

    // The main branch changes the same file again: what was picked from it is there all the same.
    project.begin("main", &landed);
    project.commit("first", "y\n");
    project.push("main");
    let tree = project.tree();
    assert_eq!(tree.missing(&tip, &main()).unwrap(), Missing::Nothing);

    project.take("hotfix", &tip);
    let added = project.commit("added", "x\n");
    project.push("hotfix");
    let tree = project.tree();
    let missing = tree.missing(&added, &main()).unwrap();
    let Missing::Commits { tip: brought } = missing else {
        panic!("{missing:?}");
    };
    let files = tree
        .run(&["diff", "--name-only", "origin/main", brought.as_str()])
        .unwrap();
    assert_eq!(files, "added");

    let changed = project.commit("first", "z\n");
    project.push("hotfix");
    let tree = project.tree();
    assert_eq!(tree.missing(&changed, &main()).unwrap(), Missing::Conflict);
}
