//! Tags, releases and deployments.

use gitlab::api::projects::deployments::{CreateDeployment, DeploymentStatus};
use gitlab::api::projects::releases::CreateRelease;
use gitlab::api::projects::repository::tags::CreateTag;

use super::endpoints::{Get, Page, segment};
use super::{GitLab, built, translate, wire};
use crate::domain::ids::{BranchName, CommitSha};
use crate::domain::versioning::Number;
use crate::domain::versioning::periods::Period;
use crate::ports::{Answer, DeploymentState, ExistingRelease, Releases};

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
        reply.done()
    }

    fn publish(&self, tag: &str, name: &str, notes: &str) -> Answer<ExistingRelease> {
        let endpoint = CreateRelease::builder()
            .project(self.project())
            .tag_name(tag)
            .name(name)
            .description(notes)
            .build();
        let reply = self.main.send(&built(endpoint)?)?;
        let release: wire::Release = if reply.status == 409 {
            let path = format!("projects/{}/releases/{}", self.project(), segment(tag));
            self.main.send(&Get::new(path))?.json()?
        } else {
            reply.json()?
        };
        let own = release.links.and_then(|links| links.own);
        Ok(ExistingRelease {
            url: own.unwrap_or_else(|| {
                format!("{}/-/releases/{}", self.ci.project_url, release.tag_name)
            }),
        })
    }

    fn record_deployment(
        &self,
        environment: &str,
        commit: &CommitSha,
        branch: &BranchName,
        state: DeploymentState,
    ) -> Answer<u64> {
        let status = match state {
            DeploymentState::Succeeded => DeploymentStatus::Success,
            DeploymentState::Failed => DeploymentStatus::Failed,
        };
        let endpoint = CreateDeployment::builder()
            .project(self.project())
            .environment(environment)
            .sha(commit.as_str())
            .ref_(branch.as_str())
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
