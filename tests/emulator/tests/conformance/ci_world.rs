//! A project with a configuration, pushed with the real git program, and runners that are driven job by job.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use trainyard_emulator::{FinishedJob, Options, Status};

use crate::client::{Client, World};

/// A project whose pipelines run.
pub(crate) struct CiWorld {
    pub(crate) world: World,
    pub(crate) project: u64,
    dir: tempfile::TempDir,
}

impl CiWorld {
    /// A project `root/shop` with this configuration on `main`; its first pipeline is there if the configuration gives one.
    pub(crate) fn new(configuration: &str) -> Self {
        let ci = Self::empty();
        ci.push("main", &[(".gitlab-ci.yml", configuration)]);
        ci
    }

    /// The same without any commit.
    pub(crate) fn empty() -> Self {
        Self::start(Options::default())
    }

    /// The same with other options.
    pub(crate) fn start(options: Options) -> Self {
        let world = World::start(options);
        let project = world.project("shop");
        let dir = tempfile::tempdir().unwrap();
        let ci = Self {
            world,
            project,
            dir,
        };
        ci.git(&["init", "-q", "-b", "main", "."]);
        ci
    }

    /// Commits files on a branch (made from the current one if it is new) and pushes it as root.
    pub(crate) fn push(&self, branch: &str, files: &[(&str, &str)]) -> String {
        let sha = self.commit(branch, files);
        let token = self.world.emulator.root_token().to_owned();
        self.push_as(&token, branch, &[]);
        sha
    }

    /// Commits files on a branch without pushing.
    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &str)]) -> String {
        if self
            .git_ok(&["rev-parse", "-q", "--verify", "HEAD"])
            .is_some()
        {
            let known = self.git_ok(&[
                "rev-parse",
                "-q",
                "--verify",
                &format!("refs/heads/{branch}"),
            ]);
            let how: &[&str] = if known.is_some() {
                &["checkout", "-q"]
            } else {
                &["checkout", "-q", "-b"]
            };
            self.git(&[how, &[branch]].concat());
        }
        for (path, content) in files {
            let place = self.dir.path().join(path);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, content).unwrap();
        }
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a commit"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Pushes refs with somebody's token and push options.
    pub(crate) fn push_as(&self, token: &str, refs: &str, options: &[&str]) {
        let address = self.world.root.url.trim_start_matches("http://");
        let url = format!("http://oauth2:{token}@{address}/root/shop.git");
        let mut args = vec!["push", "-q", "-f", &url];
        args.extend(refs.split(' '));
        for option in options {
            args.extend(["-o", option]);
        }
        self.git(&args);
    }

    /// Runs git in the working copy.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = self.git_output(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {error}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn git_ok(&self, args: &[&str]) -> Option<String> {
        let output = self.git_output(args);
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    }

    pub(crate) fn git_output(&self, args: &[&str]) -> std::process::Output {
        git_in(self.dir.path(), args)
    }

    /// A path of the API below the project.
    pub(crate) fn path(&self, tail: &str) -> String {
        format!("projects/{}/{tail}", self.project)
    }

    /// The id of the newest pipeline, children not counted.
    pub(crate) fn latest(&self) -> u64 {
        let list = self.world.root.get(&self.path("pipelines")).json();
        list[0]["id"]
            .as_u64()
            .unwrap_or_else(|| panic!("no pipeline: {list}"))
    }

    /// The status of a pipeline.
    pub(crate) fn status(&self, pipeline: u64) -> String {
        self.pipeline(pipeline)["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn pipeline(&self, pipeline: u64) -> Value {
        self.world
            .root
            .get(&self.path(&format!("pipelines/{pipeline}")))
            .json()
    }

    /// The newest job or bridge of a name in a pipeline.
    pub(crate) fn job(&self, pipeline: u64, name: &str) -> Value {
        let bridges = self
            .world
            .root
            .get(&self.path(&format!("pipelines/{pipeline}/bridges")))
            .json();
        let jobs = self
            .world
            .root
            .get(&self.path(&format!("pipelines/{pipeline}/jobs?per_page=100")))
            .json();
        let all = bridges
            .as_array()
            .unwrap()
            .iter()
            .chain(jobs.as_array().unwrap());
        all.into_iter()
            .find(|job| job["name"] == name)
            .unwrap_or_else(|| panic!("no job `{name}`: {jobs} {bridges}"))
            .clone()
    }

    pub(crate) fn job_id(&self, pipeline: u64, name: &str) -> u64 {
        self.job(pipeline, name)["id"].as_u64().unwrap()
    }

    pub(crate) fn job_status(&self, pipeline: u64, name: &str) -> String {
        self.job(pipeline, name)["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// `name:status` of all jobs and bridges that count, oldest first.
    pub(crate) fn statuses(&self, pipeline: u64) -> Vec<String> {
        let jobs = self.world.emulator.jobs(pipeline);
        jobs.iter()
            .filter(|job| !job.retried)
            .map(|job| format!("{}:{}", job.name, job.status.as_str()))
            .collect()
    }

    /// Plays the newest job of a name.
    pub(crate) fn play(&self, client: &Client, pipeline: u64, name: &str) -> Value {
        let id = self.job_id(pipeline, name);
        let reply = client.post(&self.path(&format!("jobs/{id}/play")), json!({}));
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// Runs the oldest pending job of a name.
    pub(crate) fn run(&self, name: &str) -> FinishedJob {
        let done = self.world.emulator.run_next_job(|job| job.name == name);
        done.unwrap_or_else(|| {
            panic!(
                "`{name}` is not pending: {:?}",
                self.world.emulator.pending_jobs()
            )
        })
    }

    /// Runs the oldest pending job of a name, which must succeed.
    pub(crate) fn must(&self, name: &str) -> FinishedJob {
        let done = self.run(name);
        assert_eq!(done.status, Status::Success, "{}", done.trace);
        done
    }

    /// Runs everything that becomes pending.
    pub(crate) fn run_all(&self) -> Vec<FinishedJob> {
        std::iter::from_fn(|| self.world.emulator.run_next_job(|_| true)).collect()
    }
}

/// Runs git without anything of the machine's configuration.
pub(crate) fn git_in(dir: &Path, args: &[&str]) -> std::process::Output {
    Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=ana", "-c", "user.email=ana@example.com"])
        .args(args)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git runs")
}
