//! The world of one scenario: the demo's project and people, in the words the scenarios use.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use gitlab::api::endpoint_prelude::Method;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use trainyard::demo::world::{Beginning, Ran, Said, World};
use trainyard::domain::event::{Event, Fact};
use trainyard_emulator::FinishedJob;
use trainyard_emulator::faults::{Effect, Rule};

const CONFIGURATION: &str = include_str!("../../src/demo/project/trainyard.yml");

/// A folder for one world, which ends with the scenario. Repositories are made, copied and thrown away by the hundred, so it is in
/// memory wherever there is enough of it and programs may be started from there.
pub(crate) fn folder() -> TempDir {
    static IN_MEMORY: LazyLock<Option<&Path>> = LazyLock::new(|| {
        let memory = Path::new("/dev/shm");
        let roomy = fs2::available_space(memory).is_ok_and(|free| free > 2 << 30);
        (roomy && starts_programs(memory)).then_some(memory)
    });
    IN_MEMORY
        .map_or_else(tempfile::tempdir, tempfile::tempdir_in)
        .unwrap()
}

/// Whether the hooks of a repository would run there: containers often forbid it.
fn starts_programs(place: &Path) -> bool {
    let Ok(folder) = tempfile::tempdir_in(place) else {
        return false;
    };
    let script = folder.path().join("probe");
    let made = fs::write(&script, "#!/bin/sh\n")
        .and_then(|()| fs::set_permissions(&script, Permissions::from_mode(0o755)));
    let ran = made.and_then(|()| Command::new(&script).status());
    ran.is_ok_and(|status| status.success())
}

/// The embedded GitLab and the jobs that ran, as they stood at one moment: whoever kills a job at every request comes back to
/// it each time, instead of building the world anew.
pub(crate) struct Moment {
    snapshot: u64,
    ran: Vec<Ran>,
}

impl Moment {
    /// This one; no job runs meanwhile.
    pub(crate) fn of(world: &World) -> Self {
        Self {
            snapshot: control(world, "snapshots")["id"].as_u64().unwrap(),
            ran: world.ran.clone(),
        }
    }

    /// Puts everything back; faults end, and the clock goes on.
    pub(crate) fn restore(&self, world: &mut World) {
        control(world, &format!("snapshots/{}/restore", self.snapshot));
        world.ran.clone_from(&self.ran);
        world.emulator.faults().clear();
    }
}

/// A request to the control plane of the embedded GitLab.
fn control(world: &World, path: &str) -> Value {
    static HTTP: LazyLock<Client> =
        LazyLock::new(|| Client::builder().tls_certs_only([]).build().unwrap());
    let url = format!("{}/-/sandbox/{path}", world.emulator.url());
    let answer = HTTP.post(url).send().unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    serde_json::from_str(&answer.text().unwrap()).unwrap_or_default()
}

/// Has a job died of a killed machine?
pub(crate) fn died(world: &World) -> bool {
    let mut reasons = world.ran.iter();
    reasons.any(|ran| ran.finished.failure_reason.as_deref() == Some("runner_system_failure"))
}

/// A world that a scenario acts in.
pub(crate) struct Stage {
    pub(crate) world: World,
    branches: BTreeMap<u64, String>,
    _folder: TempDir,
}

impl Stage {
    /// The demo's project as it is.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With other words in its configuration.
    pub(crate) fn with(changes: &[(&str, &str)]) -> Self {
        Self::with_files(changes, &[])
    }

    /// With other first files beside its configuration, by path.
    pub(crate) fn with_files(changes: &[(&str, &str)], files: &[(&str, &str)]) -> Self {
        let mut configuration = CONFIGURATION.to_owned();
        for (from, to) in changes {
            assert!(
                configuration.contains(from),
                "the configuration has no `{from}`"
            );
            configuration = configuration.replacen(from, to, 1);
        }
        let folder = folder();
        let programs = Path::new(env!("CARGO_BIN_EXE_trainyard")).parent().unwrap();
        let world = World::start_with(
            &Beginning::new(folder.path(), programs),
            &[&[(".trainyard.yml", configuration.as_str())], files].concat(),
        )
        .unwrap();
        Self {
            world,
            branches: BTreeMap::new(),
            _folder: folder,
        }
    }

    pub(crate) fn feature(&mut self, title: &str) -> u64 {
        self.world
            .feature("olga", title, "As a customer I want this.")
            .unwrap()
    }

    pub(crate) fn edit_feature(&self, iid: u64, change: Value) {
        self.world
            .ask(
                "olga",
                Method::PUT,
                &self.world.at(&format!("issues/{iid}")),
                change,
            )
            .unwrap();
    }

    /// A merge request that adds one good price.
    pub(crate) fn merge_request(&mut self, author: &str, description: &str) -> u64 {
        let price = format!("shop/{}.price", self.branches.len());
        self.merge_request_with(author, description, &[(&price, "1\n")])
    }

    pub(crate) fn merge_request_with(
        &mut self,
        author: &str,
        description: &str,
        files: &[(&str, &str)],
    ) -> u64 {
        let branch = format!("change-{}", self.branches.len());
        let iid = self
            .world
            .merge_request(author, &branch, "A change", description, files)
            .unwrap();
        self.branches.insert(iid, branch);
        iid
    }

    pub(crate) fn edit_merge_request(&self, user: &str, iid: u64, change: Value) {
        self.world
            .ask(
                user,
                Method::PUT,
                &self.world.at(&format!("merge_requests/{iid}")),
                change,
            )
            .unwrap();
    }

    /// The author pushes one more commit to the branch.
    pub(crate) fn push_again(&self, author: &str, iid: u64) -> String {
        self.push(author, iid, &[(&format!("shop/more-{iid}.price"), "5\n")])
    }

    pub(crate) fn push(&self, author: &str, iid: u64, files: &[(&str, &str)]) -> String {
        self.push_saying(author, iid, files, "More")
    }

    pub(crate) fn push_saying(
        &self,
        author: &str,
        iid: u64,
        files: &[(&str, &str)],
        message: &str,
    ) -> String {
        let files: Vec<(String, String)> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        self.world
            .push(author, &self.branches[&iid], message, &files, &[])
            .unwrap()
    }

    /// Somebody pushes to the default branch around the gate.
    pub(crate) fn push_to_main(&self, path: &str, text: &str) {
        self.world
            .push(
                "root",
                "main",
                "Around the gate",
                &[(path.to_owned(), text.to_owned())],
                &[],
            )
            .unwrap();
    }

    /// Runs every job that waits.
    pub(crate) fn run(&mut self) {
        self.world.run(|_| true);
    }

    /// Runs every job that waits, but for those of a name.
    pub(crate) fn run_but(&mut self, name: &str) {
        self.world.run(|job| job.name != name);
    }

    /// Runs what waits, and returns the last job of a name in a pipeline of the merge request.
    pub(crate) fn ran(&mut self, name: &str, iid: u64) -> FinishedJob {
        self.run();
        let of = |ran: &&trainyard::demo::world::Ran| {
            ran.finished.name == name && ran.merge_request == Some(iid)
        };
        self.world
            .ran
            .iter()
            .rev()
            .find(of)
            .unwrap_or_else(|| panic!("`{name}` of !{iid} did not run"))
            .finished
            .clone()
    }

    /// The last run of a job, in whatever pipeline.
    pub(crate) fn last(&self, name: &str) -> FinishedJob {
        self.world
            .ran
            .iter()
            .rev()
            .find(|ran| ran.finished.name == name)
            .unwrap_or_else(|| panic!("`{name}` did not run"))
            .finished
            .clone()
    }

    pub(crate) fn play(&mut self, user: &str, iid: u64, job: &str) -> FinishedJob {
        self.world.play(user, iid, job).unwrap()
    }

    /// `None` when GitLab itself refuses.
    pub(crate) fn play_in(&mut self, user: &str, pipeline: u64, job: &str) -> Option<FinishedJob> {
        self.world.play_in(user, pipeline, job).ok()
    }

    pub(crate) fn pipeline(&self, iid: u64) -> u64 {
        self.world.newest_pipeline("olga", iid).unwrap()
    }

    pub(crate) fn newest_of_main(&self) -> u64 {
        self.world
            .read("rita", &self.world.at("pipelines?ref=main&source=push"))
            .unwrap()[0]["id"]
            .as_u64()
            .unwrap()
    }

    /// Everything before `integrate` runs, and the author presses it.
    pub(crate) fn integrate(&mut self, author: &str, iid: u64) {
        self.run_but("nrt-tests");
        assert_eq!(self.play(author, iid, "integrate").exit_code, Some(0));
    }

    /// The author presses `integrate`, and the change set gets its ticket; no worker takes it yet.
    pub(crate) fn join_queue(&mut self, author: &str, iid: u64) {
        self.run_but("nrt-acquire");
        assert_eq!(self.play(author, iid, "integrate").exit_code, Some(0));
        self.run_but("nrt-acquire");
    }

    pub(crate) fn gate(&self, arguments: &[&str]) -> Said {
        self.world
            .program(&self.world.gate_environment(), arguments)
            .unwrap()
    }

    pub(crate) fn gate_with_token(&self, token: &str, arguments: &[&str]) -> Said {
        let mut environment = self.world.gate_environment();
        environment.retain(|(key, _)| key != "TRAINYARD_GATE_TOKEN");
        environment.push(("TRAINYARD_GATE_TOKEN".to_owned(), token.to_owned()));
        self.world.program(&environment, arguments).unwrap()
    }

    pub(crate) fn admit(&self, iid: u64) -> Said {
        self.gate(&["nrt-lock", "admit", "--merge-request", &iid.to_string()])
    }

    pub(crate) fn queue(&self) -> Value {
        serde_json::from_str(&self.gate(&["queue", "--json"]).said).unwrap()
    }

    pub(crate) fn state(&self, iid: u64) -> String {
        let found = self
            .world
            .read("olga", &self.world.at(&format!("merge_requests/{iid}")))
            .unwrap();
        found["state"].as_str().unwrap().to_owned()
    }

    /// What people wrote, and we did, on a merge request.
    pub(crate) fn notes(&self, iid: u64) -> Vec<String> {
        let notes = self
            .world
            .read(
                "olga",
                &self.world.at(&format!(
                    "merge_requests/{iid}/notes?sort=asc&order_by=created_at"
                )),
            )
            .unwrap();
        let bodies = notes
            .as_array()
            .unwrap()
            .iter()
            .filter(|note| note["system"] == false);
        bodies
            .map(|note| note["body"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn facts(&self) -> Vec<Fact> {
        self.world
            .events()
            .unwrap()
            .into_iter()
            .map(|event: Event| event.fact)
            .collect()
    }

    /// The next requests meet a proxy's page.
    pub(crate) fn break_down(&self, times: u32) {
        self.world
            .emulator
            .faults()
            .add(Rule::new(Effect::Html { status: 502 }).times(times));
    }

    /// Everything as it stands now, to come back to.
    pub(crate) fn moment(&self) -> Moment {
        Moment::of(&self.world)
    }

    /// Has a job died of a killed machine?
    pub(crate) fn died(&self) -> bool {
        died(&self.world)
    }

    /// Cancels a pipeline, as somebody would in the browser.
    pub(crate) fn cancel(&self, pipeline: u64) {
        self.world
            .ask(
                "root",
                Method::POST,
                &self.world.at(&format!("pipelines/{pipeline}/cancel")),
                json!({}),
            )
            .unwrap();
    }
}
