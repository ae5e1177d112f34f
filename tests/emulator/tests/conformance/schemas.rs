//! GitLab's own response schemas, read from the folder that `TRAINYARD_GITLAB_SPECS` names.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Checks a value against a schema such as `public_api/v4/members.json`. Fields newer than the schema are allowed: they are
/// removed from the rules, not from the value. Without the folder the check is left out, and says so.
pub(crate) fn check(schema: &str, value: &Value) {
    let Some(root) = folder(schema) else {
        return;
    };
    let rules = load(&root, &root.join(schema));
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft4)
        .build(&rules)
        .expect("a usable schema");
    let problems: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{schema}: {problems:#?}\n{value:#}");
}

/// The folder of the schemas; without it `what` is left out, and says so.
#[expect(clippy::print_stdout, reason = "a check that is left out must be seen")]
#[expect(
    clippy::disallowed_methods,
    reason = "the folder is a property of the machine, not of a job"
)]
pub(crate) fn folder(what: &str) -> Option<PathBuf> {
    let specs = std::env::var_os("TRAINYARD_GITLAB_SPECS").map(PathBuf::from);
    if specs.is_none() {
        println!("left out: TRAINYARD_GITLAB_SPECS is not set, so `{what}` was not checked");
    }
    Some(specs?.join("schemas"))
}

/// A schema with its references put in place, and without the rules known to be wrong.
fn load(root: &Path, file: &Path) -> Value {
    let text =
        std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut value = serde_json::from_str(&text).expect("a schema is JSON");
    relax(root, file, &mut value);
    value
}

fn relax(root: &Path, file: &Path, value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref").cloned() {
                if !reference.starts_with('#') {
                    let target = match reference.split_once("spec/fixtures/api/schemas/") {
                        Some((_, inside)) => root.join(inside),
                        None => file
                            .parent()
                            .expect("a schema is in a folder")
                            .join(reference),
                    };
                    *value = load(root, &target);
                }
                return;
            }
            if object.get("additionalProperties") == Some(&json!(false)) {
                object.remove("additionalProperties");
            }
            object.retain(|name, rule| match name.as_str() {
                "format" => !rule.is_string(),
                "pattern" => rule.as_str().is_none_or(|text| !text.contains("{3}{1,2}")),
                _ => true,
            });
            object
                .values_mut()
                .for_each(|inner| relax(root, file, inner));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| relax(root, file, inner)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
