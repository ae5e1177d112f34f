//! What a job leaves for people to look at in GitLab: its log, a JUnit report, links on its page, values for later jobs.
//!
//! A report never changes how a job ends: what was decided and done stands, whether its report could be written or not. A file that
//! could not be written is named in the log. Reports of an earlier job in the same folder never pass for this one's.

pub mod annotations;
pub mod dotenv;
pub mod junit;
pub mod log;

use std::path::Path;

use crate::files;
use crate::outcome::{Outcome, Problem};
use crate::ports::Answer;

/// The JUnit report.
pub const JUNIT: &str = "trainyard-junit.xml";
/// The annotations report.
pub const ANNOTATIONS: &str = "trainyard-annotations.json";
/// The dotenv report of `link-check`.
pub const LINKS: &str = "trainyard-links.env";

/// Leaves the reports of a command in a folder. Returns what could not be left, in words.
pub fn leave(folder: &Path, command: &str, ended: Result<&Outcome, &Problem>) -> Vec<String> {
    let nothing = Outcome::open("");
    let outcome = ended.unwrap_or(&nothing);
    let junit = match ended {
        Err(problem) => junit::of_problem(command, problem),
        Ok(outcome) if outcome.checks.is_empty() => String::new(),
        Ok(outcome) => junit::of_checks(command, &outcome.checks),
    };
    let reports = [
        (JUNIT, junit),
        (ANNOTATIONS, annotations::of_links(&outcome.links)),
        (LINKS, outcome.values.to_string()),
    ];
    reports
        .iter()
        .filter_map(|(name, text)| put(&folder.join(name), text).err())
        .map(|problem| not_left(&problem))
        .collect()
}

/// Why a file of a job is not there, as a warning.
pub fn not_left(problem: &Problem) -> String {
    let cause = std::error::Error::source(problem).map(ToString::to_string);
    format!(
        "{} ({}); what the job decided and did stands. Next: {}",
        problem.what,
        cause.unwrap_or_default(),
        problem.hint
    )
}

fn put(path: &Path, text: &str) -> Answer<()> {
    if text.is_empty() {
        files::remove(path)
    } else {
        files::write_whole(path, text)
    }
}

#[cfg(test)]
mod tests {
    use super::dotenv::{Dotenv, Name};
    use super::*;
    use crate::outcome::Check;

    #[test]
    fn reports_of_an_earlier_job_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let values = Dotenv::default().with(Name::Closing, true).unwrap();
        let first = Outcome::open("one")
            .checked([Check::of("Links", "Rule", &[])])
            .handing_on(values);
        assert!(leave(folder.path(), "link-check", Ok(&first)).is_empty());
        assert!(folder.path().join(JUNIT).exists() && folder.path().join(LINKS).exists());
        assert!(leave(folder.path(), "queue", Ok(&Outcome::open("two"))).is_empty());
        assert!(!folder.path().join(JUNIT).exists() && !folder.path().join(LINKS).exists());
        let annotations = std::fs::read_to_string(folder.path().join(ANNOTATIONS)).unwrap();
        assert_eq!(annotations, "{}\n");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_and_the_others_are_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join(JUNIT).join("x")).unwrap();
        let outcome = Outcome::open("one").checked([Check::of("Links", "Rule", &[])]);
        let missing = leave(folder.path(), "link-check", Ok(&outcome));
        assert_eq!(missing.len(), 1);
        assert!(
            missing[0].contains("trainyard-junit.xml") && missing[0].contains("stands"),
            "{missing:?}"
        );
        assert!(folder.path().join(ANNOTATIONS).exists());
        assert!(!folder.path().join("trainyard-junit.xml.part").exists());
    }
}
