//! Merging and rebasing through the API.

use serde_json::json;

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::faults::BEFORE_MERGE;
use crate::issuables;
use crate::merge_requests::auto_merge;
use crate::merge_requests::checks::{self, Verdict, is_in_progress};
use crate::merge_requests::merging::{self, MergeError, Wish};
use crate::merge_requests::rebasing::{self, Refusal};
use crate::message::Response;
use crate::push::NO_PIPELINE;
use crate::router::{Answer, Guard, Route, boolean, get, post, put, string};
use crate::store::merge_requests::{AutoMerge, MergeRequest};
use crate::store::notes::Noteable;
use crate::versions::{self, Feature};

use super::merge_requests::{find, shown};

const READER: Guard = Guard::ProjectReader;

pub(super) const ROUTES: &[Route] = &[
    put(
        "projects/:id/merge_requests/:merge_request_iid/merge",
        READER,
        merge,
    )
    .params(&[
        string("sha"),
        boolean("squash"),
        boolean("should_remove_source_branch"),
        string("merge_commit_message"),
        string("squash_commit_message"),
        boolean("auto_merge"),
        boolean("merge_when_pipeline_succeeds"),
    ]),
    post(
        "projects/:id/merge_requests/:merge_request_iid/cancel_merge_when_pipeline_succeeds",
        READER,
        cancel,
    ),
    put(
        "projects/:id/merge_requests/:merge_request_iid/rebase",
        READER,
        rebase,
    )
    .params(&[boolean("skip_ci")]),
    get(
        "projects/:id/merge_requests/:merge_request_iid/merge_ref",
        READER,
        merge_ref,
    ),
];

fn not_allowed() -> ApiError {
    ApiError::message(405, "405 Method Not Allowed")
}

fn merge(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let row = find(ctx)?;
    if !access::may_update(&ctx.state(), user, row.project_id, &row.target_branch) {
        return Err(ApiError::unauthorized());
    }
    if ctx.string("sha").is_some_and(|sha| sha != row.sha) {
        let text = format!("SHA does not match HEAD of source branch: {}", row.sha);
        return Err(ApiError::message(409, text));
    }
    let (verdict, waits, option) = {
        let state = ctx.state();
        let pipelines = ctx.shared.pipelines.as_ref();
        let pipeline = checks::pipeline_of_head(pipelines, &state, &row);
        let project = state.projects.get(row.project_id);
        (
            checks::verdict(pipelines, &state, ctx.now(), &row),
            pipeline.is_some_and(|pipeline| is_in_progress(&pipeline.status)),
            project.map(|project| project.settings.squash_option.clone()),
        )
    };
    let wish = Wish {
        squash: match option.as_deref() {
            Some("always") => true,
            Some("never") => false,
            Some(_) | None => ctx.boolean("squash").unwrap_or(row.squash),
        },
        should_remove_source_branch: ctx.boolean("should_remove_source_branch"),
        merge_commit_message: ctx.string("merge_commit_message").map(str::to_owned),
        squash_commit_message: ctx.string("squash_commit_message").map(str::to_owned),
    };
    let auto = ctx.boolean("auto_merge") == Some(true)
        || ctx.boolean("merge_when_pipeline_succeeds") == Some(true);
    let may_wait = if versions::has(ctx.shared.version, Feature::AutoMergeWaitsForChecks) {
        verdict.can_be_waited_for() && (waits || verdict != Verdict::Mergeable)
    } else {
        waits && matches!(verdict, Verdict::CiStillRunning | Verdict::Mergeable)
    };
    if auto && may_wait {
        wait(ctx, user, &row, wish)?;
        return Ok(Response::ok(&shown(ctx, row.id)?));
    }
    if verdict != Verdict::Mergeable {
        return Err(not_allowed());
    }
    ctx.shared.faults.at_point(BEFORE_MERGE);
    match merging::merge(ctx.shared, user, row.project_id, row.iid, &wish) {
        Ok(()) => Ok(Response::ok(&shown(ctx, row.id)?)),
        Err(MergeError::NotOpen) => Err(not_allowed()),
        Err(MergeError::Failed) => Err(ApiError::message(422, "Branch cannot be merged")),
    }
}

fn wait(ctx: &Ctx<'_>, user: u64, row: &MergeRequest, wish: Wish) -> Result<(), ApiError> {
    let wish = AutoMerge {
        user_id: user,
        sha: row.sha.clone(),
        squash: wish.squash,
        should_remove_source_branch: wish.should_remove_source_branch,
        merge_commit_message: wish.merge_commit_message,
        squash_commit_message: wish.squash_commit_message,
    };
    if auto_merge::set(ctx.shared, row.id, wish) {
        Ok(())
    } else {
        Err(not_allowed())
    }
}

fn cancel(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let row = find(ctx)?;
    let allowed = access::may_update(&ctx.state(), user, row.project_id, &row.target_branch);
    if !allowed && row.author_id != user {
        return Err(ApiError::unauthorized());
    }
    {
        let mut state = ctx.state();
        let found = state.merge_requests.get_mut(row.id);
        let waiting = found
            .filter(|row| row.is_open())
            .and_then(|row| row.auto_merge.take());
        if waiting.is_none() {
            return Err(ApiError::message(406, "Can't cancel the automatic merge"));
        }
        let text = "canceled the automatic merge";
        issuables::add_system_note(
            &mut state,
            Noteable::MergeRequest(row.id),
            user,
            ctx.now(),
            text,
        );
    }
    Ok(Response::created(&json!({ "status": "success" })))
}

fn rebase(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let row = find(ctx)?;
    let options = match ctx.boolean("skip_ci") {
        Some(true) => vec![NO_PIPELINE.to_owned()],
        Some(false) | None => Vec::new(),
    };
    let forbidden = |reason: &str| Err(ApiError::forbidden_because(reason));
    match rebasing::start(ctx.shared, user, row.project_id, row.iid, options) {
        Ok(()) => {}
        Err(Refusal::NoSourceBranch) => return forbidden("Source branch does not exist"),
        Err(Refusal::CannotPush) => return forbidden("Cannot push to source branch"),
        Err(Refusal::CannotForcePush) => {
            return forbidden("Source branch is protected from force push");
        }
        Err(Refusal::Busy) => return Err(ApiError::conflict("Resource lock")),
    }
    let running = {
        let state = ctx.state();
        let row = state.merge_requests.get(row.id);
        row.is_some_and(|row| row.rebase_in_progress)
    };
    Ok(Response::json(
        202,
        &json!({ "rebase_in_progress": running }),
    ))
}

/// Merges the two branches into `refs/merge-requests/:iid/merge`; the same heads give the same commit.
fn merge_ref(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    let refused = |text: &str| Err(ApiError::message(400, text));
    let repository = ctx.shared.repository(row.project_id);
    let target = repository.resolve(&format!("refs/heads/{}", row.target_branch))?;
    let Some(target) = target.filter(|_| row.is_open()) else {
        return refused("Merge request is not mergeable");
    };
    let name = format!("refs/merge-requests/{}/merge", row.iid);
    if let Some(known) = repository.commit(&name)?
        && known.parents == [target.clone(), row.sha.clone()]
    {
        return Ok(Response::ok(&json!({ "commit_id": known.id })));
    }
    let tree = match repository.merge_tree(&target, &row.sha) {
        Ok(tree) => tree,
        Err(crate::git::GitError::Conflict { .. }) => {
            return refused("Merge request is not mergeable");
        }
        Err(error) => return Err(error.into()),
    };
    let by = ctx.state().identity(row.author_id, ctx.now());
    let message = format!("Merge {} into {target}", row.sha);
    let commit = repository.commit_tree(&tree, &[&target, &row.sha], &message, &by, &by)?;
    repository.set_ref(&name, &commit)?;
    Ok(Response::ok(&json!({ "commit_id": commit })))
}
