//! Tags, releases and deployments.

use gitlab::api::projects::deployments::{CreateDeployment, DeploymentStatus};
use gitlab::api::projects::repository::tags::CreateTag;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoints::{Get, Json, Page, segment};
use super::{GitLab, built, translate, wire};
use crate::domain::ids::CommitSha;
use crate::domain::versioning::Number;
use crate::domain::versioning::periods::Period;
use crate::outcome::Problem;
use crate::ports::{
    Answer, Deployed, Deployment, DeploymentState, Draft, ExistingRelease, Newest, Outset,
    Prospect, Releases,
};

impl Releases for GitLab<'_> {
    fn numbers(&self, prefix: &str) -> Answer<Vec<(Number, CommitSha)>> {
        let path = format!("projects/{}/repository/tags", self.project());
        // `^` anchors the search at the beginning of the name; the newest hundred hold the highest number.
        let reply = self.main.send(&Page {
            of: Get::new(path)
                .with("search", format!("^{prefix}"))
                .with("order_by", "version"),
            number: 1,
        })?;
        let tags: Vec<wire::Tag> = reply.json()?;
        let ours = tags.into_iter().filter_map(|tag| {
            Number::of_tag(&tag.name, prefix).map(|number| (number, tag.commit.id))
        });
        let mut ours: Vec<(Number, String)> = ours.collect();
        ours.sort_by(|one, other| other.0.version.cmp(&one.0.version));
        ours.into_iter()
            .map(|(number, commit)| Ok((number, translate::field("commit.id", &commit)?)))
            .collect()
    }

    fn outset(&self, prospect: &Prospect<'_>) -> Option<Outset> {
        match self.looked_at_once(prospect) {
            Ok(outset) => Some(outset),
            Err(problem) => {
                // The requests that ask for each part alone say what is wrong, if anything is.
                tracing::debug!("{}", problem.full_text());
                None
            }
        }
    }

    fn tag(&self, tag: &str) -> Answer<Option<CommitSha>> {
        let path = format!(
            "projects/{}/repository/tags/{}",
            self.project(),
            segment(tag)
        );
        let found: Option<wire::Tag> = self.main.send(&Get::new(path))?.json_or_missing()?;
        found
            .map(|tag| translate::field("commit.id", &tag.commit.id))
            .transpose()
    }

    fn mark_withdrawn(&self, tag: &str, name: &str, notice: &str) -> Answer<()> {
        let path = format!("projects/{}/releases/{}", self.project(), segment(tag));
        let found: Option<wire::Release> = self.main.send(&Get::new(&path))?.json_or_missing()?;
        let Some(release) = found else {
            return Ok(());
        };
        let notes = release.description.unwrap_or_default();
        if notes.starts_with(notice) {
            return Ok(());
        }
        let change = Json {
            method: Method::PUT,
            path,
            body: json!({"name": name, "description": format!("{notice}\n\n{notes}")}),
        };
        self.main.send(&change)?.done()
    }

    fn freeze_periods(&self) -> Answer<Vec<Period>> {
        let path = format!("projects/{}/freeze_periods", self.project());
        let reply = self.main.send(&Page {
            of: Get::new(path),
            number: 1,
        })?;
        let periods: Vec<wire::FreezePeriod> = reply.json()?;
        Ok(periods
            .into_iter()
            .map(|period| Period {
                start: period.freeze_start,
                end: period.freeze_end,
                zone: period.cron_timezone,
            })
            .collect())
    }

    fn create_tag(&self, tag: &str, commit: &CommitSha, message: &str) -> Answer<()> {
        let endpoint = CreateTag::builder()
            .project(self.project())
            .tag_name(tag)
            .ref_(commit.as_str())
            .message(message)
            .build();
        let reply = self.main.send(&built(endpoint)?)?;
        // A lost answer or a retried job: what counts is the commit that the tag has.
        if !reply.ok() && self.tag(tag)?.as_ref() == Some(commit) {
            return Ok(());
        }
        if !reply.ok() && reply.words().contains("protected") {
            return Err(self.tag_is_protected(tag));
        }
        reply.done()
    }

    fn publish(&self, draft: &Draft) -> Answer<ExistingRelease> {
        let reply = self.main.send(&self.release(draft, &draft.milestones))?;
        let gone = reply.status == 400 && reply.words().contains("not found");
        let reply = if gone && !draft.milestones.is_empty() {
            // Somebody deleted a milestone in this instant: the release does not depend on it.
            self.main.send(&self.release(draft, &[]))?
        } else {
            reply
        };
        let words = if reply.ok() {
            String::new()
        } else {
            reply.words()
        };
        let exists = reply.status == 409 || words.contains("already been taken");
        let release: wire::Release = if exists {
            let path = format!(
                "projects/{}/releases/{}",
                self.project(),
                segment(&draft.tag)
            );
            self.main.send(&Get::new(path))?.json()?
        } else if words.contains("protected") {
            return Err(self.tag_is_protected(&draft.tag));
        } else {
            reply.json()?
        };
        let own = release.links.and_then(|links| links.own);
        Ok(ExistingRelease {
            url: own.unwrap_or_else(|| {
                format!("{}/-/releases/{}", self.ci.project_url, release.tag_name)
            }),
            notes_of_others: exists
                && release.description.unwrap_or_default().trim() != draft.notes.trim(),
        })
    }

    fn deployment(&self, deployed: &Deployed<'_>) -> Answer<u64> {
        let (status, word) = match deployed.state {
            DeploymentState::Succeeded => (DeploymentStatus::Success, "success"),
            DeploymentState::Failed => (DeploymentStatus::Failed, "failed"),
        };
        // Clocks of runner and server differ.
        let since = deployed.since - SignedDuration::from_mins(1);
        let young = |one: &Deployment| one.at.is_none_or(|at| at >= since);
        let ours = |one: &Deployment| one.commit == deployed.commit.as_str() && young(one);
        let known = match deployed.newest {
            Newest::Seen(None) => None,
            Newest::Seen(Some(newest)) if ours(newest) || !young(newest) => {
                Some(newest.clone()).filter(ours)
            }
            // One of another commit came after it, or nobody looked.
            Newest::Seen(Some(_)) | Newest::NotLookedAt => self
                .deployments(deployed.environment, word)?
                .into_iter()
                .find(ours),
        };
        if let Some(known) = known {
            return Ok(known.id);
        }
        let endpoint = CreateDeployment::builder()
            .project(self.project())
            .environment(deployed.environment)
            .sha(deployed.commit.as_str())
            .ref_(deployed.branch.as_str())
            .tag(false)
            .status(status)
            .build();
        Ok(self
            .main
            .send(&built(endpoint)?)?
            .json::<wire::Created>()?
            .id)
    }
}

impl GitLab<'_> {
    fn deployments(&self, environment: &str, status: &str) -> Answer<Vec<Deployment>> {
        let newest_first = Get::new(format!("projects/{}/deployments", self.project()))
            .with("environment", environment)
            .with("status", status)
            .with("order_by", "id")
            .with("sort", "desc");
        let recorded: Vec<Recorded> = self.main.send(&newest_first)?.json()?;
        let of = |one: Recorded| Deployment {
            id: one.id,
            commit: one.sha,
            at: one.created_at,
        };
        Ok(recorded.into_iter().map(of).collect())
    }

    fn release(&self, draft: &Draft, milestones: &[String]) -> Json {
        let links = draft.links.iter();
        let links: Vec<Value> = links
            .map(|(name, url)| json!({"name": name, "url": url}))
            .collect();
        let mut body = json!({
            "tag_name": draft.tag, "ref": draft.commit, "tag_message": draft.message,
            "name": draft.name, "description": draft.notes,
        });
        if !links.is_empty() {
            body["assets"] = json!({"links": links});
        }
        if !milestones.is_empty() {
            body["milestones"] = json!(milestones);
        }
        Json {
            method: Method::POST,
            path: format!("projects/{}/releases", self.project()),
            body,
        }
    }

    fn tag_is_protected(&self, tag: &str) -> Problem {
        Problem::gitlab(
            format!(
                "GitLab does not let the user of `{}` make the tag `{tag}` in `{}`: it is protected; nothing is tagged or published",
                self.main.token().variable(),
                self.ci.project
            ),
            "in Settings > Repository > Protected tags, allow that user or its role to create tags of this form, then retry the job",
        )
    }
}

#[derive(Debug, Deserialize)]
struct Recorded {
    id: u64,
    sha: String,
    #[serde(default)]
    created_at: Option<Timestamp>,
}
