//! A push to a project that is not there makes it, where the pusher may make projects.

use serde_json::json;

use crate::auth::Caller;
use crate::dispatch;
use crate::errors::ApiError;
use crate::shared::Shared;

/// Makes the private project of a path for whoever is about to push there, if it is missing and they may.
pub(crate) fn ensure_project(
    shared: &Shared,
    caller: &Caller,
    full_path: &str,
) -> Result<(), ApiError> {
    let Caller::User { user, scopes, .. } = caller else {
        return Ok(());
    };
    let may_write = scopes
        .iter()
        .any(|scope| scope == "api" || scope == "write_repository");
    let Some((namespace, path)) = full_path.rsplit_once('/').filter(|_| may_write) else {
        return Ok(());
    };
    let namespace_id = {
        let state = shared.state();
        let known =
            state.find_project(full_path).is_some() || state.moved_project(full_path).is_some();
        let own = state
            .users
            .get(*user)
            .filter(|user| user.username == namespace);
        let group = state.find_group(namespace).map(|group| group.id);
        own.map(|user| user.namespace_id)
            .or(group)
            .filter(|_| !known)
    };
    let Some(namespace_id) = namespace_id else {
        return Ok(());
    };
    let body = json!({ "path": path, "namespace_id": namespace_id, "visibility": "private" });
    match dispatch::inside(shared, *user, "POST", "projects", &body) {
        Ok(_made) => {
            let mut state = shared.state();
            let made = state.find_project(full_path).map(|project| project.id);
            state.unannounced_projects.extend(made);
            Ok(())
        }
        // Not theirs to make: for them the project is simply not there.
        Err(error) if error.status == 403 || error.status == 404 => Ok(()),
        Err(error) => {
            let text = format!("Could not create project: {}", error.body["message"]);
            Err(ApiError::message(422, text))
        }
    }
}

/// What the pusher is told of a project that the push has made; only the first time.
pub(crate) fn announcement(shared: &Shared, project: u64) -> Option<String> {
    let mut state = shared.state();
    if !state.unannounced_projects.remove(&project) {
        return None;
    }
    let path = state.project_path(state.projects.get(project)?);
    let address = state.project_url(&shared.url, project);
    Some(format!(
        "\nThe private project {path} was successfully created.\n\nTo configure the remote, run:\n  git remote add origin {address}.git\n\nTo view the project, visit:\n  {address}\n\n"
    ))
}
