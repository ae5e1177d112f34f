//! What every job of the gate reads first, in one query: the project's rules, and the variables that hold the log.
//!
//! With it such a job needs no clone for the rules and no request of its own for the log.

use serde::Deserialize;
use serde_json::json;

use super::wire::{Nodes, User, Variable};
use super::{GitLab, dossier, wire};
use crate::config::FILE;
use crate::domain::ids::BranchName;
use crate::ports::{Answer, Policies};

const RULES: &str = "repository { blobs(paths: $files, ref: $branch) { nodes { rawTextBlob } } }";
/// The part of a query of a project that brings its variables along.
pub(super) const VARIABLES: &str = "ciVariables(first: 100) { pageInfo { hasNextPage endCursor } nodes { key value environmentScope } }";

const MORE: &str = "query($home: ID!, $after: String!) {
  project(fullPath: $home) {
    ciVariables(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { key value environmentScope } }
  }
}";

/// How many further pages of variables are read: more than a project can hold.
const MOST_PAGES: usize = 90;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    current_user: Option<User>,
    project: Option<Project>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    #[serde(default)]
    repository: Option<Repository>,
    #[serde(default)]
    ci_variables: Option<Nodes<VariableNode>>,
    #[serde(default)]
    merge_request: Option<dossier::MergeRequest>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    blobs: Option<Nodes<Blob>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    raw_text_blob: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VariableNode {
    key: Option<String>,
    value: Option<String>,
    environment_scope: Option<String>,
}

impl GitLab<'_> {
    /// The text of the configuration file on a branch, or that there is none. What was read of the log on the way is kept for the
    /// journal's first look, and so is everything about a merge request that the job is going to look at.
    ///
    /// # Errors
    /// When GitLab cannot be asked.
    pub fn open_up(
        &self,
        branch: &BranchName,
        merge_request: Option<u64>,
    ) -> Answer<Option<String>> {
        let home = self.ci.project.as_str();
        let mut variables = json!({"home": home, "branch": branch.as_str(), "files": [FILE]});
        // Notes are looked for among those of the user who writes them, who may be another one.
        let expected = merge_request.filter(|_| self.bot.is_none());
        let (mut declared, mut asked) = (String::new(), String::new());
        if let Some(iid) = expected {
            variables["iid"] = json!(iid.to_string());
            (declared, asked) = (", $iid: String!".to_owned(), dossier::asked());
        }
        let query = format!(
            "query($home: ID!, $branch: String!, $files: [String!]!{declared}) {{ currentUser {{ username }} project(fullPath: $home) {{ {RULES} {VARIABLES} {asked} }} }}"
        );
        let Ok(data) = self.graph::<Data>(&self.main, query.into(), variables) else {
            // Too much for one query of this server, or one of its rights is missing: the requests that need it tell.
            return match expected {
                Some(_) => self.open_up(branch, None),
                None => Policies::policy(self, branch),
            };
        };
        if self.bot.is_none() {
            self.writer_became_known(data.current_user.clone());
        }
        let Some(project) = data.project else {
            return Policies::policy(self, branch);
        };
        if let (Some(iid), Some(found)) = (expected, project.merge_request) {
            *self.expected.borrow_mut() = Some((iid, data.current_user, found));
        }
        if let Some(first) = project.ci_variables {
            self.carrier.brought(self.listed(first)?);
        }
        let blobs = project.repository.and_then(|found| found.blobs);
        let blob = blobs.and_then(|found| found.nodes.into_iter().next());
        Ok(blob.map(|blob| blob.raw_text_blob.unwrap_or_default()))
    }

    /// All variables, page after page; nothing when there are none or one of them has no name, which a token without the right may be
    /// answered.
    pub(super) fn listed(&self, first: Nodes<VariableNode>) -> Answer<Option<Vec<Variable>>> {
        let mut nodes = first.nodes;
        let mut page = first.page_info;
        for _ in 0..MOST_PAGES {
            let Some(after) = page.end_cursor.filter(|_| page.has_next_page) else {
                break;
            };
            let variables = json!({"home": self.ci.project.as_str(), "after": after});
            let data: Data = self.graph(&self.main, MORE.into(), variables)?;
            let Some(more) = data.project.and_then(|found| found.ci_variables) else {
                return Ok(None);
            };
            nodes.extend(more.nodes);
            page = more.page_info;
        }
        if nodes.is_empty() {
            // So is what a token without the right is shown: the request that says so is another one, and this one no empty log.
            return Ok(None);
        }
        let named = |node: VariableNode| {
            Some(wire::Variable {
                key: node.key?,
                value: node.value,
                environment_scope: node.environment_scope?,
            })
        };
        Ok(nodes.into_iter().map(named).collect())
    }
}
