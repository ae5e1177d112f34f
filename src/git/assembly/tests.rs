//! Candidates, built by the real git in real repositories.

use super::super::ground::{Ground, git};
use super::*;
use crate::domain::ids::MergeRequestId;

/// The project that a test works with.
struct Project(Ground);

impl Project {
    fn new() -> Self {
        Self(Ground::new())
    }

    /// One commit on a branch, by its author.
    fn edit(&self, branch: &str, files: &[(&str, &str)], message: &str) -> CommitSha {
        git(&self.0.author, &["checkout", "--quiet", "-B", branch]);
        for (path, text) in files {
            std::fs::write(self.0.author.join(path), text).unwrap();
        }
        git(&self.0.author, &["add", "--all"]);
        git(&self.0.author, &["commit", "--quiet", "-m", message]);
        sha(&git(&self.0.author, &["rev-parse", "HEAD"])).unwrap()
    }

    /// A merge request from the first commit of `main`, one commit for each set of files.
    fn merge_request(&self, iid: u64, commits: &[&[(&str, &str)]]) -> Part {
        git(
            &self.0.author,
            &["checkout", "--quiet", "--detach", "origin/main"],
        );
        let branch = format!("change-{iid}");
        let mut head = None;
        for (number, files) in commits.iter().enumerate() {
            head = Some(self.edit(&branch, files, &format!("Change {iid}, step {number}")));
        }
        self.publish(&branch, &format!("refs/merge-requests/{iid}/head"));
        Part {
            merge_request: MergeRequestId {
                project: "shop/web".parse().unwrap(),
                iid,
            },
            head: head.unwrap(),
            message: format!("Merge !{iid}\n\nTrainyard-Change-Set: !{iid}"),
            squash: None,
        }
    }

    fn publish(&self, branch: &str, reference: &str) {
        let refspec = format!("+{branch}:{reference}");
        git(&self.0.author, &["push", "--quiet", "origin", &refspec]);
    }

    fn push_to_main(&self, files: &[(&str, &str)]) -> CommitSha {
        git(&self.0.author, &["checkout", "--quiet", "main"]);
        let head = self.edit("main", files, "Around the queue");
        self.publish("main", "refs/heads/main");
        head
    }

    fn assemble(&self, method: MergeMethod, parts: &[Part]) -> Assembly {
        WorkTree::at(&self.0.clone)
            .assemble(&"main".parse().unwrap(), method, parts)
            .unwrap()
    }

    fn said(&self, arguments: &[&str]) -> String {
        git(&self.0.clone, arguments)
    }

    fn patch(&self, from: &str, to: &str) -> String {
        self.said(&["diff", from, to])
            .lines()
            .filter(|line| !line.starts_with("index ") && !line.starts_with("@@"))
            .collect()
    }
}

fn iids(assembly: &Assembly) -> Vec<u64> {
    assembly
        .placed
        .iter()
        .map(|p| p.merge_request.iid)
        .collect()
}

#[test]
fn with_merge_commits_every_source_stays_as_it_is_and_is_part_of_the_candidate() {
    let project = Project::new();
    let parts: Vec<Part> = (1..=3)
        .map(|iid| project.merge_request(iid, &[&[(&format!("file-{iid}"), "x\n")]]))
        .collect();
    let head = project.push_to_main(&[("other", "y\n")]);
    let assembly = project.assemble(MergeMethod::MergeCommit, &parts);
    assert_eq!(assembly.base, head);
    assert_eq!(iids(&assembly), [1, 2, 3]);
    let candidate = assembly.candidate().unwrap().to_string();
    for (part, placed) in parts.iter().zip(&assembly.placed) {
        assert_eq!(placed.head, part.head);
        let parents = project.said(&["rev-parse", &format!("{}^2", placed.landed)]);
        assert_eq!(parents, part.head.as_str());
        project.said(&[
            "merge-base",
            "--is-ancestor",
            part.head.as_str(),
            &candidate,
        ]);
    }
    let files = project.said(&["ls-tree", "--name-only", &candidate]);
    assert_eq!(files, "file-1\nfile-2\nfile-3\nother\nprices");
    let first = project.said(&["log", "-1", "--format=%B%n%cn", &format!("{candidate}^1^1")]);
    assert_eq!(first, "Merge !1\n\nTrainyard-Change-Set: !1\ntrainyard");
}

#[test]
fn a_conflict_is_the_authors_only_when_it_is_with_the_target() {
    let project = Project::new();
    let fits = project.merge_request(1, &[&[("prices", "1\n2\n3\n4\n50\n")]]);
    let neighbour = project.merge_request(2, &[&[("prices", "1\n2\n3\n4\n55\n")]]);
    let target = project.merge_request(3, &[&[("prices", "11\n2\n3\n4\n5\n")]]);
    let free = project.merge_request(4, &[&[("receipts", "r\n")]]);
    project.push_to_main(&[("prices", "10\n2\n3\n4\n5\n")]);
    for method in [
        MergeMethod::MergeCommit,
        MergeMethod::SemiLinear,
        MergeMethod::FastForward,
    ] {
        let parts = [&fits, &neighbour, &target, &free].map(Clone::clone);
        let assembly = project.assemble(method, &parts);
        assert_eq!(iids(&assembly), [1, 4], "{method:?}");
        let files = vec!["prices".to_owned()];
        let clashes: Vec<&Clash> = assembly.left_out.iter().map(|(_, clash)| clash).collect();
        let expected = [
            Clash::WithNeighbour {
                files: files.clone(),
            },
            Clash::WithTarget { files },
        ];
        assert_eq!(clashes, expected.iter().collect::<Vec<_>>(), "{method:?}");
    }
}

#[test]
fn a_fast_forward_candidate_is_a_line_of_the_authors_own_commits() {
    let project = Project::new();
    let first = project.merge_request(1, &[&[("a", "1\n")], &[("a", "2\n")]]);
    let second = project.merge_request(2, &[&[("b", "1\n")]]);
    let parts = [first.clone(), second.clone()];
    let assembly = project.assemble(MergeMethod::FastForward, &parts);
    assert_eq!(
        assembly.placed[0].head, first.head,
        "it stands on the target already: nothing is rewritten"
    );
    assert_ne!(assembly.placed[1].head, second.head);
    let candidate = assembly.candidate().unwrap().to_string();
    assert_eq!(
        project.said(&["rev-list", "--count", "--merges", &candidate]),
        "0"
    );
    let rewritten = project.said(&["log", "-1", "--format=%an <%ae> %cn: %s", &candidate]);
    assert_eq!(
        rewritten,
        "Ana <ana@shop.example> trainyard: Change 2, step 0"
    );
    assert_eq!(
        project.patch(&format!("{candidate}^"), &candidate),
        project.patch(&format!("{}^", second.head), second.head.as_str()),
        "the change is the one that was validated"
    );
}

#[test]
fn in_a_semi_linear_candidate_every_merge_could_have_been_a_fast_forward() {
    let project = Project::new();
    let parts: Vec<Part> = (1..=3)
        .map(|iid| project.merge_request(iid, &[&[(&format!("file-{iid}"), "x\n")]]))
        .collect();
    let assembly = project.assemble(MergeMethod::SemiLinear, &parts);
    let mut tip = assembly.base.to_string();
    for placed in &assembly.placed {
        assert_eq!(
            project.said(&["rev-parse", &format!("{}^1", placed.landed)]),
            tip
        );
        assert_eq!(
            project.said(&["merge-base", &tip, placed.head.as_str()]),
            tip,
            "the source stands on what was there before it"
        );
        tip = placed.landed.to_string();
    }
}

#[test]
fn a_squashed_change_set_is_one_commit_with_the_same_change() {
    let project = Project::new();
    let mut part = project.merge_request(1, &[&[("a", "1\n")], &[("a", "2\n")], &[("b", "3\n")]]);
    part.squash = Some("Prices of a and b".to_owned());
    project.push_to_main(&[("other", "y\n")]);
    for method in [MergeMethod::MergeCommit, MergeMethod::FastForward] {
        let assembly = project.assemble(method, std::slice::from_ref(&part));
        let head = assembly.placed[0].head.to_string();
        let subject = project.said(&["log", "-1", "--format=%an: %s", &head]);
        assert_eq!(subject, "Ana: Prices of a and b", "{method:?}");
        assert_eq!(
            project.patch(&format!("{head}^"), &head),
            project.patch(&format!("{}~3", part.head), part.head.as_str()),
            "{method:?}"
        );
    }
}

#[test]
fn a_merge_request_that_moved_or_is_gone_is_left_out() {
    let project = Project::new();
    let mut moved = project.merge_request(1, &[&[("a", "1\n")]]);
    let now = std::mem::replace(&mut moved.head, "a".repeat(40).parse().unwrap());
    let fits = project.merge_request(2, &[&[("b", "1\n")]]);
    let assembly = project.assemble(MergeMethod::MergeCommit, &[moved.clone(), fits]);
    assert_eq!(iids(&assembly), [2]);
    let clash = Clash::Moved { to: Some(now) };
    assert_eq!(assembly.left_out, [(moved.merge_request, clash)]);
}

#[test]
fn what_the_target_has_already_is_not_repeated() {
    let project = Project::new();
    let part = project.merge_request(1, &[&[("a", "1\n")], &[("b", "1\n")]]);
    project.push_to_main(&[("a", "1\n")]);
    let assembly = project.assemble(MergeMethod::FastForward, &[part]);
    let candidate = assembly.candidate().unwrap();
    let range = format!("{}..{candidate}", assembly.base);
    assert_eq!(
        project.said(&["log", "--format=%s", &range]),
        "Change 1, step 1"
    );
}

#[test]
fn the_fetched_heads_of_an_earlier_trial_are_not_mistaken_for_this_ones() {
    let project = Project::new();
    let first = project.merge_request(1, &[&[("a", "1\n")]]);
    let second = project.merge_request(2, &[&[("b", "1\n")]]);
    project.assemble(MergeMethod::MergeCommit, std::slice::from_ref(&first));
    let head = project.push_to_main(&[("other", "y\n")]);
    let assembly = project.assemble(MergeMethod::MergeCommit, &[second]);
    assert_eq!((assembly.base.clone(), iids(&assembly)), (head, vec![2]));
}
