//! The desk that a job works at: its ports connected, the project's rules read.

use super::logs::LogsOf;
use super::members::{Fleet, Surroundings};
use crate::channels::Post;
use crate::cli::{Global, StatePlace};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::config::ci::Ci;
use crate::domain::event::Event;
use crate::domain::ids::{BranchName, ProjectPath};
use crate::folder::FolderJournal;
use crate::git::{Destination, WorkTree};
use crate::gitlab::door::Door;
use crate::gitlab::{GitLab, Trust};
use crate::jobs::{Desk, Members};
use crate::outcome::Problem;
use crate::ports::{Answer, Append, Journal, Log, Policies};

/// Does a work that is no job of GitLab's at a desk.
pub(super) fn with_desk<T>(
    global: &Global,
    trust: Trust,
    work: impl FnOnce(&Desk<'_>) -> Answer<T>,
) -> Answer<T> {
    let ci = Ci::from_environment(global.server.as_deref())?;
    at_desk(&ci, global, trust, work)
}

/// Does a work at the desk of a job whose surroundings are read.
pub(super) fn at_desk<T>(
    ci: &Ci,
    global: &Global,
    trust: Trust,
    work: impl FnOnce(&Desk<'_>) -> Answer<T>,
) -> Answer<T> {
    let clock = SystemClock;
    let gitlab = GitLab::new(ci, &clock, trust)?;
    let asked = global.environment();
    let destination = ci.gate_token.as_ref().map(|token| Destination {
        address: ci.git_address(),
        token: token.clone(),
        ca: ci.ca_file.clone(),
    });
    let tree = WorkTree::at(&ci.directory).pushing_to(destination);
    let config = rules(ci, &gitlab, &tree, trust, global.about)?;
    let (config, door) = match (trust, config.gate.project.clone()) {
        (Trust::Gate, None) => {
            let config = config.at_environment(asked)?;
            let door = Door::own(ci).within(&config);
            (config, door)
        }
        (Trust::Gate, Some(yard)) => return Err(gate_is_elsewhere(ci, &yard)),
        (Trust::MergeRequest | Trust::WakeUp, None) => {
            (config, Door::own(ci).of_environment(asked))
        }
        (Trust::MergeRequest | Trust::WakeUp, Some(yard)) => {
            let door = Door::of_yard(ci, &yard, config.gate.branch.as_ref());
            (config, door.of_environment(asked))
        }
    };
    let gitlab = gitlab.waking(door);
    let channels = Post::new(&config.notification.channels, ci, &clock);
    let variables;
    let folder;
    let journal: &dyn Journal = match (trust, &global.state) {
        (Trust::MergeRequest | Trust::WakeUp, _) => &NoJournal,
        (Trust::Gate, StatePlace::GitLab) => {
            variables = gitlab.journal(&config.nrt.environment);
            &variables
        }
        (Trust::Gate, StatePlace::Folder(path)) => {
            let several = !config.nrt.environments.is_empty();
            let of_environment = several.then(|| path.join(&config.nrt.environment));
            folder = FolderJournal::open(of_environment.as_deref().unwrap_or(path))?;
            &folder
        }
    };
    let logs = LogsOf {
        gitlab: &gitlab,
        place: &global.state,
    };
    let surroundings = Surroundings::of(&config.gate.projects);
    let shared = (ci, &config);
    let fleet = Fleet::new(
        &surroundings,
        shared,
        &gitlab,
        &clock,
        &channels,
        (journal, &logs),
    );
    let members: Option<&dyn Members> = match trust {
        Trust::Gate if config.is_yard() => Some(&fleet),
        Trust::Gate | Trust::MergeRequest | Trust::WakeUp => None,
    };
    work(&Desk {
        ci,
        config: &config,
        may_look_up: gitlab.may_look_up(),
        clock: &clock,
        merge_requests: &gitlab,
        features: &gitlab,
        records: &gitlab,
        changes: &gitlab,
        people: &gitlab,
        traces: &gitlab,
        proposals: &gitlab,
        workers: &gitlab,
        boards: &gitlab,
        announcements: &gitlab,
        channels: &channels,
        releases: &gitlab,
        milestones: &gitlab,
        pins: &gitlab,
        files: &gitlab,
        commits: &tree,
        candidates: &tree,
        picks: &tree,
        journal,
        logs: &logs,
        members,
    })
}

fn gate_is_elsewhere(ci: &Ci, yard: &ProjectPath) -> Problem {
    Problem::misconfigured(
        format!(
            "this is a command of the gate, and `gate.project` says that the gate of `{}` is in `{yard}`",
            ci.project
        ),
        format!(
            "run it in a pipeline of `{yard}`; a member includes `member.yml` of the templates, and no gate jobs"
        ),
    )
}

/// The project's rules, from the target branch and never from a merge request's work tree. A gate job runs on the protected
/// default branch, so the commit it was started for is such a source where the job has a clone; where it has none, they come with the
/// log.
fn rules(
    ci: &Ci,
    gitlab: &GitLab<'_>,
    tree: &WorkTree,
    trust: Trust,
    about: Option<u64>,
) -> Answer<Config> {
    let branch: &BranchName = ci
        .merge_request
        .as_ref()
        .map_or(&ci.default_branch, |mr| &mr.target);
    let local = match trust {
        // What a tag names may be an old commit, and then it has old rules.
        Trust::Gate if ci.protected && ci.tag.is_none() => {
            tree.file_at(&ci.commit, crate::config::FILE)
        }
        Trust::WakeUp => Some(String::new()),
        Trust::Gate | Trust::MergeRequest => None,
    };
    match local {
        Some(text) => Config::parse(&text),
        None if trust == Trust::Gate => {
            Config::parse(&gitlab.open_up(branch, about)?.unwrap_or_default())
        }
        None => Config::parse(&gitlab.policy(branch)?.unwrap_or_default()),
    }
}

/// Jobs of a merge request pipeline hold no state: they have no token for it.
#[derive(Debug)]
struct NoJournal;

impl Journal for NoJournal {
    fn read(&self) -> Answer<Log> {
        Err(Problem::bug("a merge request job asked for the log"))
    }

    fn append(&self, _decided_on: u64, _events: &[Event]) -> Answer<Append> {
        Err(Problem::bug("a merge request job wrote to the log"))
    }
}
