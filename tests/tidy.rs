//! The architecture's rules that a machine can check.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        &mut found,
    );
    assert!(!found.is_empty(), "{folder} is gone");
    found
}

/// The part of a file that ships: what stands before its tests.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

fn nowhere(folder: &str, words: &[&str], why: &str) {
    for (path, text) in sources(folder) {
        for word in words {
            assert!(
                !production(&text).contains(word),
                "{} says `{word}`: {why}",
                path.display()
            );
        }
    }
}

#[test]
fn rules_and_words_read_no_clock_environment_file_or_network() {
    for folder in ["src/domain", "src/insights", "src/report"] {
        let words = [
            "std::env",
            "std::fs",
            "std::net",
            "std::process",
            "SystemTime",
            "Instant",
            "Timestamp::now",
            "reqwest",
        ];
        nowhere(folder, &words, "it is pure");
    }
}

#[test]
fn the_domain_depends_on_nothing_of_ours() {
    for (path, text) in sources("src/domain") {
        for line in production(&text)
            .lines()
            .filter(|line| line.trim_start().starts_with("use crate::"))
        {
            assert!(line.contains("crate::domain"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn jobs_hold_no_http_and_do_not_know_gitlab() {
    nowhere(
        "src/jobs",
        &["crate::gitlab", "reqwest", "http::", "serde_json"],
        "jobs ask ports",
    );
}

#[test]
fn only_the_transport_and_the_client_of_gitlab_see_the_http_library() {
    for (path, text) in sources("src") {
        let allowed = path.ends_with("gitlab/client.rs") || path.ends_with("src/transport.rs");
        assert!(
            allowed || !production(&text).contains("reqwest"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn only_the_configuration_reads_the_environment() {
    for (path, text) in sources("src") {
        let allowed = path.ends_with("config/ci.rs");
        assert!(
            allowed || !production(&text).contains("env::var"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_embedded_gitlab_knows_no_type_of_ours() {
    nowhere(
        "tests/emulator/src",
        &["trainyard::"],
        "it speaks the wire by itself",
    );
}

#[test]
fn every_file_says_what_belongs_there() {
    for folder in ["src", "tests"] {
        for (path, text) in sources(folder) {
            assert!(
                text.starts_with("//!"),
                "{} does not open with `//!`",
                path.display()
            );
        }
    }
}

#[test]
fn nothing_is_unfinished_or_switched_off() {
    let marks = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
        concat!("FIX", "ME"),
    ];
    for folder in ["src", "tests"] {
        for (path, text) in sources(folder) {
            for mark in marks {
                assert!(!text.contains(mark), "{} holds `{mark}`", path.display());
            }
        }
    }
}
