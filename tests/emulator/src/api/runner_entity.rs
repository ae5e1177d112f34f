//! Runners and their machines as the API writes them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::job_entity::Surroundings;
use super::user_entity;
use crate::clock;
use crate::engine::status::Status;
use crate::store::State;
use crate::store::jobs::{Job, Taken};
use crate::store::runners::{self, Runner, RunnerManager, RunnerScope};

/// The short form, as in lists and jobs.
pub(super) fn basic(around: Surroundings<'_>, runner: &Runner) -> Value {
    let Surroundings { state, url, now } = around;
    let status = runners::status(runner.contacted_at, runner.created_at, now);
    let creator = runner.creator_id.and_then(|id| state.users.get(id));
    let newest = state.managers_of(runner.id).next_back();
    json!({
        "id": runner.id,
        "description": runner.description,
        // Only managers have addresses since 17.0; what is left is an empty text.
        "ip_address": "",
        "active": !runner.paused,
        "paused": runner.paused,
        "is_shared": runner.scope == RunnerScope::Instance,
        "runner_type": runner.scope.as_str(),
        "name": newest.and_then(|manager| manager.name.as_ref()),
        "online": status == "online",
        "created_by": creator.map(|user| user_entity::basic(user, url)),
        "created_at": clock::iso(runner.created_at),
        "status": if runner.paused && status == "online" { "paused" } else { status },
        "job_execution_status": activity(state, |taken| taken.runner_id == runner.id),
    })
}

/// The long form; the note only for those who may change the runner.
pub(super) fn details(
    around: Surroundings<'_>,
    runner: &Runner,
    projects: Vec<Value>,
    groups: Vec<Value>,
    may_change: bool,
) -> Value {
    let mut entity = basic(around, runner);
    let newest = around
        .state
        .managers_of(runner.id)
        .max_by_key(|manager| manager.contacted_at);
    let of_machine = |read: fn(&RunnerManager) -> &Option<String>| {
        json!(newest.and_then(|manager| read(manager).as_ref()))
    };
    entity["tag_list"] = json!(runner.tags);
    entity["run_untagged"] = json!(runner.run_untagged);
    entity["locked"] = json!(runner.locked);
    entity["maximum_timeout"] = json!(runner.maximum_timeout);
    entity["access_level"] = json!(access_level(runner));
    entity["version"] = of_machine(|manager| &manager.version);
    entity["revision"] = of_machine(|manager| &manager.revision);
    entity["platform"] = of_machine(|manager| &manager.platform);
    entity["architecture"] = of_machine(|manager| &manager.architecture);
    entity["contacted_at"] = json!(runner.contacted_at.map(clock::iso));
    entity["maintenance_note"] = json!(runner.maintenance_note.as_ref().filter(|_| may_change));
    entity["projects"] = json!(projects);
    entity["groups"] = json!(groups);
    entity
}

/// A machine.
pub(super) fn manager(state: &State, manager: &RunnerManager, now: Timestamp) -> Value {
    json!({
        "id": manager.id,
        "system_id": manager.system_id,
        "version": manager.version,
        "revision": manager.revision,
        "platform": manager.platform,
        "architecture": manager.architecture,
        "created_at": clock::iso(manager.created_at),
        "contacted_at": manager.contacted_at.map(clock::iso),
        "ip_address": "127.0.0.1",
        "status": runners::status(manager.contacted_at, manager.created_at, now),
        "job_execution_status": activity(state, |taken| taken.manager_id == Some(manager.id)),
    })
}

/// The answer to a registration, and to a check of the token.
pub(super) fn registration(runner: &Runner) -> Value {
    json!({ "id": runner.id, "token": runner.token, "token_expires_at": Value::Null })
}

/// A token that was made anew.
pub(super) fn fresh_token(token: &str) -> Value {
    json!({ "token": token, "token_expires_at": Value::Null })
}

fn access_level(runner: &Runner) -> &'static str {
    if runner.protected {
        "ref_protected"
    } else {
        "not_protected"
    }
}

fn activity(state: &State, concerned: impl Fn(&Taken) -> bool) -> &'static str {
    let busy = |job: &Job| {
        matches!(job.status, Status::Running | Status::Canceling)
            && job.taken.as_ref().is_some_and(&concerned)
    };
    if state.jobs.iter().any(busy) {
        "active"
    } else {
        "idle"
    }
}
