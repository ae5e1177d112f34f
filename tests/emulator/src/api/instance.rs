//! What administrators see and set for the whole instance: appearance, statistics, background jobs, OAuth applications.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, list, post, put, string};
use crate::secret;
use crate::store::instance::{Appearance, Application};

use super::overlay::overlaid;
use super::personal_access_tokens::SCOPES;

/// Fields of `Appearance`.
const APPEARANCE: &[Param] = &[
    string("title"),
    string("description"),
    string("pwa_name"),
    string("pwa_short_name"),
    string("pwa_description"),
    string("member_guidelines"),
    string("new_project_guidelines"),
    string("profile_image_guidelines"),
    string("header_message"),
    string("footer_message"),
    string("message_background_color"),
    string("message_font_color"),
    boolean("email_header_and_footer_enabled"),
];

pub(super) const ROUTES: &[Route] = &[
    get("application/appearance", Guard::Admin, appearance),
    put("application/appearance", Guard::Admin, set_appearance)
        .refuses(&["favicon", "header_logo", "logo", "pwa_icon"])
        .params(APPEARANCE),
    get("application/statistics", Guard::Admin, statistics),
    get("applications", Guard::Admin, applications),
    post("applications", Guard::Admin, add_application).params(&[
        string("name").required(),
        string("redirect_uri").required(),
        list("scopes").required(),
        boolean("confidential"),
    ]),
    post("applications/:id/renew-secret", Guard::Admin, renew_secret),
    delete("applications/:id", Guard::Admin, remove_application),
    get("sidekiq/queue_metrics", Guard::Admin, queue_metrics),
    get("sidekiq/process_metrics", Guard::Admin, process_metrics),
    get("sidekiq/job_stats", Guard::Admin, job_stats),
    get("sidekiq/compound_metrics", Guard::Admin, compound_metrics),
];

fn appearance(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&appearance_entity(
        &ctx.state().instance.appearance,
    )))
}

fn set_appearance(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let changed = overlaid(ctx, &state.instance.appearance, APPEARANCE)?;
    let mut invalid = Invalid::default();
    for (name, color) in [
        (
            "message_background_color",
            &changed.message_background_color,
        ),
        ("message_font_color", &changed.message_font_color),
    ] {
        if color.as_ref().is_some_and(|color| !color.starts_with('#')) {
            invalid.add(name, "must be a valid color code");
        }
    }
    invalid.check()?;
    state.instance.appearance = changed;
    Ok(Response::ok(&appearance_entity(&state.instance.appearance)))
}

fn appearance_entity(appearance: &Appearance) -> Value {
    let mut body = json!(appearance);
    for picture in ["logo", "pwa_icon", "header_logo", "favicon"] {
        body[picture] = Value::Null;
    }
    for (name, default) in [
        ("message_background_color", "#E75E40"),
        ("message_font_color", "#FFFFFF"),
    ] {
        if body[name].is_null() {
            body[name] = json!(default);
        }
    }
    body
}

/// Numbers as text, as GitLab writes them for people.
fn statistics(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let active = state.users.iter().filter(|user| user.state == "active");
    let forks = state
        .projects
        .iter()
        .filter(|project| project.forked_from.is_some());
    let text = |count: usize| json!(count.to_string());
    Ok(Response::ok(&json!({
        "forks": text(forks.count()),
        "issues": text(state.issues.iter().count()),
        "merge_requests": text(state.merge_requests.iter().count()),
        "notes": text(state.notes.iter().count()),
        "snippets": "0",
        "ssh_keys": text(state.belongings.ssh_keys.iter().count()),
        "milestones": text(state.milestones.iter().count()),
        "users": text(state.users.iter().count()),
        "projects": text(state.projects.iter().count()),
        "groups": text(state.groups.iter().count()),
        "active_users": text(active.count()),
    })))
}

fn applications(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let all: Value = state.instance.applications.iter().map(entity).collect();
    Ok(Response::ok(&all))
}

fn add_application(ctx: &Ctx<'_>) -> Answer {
    let text = |name: &str| ctx.string(name).unwrap_or_default().to_owned();
    let scopes: Vec<String> = ctx
        .list("scopes")
        .unwrap_or_default()
        .iter()
        .flat_map(|scopes| scopes.split_whitespace())
        .map(str::to_owned)
        .collect();
    let mut invalid = Invalid::default();
    let known = |scope: &String| {
        SCOPES.contains(&scope.as_str()) || matches!(scope.as_str(), "openid" | "profile" | "email")
    };
    if scopes.is_empty() {
        invalid.add("scopes", "can't be blank");
    } else if !scopes.iter().all(known) {
        invalid.add("scopes", "doesn't match configured on the server.");
    }
    if !text("redirect_uri").contains("://") {
        invalid.add("redirect_uri", "must be an absolute URI.");
    }
    invalid.check()?;
    let mut state = ctx.state();
    let rows = &mut state.instance.applications;
    let id = rows.insert(|id| Application {
        id,
        uid: secret::fresh(""),
        secret: secret::fresh("gloas-"),
        name: text("name"),
        redirect_uri: text("redirect_uri"),
        scopes,
        confidential: ctx.boolean("confidential").unwrap_or(true),
    });
    let row = rows.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&with_secret(row)))
}

fn renew_secret(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.path_number("id")?;
    let mut state = ctx.state();
    let row = state.instance.applications.get_mut(id);
    let row = row.ok_or_else(|| ApiError::not_found("Application"))?;
    row.secret = secret::fresh("gloas-");
    Ok(Response::created(&with_secret(row)))
}

fn remove_application(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.path_number("id")?;
    match ctx.state().instance.applications.remove(id) {
        Some(_) => Ok(Response::no_content()),
        None => Err(ApiError::not_found("Application")),
    }
}

fn entity(row: &Application) -> Value {
    json!({
        "id": row.id,
        "application_id": row.uid,
        "application_name": row.name,
        "callback_url": row.redirect_uri,
        "confidential": row.confidential,
        "scopes": row.scopes,
    })
}

/// The secret is seen once.
fn with_secret(row: &Application) -> Value {
    let mut body = entity(row);
    body["secret"] = json!(row.secret);
    body
}

fn queue_metrics(_: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&json!({ "queues": queues() })))
}

fn process_metrics(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&json!({ "processes": processes(ctx) })))
}

fn job_stats(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&json!({ "jobs": stats(ctx) })))
}

fn compound_metrics(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&json!({
        "queues": queues(),
        "processes": processes(ctx),
        "jobs": stats(ctx),
    })))
}

fn queues() -> Value {
    let idle = json!({ "backlog": 0, "latency": 0 });
    json!({ "default": idle, "mailers": idle })
}

fn processes(ctx: &Ctx<'_>) -> Value {
    json!([{
        "hostname": "localhost",
        "pid": 1,
        "tag": "sandbox",
        "started_at": clock::iso(ctx.now()),
        "queues": ["default", "mailers"],
        "labels": [],
        "concurrency": 1,
        "busy": 0,
    }])
}

fn stats(ctx: &Ctx<'_>) -> Value {
    json!({
        "processed": ctx.request.number,
        "failed": 0,
        "enqueued": 0,
        "dead": 0,
    })
}
