//! The `spec` header of a file: which inputs it takes and what of the component's facts it wants to use.

use serde_json::{Value, json};

use super::expression::Expression;
use super::inputs::{Input, InputRule, Kind, Spec};
use super::report::{At, Report};
use super::tree::{Map, get, is_blank, items, mapping, text_of};

const SPEC_KEYS: &[&str] = &["inputs", "include", "component", "description"];
/// What an input may say of itself, in a header and in a job.
pub(super) const INPUT_KEYS: &[&str] = &["default", "description", "options", "regex", "type"];
const INCLUDE_KEYS: &[&str] = &[
    "local",
    "file",
    "remote",
    "project",
    "ref",
    "integrity",
    "cache",
];
const COMPONENT_FACTS: &[&str] = &["name", "sha", "version", "reference"];
const MAX_OPTIONS: usize = 50;
const MAX_DESCRIPTION: usize = 256;

/// Reads a header; `more` brings the inputs of files that `spec:include` names.
pub(super) fn read(
    header: &Map,
    more: &mut dyn FnMut(&Value, &Map) -> Result<Map, String>,
) -> Result<Spec, Vec<String>> {
    let mut report = Report::default();
    let at = At::section("header");
    report.allowed_keys(&at, header, &["spec"]);
    let mut spec = Spec::default();
    if let Some(value) = get(header, "spec") {
        fill(&mut spec, &mut report, &at.key("spec"), value, more);
    }
    if report.errors.is_empty() {
        Ok(spec)
    } else {
        Err(report.errors)
    }
}

fn fill(
    spec: &mut Spec,
    report: &mut Report,
    at: &At,
    value: &Value,
    more: &mut dyn FnMut(&Value, &Map) -> Result<Map, String>,
) {
    let Some(map) = report.hash(at, value) else {
        return;
    };
    report.allowed_keys(at, map, SPEC_KEYS);
    if let Some(description) = get(map, "description") {
        if !description.is_string() {
            report.attribute(at, "config_description", "should be a string");
        }
        if text_of(description).chars().count() > MAX_DESCRIPTION {
            let message = format!("is too long (maximum is {MAX_DESCRIPTION} characters)");
            report.attribute(at, "config_description", &message);
        }
    }
    let none = Map::new();
    let own = match get(map, "inputs") {
        None => &none,
        Some(inputs) => report.hash(&at.key("inputs"), inputs).unwrap_or(&none),
    };
    let before = report.errors.len();
    let mut inputs = read_inputs(report, at, own);
    if let Some(include) = get(map, "include") {
        check_include(report, &at.key("include"), include);
        if report.errors.len() == before {
            match more(include, own) {
                Ok(all) => inputs = read_inputs(report, at, &all),
                Err(error) => report.verbatim(error),
            }
        }
    }
    spec.inputs = inputs;
    if let Some(component) = get(map, "component") {
        let at = at.key("component");
        if !component.is_array() {
            report.config(&at, "should be an array");
        }
        spec.component = report.strings(&at, "config", component);
        if let Some(list) = component.as_array() {
            report.known_values(&at, "config", list, COMPONENT_FACTS);
        }
    }
}

fn read_inputs(report: &mut Report, at: &At, inputs: &Map) -> Vec<Input> {
    let at = at.key("inputs");
    inputs
        .iter()
        .filter_map(|(name, input)| read_input(report, &at.key(name), name, input))
        .collect()
}

fn check_include(report: &mut Report, at: &At, value: &Value) {
    if !value.is_array() && !value.is_string() {
        report.config(at, "should be an array or a string");
        return;
    }
    let at = at.key("include");
    for item in items(value) {
        let Some(map) = mapping(item) else {
            if !item.is_string() {
                report.config(&at, "should be a hash or a string");
            }
            continue;
        };
        if map.contains_key("project") && get(map, "file").is_none_or(is_blank) {
            report.config(&at, "must specify the file where to fetch the config from");
        }
        report.allowed_keys(&at, map, INCLUDE_KEYS);
    }
}

fn read_input(report: &mut Report, at: &At, name: &str, value: &Value) -> Option<Input> {
    let none = json!({});
    let map = report.hash_twice(at, if value.is_null() { &none } else { value })?;
    let kind = match map.get("type").map(text_of).as_deref() {
        Some("array") => Kind::Array,
        Some("boolean") => Kind::Boolean,
        Some("number") => Kind::Number,
        Some(_) if get(map, "type").is_none() => Kind::Unknown,
        Some(_) | None => Kind::Text,
    };
    let passes = report.passes(|report| {
        check_input(report, at, map);
        report.allowed_keys(at, map, &[INPUT_KEYS, &["rules"]].concat());
        report.exclusive_keys(at, map, &["rules", "options"]);
        report.exclusive_keys(at, map, &["rules", "default"]);
    });
    if !passes {
        return None;
    }
    Some(Input {
        name: name.to_owned(),
        kind,
        default: map.get("default").cloned(),
        options: get(map, "options").and_then(Value::as_array).cloned(),
        regex: get(map, "regex").and_then(Value::as_str).map(str::to_owned),
        rules: get(map, "rules").map(|rules| input_rules(report, at, name, rules)),
    })
}

/// Checks what inputs of headers and of jobs have in common.
pub(super) fn check_input(report: &mut Report, at: &At, map: &Map) {
    if get(map, "description").is_some_and(|text| !text.is_string() && !text.is_i64()) {
        report.attribute(at, "input_description", "must be an alphanumeric string");
    }
    if get(map, "regex").is_some_and(|regex| !regex.is_string()) {
        report.attribute(at, "input_regex", "should be a string");
    }
    let types = ["array", "boolean", "number", "string"];
    if let Some(kind) = get(map, "type").map(text_of)
        && !types.contains(&kind.as_str())
    {
        report.attribute(at, "input_type", &format!("unknown value: {kind}"));
    }
    if let Some(options) = get(map, "options") {
        check_options(report, at, options);
    }
}

fn check_options(report: &mut Report, at: &At, options: &Value) {
    let Some(list) = options.as_array() else {
        report.attribute(at, "input_options", "should be an array");
        return;
    };
    if list.len() > MAX_OPTIONS {
        report.config(
            at,
            &format!("cannot define more than {MAX_OPTIONS} options"),
        );
    }
    if list.iter().any(Value::is_null) {
        report.config(at, "options array cannot contain null values");
    }
}

fn input_rules(report: &mut Report, at: &At, name: &str, value: &Value) -> Vec<InputRule> {
    if !value.is_array() {
        report.config(&at.key("rules"), "should be an array");
        return Vec::new();
    }
    items(value)
        .into_iter()
        .filter_map(|item| input_rule(report, name, item))
        .collect()
}

/// GitLab names the input here, not the place.
fn input_rule(report: &mut Report, name: &str, item: &Value) -> Option<InputRule> {
    let mut faults: Vec<String> = Vec::new();
    if is_blank(item) {
        faults.push("can't be blank".to_owned());
    }
    let none = Map::new();
    let map = mapping(item).unwrap_or(&none);
    if mapping(item).is_none() {
        faults.push("should be a hash".to_owned());
    }
    let unknown: Vec<&str> = map
        .keys()
        .map(String::as_str)
        .filter(|key| !["if", "options", "default"].contains(key))
        .collect();
    if !unknown.is_empty() {
        faults.push(format!("contains unknown keys: {}", unknown.join(", ")));
    }
    let condition = get(map, "if").map(|text| match text.as_str() {
        Some(text) => Expression::parse(text).ok(),
        None => None,
    });
    if matches!(condition, Some(None)) {
        faults.push("if invalid expression syntax".to_owned());
    }
    let options = get(map, "options");
    if options.is_some_and(|options| !options.is_array()) {
        faults.push("options should be an array".to_owned());
    }
    let options = options.and_then(Value::as_array).cloned();
    let default = map.get("default").cloned();
    if faults.is_empty() {
        let listed = options.as_deref().unwrap_or_default();
        if listed.len() > MAX_OPTIONS {
            faults.push(format!("cannot define more than {MAX_OPTIONS} options"));
        }
        match &default {
            None => faults.push(
                "rule must define 'options' with at least one value and a 'default'".to_owned(),
            ),
            Some(default) if !listed.is_empty() && !listed.contains(default) => {
                let shown = text_of(default);
                faults.push(format!("default '{shown}' must be one of the options"));
            }
            Some(_) => {}
        }
    }
    let passes = faults.is_empty();
    for fault in faults {
        report.verbatim(format!("`{name}` input: {fault}").to_lowercase());
    }
    passes.then_some(InputRule {
        condition: condition.flatten(),
        options,
        default,
    })
}
