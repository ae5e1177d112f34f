//! `trigger:include`, the files a child pipeline is made of.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ci::definition::ChildInclude;
use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, get, is_blank, items, mapping, strings};

const MAX_INCLUDES: usize = 3;
const KEYS: &[&str] = &[
    "local",
    "file",
    "remote",
    "project",
    "ref",
    "integrity",
    "cache",
    "template",
    "artifact",
    "inputs",
    "job",
    "rules",
    "component",
];

/// Checks an `include` that brought nothing in, so that what is wrong with it is said all the same.
pub(super) fn check_unused(report: &mut Report, value: &Value) {
    let at = At::section("include");
    if !value.is_array() && !value.is_string() {
        report.config(&at, "should be an array or a string");
        return;
    }
    let at = at.key("include");
    for map in items(value).into_iter().filter_map(mapping) {
        let passes = report.passes(|report| {
            check_keys(report, &at, map);
            if let Some(rules) = get(map, "rules")
                && !rules
                    .as_array()
                    .is_some_and(|rules| rules.iter().all(|rule| mapping(rule).is_some()))
            {
                report.attribute(&at, "rules", "should be an array of hashes");
            }
        });
        if passes && let Some(rules) = get(map, "rules") {
            super::rule::read(report, &at.key("rules"), rules, super::rule::Kind::Include);
        }
    }
}

/// Reads `trigger:include`, a path or a list.
pub(super) fn read(report: &mut Report, at: &At, value: &Value) -> Vec<ChildInclude> {
    let list = match value {
        Value::Null => return Vec::new(),
        Value::Array(_) => items(value),
        Value::String(_) => vec![value],
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            report.config(at, "should be an array or a string");
            return Vec::new();
        }
    };
    if value
        .as_array()
        .is_some_and(|list| list.len() > MAX_INCLUDES)
    {
        report.config(at, &format!("is too long (maximum is {MAX_INCLUDES})"));
        return Vec::new();
    }
    list.into_iter()
        .flat_map(|item| include(report, &at.key("include"), item))
        .collect()
}

fn include(report: &mut Report, at: &At, value: &Value) -> Vec<ChildInclude> {
    if let Some(path) = value.as_str() {
        if path.starts_with("http://") || path.starts_with("https://") {
            report.unsupported(at, "include:remote");
        }
        return vec![ChildInclude::Local {
            path: path.to_owned(),
            inputs: BTreeMap::new(),
        }];
    }
    let Some(map) = mapping(value) else {
        report.config(at, "should be a hash or a string");
        return Vec::new();
    };
    let passes = report.passes(|report| check(report, at, map));
    if !passes {
        return Vec::new();
    }
    let text = |key| get(map, key).and_then(Value::as_str).map(str::to_owned);
    let inputs: BTreeMap<String, Value> = get(map, "inputs")
        .and_then(mapping)
        .map(|inputs| {
            inputs
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        })
        .unwrap_or_default();
    if let Some(path) = text("local") {
        vec![ChildInclude::Local { path, inputs }]
    } else if let Some(path) = text("artifact") {
        vec![ChildInclude::Artifact {
            path,
            job: text("job").unwrap_or_default(),
            inputs,
        }]
    } else if let Some(reference) = text("component") {
        vec![ChildInclude::Component { reference, inputs }]
    } else if let Some(project) = text("project") {
        let files = get(map, "file").map(strings).unwrap_or_default();
        let one = |file| ChildInclude::Project {
            project: project.clone(),
            file,
            reference: text("ref"),
            inputs: inputs.clone(),
        };
        files.into_iter().map(one).collect()
    } else {
        report.config(
            at,
            "must specify a local file, an artifact, a component or a project",
        );
        Vec::new()
    }
}

fn check_keys(report: &mut Report, at: &At, map: &Map) {
    if get(map, "project").is_some() && get(map, "file").is_none_or(is_blank) {
        report.config(at, "must specify the file where to fetch the config from");
    }
    if let Some(integrity) = get(map, "integrity") {
        if get(map, "remote").is_none_or(is_blank) {
            report.config(at, "integrity can only be specified for remote includes");
        }
        if !integrity
            .as_str()
            .is_some_and(|hash| hash.starts_with("sha256-"))
        {
            report.config(at, "integrity hash must start with 'sha256-'");
        }
    }
    report.allowed_keys(at, map, KEYS);
    if map.contains_key("artifact") && get(map, "job").is_none_or(is_blank) {
        report.config(at, "must specify the job where to fetch the artifact from");
    }
}

fn check(report: &mut Report, at: &At, map: &Map) {
    check_keys(report, at, map);
    for (key, keyword) in [
        ("remote", "include:remote"),
        ("template", "include:template"),
        ("rules", "include:rules"),
    ] {
        if map.contains_key(key) {
            report.unsupported(at, keyword);
        }
    }
}
