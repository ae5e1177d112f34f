//! Submodules: pointing one at another commit of its repository.

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Action, ActionKind};
use crate::message::Response;
use crate::push::{self, RefUpdate};
use crate::router::{Answer, Guard, Route, put, string};

use super::commit_entity;

pub(super) const ROUTES: &[Route] = &[put(
    "projects/:id/repository/submodules/:submodule",
    Guard::Project(Role::Developer),
    update,
)
.params(&[
    string("commit_sha").required(),
    string("branch").required(),
    string("commit_message"),
])];

fn update(ctx: &Ctx<'_>) -> Answer {
    let (user, project) = (ctx.user()?, ctx.project());
    let text = |name: &str| ctx.string(name).unwrap_or_default();
    let (branch, sha) = (text("branch"), text("commit_sha"));
    if !access::may_push(&ctx.state(), user, project, branch) {
        let reason = "You are not allowed to push into this branch";
        return Err(ApiError::forbidden_because(reason));
    }
    if sha.len() != 40 || !sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ApiError::error(400, "commit_sha is invalid"));
    }
    let repository = ctx.shared.repository(project);
    let name = format!("refs/heads/{branch}");
    let head = repository.resolve(&name)?;
    let head = head.ok_or_else(|| {
        ApiError::message(
            400,
            "You can only create or edit files when you are on a branch",
        )
    })?;
    let path = ctx.path("submodule").trim_matches('/');
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let entries = repository.tree(&head, directory, false)?;
    let entry = entries
        .into_iter()
        .find(|entry| entry.path == path && entry.kind == "commit");
    let entry = entry.ok_or_else(|| ApiError::message(400, "Invalid submodule path"))?;
    if entry.id == sha {
        let text = format!("The submodule {path} is already at {sha}");
        return Err(ApiError::message(400, text));
    }
    let by = ctx.state().identity(user, ctx.now());
    let message = match ctx.string("commit_message") {
        Some(message) => message.to_owned(),
        None => format!("Update submodule {path} with oid {sha}"),
    };
    let action = [Action {
        path: path.to_owned(),
        kind: ActionKind::Submodule {
            commit: sha.to_owned(),
        },
    }];
    let new = repository.commit_actions(Some(&head), &action, &message, &by, &by)?;
    let update = RefUpdate {
        name,
        old: Some(head),
        new: Some(new.clone()),
    };
    push::move_ref(ctx.shared, project, user, update, Vec::new())?;
    let made = repository.commit(&new)?.ok_or_else(ApiError::internal)?;
    Ok(Response::ok(&commit_entity::detail(ctx, &made, true)?))
}
