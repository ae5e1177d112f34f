//! What a merge request changes, what lies between two commits, and where a commit can be looked at.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::endpoints::{Get, Page};
use super::wire::{self, Nodes, User};
use super::{GitLab, translate};
use crate::domain::ids::{CommitSha, UserName};
use crate::domain::validation::{Difference, Partly, ReviewApp};
use crate::ports::{Answer, Changes};

/// How many pages of 100 changed files are read.
const MOST_PAGES: u64 = 5;
/// From so many files on GitLab may have kept only a part of them (limit "Diff files", 1,000 unless an administrator changed it).
const LARGE: usize = 500;

const COMMITTERS: &str = "query($path: ID!, $iid: String!) {
  project(fullPath: $path) { mergeRequest(iid: $iid) { commits(first: 100) { nodes { author { username } } } } }
}";

#[derive(Debug, Clone, Deserialize)]
struct Data {
    project: Option<Project>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    merge_request: Option<Request>,
}

#[derive(Debug, Clone, Deserialize)]
struct Request {
    commits: Option<Nodes<Commit>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Commit {
    author: Option<User>,
}

impl Changes for GitLab<'_> {
    fn paths(&self, iid: u64) -> Answer<Partly<String>> {
        let path = format!("projects/{}/merge_requests/{iid}/diffs", self.project());
        let diffs: Vec<wire::FileDiff> = self.main.list(MOST_PAGES, |number| {
            Ok(Page {
                of: Get::new(path.clone()),
                number,
            })
        })?;
        let complete = diffs.len() < LARGE;
        let paths: BTreeSet<String> = diffs
            .into_iter()
            .flat_map(|diff| [diff.old_path, diff.new_path])
            .collect();
        let seen = paths.into_iter().collect();
        Ok(Partly { seen, complete })
    }

    fn committers(&self, iid: u64) -> Answer<BTreeSet<UserName>> {
        let variables = json!({"path": self.ci.project.as_str(), "iid": iid.to_string()});
        let data: Data = self.graph(&self.main, COMMITTERS.into(), variables)?;
        data.project
            .and_then(|project| project.merge_request)
            .and_then(|request| request.commits)
            .map(|commits| commits.nodes)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|commit| commit.author)
            .map(|author| translate::field("commits.author.username", &author.username))
            .collect()
    }

    fn between(&self, from: &CommitSha, to: &CommitSha) -> Answer<Difference> {
        let query = Get::new(format!("projects/{}/repository/compare", self.project()))
            .with("from", from)
            .with("to", to)
            .with("straight", true);
        let Some(found): Option<wire::Comparison> = self.main.send(&query)?.json_or_missing()?
        else {
            return Ok(Difference::default());
        };
        Ok(Difference {
            commits: found.commits.into_iter().map(|c| c.title).collect(),
            files: found.diffs.into_iter().map(|d| d.new_path).collect(),
        })
    }

    fn review_app(&self, commits: &BTreeSet<CommitSha>) -> Answer<Option<ReviewApp>> {
        let query = Get::new(format!("projects/{}/deployments", self.project()))
            .with("status", "success")
            .with("order_by", "id")
            .with("sort", "desc")
            .with("per_page", 100);
        let newest: Vec<wire::Deployment> = self.main.send(&query)?.json()?;
        for deployment in newest {
            let commit: CommitSha = translate::field("deployments.sha", &deployment.sha)?;
            if commits.contains(&commit) {
                return Ok(Some(ReviewApp {
                    environment: deployment.environment.name,
                    url: deployment.environment.external_url,
                    commit,
                }));
            }
        }
        Ok(None)
    }
}
