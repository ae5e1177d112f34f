//! `variables:` of the whole configuration, of a job, of a rule.

use serde_json::Value;

use crate::ci::definition::{Variable, Variables};
use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, get, is_blank, mapping, text_of};

/// Which keys a variable written as a hash may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Global,
    Job,
    /// In rules and services: only plain values.
    Plain,
}

/// Reads a `variables:` hash; what is wrong is reported and left out.
pub(super) fn read(report: &mut Report, at: &At, value: &Value, form: Form) -> Variables {
    let Some(map) = report.hash(at, value) else {
        return Variables::new();
    };
    map.iter()
        .filter_map(|(key, value)| variable(report, &at.key(key), key, value, form))
        .collect()
}

fn variable(
    report: &mut Report,
    at: &At,
    key: &str,
    value: &Value,
    form: Form,
) -> Option<Variable> {
    let empty = Value::Object(Map::new());
    let value = if value.is_null() { &empty } else { value };
    if is_scalar(value) {
        return Some(Variable {
            key: key.to_owned(),
            value: text_of(value),
            raw: false,
        });
    }
    let Some(map) = mapping(value) else {
        report.verbatim("variable definition must be either a string or a hash".to_owned());
        return None;
    };
    let passes = report.passes(|report| check(report, at, map, form));
    let expand = get(map, "expand").and_then(Value::as_bool).unwrap_or(true);
    let value = get(map, "value").map(text_of).unwrap_or_default();
    passes.then(|| Variable {
        key: key.to_owned(),
        value,
        raw: !expand,
    })
}

fn check(report: &mut Report, at: &At, map: &Map, form: Form) {
    let allowed: &[&str] = match form {
        Form::Global => &["value", "description", "expand", "options"],
        Form::Job => &["value", "expand"],
        Form::Plain => &[],
    };
    if get(map, "value").is_some_and(|value| !is_scalar(value)) {
        report.attribute(at, "config_value", "must be a scalar");
    }
    if get(map, "description").is_some_and(|text| !text.is_string() && !text.is_i64()) {
        report.attribute(at, "config_description", "must be an alphanumeric string");
    }
    if get(map, "expand").is_some_and(|value| !value.is_boolean()) {
        report.attribute(at, "config_expand", "should be a boolean value");
    }
    let options = get(map, "options");
    if options.is_some_and(|options| !crate::ci::report::is_list_of_strings(options)) {
        report.attribute(at, "config_options", "should be an array of strings");
    }
    if allowed.is_empty() {
        report.config(at, "must be a string");
    } else {
        let extra: Vec<&str> = map
            .keys()
            .map(String::as_str)
            .filter(|key| !allowed.contains(key))
            .collect();
        if !extra.is_empty() {
            report.config(at, &format!("uses invalid data keys: {}", extra.join(", ")));
        }
    }
    let value = map.get("value").unwrap_or(&Value::Null);
    let among = |options: &Value| match options {
        Value::Array(list) => list.contains(value),
        Value::String(text) => value.as_str().is_none_or(|value| text.contains(value)),
        Value::Object(map) => value.as_str().is_some_and(|value| map.contains_key(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    };
    if options.is_some_and(|options| !is_blank(options) && !among(options)) {
        report.config(at, "value must be present in options");
    }
}

fn is_scalar(value: &Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}
