//! The templates: valid for GitLab, calling only commands and flags that exist, waiting for nobody.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use serde_yaml::Value;

fn templates() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci-templates");
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

fn jobs(text: &str) -> Value {
    let (header, jobs) = text
        .split_once("\n---\n")
        .expect("a template has a header of inputs");
    let header: Value = serde_yaml::from_str(header).unwrap();
    for (name, input) in header["spec"]["inputs"].as_mapping().unwrap() {
        assert!(
            input["description"].is_string(),
            "the input {name:?} has no description"
        );
    }
    serde_yaml::from_str(jobs).unwrap()
}

/// Every line that starts our program, as a shell would split it once GitLab has put the inputs in.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (name, job) in jobs(text).as_mapping().unwrap() {
        for line in job["script"]
            .as_sequence()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let line = line
                .replace("$[[ inputs.command ]]", "trainyard")
                .replace("$[[ inputs.server ]]", "https://gitlab.example")
                .replace("$[[ inputs.role ]]", "po")
                .replace("$[[ inputs.epoch ]]", "4")
                .replace("$[[ inputs.image ]]", "trainyard:0.1.0")
                .replace("$[[ inputs.merge_request ]]", "7")
                .replace("$[[ inputs.project ]]", "shop/web")
                .replace("$[[ inputs.gate ]]", "shop/yard")
                .replace("$[[ inputs.environment ]]", "nrt")
                .replace("$[[ inputs.order ]]", "withdraw")
                .replace("$[[ inputs.until ]]", "2d")
                .replace("$[[ inputs.version ]]", "1.2.3")
                .replace("$[[ inputs.hotfix ]]", "!34 !36")
                .replace("$[[ inputs.hotfix_from ]]", "1.2.3")
                .replace("$[[ inputs.hotfix_environment ]]", "hotfix")
                .replace("$[[ inputs.pre ]]", "rc")
                .replace("$[[ inputs.start ]]", "now")
                .replace("$[[ inputs.package ]]", "api")
                .replace("$[[ inputs.withdraw ]]", "1.2.3")
                .replace("$[[ inputs.through_freeze ]]", "--through-freeze")
                .replace("$TRAINYARD_VERSION", "1.2.3")
                .replace("${TRAINYARD_EPOCH:-0}", "0");
            assert!(
                !line.contains("$[["),
                "{name:?} uses an input that this test does not know: {line}"
            );
            found.push(
                line.split_whitespace()
                    .map(|word| word.trim_matches('"').to_owned())
                    .collect(),
            );
        }
    }
    found
}

#[test]
fn templates_call_only_commands_and_flags_that_exist() {
    let mut called = 0;
    for (path, text) in templates() {
        for command in commands(&text) {
            assert_eq!(command[0], "trainyard", "{}", path.display());
            let parsed = trainyard::cli::Cli::command().try_get_matches_from(&command);
            assert!(
                parsed.is_ok(),
                "{}: {command:?}: {}",
                path.display(),
                parsed.unwrap_err()
            );
            called += 1;
        }
    }
    // `$[[ inputs.command ]]` stands for the program with its flags.
    let calls = |text: &str| {
        text.matches(" --server ").count() + text.matches("- $[[ inputs.command ]] ").count()
    };
    let written: usize = templates().iter().map(|(_, text)| calls(text)).sum();
    assert_eq!(called, written, "every call was read");
}

/// Inputs that come with a pipeline are chosen by whoever may start one, a trigger token's holder among them: what stands in a command
/// line or in a variable is of a bounded alphabet, in every file that takes it.
#[test]
fn inputs_of_a_pipeline_cannot_leave_their_place() {
    let from_pipelines = ["merge_request", "order", "reason", "until"];
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/project/gitlab-ci.yml");
    let text = fs::read_to_string(&demo).unwrap();
    let mut seen = 0;
    for (path, text) in templates().into_iter().chain([(demo, text)]) {
        let (header, _) = text.split_once("\n---\n").unwrap();
        let header: Value = serde_yaml::from_str(header).unwrap();
        for (name, input) in header["spec"]["inputs"].as_mapping().unwrap() {
            let name = name.as_str().unwrap();
            let name = name.strip_prefix("trainyard_").unwrap_or(name);
            if !from_pipelines.contains(&name) {
                continue;
            }
            let place = format!("{}: {name}", path.display());
            let bounded = match input["regex"].as_str() {
                None => input["options"].is_sequence(),
                Some(pattern) => {
                    let pattern = regex::Regex::new(pattern).unwrap();
                    assert!(pattern.is_match(""), "{place}: nobody has to give it");
                    ["\"", "\\", "$", "`", "\n", "a\"b", "a\nb", "1$2"]
                        .iter()
                        .all(|text| !pattern.is_match(text))
                }
            };
            assert!(bounded, "{place}");
            seen += 1;
        }
    }
    assert!(seen >= 13, "{seen}");
}

/// The input says which words the job may put into its command line: each of them is an order.
#[test]
fn every_order_that_a_pipeline_can_be_given_exists() {
    for (path, text) in templates() {
        let (header, _) = text.split_once("\n---\n").unwrap();
        let header: Value = serde_yaml::from_str(header).unwrap();
        let Some(orders) = header["spec"]["inputs"]["order"]["options"].as_sequence() else {
            continue;
        };
        let orders: Vec<&str> = orders.iter().filter_map(Value::as_str).collect();
        assert_eq!(orders.first(), Some(&""), "{}: none", path.display());
        for order in &orders[1..] {
            let about = (!matches!(*order, "pause" | "resume")).then_some("7");
            let words = ["trainyard", "queue"]
                .into_iter()
                .chain(order.split(' '))
                .chain(about);
            let parsed = trainyard::cli::Cli::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{}: {order}", path.display());
        }
        let known = trainyard::cli::Cli::command();
        let queue = known.find_subcommand("queue").unwrap();
        for command in queue.get_subcommands() {
            let name = command.get_name();
            assert!(orders.contains(&name), "{}: {name}", path.display());
        }
    }
}

#[test]
fn a_strong_token_is_never_named_in_a_template() {
    for (path, text) in templates() {
        assert!(
            !text.contains("GATE_TOKEN"),
            "{}: protected variables reach the jobs by themselves",
            path.display()
        );
    }
}

#[test]
fn jobs_of_the_gate_and_of_releases_cannot_be_interrupted() {
    for (path, text) in templates() {
        let gate = [
            "nrt-worker.yml",
            "append-to-version.yml",
            "nrt-verdict.yml",
            "release.yml",
            "remind.yml",
            "tick.yml",
            "controls.yml",
            "break.yml",
            "queue.yml",
            "repair.yml",
        ]
        .iter()
        .any(|name| path.ends_with(name));
        for (name, job) in jobs(&text).as_mapping().unwrap() {
            let runs = job["script"].is_sequence();
            if gate && runs {
                assert_eq!(
                    job["interruptible"],
                    Value::Bool(false),
                    "{}: {name:?}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn a_newer_commit_on_the_default_branch_cancels_no_pipeline_of_ours() {
    // GitLab asks each pipeline for its own `auto_cancel`: these two make pipelines by themselves.
    for (path, text) in templates() {
        let whole = jobs(&text);
        let default = &whole["workflow"]["auto_cancel"]["on_new_commit"];
        if path.ends_with("nrt-worker.yml") {
            assert_eq!(default, "none", "{}", path.display());
        }
        // The default branch of a member runs nothing of ours.
        if path.ends_with("member.yml") {
            continue;
        }
        let rules = whole["workflow"]["rules"].as_sequence();
        for rule in rules.into_iter().flatten() {
            let merge_request = rule["if"].as_str().unwrap().contains("merge_request_event");
            let own = &rule["auto_cancel"]["on_new_commit"];
            assert!(
                merge_request || own == "none",
                "{}: {rule:?}",
                path.display()
            );
        }
    }
}

/// A job that says something leaves it where people look, however it ends; nothing of it is handed on as a file.
#[test]
fn every_job_of_ours_declares_its_reports() {
    use trainyard::ci_reports::{ANNOTATIONS, JUNIT, LINKS};
    let judging = [
        "link-check",
        "await-validation --approve",
        "await-validation --reject",
        "await-validation",
        "nrt-lock admit",
    ];
    for (path, text) in templates() {
        for (name, job) in jobs(&text).as_mapping().unwrap() {
            let Some(script) = job["script"][0].as_str() else {
                continue;
            };
            let place = format!("{}: {name:?}", path.display());
            let artifacts = &job["artifacts"];
            let reports = &artifacts["reports"];
            if script.contains("nrt-lock enqueue") {
                assert!(artifacts.is_null(), "{place}: it decides nothing");
                continue;
            }
            if script.contains(" queue --html ") {
                assert_eq!(
                    artifacts["paths"][0], "public",
                    "{place}: GitLab publishes that folder"
                );
                continue;
            }
            assert_eq!(artifacts["when"], "always", "{place}");
            assert_eq!(reports["annotations"], ANNOTATIONS, "{place}");
            if judging.iter().any(|command| script.contains(command)) {
                assert_eq!(reports["junit"], JUNIT, "{place}");
            } else {
                assert!(reports["junit"].is_null(), "{place}");
            }
            let dotenv = reports["dotenv"].as_str();
            assert_eq!(
                dotenv == Some(LINKS),
                script.contains("link-check"),
                "{place}"
            );
            if let Some(asked) = script.split("--dotenv ").nth(1) {
                assert_eq!(dotenv, asked.split_whitespace().next(), "{place}");
            }
            // A job that records nothing keeps nothing.
            let mut kept = artifacts["paths"].as_sequence().into_iter().flatten();
            assert!(
                !kept.any(|path| path == JUNIT || path == ANNOTATIONS || path == LINKS),
                "{place}: a later job would bring an old report back as its own"
            );
        }
    }
}

#[test]
fn the_documents_name_every_file_value_and_stage() {
    use trainyard::ci_reports::{ANNOTATIONS, JUNIT, LINKS, dotenv};
    use trainyard::domain::labelling::Stage;
    let read = |name: &str| {
        fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("docs")
                .join(name),
        )
        .unwrap()
    };
    let (reports, configuration) = (read("reports.md"), read("configuration.md"));
    for name in [ANNOTATIONS, JUNIT, LINKS] {
        assert!(reports.contains(&format!("`{name}`")), "{name}");
    }
    for name in dotenv::Name::ALL {
        assert!(
            reports.contains(&format!("`{}`", name.as_str())),
            "{name:?}"
        );
    }
    for (key, _) in Stage::ALL {
        assert!(configuration.contains(&format!("`{key}`")), "{key}");
    }
}

/// With its inputs replaced, each template is valid against GitLab's own schema.
#[test]
#[expect(clippy::print_stderr, reason = "a check that is left out must say so")]
fn templates_are_valid_for_gitlab() {
    #[expect(
        clippy::disallowed_methods,
        reason = "where GitLab's schema is, if it is at hand"
    )]
    let Ok(specs) = std::env::var("TRAINYARD_GITLAB_SPECS") else {
        eprintln!(
            "left out: TRAINYARD_GITLAB_SPECS is not set, so GitLab's CI schema is not at hand"
        );
        return;
    };
    let schema: serde_json::Value = serde_json::from_str(
        &fs::read_to_string(Path::new(&specs).join("gitlab-ci.schema.json")).unwrap(),
    )
    .unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (path, text) in templates() {
        let inputs = [
            ("server", "https://g"),
            ("integrate", "manual"),
            ("role", "po"),
            ("epoch", "4"),
            ("command", "trainyard"),
            ("optional", "false"),
        ];
        let mut text = text.split_once("\n---\n").unwrap().1.to_owned();
        for (name, value) in inputs {
            text = text.replace(&format!("$[[ inputs.{name} ]]"), value);
        }
        text = text.replace("$[[ inputs.worker ]]", "worker.yml");
        for name in [
            "image",
            "stage",
            "merge_request",
            "project",
            "gate",
            "environment",
            "woken",
            "suffix",
            "sources",
            "branch",
            "gate_stage",
        ] {
            text = text.replace(&format!("$[[ inputs.{name} ]]"), "x");
        }
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}
