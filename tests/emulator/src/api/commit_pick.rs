//! Cherry-picking and reverting commits on a branch.

use serde_json::json;

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Commit, GitError, Identity};
use crate::message::Response;
use crate::push::{self, RefUpdate};
use crate::router::{Answer, Guard, Param, Route, boolean, post, string};

use super::commit_entity::{self, project_url};

const WRITER: Guard = Guard::Project(Role::Developer);
const PICK: &[Param] = &[
    string("branch").required(),
    string("message"),
    boolean("dry_run"),
];

pub(super) const ROUTES: &[Route] = &[
    post(
        "projects/:id/repository/commits/:sha/cherry_pick",
        WRITER,
        cherry_pick,
    )
    .params(PICK),
    post(
        "projects/:id/repository/commits/:sha/revert",
        WRITER,
        revert,
    )
    .params(&[string("branch").required(), boolean("dry_run")]),
];

fn cherry_pick(ctx: &Ctx<'_>) -> Answer {
    apply(ctx, "cherry-pick", |commit, parent, _| Change {
        base: parent.to_owned(),
        theirs: commit.id.clone(),
        message: ctx.string("message").map_or_else(
            || {
                format!(
                    "{}\n\n(cherry picked from commit {})",
                    commit.message.trim_end(),
                    commit.id
                )
            },
            str::to_owned,
        ),
        author: Identity {
            name: commit.author.name.clone(),
            email: commit.author.email.clone(),
            at: commit.author.at,
        },
    })
}

fn revert(ctx: &Ctx<'_>) -> Answer {
    apply(ctx, "revert", |commit, parent, by| Change {
        base: commit.id.clone(),
        theirs: parent.to_owned(),
        message: format!(
            "Revert \"{}\"\n\nThis reverts commit {}",
            commit.title(),
            commit.id
        ),
        author: by.clone(),
    })
}

/// The way from `base` to `theirs`, to be gone on the branch too.
struct Change {
    base: String,
    theirs: String,
    message: String,
    author: Identity,
}

fn apply(ctx: &Ctx<'_>, verb: &str, change: impl Fn(&Commit, &str, &Identity) -> Change) -> Answer {
    let (user, project) = (ctx.user()?, ctx.project());
    let branch = ctx.string("branch").unwrap_or_default();
    let repository = ctx.shared.repository(project);
    let commit = repository.commit(ctx.path("sha"))?;
    let commit = commit.ok_or_else(|| ApiError::not_found("Commit"))?;
    let name = format!("refs/heads/{branch}");
    let head = repository.resolve(&name)?;
    let head = head.ok_or_else(|| ApiError::not_found("Branch"))?;
    if !access::may_push(&ctx.state(), user, project, branch) {
        let reason = "You are not allowed to push into this branch";
        return Err(ApiError::forbidden_because(reason));
    }
    let refused = |code: &str| {
        let text = format!(
            "Sorry, we cannot {verb} this commit automatically. This commit may already have been {verb}ed, \
             or a more recent commit may have updated some of its content."
        );
        Err(ApiError::body(
            400,
            json!({ "message": text, "error_code": code }),
        ))
    };
    let by = ctx.state().identity(user, ctx.now());
    let parent = match commit.parents.first() {
        Some(parent) => parent.clone(),
        None => return refused("conflict"),
    };
    let change = change(&commit, &parent, &by);
    let tree = match repository.merge_tree_from(Some(&change.base), &head, &change.theirs) {
        Ok(tree) => tree,
        Err(GitError::Conflict { .. }) => return refused("conflict"),
        Err(error) => return Err(error.into()),
    };
    if repository
        .commit(&head)?
        .is_some_and(|head| head.tree == tree)
    {
        return refused("empty");
    }
    if ctx.boolean("dry_run") == Some(true) {
        return Ok(Response::ok(&json!({ "dry_run": "success" })));
    }
    let new = repository.commit_tree(&tree, &[&head], &change.message, &change.author, &by)?;
    let update = RefUpdate {
        name,
        old: Some(head),
        new: Some(new.clone()),
    };
    push::move_ref(ctx.shared, project, user, update, Vec::new())?;
    let made = repository.commit(&new)?.ok_or_else(ApiError::internal)?;
    Ok(Response::created(&commit_entity::basic(
        &project_url(ctx),
        &made,
    )))
}
