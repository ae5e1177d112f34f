//! Estimates and time spent on issues and merge requests.

use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::issuables;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, get, post, string};
use crate::store::notes::Noteable;
use crate::time_tracking as times;

use super::noteable;

const READER: Guard = Guard::ProjectReader;
const DURATION: &[Param] = &[string("duration").required()];
const SPENT: &[Param] = &[string("duration").required(), string("summary")];

pub(super) const ROUTES: &[Route] = &[
    post(
        "projects/:id/issues/:noteable_iid/time_estimate",
        READER,
        estimate,
    )
    .params(DURATION),
    post(
        "projects/:id/issues/:noteable_iid/reset_time_estimate",
        READER,
        reset_estimate,
    ),
    post(
        "projects/:id/issues/:noteable_iid/add_spent_time",
        READER,
        spend,
    )
    .params(SPENT),
    post(
        "projects/:id/issues/:noteable_iid/reset_spent_time",
        READER,
        reset_spent,
    ),
    get(
        "projects/:id/issues/:noteable_iid/time_stats",
        READER,
        stats,
    ),
    post(
        "projects/:id/merge_requests/:noteable_iid/time_estimate",
        READER,
        estimate,
    )
    .params(DURATION),
    post(
        "projects/:id/merge_requests/:noteable_iid/reset_time_estimate",
        READER,
        reset_estimate,
    ),
    post(
        "projects/:id/merge_requests/:noteable_iid/add_spent_time",
        READER,
        spend,
    )
    .params(SPENT),
    post(
        "projects/:id/merge_requests/:noteable_iid/reset_spent_time",
        READER,
        reset_spent,
    ),
    get(
        "projects/:id/merge_requests/:noteable_iid/time_stats",
        READER,
        stats,
    ),
];

/// The user and the thing, if the one may administer the other.
fn administered(ctx: &Ctx<'_>) -> Result<(u64, Noteable), ApiError> {
    let user = ctx.user()?;
    let noteable = noteable::find_plain(ctx)?;
    let may = issuables::may_administer(&ctx.state(), user, noteable);
    may.then_some((user, noteable))
        .ok_or_else(ApiError::forbidden)
}

fn estimate(ctx: &Ctx<'_>) -> Answer {
    let (user, noteable) = administered(ctx)?;
    let seconds = times::parse(ctx.string("duration").unwrap_or_default());
    let Some(seconds) = seconds.filter(|seconds| *seconds >= 0) else {
        let text = "Time estimate must have a valid format and be greater than or equal to zero.";
        return Err(ApiError::bad_request(text));
    };
    times::set_estimate(&mut ctx.state(), noteable, seconds, user, ctx.now());
    stats(ctx)
}

fn reset_estimate(ctx: &Ctx<'_>) -> Answer {
    let (user, noteable) = administered(ctx)?;
    times::set_estimate(&mut ctx.state(), noteable, 0, user, ctx.now());
    stats(ctx)
}

fn spend(ctx: &Ctx<'_>) -> Answer {
    let (user, noteable) = administered(ctx)?;
    let mut invalid = Invalid::default();
    let seconds = times::parse(ctx.string("duration").unwrap_or_default());
    match seconds.filter(|seconds| *seconds != 0) {
        None => invalid.add("timelogs.time_spent", "can't be blank"),
        Some(seconds) => {
            let summary = ctx.string("summary");
            let mut state = ctx.state();
            if !times::spend(
                &mut state,
                noteable,
                (seconds, None),
                summary,
                user,
                ctx.now(),
            ) {
                invalid.add("base", "Time to subtract exceeds the total time spent");
            }
        }
    }
    invalid.check()?;
    Ok(Response {
        status: 201,
        ..stats(ctx)?
    })
}

fn reset_spent(ctx: &Ctx<'_>) -> Answer {
    let (user, noteable) = administered(ctx)?;
    times::reset_spent(&mut ctx.state(), noteable, user, ctx.now());
    stats(ctx)
}

fn stats(ctx: &Ctx<'_>) -> Answer {
    let noteable = noteable::find_plain(ctx)?;
    Ok(Response::ok(&times::stats(&ctx.state(), noteable)))
}
