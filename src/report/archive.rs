//! What people are told about the archive of the log.

use crate::outcome::Problem;

/// That entries went into a package.
pub fn archived(package: &str, events: usize) -> String {
    format!("{events} events of the log are archived in `{package}`")
}

/// That archived entries were removed.
pub fn removed(entries: usize, left: usize) -> String {
    let left = match left {
        0 => String::new(),
        left => format!("; {left} more at the next ticks"),
    };
    format!("{entries} entries of the log that are archived were removed{left}")
}

/// That nothing was archived now.
pub fn not_archived(problem: &Problem) -> String {
    format!(
        "the log was not archived, and nothing was lost; the next tick tries again: {}",
        problem.full_text()
    )
}

/// That no package holds some entries.
pub fn package_missing(from: u64, to: u64) -> String {
    let entries = if from == to {
        format!("entry {from}")
    } else {
        format!("entries {from} to {to}")
    };
    format!(
        "{entries} of the log: no package of the archive holds them; somebody deleted it, or a clean-up policy of the registry did"
    )
}

/// That a package cannot be read.
pub fn package_damaged(package: &str, how: &str) -> String {
    format!("the package `{package}` of the archive: {how}")
}
