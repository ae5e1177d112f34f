//! SSH keys of users, and the look-up of any key by number or fingerprint.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, one_of, post, string};
use crate::store::State;
use crate::store::belongings::SshKey;

use super::user_emails::subject;
use super::{deploy_keys, user_entity};

const CREATE: &[Param] = &[
    string("key").required(),
    string("title").required(),
    string("expires_at"),
    one_of("usage_type", &["auth", "signing", "auth_and_signing"]),
];
const TYPES: &[&str] = &[
    "ssh-rsa",
    "ssh-dss",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

pub(super) const ROUTES: &[Route] = &[
    get("user/keys", Guard::User, index).paginated(),
    get("user/keys/:key_id", Guard::User, show),
    post("user/keys", Guard::User, create).params(CREATE),
    delete("user/keys/:key_id", Guard::User, destroy),
    get("users/:user_id/keys", Guard::Open, index_of_name).paginated(),
    get("users/:id/keys/:key_id", Guard::Open, show),
    post("users/:id/keys", Guard::Admin, create).params(CREATE),
    delete("users/:id/keys/:key_id", Guard::Admin, destroy),
    get("keys", Guard::Admin, by_fingerprint).params(&[string("fingerprint").required()]),
    get("keys/:key_id", Guard::Admin, by_id),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = subject(ctx, &state)?;
    page(ctx, &state, user)
}

/// Here the user may also be given by name.
fn index_of_name(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = named_user(ctx, &state)?;
    page(ctx, &state, user)
}

fn page(ctx: &Ctx<'_>, state: &State, user: u64) -> Answer {
    let own = state.belongings.ssh_keys.iter();
    ctx.page(own.filter(|row| row.user_id == user), |row| {
        entity(ctx, state, row)
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(ctx, &state, find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let expires_at = ctx.instant("expires_at")?;
    let mut state = ctx.state();
    let user = subject(ctx, &state)?;
    let key = ctx.string("key").unwrap_or_default().trim().to_owned();
    let title = ctx.string("title").unwrap_or_default().to_owned();
    problems(&state, &key, &title).check()?;
    let usage_type = ctx.string("usage_type").unwrap_or("auth_and_signing");
    let id = state.belongings.next_key_id();
    state.belongings.ssh_keys.put(id, |id| SshKey {
        id,
        user_id: user,
        title,
        key,
        usage_type: usage_type.to_owned(),
        created_at: ctx.now(),
        expires_at,
    });
    let row = state.belongings.ssh_keys.get(id);
    let body = entity(ctx, &state, row.ok_or_else(ApiError::internal)?);
    Ok(Response::created(&body))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.belongings.ssh_keys.remove(id);
    Ok(Response::no_content())
}

fn by_id(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.path_number("key_id")?;
    let state = ctx.state();
    let row = state.belongings.ssh_keys.get(id);
    let body = row.map(|row| with_user(ctx, &state, row));
    Ok(Response::ok(
        &body.ok_or_else(|| ApiError::message(404, "404 Not found"))?,
    ))
}

fn by_fingerprint(ctx: &Ctx<'_>) -> Answer {
    let wanted = ctx.string("fingerprint").unwrap_or_default();
    if !wanted.contains(':') {
        return Err(ApiError::bad_request(
            "Failed to return the key: Invalid fingerprint",
        ));
    }
    let state = ctx.state();
    let fits = |key: &str| fingerprint(key).as_deref() == Some(wanted);
    let own = state
        .belongings
        .ssh_keys
        .iter()
        .find(|row| fits(&row.key))
        .map(|row| with_user(ctx, &state, row));
    let deploy = || {
        let row = state
            .belongings
            .deploy_keys
            .iter()
            .find(|row| fits(&row.key));
        row.map(|row| deploy_keys::with_projects(&state, row))
    };
    let body = own.or_else(deploy);
    Ok(Response::ok(
        &body.ok_or_else(|| ApiError::not_found("Key"))?,
    ))
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a SshKey, ApiError> {
    let user = subject(ctx, state)?;
    let row = state.belongings.ssh_keys.get(ctx.path_number("key_id")?);
    row.filter(|row| row.user_id == user)
        .ok_or_else(|| ApiError::not_found("Key"))
}

/// What is wrong with a new key, be it a user's or a deploy key.
pub(super) fn problems(state: &State, key: &str, title: &str) -> Invalid {
    let mut invalid = Invalid::default();
    if title.is_empty() {
        invalid.add("title", "can't be blank");
    }
    match fingerprint(key) {
        None => {
            invalid.add("key", "is invalid");
            invalid.add("fingerprint_sha256", "cannot be generated");
        }
        Some(own) => {
            let users = state.belongings.ssh_keys.iter().map(|row| &row.key);
            let deploy = state.belongings.deploy_keys.iter().map(|row| &row.key);
            let mut others = users.chain(deploy);
            if others.any(|other| fingerprint(other).as_ref() == Some(&own)) {
                invalid.add("fingerprint_sha256", "has already been taken");
            }
        }
    }
    invalid
}

/// `SHA256:...` of a public key, as `ssh-keygen -l` prints it.
pub(super) fn fingerprint(key: &str) -> Option<String> {
    let mut parts = key.split_whitespace();
    parts.next().filter(|kind| TYPES.contains(kind))?;
    let blob = STANDARD.decode(parts.next()?).ok()?;
    let digest = STANDARD_NO_PAD.encode(Sha256::digest(blob));
    Some(format!("SHA256:{digest}"))
}

/// The key with the user's name and the host in place of its comment.
fn publishable(ctx: &Ctx<'_>, key: &str, owner: Option<&str>) -> String {
    let parts: Vec<&str> = key.split_whitespace().take(2).collect();
    let address = ctx.url().trim_start_matches("http://");
    let host = address.split(':').next().unwrap_or_default();
    match owner {
        Some(owner) => format!("{} {owner} ({host})", parts.join(" ")),
        None => parts.join(" "),
    }
}

fn entity(ctx: &Ctx<'_>, state: &State, row: &SshKey) -> Value {
    let owner = state.users.get(row.user_id).map(|user| user.name.as_str());
    json!({
        "id": row.id,
        "title": row.title,
        "created_at": clock::iso(row.created_at),
        "expires_at": row.expires_at.map(clock::iso),
        "last_used_at": Value::Null,
        "key": publishable(ctx, &row.key, owner),
        "usage_type": row.usage_type,
    })
}

fn with_user(ctx: &Ctx<'_>, state: &State, row: &SshKey) -> Value {
    let mut body = entity(ctx, state, row);
    body["user"] = state.users.get(row.user_id).map_or(Value::Null, |user| {
        user_entity::private(state, user, ctx.url())
    });
    body
}

/// A user by number or name, as some paths allow.
pub(super) fn named_user(ctx: &Ctx<'_>, state: &State) -> Result<u64, ApiError> {
    let wish = ctx.path("user_id");
    let user = wish.parse().ok().and_then(|id| state.users.get(id));
    let user = user.or_else(|| state.user_named(wish));
    Ok(user.ok_or_else(|| ApiError::not_found("User"))?.id)
}
