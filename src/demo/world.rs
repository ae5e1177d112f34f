//! An embedded GitLab with a project that includes our templates, and people who act in it through its API and through git.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gitlab::api::endpoint_prelude::{BodyError, Endpoint, JsonParams, Method};
use jiff::Timestamp;
use serde_json::{Value, json};
use trainyard_emulator::{Emulator, FinishedJob, JobInfo, Options, RequestEntry, Version};
use url::Url;

use super::people::{BOT, EVERYBODY};
use crate::clock::SystemClock;
use crate::config::ci::Secret;
use crate::domain::event::Event;
use crate::domain::ids::{FeatureId, ProjectPath};
use crate::gitlab::client::{Client, Reply, Token};
use crate::gitlab::state::VariableJournal;
use crate::outcome::Problem;
use crate::ports::{Answer, Clock, Journal};
use crate::sinks::cloud_event;

/// The files of the project at the beginning.
const PROJECT: [(&str, &str); 14] = [
    (".gitlab-ci.yml", include_str!("project/gitlab-ci.yml")),
    (".trainyard.yml", include_str!("project/trainyard.yml")),
    ("ci/nrt.yml", include_str!("project/nrt.yml")),
    ("tests/nrt.sh", include_str!("project/nrt.sh")),
    ("tests/unit.sh", include_str!("project/unit.sh")),
    ("README.md", "# Shop\n\nSells things.\n"),
    ("shop/book.price", "12\n"),
    (
        "ci-templates/trainyard.yml",
        include_str!("../../ci-templates/trainyard.yml"),
    ),
    (
        "ci-templates/link-check.yml",
        include_str!("../../ci-templates/link-check.yml"),
    ),
    (
        "ci-templates/validation.yml",
        include_str!("../../ci-templates/validation.yml"),
    ),
    (
        "ci-templates/await-validation.yml",
        include_str!("../../ci-templates/await-validation.yml"),
    ),
    (
        "ci-templates/nrt-lock.yml",
        include_str!("../../ci-templates/nrt-lock.yml"),
    ),
    (
        "ci-templates/nrt-worker.yml",
        include_str!("../../ci-templates/nrt-worker.yml"),
    ),
    (
        "ci-templates/release.yml",
        include_str!("../../ci-templates/release.yml"),
    ),
];

/// The project of the story.
pub const PROJECT_PATH: &str = "shop/web";

static CLOCK: SystemClock = SystemClock;

/// The embedded GitLab, its people and its project.
pub struct World {
    /// The server.
    pub emulator: Emulator,
    /// The project's number.
    pub project: u64,
    tokens: BTreeMap<String, String>,
    folder: PathBuf,
    /// Jobs that ran, in order.
    pub ran: Vec<Ran>,
    programs: PathBuf,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("url", &self.emulator.url())
            .finish_non_exhaustive()
    }
}

/// A job that ran, with what it cost.
#[derive(Debug, Clone)]
pub struct Ran {
    /// How it ended.
    pub finished: FinishedJob,
    /// The merge request whose pipeline it was in.
    pub merge_request: Option<u64>,
    /// How many API requests it made.
    pub requests: usize,
}

/// What a program said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its output, errors included.
    pub said: String,
}

impl World {
    /// Starts a GitLab whose data, clones and job folders are below `folder`, with the project's first files pushed. Jobs find our
    /// program in the folder `programs`, as they find it in the image.
    ///
    /// # Errors
    /// When it cannot start.
    pub fn start(folder: &Path, programs: &Path, port: u16) -> Answer<Self> {
        Self::start_with(folder, programs, port, &[])
    }

    /// The same as a GitLab of another version.
    ///
    /// # Errors
    /// As above.
    pub fn start_as(version: Version, folder: &Path, programs: &Path, port: u16) -> Answer<Self> {
        Self::start_whole(version, folder, programs, port, &[])
    }

    /// The same with other first files, by path.
    ///
    /// # Errors
    /// As above.
    pub fn start_with(
        folder: &Path,
        programs: &Path,
        port: u16,
        instead: &[(&str, &str)],
    ) -> Answer<Self> {
        Self::start_whole(Version::default(), folder, programs, port, instead)
    }

    fn start_whole(
        version: Version,
        folder: &Path,
        programs: &Path,
        port: u16,
        instead: &[(&str, &str)],
    ) -> Answer<Self> {
        let emulator = Emulator::start(Options {
            port,
            version,
            data_dir: Some(folder.join("gitlab")),
            job_path: vec![programs.to_owned()],
            ..Options::default()
        })
        .map_err(|error| {
            Problem::misconfigured(
                "the embedded GitLab cannot start",
                "check that the folder is writable, and that git is installed",
            )
            .caused_by(error)
        })?;
        let tokens = BTreeMap::from([("root".to_owned(), emulator.root_token().to_owned())]);
        let mut world = Self {
            emulator,
            project: 0,
            tokens,
            folder: folder.to_owned(),
            ran: Vec::new(),
            programs: programs.to_owned(),
        };
        world.populate()?;
        world.push(
            "root",
            "main",
            "Open the shop",
            &world.first_files(instead),
            &[],
        )?;
        world.protect()?;
        Ok(world)
    }

    fn populate(&mut self) -> Answer<()> {
        let group = self.ask(
            "root",
            Method::POST,
            "groups",
            json!({"name": "Shop", "path": "shop", "visibility": "private"}),
        )?;
        let settings = json!({
            "name": "web", "path": "web", "namespace_id": group["id"], "visibility": "private", "merge_method": "rebase_merge",
            "ci_pipeline_variables_minimum_override_role": "no_one_allowed", "only_allow_merge_if_pipeline_succeeds": true,
        });
        let project = self.ask("root", Method::POST, "projects", settings)?;
        self.project = number(&project["id"])?;
        for person in EVERYBODY {
            let user = json!({
                "username": person.name, "name": person.called, "email": format!("{}@shop.example", person.name),
                "password": "correct-horse-battery", "skip_confirmation": true,
            });
            let user = self.ask("root", Method::POST, "users", user)?;
            let path = format!("users/{}/personal_access_tokens", user["id"]);
            let token = self.ask(
                "root",
                Method::POST,
                &path,
                json!({"name": "demo", "scopes": ["api"]}),
            )?;
            let secret = token["token"].as_str().unwrap_or_default().to_owned();
            self.tokens.insert(person.name.to_owned(), secret);
            let member = json!({"user_id": user["id"], "access_level": person.access});
            self.ask("root", Method::POST, &self.at("members"), member)?;
        }
        let label = json!({"name": "feature", "color": "#428BCA"});
        self.ask("root", Method::POST, &self.at("labels"), label)?;
        let trigger = self.ask(
            BOT,
            Method::POST,
            &self.at("triggers"),
            json!({"description": "gate"}),
        )?;
        let bot = self.token(BOT)?.to_owned();
        let trigger = trigger["token"].as_str().unwrap_or_default();
        for (key, value, protected) in [
            ("TRAINYARD_TOKEN", bot.as_str(), false),
            ("TRAINYARD_GATE_TOKEN", &bot, true),
            ("TRAINYARD_TRIGGER_TOKEN", trigger, false),
        ] {
            let variable = json!({"key": key, "value": value, "protected": protected, "masked": true, "raw": true});
            self.ask("root", Method::POST, &self.at("variables"), variable)?;
        }
        Ok(())
    }

    fn first_files(&self, instead: &[(&str, &str)]) -> Vec<(String, String)> {
        let server = self.emulator.url();
        let kept = PROJECT
            .iter()
            .filter(|(path, _)| !instead.iter().any(|(other, _)| other == path));
        kept.chain(instead)
            .map(|(path, text)| ((*path).to_owned(), text.replace("@SERVER@", server)))
            .collect()
    }

    /// Nobody but maintainers, the gate's bot among them, writes to the branch that versions are made of.
    fn protect(&self) -> Answer<()> {
        let path = self.at("protected_branches");
        self.reply("root", Method::DELETE, &format!("{path}/main"), Value::Null)?;
        let rule = json!({"name": "main", "push_access_level": 40, "merge_access_level": 40});
        self.ask("root", Method::POST, &path, rule).map(drop)
    }

    /// A path below the project.
    pub fn at(&self, path: &str) -> String {
        format!("projects/{}/{path}", self.project)
    }

    /// The folder of everything.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everybody's tokens, for the check that none of them got anywhere.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.tokens.values().map(String::as_str)
    }

    /// A person's token.
    ///
    /// # Errors
    /// When nobody has that name.
    pub fn token(&self, user: &str) -> Answer<&str> {
        self.tokens
            .get(user)
            .map(String::as_str)
            .ok_or_else(|| Problem::bug(format!("nobody is called `{user}`")))
    }

    /// A person's request to the API, and its answer whatever it is.
    ///
    /// # Errors
    /// When no answer came.
    pub fn reply(&self, user: &str, method: Method, path: &str, body: Value) -> Answer<Reply> {
        self.client(user)?.send(&Ask {
            method,
            path: path.to_owned(),
            body,
        })
    }

    /// The same, where only success will do.
    ///
    /// # Errors
    /// When GitLab refused.
    pub fn ask(&self, user: &str, method: Method, path: &str, body: Value) -> Answer<Value> {
        let reply = self.reply(user, method, path, body)?;
        if reply.ok() && reply.text().is_empty() {
            Ok(Value::Null)
        } else {
            reply.json()
        }
    }

    /// What a person reads.
    ///
    /// # Errors
    /// When GitLab refused.
    pub fn read(&self, user: &str, path: &str) -> Answer<Value> {
        self.ask(user, Method::GET, path, Value::Null)
    }

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
            fs::create_dir_all(&folder).map_err(|error| {
                Problem::misconfigured("a clone cannot be made", "check the disk").caused_by(error)
            })?;
            git(&folder, &["init", "--quiet", "--initial-branch=main"])?;
            git(
                &folder,
                &[
                    "remote",
                    "add",
                    "origin",
                    &format!("{address}/{PROJECT_PATH}.git"),
                ],
            )?;
            git(&folder, &["config", "user.name", user])?;
            git(
                &folder,
                &["config", "user.email", &format!("{user}@shop.example")],
            )?;
        }
        git(&folder, &["fetch", "--quiet", "--prune", "origin"])?;
        let remote = format!("refs/remotes/origin/{branch}");
        let start = [remote.as_str(), "refs/remotes/origin/main"]
            .into_iter()
            .find(|start| git(&folder, &["rev-parse", "--verify", "--quiet", start]).is_ok());
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
        let before = self.api_requests();
        let finished = self.emulator.run_next_job(filter)?;
        let requests = self.api_requests() - before;
        let pipelines = self.emulator.pipelines(self.project);
        let pipeline = pipelines
            .iter()
            .find(|pipeline| pipeline.id == finished.pipeline_id);
        let merge_request = pipeline.and_then(|pipeline| merge_request_of(&pipeline.git_ref));
        self.ran.push(Ran {
            finished,
            merge_request,
            requests,
        });
        self.ran.last()
    }

    /// How many API requests were made so far.
    pub fn api_requests(&self) -> usize {
        self.emulator
            .requests()
            .iter()
            .filter(|entry| is_api(entry))
            .count()
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

/// What is looked at when the story is over.
impl World {
    /// Where people see the project.
    pub fn project_url(&self) -> String {
        format!("{}/{PROJECT_PATH}", self.emulator.url())
    }

    /// The environment that a job of a gate pipeline has, for a command that somebody runs by hand.
    pub fn gate_environment(&self) -> Vec<(String, String)> {
        let url = self.emulator.url();
        let head = self
            .git_in_repository(&["rev-parse", "refs/heads/main"])
            .unwrap_or_default();
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

    /// Every event: those of the log, and those that jobs of merge request pipelines left as artifacts. In the order of the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn events(&self) -> Answer<Vec<Event>> {
        let client = self.client(BOT)?;
        let log = VariableJournal::new(&client, &CLOCK, self.project, "nrt", "reader").read()?;
        let mut known: BTreeSet<String> = log.events.iter().map(|event| event.id.clone()).collect();
        let mut events = log.events;
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

    fn client(&self, user: &str) -> Answer<Client<'static>> {
        let base = Url::parse(&format!("{}/api/v4/", self.emulator.url()))
            .map_err(|error| Problem::bug("the embedded GitLab has no address").caused_by(error))?;
        Client::new(
            &base,
            Token::Bot,
            Secret::new(self.token(user)?.to_owned()),
            None,
            &CLOCK,
        )
    }
}

/// Any request of a person.
struct Ask {
    method: Method,
    path: String,
    body: Value,
}

impl Endpoint for Ask {
    fn method(&self) -> Method {
        self.method.clone()
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.path.clone().into()
    }

    fn body(&self) -> Result<Option<(&'static str, Vec<u8>)>, BodyError> {
        if self.body.is_null() {
            Ok(None)
        } else {
            JsonParams::into_body(&self.body)
        }
    }
}

/// The folder of this program.
pub(super) fn own_folder() -> Answer<PathBuf> {
    let program = std::env::current_exe().map_err(|error| {
        Problem::misconfigured("this program cannot find itself", "start it by its path")
            .caused_by(error)
    })?;
    Ok(program.parent().unwrap_or(Path::new(".")).to_owned())
}

/// The machine's time.
pub(super) fn now() -> Timestamp {
    CLOCK.now()
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

/// Requests of the API, not of git and not of the sandbox's own pages.
fn is_api(entry: &RequestEntry) -> bool {
    entry.path.starts_with("/api/")
}

fn number(value: &Value) -> Answer<u64> {
    value.as_u64().ok_or_else(|| {
        Problem::bug(format!(
            "the embedded GitLab answered `{value}` where a number was expected"
        ))
    })
}

fn git(folder: &Path, arguments: &[&str]) -> Answer<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .map_err(|error| {
            Problem::misconfigured("the program `git` cannot be started", "install git")
                .caused_by(error)
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let verb = arguments.first().copied().unwrap_or_default();
    Err(Problem::bug(format!(
        "`git {verb}` of the story failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}
