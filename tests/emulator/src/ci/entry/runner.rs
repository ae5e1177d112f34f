//! What only the runner uses: image, services, cache, hooks and tokens.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::variables::{self, Form};
use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, get, is_blank, mapping, text_of, wrap};

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

/// `image:`, of which the name is kept.
pub(super) fn image(report: &mut Report, at: &At, value: &Value) -> Option<String> {
    imageable(report, at, value, IMAGE_KEYS).and_then(|map| map.get("name").map(text_of))
}

/// `services:`, each as an object.
pub(super) fn services(report: &mut Report, at: &At, value: &Value) -> Vec<Value> {
    let Some(list) = value.as_array() else {
        report.config(at, "should be a array");
        return Vec::new();
    };
    let mut flat = Vec::new();
    list.iter()
        .for_each(|item| crate::ci::tree::flatten(item, &mut flat));
    flat.into_iter()
        .filter_map(|item| service(report, &at.key("service"), item))
        .collect()
}

fn service(report: &mut Report, at: &At, value: &Value) -> Option<Value> {
    let mut service = imageable(report, at, value, SERVICE_KEYS)?;
    if let Some(command) = service.get("command").cloned() {
        service.insert(
            "command".to_owned(),
            json!(report.commands(&at.key("command"), &command)),
        );
    }
    if let Some(given) = service.get("variables").cloned() {
        variables::read(report, &at.key("variables"), &given, Form::Plain);
    }
    Some(Value::Object(service))
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
        let policies = report.strings_or_string(&at, "config", policy);
        let unknown: Vec<&str> = policies
            .iter()
            .map(String::as_str)
            .filter(|policy| !PULL_POLICIES.contains(policy))
            .collect();
        if !unknown.is_empty() {
            report.config(
                &at,
                &format!("contains unknown values: {}", unknown.join(", ")),
            );
        }
    }
    Some(map)
}

/// `cache:`, one or several, with the defaults filled in.
pub(super) fn caches(report: &mut Report, at: &At, value: &Value) -> Vec<Value> {
    let several = value.is_array();
    let list = wrap(value);
    if list.len() > 4 {
        report.config(at, "no more than 4 caches can be created");
        return Vec::new();
    }
    let at = if several { at.key("cache") } else { at.clone() };
    list.into_iter()
        .filter_map(|item| cache(report, &at, item))
        .collect()
}

fn cache(report: &mut Report, at: &At, value: &Value) -> Option<Value> {
    let map = report.hash(at, value)?;
    if map.is_empty() {
        return None;
    }
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
        if let Some(policy) = report.text(at, map, "policy")
            && !["pull-push", "push", "pull"].contains(&policy)
            && !policy.contains('$')
        {
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
        let value = get(map, key).cloned().unwrap_or(default);
        if !value.is_null() {
            cache.insert(key.to_owned(), value);
        }
    }
    Some(Value::Object(cache))
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
            let files = report.strings(&at.key(name), "config", files);
            if files.is_empty() {
                report.config(&at.key(name), "requires at least 1 item");
            } else if files.len() > 2 {
                report.config(&at.key(name), "has too many items (maximum is 2)");
            }
        }
        return;
    }
    let Some(text) = key.as_str() else {
        report.verbatim(format!("{at} should be a hash, a string or a symbol"));
        return;
    };
    let path = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    if path.contains('/') {
        report.config(at, "cannot contain the \"/\" character");
    } else if path == "." || path == ".." {
        report.config(at, "cannot be \".\" or \"..\"");
    }
}

/// `hooks:`, of which GitLab knows one.
pub(super) fn hooks(report: &mut Report, at: &At, value: &Value) -> Vec<String> {
    let Some(map) = report.hash(at, value) else {
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
        let Some(token) = report.hash(&at, token) else {
            continue;
        };
        report.required_keys(&at, token, &["aud"]);
        report.allowed_keys(&at, token, &["aud"]);
        let audience = token
            .get("aud")
            .filter(|audience| !is_blank(audience))
            .unwrap_or(&Value::Null);
        tokens.insert(name.clone(), report.strings_or_string(&at, "aud", audience));
    }
    tokens
}
