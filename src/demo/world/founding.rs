//! How the world begins: the server, its people, the project with its first files and its rules.

use std::collections::BTreeMap;
use std::path::Path;

use gitlab::api::endpoint_prelude::Method;
use serde_json::{Value, json};
use trainyard_emulator::{Emulator, Options, Version};

use super::super::people::{BOT, EVERYBODY};
use super::{World, number};
use crate::gitlab::client::Connections;
use crate::outcome::Problem;
use crate::ports::Answer;
use crate::transport::Peer;

/// The files of the project at the beginning.
const PROJECT: &[(&str, &str)] = &[
    (".gitlab-ci.yml", include_str!("../project/gitlab-ci.yml")),
    (".trainyard.yml", include_str!("../project/trainyard.yml")),
    ("ci/nrt.yml", include_str!("../project/nrt.yml")),
    ("tests/nrt.sh", include_str!("../project/nrt.sh")),
    ("tests/unit.sh", include_str!("../project/unit.sh")),
    ("README.md", "# Shop\n\nSells things.\n"),
    ("shop/book.price", "12\n"),
    (
        "ci-templates/trainyard.yml",
        include_str!("../../../ci-templates/trainyard.yml"),
    ),
    (
        "ci-templates/link-check.yml",
        include_str!("../../../ci-templates/link-check.yml"),
    ),
    (
        "ci-templates/validation.yml",
        include_str!("../../../ci-templates/validation.yml"),
    ),
    (
        "ci-templates/await-validation.yml",
        include_str!("../../../ci-templates/await-validation.yml"),
    ),
    (
        "ci-templates/integrate.yml",
        include_str!("../../../ci-templates/integrate.yml"),
    ),
    (
        "ci-templates/nrt-lock.yml",
        include_str!("../../../ci-templates/nrt-lock.yml"),
    ),
    (
        "ci-templates/nrt-worker.yml",
        include_str!("../../../ci-templates/nrt-worker.yml"),
    ),
    (
        "ci-templates/release.yml",
        include_str!("../../../ci-templates/release.yml"),
    ),
    (
        "ci-templates/remind.yml",
        include_str!("../../../ci-templates/remind.yml"),
    ),
    (
        "ci-templates/break.yml",
        include_str!("../../../ci-templates/break.yml"),
    ),
    (
        "ci-templates/tick.yml",
        include_str!("../../../ci-templates/tick.yml"),
    ),
    (
        "ci-templates/controls.yml",
        include_str!("../../../ci-templates/controls.yml"),
    ),
];

/// Where a world lives, and what is asked of its server.
#[derive(Debug, Clone)]
pub struct Beginning<'a> {
    /// The folder of its data, clones and job folders.
    pub folder: &'a Path,
    /// The folder where jobs find our program, as they find it in the image.
    pub programs: &'a Path,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Which GitLab it is.
    pub version: Version,
    /// The token of `root`; a fresh one when not given.
    pub root_token: Option<String>,
}

impl<'a> Beginning<'a> {
    /// On any free port, with a fresh token.
    pub fn new(folder: &'a Path, programs: &'a Path) -> Self {
        Self {
            folder,
            programs,
            port: 0,
            version: Version::default(),
            root_token: None,
        }
    }

    /// Starts a GitLab that holds nobody but `root`.
    ///
    /// # Errors
    /// When it cannot start.
    pub fn server(&self) -> Answer<Emulator> {
        Emulator::start(Options {
            port: self.port,
            version: self.version,
            root_token: self.root_token.clone(),
            data_dir: Some(self.folder.join("gitlab")),
            job_path: vec![self.programs.to_owned()],
            ..Options::default()
        })
        .map_err(|error| {
            Problem::misconfigured(
                "the embedded GitLab cannot start",
                "check that the folder is writable, that the port is free, and that git is installed",
            )
            .caused_by(error)
        })
    }
}

impl World {
    /// Starts a GitLab with everybody, and the project with its first files pushed.
    ///
    /// # Errors
    /// When it cannot start.
    pub fn start(beginning: &Beginning<'_>) -> Answer<Self> {
        Self::start_with(beginning, &[])
    }

    /// The same with other first files, by path.
    ///
    /// # Errors
    /// As above.
    pub fn start_with(beginning: &Beginning<'_>, instead: &[(&str, &str)]) -> Answer<Self> {
        let emulator = beginning.server()?;
        let tokens = BTreeMap::from([("root".to_owned(), emulator.root_token().to_owned())]);
        let mut world = Self {
            emulator,
            project: 0,
            tokens,
            http: Connections::new(Peer::Here, None)?,
            folder: beginning.folder.to_owned(),
            ran: Vec::new(),
            programs: beginning.programs.to_owned(),
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
}
