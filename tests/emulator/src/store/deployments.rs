//! Deployments: what was brought to which environment, and how that went.

use jiff::Timestamp;

use super::State;

/// A deployment.
#[derive(Debug, Clone)]
pub struct Deployment {
    pub id: u64,
    /// Its number inside the project.
    pub iid: u64,
    pub project_id: u64,
    pub environment_id: u64,
    pub git_ref: String,
    pub tag: bool,
    pub sha: String,
    pub user_id: u64,
    /// `created`, `running`, `success`, `failed`, `canceled`, `skipped` or `blocked`.
    pub status: String,
    /// The CI job it comes from; `None` for one made through the API.
    pub job_id: Option<u64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// What a new deployment is about.
#[derive(Debug, Clone)]
pub struct NewDeployment {
    pub project_id: u64,
    pub environment_id: u64,
    pub git_ref: String,
    pub tag: bool,
    pub sha: String,
    pub user_id: u64,
    pub job_id: Option<u64>,
}

impl State {
    /// Adds a deployment in status `created`.
    pub fn add_deployment(&mut self, new: NewDeployment, now: Timestamp) -> u64 {
        let iid = self.next_iid(new.project_id, "deployments");
        self.deployments.insert(|id| Deployment {
            id,
            iid,
            project_id: new.project_id,
            environment_id: new.environment_id,
            git_ref: new.git_ref,
            tag: new.tag,
            sha: new.sha,
            user_id: new.user_id,
            status: "created".to_owned(),
            job_id: new.job_id,
            created_at: now,
            updated_at: now,
            finished_at: None,
        })
    }

    /// Moves a deployment to a status; a success makes its environment available again. False if the status machine has no
    /// such step.
    pub fn move_deployment(&mut self, id: u64, status: &str, now: Timestamp) -> bool {
        let Some(deployment) = self.deployments.get_mut(id) else {
            return false;
        };
        let from = deployment.status.as_str();
        let allowed = match status {
            "running" => matches!(from, "created" | "blocked"),
            "created" => from == "blocked",
            "blocked" => from == "created",
            _ => from != status,
        };
        if !allowed {
            return false;
        }
        status.clone_into(&mut deployment.status);
        deployment.updated_at = now;
        if matches!(status, "success" | "failed" | "canceled" | "skipped") {
            deployment.finished_at = Some(now);
        }
        let environment = deployment.environment_id;
        if status == "success"
            && let Some(environment) = self.environments.get_mut(environment)
        {
            "available".clone_into(&mut environment.state);
            environment.updated_at = now;
        }
        true
    }

    /// The last successful deployment of an environment.
    pub fn last_deployment(&self, environment: u64) -> Option<&Deployment> {
        self.deployments
            .iter()
            .rev()
            .find(|row| row.environment_id == environment && row.status == "success")
    }

    /// The last successful deployment of the same environment before this one.
    pub fn deployment_before(&self, deployment: &Deployment) -> Option<&Deployment> {
        self.deployments.iter().rev().find(|row| {
            row.id < deployment.id
                && row.environment_id == deployment.environment_id
                && row.status == "success"
        })
    }

    /// The deployment of a CI job.
    pub fn deployment_of_job(&self, job: u64) -> Option<&Deployment> {
        self.deployments
            .iter()
            .find(|deployment| deployment.job_id == Some(job))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_follow_the_machine_and_success_revives_the_environment() {
        let now = Timestamp::UNIX_EPOCH;
        let mut state = State::with_root("glpat-root", now);
        let project = state.add_project("shop", "shop", 1, 1, now);
        let environment = state.ensure_environment(project, "nrt", now);
        assert_eq!(state.ensure_environment(project, "nrt", now), environment);
        let new = NewDeployment {
            project_id: project,
            environment_id: environment,
            git_ref: "main".to_owned(),
            tag: false,
            sha: "0".repeat(40),
            user_id: 1,
            job_id: Some(9),
        };
        let id = state.add_deployment(new, now);
        assert!(state.last_deployment(environment).is_none());
        if let Some(environment) = state.environments.get_mut(environment) {
            environment.state = "stopped".to_owned();
        }
        assert!(state.move_deployment(id, "running", now));
        assert!(!state.move_deployment(id, "running", now));
        assert!(state.move_deployment(id, "success", now));
        assert!(!state.move_deployment(id, "success", now));
        assert_eq!(
            state.last_deployment(environment).map(|row| row.iid),
            Some(1)
        );
        assert_eq!(state.deployment_of_job(9).map(|row| row.id), Some(id));
        assert_eq!(
            state
                .environments
                .get(environment)
                .map(|row| row.state.as_str()),
            Some("available")
        );
    }
}
