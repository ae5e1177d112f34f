//! What comes with time alone: schedules that are due, artifacts and environments that have had their day.
//!
//! It is looked at whenever a second of the emulator's clock has passed and somebody asks anything.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::create::{self, Order};
use super::{artifacts, environments, settle};
use crate::merge_requests::auto_merge;
use crate::shared::Shared;
use crate::store::State;
use crate::store::pipelines::{Pipeline, Source};
use crate::store::triggers::Schedule;

/// Does everything whose time has come. Call it without holding the state.
pub(crate) fn tick(shared: &Shared) {
    let now = shared.clock.now();
    let before = shared.ticked.swap(now.as_second(), Ordering::SeqCst);
    if before == now.as_second() {
        return;
    }
    {
        let mut state = shared.state();
        artifacts::remove_expired(&mut state, now);
        environments::stop_those_due(&mut state, now);
        remove_old_pipelines(&mut state, now);
    }
    let due = take_due(&mut shared.state(), now);
    for schedule in due {
        run(shared, &schedule);
    }
    let waiting = held_back_until_now(&shared.state(), now);
    for (project, iid) in waiting {
        auto_merge::merge_if_ready(shared, project, iid);
    }
    settle::settle(shared);
}

/// Projects may let their pipelines go when these have reached an age.
fn remove_old_pipelines(state: &mut State, now: Timestamp) {
    let old = |pipeline: &&Pipeline| {
        let project = state.projects.get(pipeline.project_id);
        let limit = project.and_then(|project| project.settings.ci_delete_pipelines_in_seconds);
        pipeline.status.is_complete()
            && limit.is_some_and(|limit| {
                now.duration_since(pipeline.created_at) > SignedDuration::from_secs(limit)
            })
    };
    let old: Vec<u64> = state
        .pipelines
        .iter()
        .filter(old)
        .map(|pipeline| pipeline.id)
        .collect();
    for id in old {
        state.remove_pipeline(id);
    }
}

/// The schedules that are due; each of them is then due again later, however long nobody looked.
fn take_due(state: &mut State, now: Timestamp) -> Vec<Schedule> {
    let mut due = Vec::new();
    for schedule in state.schedules.iter_mut() {
        if schedule.active && schedule.next_run_at.is_some_and(|at| at <= now) {
            schedule.next_run_at = schedule.next_after(now);
            due.push(schedule.clone());
        }
    }
    due
}

/// Runs a schedule as its owner. GitLab tells nobody when no pipeline comes of it.
pub(crate) fn run(shared: &Shared, schedule: &Schedule) {
    let archived = {
        let state = shared.state();
        let project = state.projects.get(schedule.project_id);
        project.is_none_or(|project| project.settings.archived)
    };
    if archived {
        return;
    }
    let Ok(target) = create::target_of(shared, schedule.project_id, &schedule.git_ref) else {
        return;
    };
    let order = Order {
        inputs: schedule.inputs.clone(),
        schedule_id: Some(schedule.id),
        ..Order::new(
            schedule.project_id,
            schedule.owner_id,
            Source::Schedule,
            target,
        )
    };
    if let Ok(id) = settle::run_pipeline(shared, order)
        && let Some(schedule) = shared.state().schedules.get_mut(schedule.id)
    {
        schedule.last_pipeline_id = Some(id);
    }
}

/// Merge requests that merge by themselves and were not to be merged before an instant that has come.
fn held_back_until_now(state: &State, now: Timestamp) -> Vec<(u64, u64)> {
    let waits = state.merge_requests.iter().filter(|row| {
        row.is_open()
            && row.auto_merge.is_some()
            && row.merge_after.is_some_and(|after| after <= now)
    });
    waits.map(|row| (row.project_id, row.iid)).collect()
}
