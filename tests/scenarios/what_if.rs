//! `trainyard simulate --from-events`: a project's own history, as it was and as it would have been.

use std::path::{Path, PathBuf};

use serde_json::Value;
use trainyard::clock::SystemClock;
use trainyard::demo::world::Said;
use trainyard::ports::Clock;
use trainyard::sinks::cloud_event::to_line;

use crate::outlook::busy;
use crate::stage::Stage;

fn simulate(stage: &Stage, arguments: &[&str]) -> Said {
    let all: Vec<&str> = ["simulate"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    stage.world.program(&[], &all).unwrap()
}

/// The history as jobs leave it, with a line that is no event.
fn history(folder: &Path) -> PathBuf {
    let told = busy(SystemClock.now(), "Pay by card");
    let lines = told
        .events
        .iter()
        .map(|event| to_line(event, "https://gitlab.example/shop/web"));
    let file = folder.join("events.ndjson");
    let text = lines.collect::<Vec<_>>().join("\n");
    std::fs::write(&file, text + "\nnot an event\n").unwrap();
    file
}

#[test]
fn a_history_is_replayed_and_otherwise_as_table_json_and_picture() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    let file = history(folder.path());
    let file = file.to_str().unwrap();
    let page = folder.path().join("what-if.html");
    let said = simulate(
        &stage,
        &["--from-events", file, "--html", page.to_str().unwrap()],
    );
    assert_eq!(said.code, Some(0), "{}", said.said);
    for part in [
        "20 change sets and 20 trials from ",
        "left out: 0 withdrawn, 0 that did not apply, 23 not decided by the end",
        "as it was",
        "replayed",
        "trial=-20%",
        "environments=2",
        "turnaround, P95",
        "line=",
    ] {
        assert!(said.said.contains(part), "{part}\n{}", said.said);
    }
    let page = std::fs::read_to_string(page).unwrap();
    for wanted in [
        "default-src 'none'",
        "role=\"img\"",
        "<caption>As it was, replayed, and what if</caption>",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    let said = simulate(
        &stage,
        &[
            "--from-events",
            file,
            "--what-if",
            "trial=+100%,batch=1",
            "--json",
        ],
    );
    // What is logged stands beside what is printed.
    let json = &said.said[said.said.find('{').unwrap()..];
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<Value>();
    let json = values.next().unwrap().unwrap();
    let columns = json["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 3);
    assert_eq!(json["history"]["left_out"]["open"], 23);
    let mean = |n: usize| columns[n]["mean"].as_f64().unwrap();
    assert!((mean(1) / mean(0) - 1.0).abs() < 0.05, "{columns:?}");
    assert!(mean(2) > mean(0) * 1.5, "{columns:?}");
    assert_eq!(columns[2]["turnaround"]["n"], 19);
}

#[test]
fn what_cannot_be_replayed_is_named_with_its_mend() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    let file = history(folder.path());
    let file = file.to_str().unwrap();
    let empty = folder.path().join("empty.ndjson");
    std::fs::write(&empty, "{}\n").unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["--from-events", "nowhere.ndjson"], "nowhere.ndjson"),
        (
            &["--from-events", empty.to_str().unwrap()],
            "holds 0 events of which none tells of a change set",
        ),
        (
            &["--from-events", file, "--what-if", "people=3"],
            "`people=3` is none of",
        ),
        (
            &["--from-events", file, "--load", "2"],
            "cannot be used with",
        ),
        (&["--what-if", "batch=8"], "--from-events"),
    ];
    for (arguments, part) in cases {
        let said = simulate(&stage, arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.said);
        assert!(said.said.contains(part), "{part}\n{}", said.said);
    }
}

#[test]
fn a_file_of_something_else_fills_no_log_with_its_lines() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("README.md");
    std::fs::write(&file, "not an event\n".repeat(100)).unwrap();
    let said = simulate(&stage, &["--from-events", file.to_str().unwrap()]);
    assert_eq!(said.code, Some(2), "{}", said.said);
    assert!(
        said.said.contains("95 more lines are not events") && said.said.lines().count() < 12,
        "{}",
        said.said
    );
}

#[test]
fn figures_that_cannot_be_are_refused_with_those_that_can() {
    let stage = Stage::new();
    for (flag, values, wanted) in [
        (
            "--load",
            &["0", "NaN", "-1", "inf", "many"][..],
            "a number above 0",
        ),
        ("--failure-rate", &["1", "1.5", "-0.1"], "a share from 0"),
        ("--flake", &["1", "NaN"], "a share from 0"),
        ("--naming", &["1.1", "-0.1", "NaN"], "a share from 0 to 1"),
        ("--batch-max", &["0", "70000"], "1..=1000"),
        ("--strikes", &["0", "3"], "1..=2"),
        ("--arrivals", &["0", "99", "1000000000"], "100..=10000000"),
    ] {
        for value in values {
            let said = simulate(&stage, &[flag, value]);
            assert_eq!(said.code, Some(2), "{flag} {value}: {}", said.said);
            assert!(
                said.said.contains(wanted),
                "{flag} {value} should say {wanted}: {}",
                said.said
            );
        }
    }
    let always = ["--naming", "1", "--arrivals", "200", "--json"];
    let said = simulate(&stage, &always);
    let figures: Value = serde_json::from_str(&said.said).unwrap();
    assert_eq!(figures["stable"], true, "{figures}");
}

#[test]
fn the_figures_that_the_policy_promises_are_those_that_a_person_sees() {
    let stage = Stage::new();
    for (naming, mean, p95, trials) in [("0", 1.35, 2.3, 0.87), ("0.7", 1.15, 1.45, 0.87)] {
        let said = simulate(&stage, &["--load", "1", "--naming", naming, "--json"]);
        let figures: Value = serde_json::from_str(&said.said).unwrap();
        for (key, most) in [
            ("mean_over_oracle", mean),
            ("p95_over_oracle", p95),
            ("trials_per_landed", trials),
        ] {
            assert!(figures[key].as_f64().unwrap() <= most, "{key}: {figures}");
        }
    }
}
