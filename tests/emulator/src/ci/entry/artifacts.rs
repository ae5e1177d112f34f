//! `artifacts:` and its reports.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::ci::definition::{Artifacts, ArtifactsWhen};
use crate::ci::report::{At, Report, is_list_of_strings};
use crate::ci::tree::{Map, get, inspected, is_blank, mapping, strings};

const KEYS: &[&str] = &[
    "name",
    "untracked",
    "paths",
    "reports",
    "when",
    "expire_in",
    "expose_as",
    "exclude",
    "public",
    "access",
];
const REPORTS: &[&str] = &[
    "junit",
    "codequality",
    "sast",
    "secret_detection",
    "dependency_scanning",
    "container_scanning",
    "dast",
    "performance",
    "browser_performance",
    "load_performance",
    "license_scanning",
    "metrics",
    "lsif",
    "dotenv",
    "terraform",
    "accessibility",
    "coverage_fuzzing",
    "api_fuzzing",
    "cluster_image_scanning",
    "requirements",
    "requirements_v2",
    "coverage_report",
    "cyclonedx",
    "annotations",
    "repository_xray",
    "sarif",
];
const MAX_EXPOSE_AS: usize = 100;

/// Reads `artifacts:`.
pub(super) fn read(report: &mut Report, at: &At, value: &Value) -> Option<Artifacts> {
    let map = report.hash_twice(at, value)?;
    if !report.passes(|report| check(report, at, map)) {
        return None;
    }
    let reports = get(map, "reports")
        .map(|value| reports(report, &at.key("reports"), value))
        .unwrap_or_default();
    let text = |key| get(map, key).and_then(Value::as_str).map(str::to_owned);
    let list = |key| get(map, key).map(strings).unwrap_or_default();
    let private = get(map, "public").and_then(Value::as_bool) == Some(false);
    Some(Artifacts {
        name: text("name"),
        paths: list("paths"),
        exclude: list("exclude"),
        untracked: get(map, "untracked")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        when: match text("when").as_deref() {
            Some("on_failure") => ArtifactsWhen::OnFailure,
            Some("always") => ArtifactsWhen::Always,
            Some(_) | None => ArtifactsWhen::OnSuccess,
        },
        expire_in: text("expire_in"),
        expose_as: text("expose_as"),
        access: text("access").or_else(|| private.then(|| "developer".to_owned())),
        reports,
    })
}

fn check(report: &mut Report, at: &At, map: &Map) {
    static EXPOSE_AS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\w[-\w ]*$").expect("the pattern is a literal that compiles")
    });
    let exposed = get(map, "expose_as").is_some();
    report.allowed_keys(at, map, KEYS);
    if exposed && get(map, "paths").is_none_or(is_blank) {
        report.attribute(at, "paths", "can't be blank");
    }
    report.exclusive_keys(at, map, &["access", "public"]);
    report.text(at, map, "name");
    report.boolean(at, map, "public");
    report.boolean(at, map, "untracked");
    if let Some(paths) = get(map, "paths") {
        let paths = report.strings(at, "paths", paths);
        if exposed && get(map, "paths").is_some_and(|paths| !is_list_of_strings(paths)) {
            // GitLab looks at the paths twice.
            report.attribute(at, "paths", "should be an array of strings");
        } else if exposed && paths.iter().any(|path| path.contains('*')) {
            report.attribute(at, "paths", "can't contain '*' when used with 'expose_as'");
        }
    }
    if let Some(value) = get(map, "expose_as") {
        report.text(at, map, "expose_as");
        let text = value
            .as_str()
            .map_or_else(|| inspected(value), str::to_owned);
        if text.chars().count() > MAX_EXPOSE_AS {
            report.attribute(
                at,
                "expose_as",
                &format!("is too long (maximum is {MAX_EXPOSE_AS} characters)"),
            );
        }
        if !EXPOSE_AS.is_match(&text) {
            report.attribute(
                at,
                "expose_as",
                "can contain only letters, digits, '-', '_' and spaces",
            );
        }
    }
    if let Some(exclude) = get(map, "exclude") {
        report.strings(at, "exclude", exclude);
    }
    if get(map, "reports").is_some_and(|reports| mapping(reports).is_none()) {
        report.attribute(at, "reports", "should be a hash");
    }
    report.one_of(at, map, "when", &["on_success", "on_failure", "always"]);
    if let Some(value) = get(map, "expire_in")
        && !value
            .as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case("never"))
    {
        report.duration(at, "expire_in", value, None);
    }
    report.one_of(
        at,
        map,
        "access",
        &["none", "developer", "maintainer", "all"],
    );
}

fn reports(report: &mut Report, at: &At, value: &Value) -> BTreeMap<String, Vec<String>> {
    let Some(map) = report.hash(at, value) else {
        return BTreeMap::new();
    };
    report.allowed_keys(at, map, REPORTS);
    let mut reports = BTreeMap::new();
    for (kind, value) in map {
        let paths = if value.is_null() {
            continue;
        } else if kind == "coverage_report" {
            coverage(report, &at.key(kind), value)
        } else {
            report.strings_or_string(at, kind, value)
        };
        reports.insert(kind.clone(), paths);
    }
    reports
}

/// A format and a path; the path is what matters here.
fn coverage(report: &mut Report, at: &At, value: &Value) -> Vec<String> {
    let none = Map::new();
    let map = report.hash(at, value).unwrap_or(&none);
    report.allowed_keys(at, map, &["coverage_format", "path"]);
    let format = map.get("coverage_format").unwrap_or(&Value::Null);
    if is_blank(format) {
        report.attribute(at, "coverage_format", "can't be blank");
    }
    if !format
        .as_str()
        .is_some_and(|format| ["cobertura", "jacoco"].contains(&format))
    {
        report.attribute(
            at,
            "coverage_format",
            "must be one of supported formats: cobertura, jacoco.",
        );
    }
    let path = map.get("path").unwrap_or(&Value::Null);
    if is_blank(path) {
        report.attribute(at, "path", "can't be blank");
    }
    if !path.is_string() {
        report.attribute(at, "path", "should be a string");
    }
    strings(path)
}
