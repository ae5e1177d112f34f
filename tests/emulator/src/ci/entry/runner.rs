//! What only the runner uses: image, services, cache, hooks and tokens.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::variables::{self, Form};
use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, get, is_blank, items, mapping, text_of};

const IMAGE_KEYS: &[&str] = &["docker", "kubernetes", "name", "entrypoint", "pull_policy"];
const SERVICE_KEYS: &[&str] = &[
    "command",
    "alias",
    "variables",
    "docker",
    "kubernetes",
    "name",
    "entrypoint",
    "pull_policy",
];
const PULL_POLICIES: &[&str] = &["always", "never", "if-not-present"];

/// `image:` as an object with at least `name`.
pub(super) fn image(report: &mut Report, at: &At, value: &Value) -> Option<Value> {
    imageable(report, at, value, IMAGE_KEYS).map(|map| Value::Object(settled(map)))
}

/// Without nulls, and with the pull policies as a list.
fn settled(map: Map) -> Map {
    map.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| match (key.as_str(), value) {
            ("pull_policy", Value::String(policy)) => (key, json!([policy])),
            (_, value) => (key, value),
        })
        .collect()
}

/// `services:`, each as an object.
pub(super) fn services(report: &mut Report, at: &At, value: &Value) -> Vec<Value> {
    if !value.is_array() {
        report.config(at, "should be an array");
        return Vec::new();
    }
    items(value)
        .into_iter()
        .filter_map(|item| service(report, &at.key("service"), item))
        .collect()
}

fn service(report: &mut Report, at: &At, value: &Value) -> Option<Value> {
    let mut service = imageable(report, at, value, SERVICE_KEYS)?;
    if let Some(command) = get(&service, "command").cloned() {
        service.insert(
            "command".to_owned(),
            json!(report.commands(&at.key("command"), &command)),
        );
    }
    if let Some(given) = get(&service, "variables").cloned() {
        variables::read(report, &at.key("variables"), &given, Form::Plain);
    }
    Some(Value::Object(settled(service)))
}

fn imageable(report: &mut Report, at: &At, value: &Value, keys: &[&str]) -> Option<Map> {
    let mut map = Map::new();
    if let Some(name) = value.as_str() {
        map.insert("name".to_owned(), name.into());
    } else if let Some(given) = mapping(value) {
        map = given.clone();
    } else {
        report.config(at, "should be a hash or a string");
    }
    let passes = report.passes(|report| {
        report.present_text(at, &map, "name");
        if let Some(entrypoint) = get(&map, "entrypoint") {
            report.strings(at, "entrypoint", entrypoint);
        }
        executor_options(report, at, &map);
        report.allowed_keys(at, &map, keys);
        if keys.contains(&"alias") {
            report.text(at, &map, "alias");
        }
    });
    if !passes {
        return None;
    }
    if let Some(policy) = get(&map, "pull_policy") {
        let at = at.key("pull_policy");
        report.strings_or_string(&at, "config", policy);
        if let Some(list) = policy.as_array() {
            report.known_values(&at, "config", list, PULL_POLICIES);
            if list.is_empty() {
                report.config(&at, "can't be blank");
            }
        } else if policy
            .as_str()
            .is_some_and(|policy| !PULL_POLICIES.contains(&policy))
        {
            report.config(&at, "is not included in the list");
        }
    }
    Some(map)
}

/// `docker:` and `kubernetes:` of an image, checked and worded as by a JSON schema.
fn executor_options(report: &mut Report, at: &At, image: &Map) {
    let mut complain = |message: String| report.attribute(at, "executor_opts", &message);
    for (executor, known) in [
        ("docker", &["platform", "user"][..]),
        ("kubernetes", &["user"][..]),
    ] {
        let Some(value) = get(image, executor) else {
            continue;
        };
        let Some(map) = mapping(value) else {
            complain(format!("value at `/{executor}` is not an object"));
            continue;
        };
        for (key, value) in map {
            let place = format!("`/{executor}/{key}`");
            if !known.contains(&key.as_str()) {
                complain(format!(
                    "object property at {place} is a disallowed additional property"
                ));
                continue;
            }
            let longest = if key == "platform" { 64 } else { 255 };
            match value.as_str().map(|text| text.chars().count()) {
                Some(0) => complain(format!("string length at {place} is less than: 1")),
                Some(length) if length > longest => {
                    complain(format!(
                        "string length at {place} is greater than: {longest}"
                    ));
                }
                Some(_) => {}
                None if executor == "kubernetes" && value.is_i64() => {}
                None if executor == "kubernetes" => complain(format!(
                    "value at {place} is not one of the types: [\"string\", \"integer\"]"
                )),
                None => complain(format!("value at {place} is not a string")),
            }
        }
    }
}

/// `cache:`, one or several, with the defaults filled in.
pub(super) fn caches(report: &mut Report, at: &At, value: &Value) -> Vec<Value> {
    // GitLab gives the list another name than its items.
    let list = &at.beside("caches");
    if mapping(value).is_none() && !value.is_array() {
        report.config(list, "can only be a hash or an array");
        return Vec::new();
    }
    if value.as_array().is_some_and(|caches| caches.len() > 4) {
        report.config(list, "no more than 4 caches can be created");
        return Vec::new();
    }
    items(value)
        .into_iter()
        .filter_map(|item| cache(report, at, item))
        .collect()
}

fn cache(report: &mut Report, at: &At, value: &Value) -> Option<Value> {
    let map = report.hash_twice(at, value)?;
    let passes = report.passes(|report| {
        let keys = [
            "key",
            "untracked",
            "paths",
            "when",
            "policy",
            "unprotect",
            "fallback_keys",
        ];
        report.allowed_keys(at, map, &keys);
        let policy = map.get("policy").filter(|policy| !is_blank(policy));
        if policy.is_some_and(|policy| !policy.is_string()) {
            report.attribute(at, "policy", "should be a string");
        }
        // GitLab looks for one of the words anywhere.
        if policy.map(text_of).is_some_and(|policy| {
            !["push", "pull"].iter().any(|word| policy.contains(word)) && !names_variable(&policy)
        }) {
            report.attribute(
                at,
                "policy",
                "should be a variable or one of: pull-push, push, pull",
            );
        }
        report.one_of(at, map, "when", &["on_success", "on_failure", "always"]);
        if get(map, "fallback_keys")
            .and_then(Value::as_array)
            .is_some_and(|list| list.len() > 5)
        {
            report.attribute(at, "fallback_keys", "has to many entries (maximum 5)");
        }
    });
    if !passes {
        return None;
    }
    if let Some(key) = get(map, "key") {
        cache_key(report, &at.key("key"), key);
    }
    for key in ["unprotect", "untracked"] {
        if get(map, key).is_some_and(|value| !value.is_boolean()) {
            report.config(&at.key(key), "should be a boolean value");
        }
    }
    for key in ["paths", "fallback_keys"] {
        if let Some(list) = get(map, key) {
            report.strings(&at.key(key), "config", list);
        }
    }
    let mut cache = Map::new();
    let defaults = [
        ("key", json!("default")),
        ("untracked", Value::Null),
        ("paths", Value::Null),
        ("unprotect", json!(false)),
        ("policy", json!("pull-push")),
        ("when", json!("on_success")),
        ("fallback_keys", json!([])),
    ];
    for (key, default) in defaults {
        let value = match get(map, key) {
            Some(value) if key == "key" => plain_key(value),
            Some(value) if key == "policy" && is_blank(value) => default,
            Some(value) => value.clone(),
            None => default,
        };
        if !value.is_null() {
            cache.insert(key.to_owned(), value);
        }
    }
    Some(Value::Object(cache))
}

/// The key without nulls, its files named from the root of the repository.
fn plain_key(key: &Value) -> Value {
    let Some(map) = mapping(key) else {
        return key.clone();
    };
    let relative = |file: &Value| match file.as_str() {
        Some(path) => path.trim_start_matches('/').into(),
        None => file.clone(),
    };
    map.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value.as_array() {
            Some(files) => (name.clone(), files.iter().map(relative).collect()),
            None => (name.clone(), value.clone()),
        })
        .collect::<Map>()
        .into()
}

fn names_variable(text: &str) -> bool {
    text.split('$').skip(1).any(|name| {
        name.chars()
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn cache_key(report: &mut Report, at: &At, key: &Value) {
    if let Some(map) = mapping(key) {
        report.allowed_keys(at, map, &["files", "files_commits", "prefix"]);
        if map.contains_key("files") == map.contains_key("files_commits") {
            report.config(
                at,
                "must use exactly one of these keys: files, files_commits",
            );
        }
        for name in ["files", "files_commits"] {
            let Some(files) = get(map, name) else {
                continue;
            };
            report.strings(&at.key(name), "config", files);
            // Where there is no list, GitLab counts letters.
            let length = match files {
                Value::Array(list) => list.len(),
                Value::Object(map) => map.len(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                    text_of(files).chars().count()
                }
            };
            if length == 0 {
                report.config(&at.key(name), "requires at least 1 item");
            } else if length > 2 {
                report.config(&at.key(name), "has too many items (maximum is 2)");
            }
        }
        if let Some(prefix) = get(map, "prefix") {
            match prefix.as_str() {
                Some(text) => key_text(report, &at.key("prefix"), text),
                None => report.config(&at.key("prefix"), "should be a string or symbol"),
            }
        }
        return;
    }
    let Some(text) = key.as_str() else {
        report.verbatim(format!("{at} should be a hash, a string or a symbol"));
        return;
    };
    key_text(report, at, text);
}

fn key_text(report: &mut Report, at: &At, text: &str) {
    let path = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    if path.contains('/') {
        report.config(at, "cannot contain the \"/\" character");
    } else if path == "." || path == ".." {
        report.config(at, "cannot be \".\" or \"..\"");
    }
}

/// `hooks:`, of which GitLab knows one.
pub(super) fn hooks(report: &mut Report, at: &At, value: &Value) -> Vec<String> {
    let Some(map) = report.hash_twice(at, value) else {
        return Vec::new();
    };
    report.allowed_keys(at, map, &["pre_get_sources_script"]);
    match get(map, "pre_get_sources_script") {
        Some(script) => report.commands(&at.key("pre_get_sources_script"), script),
        None => Vec::new(),
    }
}

/// `id_tokens:`, each with its audiences.
pub(super) fn id_tokens(
    report: &mut Report,
    at: &At,
    value: &Value,
) -> BTreeMap<String, Vec<String>> {
    let Some(map) = report.hash(at, value) else {
        return BTreeMap::new();
    };
    let mut tokens = BTreeMap::new();
    for (name, token) in map {
        let at = at.key(name);
        let none = Map::new();
        let token = mapping(token).unwrap_or(&none);
        report.required_keys(&at, token, &["aud"]);
        report.allowed_keys(&at, token, &["aud"]);
        let audience = token.get("aud").unwrap_or(&Value::Null);
        tokens.insert(name.clone(), report.strings_or_string(&at, "aud", audience));
    }
    tokens
}
