//! Features: issues, as far as the rules look at them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::endpoints::{Get, Graph, segment};
use super::{GitLab, board, translate, wire};
use crate::domain::ids::{FeatureId, ProjectPath};
use crate::domain::linking::{Moved, Sight};
use crate::ports::{Answer, Features, Visibility};

impl Features for GitLab<'_> {
    fn sights(&self, ids: &[FeatureId]) -> Answer<BTreeMap<FeatureId, Sight>> {
        if !self.may_look_up() {
            return Ok(ids
                .iter()
                .map(|id| (id.clone(), Sight::NotLookedUp))
                .collect());
        }
        let mut sights: BTreeMap<FeatureId, Sight> =
            ids.iter().map(|id| (id.clone(), Sight::NotFound)).collect();
        let mut by_project: BTreeMap<&ProjectPath, Vec<u64>> = BTreeMap::new();
        for id in ids {
            by_project.entry(&id.project).or_default().push(id.iid);
        }
        for (project, iids) in by_project {
            for some in iids.chunks(100) {
                let query = some.iter().fold(
                    Get::new(format!("projects/{}/issues", segment(project.as_str())))
                        .with("per_page", 100),
                    |query, iid| query.with("iids[]", iid),
                );
                let reply = self.main.send(&query)?;
                if reply.status == 404 {
                    continue;
                }
                for issue in reply.json::<Vec<wire::Issue>>()? {
                    let moved_to = issue.moved_to_id;
                    let mut feature = translate::feature(project, issue)?;
                    if let Some(number) = moved_to {
                        feature.moved = Some(self.place_of(number)?);
                    }
                    sights.insert(feature.id.clone(), Sight::Seen(Box::new(feature)));
                }
            }
        }
        Ok(sights)
    }

    fn close(&self, ids: &[FeatureId]) -> Answer<Vec<(FeatureId, String)>> {
        self.change_state(ids, "CLOSE")
    }

    fn reopen(&self, ids: &[FeatureId]) -> Answer<Vec<(FeatureId, String)>> {
        self.change_state(ids, "REOPEN")
    }

    fn visibilities(
        &self,
        projects: &BTreeSet<ProjectPath>,
    ) -> Answer<BTreeMap<ProjectPath, Visibility>> {
        let mut declared = Vec::new();
        let mut parts = String::new();
        let mut variables = Map::new();
        for (index, project) in projects.iter().enumerate() {
            declared.push(format!("$p{index}: ID!"));
            variables.insert(format!("p{index}"), json!(project.as_str()));
            parts.push_str(&format!(
                " n{index}: project(fullPath: $p{index}) {{ visibility }}"
            ));
        }
        let query = format!("query({}) {{{parts} }}", declared.join(", ")).into();
        let found: BTreeMap<String, Option<Shown>> =
            self.graph(&self.main, query, Value::Object(variables))?;
        let seen = projects.iter().enumerate().filter_map(|(index, project)| {
            let shown = found.get(&format!("n{index}"))?.as_ref()?;
            Some((
                project.clone(),
                translate::visibility(shown.visibility.as_deref()),
            ))
        });
        Ok(seen.collect())
    }
}

/// How many features one request closes or opens: GitLab counts 2 for each and ends at 250, and a text of them has less than the
/// 10,000 characters that it reads (docs: "GraphQL API limits").
const CLOSED_AT_ONCE: usize = 100;
/// What GitLab says of whatever it did not come to in the 30 seconds that it takes for a request.
const TOO_LATE: &str = "Timeout on ";

#[derive(Debug, Deserialize)]
struct Shown {
    visibility: Option<String>,
}

/// Where an issue is, by its number over all projects: REST tells that to administrators only.
const PLACE: &str = "query($id: IssueID!) { issue(id: $id) { reference(full: true) } }";

impl GitLab<'_> {
    /// Closes or opens features, as GitLab's word for it says.
    fn change_state(&self, ids: &[FeatureId], event: &str) -> Answer<Vec<(FeatureId, String)>> {
        let mut refused = Vec::new();
        for some in ids.chunks(CLOSED_AT_ONCE) {
            let mut left = some.to_vec();
            loop {
                let said = self.change_states(&left, event)?;
                let (late, others): (Vec<_>, Vec<_>) = said
                    .into_iter()
                    .partition(|(_, words)| words.contains(TOO_LATE));
                refused.extend(others);
                // GitLab does one after the other. Those that it did not come to are asked for again, while it gets on.
                if late.is_empty() || late.len() == left.len() {
                    refused.extend(late);
                    break;
                }
                left = late.into_iter().map(|(id, _)| id).collect();
            }
        }
        Ok(refused)
    }

    fn change_states(&self, ids: &[FeatureId], event: &str) -> Answer<Vec<(FeatureId, String)>> {
        let projects: BTreeSet<&ProjectPath> = ids.iter().map(|id| &id.project).collect();
        let mut declared = Vec::new();
        let mut variables = Map::new();
        for (index, project) in projects.iter().enumerate() {
            declared.push(format!("$p{index}: ID!"));
            variables.insert(format!("p{index}"), json!(project.as_str()));
        }
        let mut parts = String::new();
        for (index, id) in ids.iter().enumerate() {
            let project = projects.iter().position(|one| **one == id.project);
            let project = project.unwrap_or_default();
            parts.push_str(&format!(
                " n{index}:updateIssue(input:{{projectPath:$p{project},iid:\"{}\",stateEvent:{event}}}){{errors}}",
                id.iid
            ));
        }
        let query = format!("mutation({}) {{{parts} }}", declared.join(", ")).into();
        let variables = Value::Object(variables);
        // A feature that is as it is to be stays so: the request may be repeated.
        let answer: Value = self.main.ask(&Graph { query, variables })?.json()?;
        let words = |(index, id): (usize, &FeatureId)| {
            let words = board::refusal(&answer, &format!("n{index}"))?;
            Some((id.clone(), words))
        };
        Ok(ids.iter().enumerate().filter_map(words).collect())
    }

    fn place_of(&self, number: u64) -> Answer<Moved> {
        let variables = json!({"id": format!("gid://gitlab/Issue/{number}")});
        let query = Graph {
            query: PLACE.into(),
            variables,
        };
        let graph: wire::Graph<wire::IssueData> = self.main.ask(&query)?.json()?;
        let place = graph.data.and_then(|data| data.issue);
        Ok(place
            .and_then(|issue| translate::full_reference(&issue.reference))
            .map_or(Moved::OutOfSight, Moved::To))
    }
}
