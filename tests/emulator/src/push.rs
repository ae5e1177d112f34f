//! What follows an accepted change of branches or tags, whether by `git push` or through the API.

use crate::git::GitError;
use crate::merge_requests::refresh;
use crate::shared::Shared;
use crate::store::events::{EventAction, EventTarget, PushData};

/// One ref that changed; `None` stands for a ref that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefUpdate {
    /// The full name, such as `refs/heads/main`.
    pub(crate) name: String,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
}

impl RefUpdate {
    /// The branch that changed, if it is one.
    pub(crate) fn branch(&self) -> Option<&str> {
        self.name.strip_prefix("refs/heads/")
    }
}

/// One accepted push.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    pub(crate) project: u64,
    pub(crate) user: u64,
    pub(crate) updates: Vec<RefUpdate>,
    /// Such as `ci.skip`.
    pub(crate) options: Vec<String>,
}

/// The push option with which nothing at all runs.
pub(crate) const NO_PIPELINE: &str = "ci.no_pipeline";

impl Push {
    /// Was the option given?
    pub(crate) fn asks_for(&self, option: &str) -> bool {
        self.options.iter().any(|given| given == option)
    }
}

/// Runs everything that GitLab does after a push. Call it without holding the state.
pub(crate) fn on_push(shared: &Shared, push: &Push) -> Result<(), GitError> {
    settle_default_branch(shared, push)?;
    record_activity(shared, push)?;
    let changed = refresh::after_push(shared, push)?;
    shared.pipelines.pushed(shared, push);
    if !push.asks_for(NO_PIPELINE) {
        for (project, iid) in changed {
            let pipelines = shared.pipelines.as_ref();
            pipelines.merge_request_changed(shared, project, iid, push.user);
        }
    }
    Ok(())
}

/// Writes the push into the activity of its author.
fn record_activity(shared: &Shared, push: &Push) -> Result<(), GitError> {
    let repository = shared.repository(push.project);
    let default = {
        let state = shared.state();
        let project = state.projects.get(push.project);
        project.and_then(|project| project.default_branch.clone())
    };
    for update in &push.updates {
        let (name, branch) = match update.name.strip_prefix("refs/tags/") {
            Some(name) => (name, false),
            None => match update.branch() {
                Some(name) => (name, true),
                None => continue,
            },
        };
        let commit = match &update.new {
            Some(new) => repository.commit(new)?,
            None => None,
        };
        let range = match (&update.old, &update.new) {
            (Some(old), Some(new)) => Some(format!("{old}..{new}")),
            // A new branch brings what the default branch lacks.
            (None, Some(new)) if branch => {
                match default.as_deref().filter(|known| *known != name) {
                    Some(default) => Some(format!("refs/heads/{default}..{new}")),
                    None => Some(new.clone()),
                }
            }
            (_, None) | (None, Some(_)) => None,
        };
        let commits = match range {
            Some(range) => repository.commits(&[&range])?.len(),
            None => 0,
        };
        let data = PushData {
            branch,
            name: name.to_owned(),
            from: update.old.clone(),
            to: update.new.clone(),
            commits: u64::try_from(commits).unwrap_or(u64::MAX),
            title: commit.map(|commit| commit.title().to_owned()),
        };
        let (target, now) = (EventTarget::Push(data), shared.clock.now());
        let mut state = shared.state();
        state.record(push.project, push.user, EventAction::Pushed, target, now);
    }
    Ok(())
}

/// Moves a branch or tag for a user, with everything that follows. Call it without holding the state.
pub(crate) fn move_ref(
    shared: &Shared,
    project: u64,
    user: u64,
    update: RefUpdate,
    options: Vec<String>,
) -> Result<(), GitError> {
    shared.repository(project).update_ref(
        &update.name,
        update.new.as_deref(),
        update.old.as_deref(),
    )?;
    let updates = vec![update];
    let push = Push {
        project,
        user,
        updates,
        options,
    };
    on_push(shared, &push)
}

/// The first branch of an empty project becomes its default branch and is protected.
fn settle_default_branch(shared: &Shared, push: &Push) -> Result<(), GitError> {
    let chosen = {
        let mut state = shared.state();
        let now = shared.clock.now();
        let Some(project) = state.projects.get_mut(push.project) else {
            return Ok(());
        };
        project.last_activity_at = now;
        if project.default_branch.is_some() {
            return Ok(());
        }
        let wished = project
            .wished_default_branch
            .clone()
            .unwrap_or_else(|| "main".to_owned());
        let created: Vec<&str> = push
            .updates
            .iter()
            .filter(|update| update.new.is_some())
            .filter_map(RefUpdate::branch)
            .collect();
        let Some(chosen) = created
            .iter()
            .find(|branch| **branch == wished)
            .or(created.first())
        else {
            return Ok(());
        };
        project.default_branch = Some((*chosen).to_owned());
        state.protect_branch(push.project, chosen);
        (*chosen).to_owned()
    };
    shared.repository(push.project).set_head(&chosen)
}
