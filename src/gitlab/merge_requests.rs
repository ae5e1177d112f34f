//! Merge requests: read, rebased, merged.

use std::collections::BTreeMap;
use std::time::Duration;

use gitlab::api::projects::merge_requests as api;

use super::endpoints::{Get, Page};
use super::{GitLab, built, translate, wire};
use crate::domain::candidate::MergeMethod;
use crate::domain::ids::{CommitSha, FeatureId, PatchId, UserName};
use crate::domain::integration::MergeRequestState;
use crate::domain::nrt::Held;
use crate::outcome::Problem;
use crate::ports::{Answer, Merge, MergeRequest, MergeRequests, Own, Rebase};

/// How long GitLab may take for a rebase or a mergeability check.
const PATIENCE: u32 = 40;

impl GitLab<'_> {
    fn read(&self, iid: u64) -> Answer<Option<wire::MergeRequest>> {
        let endpoint = api::MergeRequest::builder()
            .project(self.project())
            .merge_request(iid)
            .include_diverged_commits_count(true)
            .include_rebase_in_progress(true)
            .build();
        self.main.send(&built(endpoint)?)?.json_or_missing()
    }

    fn translated(&self, found: wire::MergeRequest) -> Answer<MergeRequest> {
        translate::merge_request(&self.ci.project, found)
    }

    /// Each question later than the one before: 0.4 s to 3.2 s.
    fn pause(&self, attempt: u32) {
        self.clock
            .wait(Duration::from_millis(400 * u64::from(attempt.min(8))));
    }
}

impl MergeRequests for GitLab<'_> {
    fn own(&self, iid: u64) -> Answer<Own> {
        let path = format!("projects/{}/merge_requests/{iid}", self.project());
        let reply = self.main.send(&Get::new(path))?;
        match reply.status {
            status @ (401 | 403 | 404) => Ok(Own::Denied { status }),
            _ => Ok(Own::Read(Box::new(self.translated(reply.json()?)?))),
        }
    }

    fn merge_request(&self, iid: u64) -> Answer<Option<MergeRequest>> {
        self.read(iid)?
            .map(|found| self.translated(found))
            .transpose()
    }

    fn related(&self, feature: &FeatureId) -> Answer<Vec<MergeRequest>> {
        self.related_to(feature)
    }

    fn open_mentioning(&self, words: &str) -> Answer<Vec<MergeRequest>> {
        let found: Vec<wire::MergeRequest> = self.main.list(5, |number| {
            let of = Get::new(format!("projects/{}/merge_requests", self.project()))
                .with("state", "opened")
                .with("in", "description")
                .with("search", words);
            Ok(Page { of, number })
        })?;
        found
            .into_iter()
            .filter(|mr| mr.sha.is_some())
            .map(|mr| self.translated(mr))
            .collect()
    }

    fn merge_requests(&self, iids: &[u64]) -> Answer<Vec<MergeRequest>> {
        let mut found = Vec::new();
        for some in iids.chunks(100) {
            let mut of = Get::new(format!("projects/{}/merge_requests", self.project()));
            for iid in some {
                of = of.with("iids[]", iid);
            }
            let page: Vec<wire::MergeRequest> = self.main.send(&Page { of, number: 1 })?.json()?;
            found.extend(page);
        }
        found
            .into_iter()
            .filter(|mr| mr.sha.is_some())
            .map(|mr| self.translated(mr))
            .collect()
    }

    fn labelled_by(&self, iid: u64, label: &str) -> Answer<Option<UserName>> {
        let path = format!(
            "projects/{}/merge_requests/{iid}/resource_label_events",
            self.project()
        );
        let events: Vec<wire::LabelEvent> = self.main.list(5, |number| {
            Ok(Page {
                of: Get::new(path.clone()),
                number,
            })
        })?;
        let set = |event: &&wire::LabelEvent| {
            let named = event.label.as_ref().is_some_and(|own| own.name == label);
            event.action == "add" && named
        };
        let user = events.iter().rev().find(set).and_then(|e| e.user.as_ref());
        user.map(|user| translate::field("label_events.user.username", &user.username))
            .transpose()
    }

    fn merge_method(&self) -> Answer<MergeMethod> {
        let path = format!("projects/{}", self.project());
        let project: wire::Project = self.main.send(&Get::new(path))?.json()?;
        match project.merge_method.as_str() {
            "merge" => Ok(MergeMethod::MergeCommit),
            "rebase_merge" => Ok(MergeMethod::SemiLinear),
            "ff" => Ok(MergeMethod::FastForward),
            other => Err(Problem::gitlab(
                format!("the project's merge method is `{other}`, which we do not know"),
                "set `nrt.batch: 1` in `.trainyard.yml`, so that GitLab itself merges every change set, and report this",
            )),
        }
    }

    fn rebase(&self, _held: &Held, iid: u64) -> Answer<Rebase> {
        let endpoint = built(
            api::RebaseMergeRequest::builder()
                .project(self.project())
                .merge_request(iid)
                .skip_ci(true)
                .build(),
        )?;
        for attempt in 1.. {
            let reply = self.main.send(&endpoint)?;
            match reply.status {
                202 => break,
                403 | 404 => {
                    return Ok(Rebase::Impossible {
                        reason: reply.words(),
                    });
                }
                409 if attempt < PATIENCE => {
                    still_waiting(attempt, "a rebase that runs already", iid);
                    self.pause(attempt);
                }
                _ => return Err(reply.problem()),
            }
        }
        for attempt in 1..=PATIENCE {
            // GitLab rebases in the background: asking at once would be asking twice.
            self.pause(attempt);
            let found = self.read(iid)?.ok_or_else(|| {
                Problem::gitlab(format!("the merge request !{iid} is gone"), "nothing to do")
            })?;
            if found.rebase_in_progress == Some(true) {
                still_waiting(attempt, "GitLab's rebase", iid);
                continue;
            }
            if let Some(detail) = found.merge_error.clone().filter(|text| !text.is_empty()) {
                return Ok(Rebase::Conflict { detail });
            }
            // The flag can fall before the new head is visible.
            if found.diverged_commits_count == Some(0) || found.state != "opened" {
                return Ok(Rebase::Done(Box::new(self.translated(found)?)));
            }
        }
        Err(Problem::gitlab(
            format!("GitLab has not finished the rebase of !{iid}"),
            "retry the job; if it goes on, look at GitLab's background jobs",
        ))
    }

    fn merge(&self, _held: &Held, iid: u64, head: &CommitSha, message: &str) -> Answer<Merge> {
        let endpoint = built(
            api::MergeMergeRequest::builder()
                .project(self.project())
                .merge_request(iid)
                .sha(head.as_str())
                .merge_commit_message(message)
                .squash_commit_message(message)
                .build(),
        )?;
        for attempt in 1..=PATIENCE {
            let sent = self.main.send(&endpoint);
            if let Ok(reply) = &sent {
                match reply.status {
                    200 => {
                        let merged = self.translated(reply.json()?)?;
                        if let Some(landed) = merged.landed {
                            return Ok(Merge::Done { landed });
                        }
                    }
                    409 => return Ok(Merge::HeadMoved),
                    401 | 403 => return Err(reply.problem()),
                    _ => {}
                }
            }
            // Refused, still being checked, or an answer that was lost: the merge request itself tells.
            let Some(found) = self.read(iid)? else {
                return Ok(Merge::Refused {
                    status: "gone".to_owned(),
                });
            };
            let now = self.translated(found)?;
            if let (MergeRequestState::Merged, Some(landed)) = (now.state, now.landed) {
                return Ok(if now.head == *head {
                    Merge::Done { landed }
                } else {
                    Merge::HeadMoved
                });
            }
            if !matches!(
                now.merge_status.as_str(),
                "checking" | "unchecked" | "preparing" | "mergeable"
            ) || attempt == PATIENCE
            {
                return Ok(Merge::Refused {
                    status: now.merge_status,
                });
            }
            still_waiting(attempt, "GitLab's merge checks", iid);
            self.pause(attempt);
        }
        Err(Problem::bug("a merge was tried without a result"))
    }

    fn patches(&self, iid: u64) -> Answer<BTreeMap<CommitSha, PatchId>> {
        let path = format!("projects/{}/merge_requests/{iid}/versions", self.project());
        let versions: Vec<wire::DiffVersion> = self.main.list(3, |number| {
            Ok(Page {
                of: Get::new(path.clone()),
                number,
            })
        })?;
        let mut patches = BTreeMap::new();
        for version in versions {
            if let Some(patch) = version.patch_id_sha {
                patches.insert(
                    translate::field("versions.head_commit_sha", &version.head_commit_sha)?,
                    translate::field("versions.patch_id_sha", &patch)?,
                );
            }
        }
        Ok(patches)
    }
}

/// A log that stands still looks like a job that hangs: a line now and then says what is awaited.
fn still_waiting(attempt: u32, what: &str, iid: u64) {
    if attempt % 5 == 3 {
        tracing::info!("still waiting for {what} of !{iid}");
    }
}
