//! Editing as GitLab does it: what was sent is laid over what is there, field by field of the same name.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::router::Param;

/// A row with those parameters of the request laid over it that are among `params`.
pub(super) fn overlaid<T: Serialize + DeserializeOwned>(
    ctx: &Ctx<'_>,
    row: &T,
    params: &[Param],
) -> Result<T, ApiError> {
    let mut object = json!(row);
    for param in params {
        let Some(value) = ctx.values().get(param.name) else {
            continue;
        };
        // Programs send every switch they know, null where their user said nothing.
        if !(value.is_null() && object[param.name].is_boolean()) {
            object[param.name] = value.clone();
        }
    }
    serde_json::from_value(object)
        .map_err(|_error| ApiError::bad_request("a setting that has a value cannot be null"))
}
