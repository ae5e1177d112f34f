//! GPG keys of users; stored as they are, signatures are not checked with them.

use serde_json::{Value, json};

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, post, string};
use crate::store::State;
use crate::store::belongings::GpgKey;

use super::user_emails::subject;

const KEY: &[Param] = &[string("key").required()];
const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

pub(super) const ROUTES: &[Route] = &[
    get("user/gpg_keys", Guard::User, index).paginated(),
    get("user/gpg_keys/:key_id", Guard::User, show),
    post("user/gpg_keys", Guard::User, create).params(KEY),
    post("user/gpg_keys/:key_id/revoke", Guard::User, revoke),
    delete("user/gpg_keys/:key_id", Guard::User, destroy),
    get("users/:id/gpg_keys", Guard::Open, index).paginated(),
    get("users/:id/gpg_keys/:key_id", Guard::Open, show),
    post("users/:id/gpg_keys", Guard::Admin, create).params(KEY),
    post("users/:id/gpg_keys/:key_id/revoke", Guard::Admin, revoke),
    delete("users/:id/gpg_keys/:key_id", Guard::Admin, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let user = subject(ctx, &state)?;
    let own = state.belongings.gpg_keys.iter();
    ctx.page(own.filter(|row| row.user_id == user), entity)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let user = subject(ctx, &state)?;
    let key = ctx.string("key").unwrap_or_default().trim().to_owned();
    let mut invalid = Invalid::default();
    if !key.starts_with(BEGIN) || !key.ends_with(END) {
        invalid.add(
            "key",
            format!(
                "is invalid. A valid public GPG key begins with '{BEGIN}' and ends with '{END}'"
            ),
        );
    } else if state.belongings.gpg_keys.iter().any(|row| row.key == key) {
        invalid.add("key", "has already been taken");
        invalid.add("fingerprint", "has already been taken");
    }
    invalid.check()?;
    let id = state.belongings.gpg_keys.insert(|id| GpgKey {
        id,
        user_id: user,
        key,
        created_at: ctx.now(),
    });
    let row = state.belongings.gpg_keys.get(id);
    Ok(Response::created(&entity(
        row.ok_or_else(ApiError::internal)?,
    )))
}

fn revoke(ctx: &Ctx<'_>) -> Answer {
    remove(ctx)?;
    Ok(Response::json(202, &json!({ "message": "202 Accepted" })))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    remove(ctx)?;
    Ok(Response::no_content())
}

fn remove(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.belongings.gpg_keys.remove(id);
    Ok(())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a GpgKey, ApiError> {
    let user = subject(ctx, state)?;
    let row = state.belongings.gpg_keys.get(ctx.path_number("key_id")?);
    row.filter(|row| row.user_id == user)
        .ok_or_else(|| ApiError::not_found("GPG Key"))
}

fn entity(row: &GpgKey) -> Value {
    json!({ "id": row.id, "key": row.key, "created_at": clock::iso(row.created_at) })
}
