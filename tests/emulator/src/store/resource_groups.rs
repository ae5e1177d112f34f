//! Resource groups: locks that jobs of one project hold one after the other.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;

/// Who is next when the resource becomes free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessMode {
    Unordered,
    OldestFirst,
    NewestFirst,
    NewestReadyFirst,
}

impl ProcessMode {
    /// The modes by the names of the API.
    pub const NAMES: &'static [&'static str] = &[
        "unordered",
        "oldest_first",
        "newest_first",
        "newest_ready_first",
    ];

    /// From the name of the API; unknown names are `unordered`.
    pub fn parse(text: &str) -> Self {
        match text {
            "oldest_first" => Self::OldestFirst,
            "newest_first" => Self::NewestFirst,
            "newest_ready_first" => Self::NewestReadyFirst,
            _ => Self::Unordered,
        }
    }

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unordered => "unordered",
            Self::OldestFirst => "oldest_first",
            Self::NewestFirst => "newest_first",
            Self::NewestReadyFirst => "newest_ready_first",
        }
    }
}

/// A resource group.
#[derive(Debug, Clone)]
pub struct ResourceGroup {
    pub id: u64,
    pub project_id: u64,
    pub key: String,
    pub process_mode: ProcessMode,
    /// The job that holds the resource.
    pub holder: Option<u64>,
    /// Nobody is given the free resource until another job comes to wait.
    pub stalled: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl State {
    /// The group of a key.
    pub fn resource_group(&self, project: u64, key: &str) -> Option<&ResourceGroup> {
        self.resource_groups
            .iter()
            .find(|group| group.project_id == project && group.key == key)
    }

    /// The group of a key, made with the project's default mode when a job first names it.
    pub fn ensure_resource_group(&mut self, project: u64, key: &str, now: Timestamp) -> u64 {
        if let Some(found) = self.resource_group(project, key) {
            return found.id;
        }
        let process_mode = self
            .projects
            .get(project)
            .map_or(ProcessMode::Unordered, |project| {
                ProcessMode::parse(&project.settings.resource_group_default_process_mode)
            });
        self.resource_groups.insert(|id| ResourceGroup {
            id,
            project_id: project,
            key: key.to_owned(),
            process_mode,
            holder: None,
            stalled: false,
            created_at: now,
            updated_at: now,
        })
    }
}
