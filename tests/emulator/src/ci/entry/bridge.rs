//! A job that triggers another pipeline.

use std::collections::BTreeMap;

use serde_json::Value;

use super::processable::{self, JobEntry, Surroundings};
use super::{child, needs, parallel, settings};
use crate::ci::definition::{AllowFailure, Bridge, Downstream, JobKind, Strategy};
use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, get, mapping};

/// GitLab says so too of a job whose trigger it has not looked at because of other faults.
const WITHOUT_TRIGGER: &str = "should contain either a trigger or a needs:pipeline";

/// Whether the keys are those of a trigger job.
pub(super) fn matches(map: &Map) -> bool {
    map.contains_key("trigger") || map.contains_key("needs")
}

/// Reads the job; `None`: it was refused.
pub(super) fn read(
    report: &mut Report,
    at: &At,
    name: &str,
    map: &Map,
    around: &Surroundings<'_>,
) -> Option<JobEntry> {
    let passes = report.passes(|report| {
        processable::check(report, at, name, map);
        report.allowed_keys(
            at,
            map,
            &[&["trigger", "parallel"], processable::KEYS].concat(),
        );
        report.one_of(
            at,
            map,
            "when",
            &["on_success", "on_failure", "always", "manual"],
        );
        report.boolean(at, map, "allow_failure");
    });
    if !passes {
        report.config(at, WITHOUT_TRIGGER);
        return None;
    }
    let trigger = get(map, "trigger");
    let mirrors = get(map, "needs").is_some_and(needs::mirrors);
    if trigger.is_none() && !mirrors {
        report.config(at, WITHOUT_TRIGGER);
    }
    let bridge = Bridge {
        downstream: Downstream::Child(Vec::new()),
        strategy: None,
        forward_yaml_variables: true,
        forward_pipeline_variables: false,
        inputs: BTreeMap::new(),
    };
    let (mut job, inheritance) = processable::read(
        report,
        at,
        name,
        map,
        around,
        JobKind::Bridge(bridge.clone()),
    );
    job.interruptible = get(map, "interruptible")
        .and_then(|value| settings::interruptible(report, &at.key("interruptible"), value));
    if inheritance.takes("interruptible") {
        job.interruptible = job.interruptible.or(around.defaults.interruptible);
    }
    let bridge = trigger.and_then(|value| read_trigger(report, &at.key("trigger"), value, bridge));
    job.parallel = get(map, "parallel")
        .and_then(|value| parallel::read(report, &at.key("parallel"), value, true));
    job.allow_failure = get(map, "allow_failure")
        .and_then(Value::as_bool)
        .map(|allowed| {
            if allowed {
                AllowFailure::Yes
            } else {
                AllowFailure::No
            }
        });
    processable::warn(report, at, map, around);
    job.kind = JobKind::Bridge(bridge?);
    Some(job)
}

fn read_trigger(report: &mut Report, at: &At, value: &Value, mut bridge: Bridge) -> Option<Bridge> {
    if let Some(path) = value.as_str() {
        if path.trim().is_empty() {
            report.config(at, "can't be blank");
        }
        bridge.downstream = Downstream::Project {
            path: path.to_owned(),
            branch: None,
        };
        return Some(bridge);
    }
    let Some(map) = mapping(value) else {
        report.verbatim(format!("{at} has to be either a string or a hash"));
        return None;
    };
    let of_child = map.contains_key("include");
    let passes = report.passes(|report| check(report, at, map, of_child));
    if !passes {
        return None;
    }
    bridge.strategy = match get(map, "strategy").and_then(Value::as_str) {
        Some("depend") => Some(Strategy::Depend),
        Some("mirror") => Some(Strategy::Mirror),
        Some(_) | None => None,
    };
    if let Some(forward) = get(map, "forward") {
        read_forward(report, &at.key("forward"), forward, &mut bridge);
    }
    if of_child {
        let include = map.get("include").unwrap_or(&Value::Null);
        bridge.downstream = Downstream::Child(child::read(report, &at.key("include"), include));
    } else {
        let text = |key| get(map, key).and_then(Value::as_str).map(str::to_owned);
        bridge.downstream = Downstream::Project {
            path: text("project").unwrap_or_default(),
            branch: text("branch"),
        };
        let inputs = get(map, "inputs").and_then(mapping).into_iter().flatten();
        bridge.inputs = inputs
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
    }
    Some(bridge)
}

fn check(report: &mut Report, at: &At, map: &Map, of_child: bool) {
    if map.is_empty() {
        report.config(at, "can't be blank");
    }
    let keys: &[&str] = if of_child {
        &["strategy", "include", "forward"]
    } else {
        &["project", "branch", "strategy", "forward", "inputs"]
    };
    report.allowed_keys(at, map, keys);
    if !of_child {
        if get(map, "inputs").is_some_and(|inputs| mapping(inputs).is_none()) {
            report.attribute(at, "inputs", "should be a hash");
        }
        report.present_text(at, map, "project");
        report.text(at, map, "branch");
    }
    report.word(
        at,
        map,
        "strategy",
        &["depend", "mirror"],
        "should be depend or mirror",
    );
}

fn read_forward(report: &mut Report, at: &At, value: &Value, bridge: &mut Bridge) {
    // GitLab takes anything else for an empty mapping.
    let Some(map) = mapping(value) else { return };
    report.allowed_keys(at, map, &["yaml_variables", "pipeline_variables"]);
    bridge.forward_yaml_variables = report.boolean(at, map, "yaml_variables").unwrap_or(true);
    bridge.forward_pipeline_variables = report
        .boolean(at, map, "pipeline_variables")
        .unwrap_or(false);
}
