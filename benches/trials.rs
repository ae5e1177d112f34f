//! What choosing and concluding a trial costs while many wait: `cargo bench --bench trials`. Budget for 1,000 tickets: 10 ms, which
//! is nothing beside one request to GitLab.
//!
//! Beside it ten times fewer and ten times more: ten times the tickets may take about ten times the time.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]
#![expect(clippy::print_stdout, reason = "the figures are the result")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use trainyard::domain::event::{Event, Fact};
use trainyard::domain::freezes::Freezes;
use trainyard::domain::ids::{JobId, MergeRequestId, ProjectPath};
use trainyard::domain::integration::{ChangeSet, Priority};
use trainyard::domain::trials::{Policy, Search, Verdict, Waiting};
use trainyard::domain::yard::Yard;

const RUNS: usize = 21;
const SIZES: [u64; 3] = [100, 1_000, 10_000];
/// The size that the budget is for.
const USUAL_MOST: u64 = 1_000;
const BUDGET: Duration = Duration::from_millis(10);

fn main() {
    println!("median of {RUNS} runs, one strike, batches of at most 32");
    println!(
        "{:<44}{:>12}{:>12}{:>12}",
        "waiting", SIZES[0], SIZES[1], SIZES[2]
    );
    type Case = (&'static str, fn(&Made) -> Duration);
    let cases: [Case; 5] = [
        ("choose of a fresh queue", |made| {
            median(|| made.search.choose(&made.waiting, &made.policy).len())
        }),
        ("choose while a bad one is searched", |made| {
            median(|| made.searching.choose(&made.waiting, &made.policy).len())
        }),
        ("conclude a rejected trial", |made| {
            let rejected = Verdict::Rejected { named: Vec::new() };
            median(|| {
                made.search
                    .conclude(&made.tried, &rejected, &made.policy)
                    .0
                    .reject
                    .len()
            })
        }),
        ("conclude a validated trial of a search", |made| {
            median(|| {
                made.searching
                    .conclude(&made.half, &Verdict::Validated, &made.policy)
                    .0
                    .land
                    .len()
            })
        }),
        ("the next trial of a whole yard", |made| {
            let now = Timestamp::UNIX_EPOCH;
            median(|| {
                made.yard
                    .next_trial(&made.policy, &Freezes::default(), now)
                    .len()
            })
        }),
    ];
    let made = SIZES.map(Made::of);
    for (name, case) in cases {
        let times = made.each_ref().map(case);
        let usual = SIZES.iter().position(|size| *size == USUAL_MOST).unwrap();
        let over = if times[usual] > BUDGET {
            "  over the budget"
        } else {
            ""
        };
        let [few, some, many] = times.map(|time| format!("{:.3} ms", time.as_secs_f64() * 1_000.0));
        println!("{name:<44}{few:>12}{some:>12}{many:>12}{over}");
    }
}

/// A queue, and what a trial of its first change sets taught.
struct Made {
    policy: Policy,
    yard: Yard,
    waiting: Vec<Waiting<MergeRequestId>>,
    search: Search<MergeRequestId>,
    searching: Search<MergeRequestId>,
    tried: Vec<MergeRequestId>,
    half: Vec<MergeRequestId>,
}

impl Made {
    fn of(size: u64) -> Self {
        let project: ProjectPath = "shop/web".parse().unwrap();
        let policy = Policy::default();
        let mut yard = Yard::default();
        for iid in 1..=size {
            let change_set = waits(&project, iid);
            let fact = Fact::ChangeSetQueued { change_set };
            let job = Some(JobId(iid));
            yard.apply(&Event::new(
                &project,
                Timestamp::UNIX_EPOCH,
                None,
                job,
                fact,
            ));
        }
        let waiting: Vec<Waiting<MergeRequestId>> = yard
            .queue
            .waiting()
            .map(|ticket| Waiting {
                change: ticket.change_set.merge_request.clone(),
                urgent: false,
            })
            .collect();
        let search = Search::default();
        let tried = search.choose(&waiting, &policy);
        let rejected = Verdict::Rejected { named: Vec::new() };
        let (_, searching) = search.conclude(&tried, &rejected, &policy);
        let half = searching.choose(&waiting, &policy);
        Self {
            policy,
            yard,
            waiting,
            search,
            searching,
            tried,
            half,
        }
    }
}

fn waits(project: &ProjectPath, iid: u64) -> ChangeSet {
    ChangeSet {
        merge_request: MergeRequestId {
            project: project.clone(),
            iid,
        },
        head: format!("{iid:040}").parse().unwrap(),
        target: "main".parse().unwrap(),
        title: "A change".to_owned(),
        author: "ana".parse().unwrap(),
        links: Vec::new(),
        verdicts: Vec::new(),
        breaking: false,
        priority: Priority::Normal,
        requested_at: Timestamp::UNIX_EPOCH,
        requested_by: JobId(iid),
        note: None,
    }
}

fn median(mut work: impl FnMut() -> usize) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            black_box(work());
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}
