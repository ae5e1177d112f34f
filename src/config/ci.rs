//! What GitLab CI tells a job through its environment.

mod person;

use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::domain::ids::{BranchName, CommitSha, JobId, PipelineId, ProjectPath, UserName};
use crate::outcome::Problem;

/// A token. It never shows in `Debug`, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a token.
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The token itself, for a request header and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// The merge request that a pipeline runs for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiMergeRequest {
    /// Its number.
    pub iid: u64,
    /// The branch it lands on.
    pub target: BranchName,
    /// What the variables say of it, for a job that may not read the merge request itself.
    pub as_started: CiSnapshot,
}

/// A merge request as it was when its pipeline was created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CiSnapshot {
    /// Its description: the first 2,700 characters.
    pub description: String,
    /// Whether there was more.
    pub cut: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its branch.
    pub source: Option<BranchName>,
}

/// Who shows what the job prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobLog {
    /// GitLab's log viewer.
    OfGitLab {
        /// Whether colours are wanted: `NO_COLOR` says no.
        colour: bool,
    },
    /// Anything else.
    Elsewhere,
}

/// The job's surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ci {
    /// Where the API answers, ending in `/api/v4/`.
    pub api: Url,
    /// Where people see GitLab, with its relative root.
    pub server: String,
    /// The project that the pipeline runs in.
    pub project: ProjectPath,
    /// Its number.
    pub project_id: u64,
    /// Where people see it.
    pub project_url: String,
    /// Its default branch.
    pub default_branch: BranchName,
    /// This job.
    pub job: JobId,
    /// Where people see it.
    pub job_url: String,
    /// Its pipeline.
    pub pipeline: PipelineId,
    /// The commit it runs on.
    pub commit: CommitSha,
    /// The tag that it runs for, if it was not a branch that started it.
    pub tag: Option<String>,
    /// Whether its ref is protected: only then is the pipeline trusted.
    pub protected: bool,
    /// The merge request, in a merge request pipeline.
    pub merge_request: Option<CiMergeRequest>,
    /// Who started or played the job, for display; never evidence.
    pub user: Option<UserName>,
    /// Whether a trigger token or another pipeline started this one: its user is then not whoever wanted it.
    pub started_by_token: bool,
    /// `TRAINYARD_REASON`: why a person rejects or orders something, given with the job. Untrusted text.
    pub reason: Option<String>,
    /// `TRAINYARD_CULPRIT`: whom a person blames for a trial, given when the manual job is played. Untrusted text.
    pub culprit: Option<String>,
    /// The work tree.
    pub directory: PathBuf,
    /// Who shows what the job prints.
    pub log: JobLog,
    /// A private certificate authority.
    pub ca_file: Option<PathBuf>,
    /// The job's own token.
    pub job_token: Option<Secret>,
    /// `TRAINYARD_TOKEN`: the bot that reads issues and writes notes.
    pub bot_token: Option<Secret>,
    /// `TRAINYARD_GATE_TOKEN`: the bot that holds the state and lands.
    pub gate_token: Option<Secret>,
    /// `TRAINYARD_TRIGGER_TOKEN`: wakes a gate pipeline.
    pub trigger_token: Option<Secret>,
    /// `TRAINYARD_SIGNING_KEY`: the private key that signs what a release leaves behind, or the path of its file.
    pub signing_key: Option<Secret>,
}

impl Ci {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// When it is not the environment of a CI job, or names another server than `expected_server`.
    pub fn from_environment(expected_server: Option<&str>) -> Result<Self, Problem> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let lookup = |name: &str| std::env::var(name).ok();
        Self::from_lookup(lookup, expected_server)
    }

    /// The same from any source of variables.
    ///
    /// # Errors
    /// As above.
    pub fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
        expected_server: Option<&str>,
    ) -> Result<Self, Problem> {
        let variables = Variables {
            lookup: |name: &str| lookup(name).filter(|value| !value.is_empty()),
        };
        let api = api_base(&variables.required("CI_API_V4_URL")?)?;
        let server = variables
            .required("CI_SERVER_URL")?
            .trim_end_matches('/')
            .to_owned();
        if let Some(expected) = expected_server {
            check_server(expected, &api)?;
        }
        let merge_request = match variables.parsed_or_none::<u64>("CI_MERGE_REQUEST_IID")? {
            None => None,
            Some(iid) => Some(CiMergeRequest {
                iid,
                target: variables.parsed("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")?,
                as_started: CiSnapshot {
                    description: (variables.lookup)("CI_MERGE_REQUEST_DESCRIPTION")
                        .unwrap_or_default(),
                    cut: (variables.lookup)("CI_MERGE_REQUEST_DESCRIPTION_IS_TRUNCATED").as_deref()
                        == Some("true"),
                    labels: (variables.lookup)("CI_MERGE_REQUEST_LABELS")
                        .map(|list| {
                            list.split(',')
                                .map(|label| label.trim().to_owned())
                                .collect()
                        })
                        .unwrap_or_default(),
                    source: variables.parsed_or_none("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")?,
                },
            }),
        };
        let secret = |name: &str| (variables.lookup)(name).map(Secret::new);
        let project: ProjectPath = variables.parsed("CI_PROJECT_PATH")?;
        let project_url =
            (variables.lookup)("CI_PROJECT_URL").unwrap_or_else(|| format!("{server}/{project}"));
        let job: u64 = variables.parsed("CI_JOB_ID")?;
        Ok(Self {
            job_url: (variables.lookup)("CI_JOB_URL")
                .unwrap_or_else(|| format!("{project_url}/-/jobs/{job}")),
            api,
            server,
            project_url,
            project_id: variables.parsed("CI_PROJECT_ID")?,
            default_branch: variables.parsed("CI_DEFAULT_BRANCH")?,
            job: JobId(job),
            pipeline: PipelineId(variables.parsed("CI_PIPELINE_ID")?),
            commit: variables.parsed("CI_COMMIT_SHA")?,
            tag: (variables.lookup)("CI_COMMIT_TAG").filter(|tag| !tag.is_empty()),
            protected: (variables.lookup)("CI_COMMIT_REF_PROTECTED").as_deref() == Some("true"),
            user: (variables.lookup)("GITLAB_USER_LOGIN").and_then(|name| name.parse().ok()),
            started_by_token: matches!(
                (variables.lookup)("CI_PIPELINE_SOURCE").as_deref(),
                Some("trigger" | "pipeline")
            ),
            reason: (variables.lookup)("TRAINYARD_REASON"),
            culprit: (variables.lookup)("TRAINYARD_CULPRIT"),
            directory: (variables.lookup)("CI_PROJECT_DIR")
                .map_or_else(|| PathBuf::from("."), PathBuf::from),
            log: if (variables.lookup)("GITLAB_CI").is_some() {
                let colour = (variables.lookup)("NO_COLOR").is_none();
                JobLog::OfGitLab { colour }
            } else {
                JobLog::Elsewhere
            },
            ca_file: (variables.lookup)("CI_SERVER_TLS_CA_FILE").map(PathBuf::from),
            job_token: secret("CI_JOB_TOKEN"),
            bot_token: secret("TRAINYARD_TOKEN"),
            gate_token: secret("TRAINYARD_GATE_TOKEN"),
            trigger_token: secret("TRAINYARD_TRIGGER_TOKEN"),
            signing_key: secret("TRAINYARD_SIGNING_KEY"),
            merge_request,
            project,
        })
    }

    /// The project's address for git: from the API's own address, which the trusted CI file vouches for.
    pub fn git_address(&self) -> String {
        let root = self.api.as_str().trim_end_matches("api/v4/");
        format!("{root}{}.git", self.project)
    }

    /// A CI variable that the project's configuration names, for a channel. Never printed.
    pub fn variable(name: &str) -> Option<Secret> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let value = std::env::var(name).ok();
        value.filter(|value| !value.is_empty()).map(Secret::new)
    }

    /// The merge request of the pipeline.
    ///
    /// # Errors
    /// When this is not a merge request pipeline.
    pub fn merge_request(&self) -> Result<&CiMergeRequest, Problem> {
        self.merge_request.as_ref().ok_or_else(|| {
            Problem::misconfigured(
                "this job runs in a merge request pipeline only, but `CI_MERGE_REQUEST_IID` is not set",
                "give the job `rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]`, as the template does",
            )
        })
    }
}

struct Variables<F> {
    lookup: F,
}

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn required(&self, name: &str) -> Result<String, Problem> {
        (self.lookup)(name).ok_or_else(|| {
            Problem::misconfigured(
                format!("`{name}` is not set: this command runs inside a GitLab CI job"),
                "include the templates in the project's `.gitlab-ci.yml`; to see the whole story without GitLab, run `trainyard demo`",
            )
        })
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        name: &str,
    ) -> Result<T, Problem> {
        let text = self.required(name)?;
        text.parse().map_err(|error: T::Err| {
            Problem::misconfigured(
                format!("`{name}` cannot be used: {error}"),
                "this variable is set by GitLab; remove whatever overrides it in the project's or group's CI/CD variables",
            )
        })
    }

    fn parsed_or_none<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        if (self.lookup)(name).is_none() {
            Ok(None)
        } else {
            self.parsed(name).map(Some)
        }
    }
}

fn api_base(text: &str) -> Result<Url, Problem> {
    let bad = |why: String| {
        Problem::misconfigured(
            format!("`CI_API_V4_URL` is `{text}`: {why}"),
            "it looks like `https://gitlab.example.com/api/v4`",
        )
    };
    let url = Url::parse(&format!("{}/", text.trim_end_matches('/')))
        .map_err(|error| bad(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https")
        || !url.path().ends_with("/api/v4/")
        || !url.username().is_empty()
    {
        return Err(bad("not the address of a GitLab API".to_owned()));
    }
    Ok(url)
}

/// The trusted CI file says which server it is for; pipeline variables could say anything, and would get the token.
fn check_server(expected: &str, api: &Url) -> Result<(), Problem> {
    let wanted = Url::parse(expected).map(|url| url.origin());
    if wanted.as_ref().is_ok_and(|origin| *origin == api.origin()) {
        return Ok(());
    }
    Err(Problem::misconfigured(
        format!(
            "the CI file is for `{expected}`, but the environment says that GitLab is at `{}`; no token was sent",
            api.origin().ascii_serialization()
        ),
        "look for a pipeline variable that overrides `CI_API_V4_URL`; if the server moved, change the `server` input of the template",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::ExitCode;

    const JOB: &[(&str, &str)] = &[
        ("CI_API_V4_URL", "https://gitlab.example/git/api/v4"),
        ("CI_SERVER_URL", "https://gitlab.example/git"),
        ("CI_PROJECT_PATH", "shop/web"),
        ("CI_PROJECT_ID", "7"),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_JOB_ID", "991"),
        ("CI_PIPELINE_ID", "300"),
        ("CI_COMMIT_SHA", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("CI_JOB_TOKEN", "secret-token-value"),
    ];

    fn read(changes: &[(&str, &str)], server: Option<&str>) -> Result<Ci, Problem> {
        let of = |list: &[(&str, &str)], name: &str| {
            list.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        };
        Ci::from_lookup(|name| of(changes, name).or_else(|| of(JOB, name)), server)
    }

    #[test]
    fn a_job_is_read_from_its_environment() {
        let ci = read(
            &[
                ("CI_MERGE_REQUEST_IID", "7"),
                ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ],
            None,
        )
        .unwrap();
        assert_eq!(ci.api.as_str(), "https://gitlab.example/git/api/v4/");
        assert_eq!(ci.git_address(), "https://gitlab.example/git/shop/web.git");
        assert_eq!(ci.merge_request().unwrap().iid, 7);
        assert!(!format!("{ci:?}").contains("secret-token-value"));
    }

    #[test]
    fn outside_of_a_job_the_missing_variable_and_the_demo_are_named() {
        let problem = Ci::from_lookup(|_| None, None).unwrap_err();
        assert_eq!(problem.code, ExitCode::Misconfigured);
        assert!(problem.what.contains("CI_API_V4_URL") && problem.hint.contains("trainyard demo"));
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named() {
        for (name, value) in [
            ("CI_PROJECT_PATH", "nonsense"),
            ("CI_JOB_ID", "x"),
            ("CI_API_V4_URL", "ftp://x"),
            ("CI_COMMIT_SHA", "HEAD"),
        ] {
            let problem = read(&[(name, value)], None).unwrap_err();
            assert!(problem.what.contains(name), "{}", problem.what);
        }
    }

    #[test]
    fn another_server_than_the_trusted_file_names_gets_no_token() {
        assert!(read(&[], Some("https://gitlab.example")).is_ok());
        assert!(read(&[], Some("https://evil.example")).is_err());
        assert!(
            read(
                &[(
                    "CI_API_V4_URL",
                    "https://gitlab.example.evil.example/api/v4"
                )],
                Some("https://gitlab.example")
            )
            .is_err()
        );
    }
}
