//! Another project that the gate serves, with its rules, in one query.

use serde::Deserialize;
use serde_json::json;

use super::wire::Nodes;
use super::{GitLab, translate};
use crate::config::FILE;
use crate::domain::ids::{BranchName, ProjectPath};
use crate::outcome::Problem;
use crate::ports::{Answer, MemberProject};

const MEMBER: &str = "query($path: ID!, $files: [String!]!, $branch: String) {
  project(fullPath: $path) { id webUrl repository { rootRef blobs(paths: $files, ref: $branch) { nodes { rawTextBlob } } } }
}";

#[derive(Debug, Deserialize)]
struct Data {
    project: Option<Project>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    id: String,
    web_url: String,
    repository: Option<Repository>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repository {
    root_ref: Option<String>,
    blobs: Option<Nodes<Blob>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    raw_text_blob: Option<String>,
}

impl GitLab<'_> {
    pub(super) fn look_at_member(
        &self,
        project: &ProjectPath,
        branch: Option<&BranchName>,
    ) -> Answer<Option<MemberProject>> {
        let variables = json!({
            "path": project.as_str(),
            "files": [FILE],
            "branch": branch.map(BranchName::as_str),
        });
        let data: Data = self.graph(&self.main, MEMBER.into(), variables)?;
        let Some(found) = data.project else {
            return Ok(None);
        };
        let number = found.id.rsplit('/').next().and_then(|id| id.parse().ok());
        let id = number
            .ok_or_else(|| Problem::bug(format!("`{}` is no number of a project", found.id)))?;
        let Some(Repository {
            root_ref: Some(root),
            blobs,
        }) = found.repository
        else {
            return Ok(None);
        };
        let blob = blobs.and_then(|blobs| blobs.nodes.into_iter().next());
        Ok(Some(MemberProject {
            id,
            url: found.web_url,
            default_branch: translate::field("rootRef", &root)?,
            rules: blob.map(|blob| blob.raw_text_blob.unwrap_or_default()),
        }))
    }
}
