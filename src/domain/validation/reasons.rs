//! Why somebody rejected: in that person's own words, from the conversation about the merge request.

use jiff::{SignedDuration, Timestamp};

use super::Verdict;
use crate::domain::ids::UserName;

/// How long before the verdict a reason may have been written, if it says that it is one.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);

/// What a person wrote where everybody who sees the merge request can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Who wrote it.
    pub author: UserName,
    /// When.
    pub at: Timestamp,
    /// The text, untrusted.
    pub body: String,
}

/// The reason of a verdict: the first comment of its giver that begins with "reason", written at most an hour before; else the
/// giver's first comment after it.
pub fn reason_of(verdict: &Verdict, comments: &[Comment]) -> Option<String> {
    let own = |from: Timestamp| {
        comments
            .iter()
            .filter(move |comment| comment.author == verdict.by && comment.at >= from)
    };
    let since = verdict.at.checked_sub(BEFORE).unwrap_or(verdict.at);
    own(since)
        .find_map(|comment| said_to_be_one(&comment.body))
        .or_else(|| own(verdict.at).map(|comment| comment.body.trim()).next())
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// The text behind "Reason:", whatever its case and emphasis.
fn said_to_be_one(body: &str) -> Option<&str> {
    let body = body.trim_start().trim_start_matches(['*', '_', '#', ' ']);
    let word = body.get(.."reason".len())?;
    if !word.eq_ignore_ascii_case("reason") {
        return None;
    }
    let rest = body["reason".len()..].trim_start_matches(['*', '_', ' ']);
    Some(
        rest.strip_prefix(':')?
            .trim_start_matches(['*', '_'])
            .trim(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::JobId;
    use crate::domain::validation::Decision;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
    }

    fn comment(author: &str, minute: i64, body: &str) -> Comment {
        Comment {
            author: author.parse().unwrap(),
            at: at(minute),
            body: body.to_owned(),
        }
    }

    #[test]
    fn the_reason_is_what_the_giver_wrote_about_it() {
        let verdict = Verdict {
            role: "qa".parse().unwrap(),
            decision: Decision::Reject,
            by: "quentin".parse().unwrap(),
            at: at(0),
            commit: "a".repeat(40).parse().unwrap(),
            job: JobId(1),
        };
        let table: [(&[Comment], Option<&str>); 8] = [
            (&[], None),
            (&[comment("ana", 1, "Reason: not yours")], None),
            (&[comment("quentin", -5, "looking")], None),
            (&[comment("quentin", 1, " too slow\n")], Some("too slow")),
            (
                &[
                    comment("quentin", 1, "hm"),
                    comment("quentin", 9, "**Reason:** rounding\nis off"),
                ],
                Some("rounding\nis off"),
            ),
            (&[comment("quentin", -5, "reason : typo")], Some("typo")),
            (&[comment("quentin", -90, "reason: an older one")], None),
            (
                &[comment("quentin", 2, "Reasonable otherwise")],
                Some("Reasonable otherwise"),
            ),
        ];
        for (comments, expected) in table {
            assert_eq!(reason_of(&verdict, comments).as_deref(), expected);
        }
    }
}
