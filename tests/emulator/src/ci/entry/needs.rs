//! `needs:` of jobs and rules.

use serde_json::Value;

use super::parallel::{self, Parallel};
use crate::ci::definition::CrossDependency;
use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, get, items, mapping};

/// GitLab's limit of jobs of other pipelines.
const MAX_CROSS_NEEDS: usize = 5;

/// One needed job, before parallel jobs are told apart.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ci) struct NeedEntry {
    pub(in crate::ci) name: String,
    pub(in crate::ci) artifacts: bool,
    pub(in crate::ci) optional: bool,
    /// Which of the parallel jobs; `None`: all.
    pub(in crate::ci) parallel: Option<Parallel>,
}

/// What `needs:` lists, by the kind of what is needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Needs {
    pub(super) jobs: Vec<NeedEntry>,
    pub(super) cross: Vec<CrossDependency>,
}

/// Whose needs are read: jobs of other pipelines give their artifacts only to jobs with a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    Jobs,
    JobsAndOtherPipelines,
}

/// Reads `needs:`, a list or a single hash.
pub(super) fn read(report: &mut Report, at: &At, value: &Value, allowed: Allowed) -> Option<Needs> {
    let passes = report.passes(|report| {
        if mapping(value).is_none() && !value.is_array() {
            report.config(at, "can only be a hash or an array");
        }
        if mapping(value).is_some_and(Map::is_empty) {
            report.config(at, "can not be an empty hash");
        }
        if items(value)
            .into_iter()
            .any(|item| item.get("parallel").is_some_and(Value::is_number))
        {
            report.config(at, "cannot use \"parallel: <number>\".");
        }
    });
    if !passes {
        return None;
    }
    let before = report.errors.len();
    let mut needs = Needs::default();
    for item in items(value) {
        need(report, &at.key("need"), item, &mut needs);
    }
    let mut own = Report::default();
    if allowed == Allowed::Jobs && !needs.cross.is_empty() {
        own.config(at, "uses invalid types: cross_dependency");
    }
    if needs.cross.len() > MAX_CROSS_NEEDS {
        own.config(
            at,
            &format!("must be less than or equal to {MAX_CROSS_NEEDS}"),
        );
    }
    // What is wrong with the list is said before what is wrong with its items.
    report.errors.splice(before..before, own.errors);
    Some(needs)
}

/// Whether the status of another pipeline is wanted, which GitLab counts as a trigger.
pub(super) fn mirrors(value: &Value) -> bool {
    items(value).into_iter().filter_map(mapping).any(|map| {
        map.contains_key("pipeline") && !map.contains_key("job") && !map.contains_key("project")
    })
}

fn need(report: &mut Report, at: &At, value: &Value, needs: &mut Needs) {
    if let Some(name) = value.as_str() {
        if name.trim().is_empty() {
            report.config(at, "can't be blank");
        }
        needs.jobs.push(NeedEntry {
            name: name.to_owned(),
            artifacts: true,
            optional: false,
            parallel: None,
        });
        return;
    }
    let none = Map::new();
    let map = mapping(value).unwrap_or(&none);
    let has = |key: &str| map.contains_key(key);
    if has("job") && !(has("project") || has("ref") || has("pipeline")) {
        needs.jobs.extend(need_of_job(report, at, map));
    } else if has("job") && has("pipeline") && !has("project") {
        needs.cross.extend(need_of_pipeline(report, at, map));
    } else if has("project") {
        report.unsupported(at, "needs:project");
    } else if has("pipeline") {
        report.unsupported(at, "needs:pipeline");
    } else {
        report.verbatim(format!("{at} has an unsupported type"));
    }
}

fn need_of_job(report: &mut Report, at: &At, map: &Map) -> Option<NeedEntry> {
    let passes = report.passes(|report| {
        report.allowed_keys(at, map, &["job", "artifacts", "optional", "parallel"]);
        report.present_text(at, map, "job");
        report.boolean(at, map, "artifacts");
        report.boolean(at, map, "optional");
    });
    passes.then(|| NeedEntry {
        name: text(map, "job"),
        artifacts: flag(map, "artifacts", true),
        optional: flag(map, "optional", false),
        parallel: get(map, "parallel")
            .and_then(|value| parallel::read(report, &at.key("parallel"), value, true)),
    })
}

fn need_of_pipeline(report: &mut Report, at: &At, map: &Map) -> Vec<CrossDependency> {
    let passes = report.passes(|report| {
        let known = ["pipeline", "job", "artifacts", "optional", "parallel"];
        report.allowed_keys(at, map, &known);
        report.present_text(at, map, "pipeline");
        report.present_text(at, map, "job");
        report.boolean(at, map, "artifacts");
        report.boolean(at, map, "optional");
    });
    if !passes {
        return Vec::new();
    }
    let job = text(map, "job");
    let parallel = get(map, "parallel")
        .and_then(|value| parallel::read(report, &at.key("parallel"), value, true));
    let jobs = match &parallel {
        None => vec![job],
        Some(parallel) => parallel::matrix_instances(&job, parallel)
            .into_iter()
            .map(|instance| instance.name)
            .collect(),
    };
    jobs.into_iter()
        .map(|job| CrossDependency {
            pipeline: text(map, "pipeline"),
            job,
            artifacts: flag(map, "artifacts", true),
            optional: flag(map, "optional", false),
        })
        .collect()
}

fn flag(map: &Map, key: &str, otherwise: bool) -> bool {
    get(map, key).and_then(Value::as_bool).unwrap_or(otherwise)
}

fn text(map: &Map, key: &str) -> String {
    get(map, key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
