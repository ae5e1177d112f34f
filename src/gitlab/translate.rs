//! GitLab's answers into the domain's values. Pure.

use std::str::FromStr;

use super::wire;
use crate::domain::ids::{CommitSha, FeatureId, JobId, MergeRequestId, ProjectPath};
use crate::domain::integration::MergeRequestState;
use crate::domain::linking::{Feature, Moved};
use crate::domain::naming::{FailedCase, Suite};
use crate::domain::objections::Threads;
use crate::domain::validation::Player;
use crate::outcome::Problem;
use crate::ports::{Answer, JobRecord, MergeRequest, Visibility};

/// Reads one field through its constructor.
pub(super) fn field<T: FromStr<Err: std::fmt::Display>>(name: &str, text: &str) -> Answer<T> {
    text.parse().map_err(|error: T::Err| {
        Problem::gitlab(
            format!("GitLab's field `{name}` cannot be used: {error}"),
            "check that the server is a GitLab of version 16.11 or later",
        )
    })
}

pub(super) fn merge_request(
    project: &ProjectPath,
    found: wire::MergeRequest,
) -> Answer<MergeRequest> {
    let state = match found.state.as_str() {
        "opened" => MergeRequestState::Open,
        "merged" => MergeRequestState::Merged,
        // `locked`: GitLab is merging it this very moment; nothing may be started on it.
        _ => MergeRequestState::Closed,
    };
    let optional = |name: &str, text: Option<&String>| {
        text.map(|text| field::<CommitSha>(name, text)).transpose()
    };
    let head = found.sha.as_ref().ok_or_else(|| {
        Problem::gitlab(
            format!("the merge request !{} has no commit", found.iid),
            "its source branch is gone: close it or push the branch again",
        )
    })?;
    let landed = found
        .merge_commit_sha
        .as_ref()
        .or(found.squash_commit_sha.as_ref());
    let landed = match state {
        // A fast-forward merge leaves no commit of its own.
        MergeRequestState::Merged => {
            Some(optional("merge_commit_sha", landed)?.map_or_else(|| field("sha", head), Ok)?)
        }
        MergeRequestState::Open | MergeRequestState::Closed => None,
    };
    Ok(MergeRequest {
        id: MergeRequestId {
            project: project.clone(),
            iid: found.iid,
        },
        title: found.title,
        description: found.description.unwrap_or_default(),
        author: field("author.username", &found.author.username)?,
        state,
        draft: found.draft,
        source: field("source_branch", &found.source_branch)?,
        target: field("target_branch", &found.target_branch)?,
        head: field("sha", head)?,
        labels: found.labels,
        url: found.web_url,
        threads: match found.blocking_discussions_resolved {
            Some(false) => Threads::InTheWay,
            Some(true) | None if found.has_open_threads => Threads::Open,
            Some(true) | None => Threads::Resolved,
        },
        merge_status: found.detailed_merge_status,
        landed,
        behind: found.diverged_commits_count,
        base: optional(
            "diff_refs.base_sha",
            found.diff_refs.and_then(|refs| refs.base_sha).as_ref(),
        )?,
        squash: found.squash_on_merge.unwrap_or(found.squash),
        deletes_source: found
            .should_remove_source_branch
            .or(found.force_remove_source_branch)
            .unwrap_or(false),
        from_fork: found.source_project_id != found.target_project_id,
    })
}

pub(super) fn feature(project: &ProjectPath, issue: wire::Issue) -> Answer<Feature> {
    Ok(Feature {
        id: FeatureId {
            project: project.clone(),
            iid: issue.iid,
        },
        title: issue.title,
        description: issue.description.unwrap_or_default(),
        open: issue.state == "opened",
        confidential: issue.confidential,
        labels: issue.labels,
        issue_type: issue.issue_type,
        moved: issue.moved_to_id.map(|_| Moved::OutOfSight),
        author: field("author.username", &issue.author.username)?,
        url: issue.web_url,
    })
}

/// Who can see a project, by GitLab's word; one that it does not tell is seen by the fewest.
pub(super) fn visibility(word: Option<&str>) -> Visibility {
    match word {
        Some("public") => Visibility::Public,
        Some("internal") => Visibility::Internal,
        Some(_) | None => Visibility::Private,
    }
}

/// The issue of a full reference, `group/project#7`.
pub(super) fn full_reference(text: &str) -> Option<FeatureId> {
    let (project, iid) = text.rsplit_once('#')?;
    Some(FeatureId {
        project: project.parse().ok()?,
        iid: iid.parse().ok()?,
    })
}

pub(super) fn job(found: &wire::Job) -> JobRecord {
    JobRecord {
        id: JobId(found.id),
        name: found.name.clone(),
        status: found.status.clone(),
        may_fail: found.allow_failure,
        failure: found.failure_reason.clone(),
    }
}

/// The test cases of a report that failed.
pub(super) fn suite(found: &wire::TestSuite) -> Suite {
    let failed = found
        .test_cases
        .iter()
        .filter(|case| matches!(case.status.as_str(), "failed" | "error"));
    Suite {
        name: found.name.clone(),
        whole: found.suite_error.is_none(),
        failed: failed.map(failed_case).collect(),
    }
}

fn failed_case(found: &wire::TestCase) -> FailedCase {
    let said = found.system_output.as_str().or_else(|| {
        let message = found.system_output.get("message")?;
        message.as_str()
    });
    let first_line = |text: &str| {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty());
        line.map(str::to_owned)
    };
    FailedCase {
        name: found.name.clone().unwrap_or_default(),
        class: found.classname.clone(),
        file: found.file.clone(),
        said: said.and_then(first_line),
    }
}

/// The marker that makes a note ours, together with its author.
pub(super) fn marker(kind: &str) -> String {
    format!("<!-- trainyard:{kind} -->")
}

/// The kind in a note's marker; what follows it there is a mark of ours.
pub(super) fn kind_of(body: &str) -> Option<&str> {
    let (marker, _) = body.strip_prefix("<!-- trainyard:")?.split_once("-->")?;
    marker.split_whitespace().next()
}

/// The user of a job.
pub(super) fn player(user: &wire::JobUser) -> Answer<Player> {
    Ok(Player {
        name: field("job.user.username", &user.username)?,
        bot: user.bot,
        active: user.state == "active",
        pressed_at: None,
    })
}

/// The number at the end of a global id, `gid://gitlab/Ci::Build/991`.
pub(super) fn number_of(global_id: &str) -> Answer<u64> {
    field("id", global_id.rsplit('/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire_merge_request(change: impl FnOnce(&mut serde_json::Value)) -> wire::MergeRequest {
        let mut value = serde_json::json!({
            "iid": 7, "title": "Pay", "description": null, "state": "opened", "draft": false, "author": {"username": "ana"},
            "source_branch": "pay", "target_branch": "main", "sha": "a".repeat(40), "labels": ["x"], "web_url": "https://g/x",
            "detailed_merge_status": "mergeable", "merge_commit_sha": null, "unknown": 1
        });
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    fn home() -> ProjectPath {
        "shop/web".parse().unwrap()
    }

    #[test]
    fn a_merge_request_is_translated() {
        let open = merge_request(&home(), wire_merge_request(|_| {})).unwrap();
        assert_eq!(
            (open.state, open.landed.clone()),
            (MergeRequestState::Open, None)
        );
        let merged = merge_request(
            &home(),
            wire_merge_request(|v| v["state"] = "merged".into()),
        )
        .unwrap();
        assert_eq!(
            merged.landed,
            Some(merged.head.clone()),
            "a fast-forward has no commit of its own"
        );
        let locked = merge_request(
            &home(),
            wire_merge_request(|v| v["state"] = "locked".into()),
        )
        .unwrap();
        assert_eq!(locked.state, MergeRequestState::Closed);
    }

    #[test]
    fn of_a_test_report_only_failures_are_kept() {
        let report: wire::TestReport = serde_json::from_value(serde_json::json!({
            "total_time": 1.0, "test_suites": [
                {"name": "nrt-tests", "suite_error": null, "test_cases": [
                    {"status": "success", "name": "a", "classname": "c"},
                    {"status": "failed", "name": "b", "classname": "c", "file": "b.rb", "system_output": "\n  expected 3\nbut got 4"},
                    {"status": "error", "name": "d", "system_output": {"message": "no route"}},
                    {"status": "skipped", "name": "e"}
                ]},
                {"name": "broken", "suite_error": "JUnit XML parsing failed", "test_cases": []}
            ]
        }))
        .unwrap();
        let suites: Vec<Suite> = report.test_suites.iter().map(suite).collect();
        let lines: Vec<String> = suites[0].failed.iter().map(FailedCase::line).collect();
        assert_eq!(lines, ["c > b: expected 3", "d: no route"]);
        assert!(suites[0].whole && !suites[1].whole && suites[1].failed.is_empty());
    }

    #[test]
    fn a_field_that_cannot_be_used_is_named() {
        let problem =
            merge_request(&home(), wire_merge_request(|v| v["sha"] = "HEAD".into())).unwrap_err();
        assert!(problem.what.contains("`sha`"), "{}", problem.what);
    }

    #[test]
    fn the_kind_of_a_note_stands_in_its_marker() {
        assert_eq!(kind_of("<!-- trainyard:state -->\nx"), Some("state"));
        assert_eq!(
            kind_of("<!-- trainyard:state {\"a\":1} -->\nx"),
            Some("state")
        );
        assert_eq!(kind_of("see <!-- trainyard:state -->"), None);
        assert_eq!(kind_of("<!-- trainyard:state"), None);
    }
}
