//! Features: issues, as far as the rules look at them.

use std::collections::BTreeMap;

use gitlab::api::projects::issues::{EditIssue, IssueStateEvent};
use serde_json::json;

use super::endpoints::{Get, Graph, segment};
use super::{GitLab, built, translate, wire};
use crate::domain::ids::{FeatureId, ProjectPath};
use crate::domain::linking::{Moved, Sight};
use crate::ports::{Answer, Features};

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
            for some in iids.chunks(50) {
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

    fn close(&self, id: &FeatureId) -> Answer<()> {
        let endpoint = EditIssue::builder()
            .project(id.project.as_str())
            .issue(id.iid)
            .state_event(IssueStateEvent::Close)
            .build();
        self.main.send(&built(endpoint)?)?.done()
    }
}

/// Where an issue is, by its number over all projects: REST tells that to administrators only.
const PLACE: &str = "query($id: IssueID!) { issue(id: $id) { reference(full: true) } }";

impl GitLab<'_> {
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
