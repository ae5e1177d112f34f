//! Milestones of the project, and descriptions of milestones and issues.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::GitLab;
use super::endpoints::{Get, Json, Page};
use crate::ports::{Answer, Milestone, Milestones, Pinned, PinnedTo, Pins};

#[derive(Debug, Deserialize)]
struct Found {
    id: u64,
    title: String,
    state: String,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Issue {
    title: String,
    state: String,
    #[serde(default)]
    description: Option<String>,
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

impl GitLab<'_> {
    /// Those that have a text in their title or description.
    fn milestones_about(&self, text: &str) -> Answer<Vec<Found>> {
        let of = Get::new(format!("projects/{}/milestones", self.project())).with("search", text);
        self.main.send(&Page { of, number: 1 })?.json()
    }
}

impl Pins for GitLab<'_> {
    fn milestones_with(&self, text: &str, titles: &[String]) -> Answer<Vec<Pinned>> {
        let mut found = self.milestones_about(text)?;
        found.retain(|one| {
            one.description
                .as_ref()
                .is_some_and(|own| own.contains(text))
        });
        if let Some(shortest) = titles.iter().min_by_key(|title| title.len()) {
            let known: Vec<u64> = found.iter().map(|one| one.id).collect();
            let named = self.milestones_about(shortest)?.into_iter();
            found.extend(
                named.filter(|one| titles.contains(&one.title) && !known.contains(&one.id)),
            );
        }
        let of = |one: Found| Pinned {
            place: PinnedTo::Milestone(one.id),
            title: one.title,
            open: one.state == "active",
            text: one.description.unwrap_or_default(),
        };
        Ok(found.into_iter().map(of).collect())
    }

    fn issue(&self, iid: u64) -> Answer<Option<Pinned>> {
        let path = format!("projects/{}/issues/{iid}", self.project());
        let found: Option<Issue> = self.main.send(&Get::new(path))?.json_or_missing()?;
        Ok(found.map(|issue| Pinned {
            place: PinnedTo::Issue(iid),
            title: issue.title,
            open: issue.state == "opened",
            text: issue.description.unwrap_or_default(),
        }))
    }

    fn describe(&self, pinned: &Pinned, text: &str) -> Answer<()> {
        let place = match pinned.place {
            PinnedTo::Milestone(id) => format!("milestones/{id}"),
            PinnedTo::Issue(iid) => format!("issues/{iid}"),
        };
        let change = Json {
            method: Method::PUT,
            path: format!("projects/{}/{place}", self.project()),
            body: json!({"description": text}),
        };
        self.main.send(&change)?.done()
    }
}
