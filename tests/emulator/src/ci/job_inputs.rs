//! `inputs:` of a job: typed values with defaults, which whoever plays or retries the job may replace. They are put into the
//! job's keywords when a runner takes it: `${{ job.inputs.name }}`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::definition::{Build, JobInput};
use super::inputs::{Input, Kind, Spec};

/// The values of a job's inputs; the errors are GitLab's, one for each input.
pub fn job_input_values(
    inputs: &[JobInput],
    given: &Map<String, Value>,
) -> Result<BTreeMap<String, Value>, Vec<String>> {
    let spec = Spec {
        inputs: inputs.iter().map(input).collect(),
        ..Spec::default()
    };
    spec.values(given)
        .map(|values| values.into_iter().collect())
}

fn input(input: &JobInput) -> Input {
    Input {
        name: input.name.clone(),
        kind: match input.kind.as_str() {
            "array" => Kind::Array,
            "boolean" => Kind::Boolean,
            "number" => Kind::Number,
            _ => Kind::Text,
        },
        default: Some(input.default.clone()),
        options: input.options.clone(),
        regex: input.regex.clone(),
        rules: None,
    }
}

/// The job's work with the values in place of what names them.
pub fn with_inputs(build: &Build, values: &BTreeMap<String, Value>) -> Build {
    let mut build = build.clone();
    if build.inputs.is_empty() {
        return build;
    }
    let put = |text: &mut String| *text = put_in(text, values);
    let put_all = |texts: &mut Vec<String>| texts.iter_mut().for_each(put);
    for lines in [
        &mut build.before_script,
        &mut build.script,
        &mut build.after_script,
    ] {
        put_all(lines);
    }
    build.image.iter_mut().for_each(put);
    if let Some(image) = &mut build.image_settings {
        put_in_tree(image, values);
    }
    if let Some(artifacts) = &mut build.artifacts {
        artifacts.name.iter_mut().for_each(put);
        put_all(&mut artifacts.paths);
        put_all(&mut artifacts.exclude);
    }
    for value in build.services.iter_mut().chain(&mut build.cache) {
        put_in_tree(value, values);
    }
    build
}

fn put_in_tree(value: &mut Value, values: &BTreeMap<String, Value>) {
    match value {
        Value::String(text) => *text = put_in(text, values),
        Value::Array(list) => list.iter_mut().for_each(|item| put_in_tree(item, values)),
        Value::Object(map) => map.values_mut().for_each(|item| put_in_tree(item, values)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn put_in(text: &str, values: &BTreeMap<String, Value>) -> String {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\$\{\{\s*job\.inputs\.([A-Za-z0-9_-]+)\s*\}\}")
            .expect("the pattern is a literal that compiles")
    });
    let replaced = NAMED.replace_all(text, |found: &Captures<'_>| match values.get(&found[1]) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => found[0].to_owned(),
    });
    replaced.into_owned()
}
