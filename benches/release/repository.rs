//! The next number and the notes of a repository with a long past: what it costs must not grow with that past.
//!
//! The program measures itself in a process of its own, as a job would run it: processor time of it and of the git it starts, over many
//! rounds, and its own peak of memory.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use semver::Version;
use trainyard::domain::ids::CommitSha;
use trainyard::domain::release_notes::{Sources, compose};
use trainyard::domain::versioning::comparison::{Merged, compare};
use trainyard::domain::versioning::numbers::{Asked, Numbering, Scheme, choose};
use trainyard::domain::versioning::packages::Spread;
use trainyard::domain::versioning::{Appended, Number};
use trainyard::git::WorkTree;
use trainyard::ports::{CommitFiles, Commits};
use trainyard::report;

use super::{appended, home};

const COMMITS: u64 = 10_000;
const TAGS: u64 = 99;
const UNRELEASED: u64 = 100;
const ROUNDS: u32 = 50;
/// Budgets: processor time of a round, and memory.
const MILLISECONDS: f64 = 20.0;
const MEBIBYTES: f64 = 20.0;
/// Tells the program that it is the process that is measured.
const MEASURED: &str = "TRAINYARD_BENCH_REPOSITORY";

/// Makes repositories of several sizes, and says what each costs.
pub(super) fn measure() {
    println!("\nnext number and notes, {UNRELEASED} change sets unreleased, {ROUNDS} rounds");
    println!(
        "{:<28}{:>16}{:>16}",
        "commits, tags", "processor time", "peak of memory"
    );
    for (commits, tags) in [(COMMITS / 10, TAGS / 11), (COMMITS, TAGS)] {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), commits, tags);
        let measured = Command::new(env::current_exe().unwrap())
            .env(MEASURED, folder.path())
            .output()
            .unwrap();
        let figures = String::from_utf8(measured.stdout).unwrap();
        assert!(
            measured.status.success(),
            "{}",
            String::from_utf8_lossy(&measured.stderr)
        );
        print!("{:<28}{figures}", format!("{commits}, {tags}"));
    }
    println!("budget for {COMMITS} commits: {MILLISECONDS} ms, {MEBIBYTES} MiB");
}

/// Whether this is the process that is measured; it then has done its work.
pub(super) fn is_measured() -> bool {
    let Some(folder) = env::var_os(MEASURED) else {
        return false;
    };
    let tree = WorkTree::at(Path::new(&folder));
    let last = commit_of(Path::new(&folder), "last");
    let head = commit_of(Path::new(&folder), "HEAD");
    let before = ticks();
    for _ in 0..ROUNDS {
        assert!(once(&tree, &last, &head) > 1_000);
    }
    // A tick of the kernel's clock of processes is 10 ms.
    let spent = (ticks() - before) as f64 * 10.0 / f64::from(ROUNDS);
    println!("{spent:>13.1} ms{:>12.1} MiB", peak());
    true
}

/// What a preview does once GitLab has told the tags: how long the notes are.
fn once(tree: &WorkTree, last: &CommitSha, head: &CommitSha) -> usize {
    let merged = tree
        .merged_since(Some(last), head, CommitFiles::LeftOut)
        .unwrap()
        .unwrap();
    let content = content(&merged);
    let comparison = compare(&merged, &content, |_| true);
    assert_eq!(
        (comparison.around.len(), comparison.absent.len()),
        (0, 0),
        "every commit is a change set's"
    );
    let number = Number {
        version: Version::new(0, TAGS, 0),
        prefix: "v".to_owned(),
        package: None,
    };
    let numbering = Numbering {
        initial: Version::new(0, 1, 0),
        prefix: "v".to_owned(),
        scheme: Scheme::Semantic,
        package: None,
    };
    let today = jiff::civil::date(2026, 11, 21);
    let asked = Asked::default();
    let chosen = choose(&[number], &content, &numbering, &asked, today);
    let sights = BTreeMap::new();
    let sources = Sources {
        number: &chosen.number,
        previous: chosen.last.as_ref(),
        commit: head,
        at: Timestamp::UNIX_EPOCH,
        content: &content,
        sights: &sights,
        open: &[],
        around: &comparison.around,
        headings: &[],
        out_before: &BTreeMap::new(),
    };
    let notes = compose(&sources, |_| true);
    let written = report::release_notes(&notes, None, &home(), "https://gitlab.example").unwrap();
    written.text.len()
}

/// Each unreleased commit is a change set.
fn content(merged: &[Merged]) -> Vec<Appended> {
    let sets = merged.iter().zip(1..).map(|(one, iid)| Appended {
        landed: one.commit.clone(),
        base: one.parents.first().cloned(),
        spread: Spread::default(),
        ..appended(iid)
    });
    sets.collect()
}

/// A history in a line, a tag every so many commits, the last hundred without one.
fn make(folder: &Path, commits: u64, tags: u64) {
    git(
        folder,
        &["init", "--quiet", "--initial-branch=main", "."],
        "",
    );
    let released = commits - UNRELEASED;
    let mut stream = String::new();
    for n in 1..=commits {
        let message = format!(
            "Change {n}\n\nTrainyard-Change-Set: shop/web!{n}@{n:040x}\nTrainyard-Trial: {n}\n"
        );
        let text = format!("{n}\n");
        write!(
            stream,
            "commit refs/heads/main\nmark :{n}\ncommitter Ana <ana@example.com> {} +0000\ndata {}\n{message}",
            1_700_000_000 + n,
            message.len()
        )
        .unwrap();
        if n > 1 {
            writeln!(stream, "from :{}", n - 1).unwrap();
        }
        write!(
            stream,
            "M 100644 inline shop/{}.price\ndata {}\n{text}\n",
            n % 500,
            text.len()
        )
        .unwrap();
        if n % (released / tags) == 0 && n <= released {
            let minor = n / (released / tags);
            write!(stream, "reset refs/tags/v0.{minor}.0\nfrom :{n}\n\n").unwrap();
        }
    }
    write!(stream, "reset refs/tags/last\nfrom :{released}\n\n").unwrap();
    git(folder, &["fast-import", "--quiet"], &stream);
    git(folder, &["repack", "-a", "-d", "--quiet"], "");
}

fn git(folder: &Path, arguments: &[&str], input: &str) {
    let mut child = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input.as_bytes()).unwrap();
    drop(pipe);
    assert!(child.wait().unwrap().success(), "git {arguments:?}");
}

fn commit_of(folder: &Path, name: &str) -> CommitSha {
    let said = Command::new("git")
        .current_dir(folder)
        .args(["rev-parse", &format!("{name}^{{commit}}")])
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    said.trim().parse().unwrap()
}

/// Processor time of this process and of those it has waited for, in ticks (proc_pid_stat(5), fields 14 to 17).
fn ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    fields
        .skip(11)
        .take(4)
        .map(|field| field.parse::<u64>().unwrap())
        .sum()
}

/// The most memory that this process has had, in MiB.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kibibytes.parse::<f64>().unwrap() / 1024.0
}
