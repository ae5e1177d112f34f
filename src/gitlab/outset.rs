//! One GraphQL query for everything that a release looks at before it begins, and its answer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, json};

use super::board::{ISSUE, IssueNode};
use super::wire::{Nodes, User};
use super::{GitLab, translate};
use crate::domain::ids::{FeatureId, MergeRequestId};
use crate::domain::linking::{Moved, Sight};
use crate::ports::{Answer, Deployment, Mention, Milestone, Outset, Prospect};

#[derive(Debug, Deserialize)]
struct Data {
    home: Option<Home>,
}

#[derive(Debug, Deserialize)]
struct Home {
    repository: Option<Repository>,
    #[serde(default)]
    environment: Option<Environment>,
    #[serde(default)]
    issues: Option<Nodes<IssueNode>>,
    open: Nodes<Open>,
    /// The lists of milestones, by name.
    #[serde(flatten)]
    milestones: BTreeMap<String, Nodes<Titled>>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    commit: Option<Commit>,
}

#[derive(Debug, Deserialize)]
struct Commit {
    sha: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Environment {
    last_deployment: Option<Last>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Last {
    id: String,
    sha: String,
    created_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Open {
    iid: String,
    title: String,
    #[serde(default)]
    description: Option<String>,
    author: Option<User>,
}

#[derive(Debug, Deserialize)]
struct Titled {
    id: String,
    title: String,
    state: String,
}

impl GitLab<'_> {
    /// All of it.
    ///
    /// # Errors
    /// When this GitLab does not answer the whole query, or not in the form that it should have.
    pub(super) fn looked_at_once(&self, prospect: &Prospect<'_>) -> Answer<Outset> {
        let home = &self.ci.project;
        let mut variables = Map::new();
        for (name, value) in [
            ("home", json!(home.as_str())),
            ("tag", json!(format!("refs/tags/{}", prospect.tag))),
            ("environment", json!(prospect.environment)),
            ("word", json!(prospect.word)),
        ] {
            variables.insert(name.to_owned(), value);
        }
        let mut declared =
            "$home: ID!, $tag: String!, $environment: String!, $word: String!".to_owned();
        let mut asked = String::new();
        if !prospect.features.is_empty() {
            let iids: Vec<String> = prospect
                .features
                .iter()
                .map(|id| id.iid.to_string())
                .collect();
            variables.insert("features".to_owned(), json!(iids));
            declared.push_str(", $features: [String!]");
            asked.push_str(&format!(
                " issues(iids: $features, first: 100) {{ nodes {{ {ISSUE} }} }}"
            ));
        }
        for (index, title) in prospect.milestones.iter().enumerate() {
            variables.insert(format!("m{index}"), json!(title));
            declared.push_str(&format!(", $m{index}: String!"));
            asked.push_str(&format!(
                " m{index}: milestones(title: $m{index}, first: 1) {{ nodes {{ id title state }} }}"
            ));
        }
        let query = format!(
            "query({declared}) {{ home: project(fullPath: $home) {{
  repository {{ commit(ref: $tag) {{ sha }} }}
  environment(name: $environment) {{ lastDeployment(status: SUCCESS) {{ id sha createdAt }} }}
  open: mergeRequests(state: opened, search: $word, first: 100) {{ pageInfo {{ hasNextPage }} nodes {{ iid title description author {{ username }} }} }}{asked} }} }}"
        );
        let data: Data = self.graph(&self.main, query.into(), variables.into())?;
        let home = data.home.ok_or_else(|| {
            crate::outcome::Problem::gitlab(
                "GitLab shows no such project",
                "look at the token's rights",
            )
        })?;
        self.outset_of(prospect, home)
    }

    fn outset_of(&self, prospect: &Prospect<'_>, found: Home) -> Answer<Outset> {
        let commit = found.repository.and_then(|repository| repository.commit);
        let tag = commit
            .map(|commit| translate::field("commit.sha", &commit.sha))
            .transpose()?;
        let deployment = found.environment.and_then(|found| found.last_deployment);
        let deployment = deployment
            .map(|last| -> Answer<Deployment> {
                Ok(Deployment {
                    id: translate::number_of(&last.id)?,
                    commit: last.sha,
                    at: last.created_at,
                })
            })
            .transpose()?;
        let project = &self.ci.project;
        let missing = |id: &FeatureId| (id.clone(), Sight::NotFound);
        let mut sights: BTreeMap<FeatureId, Sight> =
            prospect.features.iter().map(missing).collect();
        for node in found.issues.into_iter().flat_map(|list| list.nodes) {
            let found = node.taken_apart();
            let mut feature = translate::feature(project, found.issue)?;
            let place = found
                .moved_to
                .as_deref()
                .and_then(translate::full_reference);
            if let Some(place) = place {
                feature.moved = Some(Moved::To(place));
            }
            sights.insert(feature.id.clone(), Sight::Seen(Box::new(feature)));
        }
        let open = if found.open.page_info.has_next_page {
            None
        } else {
            let mentions = found.open.nodes.into_iter();
            Some(
                mentions
                    .map(|one| self.mention(one))
                    .collect::<Answer<_>>()?,
            )
        };
        let lists = found.milestones.into_values();
        let milestones = lists.flat_map(|list| list.nodes).map(|one| {
            Ok(Milestone {
                id: translate::number_of(&one.id)?,
                title: one.title,
                open: one.state == "active",
            })
        });
        Ok(Outset {
            tag,
            deployment,
            sights,
            open,
            milestones: milestones.collect::<Answer<_>>()?,
        })
    }

    fn mention(&self, one: Open) -> Answer<Mention> {
        let author = one
            .author
            .map_or_else(|| "ghost".to_owned(), |user| user.username);
        Ok(Mention {
            id: MergeRequestId {
                project: self.ci.project.clone(),
                iid: translate::number_of(&one.iid)?,
            },
            title: one.title,
            author: translate::field("author.username", &author)?,
            description: one.description.unwrap_or_default(),
        })
    }
}
