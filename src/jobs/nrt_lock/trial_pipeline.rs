//! The pipeline of one trial, written as a file for GitLab to run: literal values only, so that nothing can be overridden.

use std::path::Path;

use serde_yaml::{Mapping, Value};

use crate::domain::ids::{MergeRequestId, ProjectPath};
use crate::domain::nrt::{Candidate, Held, Trial};
use crate::domain::trial_verdict::DecidedBy;
use crate::files;
use crate::outcome::Problem;
use crate::ports::Answer;

/// What the project decides about the pipeline of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectPart<'a> {
    /// Its file with the jobs that build, deploy and test.
    pub file: &'a str,
    /// Who says whether the trial passed.
    pub decided_by: DecidedBy,
}

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

/// Stages of a trial; the project's file puts its jobs into `build`, `deploy` and `test`.
fn stages(decided_by: DecidedBy) -> Vec<Value> {
    let before: &[&str] = match decided_by {
        DecidedBy::Tests => &["build", "deploy", "test"],
        // Who judges need not wait for the tests, nor for all of them to pass.
        DecidedBy::Person => &["build", "deploy", "verdict", "test"],
        DecidedBy::Both => &["build", "deploy", "test", "verdict"],
    };
    let all = before.iter().chain(&["append-to-version", "nrt-release"]);
    all.map(|stage| Value::from(*stage)).collect()
}

/// The project that a candidate is a commit of, where the trial's pipeline runs in another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path.
    pub project: ProjectPath,
    /// Its address for git, without credentials.
    pub address: String,
}

/// The jobs that end a trial: the very template that the project can read.
const TEMPLATE: &str = include_str!("../../../ci-templates/append-to-version.yml");
/// The jobs by which a person gives the verdict.
const VERDICT: &str = include_str!("../../../ci-templates/nrt-verdict.yml");

/// The pipeline that deploys, tests, lands and gives the environment back.
///
/// # Errors
/// When our own template cannot be read, which a test rules out.
pub fn of_trial(
    held: &Held,
    trial: &Trial,
    project: ProjectPart<'_>,
    runtime: &Runtime,
    member: Option<&Member>,
) -> Answer<Value> {
    let named = |id: &MergeRequestId| match member {
        Some(member) => format!("{}{id}", member.project),
        None => id.to_string(),
    };
    let merge_requests: Vec<String> = trial.change_sets.iter().map(named).collect();
    let checkout = checkout(&trial.candidate, member);
    let candidate_project = trial.change_sets.first().map(|id| id.project.as_str());
    let mut pipeline = map([
        ("stages", stages(project.decided_by).into()),
        (
            "include",
            vec![map([("local", Value::from(project.file))])].into(),
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
                    "TRAINYARD_CANDIDATE_PROJECT",
                    Value::from(candidate_project.unwrap_or_default()),
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
                (
                    "before_script",
                    checkout
                        .into_iter()
                        .map(Value::from)
                        .collect::<Vec<_>>()
                        .into(),
                ),
            ]),
        ),
    ]);
    let mut jobs = own_jobs(TEMPLATE, held, runtime)?;
    if project.decided_by.asks_a_person() {
        wait_for_a_person(&mut jobs, project.decided_by);
        // Then tests run beside the landing, which leaves the environment to this job.
        if project.decided_by == DecidedBy::Person
            && let Some(job) = jobs.get_mut("nrt-release").and_then(Value::as_mapping_mut)
        {
            job.insert("when".into(), "always".into());
        }
        jobs.extend(verdict_jobs(held, trial, runtime)?);
    }
    if let Value::Mapping(pipeline) = &mut pipeline {
        pipeline.extend(jobs);
    }
    Ok(pipeline)
}

/// How a job gets the commit under trial. Another project is fetched with the job's own token, which git asks a helper for: neither
/// a command line nor the clone's configuration ever holds it.
fn checkout(candidate: &Candidate, member: Option<&Member>) -> Vec<String> {
    let (reference, commit) = (&candidate.reference, &candidate.commit);
    let fetch = match member {
        None => vec![format!("git fetch --quiet origin {reference}")],
        Some(Member { address, .. }) => vec![
            r#"git config credential.helper '!job_token() { echo username=gitlab-ci-token; echo "password=$CI_JOB_TOKEN"; }; job_token'"#.to_owned(),
            format!("git fetch --quiet --no-tags --depth 50 {address} {reference}"),
        ],
    };
    let checkout = format!("git checkout --quiet --detach {commit}");
    fetch.into_iter().chain([checkout]).collect()
}

/// Nothing lands before the verdict lets this job go on. It blocks the pipeline, so that the environment stays held until then.
fn wait_for_a_person(jobs: &mut Mapping, decided_by: DecidedBy) {
    let Some(job) = jobs
        .get_mut("append-to-version")
        .and_then(Value::as_mapping_mut)
    else {
        return;
    };
    job.insert("when".into(), "manual".into());
    job.insert("allow_failure".into(), false.into());
    if decided_by == DecidedBy::Person {
        let asked = map([("job", "nrt:ask".into()), ("artifacts", false.into())]);
        job.insert("needs".into(), vec![asked].into());
    }
}

/// The jobs to press: with several change sets, one more for each that could be the culprit.
fn verdict_jobs(held: &Held, trial: &Trial, runtime: &Runtime) -> Answer<Mapping> {
    let mut jobs = own_jobs(VERDICT, held, runtime)?;
    let Some(reject) = jobs.get("nrt:reject").cloned() else {
        return Err(Problem::bug("the template of verdicts has no `nrt:reject`"));
    };
    if trial.change_sets.len() < 2 {
        return Ok(jobs);
    }
    for id in &trial.change_sets {
        let mut job = reject.clone();
        for line in job["script"].as_sequence_mut().into_iter().flatten() {
            if let Some(command) = line.as_str() {
                *line = format!("{command}-by '{}!{}'", id.project, id.iid).into();
            }
        }
        // Merge requests of two members of a yard may have the same number.
        let same = |other: &&MergeRequestId| other.iid == id.iid;
        let name = match trial.change_sets.iter().filter(same).count() {
            1 => id.to_string(),
            _ => format!("{}!{}", id.project, id.iid),
        };
        jobs.insert(format!("nrt:reject:{name}").into(), job);
    }
    Ok(jobs)
}

/// A template's jobs with its inputs put in; the values are ours, and hold nothing that YAML could read otherwise.
fn own_jobs(template: &str, held: &Held, runtime: &Runtime) -> Answer<Mapping> {
    let jobs = template
        .split_once("\n---\n")
        .map_or(template, |(_, jobs)| jobs);
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
    use crate::domain::ids::{Epoch, TrialId};
    use crate::domain::nrt::{Environment, Holder, Lease, hold};
    use jiff::Timestamp;

    /// The pipeline of a trial of these merge requests.
    fn written(decided_by: DecidedBy, iids: &[u64]) -> Value {
        written_for(decided_by, iids, None)
    }

    fn written_for(decided_by: DecidedBy, iids: &[u64], member: Option<&Member>) -> Value {
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
                fruitless: 1,
                ..Environment::default()
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
            change_sets: iids
                .iter()
                .map(|iid| MergeRequestId {
                    project: project.clone(),
                    iid: *iid,
                })
                .collect(),
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
        let part = ProjectPart {
            file: "ci/nrt.yml",
            decided_by,
        };
        of_trial(&held, &trial, part, &runtime, member).unwrap()
    }

    #[test]
    fn a_candidate_of_another_project_is_fetched_from_there() {
        let member = Member {
            project: "shop/api".parse().unwrap(),
            address: "https://g/shop/api.git".into(),
        };
        let elsewhere = written_for(DecidedBy::Tests, &[7], Some(&member));
        assert_eq!(
            elsewhere["variables"]["TRAINYARD_CHANGE_SETS"],
            "shop/api!7"
        );
        assert_eq!(
            elsewhere[".trainyard-candidate"]["before_script"][1],
            "git fetch --quiet --no-tags --depth 50 https://g/shop/api.git refs/merge-requests/7/head"
        );
    }

    #[test]
    fn a_trial_is_written_with_literal_values() {
        let value = written(DecidedBy::Tests, &[7]);
        assert!(value["append-to-version"]["when"].is_null());
        assert!(value["nrt:validate"].is_null());
        assert_eq!(value["variables"]["TRAINYARD_EPOCH"], "4");
        assert_eq!(
            value["append-to-version"]["script"][0],
            "trainyard --server https://g append-to-version --epoch 4"
        );
        assert_eq!(value["nrt-release"]["when"], "on_failure");
        assert_eq!(
            value[".trainyard-candidate"]["before_script"][1],
            format!("git checkout --quiet --detach {}", "a".repeat(40))
        );
    }

    #[test]
    fn where_people_decide_nothing_lands_before_and_a_click_names_the_culprit() {
        for (decided_by, stages) in [
            (DecidedBy::Person, ["build", "deploy", "verdict", "test"]),
            (DecidedBy::Both, ["build", "deploy", "test", "verdict"]),
        ] {
            let value = written(decided_by, &[7, 8]);
            let first: Vec<&str> = (0..4)
                .filter_map(|at| value["stages"][at].as_str())
                .collect();
            assert_eq!(first, stages);
            let append = &value["append-to-version"];
            assert_eq!(
                (&append["when"], &append["allow_failure"]),
                (&"manual".into(), &false.into())
            );
            assert_eq!(append["needs"].is_null(), decided_by == DecidedBy::Both);
            let always = value["nrt-release"]["when"] == "always";
            assert_eq!(always, decided_by == DecidedBy::Person, "tests run beside");
            assert_eq!(
                value["nrt:reject:!8"]["script"][0],
                "trainyard --server https://g nrt-lock conclude --epoch 4 --rejected-by 'shop/web!8'"
            );
            for job in ["nrt:validate", "nrt:reject", "nrt:reject:!7"] {
                assert_eq!(value[job]["when"], "manual", "{job}");
                assert_eq!(value[job]["allow_failure"], true, "{job}");
            }
        }
        let alone = written(DecidedBy::Both, &[7]);
        assert!(alone["nrt:reject:!7"].is_null(), "`nrt:reject` says it");
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
