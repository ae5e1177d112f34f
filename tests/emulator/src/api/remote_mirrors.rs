//! Remote mirrors of projects: kept and shown, nothing is pushed to them.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, one_of, post, put, string};
use crate::store::State;
use crate::store::pages::RemoteMirror;

use super::overlay::overlaid;

const GUARD: Guard = Guard::Project(Role::Maintainer);
const FIELDS: &[Param] = &[
    boolean("enabled"),
    one_of("auth_method", &["ssh_public_key", "password"]),
    boolean("keep_divergent_refs"),
    boolean("only_protected_branches"),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/remote_mirrors", GUARD, index).paginated(),
    get("projects/:id/remote_mirrors/:mirror_id", GUARD, show),
    post("projects/:id/remote_mirrors", GUARD, create)
        .params(&[string("url").required()])
        .also(FIELDS),
    put("projects/:id/remote_mirrors/:mirror_id", GUARD, update).params(FIELDS),
    delete("projects/:id/remote_mirrors/:mirror_id", GUARD, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state.remote_mirrors.iter();
    ctx.page(own.filter(|row| row.project_id == ctx.project()), entity)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&entity(find(ctx, &ctx.state())?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let url = ctx.string("url").unwrap_or_default().to_owned();
    let mut invalid = Invalid::default();
    let known = ["http://", "https://", "ssh://", "git://"];
    if !known.iter().any(|scheme| url.starts_with(scheme)) {
        invalid.add(
            "url",
            "is blocked: Only allowed schemes are http, https, ssh, git",
        );
    }
    invalid.check()?;
    let blank = RemoteMirror {
        id: 0,
        project_id: 0,
        url,
        enabled: false,
        auth_method: "password".to_owned(),
        keep_divergent_refs: None,
        only_protected_branches: false,
    };
    let mirror = overlaid(ctx, &blank, FIELDS)?;
    let mut state = ctx.state();
    let id = state.remote_mirrors.insert(|id| RemoteMirror {
        id,
        project_id: ctx.project(),
        ..mirror
    });
    let row = state.remote_mirrors.get(id);
    Ok(Response::created(&entity(
        row.ok_or_else(ApiError::internal)?,
    )))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let old = find(ctx, &state)?;
    let (id, project_id) = (old.id, old.project_id);
    let changed = overlaid(ctx, old, FIELDS)?;
    let row = state.remote_mirrors.get_mut(id);
    let row = row.ok_or_else(ApiError::internal)?;
    *row = RemoteMirror {
        project_id,
        ..changed
    };
    Ok(Response::ok(&entity(row)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.remote_mirrors.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a RemoteMirror, ApiError> {
    let row = state.remote_mirrors.get(ctx.path_number("mirror_id")?);
    row.filter(|row| row.project_id == ctx.project())
        .ok_or_else(ApiError::not_found_plain)
}

/// A name and password in the address are not shown.
fn entity(row: &RemoteMirror) -> Value {
    let mut body = json!(row);
    if let Some((scheme, rest)) = row.url.split_once("://")
        && let Some((_, host)) = rest.split_once('@')
    {
        body["url"] = json!(format!("{scheme}://*****:*****@{host}"));
    }
    for name in [
        "last_error",
        "last_successful_update_at",
        "last_update_at",
        "last_update_started_at",
    ] {
        body[name] = Value::Null;
    }
    body["update_status"] = json!("none");
    body["host_keys"] = json!([]);
    body
}
