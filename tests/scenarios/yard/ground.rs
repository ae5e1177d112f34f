//! The ground of a yard: two member projects whose pipelines hold no strong token, and the project that holds the gate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use trainyard::demo::world::{Beginning, Said, World};
use trainyard::domain::event::{Event, Fact};
use trainyard_emulator::FinishedJob;

use crate::stage::folder;

const BOT: &str = "trainyard-bot";

pub(super) const MEMBER_RULES: &str = "gate: {project: shop/yard}\nfeatures: {label: feature}\n\
    roles:\n  po: {users: [olga]}\n  qa: {users: [quentin]}\nvalidation: {roles: [po, qa]}\n";
pub(super) const YARD_RULES: &str = "gate: {projects: [shop/web, shop/api]}\n\
    roles: {release: {users: [rita]}}\nversions: {released_by: [release]}\n\
    integration: {priorities: {hotfix: [hotfix]}}\n";

const MEMBER_CI: &str = "include:\n  - local: ci-templates/member.yml\n    inputs: {server: \"@SERVER@\", gate: shop/yard}\n\
    unit-tests:\n  stage: test\n  rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]\n  script: [test -f README.md]\n";
const YARD_CI: &str = "spec:\n  inputs:\n    trainyard_project: {default: \"\"}\n    trainyard_merge_request: {default: \"\"}\n    trainyard_withdraw: {default: \"\"}\n    trainyard_pre: {default: \"\"}\n    trainyard_reason: {default: \"\"}\n---\n\
    include:\n  - local: ci-templates/yard.yml\n    inputs:\n      server: \"@SERVER@\"\n      project: \"$[[ inputs.trainyard_project ]]\"\n      merge_request: \"$[[ inputs.trainyard_merge_request ]]\"\n      withdraw: \"$[[ inputs.trainyard_withdraw ]]\"\n      pre: \"$[[ inputs.trainyard_pre ]]\"\n      reason: \"$[[ inputs.trainyard_reason ]]\"\n\
    deploy-production:\n  extends: .trainyard-deploy-production\n  script: ['echo \"deploying $TRAINYARD_VERSION\"', cat trainyard-members.txt]\n";
const NRT: &str = "deploy-nrt:\n  extends: .trainyard-candidate\n  stage: deploy\n  script: ['echo \"$TRAINYARD_CANDIDATE_PROJECT at $(git rev-parse HEAD) for $TRAINYARD_CHANGE_SETS\"']\n\
    nrt-tests:\n  extends: .trainyard-candidate\n  stage: test\n  script: [sh tests/nrt.sh]\n";

/// Three projects with people, and what happens in them.
pub(super) struct Ground {
    pub(super) world: World,
    pub(super) web: u64,
    pub(super) api: u64,
    pub(super) yard: u64,
    branches: usize,
    _folder: TempDir,
}

impl Ground {
    pub(super) fn new() -> Self {
        Self::with(YARD_RULES, MEMBER_RULES)
    }

    /// With other rules in the yard, and in `shop/api`.
    pub(super) fn with(yard_rules: &str, api_rules: &str) -> Self {
        let folder = folder();
        let programs = Path::new(env!("CARGO_BIN_EXE_trainyard")).parent().unwrap();
        let world = World::start_with(
            &Beginning::new(folder.path(), programs),
            &[
                (".gitlab-ci.yml", MEMBER_CI),
                (".trainyard.yml", MEMBER_RULES),
                (
                    "ci-templates/member.yml",
                    include_str!("../../../ci-templates/member.yml"),
                ),
            ],
        )
        .unwrap();
        let mut ground = Self {
            web: world.project,
            api: 0,
            yard: 0,
            branches: 0,
            world,
            _folder: folder,
        };
        ground.api = ground.project("api");
        ground.yard = ground.project("yard");
        ground.people(ground.api, &["olga", "quentin", "rita", "ana", "dan", BOT]);
        ground.people(ground.yard, &["rita", BOT]);
        let trigger = ground.ask(
            BOT,
            Method::POST,
            ground.yard,
            "triggers",
            json!({"description": "gate"}),
        );
        let trigger = trigger["token"].as_str().unwrap().to_owned();
        let bot = ground.world.token(BOT).unwrap().to_owned();
        for key in [
            "TRAINYARD_GATE_TOKEN",
            "TRAINYARD_TRIGGER_TOKEN",
            "TRAINYARD_TOKEN",
        ] {
            ground.ask(
                "root",
                Method::DELETE,
                ground.web,
                &format!("variables/{key}"),
                Value::Null,
            );
        }
        for project in [ground.web, ground.api, ground.yard] {
            ground.variable(project, "TRAINYARD_TOKEN", &bot, false);
            ground.variable(project, "TRAINYARD_TRIGGER_TOKEN", &trigger, false);
        }
        ground.variable(ground.yard, "TRAINYARD_GATE_TOKEN", &bot, true);
        for member in [ground.web, ground.api] {
            let allowed = json!({"target_project_id": ground.yard});
            ground.ask(
                "root",
                Method::POST,
                member,
                "job_token_scope/allowlist",
                allowed,
            );
        }
        let tests = include_str!("../../../src/demo/project/nrt.sh");
        ground.found(
            "api",
            &[
                (".gitlab-ci.yml", MEMBER_CI),
                (".trainyard.yml", api_rules),
                ("README.md", "# API\n"),
                ("tests/nrt.sh", tests),
                ("shop/call.price", "1\n"),
            ],
        );
        ground.found(
            "yard",
            &[
                (".gitlab-ci.yml", YARD_CI),
                (".trainyard.yml", yard_rules),
                ("ci/nrt.yml", NRT),
            ],
        );
        for project in [ground.api, ground.yard] {
            ground
                .world
                .reply(
                    "root",
                    Method::DELETE,
                    &format!("projects/{project}/protected_branches/main"),
                    Value::Null,
                )
                .unwrap();
            let rule = json!({"name": "main", "push_access_level": 40, "merge_access_level": 40});
            ground.ask("root", Method::POST, project, "protected_branches", rule);
        }
        ground
    }

    pub(super) fn ask(
        &self,
        user: &str,
        method: Method,
        project: u64,
        path: &str,
        body: Value,
    ) -> Value {
        self.world
            .ask(user, method, &format!("projects/{project}/{path}"), body)
            .unwrap()
    }

    pub(super) fn read(&self, project: u64, path: &str) -> Value {
        self.ask("root", Method::GET, project, path, Value::Null)
    }

    fn project(&self, name: &str) -> u64 {
        let group = self.world.read("root", "groups/shop").unwrap();
        let settings = json!({
            "name": name, "path": name, "namespace_id": group["id"], "visibility": "private", "merge_method": "rebase_merge",
            "ci_pipeline_variables_minimum_override_role": "no_one_allowed", "only_allow_merge_if_pipeline_succeeds": name != "yard",
        });
        self.world
            .ask("root", Method::POST, "projects", settings)
            .unwrap()["id"]
            .as_u64()
            .unwrap()
    }

    fn people(&self, project: u64, names: &[&str]) {
        for name in names {
            let found = self
                .world
                .read("root", &format!("users?username={name}"))
                .unwrap();
            let access = if ["rita", BOT].contains(name) { 40 } else { 30 };
            self.ask(
                "root",
                Method::POST,
                project,
                "members",
                json!({"user_id": found[0]["id"], "access_level": access}),
            );
        }
    }

    pub(super) fn variable(&self, project: u64, key: &str, value: &str, protected: bool) {
        let variable = json!({"key": key, "value": value, "protected": protected, "masked": true, "raw": true});
        self.ask("root", Method::POST, project, "variables", variable);
    }

    /// The first commit of a project: these files and all templates.
    fn found(&self, name: &str, files: &[(&str, &str)]) {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci-templates");
        let mut all: Vec<(String, String)> = fs::read_dir(templates)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap();
                (
                    format!("ci-templates/{name}"),
                    fs::read_to_string(&path).unwrap(),
                )
            })
            .collect();
        all.extend(
            files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
        );
        let server = self.world.emulator.url().to_owned();
        for (_, text) in &mut all {
            *text = text.replace("@SERVER@", &server);
        }
        self.push("root", name, "main", &all);
    }

    /// A person pushes a commit; a branch that is new starts at `main`.
    pub(super) fn push(
        &self,
        user: &str,
        project: &str,
        branch: &str,
        files: &[(String, String)],
    ) -> String {
        let folder = self
            .world
            .folder()
            .join("yard-clones")
            .join(format!("{project}-{user}"));
        let address = self.world.emulator.url().replacen(
            "://",
            &format!("://{user}:{}@", self.world.token(user).unwrap()),
            1,
        );
        if !folder.exists() {
            fs::create_dir_all(&folder).unwrap();
            git(
                &folder,
                &["init", "--quiet", "--template=", "--initial-branch=main"],
            );
            git(
                &folder,
                &[
                    "remote",
                    "add",
                    "origin",
                    &format!("{address}/shop/{project}.git"),
                ],
            );
            git(&folder, &["config", "user.name", user]);
            git(
                &folder,
                &["config", "user.email", &format!("{user}@shop.example")],
            );
        }
        git(&folder, &["fetch", "--quiet", "--prune", "origin"]);
        for start in [format!("origin/{branch}"), "origin/main".to_owned()] {
            if try_git(&folder, &["rev-parse", "--verify", "--quiet", &start]).is_some() {
                git(
                    &folder,
                    &["checkout", "--quiet", "--force", "-B", branch, &start],
                );
                break;
            }
        }
        for (path, text) in files {
            let path: PathBuf = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        git(&folder, &["add", "--all"]);
        git(&folder, &["commit", "--quiet", "--message", "A change"]);
        git(&folder, &["push", "--quiet", "origin", branch]);
        git(&folder, &["rev-parse", "HEAD"])
    }

    /// A merge request of a member that adds one price.
    pub(super) fn merge_request(
        &mut self,
        author: &str,
        project: u64,
        description: &str,
        price: &str,
    ) -> u64 {
        self.branches += 1;
        let name = if project == self.web { "web" } else { "api" };
        let branch = format!("change-{}", self.branches);
        let file = format!("shop/item-{}.price", self.branches);
        self.push(author, name, &branch, &[(file, format!("{price}\n"))]);
        let opened = json!({"source_branch": branch, "target_branch": "main", "title": format!("Change {}", self.branches), "description": description});
        self.ask(author, Method::POST, project, "merge_requests", opened)["iid"]
            .as_u64()
            .unwrap()
    }

    /// Everything before `integrate` runs, and its author presses it; the trials' tests wait.
    pub(super) fn integrate(&mut self, author: &str, project: u64, iid: u64) -> FinishedJob {
        self.world.run(|job| job.name != "nrt-acquire");
        let ended = self.play(author, project, iid, "integrate");
        self.world.run(|job| job.name != "nrt-acquire");
        ended
    }

    /// A person plays a manual job of the newest pipeline of a merge request.
    pub(super) fn play(&mut self, user: &str, project: u64, iid: u64, job: &str) -> FinishedJob {
        self.world.project = project;
        self.world.play(user, iid, job).unwrap()
    }

    /// A person runs the last job of a name once more.
    pub(super) fn retry(&mut self, user: &str, project: u64, job: &str) -> FinishedJob {
        let last = self.last(job).id;
        self.ask(
            user,
            Method::POST,
            project,
            &format!("jobs/{last}/retry"),
            json!({}),
        );
        self.world.run(|info| info.name == job);
        self.last(job)
    }

    /// The newest gate pipeline is cancelled before any job of it runs.
    pub(super) fn cancel_wake_up(&self) {
        let newest = self.read(self.yard, "pipelines?ref=main&source=trigger")[0]["id"].clone();
        self.ask(
            "root",
            Method::POST,
            self.yard,
            &format!("pipelines/{newest}/cancel"),
            json!({}),
        );
    }

    /// The pipeline schedule of the yard starts its pipeline, and everything that follows runs.
    pub(super) fn tick(&mut self) -> FinishedJob {
        let schedule = json!({"description": "tick", "ref": "main", "cron": "*/15 * * * *", "cron_timezone": "UTC"});
        let made = self.ask(
            "rita",
            Method::POST,
            self.yard,
            "pipeline_schedules",
            schedule,
        );
        let play = format!("pipeline_schedules/{}/play", made["id"]);
        self.ask("rita", Method::POST, self.yard, &play, json!({}));
        self.run();
        self.last("tick")
    }

    pub(super) fn run(&mut self) {
        self.world.run(|_| true);
    }

    /// The last run of a job.
    pub(super) fn last(&self, name: &str) -> FinishedJob {
        let ran = self
            .world
            .ran
            .iter()
            .rev()
            .find(|ran| ran.finished.name == name);
        ran.unwrap_or_else(|| panic!("`{name}` did not run"))
            .finished
            .clone()
    }

    pub(super) fn state(&self, project: u64, iid: u64) -> String {
        self.read(project, &format!("merge_requests/{iid}"))["state"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(super) fn notes(&self, project: u64, iid: u64) -> Vec<String> {
        let notes = self.read(
            project,
            &format!("merge_requests/{iid}/notes?sort=asc&order_by=created_at"),
        );
        let own = notes
            .as_array()
            .unwrap()
            .iter()
            .filter(|note| note["system"] == false);
        own.map(|note| note["body"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The environment of a command that somebody runs by hand in a project.
    pub(super) fn environment(&self, project: u64, name: &str) -> Vec<(String, String)> {
        let mut environment = self.world.gate_environment();
        let head = self.read(project, "repository/branches/main")["commit"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let folder = self
            .world
            .folder()
            .join("yard-clones")
            .join(format!("{name}-root"));
        for (key, value) in &mut environment {
            match key.as_str() {
                "CI_PROJECT_PATH" => *value = format!("shop/{name}"),
                "CI_PROJECT_ID" => *value = project.to_string(),
                "CI_PROJECT_URL" => *value = format!("{}/shop/{name}", self.world.emulator.url()),
                "CI_COMMIT_SHA" => value.clone_from(&head),
                "CI_PROJECT_DIR" => *value = folder.display().to_string(),
                _ => {}
            }
        }
        let trigger = self.read(self.yard, "variables/TRAINYARD_TRIGGER_TOKEN")["value"]
            .as_str()
            .unwrap()
            .to_owned();
        environment.push(("TRAINYARD_TRIGGER_TOKEN".to_owned(), trigger));
        environment
    }

    /// A command of the gate, in the yard.
    pub(super) fn gate(&self, arguments: &[&str]) -> Said {
        self.world
            .program(&self.environment(self.yard, "yard"), arguments)
            .unwrap()
    }

    /// What the yard's log says.
    pub(super) fn facts(&mut self) -> Vec<Fact> {
        self.world.project = self.yard;
        let events = self.world.events().unwrap();
        events.into_iter().map(|event: Event| event.fact).collect()
    }

    /// The change sets of each trial, as `web!1`.
    pub(super) fn trials(&mut self) -> Vec<Vec<String>> {
        let started = self.facts().into_iter().filter_map(|fact| {
            if let Fact::TrialStarted { change_sets, .. } = fact {
                Some(change_sets)
            } else {
                None
            }
        });
        let name = |id: &trainyard::domain::ids::MergeRequestId| {
            format!("{}{id}", id.project.as_str().trim_start_matches("shop/"))
        };
        started
            .map(|sets| sets.iter().map(name).collect())
            .collect()
    }

    /// What landed, in order.
    pub(super) fn landed(&mut self) -> Vec<String> {
        let appended = self.facts().into_iter().filter_map(|fact| {
            if let Fact::ChangeSetAppended { appended, .. } = fact {
                Some(appended.change_set.merge_request)
            } else {
                None
            }
        });
        appended
            .map(|id| format!("{}{id}", id.project.as_str().trim_start_matches("shop/")))
            .collect()
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    try_git(folder, arguments).unwrap_or_else(|| panic!("`git {arguments:?}` failed"))
}

fn try_git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
