//! Cutting lists into pages: by offset with totals, and by keyset.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::Answer;

const DEFAULT_PER_PAGE: usize = 20;
const MAX_PER_PAGE: usize = 100;
/// Above this many rows GitLab no longer counts.
const MAX_COUNTED: usize = 10_000;

/// One page by number, with GitLab's `x-*` and `link` headers.
pub(crate) fn offset<T>(
    ctx: &Ctx<'_>,
    items: impl IntoIterator<Item = T>,
    render: impl Fn(T) -> Value,
) -> Answer {
    let (page, per_page) = (
        positive(ctx, "page", 1)?,
        positive(ctx, "per_page", DEFAULT_PER_PAGE)?.min(MAX_PER_PAGE),
    );
    let items: Vec<T> = items.into_iter().collect();
    let total = items.len();
    let pages = total.div_ceil(per_page).max(1);
    let next = (page < pages).then_some(page + 1);
    let previous = (page > 1).then(|| page - 1);
    let body: Vec<Value> = items
        .into_iter()
        .skip((page - 1).saturating_mul(per_page))
        .take(per_page)
        .map(render)
        .collect();

    let mut links = Vec::new();
    let mut link = |page: Option<usize>, rel: &str| {
        if let Some(page) = page {
            let url = with_query(
                ctx,
                &[
                    ("page", &page.to_string()),
                    ("per_page", &per_page.to_string()),
                ],
            );
            links.push(format!("<{url}>; rel=\"{rel}\""));
        }
    };
    link(previous, "prev");
    link(next, "next");
    link(Some(1), "first");
    link((total <= MAX_COUNTED).then_some(pages), "last");

    let text = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    let response = Response::ok(&Value::from(body))
        .with("link", links.join(", "))
        .with("x-page", page.to_string())
        .with("x-per-page", per_page.to_string())
        .with("x-next-page", text(next))
        .with("x-prev-page", text(previous));
    if total > MAX_COUNTED {
        return Ok(response);
    }
    Ok(response
        .with("x-total", total.to_string())
        .with("x-total-pages", pages.to_string()))
}

/// One page by keyset over ids (`sort` gives the direction, descending by default); the next page is only in `link`.
pub(crate) fn keyset<T>(
    ctx: &Ctx<'_>,
    items: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> u64,
    render: impl Fn(T) -> Value,
) -> Answer {
    let per_page = positive(ctx, "per_page", DEFAULT_PER_PAGE)?.min(MAX_PER_PAGE);
    let ascending = ctx.string("sort") == Some("asc");
    let after = ctx.string("cursor").map(decoded_cursor).transpose()?;
    let mut rows: Vec<T> = items
        .into_iter()
        .filter(|row| {
            after.is_none_or(|after| {
                if ascending {
                    id(row) > after
                } else {
                    id(row) < after
                }
            })
        })
        .collect();
    rows.sort_by_key(|row| {
        if ascending {
            i128::from(id(row))
        } else {
            -i128::from(id(row))
        }
    });
    let more = rows.len() > per_page;
    rows.truncate(per_page);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| URL_SAFE_NO_PAD.encode(id(row).to_string()));
    let response = Response::ok(&rows.into_iter().map(render).collect());
    Ok(match next {
        Some(cursor) => response.with(
            "link",
            format!(
                "<{}>; rel=\"next\"",
                with_query(ctx, &[("cursor", &cursor)])
            ),
        ),
        None => response,
    })
}

/// One page by a token that names the last row of the page before; the next page is only in `link`.
pub(crate) fn by_token<T>(
    ctx: &Ctx<'_>,
    items: Vec<T>,
    token: impl Fn(&T) -> String,
    render: impl Fn(T) -> Value,
) -> Answer {
    let per_page = positive(ctx, "per_page", DEFAULT_PER_PAGE)?.min(MAX_PER_PAGE);
    let last = ctx.string("page_token").filter(|last| !last.is_empty());
    let start = match last {
        Some(last) => items.iter().position(|item| token(item) == last),
        None => None,
    };
    let mut rest: Vec<T> = items
        .into_iter()
        .skip(start.map_or(0, |at| at + 1))
        .collect();
    let more = rest.len() > per_page;
    rest.truncate(per_page);
    let next = rest.last().filter(|_| more).map(token);
    let response = Response::ok(&rest.into_iter().map(render).collect());
    Ok(match next {
        Some(next) => {
            let url = with_query(ctx, &[("page_token", &next)]);
            response.with("link", format!("<{url}>; rel=\"next\""))
        }
        None => response,
    })
}

fn decoded_cursor(cursor: &str) -> Result<u64, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let id = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.parse().ok());
    id.ok_or_else(|| ApiError::error(400, "cursor is invalid"))
}

fn positive(ctx: &Ctx<'_>, name: &str, default: usize) -> Result<usize, ApiError> {
    match ctx.integer(name) {
        None => Ok(default),
        Some(number) => usize::try_from(number)
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| ApiError::error(400, format!("{name} does not have a valid value"))),
    }
}

/// The request's own address with some query parameters replaced.
fn with_query(ctx: &Ctx<'_>, replaced: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        utf8_percent_encode(text, NON_ALPHANUMERIC)
            .to_string()
            .replace("%5F", "_")
    };
    let kept = ctx
        .request
        .query_pairs()
        .into_iter()
        .filter(|(name, _)| replaced.iter().all(|(other, _)| other != name));
    let kept = kept
        .filter(|(name, _)| !name.ends_with("token"))
        .map(|(name, value)| format!("{}={}", encode(&name), encode(&value)));
    let new = replaced
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)));
    format!(
        "{}{}?{}",
        ctx.shared.url,
        ctx.request.path,
        kept.chain(new).collect::<Vec<_>>().join("&")
    )
}
