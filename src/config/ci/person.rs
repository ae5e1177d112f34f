//! Surroundings of a command that a person runs outside of any job: a server, a project, a token, and nothing else.

use url::Url;

use super::{Ci, JobLog};
use crate::domain::ids::{BranchName, CommitSha, JobId, PipelineId, ProjectPath};
use crate::outcome::Problem;

impl Ci {
    /// Whether this process runs in a job of GitLab CI.
    pub fn is_a_job() -> bool {
        Self::variable("CI_API_V4_URL").is_some()
    }

    /// A person's surroundings outside of a job. Number and default branch of the project are not known yet.
    ///
    /// # Errors
    /// When the address is not one of a server.
    pub fn of_a_person(server: &str, project: ProjectPath) -> Result<Self, Problem> {
        let bad = |why: &dyn std::fmt::Display| {
            Problem::misconfigured(
                format!("`--server {server}` cannot be used: {why}"),
                "it looks like `https://gitlab.example.com`",
            )
        };
        let server = server.trim_end_matches('/').to_owned();
        let api = Url::parse(&format!("{server}/api/v4/")).map_err(|error| bad(&error))?;
        if !matches!(api.scheme(), "http" | "https") || !api.username().is_empty() {
            return Err(bad(&"it is not the address of a GitLab"));
        }
        let known = "a fixed text of the right form";
        let branch: BranchName = "main".parse().expect(known);
        let commit: CommitSha = "0".repeat(40).parse().expect(known);
        let project_url = format!("{server}/{project}");
        Ok(Self {
            api,
            job_url: project_url.clone(),
            project_url,
            server,
            project,
            project_id: 0,
            default_branch: branch,
            job: JobId(0),
            pipeline: PipelineId(0),
            commit,
            started_by_token: false,
            tag: None,
            protected: false,
            merge_request: None,
            user: None,
            reason: None,
            culprit: None,
            directory: ".".into(),
            log: JobLog::Elsewhere,
            ca_file: Self::variable("CI_SERVER_TLS_CA_FILE")
                .map(|path| path.reveal().to_owned().into()),
            job_token: None,
            bot_token: None,
            gate_token: Self::variable("TRAINYARD_GATE_TOKEN"),
            trigger_token: None,
            signing_key: None,
        })
    }

    /// The same, of the project as GitLab knows it.
    #[must_use]
    pub fn of_project(mut self, id: u64, default_branch: BranchName) -> Self {
        self.project_id = id;
        self.default_branch = default_branch;
        self
    }

    /// Says what a person must give whose token is missing.
    ///
    /// # Errors
    /// When there is no token.
    pub fn with_a_token(self) -> Result<Self, Problem> {
        if self.gate_token.is_some() {
            return Ok(self);
        }
        Err(Problem::misconfigured(
            "`TRAINYARD_GATE_TOKEN` is not set: the state is kept where only maintainers may read",
            "export it with a personal access token of yours, scope `read_api` to look and `api` to give orders, as Maintainer of the project",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::ExitCode;

    #[test]
    fn a_person_gives_a_server_and_a_project() {
        let project: ProjectPath = "shop/web".parse().unwrap();
        let ci = Ci::of_a_person("https://gitlab.example/git/", project.clone()).unwrap();
        assert_eq!(ci.api.as_str(), "https://gitlab.example/git/api/v4/");
        assert_eq!(ci.project_url, "https://gitlab.example/git/shop/web");
        for bad in [
            "gitlab",
            "ftp://gitlab.example",
            "https://ana@gitlab.example",
        ] {
            let problem = Ci::of_a_person(bad, project.clone()).unwrap_err();
            assert_eq!(problem.code, ExitCode::Misconfigured, "{bad}");
            assert!(problem.what.contains(bad), "{}", problem.what);
        }
    }
}
