//! Releases and the links among their assets.

use jiff::Timestamp;

use super::State;

/// A release of a tag.
#[derive(Debug, Clone)]
pub struct Release {
    pub id: u64,
    pub project_id: u64,
    /// At most one release per project and tag.
    pub tag: String,
    pub sha: String,
    pub name: String,
    pub description: Option<String>,
    pub author_id: u64,
    pub milestone_ids: Vec<u64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub released_at: Timestamp,
}

/// A link of a release.
#[derive(Debug, Clone)]
pub struct ReleaseLink {
    pub id: u64,
    pub release_id: u64,
    pub name: String,
    pub url: String,
    /// The path of the permanent link to it, below the release.
    pub filepath: Option<String>,
    /// `other`, `runbook`, `image` or `package`.
    pub link_type: String,
    pub created_at: Timestamp,
}

/// What a release was at a moment.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub id: u64,
    pub release_id: u64,
    /// The digest of the summary.
    pub sha: String,
    pub summary: serde_json::Value,
    pub collected_at: Timestamp,
}

impl State {
    /// The releases of a project by ascending id.
    pub fn releases_of(&self, project: u64) -> impl Iterator<Item = &Release> {
        self.releases
            .iter()
            .filter(move |release| release.project_id == project)
    }

    /// The release of a tag.
    pub fn release_of_tag(&self, project: u64, tag: &str) -> Option<&Release> {
        self.releases_of(project).find(|release| release.tag == tag)
    }

    /// The links of a release, newest first.
    pub fn links_of(&self, release: u64) -> impl Iterator<Item = &ReleaseLink> {
        self.release_links
            .iter()
            .rev()
            .filter(move |link| link.release_id == release)
    }

    /// Removes a release with its links; the tag stays.
    pub fn remove_release(&mut self, release: u64) {
        self.releases.remove(release);
        self.release_links.retain(|link| link.release_id != release);
        self.evidences
            .retain(|evidence| evidence.release_id != release);
    }
}
