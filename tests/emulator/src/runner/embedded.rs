//! The runners of this program as rows, so that the API shows them beside those of others.

use jiff::Timestamp;

use crate::store::State;
use crate::store::runners::{Runner, RunnerManager, RunnerScope};

/// The version it claims.
pub(super) const VERSION: &str = "18.5.0";

/// The runner of this program with these tags.
pub(super) fn ensure(state: &mut State, tags: &[String], now: Timestamp) -> u64 {
    let known = state
        .runners
        .iter()
        .find(|runner| runner.embedded && runner.tags == tags)
        .map(|runner| runner.id);
    let id = known.unwrap_or_else(|| add(state, tags, now));
    touch(state, id, now);
    id
}

fn add(state: &mut State, tags: &[String], now: Timestamp) -> u64 {
    let runner = state.runners.insert(|id| Runner {
        description: Some("emulator".to_owned()),
        tags: tags.to_vec(),
        embedded: true,
        ..Runner::new(id, RunnerScope::Instance, now)
    });
    state.runner_managers.insert(|id| RunnerManager {
        id,
        runner_id: runner,
        system_id: "s_emulator".to_owned(),
        name: Some("gitlab-runner".to_owned()),
        version: Some(VERSION.to_owned()),
        revision: Some("emulator".to_owned()),
        platform: Some("linux".to_owned()),
        architecture: Some("amd64".to_owned()),
        executor: Some("shell".to_owned()),
        created_at: now,
        contacted_at: None,
    });
    runner
}

/// Notes that it is there.
pub(super) fn touch(state: &mut State, runner: u64, now: Timestamp) {
    if let Some(runner) = state.runners.get_mut(runner) {
        runner.contacted_at = Some(now);
    }
    let managers = state.runner_managers.iter_mut();
    for manager in managers.filter(|manager| manager.runner_id == runner) {
        manager.contacted_at = Some(now);
    }
}
