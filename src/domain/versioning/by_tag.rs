//! A release that somebody starts by pushing a tag: what the tag asks for.

use super::numbers::{Number, Numbering};
use super::{Closing, Released, Versions};
use crate::domain::ids::{CommitSha, UserName};

/// A tag that a pipeline runs for.
#[derive(Debug, Clone, Copy)]
pub struct TagPushed<'a> {
    /// Its name.
    pub name: &'a str,
    /// The commit that it is at.
    pub commit: &'a CommitSha,
    /// Who pushed it.
    pub by: &'a UserName,
    /// Whether only some people may push tags of this form.
    pub protected: bool,
}

/// What it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagAsks {
    /// Nothing: it is no number of a version.
    Nothing,
    /// A version that is released already, of this very commit.
    ReleasedBefore(Number),
    /// A version that another pipeline prepared and releases: publishing makes a tag too, and GitLab a pipeline of it.
    OfAnother(Number),
    /// A version; but anybody who may push could have made the tag.
    Unprotected,
    /// A version, of the tag's commit; whether that is on the branch is still to be looked at.
    Release(Number),
}

/// Reads what a tag asks for.
pub fn asked_by(tag: &TagPushed<'_>, numbering: &Numbering, versions: &Versions) -> TagAsks {
    let Some(number) = Number::of_tag(tag.name, &numbering.prefix) else {
        return TagAsks::Nothing;
    };
    let number = number.of_package(numbering.package.as_ref());
    let it = |one: &Released| one.number == number && one.commit == *tag.commit;
    if versions.released.iter().any(it) {
        return TagAsks::ReleasedBefore(number);
    }
    let anothers = |one: &Closing| one.number == number && one.by.as_ref() != Some(tag.by);
    if versions.closing.as_ref().is_some_and(anothers) {
        return TagAsks::OfAnother(number);
    }
    if !tag.protected {
        return TagAsks::Unprotected;
    }
    TagAsks::Release(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::VersionId;
    use crate::domain::versioning::numbers::Scheme;
    use jiff::Timestamp;
    use semver::Version;

    fn sha(digit: char) -> CommitSha {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn numbering() -> Numbering {
        Numbering {
            initial: Version::new(0, 1, 0),
            prefix: "v".to_owned(),
            scheme: Scheme::Semantic,
            package: None,
        }
    }

    fn asked(name: &str, commit: char, protected: bool, versions: &Versions) -> TagAsks {
        let (commit, by) = (&sha(commit), &"rita".parse().unwrap());
        let tag = TagPushed {
            name,
            commit,
            by,
            protected,
        };
        asked_by(&tag, &numbering(), versions)
    }

    fn number(tag: &str) -> Number {
        Number::of_tag(tag, "v").unwrap()
    }

    #[test]
    fn a_protected_tag_with_a_number_asks_for_that_version() {
        let none = Versions::default();
        let release = TagAsks::Release(number("v1.4.0"));
        assert_eq!(asked("v1.4.0", 'a', true, &none), release);
        assert_eq!(asked("v1.4.0", 'a', false, &none), TagAsks::Unprotected);
        for other in ["1.4.0", "v1.4", "nightly"] {
            assert_eq!(asked(other, 'a', false, &none), TagAsks::Nothing, "{other}");
        }
    }

    #[test]
    fn what_is_released_already_is_asked_for_no_more() {
        let versions = Versions {
            released: vec![Released {
                id: VersionId(1),
                number: number("v1.4.0"),
                commit: sha('a'),
                content: Vec::new(),
                at: Timestamp::UNIX_EPOCH,
                environment: None,
                announced: true,
                withdrawn: None,
            }],
            ..Versions::default()
        };
        let before = TagAsks::ReleasedBefore(number("v1.4.0"));
        assert_eq!(asked("v1.4.0", 'a', false, &versions), before);
        let moved = TagAsks::Release(number("v1.4.0"));
        assert_eq!(
            asked("v1.4.0", 'b', true, &versions),
            moved,
            "another commit"
        );
    }

    #[test]
    fn the_tag_that_a_release_makes_is_left_to_that_release() {
        let closed_by = |name: &str| Versions {
            closing: Some(Closing {
                id: VersionId(1),
                number: number("v1.4.0"),
                commit: sha('a'),
                content: Vec::new(),
                by: Some(name.parse().unwrap()),
                at: Timestamp::UNIX_EPOCH,
                environment: None,
                around: Vec::new(),
                manifest: None,
            }),
            ..Versions::default()
        };
        let of_another = TagAsks::OfAnother(number("v1.4.0"));
        assert_eq!(asked("v1.4.0", 'a', true, &closed_by("rob")), of_another);
        let again = TagAsks::Release(number("v1.4.0"));
        assert_eq!(
            asked("v1.4.0", 'a', true, &closed_by("rita")),
            again,
            "run again"
        );
    }
}
