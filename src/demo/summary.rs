//! What came of the story, for programs and for the reader's next step; and whether what must always hold did.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a summary picks the facts that it counts"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::invariants;
use super::world::{Ran, World};
use crate::domain::event::{Event, Fact};
use crate::domain::ids::MergeRequestId;
use crate::domain::yard::Yard;
use crate::files;
use crate::ports::Answer;
use crate::sinks::cloud_event;

/// One invariant of the design, checked on what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Invariant {
    /// Its number in the design.
    pub(super) number: u8,
    /// Whether it held.
    pub(super) held: bool,
    /// How that was checked.
    pub(super) how: String,
}

/// Requests of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct JobRequests {
    /// The job's name.
    pub(super) job: String,
    /// Its number.
    pub(super) id: u64,
    /// The merge request it worked for, if it worked for one.
    pub(super) change_set: Option<u64>,
    /// How many API requests it made.
    pub(super) count: usize,
    /// How often it, or the runner for it, went to the repository: each clone, fetch and push is one.
    pub(super) git_operations: usize,
}

/// Requests of the whole story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Requests {
    /// All API requests, those of people included.
    pub(super) total: usize,
    /// Those of jobs.
    pub(super) by_job: Vec<JobRequests>,
}

/// What it cost that the change sets of one trial joined the queue, were tried, and landed. Jobs of the project are not counted, nor
/// are workers that found nothing to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Landing {
    /// The trial's number.
    pub(super) trial: u64,
    /// How many landed by it.
    pub(super) landed: usize,
    /// API requests of the gate's jobs.
    pub(super) requests: usize,
    /// The same for each that landed.
    pub(super) requests_per_landed: f64,
    /// Clones, fetches and pushes of the gate's jobs.
    pub(super) git_operations: usize,
    /// The same for each that landed.
    pub(super) git_operations_per_landed: f64,
    /// How long it took from the verdict of the tests until all had landed: the whole job that lands, its start included.
    pub(super) seconds_from_verdict_to_landed: f64,
}

/// The story in numbers.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Summary {
    /// Features: number, title, state.
    pub(super) features: Vec<Value>,
    /// Merge requests: number, title, author, state.
    pub(super) merge_requests: Vec<Value>,
    /// Verdicts that people gave.
    pub(super) validations: Vec<Value>,
    /// Trials: number, candidate, change sets, verdict.
    pub(super) trials: Vec<Value>,
    /// Versions: number, tag, change sets; the open one last.
    pub(super) versions: Vec<Value>,
    /// How often each event happened.
    pub(super) events: BTreeMap<&'static str, usize>,
    /// API requests.
    pub(super) requests: Requests,
    /// What each landing cost: the gate's jobs of its trial.
    pub(super) landings: Vec<Landing>,
    /// What must always hold.
    pub(super) invariants: Vec<Invariant>,
    /// How long it took.
    pub(super) seconds: f64,
    /// Whether everything came out as told: each step was checked as it happened, and every invariant held.
    pub(super) ended_as_told: bool,
}

impl Summary {
    /// As one JSON object.
    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every key of a summary is text")
    }
}

/// Sums up a story that came to its end.
pub(super) fn of(world: &World, seconds: f64) -> Answer<Summary> {
    let events = world.events()?;
    let yard = Yard::of(&events);
    let mut counts = BTreeMap::new();
    for event in &events {
        *counts.entry(event.fact.name()).or_insert(0) += 1;
    }
    let invariants = invariants::check(world, &events, &yard)?;
    let of_list = |path: &str, keys: &[&str]| -> Answer<Vec<Value>> {
        let list = world.read("root", &world.at(path))?;
        let row = |item: &Value| {
            keys.iter()
                .map(|key| ((*key).to_owned(), item[*key].clone()))
                .collect::<serde_json::Map<_, _>>()
        };
        Ok(list
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| Value::Object(row(item)))
            .collect())
    };
    let merge_requests = world.read(
        "root",
        &world.at("merge_requests?state=all&order_by=created_at&sort=asc&per_page=100"),
    )?;
    let merge_requests = merge_requests.as_array().into_iter().flatten();
    Ok(Summary {
        features: of_list("issues?order_by=created_at&sort=asc", &["iid", "title", "state"])?,
        merge_requests: merge_requests
            .map(|mr| json!({"iid": mr["iid"], "title": mr["title"], "author": mr["author"]["username"], "state": mr["state"]}))
            .collect(),
        validations: events.iter().filter_map(validation).collect(),
        trials: trials(&events),
        versions: versions(&yard),
        events: counts,
        requests: Requests { total: world.api_requests(), by_job: world.ran.iter().map(|ran| by_job(ran, &events)).collect() },
        landings: landings(&events, &world.ran),
        ended_as_told: invariants.iter().all(|invariant| invariant.held),
        invariants,
        seconds,
    })
}

/// Where to look next; with `--keep`, the report and everything else is there.
pub(super) fn epilogue(world: &World, summary: &Summary, kept: Option<&Path>) -> Answer<String> {
    let released = &world.read("root", &world.at("releases"))?[0];
    let notes = released["description"].as_str().unwrap_or_default();
    let mut text = format!(
        "\nReleased: {}\n\n{}\n",
        released["name"].as_str().unwrap_or_default(),
        notes.trim_end()
    );
    let jobs: usize = summary.requests.by_job.iter().map(|job| job.count).sum();
    text.push_str(&format!(
        "\nThe story took {:.1} s: {} jobs ran, with {jobs} API requests of theirs; {} events.\n",
        summary.seconds,
        world.ran.len(),
        summary.events.values().sum::<usize>()
    ));
    let report = world.folder().join("trainyard-report.html");
    let events: String = world
        .events()?
        .iter()
        .map(|event| cloud_event::to_line(event, &world.project_url()) + "\n")
        .collect();
    match kept {
        Some(folder) => {
            files::write_whole(&folder.join("trainyard-events.ndjson"), &events)?;
            files::write_whole(&report, &crate::run::page_of(&world.events()?, world.titles()?, super::world::now()))?;
            for ran in &world.ran {
                let name = format!("jobs/{:03}-{}.log", ran.finished.id, ran.finished.name.replace(':', "-"));
                files::write_whole(&folder.join(name), &ran.finished.trace)?;
            }
            text.push_str(&format!(
                "\nKept in `{0}`:\n  trainyard-report.html      what happened, drawn; open it in a browser\n  trainyard-events.ndjson    every event, one JSON object a line\n  jobs/                      the log of every job\n  gitlab/, clones/           the repositories, and everybody's clone\n",
                folder.display()
            ));
        }
        None => text.push_str("\nTo keep the repositories, the job logs and the drawn report: `trainyard demo --keep DIR`.\n"),
    }
    text.push_str("To talk to such a GitLab yourself: `trainyard sandbox --seed story`. To use it in a project: README.md.\n");
    Ok(text)
}

fn by_job(ran: &Ran, events: &[Event]) -> JobRequests {
    let of_event = events
        .iter()
        .filter(|event| event.job.is_some_and(|job| job.0 == ran.finished.id))
        .find_map(|event| match event.fact.subject() {
            crate::domain::event::Subject::MergeRequest(MergeRequestId { iid, .. }) => Some(iid),
            crate::domain::event::Subject::Environment
            | crate::domain::event::Subject::Trial(_)
            | crate::domain::event::Subject::Version(_)
            | crate::domain::event::Subject::Channel(_) => None,
        });
    JobRequests {
        job: ran.finished.name.clone(),
        id: ran.finished.id,
        change_set: ran.merge_request.or(of_event),
        count: ran.requests,
        git_operations: ran.git_operations,
    }
}

/// The landings in their order; the jobs of each are known by what they recorded.
fn landings(events: &[Event], ran: &[Ran]) -> Vec<Landing> {
    let mut trials: BTreeMap<u64, Vec<&MergeRequestId>> = BTreeMap::new();
    for event in events {
        if let Fact::ChangeSetAppended { appended, .. } = &event.fact {
            let sets = trials.entry(appended.trial.0).or_default();
            sets.push(&appended.change_set.merge_request);
        }
    }
    let of_trial = |(trial, sets): (u64, Vec<&MergeRequestId>)| {
        let last = |of: &dyn Fn(&Fact) -> bool| {
            let found = events.iter().rev().find(|event| of(&event.fact));
            found.and_then(|event| event.job).map(|job| job.0)
        };
        let landing = last(
            &|fact| matches!(fact, Fact::ChangeSetAppended { appended, .. } if appended.trial.0 == trial),
        );
        let taking =
            last(&|fact| matches!(fact, Fact::LeaseGranted { epoch, .. } if epoch.0 == trial));
        let joining = sets.iter().map(|id| {
            last(&|fact| matches!(fact, Fact::ChangeSetQueued { change_set } if change_set.merge_request == **id))
        });
        let jobs: Vec<u64> = joining.chain([taking, landing]).flatten().collect();
        let of_them = |one: &&Ran| jobs.contains(&one.finished.id);
        let requests = ran.iter().filter(of_them).map(|one| one.requests).sum();
        let git_operations = ran
            .iter()
            .filter(of_them)
            .map(|one| one.git_operations)
            .sum();
        let of_landing = |one: &&Ran| Some(one.finished.id) == landing;
        Landing {
            trial,
            landed: sets.len(),
            requests,
            requests_per_landed: each(requests, sets.len()),
            git_operations,
            git_operations_per_landed: each(git_operations, sets.len()),
            seconds_from_verdict_to_landed: ran
                .iter()
                .filter(of_landing)
                .map(|one| one.seconds)
                .sum(),
        }
    };
    trials.into_iter().map(of_trial).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a story are small numbers"
)]
fn each(count: usize, of: usize) -> f64 {
    count as f64 / of.max(1) as f64
}

fn validation(event: &Event) -> Option<Value> {
    match &event.fact {
        Fact::FeatureValidated {
            merge_request,
            features,
            verdict,
        }
        | Fact::FeatureRejected {
            merge_request,
            features,
            verdict,
            ..
        } => Some(json!({
            "merge_request": merge_request.iid, "features": features.iter().map(|f| f.iid).collect::<Vec<_>>(), "role": verdict.role,
            "decision": verdict.decision, "by": verdict.by, "commit": verdict.commit,
        })),
        _ => None,
    }
}

fn trials(events: &[Event]) -> Vec<Value> {
    let mut trials: BTreeMap<u64, Value> = BTreeMap::new();
    for event in events {
        match &event.fact {
            Fact::TrialStarted {
                trial,
                candidate,
                change_sets,
                ..
            } => {
                let sets: Vec<u64> = change_sets.iter().map(|id| id.iid).collect();
                trials.insert(trial.0, json!({"trial": trial, "candidate": candidate.commit, "merge_requests": sets, "verdict": null}));
            }
            Fact::TrialValidated { trial } => verdict_of(&mut trials, trial.0, "validated"),
            Fact::TrialRejected { trial, .. } => verdict_of(&mut trials, trial.0, "rejected"),
            Fact::TrialAbandoned { trial, .. } => verdict_of(&mut trials, trial.0, "abandoned"),
            _ => {}
        }
    }
    trials.into_values().collect()
}

fn verdict_of(trials: &mut BTreeMap<u64, Value>, trial: u64, verdict: &str) {
    if let Some(known) = trials.get_mut(&trial) {
        known["verdict"] = verdict.into();
    }
}

fn versions(yard: &Yard) -> Vec<Value> {
    let iids = |content: &[crate::domain::versioning::Appended]| {
        content
            .iter()
            .map(|a| a.change_set.merge_request.iid)
            .collect::<Vec<_>>()
    };
    let mut versions: Vec<Value> = yard
        .versions
        .released
        .iter()
        .map(|v| json!({"number": v.number.version, "tag": v.number.tag(), "state": "released", "commit": v.commit, "merge_requests": iids(&v.content)}))
        .collect();
    versions.push(json!({"number": null, "tag": null, "state": "open", "commit": null, "merge_requests": iids(&yard.versions.content)}));
    versions
}
