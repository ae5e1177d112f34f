//! One GraphQL query for what GitLab recorded of a merge request: notes, pipelines, jobs; and its answer.

use serde::Deserialize;
use serde_json::json;

use super::GitLab;
use super::board::MergeRequestNode;
use super::wire::{Nodes, User};
use crate::outcome::Problem;
use crate::ports::{Answer, OwnNotes};

/// What is asked of the merge request beside itself. `whenExecuted` asks for the `when` that GitLab keeps of each job: a delayed job,
/// which starts by itself, is not `manual`.
const RECORDS: &str = "
      latest: notes(last: 50, filter: ONLY_COMMENTS) { nodes { body createdAt internal author { username } } }
      pipelines(first: 20) {
        pageInfo { hasNextPage }
        nodes {
          id sha createdAt mergeRequestEventType project { fullPath }
          jobs(retried: false, first: 100) { pageInfo { hasNextPage } nodes { id name status allowFailure finishedAt } }
          played: jobs(whenExecuted: [\"manual\"], statuses: [SUCCESS], first: 100) {
            pageInfo { hasNextPage }
            nodes { id name queuedAt finishedAt }
          }
        }
      }";

/// The part of a query of a project that asks for all of it; `$iid` is the merge request's number.
pub(super) fn asked() -> String {
    let itself = super::board::whole_merge_request();
    format!("mergeRequest(iid: $iid) {{ {itself} {RECORDS} }}")
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    current_user: Option<User>,
    project: Option<Project>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    merge_request: Option<MergeRequest>,
}

/// What the query tells.
#[derive(Debug, Deserialize)]
pub(super) struct MergeRequest {
    /// The merge request with our notes on it.
    #[serde(flatten)]
    pub(super) itself: MergeRequestNode,
    #[serde(flatten)]
    pub(super) records: Recorded,
}

/// What GitLab recorded of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Recorded {
    pub(super) latest: Nodes<Comment>,
    pub(super) pipelines: Nodes<Pipeline>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Comment {
    pub(super) body: String,
    pub(super) created_at: String,
    #[serde(default)]
    pub(super) internal: Option<bool>,
    pub(super) author: Option<User>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Home {
    pub(super) full_path: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pipeline {
    /// `gid://gitlab/Ci::Pipeline/300`.
    pub(super) id: String,
    pub(super) sha: Option<String>,
    pub(super) created_at: String,
    /// None for a pipeline of the branch.
    pub(super) merge_request_event_type: Option<String>,
    /// The fork, for a pipeline that ran there.
    pub(super) project: Option<Home>,
    pub(super) jobs: Nodes<Job>,
    pub(super) played: Nodes<Played>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Job {
    /// `gid://gitlab/Ci::Build/991`.
    pub(super) id: String,
    pub(super) name: Option<String>,
    /// Upper case, for example `SUCCESS`.
    pub(super) status: Option<String>,
    pub(super) allow_failure: bool,
    pub(super) finished_at: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Played {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) queued_at: Option<String>,
    pub(super) finished_at: Option<String>,
}

impl GitLab<'_> {
    /// Asks for all of it, and for the user behind the token.
    pub(super) fn dossier(&self, iid: u64) -> Answer<(Option<User>, MergeRequest)> {
        if let Some((of, user, found)) = self.expected.take()
            && of == iid
        {
            return Ok((user, found));
        }
        let query = format!(
            "query($path: ID!, $iid: String!) {{ currentUser {{ username }} project(fullPath: $path) {{ {} }} }}",
            asked()
        );
        let variables = json!({"path": self.ci.project.as_str(), "iid": iid.to_string()});
        let data: Data = self.graph(self.writer(), query.into(), variables)?;
        self.writer_became_known(data.current_user.clone());
        let found = data
            .project
            .and_then(|project| project.merge_request)
            .ok_or_else(|| {
                Problem::gitlab(
                    format!(
                        "GitLab shows no merge request !{iid} to the token in `{}`",
                        self.writer().token().variable()
                    ),
                    "give the token's user at least the role Reporter in the project",
                )
            })?;
        Ok((data.current_user, found))
    }

    /// Our own notes on a merge request.
    pub(super) fn notes_of(&self, iid: u64) -> Answer<OwnNotes> {
        let (_, found) = self.dossier(iid)?;
        Ok(self.merge_request_on_board(found.itself)?.notes)
    }
}
