//! The only place that knows GitLab. It decides nothing: it answers questions and stores facts.

mod announcements;
mod board;
mod changes;
pub mod client;
pub mod door;
mod dossier;
mod endpoints;
mod evidence;
mod features;
mod files;
mod labels;
mod member;
mod merge_requests;
mod milestones;
mod opening;
mod outset;
mod pace;
mod packages;
mod people;
mod proposals;
mod records;
mod releases;
pub mod state;
mod traces;
mod translate;
mod wire;

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::fs;

use client::{Client, Token};
use door::Door;
use endpoints::{Get, Graph, segment};

use crate::config::ci::{Ci, Secret};
use crate::domain::ids::BranchName;
use crate::outcome::Problem;
use crate::ports::{Answer, Clock};

/// What a job may do: decides which token it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// A merge request pipeline: its code may be anybody's, so it carries no strong token.
    MergeRequest,
    /// The same, for a job that only wakes the gate and needs no rules for it.
    WakeUp,
    /// A pipeline on the protected default branch.
    Gate,
}

/// One GitLab project, seen with the tokens of one job.
#[derive(Debug)]
pub struct GitLab<'a> {
    ci: &'a Ci,
    clock: &'a dyn Clock,
    /// The strongest token that the job has.
    main: Client<'a>,
    /// The token that writes notes, where it is another one.
    bot: Option<Client<'a>>,
    /// The job's own token: the only one that can say which job this is.
    job: Option<Client<'a>>,
    /// The user behind the token that writes notes, once known.
    me: OnceCell<String>,
    /// Where wake-ups go.
    door: Door,
    /// The project's variables, where they were read together with something else, for the journal.
    carrier: state::Carrier,
    /// What was read in the same query of the merge request that the job is going to look at.
    expected: RefCell<Option<(u64, Option<wire::User>, dossier::MergeRequest)>>,
}

impl<'a> GitLab<'a> {
    /// Connects as the job's trust allows.
    ///
    /// # Errors
    /// When the token that the job needs is not there.
    pub fn new(ci: &'a Ci, clock: &'a dyn Clock, trust: Trust) -> Answer<Self> {
        let ca = match &ci.ca_file {
            None => None,
            Some(path) => Some(fs::read(path).map_err(|error| {
                Problem::misconfigured(
                    format!(
                        "`CI_SERVER_TLS_CA_FILE` names `{}`, which cannot be read",
                        path.display()
                    ),
                    "see the runner's `tls-ca-file` setting",
                )
                .caused_by(error)
            })?),
        };
        let connect = |token: Token, secret: &Secret| {
            Client::new(&ci.api, token, secret.clone(), ca.as_deref(), clock)
        };
        let optional = |token: Token, secret: &Option<Secret>| {
            secret
                .as_ref()
                .map(|secret| connect(token, secret))
                .transpose()
        };
        let (main, bot) = match trust {
            Trust::Gate => (
                connect(Token::Gate, gate_token(ci)?)?,
                // The same token under both names is one user: one connection does.
                optional(
                    Token::Bot,
                    &ci.bot_token
                        .clone()
                        .filter(|bot| !ci.gate_token.as_ref().is_some_and(|gate| gate == bot)),
                )?,
            ),
            Trust::MergeRequest | Trust::WakeUp => match (&ci.bot_token, &ci.job_token) {
                (Some(secret), _) => (connect(Token::Bot, secret)?, None),
                (None, Some(secret)) => (connect(Token::Job, secret)?, None),
                (None, None) => {
                    return Err(Problem::misconfigured(
                        "`CI_JOB_TOKEN` is not set: this command runs inside a GitLab CI job",
                        "to see the whole story without GitLab, run `trainyard demo`",
                    ));
                }
            },
        };
        let job = optional(Token::Job, &ci.job_token)?;
        Ok(Self {
            ci,
            clock,
            main,
            bot,
            job,
            me: OnceCell::new(),
            door: Door::own(ci),
            carrier: state::Carrier::since(clock.now()),
            expected: RefCell::new(None),
        })
    }

    /// The same with wake-ups that go elsewhere.
    #[must_use]
    pub fn waking(self, door: Door) -> Self {
        Self { door, ..self }
    }

    /// Whether the job may read issues, job records and members.
    pub fn may_look_up(&self) -> bool {
        self.main.token() != Token::Job
    }

    /// The journal of an NRT environment of this project.
    pub fn journal(&self, environment: &str) -> state::VariableJournal<'_> {
        let writer = format!("{}/{}", self.ci.project_id, self.ci.job);
        state::VariableJournal::new(
            &self.main,
            self.clock,
            self.ci.project_id,
            environment,
            &writer,
        )
        .carried_by(&self.carrier)
    }

    /// The same for another environment than the job's own: read by itself, and not written.
    pub fn another_journal(&self, environment: &str) -> state::VariableJournal<'_> {
        let writer = format!("{}/{}", self.ci.project_id, self.ci.job);
        let (project, clock) = (self.ci.project_id, self.clock);
        state::VariableJournal::new(&self.main, clock, project, environment, &writer)
    }

    /// The number and the default branch of the project that its path names.
    ///
    /// # Errors
    /// When the token's owner cannot see such a project.
    pub fn place(&self) -> Answer<(u64, BranchName)> {
        let path = format!("projects/{}", segment(self.ci.project.as_str()));
        let found: wire::ProjectPlace = self.main.send(&Get::new(path))?.json()?;
        let branch = found.default_branch.ok_or_else(|| {
            Problem::misconfigured(
                format!(
                    "`{}` has no default branch, so it has no queue",
                    self.ci.project
                ),
                "check the path of `--project`",
            )
        })?;
        Ok((found.id, branch))
    }

    fn writer(&self) -> &Client<'a> {
        self.bot.as_ref().unwrap_or(&self.main)
    }

    /// The data of the answer to a GraphQL query, which changes nothing and can be asked again.
    fn graph<T: serde::de::DeserializeOwned>(
        &self,
        client: &Client<'a>,
        query: Cow<'static, str>,
        variables: serde_json::Value,
    ) -> Answer<T> {
        let answer: wire::Graph<T> = client.ask(&Graph { query, variables })?.json()?;
        answer.data.ok_or_else(|| {
            let words: Vec<String> = answer
                .errors
                .into_iter()
                .map(|error| error.message)
                .collect();
            Problem::gitlab(
                format!(
                    "GitLab's GraphQL API refuses our query: {}",
                    words.join("; ")
                ),
                "check that the server is a GitLab of version 16.11 or later",
            )
        })
    }

    fn project(&self) -> u64 {
        self.ci.project_id
    }
}

fn gate_token(ci: &Ci) -> Answer<&Secret> {
    ci.gate_token.as_ref().ok_or_else(|| {
        let why = if ci.protected {
            "store a project access token with role Maintainer and scope `api` as the masked, protected variable `TRAINYARD_GATE_TOKEN` in Settings > CI/CD > Variables"
        } else {
            "this pipeline's ref is not protected, so GitLab withholds protected variables: protect the default branch in Settings > Repository > Protected branches"
        };
        Problem::misconfigured("`TRAINYARD_GATE_TOKEN` is not set, and this job cannot do without it", why)
    })
}

/// The parameters of the crate's own builders are complete by construction here.
fn built<T, E: std::error::Error + Send + Sync + 'static>(result: Result<T, E>) -> Answer<T> {
    result.map_err(|error| Problem::bug("a request could not be described").caused_by(error))
}
