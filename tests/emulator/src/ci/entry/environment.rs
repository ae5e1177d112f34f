//! `environment:` of a job.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::ci::definition::EnvironmentUse;
use crate::ci::report::{At, Report};
use crate::ci::tree::{get, is_blank, mapping};

const KEYS: &[&str] = &[
    "name",
    "url",
    "action",
    "on_stop",
    "auto_stop_in",
    "kubernetes",
    "deployment_tier",
];
const NAME_MESSAGE: &str = "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'";

/// Reads `environment:`; variables in it are expanded when the pipeline is created.
pub(super) fn read(report: &mut Report, at: &At, value: &Value) -> Option<EnvironmentUse> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[a-zA-Z0-9_${}. -](?:[a-zA-Z0-9_/${}. -]*[a-zA-Z0-9_${}. -])?$")
            .expect("the pattern is a literal that compiles")
    });
    let map = mapping(value);
    let name = match map {
        Some(map) => map.get("name").unwrap_or(&Value::Null),
        None if value.is_string() => value,
        None => &Value::Null,
    };
    let passes = report.passes(|report| {
        if map.is_none() && !value.is_string() {
            report.config(at, "should be a hash or a string");
        }
        if is_blank(name) {
            report.attribute(at, "name", "can't be blank");
        }
        if !name.is_string() {
            report.attribute(at, "name", NAME_MESSAGE);
        }
        if !name.as_str().is_some_and(|name| NAME.is_match(name)) {
            report.attribute(at, "name", NAME_MESSAGE);
        }
        let Some(map) = map else { return };
        report.allowed_keys(at, map, KEYS);
        if report
            .text(at, map, "url")
            .is_some_and(|url| url.chars().count() > 255)
        {
            report.attribute(at, "url", "is too long (maximum is 255 characters)");
        }
        let actions = ["start", "stop", "prepare", "verify", "access"];
        report.word(
            at,
            map,
            "action",
            &actions,
            "should be start, stop, prepare, verify, or access",
        );
        for key in ["deployment_tier", "on_stop", "auto_stop_in"] {
            report.text(at, map, key);
        }
        if get(map, "kubernetes").is_some() {
            report.unsupported(at, "kubernetes");
        }
    });
    let text = |key| {
        map.and_then(|map| get(map, key))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    passes.then(|| EnvironmentUse {
        name: name.as_str().unwrap_or_default().to_owned(),
        url: text("url"),
        action: text("action").unwrap_or_else(|| "start".to_owned()),
        deployment_tier: text("deployment_tier"),
        on_stop: text("on_stop"),
        auto_stop_in: text("auto_stop_in"),
    })
}
