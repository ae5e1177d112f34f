//! The configuration as a whole: what is global, and which keys are jobs.

use serde_json::Value;

use super::processable::{JobEntry, Surroundings};
use super::variables::{self, Form};
use super::workflow::{self, Workflow};
use super::{bridge, child, defaults, job};
use crate::ci::definition::Variables;
use crate::ci::report::{At, MAX_NESTING, Report, nests};
use crate::ci::tree::{Map, flatten, get, is_blank, mapping};

/// Keys that are never jobs.
const GLOBAL: &[&str] = &[
    "default",
    "include",
    "before_script",
    "image",
    "services",
    "after_script",
    "variables",
    "stages",
    "cache",
    "workflow",
];
const EDGES: [&str; 2] = [".pre", ".post"];
const DEFAULT_STAGES: [&str; 3] = ["build", "test", "deploy"];

/// A configuration whose every keyword has been read.
#[derive(Debug, Clone, Default)]
pub(in crate::ci) struct Root {
    /// With `.pre` and `.post`.
    pub(in crate::ci) stages: Vec<String>,
    pub(in crate::ci) variables: Variables,
    pub(in crate::ci) workflow: Workflow,
    pub(in crate::ci) jobs: Vec<JobEntry>,
}

/// Reads a merged configuration.
pub(in crate::ci) fn read(report: &mut Report, config: &Map) -> Root {
    let defaults = defaults::read(report, config);
    if let Some(include) = get(config, "include") {
        child::check_unused(report, include);
    }
    let variables = get(config, "variables")
        .map(|value| variables::read(report, &At::section("variables"), value, Form::Global))
        .unwrap_or_default();
    let stages = stages(report, config);
    let workflow = workflow::read(report, get(config, "workflow"));
    let workflow_has_rules = get(config, "workflow")
        .and_then(mapping)
        .is_some_and(|workflow| workflow.contains_key("rules"));
    let around = Surroundings {
        defaults: &defaults,
        workflow_has_rules,
    };
    let jobs = jobs(report, config, &around);
    Root {
        stages,
        variables,
        workflow,
        jobs,
    }
}

fn stages(report: &mut Report, config: &Map) -> Vec<String> {
    let at = At::section("stages");
    let named: Vec<String> = match get(config, "stages") {
        None => DEFAULT_STAGES.map(str::to_owned).to_vec(),
        Some(value) => {
            if !value.is_array() || !nests(value, MAX_NESTING, &Value::is_string) {
                let message = format!(
                    "should be an array of strings or a nested array of strings up to {MAX_NESTING} levels deep"
                );
                report.config(&at, &message);
            }
            let mut flat = Vec::new();
            flatten(value, &mut flat);
            flat.into_iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        }
    };
    if named.is_empty() {
        return named;
    }
    let mut stages = vec![EDGES[0].to_owned()];
    for stage in named {
        if !stages.contains(&stage) && !EDGES.contains(&stage.as_str()) {
            stages.push(stage);
        }
    }
    stages.push(EDGES[1].to_owned());
    stages
}

fn jobs(report: &mut Report, config: &Map, around: &Surroundings<'_>) -> Vec<JobEntry> {
    let at = At::section("jobs");
    let candidates: Vec<(&String, &Value)> = config
        .iter()
        .filter(|(key, _)| !GLOBAL.contains(&key.as_str()))
        .collect();
    let is_job =
        |value: &Value| mapping(value).is_some_and(|map| job::matches(map) || bridge::matches(map));
    let passes = report.passes(|report| {
        for (name, _) in candidates
            .iter()
            .filter(|(name, value)| !name.starts_with('.') && !is_job(value))
        {
            let name = name.to_lowercase();
            // GitLab writes an underscore for a blank, but only if there is nothing but letters.
            let plain = name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_whitespace());
            let name = if plain { name.replace(' ', "_") } else { name };
            report.verbatim(format!(
                "jobs {name} config should implement the script:, run:, or trigger: keyword"
            ));
        }
        if !candidates
            .iter()
            .any(|(name, value)| !name.starts_with('.') && is_job(value))
        {
            report.config(&at, "should contain at least one visible job");
        }
    });
    if !passes {
        return Vec::new();
    }
    let mut jobs = Vec::new();
    for (name, value) in candidates {
        let at = at.key(name);
        if name.starts_with('.') {
            if is_blank(value) {
                report.config(&at, "can't be blank");
            }
            continue;
        }
        let Some(map) = mapping(value) else { continue };
        let read = if job::matches(map) {
            job::read(report, &at, name, map, around)
        } else {
            bridge::read(report, &at, name, map, around)
        };
        jobs.extend(read);
    }
    jobs
}
