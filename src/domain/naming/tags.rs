//! Tags in the names of test cases: how projects spell the feature or merge request that a case belongs to.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::domain::ids::ProjectPath;

/// Spellings that are read without being configured.
const USUAL: [&str; 7] = [
    "[feature {feature}]",
    "[feature: {feature}]",
    "@feature-{feature}",
    "@feature_{feature}",
    "[!{merge_request}]",
    "@mr-{merge_request}",
    "@mr_{merge_request}",
];

/// What a tag points at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// A feature; of the project that features are in when none is said.
    Feature {
        project: Option<ProjectPath>,
        iid: u64,
    },
    /// A merge request.
    MergeRequest { iid: u64 },
}

/// The number that a spelling holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Feature,
    MergeRequest,
}

impl Number {
    fn placeholder(self) -> &'static str {
        match self {
            Self::Feature => "{feature}",
            Self::MergeRequest => "{merge_request}",
        }
    }
}

/// How a tag is spelled: text around `{feature}` or `{merge_request}`; case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    before: String,
    number: Number,
    after: String,
}

/// Why a text is no spelling of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSpelling(String);

impl fmt::Display for NoSpelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a tag: it needs `{{feature}}` or `{{merge_request}}` once, with at least two characters before it, such as `feature_{{feature}}`",
            self.0
        )
    }
}

impl FromStr for Spelling {
    type Err = NoSpelling;

    fn from_str(text: &str) -> Result<Self, NoSpelling> {
        let of = |number: Number| {
            let (before, after) = text.split_once(number.placeholder())?;
            (before.chars().count() >= 2 && !after.contains('{') && !before.contains('{')).then(
                || Self {
                    before: before.to_ascii_lowercase(),
                    number,
                    after: after.to_ascii_lowercase(),
                },
            )
        };
        of(Number::Feature)
            .or_else(|| of(Number::MergeRequest))
            .ok_or_else(|| NoSpelling(text.to_owned()))
    }
}

impl Spelling {
    /// The tags of this spelling in a text that is in lower case.
    fn tags<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Tag> + 'a {
        let begins_word = self.before.starts_with(|c: char| c.is_ascii_alphanumeric());
        text.match_indices(&self.before).filter_map(move |(at, _)| {
            let inside_a_word = text[..at]
                .chars()
                .next_back()
                .is_some_and(char::is_alphanumeric);
            if begins_word && inside_a_word {
                return None;
            }
            let rest = &text[at + self.before.len()..];
            let (tag, rest) = match self.number {
                Number::Feature => feature(rest)?,
                Number::MergeRequest => {
                    let (iid, rest) = digits(rest)?;
                    (Tag::MergeRequest { iid }, rest)
                }
            };
            rest.starts_with(&self.after).then_some(tag)
        })
    }
}

/// `42`, `#42` or `group/project#42`.
fn feature(text: &str) -> Option<(Tag, &str)> {
    let path = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)))
        .unwrap_or(text.len());
    let (project, rest) = match text[path..].strip_prefix('#') {
        Some(rest) if path == 0 => (None, rest),
        Some(rest) => (Some(text[..path].parse().ok()?), rest),
        None => (None, text),
    };
    let (iid, rest) = digits(rest)?;
    Some((Tag::Feature { project, iid }, rest))
}

fn digits(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Every spelling that a project uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags(Vec<Spelling>);

impl Tags {
    /// The usual spellings, and some of the project's own.
    pub fn with(own: Vec<Spelling>) -> Self {
        let usual = USUAL.iter().filter_map(|spelling| spelling.parse().ok());
        Self(usual.chain(own).collect())
    }

    /// The tags in a text.
    pub fn read(&self, text: &str) -> BTreeSet<Tag> {
        let text = text.to_ascii_lowercase();
        let tags = self.0.iter().flat_map(|spelling| spelling.tags(&text));
        tags.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_people_write_them() {
        let tags = Tags::with(vec!["features/{feature}/".parse().unwrap()]);
        let feature = |iid| Tag::Feature { project: None, iid };
        for (text, expected) in [
            ("a price is a number [feature #42]", vec![feature(42)]),
            (
                "[Feature 42] [!34]",
                vec![feature(42), Tag::MergeRequest { iid: 34 }],
            ),
            (
                "login @feature-7 @mr-8",
                vec![feature(7), Tag::MergeRequest { iid: 8 }],
            ),
            ("tests/features/12/login.rb", vec![feature(12)]),
            ("features/12x/login.rb xfeatures/1/", vec![]),
            ("feature 42, #42, !34, [34], [#42]", vec![]),
            ("[feature #99999999999999999999999]", vec![]),
        ] {
            let expected: BTreeSet<Tag> = expected.into_iter().collect();
            assert_eq!(tags.read(text), expected, "{text}");
        }
        let elsewhere = tags.read("[feature Shop/Wishes#3]");
        let project = Some("shop/wishes".parse().unwrap());
        assert_eq!(elsewhere, [Tag::Feature { project, iid: 3 }].into());
    }

    #[test]
    fn a_spelling_needs_one_number_behind_some_text() {
        for bad in [
            "{feature}",
            "a{feature}",
            "feature",
            "f_{feature}_{merge_request}",
            "",
        ] {
            assert!(bad.parse::<Spelling>().is_err(), "{bad}");
        }
    }
}
