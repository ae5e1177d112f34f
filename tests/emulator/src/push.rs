//! What follows an accepted change of branches or tags, whether by `git push` or through the API.

use crate::git::GitError;
use crate::merge_requests::refresh;
use crate::shared::Shared;

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

/// Runs everything that GitLab does after a push. Call it without holding the state.
pub(crate) fn on_push(shared: &Shared, push: &Push) -> Result<(), GitError> {
    settle_default_branch(shared, push)?;
    let changed = refresh::after_push(shared, push)?;
    shared.pipelines.pushed(shared, push);
    if !push.options.iter().any(|option| option == "ci.skip") {
        for iid in changed {
            let pipelines = shared.pipelines.as_ref();
            pipelines.merge_request_changed(shared, push.project, iid, push.user);
        }
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
