//! An embedded GitLab with a project that includes our templates, and people who act in it through its API and through git.

mod acting;
mod founding;
mod looking;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use gitlab::api::endpoint_prelude::{BodyError, Endpoint, JsonParams, Method};
use jiff::Timestamp;
use serde_json::Value;
use trainyard_emulator::{Emulator, FinishedJob};
use url::Url;

use crate::clock::SystemClock;
use crate::config::ci::Secret;
use crate::gitlab::client::{Client, Connections, Reply, Token};
use crate::outcome::Problem;
use crate::ports::{Answer, Clock};

pub use founding::Beginning;

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
    /// Everybody's connections: making them costs more than most requests do.
    http: Connections,
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
    /// How often it, or the runner for it, went to the repository: each clone, fetch and push is one.
    pub git_operations: usize,
    /// How long it took, in seconds, from when the runner took it.
    pub seconds: f64,
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

    fn client(&self, user: &str) -> Answer<Client<'static>> {
        let base = Url::parse(&format!("{}/api/v4/", self.emulator.url()))
            .map_err(|error| Problem::bug("the embedded GitLab has no address").caused_by(error))?;
        let secret = Secret::new(self.token(user)?.to_owned());
        let http = self.http.clone();
        Ok(Client::over(http, &base, Token::Bot, secret, &CLOCK))
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
        .args(["-c", "maintenance.auto=false"])
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
