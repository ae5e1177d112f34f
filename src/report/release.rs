//! What the steps of a release did, after the version was closed.

use jiff::Timestamp;

use crate::domain::versioning::Number;

/// A version that a job released, with what is left to be done.
pub fn released(number: &Number, url: &str, pending: usize) -> String {
    format!("version {number} is released: {url}{}", left_over(pending))
}

/// A version that was released before, with what is left to be done.
pub fn released_before(number: &Number, at: Timestamp, pending: usize) -> String {
    if pending == 0 {
        return format!(
            "version {number} is out since {at}; what was left to do after its release is done now"
        );
    }
    format!("version {number} is out since {at}{}", left_over(pending))
}

fn left_over(pending: usize) -> String {
    match pending {
        0 => String::new(),
        1 => "; 1 notice pending, which a later job or a retry of this one gives".to_owned(),
        n => format!("; {n} notices pending, which a later job or a retry of this one gives"),
    }
}

/// So many features, in words.
pub fn count_features(count: usize) -> String {
    match count {
        0 => "no feature".to_owned(),
        n => counted(n, "feature"),
    }
}

pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
