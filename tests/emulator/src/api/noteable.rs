//! The issue or merge request a path names, for the families that both have: notes, threads, events, emoji.

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::issuables;
use crate::store::State;
use crate::store::notes::Noteable;

/// The issue or merge request of the path, if the caller may read it.
pub(super) fn find(ctx: &Ctx<'_>) -> Result<Noteable, ApiError> {
    let state = ctx.state();
    let found = named(ctx, &state)?;
    let (noteable, what) = match found {
        (Some(noteable), what) => (noteable, what),
        (None, what) => return Err(ApiError::not_found(what)),
    };
    let user = ctx.caller.user();
    let readable = match noteable {
        Noteable::Issue(_) => issuables::may_read(&state, user, noteable),
        Noteable::MergeRequest(_) => access::may_read_code(&state, user, ctx.project()),
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
