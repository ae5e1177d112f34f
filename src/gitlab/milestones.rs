//! Milestones of the project.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::GitLab;
use super::endpoints::{Get, Json, Page};
use crate::ports::{Answer, Milestone, Milestones};

#[derive(Debug, Deserialize)]
struct Found {
    id: u64,
    title: String,
    state: String,
}

impl Milestones for GitLab<'_> {
    fn milestones(&self, titles: &[String]) -> Answer<Vec<Milestone>> {
        let Some(shortest) = titles.iter().min_by_key(|title| title.len()) else {
            return Ok(Vec::new());
        };
        // One request for a number and its tag, which holds it: the search is for a part of the title.
        let found: Vec<Found> = self
            .main
            .send(&Page {
                of: Get::new(format!("projects/{}/milestones", self.project()))
                    .with("search", shortest),
                number: 1,
            })?
            .json()?;
        let wanted = found.into_iter().filter(|one| titles.contains(&one.title));
        let milestones = wanted.map(|one| Milestone {
            id: one.id,
            title: one.title,
            open: one.state == "active",
        });
        Ok(milestones.collect())
    }

    fn close_milestone(&self, milestone: &Milestone) -> Answer<()> {
        let change = Json {
            method: Method::PUT,
            path: format!("projects/{}/milestones/{}", self.project(), milestone.id),
            body: json!({"state_event": "close"}),
        };
        self.main.send(&change)?.done()
    }
}
