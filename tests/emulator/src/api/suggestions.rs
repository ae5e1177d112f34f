//! Applying the suggestions of diff notes.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, integers, put, string};
use crate::store::State;
use crate::store::notes::Suggestion;
use crate::suggestions::{self, Refusal};

pub(super) const ROUTES: &[Route] = &[
    put("suggestions/:id/apply", Guard::User, apply).params(&[string("commit_message")]),
    put("suggestions/batch_apply", Guard::User, apply_all)
        .params(&[integers("ids").required(), string("commit_message")]),
];

fn apply(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.path("id").parse().unwrap_or(0);
    if ctx.state().suggestions.get(id).is_none() {
        let text = "Suggestion is not applicable as the suggestion was not found.";
        return Err(ApiError::message(404, text));
    }
    run(ctx, &[id])?;
    let state = ctx.state();
    let row = state.suggestions.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::ok(&entity(&state, row)))
}

fn apply_all(ctx: &Ctx<'_>) -> Answer {
    let ids = ctx.list_of_numbers("ids").unwrap_or_default();
    let known = {
        let state = ctx.state();
        ids.iter().all(|id| state.suggestions.get(*id).is_some())
    };
    if !known || ids.is_empty() {
        let text = "Suggestions are not applicable as one or more suggestions were not found.";
        return Err(ApiError::message(404, text));
    }
    run(ctx, &ids)?;
    let state = ctx.state();
    let rows = ids.iter().filter_map(|id| state.suggestions.get(*id));
    let rows: Vec<Value> = rows.map(|row| entity(&state, row)).collect();
    Ok(Response::ok(&json!(rows)))
}

fn run(ctx: &Ctx<'_>, ids: &[u64]) -> Result<(), ApiError> {
    let message = ctx.string("commit_message");
    suggestions::apply(ctx.shared, ctx.user()?, ids, message).map_err(|refusal| match refusal {
        Refusal::Forbidden => ApiError::forbidden(),
        Refusal::Because(text) => ApiError::message(400, text),
        Refusal::Git(error) => error.into(),
    })
}

/// A suggestion as the API writes it.
pub(super) fn entity(state: &State, row: &Suggestion) -> Value {
    json!({
        "id": row.id,
        "from_line": row.from_line,
        "to_line": row.to_line,
        "appliable": suggestions::obstacle(state, row).is_none(),
        "applied": row.applied,
        "from_content": row.from_content,
        "to_content": row.to_content,
    })
}
