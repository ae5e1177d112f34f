//! Text in Markdown as HTML.

use serde_json::json;

use crate::ctx::Ctx;
use crate::html;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, post, string};

pub(super) const ROUTES: &[Route] = &[post("markdown", Guard::Open, render).params(&[
    string("text").required(),
    boolean("gfm"),
    string("project"),
])];

/// A project is only checked: references are not made into links here.
fn render(ctx: &Ctx<'_>) -> Answer {
    if let Some(project) = ctx.string("project") {
        ctx.find_project(project)?;
    }
    let html = html::rendered(ctx.string("text").unwrap_or_default());
    Ok(Response::created(&json!({ "html": html })))
}
