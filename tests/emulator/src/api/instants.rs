//! Instants and days that clients send.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::ctx::Ctx;
use crate::errors::ApiError;

/// An instant parameter; a plain day means its first moment.
pub(super) fn instant(ctx: &Ctx<'_>, name: &str) -> Result<Option<Timestamp>, ApiError> {
    ctx.instant(name)
}

/// A day parameter: absent, taken away (null or empty) or given.
pub(super) fn day(ctx: &Ctx<'_>, name: &str) -> Result<Option<Option<Date>>, ApiError> {
    if !ctx.given(name) {
        return Ok(None);
    }
    match ctx.string(name).filter(|text| !text.is_empty()) {
        None => Ok(Some(None)),
        Some(text) => match text.get(..10).unwrap_or(text).parse() {
            Ok(day) => Ok(Some(Some(day))),
            Err(_) => Err(ApiError::error(400, format!("{name} is invalid"))),
        },
    }
}
