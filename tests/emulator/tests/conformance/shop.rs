//! A project with one commit on `main`, and short ways to commit, push and open merge requests in it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use trainyard_emulator::Options;

use crate::client::{Client, World};

pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) project: u64,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::start(Options::default())
    }

    /// The same with other options.
    pub(crate) fn start(options: Options) -> Self {
        let world = World::start(options);
        let project = world.project("shop");
        let shop = Self { world, project };
        shop.commit("main", None, &[("README.md", "shop\n")]);
        shop
    }

    /// The administrator, who owns the project.
    pub(crate) fn root(&self) -> &Client {
        &self.world.root
    }

    /// A path inside the project.
    pub(crate) fn path(&self, tail: &str) -> String {
        format!("projects/{}/{tail}", self.project)
    }

    /// Commits files to a branch, which starts at `from` when it is new; gives the commit.
    pub(crate) fn commit(
        &self,
        branch: &str,
        from: Option<&str>,
        files: &[(&str, &str)],
    ) -> String {
        let repository = self.world.emulator.repository(self.project);
        let actions: Vec<Value> = files
            .iter()
            .map(|(path, content)| {
                let start = from.unwrap_or(branch);
                let known = repository.file(start, path).unwrap().is_some();
                let action = if known { "update" } else { "create" };
                json!({ "action": action, "file_path": path, "content": content })
            })
            .collect();
        let mut body = json!({ "branch": branch, "commit_message": format!("change {}", files[0].0), "actions": actions });
        if let Some(from) = from {
            body["start_branch"] = json!(from);
        }
        let reply = self.root().post(&self.path("repository/commits"), body);
        assert_eq!(reply.status, 201, "{}", reply.text);
        text(&reply.json(), "id")
    }

    /// A branch `feature` off `main` with one new file, and its merge request.
    pub(crate) fn merge_request(&self) -> u64 {
        self.commit("feature", Some("main"), &[("feature.txt", "new\n")]);
        self.open("feature", json!({}))
    }

    /// Opens a merge request into `main` and waits until it is checked; gives its number.
    pub(crate) fn open(&self, source: &str, more: Value) -> u64 {
        let mut body = json!({ "source_branch": source, "target_branch": "main", "title": format!("Add {source}") });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let reply = self.root().post(&self.path("merge_requests"), body);
        assert_eq!(reply.status, 201, "{}", reply.text);
        self.world.emulator.settle();
        reply.json()["iid"].as_u64().unwrap()
    }

    /// A merge request as it is now, with all that can be included.
    pub(crate) fn show(&self, iid: u64) -> Value {
        let query = "include_rebase_in_progress=true&include_diverged_commits_count=true";
        let reply = self
            .root()
            .get(&self.path(&format!("merge_requests/{iid}?{query}")));
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// Opens an issue; gives its number.
    pub(crate) fn issue(&self, title: &str) -> u64 {
        let reply = self
            .root()
            .post(&self.path("issues"), json!({ "title": title }));
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.json()["iid"].as_u64().unwrap()
    }

    /// Changes settings of the project.
    pub(crate) fn set(&self, settings: Value) {
        let reply = self
            .root()
            .put(&format!("projects/{}", self.project), settings);
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    /// The head of a branch.
    pub(crate) fn head(&self, branch: &str) -> String {
        let repository = self.world.emulator.repository(self.project);
        repository
            .resolve(&format!("refs/heads/{branch}"))
            .unwrap()
            .unwrap()
    }

    /// A clone in a temporary directory, to push from.
    pub(crate) fn clone_repository(&self) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let token = self.world.emulator.root_token();
        let host = self.root().url.trim_start_matches("http://");
        let url = format!("http://oauth2:{token}@{host}/root/shop.git");
        git(dir.path(), &["clone", "-q", &url, "."]);
        dir
    }
}

/// A text of a JSON object.
pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
        .to_owned()
}

/// Runs git, which must succeed.
pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let output = try_git(dir, args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs git, whatever comes of it.
pub(crate) fn try_git(dir: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=ana", "-c", "user.email=ana@example.com"])
        .args(args)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .output()
        .expect("git runs")
}
