//! What is looked at when the story is over: the log, the repository, and what the commands print.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;

use super::super::people::BOT;
use super::{CLOCK, PROJECT_PATH, Said, World, git};
use crate::domain::event::Event;
use crate::domain::ids::{FeatureId, ProjectPath};
use crate::gitlab::state::VariableJournal;
use crate::jobs::archive::history;
use crate::outcome::Problem;
use crate::ports::Answer;
use crate::sinks::cloud_event;

impl World {
    /// Where people see the project.
    pub fn project_url(&self) -> String {
        format!("{}/{PROJECT_PATH}", self.emulator.url())
    }

    /// The environment that a job of a gate pipeline has, for a command that somebody runs by hand.
    pub fn gate_environment(&self) -> Vec<(String, String)> {
        let url = self.emulator.url();
        let repository = self.emulator.repository(self.project);
        let head = repository.resolve("refs/heads/main").ok().flatten();
        let head = head.unwrap_or_default();
        let token = self.tokens.get(BOT).cloned().unwrap_or_default();
        [
            ("CI_API_V4_URL", format!("{url}/api/v4")),
            ("CI_SERVER_URL", url.to_owned()),
            ("CI_PROJECT_PATH", PROJECT_PATH.to_owned()),
            ("CI_PROJECT_ID", self.project.to_string()),
            ("CI_PROJECT_URL", self.project_url()),
            ("CI_PROJECT_DIR", self.folder.display().to_string()),
            ("CI_DEFAULT_BRANCH", "main".to_owned()),
            ("CI_JOB_ID", "1".to_owned()),
            ("CI_PIPELINE_ID", "1".to_owned()),
            ("CI_COMMIT_SHA", head),
            ("CI_COMMIT_REF_PROTECTED", "true".to_owned()),
            ("TRAINYARD_GATE_TOKEN", token),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .to_vec()
    }

    /// Runs our program with exactly this environment.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn program(&self, environment: &[(String, String)], arguments: &[&str]) -> Answer<Said> {
        let path =
            std::env::split_paths("/usr/local/bin:/usr/bin:/bin").chain([self.programs.clone()]);
        let path = std::env::join_paths(path)
            .map_err(|error| Problem::bug("the search path cannot be made").caused_by(error))?;
        let output = Command::new(self.programs.join("trainyard"))
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .envs(environment.iter().map(|(key, value)| (key, value)))
            .output()
            .map_err(|error| Problem::bug("this program cannot start itself").caused_by(error))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        Ok(Said {
            code: output.status.code(),
            said,
        })
    }

    /// Runs a command with the gate's environment, and returns what it prints.
    ///
    /// # Errors
    /// When it fails.
    pub fn as_gate(&self, arguments: &[&str]) -> Answer<String> {
        let said = self.program(&self.gate_environment(), arguments)?;
        if said.code == Some(0) {
            Ok(said.said)
        } else {
            Err(Problem::bug(format!(
                "`trainyard {}` failed: {}",
                arguments.join(" "),
                said.said
            )))
        }
    }

    /// Every event: those of the archive and the log, and those that jobs of merge request pipelines left as artifacts. In the order of the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn events(&self) -> Answer<Vec<Event>> {
        let client = self.client(BOT)?;
        let journal = VariableJournal::new(&client, &CLOCK, self.project, "nrt", "reader");
        let mut events = history(&journal, Timestamp::MIN)?.events;
        let mut known: BTreeSet<String> = events.iter().map(|event| event.id.clone()).collect();
        for ran in &self.ran {
            let artifact = self
                .emulator
                .job_artifact(ran.finished.id, "trainyard-events.ndjson")
                .unwrap_or_default();
            for event in cloud_event::read_lines(&artifact).events {
                if known.insert(event.id.clone()) {
                    events.push(event);
                }
            }
        }
        Ok(events)
    }

    /// The names of the facts that a job left as its artifact.
    pub fn facts_of(&self, job: u64) -> Vec<&'static str> {
        let artifact = self
            .emulator
            .job_artifact(job, "trainyard-events.ndjson")
            .unwrap_or_default();
        cloud_event::read_lines(&artifact)
            .events
            .iter()
            .map(|event| event.fact.name())
            .collect()
    }

    /// What the test summary of a merge request shows: each rule that does not hold, and why.
    ///
    /// # Errors
    /// When GitLab refused.
    pub fn broken_rules(&self, user: &str, iid: u64) -> Answer<String> {
        let pipeline = self.newest_pipeline(user, iid)?;
        let report = self.read(user, &self.at(&format!("pipelines/{pipeline}/test_report")))?;
        let suites = report["test_suites"].as_array().into_iter().flatten();
        let mut text = String::new();
        for suite in suites {
            for case in suite["test_cases"].as_array().into_iter().flatten() {
                if case["status"] == "failed" {
                    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    text.push_str(&format!(
                        "{}: FAILED {}\n  {}\n",
                        word(&suite["name"]),
                        word(&case["name"]),
                        word(&case["system_output"])
                    ));
                }
            }
        }
        Ok(text)
    }

    /// The titles of all features.
    ///
    /// # Errors
    /// When GitLab refused.
    pub fn titles(&self) -> Answer<BTreeMap<FeatureId, String>> {
        let project: ProjectPath = PROJECT_PATH
            .parse()
            .map_err(|error| Problem::bug("the story's project has no path").caused_by(error))?;
        let issues = self.read("root", &self.at("issues?per_page=100"))?;
        let of = |issue: &Value| {
            Some((
                FeatureId {
                    project: project.clone(),
                    iid: issue["iid"].as_u64()?,
                },
                issue["title"].as_str()?.to_owned(),
            ))
        };
        Ok(issues
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(of)
            .collect())
    }

    /// The tree of a commit, by git.
    ///
    /// # Errors
    /// When there is no such commit.
    pub fn tree(&self, commit: &str) -> Answer<String> {
        self.git_in_repository(&["rev-parse", "--verify", &format!("{commit}^{{tree}}")])
    }

    /// The merge commits of a range of the first-parent history, by git.
    ///
    /// # Errors
    /// When there is no such range.
    pub fn merges(&self, range: &str) -> Answer<BTreeSet<String>> {
        let list = self.git_in_repository(&["rev-list", "--first-parent", "--merges", range])?;
        Ok(list.lines().map(str::to_owned).collect())
    }

    /// Everything that a job could have changed: variables, notes, merge requests, branches and tags.
    ///
    /// # Errors
    /// When GitLab refused.
    pub fn state_of_project(&self) -> Answer<String> {
        let mut state = String::new();
        for path in [
            "variables?per_page=100",
            "merge_requests?state=all&per_page=100",
            "issues?per_page=100",
            "pipelines?per_page=100",
        ] {
            state.push_str(&self.read("root", &self.at(path))?.to_string());
        }
        Ok(state + &self.git_in_repository(&["for-each-ref"])?)
    }

    fn git_in_repository(&self, arguments: &[&str]) -> Answer<String> {
        git(self.emulator.repository(self.project).dir(), arguments)
    }
}
