//! Merge requests that we open ourselves, and the branches that they are of.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::client::Reply;
use super::endpoints::{Get, Json, Page, segment};
use super::{GitLab, translate, wire};
use crate::domain::ids::{BranchName, UserName};
use crate::domain::integration::MergeRequestState;
use crate::outcome::Problem;
use crate::ports::{Answer, MergeRequest, Proposal, Proposals};

#[derive(Debug, Deserialize)]
struct Branch {
    protected: bool,
}

impl GitLab<'_> {
    /// One page of a list, without those whose branch is gone and that nothing can be told of.
    fn listed_proposals(&self, of: Get) -> Answer<Vec<MergeRequest>> {
        let reply = self.main.send(&Page { of, number: 1 })?;
        let found: Vec<wire::MergeRequest> = reply.json()?;
        let whole = found.into_iter().filter(|one| one.sha.is_some());
        whole
            .map(|one| translate::merge_request(&self.ci.project, one))
            .collect()
    }

    /// What a token lacks that may not do something, by name.
    fn refused(&self, reply: &Reply, what: &str) -> Problem {
        if reply.status != 403 {
            return reply.problem();
        }
        Problem::gitlab(
            format!(
                "GitLab does not let the user of `{}` {what}; its words: {}",
                self.main.token().variable(),
                reply.words()
            ),
            "give that token the scope `api` and the role Maintainer, then retry the job",
        )
    }
}

impl Proposals for GitLab<'_> {
    fn of_branch(&self, source: &BranchName) -> Answer<Vec<MergeRequest>> {
        let path = format!("projects/{}/merge_requests", self.project());
        let of_branch = Get::new(path)
            .with("state", "all")
            .with("source_branch", source.as_str());
        self.listed_proposals(of_branch)
    }

    fn onto(&self, target: &BranchName, user: &UserName) -> Answer<Vec<MergeRequest>> {
        let path = format!("projects/{}/merge_requests", self.project());
        let onto = Get::new(path)
            .with("state", "all")
            .with("target_branch", target.as_str())
            .with("author_username", user.as_str());
        self.listed_proposals(onto)
    }

    fn propose(&self, proposal: &Proposal) -> Answer<MergeRequest> {
        let reply = self.main.send(&Json {
            method: Method::POST,
            path: format!("projects/{}/merge_requests", self.project()),
            body: json!({
                "source_branch": proposal.source.as_str(), "target_branch": proposal.target.as_str(),
                "title": proposal.title, "description": proposal.description,
                "remove_source_branch": true, "squash": false,
            }),
        })?;
        if reply.ok() {
            return translate::merge_request(&self.ci.project, reply.json()?);
        }
        // A lost answer: what counts is the one that is open.
        if reply.status == 409 {
            let of_branch = self.of_branch(&proposal.source)?;
            let mut open = of_branch
                .into_iter()
                .filter(|one| one.state == MergeRequestState::Open);
            if let Some(open) = open.next() {
                return Ok(open);
            }
        }
        let what = format!(
            "open a merge request of `{}` into `{}`",
            proposal.source, proposal.target
        );
        Err(self.refused(&reply, &what))
    }

    fn is_protected(&self, branch: &BranchName) -> Answer<Option<bool>> {
        let path = format!(
            "projects/{}/repository/branches/{}",
            self.project(),
            segment(branch.as_str())
        );
        let found: Option<Branch> = self.main.send(&Get::new(path))?.json_or_missing()?;
        Ok(found.map(|branch| branch.protected))
    }
}
