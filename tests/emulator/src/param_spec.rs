//! The parameters a route lists: their types, and the conversion of what was sent to them.

use serde_json::Value;

/// The type of a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    String,
    Integer,
    Boolean,
    /// Array of strings, or one string with commas.
    List,
    /// Array of integers, or one string with commas.
    Integers,
    OneOf(&'static [&'static str]),
    /// A hash; an empty list of keys means any key.
    Hash(&'static [&'static str]),
    /// An array of hashes with these keys.
    Hashes(&'static [&'static str]),
    /// An uploaded file; its content is with `Ctx::file`.
    File,
    /// Left as sent.
    Any,
}

/// One parameter of a route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

impl Param {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: false,
        }
    }

    /// The same parameter, obligatory.
    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

pub(crate) const fn string(name: &'static str) -> Param {
    Param::new(name, Kind::String)
}
pub(crate) const fn integer(name: &'static str) -> Param {
    Param::new(name, Kind::Integer)
}
pub(crate) const fn boolean(name: &'static str) -> Param {
    Param::new(name, Kind::Boolean)
}
pub(crate) const fn list(name: &'static str) -> Param {
    Param::new(name, Kind::List)
}
pub(crate) const fn integers(name: &'static str) -> Param {
    Param::new(name, Kind::Integers)
}
pub(crate) const fn one_of(name: &'static str, values: &'static [&'static str]) -> Param {
    Param::new(name, Kind::OneOf(values))
}
pub(crate) const fn hash(name: &'static str, keys: &'static [&'static str]) -> Param {
    Param::new(name, Kind::Hash(keys))
}

pub(crate) const fn hashes(name: &'static str, keys: &'static [&'static str]) -> Param {
    Param::new(name, Kind::Hashes(keys))
}
pub(crate) const fn file(name: &'static str) -> Param {
    Param::new(name, Kind::File)
}
pub(crate) const fn any(name: &'static str) -> Param {
    Param::new(name, Kind::Any)
}

/// The value with the type of its kind, or nothing if it does not fit.
pub(crate) fn coerced(kind: Kind, value: &Value) -> Option<Value> {
    match kind {
        Kind::String => text_of(value).map(Value::String),
        Kind::Integer => integer_of(value).map(Value::from),
        Kind::Boolean => boolean_of(value).map(Value::from),
        Kind::List => texts_of(value).map(Value::from),
        Kind::Integers => {
            let texts = texts_of(value)?;
            texts
                .iter()
                .map(|text| text.parse::<i64>().ok())
                .collect::<Option<Vec<_>>>()
                .map(Value::from)
        }
        Kind::OneOf(allowed) => text_of(value)
            .filter(|text| allowed.contains(&text.as_str()))
            .map(Value::String),
        Kind::Hash(_) => value.is_object().then(|| value.clone()),
        Kind::Hashes(keys) => {
            let known = |item: &Value| {
                item.as_object()
                    .is_some_and(|item| item.keys().all(|key| keys.contains(&key.as_str())))
            };
            value.as_array()?.iter().all(known).then(|| value.clone())
        }
        Kind::File | Kind::Any => Some(value.clone()),
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn integer_of(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

fn boolean_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            Some(_) | None => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "t" | "true" | "y" | "yes" | "on" => Some(true),
            "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn texts_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(text_of).collect(),
        Value::String(text) => Some(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
        ),
        Value::Number(_) => text_of(value).map(|text| vec![text]),
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}
