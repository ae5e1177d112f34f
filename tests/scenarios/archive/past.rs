//! A project with 10,000 past change sets costs what one with ten costs, in every job.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use trainyard::checkpoint::Checkpoint;
use trainyard::domain::archive::{Cleared, Holding};
use trainyard::domain::event::{Event, Fact};
use trainyard::domain::ids::{
    CommitSha, Epoch, JobId, MergeRequestId, PipelineId, ProjectPath, TrialId, VersionId,
};
use trainyard::domain::integration::{ChangeSet, Priority};
use trainyard::domain::notification::rules::Rules;
use trainyard::domain::nrt::{Candidate, Holder};
use trainyard::domain::versioning::packages::Spread;
use trainyard::domain::versioning::{Appended, Number};
use trainyard::domain::yard::Yard;
use trainyard::ports::Archive;

use super::{Shifted, client, journal, keys, lengthen_log, project, tick};
use crate::stage::Stage;

/// So many change sets landed in a project, ten in each version, and two of a hundred were rejected first.
struct Past {
    project: ProjectPath,
    events: Vec<Event>,
    at: Timestamp,
    count: u64,
}

fn sha(number: u64) -> CommitSha {
    format!("{number:040x}").parse().unwrap()
}

impl Past {
    fn of(project: ProjectPath, count: u64) -> Self {
        let at = "2020-01-01T08:00:00Z".parse().unwrap();
        let mut past = Self {
            project,
            events: Vec::new(),
            at,
            count,
        };
        let mut content = Vec::new();
        for number in 1..=count {
            past.lands(number, VersionId(number.div_ceil(10)));
            content.push(past.id(number));
            if content.len() == 10 || number == count {
                past.is_released(
                    VersionId(number.div_ceil(10)),
                    &std::mem::take(&mut content),
                );
            }
        }
        past
    }

    fn id(&self, number: u64) -> MergeRequestId {
        MergeRequestId {
            project: self.project.clone(),
            iid: 100_000 + number,
        }
    }

    fn add(&mut self, number: u64, fact: Fact) {
        self.at += SignedDuration::from_mins(3);
        self.events.push(Event::new(
            &self.project,
            self.at,
            None,
            Some(JobId(number)),
            fact,
        ));
    }

    fn set(&self, number: u64) -> ChangeSet {
        ChangeSet {
            merge_request: self.id(number),
            head: sha(number),
            target: "main".parse().unwrap(),
            title: "A change of the past".into(),
            author: "ana".parse().unwrap(),
            links: Vec::new(),
            verdicts: Vec::new(),
            breaking: false,
            priority: Priority::Normal,
            requested_at: self.at,
            requested_by: JobId(number),
            note: None,
        }
    }

    fn lands(&mut self, number: u64, version: VersionId) {
        let (epoch, trial, merge_request) = (Epoch(number), TrialId(number), self.id(number));
        let change_set = self.set(number);
        let holder = Holder {
            project: self.project.clone(),
            pipeline: PipelineId(number),
            job: JobId(number),
            user: None,
        };
        let candidate = Candidate {
            commit: sha(number),
            base: sha(number - 1),
            reference: "refs/x".into(),
        };
        let until = self.at + SignedDuration::from_hours(1);
        let appended = Appended {
            change_set: change_set.clone(),
            landed: sha(900_000 + number),
            base: None,
            spread: Spread::default(),
            trial,
            at: self.at,
        };
        for fact in [
            Fact::ChangeSetQueued { change_set },
            Fact::LeaseGranted {
                epoch,
                holder,
                until,
            },
            Fact::TrialStarted {
                trial,
                candidate,
                change_sets: vec![merge_request.clone()],
                placed: Vec::new(),
                postponed: Vec::new(),
            },
            Fact::TrialValidated { trial },
            Fact::ChangeSetMerged {
                merge_request,
                head: sha(number),
                commit: sha(900_000 + number),
                trial,
                leaves: None,
            },
            Fact::ChangeSetAppended { version, appended },
            Fact::LeaseReleased { epoch },
        ] {
            self.add(number, fact);
        }
    }

    fn is_released(&mut self, version: VersionId, content: &[MergeRequestId]) {
        let number = Number {
            version: semver::Version::new(0, version.0, 0),
            prefix: "v".into(),
            package: None,
        };
        let commit = sha(version.0);
        for fact in [
            Fact::VersionClosed {
                version,
                number: number.clone(),
                commit: commit.clone(),
                content: content.to_vec(),
                kept: Vec::new(),
                closed_by: None,
                around: Vec::new(),
                manifest: None,
                through_freeze: None,
            },
            Fact::VersionOpened {
                version: VersionId(version.0 + 1),
            },
            Fact::VersionReleased {
                version,
                number,
                commit,
                features: Vec::new(),
            },
        ] {
            self.add(version.0, fact);
        }
    }

    /// Writes it as the product would have: a base of its state, and the package that was archived last.
    fn write(&self, stage: &Stage) {
        let slot = self.events.len() as u64;
        let gone: BTreeSet<MergeRequestId> =
            (1..=self.count).map(|number| self.id(number)).collect();
        let state = Yard::of(&self.events).without_the_past(&gone, &Rules::default());
        let checkpoint = Checkpoint::of(&state, slot, self.at).unwrap();
        let clock = Shifted::default();
        let client = client(stage, &clock);
        let journal = journal(stage, &client, &clock, "past");
        let holding = Holding {
            from: slot - 49,
            to: slot,
            number: None,
            digest: "0123456789ab".into(),
        };
        journal.pack(&holding, "", &checkpoint).unwrap();
        assert!(journal.set_base(1, &checkpoint).unwrap());
        journal
            .note_cleared(1, Cleared { at: self.at, slot })
            .unwrap();
    }
}

/// The requests of every job, and of every command that people give, after a past of so many change sets.
fn costs(past: u64) -> BTreeMap<String, usize> {
    let mut stage = Stage::new();
    Past::of(project(&stage), past).write(&stage);
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage.world.emulator.clear_requests();
    let mut costs = BTreeMap::new();
    for command in [&["queue", "--json"][..], &["version", "--json"], &["tick"]] {
        let before = stage.world.emulator.requests().len();
        let said = stage.gate(command);
        assert_eq!(said.code, Some(0), "{}", said.said);
        let requests = stage.world.emulator.requests().len() - before;
        costs.insert(command.join(" "), requests);
    }
    stage.world.emulator.clear_requests();
    stage.integrate("ana", iid);
    stage.run();
    assert_eq!(stage.state(iid), "merged");
    let main = stage.newest_of_main();
    let prepared = stage.play_in("rita", main, "release-prepare").unwrap();
    assert_eq!(prepared.exit_code, Some(0), "{}", prepared.trace);
    stage.run();
    assert!(
        stage.last("release-publish").trace.contains("is released"),
        "{}",
        stage.last("release-publish").trace
    );
    for entry in stage.world.emulator.requests() {
        if let Some(job) = &entry.job {
            *costs.entry(job.name.clone()).or_default() += 1;
        }
    }
    costs
}

#[test]
fn ten_thousand_past_change_sets_cost_as_many_requests_as_ten() {
    let (mut few, mut many) = (costs(10), costs(10_000));
    for job in [
        "nrt-admit",
        "nrt-acquire",
        "append-to-version",
        "nrt-release-fallback",
        "release-prepare",
        "release-publish",
        "tick",
        "queue --json",
    ] {
        assert!(many.contains_key(job), "{job}: {many:?}");
    }
    // Merge requests of a few days that no remembered version holds are asked about once more, if there are any.
    let publish = [&mut few, &mut many].map(|costs| costs.remove("release-publish").unwrap());
    assert!(publish[1] <= publish[0] + 1, "{publish:?}");
    assert_eq!(few, many);
}

#[test]
fn a_tick_reads_one_page_for_less_than_a_hundred_variables_and_asks_nothing_of_the_archive() {
    let stage = Stage::new();
    Past::of(project(&stage), 10).write(&stage);
    lengthen_log(&stage, 0..20);
    assert!(keys(&stage).len() > 20);
    stage.world.emulator.clear_requests();
    tick(&stage);
    let all = stage.world.emulator.requests();
    assert!(
        all.iter().all(|entry| !entry.path.contains("packages")),
        "{all:#?}"
    );
    assert!(all.len() <= 6, "{all:#?}");
}
