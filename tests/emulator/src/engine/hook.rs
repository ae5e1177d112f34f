//! What repositories and merge requests tell the engine, and what they ask it.

use serde_json::{Map, Value, json};

use super::create::{Order, Target};
use super::environments::{self, Origin};
use super::{merge_requests, permissions, settle};
use crate::access::{self, Role};
use crate::api::pipeline_entity;
use crate::hooks::{PipelineView, Pipelines};
use crate::push::{NO_PIPELINE, Push, RefUpdate};
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::MergeRequest;
use crate::store::pipelines::{GivenVariable, Pipeline, Source};

/// The engine as the other parts see it.
pub(crate) struct Engine {
    /// The address of the emulator, for links.
    pub(crate) url: String,
}

impl Engine {
    fn view(&self, state: &State, pipeline: &Pipeline) -> PipelineView {
        PipelineView {
            sha: pipeline.sha.clone(),
            status: pipeline.status.as_str().to_owned(),
            basic: pipeline_entity::basic(state, pipeline, &self.url),
            detail: pipeline_entity::detail(state, pipeline, &self.url),
        }
    }
}

impl Pipelines for Engine {
    fn pushed(&self, shared: &Shared, push: &Push) {
        let gone = push.updates.iter().filter(|update| update.new.is_none());
        for branch in gone.filter_map(RefUpdate::branch) {
            let (mut state, now) = (shared.state(), shared.clock.now());
            let origin = Origin::Branch(branch);
            environments::stop_those_of(&mut state, push.project, origin, push.user, now);
        }
        if push.asks_for(NO_PIPELINE) {
            return;
        }
        settle::settle(shared);
        for update in &push.updates {
            let Some(target) = target_of_update(shared, push.project, update) else {
                continue;
            };
            let order = Order {
                variables: given_by(&push.options),
                inputs: inputs_of(&push.options),
                skippable: true,
                // Pipelines of merge requests know nothing of push options.
                skipped: push.asks_for("ci.skip"),
                ..Order::new(push.project, push.user, Source::Push, target)
            };
            // Nobody is told when a push gives no pipeline.
            let _filtered = settle::run_pipeline(shared, order);
        }
    }

    fn merge_request_changed(&self, shared: &Shared, project: u64, iid: u64, user: u64) {
        let order = {
            let mut state = shared.state();
            let Some(merge_request) = state.merge_request(project, iid) else {
                return;
            };
            let (id, order) = (merge_request.id, order_for(&state, merge_request, user));
            // The branch may have had its pipeline before there was a merge request.
            merge_requests::update_head(&mut state, id);
            Order {
                skippable: true,
                ..order
            }
        };
        let _filtered = settle::run_pipeline(shared, order);
    }

    fn head_pipeline(&self, state: &State, merge_request: &MergeRequest) -> Option<PipelineView> {
        let pipeline = state.pipelines.get(merge_request.head_pipeline_id?)?;
        Some(self.view(state, pipeline))
    }

    fn last_pipeline(&self, state: &State, project: u64, sha: &str) -> Option<PipelineView> {
        let pipeline = state
            .pipelines_of(project)
            .rev()
            .find(|pipeline| pipeline.sha == sha && !pipeline.is_child())?;
        Some(self.view(state, pipeline))
    }
}

/// The order for a pipeline of a merge request. One from a fork runs in the fork, unless it is asked for by somebody who may
/// run pipelines in the parent project, and that project allows it.
pub(crate) fn order_for(state: &State, merge_request: &MergeRequest, user: u64) -> Order {
    let (source, parent) = (merge_request.source_project_id, merge_request.project_id);
    let branch = &merge_request.source_branch;
    let allowed = state.projects.get(parent).is_some_and(|parent| {
        parent
            .settings
            .ci_allow_fork_pipelines_to_run_in_parent_project
    });
    let member = || {
        access::in_project(state, Some(user), parent).at_least(Role::Developer)
            && permissions::may_use_ref(state, user, parent, branch, false)
    };
    let (project, git_ref) = if source == parent || (allowed && member()) {
        let iid = merge_request.iid;
        (parent, format!("refs/merge-requests/{iid}/head"))
    } else {
        (source, branch.clone())
    };
    let target = Target {
        git_ref,
        tag: false,
        sha: merge_request.sha.clone(),
        before: merge_request.diff().map(|diff| diff.base.clone()),
        merge_request_id: Some(merge_request.id),
    };
    Order::new(project, user, Source::MergeRequestEvent, target)
}

/// A pipeline runs on a commit: an annotated tag stands for the one that it names.
fn target_of_update(shared: &Shared, project: u64, update: &RefUpdate) -> Option<Target> {
    let (git_ref, tag) = match update.name.strip_prefix("refs/tags/") {
        Some(name) => (name, true),
        None => (update.branch()?, false),
    };
    let new = update.new.clone()?;
    let named = if tag {
        shared.repository(project).resolve(&new).ok().flatten()
    } else {
        None
    };
    Some(Target {
        git_ref: git_ref.to_owned(),
        tag,
        sha: named.unwrap_or(new),
        before: update.old.clone(),
        merge_request_id: None,
    })
}

/// Inputs given with `git push -o ci.input="name=value"`; lists are written as JSON.
fn inputs_of(options: &[String]) -> Map<String, Value> {
    options
        .iter()
        .filter_map(|option| option.strip_prefix("ci.input="))
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| {
            let list = serde_json::from_str(value).ok().filter(Value::is_array);
            (name.to_owned(), list.unwrap_or_else(|| json!(value)))
        })
        .collect()
}

/// Variables given with `git push -o ci.variable="KEY=value"`.
fn given_by(options: &[String]) -> Vec<GivenVariable> {
    options
        .iter()
        .filter_map(|option| option.strip_prefix("ci.variable="))
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| GivenVariable {
            key: key.to_owned(),
            value: value.to_owned(),
            file: false,
            raw: false,
        })
        .collect()
}
