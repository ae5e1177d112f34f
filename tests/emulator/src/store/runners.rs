//! Runners: who may take jobs, the machines that speak for them, and the tokens that register them.

use jiff::{SignedDuration, Timestamp};

use super::State;
use crate::secret;

/// A runner that was in touch this recently is online.
const ONLINE: SignedDuration = SignedDuration::from_hours(2);
/// After this long without a word it counts as stale.
const STALE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Whose jobs a runner takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunnerScope {
    Instance,
    /// Of a group and everything below it.
    Group(u64),
    /// Of these projects; the first is the owner.
    Projects(Vec<u64>),
}

impl RunnerScope {
    /// As the API writes it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Instance => "instance_type",
            Self::Group(_) => "group_type",
            Self::Projects(_) => "project_type",
        }
    }

    /// The projects it was assigned to.
    pub fn projects(&self) -> &[u64] {
        match self {
            Self::Projects(projects) => projects,
            Self::Instance | Self::Group(_) => &[],
        }
    }
}

/// A runner.
#[derive(Debug, Clone)]
pub struct Runner {
    pub id: u64,
    pub scope: RunnerScope,
    pub token: String,
    pub description: Option<String>,
    pub maintenance_note: Option<String>,
    pub paused: bool,
    pub locked: bool,
    pub run_untagged: bool,
    /// Takes jobs of protected refs only.
    pub protected: bool,
    pub maximum_timeout: Option<i64>,
    pub tags: Vec<String>,
    pub creator_id: Option<u64>,
    pub created_at: Timestamp,
    pub contacted_at: Option<Timestamp>,
    /// Part of this very program.
    pub embedded: bool,
}

/// A machine on which a runner's program runs.
#[derive(Debug, Clone)]
pub struct RunnerManager {
    pub id: u64,
    pub runner_id: u64,
    pub system_id: String,
    pub name: Option<String>,
    pub version: Option<String>,
    pub revision: Option<String>,
    pub platform: Option<String>,
    pub architecture: Option<String>,
    pub executor: Option<String>,
    pub created_at: Timestamp,
    pub contacted_at: Option<Timestamp>,
}

/// What a registration token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Registration {
    Instance,
    Group(u64),
    Project(u64),
}

/// `online`, `offline`, `stale` or `never_contacted`, by the last contact.
pub fn status(
    contacted_at: Option<Timestamp>,
    created_at: Timestamp,
    now: Timestamp,
) -> &'static str {
    let since = |at: Timestamp| now.duration_since(at);
    match contacted_at {
        None if since(created_at) > STALE => "stale",
        None => "never_contacted",
        Some(at) if since(at) <= ONLINE => "online",
        Some(at) if since(at) > STALE => "stale",
        Some(_) => "offline",
    }
}

impl Runner {
    /// One that takes any job of its scope.
    pub(crate) fn new(id: u64, scope: RunnerScope, now: Timestamp) -> Self {
        Self {
            id,
            scope,
            token: secret::fresh("glrt-t1_"),
            description: None,
            maintenance_note: None,
            paused: false,
            locked: false,
            run_untagged: true,
            protected: false,
            maximum_timeout: None,
            tags: Vec::new(),
            creator_id: None,
            created_at: now,
            contacted_at: None,
            embedded: false,
        }
    }

    /// The beginning of its token, by which its program names itself.
    pub fn short_token(&self) -> &str {
        let secret = self.token.rsplit('-').next().unwrap_or_default();
        secret.get(..9).unwrap_or(secret)
    }
}

impl State {
    /// The runner of an authentication token.
    pub fn runner_by_token(&self, token: &str) -> Option<&Runner> {
        self.runners.iter().find(|runner| runner.token == token)
    }

    /// The machines of a runner, oldest first.
    pub fn managers_of(&self, runner: u64) -> impl DoubleEndedIterator<Item = &RunnerManager> {
        self.runner_managers
            .iter()
            .filter(move |manager| manager.runner_id == runner)
    }

    /// Takes a runner out with its machines; the jobs it ran stay.
    pub fn remove_runner(&mut self, runner: u64) {
        self.runners.remove(runner);
        self.runner_managers
            .retain(|manager| manager.runner_id != runner);
    }

    /// The token that registers runners of this scope.
    pub fn registration_token(&mut self, of: Registration) -> String {
        self.registration_tokens
            .entry(of)
            .or_insert_with(|| registration_secret(of))
            .clone()
    }

    /// Another token in place of the one so far.
    pub fn reset_registration_token(&mut self, of: Registration) -> String {
        let fresh = registration_secret(of);
        self.registration_tokens.insert(of, fresh.clone());
        fresh
    }

    /// What a registration token is for.
    pub fn registration_of(&self, token: &str) -> Option<Registration> {
        self.registration_tokens
            .iter()
            .find(|(_, known)| *known == token)
            .map(|(of, _)| *of)
    }

    /// The runners that would vanish with a project: those of no other one.
    pub(super) fn forget_runners_of_project(&mut self, project: u64) {
        for runner in self.runners.iter_mut() {
            if let RunnerScope::Projects(projects) = &mut runner.scope {
                projects.retain(|other| *other != project);
            }
        }
        let orphans: Vec<u64> = self
            .runners
            .iter()
            .filter(|runner| runner.scope == RunnerScope::Projects(Vec::new()))
            .map(|runner| runner.id)
            .collect();
        for orphan in orphans {
            self.remove_runner(orphan);
        }
        self.registration_tokens
            .remove(&Registration::Project(project));
    }
}

fn registration_secret(of: Registration) -> String {
    match of {
        Registration::Instance => secret::fresh(""),
        Registration::Group(_) | Registration::Project(_) => secret::fresh("GR1348941"),
    }
}
