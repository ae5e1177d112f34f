//! What people and the runner do: push, open merge requests, run and play jobs.

use std::fs;
use std::io;
use std::path::Path;

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard_emulator::{FinishedJob, JobInfo, RequestEntry};

use super::{PROJECT_PATH, Ran, World, git, number};
use crate::outcome::Problem;
use crate::ports::Answer;

impl World {
    /// A person pushes a commit with git; a branch that is new starts at `main`. Returns the commit.
    ///
    /// # Errors
    /// When git or GitLab refused.
    pub fn push(
        &self,
        user: &str,
        branch: &str,
        message: &str,
        files: &[(String, String)],
        options: &[&str],
    ) -> Answer<String> {
        let folder = self.folder.join("clones").join(user);
        let address =
            self.emulator
                .url()
                .replacen("://", &format!("://{user}:{}@", self.token(user)?), 1);
        if !folder.exists() {
            empty_clone(&folder, user, &format!("{address}/{PROJECT_PATH}.git")).map_err(
                |error| {
                    Problem::misconfigured("a clone cannot be made", "check the disk")
                        .caused_by(error)
                },
            )?;
        }
        git(&folder, &["fetch", "--quiet", "--prune", "origin"])?;
        // What was fetched is in files: nothing packs the refs of these clones.
        let remote = format!("refs/remotes/origin/{branch}");
        let start = [remote.as_str(), "refs/remotes/origin/main"]
            .into_iter()
            .find(|start| folder.join(".git").join(start).is_file());
        if let Some(start) = start {
            git(
                &folder,
                &["checkout", "--quiet", "--force", "-B", branch, start],
            )?;
        }
        for (path, text) in files {
            let path = folder.join(path);
            let made = path
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(&path, text));
            made.map_err(|error| {
                Problem::misconfigured("a file of the story cannot be written", "check the disk")
                    .caused_by(error)
            })?;
        }
        git(&folder, &["add", "--all"])?;
        git(&folder, &["commit", "--quiet", "--message", message])?;
        let mut push = vec!["push", "--quiet", "origin", branch];
        for option in options {
            push.extend(["-o", option]);
        }
        git(&folder, &push)?;
        git(&folder, &["rev-parse", "HEAD"])
    }

    /// A person writes a feature; returns its number.
    ///
    /// # Errors
    /// When GitLab refused.
    pub fn feature(&self, user: &str, title: &str, description: &str) -> Answer<u64> {
        let issue = json!({"title": title, "description": description, "labels": "feature"});
        number(&self.ask(user, Method::POST, &self.at("issues"), issue)?["iid"])
    }

    /// A person pushes a branch and opens a merge request; returns its number.
    ///
    /// # Errors
    /// When GitLab refused.
    pub fn merge_request(
        &self,
        user: &str,
        branch: &str,
        title: &str,
        description: &str,
        files: &[(&str, &str)],
    ) -> Answer<u64> {
        let files: Vec<(String, String)> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        self.push(user, branch, title, &files, &[])?;
        let opened = json!({"source_branch": branch, "target_branch": "main", "title": title, "description": description, "remove_source_branch": true});
        number(&self.ask(user, Method::POST, &self.at("merge_requests"), opened)?["iid"])
    }

    /// Runs one job that waits and that `filter` accepts, as a runner would; `None` when there is none.
    pub fn run_one(&mut self, filter: impl Fn(&JobInfo) -> bool) -> Option<&Ran> {
        let (before, git_before) = (self.api_requests(), self.git_operations());
        let begun = super::now();
        let finished = self.emulator.run_next_job(filter)?;
        let seconds = super::now().duration_since(begun).as_secs_f64();
        let requests = self.api_requests() - before;
        let git_operations = self.git_operations() - git_before;
        let pipelines = self.emulator.pipelines(self.project);
        let pipeline = pipelines
            .iter()
            .find(|pipeline| pipeline.id == finished.pipeline_id);
        let merge_request = pipeline.and_then(|pipeline| merge_request_of(&pipeline.git_ref));
        self.ran.push(Ran {
            finished,
            merge_request,
            requests,
            git_operations,
            seconds,
        });
        self.ran.last()
    }

    /// How many API requests were made so far.
    pub fn api_requests(&self) -> usize {
        self.emulator.count_requests(is_api)
    }

    /// How often somebody went to the repository so far: each clone, fetch and push is one.
    pub fn git_operations(&self) -> usize {
        self.emulator.count_requests(is_git)
    }

    /// Runs every job that waits and that `filter` accepts, and those that follow from them; returns how many.
    pub fn run(&mut self, filter: impl Fn(&JobInfo) -> bool) -> usize {
        let before = self.ran.len();
        while self.run_one(&filter).is_some() {}
        self.ran.len() - before
    }

    /// The newest pipeline of a merge request.
    ///
    /// # Errors
    /// When there is none.
    pub fn newest_pipeline(&self, user: &str, iid: u64) -> Answer<u64> {
        let pipelines = self.read(user, &self.at(&format!("merge_requests/{iid}/pipelines")))?;
        number(&pipelines[0]["id"])
    }

    /// The number of a job of a pipeline, by its name.
    ///
    /// # Errors
    /// When there is none.
    pub fn job(&self, user: &str, pipeline: u64, name: &str) -> Answer<u64> {
        let jobs = self.read(
            user,
            &self.at(&format!("pipelines/{pipeline}/jobs?per_page=100")),
        )?;
        let found = jobs
            .as_array()
            .into_iter()
            .flatten()
            .find(|job| job["name"] == name);
        found.map_or_else(
            || {
                Err(Problem::bug(format!(
                    "pipeline {pipeline} has no job `{name}`"
                )))
            },
            |job| number(&job["id"]),
        )
    }

    /// A person plays a manual job of the newest pipeline of a merge request, and the runner runs it; returns how it ended.
    ///
    /// # Errors
    /// When GitLab refused, or the job did not run.
    pub fn play(&mut self, user: &str, iid: u64, name: &str) -> Answer<FinishedJob> {
        let pipeline = self.newest_pipeline(user, iid)?;
        self.play_in(user, pipeline, name)
    }

    /// The same in any pipeline.
    ///
    /// # Errors
    /// As above.
    pub fn play_in(&mut self, user: &str, pipeline: u64, name: &str) -> Answer<FinishedJob> {
        let job = self.job(user, pipeline, name)?;
        let played = self.ask(
            user,
            Method::POST,
            &self.at(&format!("jobs/{job}/play")),
            json!({}),
        )?;
        let job = number(&played["id"])?;
        self.run_one(|info| info.id == job)
            .map(|ran| ran.finished.clone())
            .ok_or_else(|| Problem::bug(format!("the job `{name}` was played and did not run")))
    }
}

/// A repository with one remote and its person's name, as `git init`, `git remote` and `git config` would make it one by one.
fn empty_clone(folder: &Path, user: &str, address: &str) -> io::Result<()> {
    let own = folder.join(".git");
    for part in ["objects", "refs/heads"] {
        fs::create_dir_all(own.join(part))?;
    }
    fs::write(own.join("HEAD"), "ref: refs/heads/main\n")?;
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[user]\n\tname = {user}\n\temail = {user}@shop.example\n\
         [remote \"origin\"]\n\turl = {address}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
    );
    fs::write(own.join("config"), config)
}

/// The merge request of `refs/merge-requests/7/head`.
fn merge_request_of(reference: &str) -> Option<u64> {
    reference
        .strip_prefix("refs/merge-requests/")?
        .split('/')
        .next()?
        .parse()
        .ok()
}

/// The one request of each operation: a fetch begins with the list of refs, a push ends with what it brings.
fn is_git(entry: &RequestEntry) -> bool {
    matches!(
        entry.route.as_deref(),
        Some("git info/refs upload-pack" | "git receive-pack")
    )
}

/// Requests of the API, not of git and not of the sandbox's own pages.
fn is_api(entry: &RequestEntry) -> bool {
    entry.path.starts_with("/api/")
}
