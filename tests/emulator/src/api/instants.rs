//! Instants and days that clients send.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::ctx::Ctx;
use crate::errors::ApiError;

/// An instant parameter; a plain day means its first moment.
pub(super) fn instant(ctx: &Ctx<'_>, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = ctx.string(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let day = || {
        let day: Date = text.parse().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    match text.parse().ok().or_else(day) {
        Some(at) => Ok(Some(at)),
        None => Err(ApiError::error(400, format!("{name} is invalid"))),
    }
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
