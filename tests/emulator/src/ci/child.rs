//! A child pipeline's configuration, made from what its trigger job names.

use serde_json::{Value, json};

use super::definition::ChildInclude;

/// The configuration of a child pipeline: nothing but its includes.
pub fn child_text(includes: &[ChildInclude]) -> String {
    let list: Vec<Value> = includes
        .iter()
        .map(|include| match include {
            ChildInclude::Local { path, inputs } => json!({"local": path, "inputs": inputs}),
            ChildInclude::Artifact { path, job, inputs } => {
                json!({"artifact": path, "job": job, "inputs": inputs})
            }
            ChildInclude::Project {
                project,
                file,
                reference,
                inputs,
            } => {
                json!({"project": project, "file": file, "ref": reference, "inputs": inputs})
            }
            ChildInclude::Component { reference, inputs } => {
                json!({"component": reference, "inputs": inputs})
            }
        })
        .collect();
    // JSON is YAML.
    json!({ "include": list }).to_string()
}
