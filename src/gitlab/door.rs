//! The door of a gate: where a wake-up goes, and what it says. A wake-up carries no power: whatever it names is looked up again.

use super::endpoints::segment;
use crate::config::Config;
use crate::config::ci::Ci;
use crate::domain::ids::{BranchName, ProjectPath};

/// Where wake-ups of a job go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The gate's project, as a segment of the API's paths.
    pub(super) project: String,
    /// Its path, for people.
    path: ProjectPath,
    /// The branch whose pipelines are the gate's.
    pub(super) branch: String,
    /// The project that asks, where the gate is in another one.
    pub(super) asks: Option<ProjectPath>,
    /// The environment whose workers are meant, where there are several.
    pub(super) environment: Option<String>,
    /// The resource group of these workers.
    pub(super) group: String,
}

impl Door {
    /// The gate in the job's own project.
    pub fn own(ci: &Ci) -> Self {
        Self {
            project: ci.project_id.to_string(),
            path: ci.project.clone(),
            branch: ci.default_branch.to_string(),
            asks: None,
            environment: None,
            group: group("nrt"),
        }
    }

    /// The gate in a yard of several projects.
    pub fn of_yard(ci: &Ci, yard: &ProjectPath, branch: Option<&BranchName>) -> Self {
        Self {
            project: segment(yard.as_str()),
            path: yard.clone(),
            branch: branch.map_or("main", BranchName::as_str).to_owned(),
            asks: Some(ci.project.clone()),
            ..Self::own(ci)
        }
    }

    /// The same for the workers of one environment, which the pipeline files call so.
    #[must_use]
    pub fn of_environment(self, asked: Option<&str>) -> Self {
        match asked {
            None => self,
            Some(name) => Self {
                group: group(name),
                environment: Some(name.to_owned()),
                ..self
            },
        }
    }

    /// The same for a gate job, which knows its environment, and whether its project has several.
    #[must_use]
    pub fn within(self, config: &Config) -> Self {
        let several = !config.nrt.environments.is_empty();
        let door = self.of_environment(Some(&config.nrt.environment));
        Self {
            environment: door.environment.filter(|_| several),
            ..door
        }
    }
}

impl Door {
    /// Where the gate is, for people.
    pub(super) fn place(&self) -> String {
        format!("`{}`", self.path)
    }

    /// What to do for wake-ups to be let in.
    pub(super) fn token_needed(&self) -> String {
        format!(
            "make a pipeline trigger token in `{}` (Settings > CI/CD > Pipeline trigger tokens) as the gate's bot, and store it as the masked variable `TRAINYARD_TRIGGER_TOKEN`",
            self.path
        )
    }
}

/// The resource group whose holder may use an NRT environment.
fn group(environment: &str) -> String {
    format!("trainyard-{environment}")
}
