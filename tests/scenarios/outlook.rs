//! `trainyard queue`: what a person wants to know of the queue now, in a job, on their own machine, or of a folder.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use trainyard::clock::SystemClock;
use trainyard::config::ci::Secret;
use trainyard::demo::world::Said;
use trainyard::domain::candidate::Postponed;
use trainyard::domain::event::{Event, Fact};
use trainyard::domain::ids::{
    CommitSha, Epoch, JobId, MergeRequestId, PipelineId, ProjectPath, TrialId, VersionId,
};
use trainyard::domain::integration::{ChangeSet, Priority};
use trainyard::domain::nrt::{Candidate, Holder};
use trainyard::domain::versioning::Appended;
use trainyard::domain::versioning::packages::Spread;
use trainyard::folder::FolderJournal;
use trainyard::gitlab::client::{Client, Token};
use trainyard::gitlab::state::VariableJournal;
use trainyard::ports::{Append, Clock, Journal};

use crate::stage::Stage;

/// A log that is told, not played: minutes from an instant on.
pub(crate) struct Told {
    pub(crate) start: Timestamp,
    pub(crate) events: Vec<Event>,
}

fn project() -> ProjectPath {
    "shop/web".parse().unwrap()
}

pub(crate) fn mr(iid: u64) -> MergeRequestId {
    let project = project();
    MergeRequestId { project, iid }
}

fn sha(n: u64) -> CommitSha {
    format!("{n:040x}").parse().unwrap()
}

impl Told {
    pub(crate) fn since(start: Timestamp) -> Self {
        Self {
            start,
            events: Vec::new(),
        }
    }

    fn add(&mut self, minute: i64, fact: Fact) {
        let at = self.start + SignedDuration::from_mins(minute);
        let job = JobId(self.events.len() as u64);
        let event = Event::new(&project(), at, None, Some(job), fact);
        self.events.push(event);
    }

    fn change_set(&self, minute: i64, iid: u64, title: &str, priority: Priority) -> ChangeSet {
        ChangeSet {
            merge_request: mr(iid),
            head: sha(iid),
            target: "main".parse().unwrap(),
            title: title.to_owned(),
            author: "ana".parse().unwrap(),
            links: Vec::new(),
            verdicts: Vec::new(),
            breaking: false,
            priority,
            requested_at: self.start + SignedDuration::from_mins(minute),
            requested_by: JobId(iid),
            note: None,
        }
    }

    pub(crate) fn queued(&mut self, minute: i64, iid: u64, title: &str, priority: Priority) {
        let change_set = self.change_set(minute, iid, title, priority);
        self.add(minute, Fact::ChangeSetQueued { change_set });
    }

    pub(crate) fn tried(&mut self, minute: i64, n: u64, iids: &[u64], postponed: &[u64]) {
        let holder = Holder {
            project: project(),
            pipeline: PipelineId(9_000 + n),
            job: JobId(9_000 + n),
            user: None,
        };
        let (epoch, trial) = (Epoch(n), TrialId(n));
        let until = self.start + SignedDuration::from_mins(minute + 240);
        self.add(
            minute,
            Fact::LeaseGranted {
                epoch,
                holder,
                until,
            },
        );
        for iid in iids.iter().chain(postponed) {
            let (merge_request, head) = (mr(*iid), sha(*iid));
            let fact = Fact::ChangeSetUnqueued {
                merge_request,
                head,
                trial,
            };
            self.add(minute, fact);
        }
        let candidate = Candidate {
            commit: sha(500_000 + n),
            base: sha(400_000 + n),
            reference: "refs/heads/trainyard/nrt".to_owned(),
        };
        let postponed = postponed.iter().map(|iid| Postponed {
            merge_request: mr(*iid),
            files: vec!["shop/book.price".to_owned()],
        });
        let fact = Fact::TrialStarted {
            trial,
            candidate,
            change_sets: iids.iter().map(|iid| mr(*iid)).collect(),
            placed: Vec::new(),
            postponed: postponed.collect(),
        };
        self.add(minute, fact);
    }

    pub(crate) fn passed(&mut self, minute: i64, n: u64, iids: &[u64]) {
        let trial = TrialId(n);
        self.add(minute, Fact::TrialValidated { trial });
        for iid in iids {
            let appended = Appended {
                change_set: self.change_set(minute, *iid, "", Priority::Normal),
                landed: sha(700_000 + iid),
                base: None,
                spread: Spread::default(),
                trial,
                at: self.start + SignedDuration::from_mins(minute),
            };
            let version = VersionId(1);
            self.add(minute, Fact::ChangeSetAppended { version, appended });
        }
        self.add(minute, Fact::LeaseReleased { epoch: Epoch(n) });
    }

    /// The trial was rejected; some of its change sets leave.
    pub(crate) fn failed(&mut self, minute: i64, n: u64, out: &[u64]) {
        let trial = TrialId(n);
        let (culprits, evidence) = (out.iter().map(|iid| mr(*iid)).collect(), String::new());
        self.add(
            minute,
            Fact::TrialRejected {
                trial,
                culprits,
                evidence,
            },
        );
        for iid in out {
            let (merge_request, head) = (mr(*iid), sha(*iid));
            let reason = "`nrt-tests` failed".to_owned();
            let fact = Fact::ChangeSetRejected {
                merge_request,
                head,
                trial,
                reason,
                evidence: None,
                failures: Vec::new(),
            };
            self.add(minute, fact);
        }
        self.add(minute, Fact::LeaseReleased { epoch: Epoch(n) });
    }

    fn into_folder(self, folder: &Path) {
        let journal = FolderJournal::open(folder).unwrap();
        let appended = journal.append(0, &self.events).unwrap();
        assert!(matches!(appended, Append::Recorded(_)));
    }
}

/// Puts a history into the project's own log.
fn record(stage: &Stage, events: &[Event]) {
    let server = format!("{}/api/v4/", stage.world.emulator.url());
    let token = Secret::new(stage.world.token("root").unwrap().to_owned());
    let base = server.parse().unwrap();
    let client = Client::new(&base, Token::Gate, token, None, &SystemClock).unwrap();
    let project = stage.world.read("root", &stage.world.at("")).unwrap();
    let id = project["id"].as_u64().unwrap();
    let journal = VariableJournal::new(&client, &SystemClock, id, "nrt", "history");
    let appended = journal.append(0, events).unwrap();
    assert!(matches!(appended, Append::Recorded(_)));
}

/// Twenty trials of about half an hour, one of them rejected; then a trial that began a quarter of an hour ago, and a queue behind it.
pub(crate) fn busy(now: Timestamp, title: &str) -> Told {
    let mut told = Told::since(now - SignedDuration::from_mins(20 * 40 + 15));
    for n in 1..=20i64 {
        let (iid, minute) = (n.unsigned_abs(), n * 40 - 40);
        told.queued(minute, iid, title, Priority::Normal);
        told.tried(minute + 1, iid, &[iid], &[]);
        let length = 24 + (n * 7) % 12;
        if n == 9 {
            told.failed(minute + length, iid, &[iid]);
        } else {
            told.passed(minute + length, iid, &[iid]);
        }
    }
    told.queued(760, 101, title, Priority::Normal);
    told.queued(770, 102, title, Priority::Normal);
    told.queued(780, 103, title, Priority::Normal);
    told.tried(800, 21, &[101, 102], &[103]);
    told.queued(805, 104, title, Priority::Low);
    for n in 0..18u64 {
        let minute = 806 + i64::try_from(n / 3).unwrap();
        told.queued(minute, 110 + n, title, Priority::Normal);
    }
    told.queued(810, 200, "Repair the till", Priority::Hotfix);
    told
}

fn of_folder(stage: &Stage, folder: &Path, arguments: &[&str]) -> Said {
    let state = format!("dir:{}", folder.display());
    let all: Vec<&str> = ["--state", &state, "queue"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    stage.world.program(&[], &all).unwrap()
}

#[test]
fn a_folder_is_read_without_a_gitlab_and_tells_ranks_reasons_and_times() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    busy(SystemClock.now(), "Pay by card").into_folder(folder.path());
    let said = of_folder(&stage, folder.path(), &[]);
    assert_eq!(said.code, Some(0), "{}", said.said);
    let lines: Vec<&str> = said.said.lines().collect();
    assert!(
        lines[0].starts_with("NRT environment: held by pipeline 9021 (job 9021, lease 21) since "),
        "{}",
        said.said
    );
    assert!(
        lines[1].starts_with("Trial 21: !101, !102 at ") && lines[1].contains("; lands "),
        "{}",
        said.said
    );
    assert_eq!(lines[2], "Queue: 21 waiting");
    assert!(
        lines[3].starts_with("  1. !200  hotfix") && lines[3].contains(" at 85 %"),
        "{}",
        said.said
    );
    assert_eq!(
        lines[4].trim(),
        "waits: it is among the next; trial 21 has the environment"
    );
    assert!(
        lines[5].starts_with("  2. !103") && lines[6].contains("shop/book.price"),
        "{}",
        said.said
    );
    let last = lines.iter().position(|line| line.contains("!104")).unwrap();
    assert!(
        lines[last].starts_with(" 21. !104  low")
            && lines[last + 1].contains("20 others are ahead"),
        "{}",
        said.said
    );
    assert!(
        said.said.contains("from the last 20 trials (UTC)"),
        "{}",
        said.said
    );
}

#[test]
fn the_same_for_programs() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    let now = SystemClock.now();
    busy(now, "Pay by card").into_folder(folder.path());
    let said = of_folder(&stage, folder.path(), &["--json"]).said;
    let json: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["environment"]["service"], "not_asked");
    assert_eq!(
        (&json["forecast"]["state"], &json["forecast"]["trials"]),
        (&"given".into(), &20.into())
    );
    let at = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let tickets = json["tickets"].as_array().unwrap();
    assert_eq!(tickets.len(), 21);
    for ticket in tickets {
        let (p50, p85) = (at(&ticket["landing"]["p50"]), at(&ticket["landing"]["p85"]));
        assert!(now < p50 && p50 <= p85, "{ticket}");
        assert!(!ticket["reasons"].as_array().unwrap().is_empty());
    }
    let trial = &json["trial"]["landing"];
    assert!(at(&trial["p50"]) < at(&tickets[0]["landing"]["p50"]));
    assert_eq!(tickets[1]["reasons"][1]["kind"], "neighbour");
}

#[test]
fn with_few_trials_places_are_told_and_no_times() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run_but("nrt-tests");
    let other = stage.merge_request("dan", "contributes to feature #1");
    stage.integrate("dan", other);
    stage.run_but("nrt-tests");
    let said = stage.gate(&["queue"]).said;
    for part in [
        "its run is there",
        "Trial 1: !1 at ",
        "  1. !2  normal",
        "waits: it is among the next; trial 1 has the environment",
        "no times yet: there is too little to go by (n = 0 trials",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let worker = stage.queue()["environment"]["lease"]["pipeline"]
        .as_u64()
        .unwrap();
    stage.cancel(worker);
    let said = stage.gate(&["queue"]).said;
    for part in [
        "its run is over and gave nothing back",
        "waits: the run that has the environment is over; it is among the next",
        "no times now: nobody serves the queue",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

/// A project whose log tells of twenty trials already.
#[test]
fn whoever_joins_reads_rank_who_is_ahead_and_when_it_may_land() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let now = SystemClock.now();
    let mut told = Told::since(now - SignedDuration::from_mins(20 * 40 + 10));
    for n in 1..=20i64 {
        let (iid, minute) = (500 + n.unsigned_abs(), n * 40 - 40);
        let trial = n.unsigned_abs();
        told.queued(minute, iid, "Before", Priority::Normal);
        told.tried(minute + 1, trial, &[iid], &[]);
        told.passed(minute + 31, trial, &[iid]);
    }
    record(&stage, &told.events);
    let first = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", first);
    stage.run_but("nrt-tests");
    let second = stage.merge_request("dan", "contributes to feature #1");
    stage.integrate("dan", second);
    stage.run_but("nrt-tests");
    let trace = stage.last("nrt-admit").trace;
    for part in [
        "!2 joined the queue: rank 1",
        "ahead of it: nobody",
        "expected to land ",
        " at 85 % (UTC), if it passes",
    ] {
        assert!(trace.contains(part), "{part}\n{trace}");
    }
    let note = &stage.notes(second)[0];
    assert!(
        note.contains("It is next. Expected to land ")
            && note.contains(" at 85 % (UTC), if it passes."),
        "{note}"
    );
    assert_eq!(stage.queue()["forecast"]["trials"], 20);
    stage.run();
    assert_eq!(stage.state(second), "merged");
}

#[test]
fn a_queue_that_nobody_serves_says_so() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run_but("nrt-admit");
    assert_eq!(stage.play("ana", iid, "integrate").exit_code, Some(0));
    let started = stage
        .world
        .read("rita", &stage.world.at("pipelines?ref=main&source=trigger"))
        .unwrap();
    stage.cancel(started[0]["id"].as_u64().unwrap());
    assert_eq!(stage.admit(iid).code, Some(0));
    let said = stage.gate(&["queue"]).said;
    assert!(
        said.contains(
            "free; nobody is on the way; press `integrate` again, or run `trainyard tick`"
        ) && said.contains("waits: nobody serves the queue"),
        "{said}"
    );
    assert_eq!(stage.queue()["environment"]["service"], "nobody");
}

#[test]
fn a_person_needs_a_server_a_project_and_a_token_only() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run_but("nrt-tests");
    let server = stage.world.emulator.url().to_owned();
    let token = stage.world.token("root").unwrap().to_owned();
    let with = [("TRAINYARD_GATE_TOKEN".to_owned(), token)];
    let ask = |environment: &[(String, String)], project: &str| {
        let arguments = ["--server", &server, "queue", "--project", project];
        stage.world.program(environment, &arguments).unwrap()
    };
    let said = ask(&with, "shop/web");
    assert_eq!(said.code, Some(0), "{}", said.said);
    assert!(said.said.contains("Trial 1: !1 at "), "{}", said.said);
    let unknown = ask(&with, "shop/nowhere");
    assert_eq!(unknown.code, Some(4), "{}", unknown.said);
    let nowhere = ["queue", "--project", "shop/web"];
    let nowhere = stage.world.program(&with, &nowhere).unwrap();
    assert_eq!(nowhere.code, Some(2));
    assert!(
        nowhere.said.contains("`--project` needs `--server`"),
        "{}",
        nowhere.said
    );
    let without = ask(&[], "shop/web");
    assert_eq!(without.code, Some(2));
    assert!(
        without.said.contains("`TRAINYARD_GATE_TOKEN` is not set"),
        "{}",
        without.said
    );
}

#[test]
fn a_folder_that_is_not_there_is_named_and_not_made() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("typo");
    let said = of_folder(&stage, &missing, &[]);
    assert_eq!(said.code, Some(2), "{}", said.said);
    assert!(said.said.contains("typo") && said.said.contains("--state dir:PATH"));
    assert!(!missing.exists());
}

#[test]
fn the_page_is_one_file_that_needs_nothing_else_whatever_people_wrote() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    let hostile =
        "</td></title></style><script>alert(1)</script>'\"><img src=x onerror=alert(1)>\u{202e}";
    busy(SystemClock.now(), hostile).into_folder(folder.path());
    let file = folder.path().join("public/queue.html");
    let said = of_folder(&stage, folder.path(), &["--html", file.to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{}", said.said);
    assert!(said.said.contains("wrote `"), "{}", said.said);
    let page = std::fs::read_to_string(&file).unwrap();
    for forbidden in [
        "<script", "<img", "url(http", "@import", "<link", "\u{202e}",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for wanted in [
        "The queue of nrt",
        "default-src 'none'",
        "&lt;script&gt;",
        "role=\"img\"",
        "<caption>Who waits, in the order of service</caption>",
        "20 others are ahead of it",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
}
