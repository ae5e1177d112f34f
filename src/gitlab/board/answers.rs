//! What GraphQL answers about the board, and the way from there to the wire types of the REST API, which one place translates.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::opening::VariableNode;
use super::super::{translate, wire};
use crate::domain::candidate::MergeMethod;
use crate::domain::ids::NoteId;
use crate::domain::leaving;
use crate::domain::progress::Own;
use crate::outcome::Problem;
use crate::ports::{Answer, Visibility};

#[derive(Debug, Deserialize)]
pub(super) struct BoardData {
    #[serde(rename = "currentUser")]
    pub(super) current_user: Option<wire::User>,
    pub(super) home: Option<Project>,
    #[serde(flatten)]
    pub(super) projects: BTreeMap<String, Option<Project>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Project {
    visibility: Option<String>,
    #[serde(default)]
    pub(super) issues: Option<wire::Nodes<IssueNode>>,
    #[serde(default)]
    merge_request: Option<MergeRequestNode>,
    #[serde(default)]
    merge_requests: Option<wire::Nodes<MergeRequestNode>>,
    #[serde(default)]
    pub(super) ci_variables: Option<wire::Nodes<VariableNode>>,
    #[serde(default)]
    merge_requests_ff_only_enabled: Option<bool>,
    #[serde(default)]
    standing: Option<wire::Nodes<Standing>>,
    #[serde(default)]
    checked: Option<wire::Nodes<Checked>>,
    /// Those that nobody has touched for long: they lack commits nearly always.
    #[serde(default)]
    others: Option<wire::Nodes<Standing>>,
    #[serde(default)]
    merged: Option<wire::Nodes<Merged>>,
    #[serde(default)]
    stacked: Option<wire::Nodes<Onto>>,
}

/// Where a merge request is to land.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Onto {
    target_branch: String,
}

/// A merge request that is merged, and its branch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Merged {
    iid: String,
    source_branch: String,
    source_branch_protected: bool,
}

/// How a merge request stands to its target.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    should_be_rebased: Option<bool>,
    diverged_from_target_branch: Option<bool>,
}

/// What may stand against merging it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    iid: String,
    detailed_merge_status: Option<String>,
    mergeable_discussions_state: Option<bool>,
    resolvable_discussions_count: Option<u64>,
    resolved_discussions_count: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gitlab) struct Notes {
    #[serde(default)]
    pub(super) page_info: PageInfo,
    pub(super) nodes: Vec<Note>,
}

#[derive(Debug, Deserialize)]
pub(in crate::gitlab) struct Note {
    id: String,
    pub(super) body: String,
    pub(super) author: Option<wire::User>,
}

#[derive(Debug, Deserialize)]
struct Label {
    title: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gitlab) struct IssueNode {
    id: String,
    iid: Value,
    title: String,
    description: Option<String>,
    state: String,
    confidential: bool,
    web_url: String,
    #[serde(default, rename = "type")]
    issue_type: Option<String>,
    #[serde(default)]
    moved: Option<bool>,
    #[serde(default)]
    moved_to: Option<wire::IssuePlace>,
    author: Option<wire::User>,
    labels: Option<wire::Nodes<Label>>,
    #[serde(default)]
    notes: Notes,
}

/// An issue, its address and its notes, as far as they were asked for.
pub(in crate::gitlab) struct Issue {
    pub(super) notes: Notes,
    pub(super) address: String,
    pub(in crate::gitlab) issue: wire::Issue,
    /// The full reference of what it became, where that can be seen.
    pub(in crate::gitlab) moved_to: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gitlab) struct MergeRequestNode {
    id: String,
    iid: String,
    title: String,
    description: Option<String>,
    state: String,
    draft: bool,
    source_branch: String,
    target_branch: String,
    diff_head_sha: Option<String>,
    #[serde(default)]
    squash_on_merge: Option<bool>,
    #[serde(default)]
    should_remove_source_branch: Option<bool>,
    #[serde(default)]
    force_remove_source_branch: Option<bool>,
    #[serde(default)]
    source_project_id: Option<u64>,
    #[serde(default)]
    target_project_id: Option<u64>,
    web_url: Option<String>,
    author: Option<wire::User>,
    labels: Option<wire::Nodes<Label>>,
    notes: Notes,
    #[serde(default)]
    detailed_merge_status: Option<String>,
    #[serde(default)]
    diverged_from_target_branch: Option<bool>,
    #[serde(default)]
    mergeable_discussions_state: Option<bool>,
    #[serde(default)]
    resolvable_discussions_count: Option<u64>,
    #[serde(default)]
    resolved_discussions_count: Option<u64>,
    /// What was asked about it beside the others, where it is one of many.
    #[serde(skip)]
    checked: Option<Checked>,
    #[serde(default)]
    merge_commit_sha: Option<String>,
    #[serde(default)]
    diff_refs: Option<DiffRefs>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiffRefs {
    base_sha: Option<String>,
}

impl Project {
    pub(super) fn visibility(&self) -> Visibility {
        translate::visibility(self.visibility.as_deref())
    }

    /// How it merges, where its merge requests show it: GitLab wants one that lacks commits of its target to be rebased unless the
    /// project makes merge commits. Where none lacks any, nothing shows.
    pub(super) fn method(&self) -> Option<MergeMethod> {
        let standing = self.standing.as_ref()?;
        if self.merge_requests_ff_only_enabled? {
            return Some(MergeMethod::FastForward);
        }
        let behind = |one: &&Standing| one.diverged_from_target_branch == Some(true);
        let others = self.others.iter().flat_map(|list| &list.nodes);
        let mut all = standing.nodes.iter().chain(others);
        let wanted = all.find(behind)?.should_be_rebased?;
        Some(if wanted {
            MergeMethod::SemiLinear
        } else {
            MergeMethod::MergeCommit
        })
    }

    /// What is shown of branches that are to go.
    pub(super) fn leaving(&self) -> Answer<leaving::Shown> {
        let merged = self.merged.iter().flat_map(|list| &list.nodes);
        let protected = merged.clone().filter(|one| one.source_branch_protected);
        let protected = protected.map(|one| ("mergeRequests.sourceBranch", &one.source_branch));
        let stacked = self.stacked.iter().flat_map(|list| &list.nodes);
        let stacked = stacked.map(|one| ("mergeRequests.targetBranch", &one.target_branch));
        let staying = protected.chain(stacked);
        Ok(leaving::Shown {
            merged: merged.filter_map(|one| one.iid.parse().ok()).collect(),
            staying: staying
                .map(|(field, branch)| translate::field(field, branch))
                .collect::<Answer<_>>()?,
        })
    }

    pub(super) fn take_merge_requests(&mut self) -> Vec<MergeRequestNode> {
        let list = self.merge_requests.take().map(|list| list.nodes);
        let alone = self.merge_request.take();
        let checked = self.checked.take().map(|list| list.nodes);
        let mut checked: BTreeMap<String, Checked> = checked
            .into_iter()
            .flatten()
            .map(|one| (one.iid.clone(), one))
            .collect();
        let mut nodes: Vec<MergeRequestNode> = list.into_iter().flatten().chain(alone).collect();
        for node in &mut nodes {
            node.checked = checked.remove(&node.iid);
        }
        nodes
    }
}

impl Note {
    pub(super) fn own(&self) -> Answer<Own> {
        Ok(Own {
            id: NoteId(translate::number_of(&self.id)?),
            text: self.body.clone(),
        })
    }
}

impl IssueNode {
    pub(in crate::gitlab) fn taken_apart(self) -> Issue {
        let iid = self
            .iid
            .as_str()
            .and_then(|digits| digits.parse().ok())
            .or(self.iid.as_u64())
            .unwrap_or_default();
        Issue {
            notes: self.notes,
            address: self.id,
            moved_to: self.moved_to.map(|place| place.reference),
            issue: wire::Issue {
                issue_type: self
                    .issue_type
                    .unwrap_or_else(|| "issue".to_owned())
                    .to_ascii_lowercase(),
                moved_to_id: self.moved.filter(|moved| *moved).map(|_| 0),
                iid,
                title: self.title,
                description: self.description,
                state: self.state,
                confidential: self.confidential,
                labels: titles(self.labels),
                author: somebody(self.author),
                web_url: self.web_url,
            },
        }
    }
}

impl MergeRequestNode {
    /// Whether it is one of many and its source branch is gone: nothing of it can be told.
    pub(super) fn has_no_head(&self) -> bool {
        self.diff_head_sha.is_none() && self.detailed_merge_status.is_none()
    }

    /// Its notes, its address, whether it was looked at whole, and what the REST API would have told.
    pub(super) fn taken_apart(self) -> (Notes, String, bool, wire::MergeRequest) {
        let whole = self.detailed_merge_status.is_some();
        let checked = self.checked.unwrap_or(Checked {
            iid: self.iid.clone(),
            detailed_merge_status: self.detailed_merge_status,
            mergeable_discussions_state: self.mergeable_discussions_state,
            resolvable_discussions_count: self.resolvable_discussions_count,
            resolved_discussions_count: self.resolved_discussions_count,
        });
        let wire = wire::MergeRequest {
            iid: self.iid.parse().unwrap_or_default(),
            project_id: None,
            title: self.title,
            description: self.description,
            state: self.state,
            draft: self.draft,
            author: somebody(self.author),
            source_branch: self.source_branch,
            target_branch: self.target_branch,
            sha: self.diff_head_sha,
            labels: titles(self.labels),
            web_url: self.web_url.unwrap_or_default(),
            blocking_discussions_resolved: checked.mergeable_discussions_state,
            has_open_threads: checked.resolvable_discussions_count
                > checked.resolved_discussions_count,
            detailed_merge_status: checked
                .detailed_merge_status
                .unwrap_or_default()
                .to_ascii_lowercase(),
            merge_commit_sha: self.merge_commit_sha,
            squash_commit_sha: None,
            merge_error: None,
            rebase_in_progress: None,
            diverged_commits_count: self.diverged_from_target_branch.map(u64::from),
            diff_refs: self.diff_refs.map(|refs| wire::DiffRefs {
                base_sha: refs.base_sha,
            }),
            squash_on_merge: self.squash_on_merge,
            should_remove_source_branch: self.should_remove_source_branch,
            force_remove_source_branch: self.force_remove_source_branch,
            squash: false,
            source_project_id: self.source_project_id,
            target_project_id: self.target_project_id,
        };
        (self.notes, self.id, whole, wire)
    }
}

/// A part of an answer, by its path below `data`.
pub(super) fn read<T: DeserializeOwned>(answer: &Value, path: &[&str]) -> Answer<T> {
    let part = path
        .iter()
        .fold(answer.get("data"), |part, key| part?.get(key))
        .filter(|part| !part.is_null());
    let Some(part) = part else {
        let words: Vec<&str> = answer["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|error| error["message"].as_str())
            .collect();
        return Err(Problem::gitlab(
            format!(
                "GitLab's GraphQL API refuses our query: {}",
                words.join("; ")
            ),
            "check that the server is a GitLab of version 16.11 or later",
        ));
    };
    serde_path_to_error::deserialize(part).map_err(|error| {
        Problem::gitlab(
            format!(
                "GitLab's GraphQL API answers in a form we do not understand, at `{}`",
                error.path()
            ),
            "check that the server is a GitLab of version 16.11 or later",
        )
        .caused_by(error.into_inner())
    })
}

/// Why the edit of this name was not made, in GitLab's words.
pub(in crate::gitlab) fn refusal(answer: &Value, name: &str) -> Option<String> {
    let words = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    let mut said = words(&answer["data"][name]["errors"]);
    let top = answer["errors"].as_array().into_iter().flatten();
    // Without any data the whole request was refused, and every error is about every edit.
    let whole = answer["data"].is_null();
    let about = |error: &&Value| whole || error["path"].get(0).is_none_or(|part| part == name);
    said.extend(
        top.filter(about)
            .filter_map(|error| error["message"].as_str().map(str::to_owned)),
    );
    let made = answer["data"][name].is_object() && said.is_empty();
    (!made).then(|| said.join("; ").chars().take(300).collect())
}

/// What stands after the edit of this name, if GitLab made it and told.
pub(super) fn looked_at(answer: &Value, name: &str) -> Answer<Option<Project>> {
    if answer["data"][name]["note"]["project"].is_null() {
        return Ok(None);
    }
    read(answer, &[name, "note", "project"]).map(Some)
}

fn titles(labels: Option<wire::Nodes<Label>>) -> Vec<String> {
    let nodes = labels.map(|list| list.nodes).unwrap_or_default();
    nodes.into_iter().map(|label| label.title).collect()
}

/// GitLab shows no author whose account may not be seen.
fn somebody(author: Option<wire::User>) -> wire::User {
    author.unwrap_or_else(|| wire::User {
        username: "ghost".to_owned(),
    })
}
