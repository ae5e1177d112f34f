//! What all families of access tokens have in common: filters of their lists, and rotation.

use jiff::{Span, Timestamp};

use crate::auth;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::router::{Param, boolean, one_of, string};
use crate::secret;
use crate::store::State;
use crate::store::tokens::Token;

use super::personal_access_tokens::date;

/// The parameters of a list of tokens.
pub(super) const FILTERS: &[Param] = &[
    one_of("state", &["active", "inactive"]),
    boolean("revoked"),
    string("search"),
    string("created_after"),
    string("created_before"),
    string("last_used_after"),
    string("last_used_before"),
    string("expires_after"),
    string("expires_before"),
    one_of(
        "sort",
        &[
            "created_asc",
            "created_desc",
            "expires_asc",
            "expires_desc",
            "last_used_asc",
            "last_used_desc",
            "name_asc",
            "name_desc",
        ],
    ),
];

/// The tokens that pass the filters, in the order asked for.
pub(super) fn filtered<'a>(
    ctx: &Ctx<'_>,
    tokens: impl Iterator<Item = &'a Token>,
) -> Result<Vec<&'a Token>, ApiError> {
    let bounds = |after: &str, before: &str| -> Result<_, ApiError> {
        Ok((ctx.instant(after)?, ctx.instant(before)?))
    };
    let created = bounds("created_after", "created_before")?;
    let used = bounds("last_used_after", "last_used_before")?;
    let (expires_after, expires_before) =
        (date(ctx, "expires_after")?, date(ctx, "expires_before")?);
    let within = |(after, before): (Option<Timestamp>, Option<Timestamp>),
                  at: Option<Timestamp>| {
        after.is_none_or(|after| at >= Some(after))
            && before.is_none_or(|before| at.is_some_and(|at| at <= before))
    };
    let search = ctx.string("search").unwrap_or_default().to_lowercase();
    let active = |token: &Token| !token.revoked && !auth::is_expired(token, ctx.now());
    let wanted = |token: &&Token| {
        ctx.string("state")
            .is_none_or(|wanted| active(token) == (wanted == "active"))
            && ctx
                .boolean("revoked")
                .is_none_or(|revoked| token.revoked == revoked)
            && token.name.to_lowercase().contains(&search)
            && within(created, Some(token.created_at))
            && within(used, token.last_used_at)
            && expires_after.is_none_or(|after| token.expires_at >= Some(after))
            && expires_before.is_none_or(|before| token.expires_at.is_some_and(|day| day <= before))
    };
    let mut found: Vec<&Token> = tokens.filter(wanted).collect();
    let sort = ctx.string("sort").unwrap_or_default();
    if sort.starts_with("expires") {
        found.sort_by_key(|token| token.expires_at);
    } else if sort.starts_with("last_used") {
        found.sort_by_key(|token| token.last_used_at);
    } else if sort.starts_with("name") {
        found.sort_by_key(|token| token.name.to_lowercase());
    }
    if sort.ends_with("_desc") {
        found.reverse();
    }
    Ok(found)
}

/// Revokes a token and makes one like it, for a week if no day is asked for; the new id.
pub(super) fn rotated(ctx: &Ctx<'_>, state: &mut State, id: u64) -> Result<u64, ApiError> {
    let in_a_week = clock::day(ctx.now()).saturating_add(Span::new().days(7));
    let expires_at = date(ctx, "expires_at")?.unwrap_or(in_a_week);
    let old = state.tokens.get_mut(id).ok_or_else(ApiError::internal)?;
    if old.revoked {
        return Err(ApiError::bad_request("Token already revoked"));
    }
    old.revoked = true;
    let old = old.clone();
    Ok(state.tokens.insert(|id| Token {
        id,
        secret: secret::fresh("glpat-"),
        created_at: ctx.now(),
        expires_at: Some(expires_at),
        revoked: false,
        last_used_at: None,
        ..old
    }))
}
