//! `inputs:` of a job.

use serde_json::{Map, Value};

use crate::ci::definition::JobInput;
use crate::ci::job_inputs::job_input_values;
use crate::ci::report::{At, Report};
use crate::ci::spec;
use crate::ci::tree::{get, text_of};

const MAX_INPUTS: usize = 50;

/// Reads the inputs of a job, each of which must have a default.
pub(super) fn read(report: &mut Report, job: &At, value: &Value) -> Vec<JobInput> {
    let before = report.errors.len();
    let at = job.key("inputs");
    let Some(map) = report.hash(&at, value) else {
        return Vec::new();
    };
    let inputs: Vec<JobInput> = map
        .iter()
        .filter_map(|(name, input)| read_one(report, &at.key(name), name, input))
        .collect();
    if report.errors.len() > before {
        return Vec::new();
    }
    if inputs.len() > MAX_INPUTS {
        report.attribute(
            job,
            "inputs",
            &format!("has too many entries (maximum {MAX_INPUTS})"),
        );
    } else if let Err(errors) = job_input_values(&inputs, &Map::new()) {
        for error in errors {
            report.attribute(job, "inputs", &error.replacen(" input:", ":", 1));
        }
    }
    inputs
}

fn read_one(report: &mut Report, at: &At, name: &str, value: &Value) -> Option<JobInput> {
    let none = Value::Object(Map::new());
    let map = report.hash(at, if value.is_null() { &none } else { value })?;
    let passes = report.passes(|report| {
        spec::check_input(report, at, map);
        report.allowed_keys(at, map, spec::INPUT_KEYS);
        if get(map, "default").is_none() {
            report.verbatim(format!("{at} must have a default value").to_lowercase());
        }
    });
    passes.then(|| JobInput {
        name: name.to_owned(),
        kind: get(map, "type").map_or_else(|| "string".to_owned(), text_of),
        default: map.get("default").cloned().unwrap_or_default(),
        options: get(map, "options").and_then(Value::as_array).cloned(),
        regex: get(map, "regex").and_then(Value::as_str).map(str::to_owned),
    })
}
