//! The issue or merge request a path names, for the families that both have: notes, threads, events, emoji.

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::store::State;
use crate::store::notes::Noteable;

/// The issue or merge request of the path, if the caller may read it.
pub(super) fn find(ctx: &Ctx<'_>) -> Result<Noteable, ApiError> {
    if ctx.request.segments.get(4).map(String::as_str) == Some("repository") {
        return commit(ctx);
    }
    let state = ctx.state();
    let found = named(ctx, &state)?;
    let (noteable, what) = match found {
        (Some(noteable), what) => (noteable, what),
        (None, what) => return Err(ApiError::not_found(what)),
    };
    let user = ctx.caller.user();
    let readable = match noteable {
        Noteable::Issue(_) => issuables::may_read(&state, user, noteable),
        Noteable::MergeRequest(_) | Noteable::Commit(_) => {
            access::may_read_code(&state, user, ctx.project())
        }
    };
    readable
        .then_some(noteable)
        .ok_or_else(|| ApiError::not_found(what))
}

/// The same for families whose `404` names no object.
pub(super) fn find_plain(ctx: &Ctx<'_>) -> Result<Noteable, ApiError> {
    find(ctx).map_err(|error| match error.status {
        404 => ApiError::not_found_plain(),
        _ => error,
    })
}

/// The commit of the path as something that can have notes.
fn commit(ctx: &Ctx<'_>) -> Result<Noteable, ApiError> {
    let missing = || ApiError::not_found("Commit");
    let readable = access::may_read_code(&ctx.state(), ctx.caller.user(), ctx.project());
    readable.then_some(()).ok_or_else(missing)?;
    let repository = ctx.shared.repository(ctx.project());
    let sha = repository.resolve(ctx.path("noteable_iid"))?;
    let sha = sha.ok_or_else(missing)?;
    Ok(ctx.state().commit_noteable(ctx.project(), &sha))
}

fn named(ctx: &Ctx<'_>, state: &State) -> Result<(Option<Noteable>, &'static str), ApiError> {
    let iid = ctx.path_number("noteable_iid")?;
    // `api`, `v4`, `projects`, the project, then the kind.
    let kind = ctx.request.segments.get(4).map(String::as_str);
    Ok(match kind {
        Some("issues") => {
            let issue = state.issue(ctx.project(), iid);
            (issue.map(|issue| Noteable::Issue(issue.id)), "Issue")
        }
        Some(_) | None => {
            let row = state.merge_request(ctx.project(), iid);
            (
                row.map(|row| Noteable::MergeRequest(row.id)),
                "MergeRequest",
            )
        }
    })
}
