//! The pipeline of one trial, written as a file for GitLab to run: literal values only, so that nothing can be overridden.

use std::path::Path;

use serde_yaml::{Mapping, Value};

use crate::domain::nrt::{Held, Trial};
use crate::files;
use crate::outcome::Problem;
use crate::ports::Answer;

/// How the jobs of the trial find this program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    /// The image that holds it.
    pub image: String,
    /// Tags of the runners that may run it.
    pub tags: Vec<String>,
    /// The command before the subcommand, `trainyard` with its global flags.
    pub command: String,
}

/// Stages of a trial; the project's file puts its jobs into the first three.
const STAGES: [&str; 5] = [
    "build",
    "deploy",
    "test",
    "append-to-version",
    "nrt-release",
];

/// The jobs that end a trial: the very template that the project can read.
const TEMPLATE: &str = include_str!("../../../ci-templates/append-to-version.yml");

/// The pipeline that deploys, tests, lands and gives the environment back.
///
/// # Errors
/// When our own template cannot be read, which a test rules out.
pub fn of_trial(
    held: &Held,
    trial: &Trial,
    project_file: &str,
    runtime: &Runtime,
) -> Answer<Value> {
    let merge_requests: Vec<String> = trial.change_sets.iter().map(|id| id.to_string()).collect();
    let checkout = [
        format!("git fetch --quiet origin {}", trial.candidate.reference),
        format!("git checkout --quiet --detach {}", trial.candidate.commit),
    ];
    let mut pipeline = map([
        (
            "stages",
            STAGES
                .iter()
                .map(|stage| Value::from(*stage))
                .collect::<Vec<_>>()
                .into(),
        ),
        (
            "include",
            vec![map([("local", Value::from(project_file))])].into(),
        ),
        (
            "workflow",
            map([("auto_cancel", map([("on_new_commit", Value::from("none"))]))]),
        ),
        (
            "variables",
            map([
                (
                    "TRAINYARD_CANDIDATE",
                    Value::from(trial.candidate.commit.as_str()),
                ),
                (
                    "TRAINYARD_CANDIDATE_REF",
                    Value::from(trial.candidate.reference.as_str()),
                ),
                (
                    "TRAINYARD_CHANGE_SETS",
                    Value::from(merge_requests.join(" ")),
                ),
                ("TRAINYARD_EPOCH", Value::from(held.epoch().to_string())),
            ]),
        ),
        // Jobs of the project start from the commit under trial by `extends: .trainyard-candidate`.
        (
            ".trainyard-candidate",
            map([
                ("interruptible", Value::from(false)),
                ("before_script", checkout.map(Value::from).to_vec().into()),
            ]),
        ),
    ]);
    if let Value::Mapping(pipeline) = &mut pipeline {
        pipeline.extend(own_jobs(held, runtime)?);
    }
    Ok(pipeline)
}

/// The template's jobs with its inputs put in; the values are ours, and hold nothing that YAML could read otherwise.
fn own_jobs(held: &Held, runtime: &Runtime) -> Answer<Mapping> {
    let jobs = TEMPLATE
        .split_once("\n---\n")
        .map_or(TEMPLATE, |(_, jobs)| jobs);
    let text = jobs
        .replace("$[[ inputs.command ]]", &runtime.command)
        .replace("$[[ inputs.epoch ]]", &held.epoch().to_string())
        .replace("$[[ inputs.image ]]", &runtime.image);
    let mut jobs: Mapping = serde_yaml::from_str(&text).map_err(|error| {
        Problem::bug("the template of a trial's own jobs cannot be read").caused_by(error)
    })?;
    if !runtime.tags.is_empty() {
        let tags: Value = runtime
            .tags
            .iter()
            .map(|tag| Value::from(tag.as_str()))
            .collect::<Vec<_>>()
            .into();
        for job in jobs.values_mut().filter_map(Value::as_mapping_mut) {
            job.insert("tags".into(), tags.clone());
        }
    }
    Ok(jobs)
}

/// A pipeline of one green job: a skipped one would fail the bridge that runs it.
pub fn of_nothing(why: &str) -> Value {
    let script = format!("echo '{}'", why.replace('\'', " "));
    map([(
        "nothing-to-try",
        map([("script", vec![Value::from(script)].into())]),
    )])
}

/// Writes a pipeline file.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, pipeline: &Value) -> Answer<()> {
    let text = serde_yaml::to_string(pipeline)
        .map_err(|error| Problem::bug("a trial's pipeline cannot be written").caused_by(error))?;
    files::write_whole(path, &text)
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries
        .into_iter()
        .map(|(key, value)| (Value::from(key), value))
        .collect::<Mapping>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Epoch, MergeRequestId, TrialId};
    use crate::domain::nrt::{Candidate, Environment, Holder, Lease, hold};
    use jiff::Timestamp;

    #[test]
    fn a_trial_is_written_with_literal_values() {
        let project: crate::domain::ids::ProjectPath = "shop/web".parse().unwrap();
        let holder = Holder {
            project: project.clone(),
            pipeline: crate::domain::ids::PipelineId(1),
            job: crate::domain::ids::JobId(1),
            user: None,
        };
        let lease = Lease {
            epoch: Epoch(4),
            holder,
            granted_at: Timestamp::UNIX_EPOCH,
            until: Timestamp::UNIX_EPOCH,
        };
        let held = hold(
            &Environment {
                epoch: Some(Epoch(4)),
                lease: Some(lease),
                trial: None,
                overdue: Vec::new(),
                fruitless: 1,
            },
            Epoch(4),
        )
        .unwrap();
        let sha = |digit: &str| digit.repeat(40).parse().unwrap();
        let trial = Trial {
            id: TrialId(4),
            candidate: Candidate {
                commit: sha("a"),
                base: sha("b"),
                reference: "refs/merge-requests/7/head".into(),
            },
            change_sets: vec![MergeRequestId { project, iid: 7 }],
            placed: Vec::new(),
            landed: Vec::new(),
            started_at: Timestamp::UNIX_EPOCH,
            validated: false,
        };
        let runtime = Runtime {
            image: "i".into(),
            tags: vec!["t".into()],
            command: "trainyard --server https://g".into(),
        };
        let value = of_trial(&held, &trial, "ci/nrt.yml", &runtime).unwrap();
        assert_eq!(value["variables"]["TRAINYARD_EPOCH"], "4");
        assert_eq!(
            value["append-to-version"]["script"][0],
            "trainyard --server https://g append-to-version --epoch 4"
        );
        assert_eq!(value["nrt-release"]["when"], "always");
        assert_eq!(
            value[".trainyard-candidate"]["before_script"][1],
            format!("git checkout --quiet --detach {}", "a".repeat(40))
        );
    }

    #[test]
    fn nothing_to_do_is_a_green_job_whose_words_cannot_leave_their_quotes() {
        let value = of_nothing("it's held; $(id)");
        assert_eq!(
            value["nothing-to-try"]["script"][0],
            "echo 'it s held; $(id)'"
        );
    }
}
