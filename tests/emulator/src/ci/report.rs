//! The complaints about a configuration, worded as GitLab's validations word them, and the checks many keywords share.

use std::fmt;

use serde_json::Value;

use super::duration;
use super::tree::{Map, get, is_blank, mapping};

/// Where in the configuration something stands, `jobs:test:artifacts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At(String);

impl At {
    /// A section of the whole configuration.
    pub(super) fn section(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// A key below this place.
    pub(super) fn key(&self, name: &str) -> Self {
        Self(format!("{}:{name}", self.0))
    }

    /// Another name at the same level.
    pub(super) fn beside(&self, name: &str) -> Self {
        match self.0.rsplit_once(':') {
            Some((above, _)) => Self(format!("{above}:{name}")),
            None => Self::section(name),
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Errors and warnings in the order in which GitLab finds them.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// How deep lists of commands, stages and rules may nest.
pub(super) const MAX_NESTING: usize = 10;

impl Report {
    /// A complaint about the value at a place as a whole.
    pub(super) fn config(&mut self, at: &At, message: &str) {
        self.attribute(at, "config", message);
    }

    /// A complaint about one attribute of the value at a place.
    pub(super) fn attribute(&mut self, at: &At, attribute: &str, message: &str) {
        // GitLab turns the whole sentence to lower case, names of jobs included.
        self.errors
            .push(format!("{at} {} {message}", attribute.replace('_', " ")).to_lowercase());
    }

    /// A complaint that GitLab does not turn to lower case.
    pub(super) fn verbatim(&mut self, message: String) {
        self.errors.push(message);
    }

    /// A keyword that real GitLab knows and this server does not.
    pub(super) fn unsupported(&mut self, at: &At, keyword: &str) {
        let why =
            super::support::reason(keyword).map_or_else(String::new, |why| format!(": {why}"));
        self.errors.push(format!(
            "{at} config uses `{keyword}`, which is not supported by this server{why}"
        ));
    }

    pub(super) fn warning(&mut self, message: String) {
        self.warnings.push(message);
    }

    /// Runs checks and says whether none of them complained.
    pub(super) fn passes(&mut self, checks: impl FnOnce(&mut Self)) -> bool {
        let before = self.errors.len();
        checks(self);
        self.errors.len() == before
    }

    pub(super) fn hash<'a>(&mut self, at: &At, value: &'a Value) -> Option<&'a Map> {
        let map = mapping(value);
        if map.is_none() {
            self.config(at, "should be a hash");
        }
        map
    }

    /// A mapping whose type GitLab checks twice, in the keyword and in the frame around it, and so complains twice.
    pub(super) fn hash_twice<'a>(&mut self, at: &At, value: &'a Value) -> Option<&'a Map> {
        if mapping(value).is_none() {
            self.config(at, "should be a hash");
        }
        self.hash(at, value)
    }

    /// The values of a list, all of which must be among those allowed.
    pub(super) fn known_values(
        &mut self,
        at: &At,
        attribute: &str,
        list: &[Value],
        allowed: &[&str],
    ) {
        let unknown: Vec<String> = list
            .iter()
            .filter(|value| !value.as_str().is_some_and(|text| allowed.contains(&text)))
            .map(super::tree::joined)
            .collect();
        if !unknown.is_empty() {
            let message = format!("contains unknown values: {}", unknown.join(", "));
            self.attribute(at, attribute, &message);
        }
    }

    pub(super) fn allowed_keys(&mut self, at: &At, map: &Map, allowed: &[&str]) {
        let unknown: Vec<&str> = map
            .keys()
            .map(String::as_str)
            .filter(|key| !allowed.contains(key))
            .collect();
        if !unknown.is_empty() {
            self.config(
                at,
                &format!("contains unknown keys: {}", unknown.join(", ")),
            );
        }
    }

    pub(super) fn required_keys(&mut self, at: &At, map: &Map, required: &[&str]) {
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|key| !map.contains_key(*key))
            .collect();
        if !missing.is_empty() {
            self.config(
                at,
                &format!("missing required keys: {}", missing.join(", ")),
            );
        }
    }

    pub(super) fn exclusive_keys(&mut self, at: &At, map: &Map, keys: &[&str]) {
        let present: Vec<&str> = map
            .keys()
            .map(String::as_str)
            .filter(|key| keys.contains(key))
            .collect();
        if present.len() > 1 {
            self.config(
                at,
                &format!("these keys cannot be used together: {}", present.join(", ")),
            );
        }
    }

    /// Checks the attribute when it is there; `None`: absent or wrong.
    pub(super) fn text<'a>(&mut self, at: &At, map: &'a Map, key: &str) -> Option<&'a str> {
        let value = get(map, key)?;
        if !value.is_string() {
            self.attribute(at, key, "should be a string");
        }
        value.as_str()
    }

    pub(super) fn present_text<'a>(&mut self, at: &At, map: &'a Map, key: &str) -> Option<&'a str> {
        let value = map.get(key).unwrap_or(&Value::Null);
        if !value.is_string() {
            self.attribute(at, key, "should be a string");
        }
        if is_blank(value) {
            self.attribute(at, key, "can't be blank");
        }
        value.as_str()
    }

    pub(super) fn boolean(&mut self, at: &At, map: &Map, key: &str) -> Option<bool> {
        let value = get(map, key)?;
        if !value.is_boolean() {
            self.attribute(at, key, "should be a boolean value");
        }
        value.as_bool()
    }

    /// One of the given words, with GitLab's "should be one of" otherwise.
    pub(super) fn one_of<'a>(
        &mut self,
        at: &At,
        map: &'a Map,
        key: &str,
        allowed: &[&str],
    ) -> Option<&'a str> {
        let message = format!("should be one of: {}", allowed.join(", "));
        self.word(at, map, key, allowed, &message)
    }

    pub(super) fn word<'a>(
        &mut self,
        at: &At,
        map: &'a Map,
        key: &str,
        allowed: &[&str],
        message: &str,
    ) -> Option<&'a str> {
        let value = get(map, key)?;
        if !value.is_string() {
            self.attribute(at, key, "should be a string");
        }
        let known = |value: &Value| value.as_str().is_some_and(|word| allowed.contains(&word));
        // Of a list, all items must be known; an empty one has none that is not.
        if !known(value) && !value.as_array().is_some_and(|list| list.iter().all(known)) {
            self.attribute(at, key, message);
        }
        value.as_str()
    }

    pub(super) fn strings(&mut self, at: &At, attribute: &str, value: &Value) -> Vec<String> {
        if !is_list_of_strings(value) {
            self.attribute(at, attribute, "should be an array of strings");
        }
        super::tree::strings(value)
    }

    pub(super) fn strings_or_string(
        &mut self,
        at: &At,
        attribute: &str,
        value: &Value,
    ) -> Vec<String> {
        if !value.is_string() && !is_list_of_strings(value) {
            self.attribute(at, attribute, "should be an array of strings or a string");
        }
        super::tree::strings(value)
    }

    pub(super) fn integers(&mut self, at: &At, attribute: &str, value: &Value) -> Vec<i32> {
        let list = super::tree::wrap(value);
        let numbers: Vec<i32> = list
            .iter()
            .filter_map(|value| value.as_i64())
            .filter_map(|number| i32::try_from(number).ok())
            .collect();
        if value.is_null() || numbers.len() != list.len() {
            self.attribute(
                at,
                attribute,
                "should be an array of integers or an integer",
            );
        }
        numbers
    }

    /// Seconds of a duration, at most `limit` of them.
    pub(super) fn duration(
        &mut self,
        at: &At,
        attribute: &str,
        value: &Value,
        limit: Option<u64>,
    ) -> Option<u64> {
        let seconds = value.as_str().and_then(duration::seconds);
        if seconds.is_none() {
            self.attribute(at, attribute, "should be a duration");
        }
        if let Some(limit) = limit
            && seconds.is_none_or(|seconds| seconds > limit)
        {
            self.attribute(at, attribute, "should not exceed the limit");
        }
        seconds
    }

    /// Commands: a string, or strings in lists that may nest.
    pub(super) fn commands(&mut self, at: &At, value: &Value) -> Vec<String> {
        let nested = value.is_array() && nests(value, MAX_NESTING, &Value::is_string);
        if !value.is_string() && !nested {
            let message = format!(
                "should be a string or a nested array of strings up to {MAX_NESTING} levels deep"
            );
            self.config(at, &message);
        }
        let mut flat = Vec::new();
        super::tree::flatten(value, &mut flat);
        flat.into_iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }
}

pub(super) fn is_list_of_strings(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().all(Value::is_string))
}

/// Whether lists nest no deeper than allowed and hold only what is wanted.
pub(super) fn nests(value: &Value, levels: usize, wanted: &dyn Fn(&Value) -> bool) -> bool {
    let below = |item| nests(item, levels - 1, wanted);
    wanted(value) || (levels > 0 && value.as_array().is_some_and(|list| list.iter().all(below)))
}
