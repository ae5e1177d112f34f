//! Parameters that pipelines, triggers, schedules and jobs have in common: variables, inputs and scopes.

use serde_json::{Map, Value, json};

use crate::ctx::Ctx;
use crate::engine::status::{self, Status};
use crate::errors::ApiError;
use crate::store::pipelines::GivenVariable;

/// `[{key, value, variable_type}]`, or the same as a hash by numbers.
pub(super) fn variable_list(value: Option<&Value>) -> Result<Vec<GivenVariable>, ApiError> {
    let items: Vec<&Value> = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Object(items)) => items.values().collect(),
        Some(Value::String(_) | Value::Bool(_) | Value::Number(_)) => {
            return Err(ApiError::error(400, "variables is invalid"));
        }
    };
    items.into_iter().map(variable).collect()
}

fn variable(item: &Value) -> Result<GivenVariable, ApiError> {
    let text = |name: &str| match item.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Bool(flag)) => Some(flag.to_string()),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => None,
    };
    let missing = |name: &str| ApiError::error(400, format!("variables[0][{name}] is missing"));
    Ok(GivenVariable {
        key: text("key").ok_or_else(|| missing("key"))?,
        value: text("value").unwrap_or_default(),
        file: text("variable_type").as_deref() == Some("file"),
        raw: false,
    })
}

/// A variable of a pipeline or schedule as the API writes it.
pub(super) fn entity(variable: &GivenVariable) -> Value {
    json!({
        "variable_type": if variable.file { "file" } else { "env_var" },
        "key": variable.key,
        "value": variable.value,
        "raw": variable.raw,
    })
}

/// `inputs[name]=value`.
pub(super) fn inputs(ctx: &Ctx<'_>) -> Map<String, Value> {
    ctx.value("inputs")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

/// `scope=manual` or `scope[]=manual&scope[]=failed`; empty when none is given.
pub(super) fn scope(ctx: &Ctx<'_>) -> Result<Vec<Status>, ApiError> {
    let names: Vec<String> = match ctx.value("scope") {
        None => Vec::new(),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many
            .iter()
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect(),
        Some(Value::Object(many)) => many
            .values()
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_)) => vec!["unknown".to_owned()],
    };
    names
        .into_iter()
        .map(|name| {
            let known = status::NAMES.contains(&name.as_str());
            let parsed = serde_json::from_value(json!(name)).ok().filter(|_| known);
            parsed.ok_or_else(|| ApiError::error(400, "scope does not have a valid value"))
        })
        .collect()
}
