//! Realistic configurations: they compile, and GitLab's own schema accepts them.

use std::io::Write;

use serde_json::Value;
use trainyard_emulator::ci::definition::When;

use crate::given::{in_merge_request, on_branch};

const SAMPLES: &[(&str, &str)] = &[
    ("application", include_str!("samples/application.yml")),
    ("component", include_str!("samples/component.yml")),
    ("gate", include_str!("samples/gate.yml")),
    ("keywords", include_str!("samples/keywords.yml")),
];

#[test]
fn the_application_runs_for_merge_requests_and_the_default_branch() {
    let text = include_str!("samples/application.yml");
    let component = include_str!("samples/component.yml");
    let given = |given: crate::given::Given| {
        given.project_file("group/tool", "templates/validate.yml", component)
    };
    let request = given(in_merge_request(text));
    assert_eq!(
        request.job_names(),
        [
            "po:link-check",
            "po:validate",
            "build: [linux]",
            "build: [mac]",
            "unit",
            "integrate"
        ]
    );
    let validate = request.job("po:validate");
    assert_eq!(validate.when, When::Manual);
    assert_eq!(
        validate.manual_confirmation.as_deref(),
        Some("Validate as po?")
    );
    let needs: Vec<String> = request
        .job("unit")
        .needs
        .expect("needs")
        .into_iter()
        .map(|need| need.job)
        .collect();
    assert_eq!(needs, ["build: [linux]", "build: [mac]"]);
    assert_eq!(
        given(on_branch(text)).job_names(),
        ["build: [linux]", "build: [mac]", "unit", "deploy"]
    );
    assert_eq!(
        given(on_branch(text))
            .job("deploy")
            .environment
            .expect("an environment")
            .name,
        "review/main"
    );
}

#[test]
fn the_gate_locks_and_triggers_a_pipeline_made_by_a_job() {
    let pipeline = on_branch(include_str!("samples/gate.yml"))
        .predefined("CI_PIPELINE_SOURCE", "trigger")
        .input("iid", "12")
        .pipeline();
    let names: Vec<&str> = pipeline.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["enqueue", "plan", "trial", "release"]);
    assert_eq!(pipeline.name.as_deref(), Some("Gate for !12"));
    assert_eq!(pipeline.jobs[2].resource_group.as_deref(), Some("nrt"));
    assert_eq!(pipeline.jobs[3].when, When::Always);
}

/// GitLab's schema of configurations, where the tests are told of it.
#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the tests says where the schema is"
)]
pub(crate) fn schema() -> Option<Value> {
    let Some(folder) = std::env::var_os("TRAINYARD_GITLAB_SPECS") else {
        let mut stderr = std::io::stderr();
        let _ = writeln!(
            stderr,
            "left out: set TRAINYARD_GITLAB_SPECS to the folder with gitlab-ci.schema.json"
        );
        return None;
    };
    let path = std::path::Path::new(&folder).join("gitlab-ci.schema.json");
    let schema = std::fs::read_to_string(&path).expect("the schema can be read");
    Some(serde_json::from_str(&schema).expect("the schema is JSON"))
}

#[test]
fn samples_that_compile_are_valid_for_gitlabs_schema() {
    let Some(schema) = schema() else { return };
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    assert!(
        !validator.is_valid(&serde_json::json!({"a": {"script": 1}})),
        "the schema refuses nothing"
    );
    for (name, text) in SAMPLES {
        let body = text.split_once("\n---\n").map_or(*text, |(_, body)| body);
        let value: serde_yaml::Value = serde_yaml::from_str(body).expect("YAML");
        let instance = plain(value);
        let faults: Vec<String> = validator
            .iter_errors(&instance)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{name}: {faults:#?}");
    }
}

#[test]
fn every_supported_keyword_compiles() {
    let text = include_str!("samples/keywords.yml");
    let compiled = on_branch(text)
        .file("ci/child.yml", "x: {script: y}")
        .compiled();
    compiled.expect("the sample is valid");
}

/// Without tags: the schema knows references as lists.
fn plain(value: serde_yaml::Value) -> Value {
    let untagged = match value {
        serde_yaml::Value::Tagged(tagged) => return plain(tagged.value),
        serde_yaml::Value::Sequence(list) => return list.into_iter().map(plain).collect(),
        serde_yaml::Value::Mapping(map) => {
            let entries = map
                .into_iter()
                .map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), plain(value)));
            return Value::Object(entries.collect());
        }
        scalar @ (serde_yaml::Value::Null
        | serde_yaml::Value::Bool(_)
        | serde_yaml::Value::Number(_)
        | serde_yaml::Value::String(_)) => scalar,
    };
    serde_json::to_value(untagged).expect("a scalar is JSON")
}
