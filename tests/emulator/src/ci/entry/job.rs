//! A job with a script.

use serde_json::Value;

use super::defaults::{self, Inheritable};
use super::processable::{self, JobEntry, Surroundings};
use super::rule::MAX_DELAY;
use super::{inputs, parallel, release, settings};
use crate::ci::definition::{Artifacts, Build, JobKind};
use crate::ci::report::{At, Report};
use crate::ci::support;
use crate::ci::tree::{Map, get, is_blank, mapping, text_of};

const KEYS: &[&str] = &[
    "tags",
    "script",
    "image",
    "services",
    "start_in",
    "artifacts",
    "cache",
    "dependencies",
    "before_script",
    "after_script",
    "hooks",
    "coverage",
    "retry",
    "inputs",
    "parallel",
    "timeout",
    "release",
    "id_tokens",
    "publish",
    "pages",
    "manual_confirmation",
];
/// Whether the keys are those of a job with a script.
pub(super) fn matches(map: &Map) -> bool {
    map.contains_key("script") || map.contains_key("run")
}

/// Reads the job; `None`: it was refused.
pub(super) fn read(
    report: &mut Report,
    at: &At,
    name: &str,
    map: &Map,
    around: &Surroundings<'_>,
) -> Option<JobEntry> {
    if !report.passes(|report| check(report, at, name, map)) {
        return None;
    }
    let kind = JobKind::Build(Box::default());
    let before = report.errors.len();
    let (mut job, inheritance) = processable::read(report, at, name, map, around, kind);
    let script = get(map, "script")
        .map(|value| report.commands(&at.key("script"), value))
        .unwrap_or_default();
    let mut own = Inheritable::read(report, at, map, defaults::KEYS);
    around.defaults.complain_again(report, map, &inheritance);
    own.inherit(around.defaults, &inheritance);
    job.coverage = get(map, "coverage")
        .and_then(|value| settings::coverage(report, &at.key("coverage"), value));
    let release =
        get(map, "release").and_then(|value| release::read(report, &at.key("release"), value));
    job.parallel = get(map, "parallel")
        .and_then(|value| parallel::read(report, &at.key("parallel"), value, false));
    job.allow_failure = get(map, "allow_failure")
        .map(|value| settings::allow_failure(report, &at.key("allow_failure"), value));
    let job_inputs = get(map, "inputs")
        .map(|value| inputs::read(report, at, value))
        .unwrap_or_default();
    check_pages(report, at, map);
    job.dependencies = get(map, "dependencies").map(crate::ci::tree::strings);
    job.manual_confirmation = get(map, "manual_confirmation")
        .and_then(Value::as_str)
        .map(str::to_owned);
    job.start_in = get(map, "start_in")
        .and_then(Value::as_str)
        .and_then(crate::ci::duration::seconds);
    check_dependencies(report, before, at, &job);
    processable::warn(report, at, map, around);

    job.interruptible = own.interruptible;
    job.timeout = own.timeout;
    job.retry = own.retry;
    job.tags = own.tags.unwrap_or_default();
    let pages = pages_path(name, map);
    job.kind = JobKind::Build(Box::new(Build {
        image: own
            .image
            .as_ref()
            .and_then(|image| image.get("name"))
            .map(text_of),
        image_settings: own.image,
        before_script: own.before_script.unwrap_or_default(),
        script,
        after_script: own.after_script.unwrap_or_default(),
        artifacts: with_pages(own.artifacts, pages.as_deref()),
        release,
        services: own.services.unwrap_or_default(),
        cache: own.cache.unwrap_or_default(),
        id_tokens: own.id_tokens.unwrap_or_default(),
        pre_get_sources_script: own.hooks.unwrap_or_default(),
        pages: pages.is_some(),
        inputs: job_inputs,
    }));
    Some(job)
}

fn check(report: &mut Report, at: &At, name: &str, map: &Map) {
    processable::check(report, at, name, map);
    let refused = support::refused("job");
    let allowed: Vec<&str> = [KEYS, &refused, processable::KEYS].concat();
    report.allowed_keys(at, map, &allowed);
    for keyword in refused
        .into_iter()
        .filter(|keyword| map.contains_key(*keyword))
    {
        report.unsupported(at, keyword);
    }
    if !map.contains_key("run") && map.get("script").is_none_or(is_blank) {
        report.attribute(at, "script", "can't be blank");
    }
    let when = report.one_of(
        at,
        map,
        "when",
        &["on_success", "on_failure", "always", "manual", "delayed"],
    );
    if let Some(dependencies) = get(map, "dependencies") {
        report.strings(at, "dependencies", dependencies);
    }
    if get(map, "allow_failure")
        .is_some_and(|value| !value.is_boolean() && mapping(value).is_none())
    {
        report.attribute(at, "allow_failure", "should be a hash or a boolean value");
    }
    report.text(at, map, "manual_confirmation");
    let start_in = map.get("start_in").unwrap_or(&Value::Null);
    let delayed = when == Some("delayed");
    if delayed {
        report.duration(at, "start_in", start_in, Some(MAX_DELAY));
    }
    if (map.contains_key("rules") || !delayed) && !is_blank(start_in) {
        report.attribute(at, "start_in", "must be blank");
    }
    if get(map, "publish").is_some() && !is_pages(name, map) {
        report.attribute(at, "publish", "can only be used within a `pages` job");
    }
}

/// The complaint about the job itself comes before those about its keywords.
fn check_dependencies(report: &mut Report, before: usize, at: &At, job: &JobEntry) {
    let (Some(dependencies), Some(needs)) = (&job.dependencies, &job.needs) else {
        return;
    };
    if dependencies.is_empty() || (needs.is_empty() && job.cross_dependencies.is_empty()) {
        return;
    }
    if needs.is_empty() {
        let mut own = Report::default();
        let message = "corresponding to dependencies must be from the same pipeline";
        own.attribute(at, "needs", message);
        report.errors.splice(before..before, own.errors);
        return;
    }
    let missing: Vec<&str> = dependencies
        .iter()
        .map(String::as_str)
        .filter(|dependency| !needs.iter().any(|need| need.name == *dependency))
        .collect();
    if !missing.is_empty() {
        let mut own = Report::default();
        own.attribute(
            at,
            "dependencies",
            &format!("the {} should be part of needs", missing.join(", ")),
        );
        report.errors.splice(before..before, own.errors);
    }
}

fn check_pages(report: &mut Report, at: &At, map: &Map) {
    if let Some(publish) = get(map, "publish")
        && !publish.is_string()
    {
        report.config(&at.key("publish"), "should be a string");
    }
    let Some(pages) = get(map, "pages") else {
        return;
    };
    let at = at.key("pages");
    let Some(settings) = mapping(pages) else {
        if !pages.is_boolean() {
            report.config(&at, "should be a hash or a boolean value");
        }
        return;
    };
    report.allowed_keys(&at, settings, &["path_prefix", "expire_in", "publish"]);
    report.text(&at, settings, "path_prefix");
    report.text(&at, settings, "publish");
    if get(settings, "path_prefix").is_some() {
        report.unsupported(&at, "path_prefix");
    }
}

fn is_pages(name: &str, map: &Map) -> bool {
    get(map, "pages").is_some_and(|pages| !is_blank(pages))
        || (name == "pages" && map.get("pages") != Some(&Value::Bool(false)))
}

/// The directory that is published; `None`: not a Pages job.
fn pages_path(name: &str, map: &Map) -> Option<String> {
    if !is_pages(name, map) {
        return None;
    }
    let settings = get(map, "pages").and_then(mapping);
    let path = settings
        .and_then(|settings| get(settings, "publish"))
        .or_else(|| get(map, "publish"));
    Some(path.and_then(Value::as_str).unwrap_or("public").to_owned())
}

fn with_pages(artifacts: Option<Artifacts>, published: Option<&str>) -> Option<Artifacts> {
    let Some(path) = published else {
        return artifacts;
    };
    let mut artifacts = artifacts.unwrap_or_default();
    if !artifacts.paths.iter().any(|known| known == path) {
        artifacts.paths.push(path.to_owned());
    }
    Some(artifacts)
}
