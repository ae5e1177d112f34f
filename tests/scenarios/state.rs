//! One contract for the log, which both backends keep.

use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use jiff::Timestamp;
use trainyard::config::ci::Secret;
use trainyard::domain::event::{Event, Fact};
use trainyard::domain::ids::{JobId, ProjectPath, TrialId};
use trainyard::folder::FolderJournal;
use trainyard::gitlab::client::{Client, Token};
use trainyard::gitlab::state::VariableJournal;
use trainyard::outcome::ExitCode;
use trainyard::ports::{Append, Clock, Journal};
use trainyard_emulator::faults::{BEFORE_VARIABLE_INSERT, BEFORE_VARIABLE_RECHECK, Effect, Rule};
use trainyard_emulator::{Emulator, Options};

/// A clock that never waits: what GitLab works out in the background is there at once.
#[derive(Debug)]
struct Hasty;

impl Clock for Hasty {
    #[expect(
        clippy::disallowed_methods,
        reason = "two attempts must differ by their instant"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self, _time: Duration) {}
}

fn event(trial: u64) -> Event {
    let project: ProjectPath = "shop/web".parse().unwrap();
    Event::new(
        &project,
        Timestamp::UNIX_EPOCH,
        None,
        Some(JobId(1)),
        Fact::TrialValidated {
            trial: TrialId(trial),
        },
    )
}

fn recorded(append: Append) -> u64 {
    match append {
        Append::Recorded(log) => log.revision,
        Append::Lost(log) => panic!("lost at revision {}", log.revision),
    }
}

/// The contract.
fn keeps_the_contract(journal: &dyn Journal, other: &dyn Journal) {
    assert_eq!(journal.read().unwrap().revision, 0, "a new log is empty");
    assert_eq!(
        recorded(journal.append(0, &[event(1), event(2)]).unwrap()),
        1,
        "an entry may hold several events"
    );
    assert_eq!(
        other.read().unwrap().events,
        [event(1), event(2)],
        "everybody reads the same"
    );
    let Append::Lost(log) = other.append(0, &[event(3)]).unwrap() else {
        panic!("decided on an old view")
    };
    assert_eq!(
        (log.revision, log.events.len()),
        (1, 2),
        "the loser learns what is there, and nothing of its own is"
    );
    assert_eq!(recorded(other.append(1, &[event(3)]).unwrap()), 2);
    let long: Vec<Event> = (10..210).map(event).collect();
    assert_eq!(
        recorded(journal.append(2, &long).unwrap()),
        3,
        "an entry longer than a variable may be"
    );
    assert_eq!(other.read().unwrap().events.len(), 203);
    assert_eq!(other.read().unwrap().events[3..], long);
}

/// Whoever appends, every entry is in once, in one order. `with` gives each writer a journal of its own.
fn puts_writers_in_order(
    writers: u64,
    each: u64,
    with: impl Fn(u64, &dyn Fn(&dyn Journal)) + Sync,
) {
    let start = Barrier::new(usize::try_from(writers).unwrap());
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let (start, with) = (&start, &with);
            scope.spawn(move || {
                with(writer, &|journal| {
                    start.wait();
                    let mut revision = 0;
                    for n in 0..each {
                        let mine = event(writer * 1_000 + n);
                        loop {
                            match journal
                                .append(revision, std::slice::from_ref(&mine))
                                .unwrap()
                            {
                                Append::Recorded(log) => {
                                    revision = log.revision;
                                    break;
                                }
                                Append::Lost(log) => revision = log.revision,
                            }
                        }
                    }
                });
            });
        }
    });
    with(99, &|journal| {
        let log = journal.read().unwrap();
        let mut ids: Vec<&str> = log.events.iter().map(|event| event.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(
            (ids.len() as u64, log.revision),
            (writers * each, writers * each)
        );
    });
}

/// An embedded GitLab with one empty project, and connections to it.
struct Server {
    emulator: Emulator,
}

static CLOCK: Hasty = Hasty;

impl Server {
    fn start() -> Self {
        let server = Self {
            emulator: Emulator::start(Options::default()).unwrap(),
        };
        let project = server.client().send(&Create).unwrap();
        assert_eq!(project.status, 201, "{}", project.text());
        server
    }

    fn client(&self) -> Client<'static> {
        let base = format!("{}/api/v4/", self.emulator.url()).parse().unwrap();
        Client::new(
            &base,
            Token::Gate,
            Secret::new(self.emulator.root_token().to_owned()),
            None,
            &CLOCK,
        )
        .unwrap()
    }

    fn journal<'a>(client: &'a Client<'static>, writer: &str) -> VariableJournal<'a> {
        VariableJournal::new(client, &CLOCK, 1, "nrt", writer)
    }
}

struct Create;

impl gitlab::api::Endpoint for Create {
    fn method(&self) -> http::Method {
        http::Method::POST
    }

    fn endpoint(&self) -> std::borrow::Cow<'static, str> {
        "projects".into()
    }

    fn parameters(&self) -> gitlab::api::QueryParams<'_> {
        let mut parameters = gitlab::api::QueryParams::default();
        parameters.push("name", "state");
        parameters
    }
}

#[test]
fn a_log_in_variables_keeps_the_contract() {
    let server = Server::start();
    let (one, other) = (server.client(), server.client());
    keeps_the_contract(
        &Server::journal(&one, "one"),
        &Server::journal(&other, "other"),
    );
    assert_eq!(server.emulator.unknown_requests(), []);
}

#[test]
fn a_log_in_a_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let open = || FolderJournal::open(folder.path()).unwrap();
    keeps_the_contract(&open(), &open());
}

#[test]
fn writers_of_a_log_in_variables_are_put_in_order() {
    let server = Server::start();
    puts_writers_in_order(4, 5, |writer, work| {
        let client = server.client();
        work(&Server::journal(&client, &writer.to_string()));
    });
}

#[test]
fn writers_of_a_log_in_a_folder_are_put_in_order() {
    let folder = tempfile::tempdir().unwrap();
    puts_writers_in_order(4, 25, |_, work| {
        work(&FolderJournal::open(folder.path()).unwrap())
    });
}

/// The route by which entries are made.
const CREATE: (&str, &str) = ("POST", "projects/:id/variables");

#[test]
fn a_lost_answer_is_looked_up_and_never_written_twice() {
    let answer = |status| Effect::Answer {
        status,
        body: serde_json::json!({"message": "500 Internal Server Error"}),
    };
    for (effect, stored) in [
        (Effect::ResetAfter, true),
        (Effect::ResetBefore, false),
        (answer(500), false),
        (Effect::Html { status: 502 }, false),
    ] {
        let server = Server::start();
        let client = server.client();
        let journal = Server::journal(&client, "one");
        let shown = format!("{effect:?}");
        server
            .emulator
            .faults()
            .add(Rule::new(effect).on(CREATE.0, CREATE.1));
        match journal.append(0, &[event(1)]).unwrap() {
            Append::Recorded(log) => assert!(stored && log.revision == 1, "{shown}"),
            Append::Lost(log) => assert!(
                !stored && log.revision == 0,
                "{shown}: a claim that was not stored is no claim"
            ),
        }
        assert_eq!(
            journal.read().unwrap().events.len(),
            usize::from(stored),
            "{shown}"
        );
    }
}

/// Any other variable of the project.
struct Other(u32);

impl gitlab::api::Endpoint for Other {
    fn method(&self) -> http::Method {
        http::Method::POST
    }

    fn endpoint(&self) -> std::borrow::Cow<'static, str> {
        "projects/1/variables".into()
    }

    fn parameters(&self) -> gitlab::api::QueryParams<'_> {
        let mut parameters = gitlab::api::QueryParams::default();
        parameters.push("key", format!("OTHER_{}", self.0));
        parameters.push("value", "something");
        parameters
    }
}

/// A page of them.
struct Listed(u64);

impl gitlab::api::Endpoint for Listed {
    fn method(&self) -> http::Method {
        http::Method::GET
    }

    fn endpoint(&self) -> std::borrow::Cow<'static, str> {
        "projects/1/variables".into()
    }

    fn parameters(&self) -> gitlab::api::QueryParams<'_> {
        let mut parameters = gitlab::api::QueryParams::default();
        parameters.push("per_page", 100u64);
        parameters.push("page", self.0);
        parameters
    }
}

/// Of 101 variables one is removed between two pages: those that come fill a page, and one is in neither.
#[test]
fn as_many_variables_as_fill_a_page_are_read_again_where_one_of_them_is_missed() {
    let server = Server::start();
    let client = server.client();
    for number in 0..98 {
        assert_eq!(client.send(&Other(number)).unwrap().status, 201);
    }
    let journal = Server::journal(&client, "one");
    for trial in 0..3 {
        recorded(journal.append(trial, &[event(trial)]).unwrap());
    }
    let mut seen: Vec<serde_json::Value> = client.list(9, |number| Ok(Listed(number))).unwrap();
    assert_eq!(seen.len(), 101);
    seen.retain(|variable| variable["key"] != "TRAINYARD_LOG_000002");
    let missed = Effect::Answer {
        status: 200,
        body: seen.into(),
    };
    let once = Rule::new(missed).on("GET", CREATE.1).times(1);
    server.emulator.faults().add(once);
    let log = Server::journal(&client, "other").read().unwrap();
    assert_eq!(log.events.len(), 3);
}

#[test]
fn a_created_answer_for_what_was_not_stored_does_not_deceive() {
    let server = Server::start();
    let client = server.client();
    let (one, other) = (
        Server::journal(&client, "one"),
        Server::journal(&client, "other"),
    );
    recorded(one.append(0, &[event(1)]).unwrap());
    server
        .emulator
        .faults()
        .add(Rule::new(Effect::Phantom).at(BEFORE_VARIABLE_RECHECK));
    assert!(
        matches!(other.append(0, &[event(2)]).unwrap(), Append::Lost(_)),
        "201 is not proof"
    );
}

#[test]
fn of_two_that_write_in_the_same_instant_one_wins_and_the_other_knows() {
    let server = Server::start();
    server.emulator.faults().add(
        Rule::new(Effect::Rendezvous { parties: 2 })
            .at(BEFORE_VARIABLE_INSERT)
            .times(2),
    );
    let outcomes: Vec<bool> = std::thread::scope(|scope| {
        let attempt = |n: u64| {
            let server = &server;
            scope.spawn(move || {
                let client = server.client();
                matches!(
                    Server::journal(&client, &n.to_string())
                        .append(0, &[event(n)])
                        .unwrap(),
                    Append::Recorded(_)
                )
            })
        };
        let both = [attempt(1), attempt(2)];
        both.map(|thread| thread.join().unwrap()).to_vec()
    });
    assert_eq!(outcomes.iter().filter(|won| **won).count(), 1);
    let statuses: Vec<u16> = server
        .emulator
        .requests()
        .iter()
        .filter(|r| r.method == "POST" && r.path.contains("variables"))
        .map(|r| r.status)
        .collect();
    assert!(
        statuses.contains(&500),
        "the race was the database's: {statuses:?}"
    );
}

#[test]
fn a_damaged_entry_is_named_and_nothing_is_written_behind_it() {
    let server = Server::start();
    let client = server.client();
    let journal = Server::journal(&client, "one");
    for n in 0..3 {
        recorded(journal.append(n, &[event(n)]).unwrap());
    }
    assert_eq!(client.send(&Garble).unwrap().status, 200);
    let problem = journal.append(3, &[event(9)]).unwrap_err();
    assert_eq!(problem.code, ExitCode::Misconfigured);
    assert!(
        problem.hint.contains("trainyard repair"),
        "{}",
        problem.hint
    );
    assert!(
        problem.what.contains("TRAINYARD_LOG_000002") && problem.what.contains("damaged"),
        "{}",
        problem.what
    );
}

/// Somebody edits an entry by hand.
struct Garble;

impl gitlab::api::Endpoint for Garble {
    fn method(&self) -> http::Method {
        http::Method::PUT
    }

    fn endpoint(&self) -> std::borrow::Cow<'static, str> {
        "projects/1/variables/TRAINYARD_LOG_000002".into()
    }

    fn parameters(&self) -> gitlab::api::QueryParams<'_> {
        let mut parameters = gitlab::api::QueryParams::default();
        parameters
            .push("filter[environment_scope]", "trainyard/nrt/log")
            .push("value", "{oops");
        parameters
    }
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let journal = FolderJournal::open(folder.path()).unwrap();
    recorded(journal.append(0, &[event(1)]).unwrap());
    std::fs::write(folder.path().join("000001.ndjson"), "{").unwrap();
    let problem = journal.read().unwrap_err();
    assert!(problem.what.contains("000001.ndjson"), "{}", problem.what);
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_the_mend() {
    let problem = FolderJournal::open(Path::new("/proc/trainyard")).unwrap_err();
    assert_eq!(problem.code, ExitCode::Misconfigured);
    assert!(
        problem.what.contains("/proc/trainyard") && problem.hint.contains("disk"),
        "{}",
        problem.full_text()
    );
}
