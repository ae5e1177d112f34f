//! Every keyword of GitLab's schema is known here: it works, has no effect, or is refused by name; and the documentation says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use trainyard_emulator::ci::support::{Keyword, Support, keywords};

use crate::given::on_branch;
use crate::samples::schema;

/// Where the schema describes a place, by JSON pointers; keys of all forms are put together.
const PLACES: &[(&str, &[&str])] = &[
    ("root", &["/"]),
    ("spec", &["/properties/spec"]),
    ("spec:inputs", &["/definitions/configInputs"]),
    ("spec:include", &["/definitions/spec_include_item"]),
    ("default", &["/properties/default"]),
    ("workflow", &["/properties/workflow"]),
    ("workflow:rules", &["/properties/workflow/properties/rules"]),
    ("workflow:auto_cancel", &["/definitions/workflowAutoCancel"]),
    (
        "variables",
        &["/definitions/globalVariables", "/definitions/jobVariables"],
    ),
    ("include", &["/definitions/include_item"]),
    ("include:rules", &["/definitions/includeRules"]),
    ("job", &["/definitions/job_template"]),
    ("allow_failure", &["/definitions/allow_failure"]),
    ("artifacts", &["/definitions/artifacts"]),
    (
        "artifacts:reports",
        &["/definitions/artifacts/properties/reports"],
    ),
    ("cache", &["/definitions/cache_item"]),
    (
        "environment",
        &["/definitions/job_template/properties/environment"],
    ),
    ("hooks", &["/definitions/hooks"]),
    ("image", &["/definitions/image"]),
    ("inherit", &["/definitions/job_template/properties/inherit"]),
    ("needs", &["/definitions/job_template/properties/needs"]),
    ("only", &["/definitions/filter"]),
    ("pages", &["/definitions/job_template/properties/pages"]),
    ("parallel", &["/definitions/parallel"]),
    ("release", &["/definitions/job_template/properties/release"]),
    ("retry", &["/definitions/retry"]),
    ("rules", &["/definitions/rules"]),
    ("rules:changes", &["/definitions/changes"]),
    ("rules:exists", &["/definitions/exists"]),
    ("rules:needs", &["/definitions/rulesNeeds"]),
    ("services", &["/definitions/services"]),
    ("trigger", &["/definitions/job_template/properties/trigger"]),
    (
        "trigger:forward",
        &["/definitions/job_template/properties/trigger/oneOf/0/properties/forward"],
    ),
];

/// In the schema, but nowhere in the keywords that GitLab's own checks allow, or no keyword at all.
const OF_THE_SCHEMA_ONLY: &[(&str, &str)] = &[
    ("root", "$schema"),
    ("root", "!reference"),
    ("default", "!reference"),
    ("artifacts:reports", "license_management"),
];

/// Allowed by GitLab's own checks; the schema knows them below `trigger` only.
const OF_THE_CHECKS_ONLY: &[(&str, &str)] = &[("include", "artifact"), ("include", "job")];

fn known() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut known: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for keyword in keywords() {
        known.entry(keyword.place).or_default().insert(keyword.name);
    }
    known
}

/// The keys of a place of the schema, whatever form it takes.
fn keys(schema: &Value, node: &Value, found: &mut BTreeSet<String>) {
    if !node.is_object() {
        return;
    }
    if let Some(reference) = node["$ref"].as_str() {
        let at = reference.trim_start_matches('#');
        keys(
            schema,
            &schema.pointer(at).cloned().unwrap_or_default(),
            found,
        );
    }
    if let Some(properties) = node["properties"].as_object() {
        found.extend(properties.keys().cloned());
    }
    for form in ["oneOf", "anyOf", "allOf"] {
        for one in node[form].as_array().into_iter().flatten() {
            keys(schema, one, found);
        }
    }
    for one in [&node["items"], &node["additionalProperties"]] {
        keys(schema, one, found);
    }
    for one in node["patternProperties"].as_object().into_iter().flatten() {
        keys(schema, one.1, found);
    }
}

#[test]
fn every_keyword_of_gitlabs_schema_is_supported_or_refused_by_name() {
    let Some(schema) = schema() else { return };
    let known = known();
    let mut strange = Vec::new();
    for (place, pointers) in PLACES {
        let mut found = BTreeSet::new();
        for pointer in *pointers {
            if *pointer == "/" {
                found.extend(schema["properties"].as_object().unwrap().keys().cloned());
            } else {
                let node = schema.pointer(pointer);
                keys(
                    &schema,
                    node.unwrap_or_else(|| panic!("{pointer}")),
                    &mut found,
                );
            }
        }
        let listed = &known[place];
        for key in &found {
            let aside = OF_THE_SCHEMA_ONLY.contains(&(place, key.as_str()));
            if !aside && !listed.contains(key.as_str()) {
                strange.push(format!("{place}: {key} is unknown here"));
            }
        }
        for key in listed {
            let aside = OF_THE_CHECKS_ONLY.contains(&(place, key));
            if !aside && !found.contains(*key) {
                strange.push(format!("{place}: {key} is not in the schema"));
            }
        }
    }
    assert!(strange.is_empty(), "{}", strange.join("\n"));
    assert_eq!(known.len(), PLACES.len());
}

/// A configuration with the keyword at its place, so that an unknown one would be complained about.
fn with(keyword: &Keyword) -> String {
    let Keyword { place, name, .. } = *keyword;
    let inner = json!({ name: Value::Null });
    let job = |key: &str, value: Value| json!({ "job": { "script": "x", key: value } });
    let tree = match place {
        "root" | "spec" | "spec:inputs" | "spec:include" => return header_with(place, name),
        "default" | "workflow" => json!({ place: inner, "job": { "script": "x" } }),
        "workflow:rules" => json!({ "workflow": { "rules": [inner] }, "job": { "script": "x" } }),
        "workflow:auto_cancel" => {
            json!({ "workflow": { "auto_cancel": inner }, "job": { "script": "x" } })
        }
        "variables" => json!({ "variables": { "A": inner }, "job": { "script": "x" } }),
        "include" => {
            json!({ "include": [{ "local": "a.yml", "rules": [{ "when": "never" }], name: Value::Null }], "job": { "script": "x" } })
        }
        "include:rules" => {
            json!({ "include": [{ "local": "a.yml", "rules": [{ "when": "never", name: Value::Null }] }], "job": { "script": "x" } })
        }
        "job" if name == "trigger" => json!({ "job": { "trigger": Value::Null } }),
        "job" => job(name, Value::Null),
        "artifacts:reports" => job("artifacts", json!({ "reports": inner })),
        "cache" | "allow_failure" | "artifacts" | "environment" | "hooks" | "image" | "inherit"
        | "only" | "pages" | "parallel" | "release" | "retry" => job(place, inner),
        "services" | "needs" | "rules" => job(place, json!([inner])),
        "rules:changes" => job("rules", json!([{ "changes": inner }])),
        "rules:exists" => job("rules", json!([{ "exists": inner }])),
        "rules:needs" => job(
            "rules",
            json!([{ "needs": [{ "job": "a", name: Value::Null }] }]),
        ),
        "trigger" => json!({ "job": { "trigger": inner } }),
        "trigger:forward" => {
            json!({ "job": { "trigger": { "project": "a/b", "forward": inner } } })
        }
        other => panic!("no way to write {other}"),
    };
    tree.to_string()
}

fn header_with(place: &str, name: &str) -> String {
    let header = match place {
        "root" if name == "spec" => json!({ "spec": Value::Null }),
        "root" => return json!({ name: Value::Null, "job": { "script": "x" } }).to_string(),
        "spec" => json!({ "spec": { name: Value::Null } }),
        "spec:inputs" => {
            json!({ "spec": { "inputs": { "a": { "default": "x", name: Value::Null } } } })
        }
        _ => json!({ "spec": { "include": [{ name: Value::Null }] } }),
    };
    format!("{header}\n---\njob: {{script: x}}")
}

#[test]
fn no_listed_keyword_is_unknown_to_the_compiler() {
    for keyword in keywords() {
        let text = with(&keyword);
        let errors = on_branch(&text).linted(false).errors;
        let unknown = errors.iter().find(|error| {
            error.contains("contains unknown keys") || error.contains("invalid data keys")
        });
        assert_eq!(unknown, None, "{text}");
    }
    let stranger = Keyword {
        place: "job",
        name: "stranger",
        support: Support::Works,
    };
    let errors = on_branch(&with(&stranger)).linted(false).errors;
    assert_eq!(errors, ["jobs:job config contains unknown keys: stranger"]);
}

#[test]
fn refused_keywords_say_their_name_and_why() {
    let samples = [
        ("job", "secrets", "{script: x, secrets: {}}"),
        ("job", "identity", "{script: x, identity: google_cloud}"),
        (
            "job",
            "dast_configuration",
            "{script: x, dast_configuration: {}}",
        ),
        ("job", "run", "{run: []}"),
        (
            "environment",
            "kubernetes",
            "{script: x, environment: {name: a, kubernetes: {agent: b}}}",
        ),
        (
            "needs",
            "project",
            "{script: x, needs: [{project: a/b, job: c, ref: d}]}",
        ),
        (
            "needs",
            "ref",
            "{script: x, needs: [{project: a/b, job: c, ref: d}]}",
        ),
        (
            "pages",
            "path_prefix",
            "{script: x, pages: {path_prefix: b}}",
        ),
        (
            "include",
            "remote",
            "{trigger: {include: 'https://example.org/a.yml'}}",
        ),
        (
            "include",
            "template",
            "{trigger: {include: [{template: a.yml}]}}",
        ),
        (
            "include",
            "cache",
            "{trigger: {include: [{remote: 'https://example.org/a.yml', cache: true}]}}",
        ),
        (
            "include",
            "integrity",
            "{trigger: {include: [{remote: 'https://example.org/a.yml', integrity: sha256-YQ==}]}}",
        ),
    ];
    let headers = [
        (
            "default",
            "identity",
            "default: {identity: google_cloud}\njob: {script: x}",
        ),
        (
            "spec:include",
            "remote",
            "spec: {include: [{remote: 'https://example.org/a.yml'}]}\n---\njob: {script: x}",
        ),
        (
            "spec:include",
            "cache",
            "spec: {include: [{remote: 'https://example.org/a.yml', cache: true}]}\n---\njob: {script: x}",
        ),
        (
            "spec:include",
            "integrity",
            "spec: {include: [{remote: 'https://example.org/a.yml', integrity: sha256-YQ==}]}\n---\njob: {script: x}",
        ),
    ];
    let texts = samples.map(|(place, name, job)| (place, name, format!("job: {job}")));
    let all: Vec<(&str, &str, String)> = texts
        .into_iter()
        .chain(headers.map(|(place, name, text)| (place, name, text.to_owned())))
        .collect();
    for (place, name, text) in &all {
        let errors = on_branch(text).linted(false).errors.join("\n");
        assert!(
            errors.contains("not supported by this server: "),
            "{place} {name}: {errors}"
        );
    }
    for keyword in keywords() {
        if matches!(keyword.support, Support::Refused(_)) {
            let sampled = all
                .iter()
                .any(|(place, name, _)| (*place, *name) == (keyword.place, keyword.name));
            assert!(sampled, "{keyword:?}");
        }
    }
}

fn documented() -> String {
    let mut text = String::from(
        "# What the sandbox makes of `.gitlab-ci.yml`\n\
         \n\
         Made from the table in `tests/emulator/src/ci/support.rs`; a test keeps both in step and compares the table with GitLab's schema.\n\
         `without effect` means checked and stored, but nothing acts on it; `refused` is an error of the configuration that names the keyword.\n\
         A component's version is found among the releases of its project: one with a released semantic version counts as published.\n\
         \n\
         | place | keyword | here |\n\
         | --- | --- | --- |\n",
    );
    for keyword in keywords() {
        let here = match keyword.support {
            Support::Works => "works".to_owned(),
            Support::WithoutEffect(why) => format!("without effect: {why}"),
            Support::Refused(why) => format!("refused: {why}"),
        };
        text.push_str(&format!(
            "| {} | `{}` | {here} |\n",
            keyword.place, keyword.name
        ));
    }
    text
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the switch belongs to the person at the keyboard, not to a job"
)]
fn the_documentation_shows_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sandbox-ci.md");
    let expected = documented();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "docs/sandbox-ci.md is not what the table says; run this test with UPDATE_DOCS=1"
    );
}
