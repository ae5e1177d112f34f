//! Who holds the environment when many want it: `cargo bench --bench lease [-- GRANTS PROCESSES]`, 10,000 grants and 8 processes
//! unless it is told otherwise, on both backends.
//!
//! Each process is a program of its own that takes the lease as a worker does (reads the log, asks whether it may, records the
//! grant), enters the environment, leaves it, and gives the lease back. Entering and leaving are lines of one file, appended in one
//! write each. Afterwards the lines tell: never two inside, each epoch once and in order, and nobody starved.
//!
//! A log of the `gitlab` backend is bounded by the number of CI variables that a project may have, so after a number of grants the
//! processes go on with the log of another environment of another project.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]
#![expect(clippy::print_stdout, reason = "the figures are the result")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use trainyard::clock::SystemClock;
use trainyard::config::ci::Secret;
use trainyard::domain::event::{Event, Fact};
use trainyard::domain::ids::{JobId, PipelineId, ProjectPath};
use trainyard::domain::nrt::{Abandoned, hold};
use trainyard::domain::nrt::{Grant, Held, Holder, Liveness, grant, release};
use trainyard::domain::yard::Yard;
use trainyard::folder::FolderJournal;
use trainyard::gitlab::client::{Client, Token};
use trainyard::gitlab::state::VariableJournal;
use trainyard::ports::{Append, Clock, Journal, Log};
use trainyard_emulator::{Emulator, Options};

const GRANTS: u64 = 10_000;
const PROCESSES: u64 = 8;
/// Grants in one log before the next one.
const A_LOG: u64 = 40;

static CLOCK: SystemClock = SystemClock;

fn main() {
    // `cargo bench` adds `--bench`.
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    match &given[..] {
        [role, rest @ ..] if role == "fight" => fight(rest),
        [grants, processes] => measure(grants.parse().unwrap(), processes.parse().unwrap()),
        [grants] => measure(grants.parse().unwrap(), PROCESSES),
        _ => measure(GRANTS, PROCESSES),
    }
}

fn measure(grants: u64, processes: u64) {
    println!("{grants} grants fought over by {processes} processes");
    let folder = tempfile::tempdir().unwrap();
    round("dir", grants, processes, folder.path(), "", "");
    let emulator = Emulator::start(Options::default()).unwrap();
    let logs = grants.div_ceil(A_LOG);
    let client = client(emulator.url(), emulator.root_token());
    for log in 1..=logs {
        let made = client.send(&Create(format!("log-{log}"))).unwrap();
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let folder = tempfile::tempdir().unwrap();
    round(
        "gitlab",
        grants,
        processes,
        folder.path(),
        emulator.url(),
        emulator.root_token(),
    );
    assert_eq!(emulator.unknown_requests(), []);
}

/// Starts the processes, waits for them, and judges what they wrote.
fn round(backend: &str, grants: u64, processes: u64, folder: &Path, url: &str, token: &str) {
    let began = Instant::now();
    let program = std::env::current_exe().unwrap();
    let children: Vec<Child> = (1..=processes)
        .map(|process| {
            Command::new(&program)
                .args(["fight", backend, &process.to_string(), &grants.to_string()])
                .arg(folder)
                .args([url, token])
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success(), "a process failed");
    }
    let took = began.elapsed();
    let text = fs::read_to_string(folder.join("marks")).unwrap();
    let verdict = judge(&text, grants, processes);
    println!(
        "{backend:>6}: {grants} grants in {:.1} s ({:.2} ms a grant); never two holders; shares {}-{} (fair: {}); the longest that one process waited while it wanted it: {} grants of others",
        took.as_secs_f64(),
        took.as_secs_f64() * 1_000.0 / grants as f64,
        verdict.least,
        verdict.most,
        grants / processes,
        verdict.longest_wait
    );
}

struct Verdict {
    least: u64,
    most: u64,
    longest_wait: u64,
}

/// Every line is `enter|leave LOG EPOCH PROCESS`.
fn judge(text: &str, grants: u64, processes: u64) -> Verdict {
    let mut inside: Option<(u64, u64, u64)> = None;
    let mut last = (1, 0);
    let mut shares = vec![0u64; usize::try_from(processes).unwrap() + 1];
    let mut since = shares.clone();
    let (mut entered, mut longest_wait) = (0, 0);
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, log, epoch, process] = words[..] else {
            panic!("two processes wrote into one line: `{line}`")
        };
        let who = (
            log.parse::<u64>().unwrap(),
            epoch.parse::<u64>().unwrap(),
            process.parse::<u64>().unwrap(),
        );
        match what {
            "enter" => {
                assert_eq!(inside, None, "{who:?} entered beside it");
                let next = [(last.0, last.1 + 1), (last.0 + 1, 1)];
                assert!(
                    next.contains(&(who.0, who.1)),
                    "{who:?} came after {last:?}"
                );
                (last, inside) = ((who.0, who.1), Some(who));
                entered += 1;
                let index = usize::try_from(who.2).unwrap();
                shares[index] += 1;
                longest_wait = longest_wait.max(since[index]);
                for wait in &mut since {
                    *wait += 1;
                }
                since[index] = 0;
            }
            "leave" => assert_eq!(inside.take(), Some(who), "another one left"),
            other => panic!("`{other}`"),
        }
    }
    assert_eq!((inside, entered), (None, grants));
    let of_processes = &shares[1..];
    let (least, most) = (
        *of_processes.iter().min().unwrap(),
        *of_processes.iter().max().unwrap(),
    );
    assert!(
        least >= grants / processes / 2,
        "somebody starved: {of_processes:?}"
    );
    Verdict {
        least,
        most,
        longest_wait,
    }
}

/// One process: takes the lease of one log after the other until all grants are given.
fn fight(given: &[String]) {
    let [backend, process, grants, folder, url, token] = given else {
        panic!("started by the benchmark only")
    };
    let (process, grants) = (
        process.parse::<u64>().unwrap(),
        grants.parse::<u64>().unwrap(),
    );
    let folder = PathBuf::from(folder);
    let marks = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("marks"))
        .unwrap();
    let connection = (backend == "gitlab").then(|| client(url, token));
    let mut random = fastrand::Rng::with_seed(process);
    for log in 1..=grants.div_ceil(A_LOG) {
        let most = A_LOG.min(grants - (log - 1) * A_LOG);
        let dir;
        let variables;
        let journal: &dyn Journal = match &connection {
            Some(client) => {
                variables = VariableJournal::new(client, &CLOCK, log, "nrt", &process.to_string());
                &variables
            }
            None => {
                dir = FolderJournal::open(&folder.join(format!("log-{log}"))).unwrap();
                &dir
            }
        };
        Fighter {
            journal,
            log,
            process,
            marks: &marks,
        }
        .until(most, &mut random);
    }
}

struct Fighter<'a> {
    journal: &'a dyn Journal,
    log: u64,
    process: u64,
    marks: &'a File,
}

impl Fighter<'_> {
    fn until(&self, most: u64, random: &mut fastrand::Rng) {
        let mut seen = self.journal.read().unwrap();
        loop {
            let yard = Yard::of(&seen.events);
            let given = yard.nrt.epoch.map_or(0, |epoch| epoch.0);
            if yard.nrt.lease.is_none() && given >= most {
                return;
            }
            let asked = grant(
                &yard.nrt,
                &self.holder(given + 1),
                Liveness::Running,
                CLOCK.now(),
                SignedDuration::from_hours(1),
            );
            if let Ok(Grant::New { held, facts }) = asked {
                match self.append(&seen, facts) {
                    Append::Lost(log) => {
                        seen = log;
                        continue;
                    }
                    Append::Recorded(log) => {
                        self.mark("enter", &held);
                        self.mark("leave", &held);
                        self.give_back(log, &held);
                    }
                }
            }
            // Whoever did not get it, or had it, comes again after a moment, as workers do; no two in step.
            CLOCK.wait(Duration::from_micros(random.u64(500..6_000)));
            seen = self.journal.read().unwrap();
        }
    }

    fn give_back(&self, mut log: Log, held: &Held) {
        loop {
            let yard = Yard::of(&log.events);
            assert!(hold(&yard.nrt, held.epoch()).is_ok(), "the lease was lost");
            match self.append(&log, release(&yard.nrt, held, Abandoned::NoVerdict)) {
                Append::Recorded(_) => return,
                Append::Lost(newer) => log = newer,
            }
        }
    }

    fn append(&self, on: &Log, facts: Vec<Fact>) -> Append {
        let project: ProjectPath = "shop/web".parse().unwrap();
        let events: Vec<Event> = facts
            .into_iter()
            .map(|fact| {
                Event::new(
                    &project,
                    Timestamp::UNIX_EPOCH,
                    None,
                    Some(JobId(self.process)),
                    fact,
                )
            })
            .collect();
        self.journal.append(on.revision, &events).unwrap()
    }

    fn holder(&self, number: u64) -> Holder {
        Holder {
            project: "shop/web".parse().unwrap(),
            pipeline: PipelineId(number * 1_000 + self.process),
            job: JobId(self.process),
            user: None,
        }
    }

    /// One write of one line at the end of the file: lines of several processes do not mix.
    fn mark(&self, what: &str, held: &Held) {
        let line = format!("{what} {} {} {}\n", self.log, held.epoch(), self.process);
        let mut marks = self.marks;
        marks.write_all(line.as_bytes()).unwrap();
    }
}

fn client(url: &str, token: &str) -> Client<'static> {
    let base = format!("{url}/api/v4/").parse().unwrap();
    Client::new(
        &base,
        Token::Gate,
        Secret::new(token.to_owned()),
        None,
        &CLOCK,
    )
    .unwrap()
}

/// Makes a project.
struct Create(String);

impl gitlab::api::Endpoint for Create {
    fn method(&self) -> http::Method {
        http::Method::POST
    }

    fn endpoint(&self) -> std::borrow::Cow<'static, str> {
        "projects".into()
    }

    fn parameters(&self) -> gitlab::api::QueryParams<'_> {
        let mut parameters = gitlab::api::QueryParams::default();
        parameters.push("name", self.0.as_str());
        parameters
    }
}
