//! The names of things: every identifier is its own type, made by one constructor that can fail.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not the identifier it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct NotAnId {
    /// The text, cut to a readable length.
    pub text: String,
    /// What would have been accepted, in words.
    pub expected: &'static str,
}

impl NotAnId {
    fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.chars().take(80).collect(),
            expected,
        }
    }
}

/// A text identifier: one validity rule, one error, the text itself for display.
macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $expected:literal, $valid:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.to_owned())) } else { Err(NotAnId::new(text, $expected)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// A number that GitLab gave to something.
macro_rules! number_id {
    ($(#[$meta:meta])* $name:ident, $format:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $format, self.0)
            }
        }
    };
}

text_id! {
    /// The full path of a project, `group/sub/project`.
    ProjectPath, "a project path such as `group/project`",
    |text| text.len() <= 1024 && text.split('/').count() >= 2 && text.split('/').all(is_path_segment)
}

text_id! {
    /// A commit id: 40 (or, in a SHA-256 repository, 64) lower-case hexadecimal digits.
    CommitSha, "a full commit id (40 or 64 lower-case hexadecimal digits)",
    |text| matches!(text.len(), 40 | 64) && text.bytes().all(is_lower_hex)
}

text_id! {
    /// The patch id of a merge request's diff: the same before and after a pure rebase (`git patch-id --stable`).
    PatchId, "a patch id (40 or 64 lower-case hexadecimal digits)",
    |text| matches!(text.len(), 40 | 64) && text.bytes().all(is_lower_hex)
}

text_id! {
    /// A branch name, without `refs/heads/`.
    BranchName, "a branch name", is_ref_name
}

text_id! {
    /// A GitLab user name, without `@`.
    UserName, "a GitLab user name",
    |text| !text.is_empty() && text.len() <= 255 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

text_id! {
    /// The name of a role that validates features: `po`, `qa`, `pm`...
    RoleName, "a role name (a lower-case letter, then letters, digits, `-` or `_`)",
    |text| text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}

text_id! {
    /// The name of a package: a part of the repository that has versions of its own.
    PackageName, "a package name (a lower-case letter, then letters, digits, `-` or `_`)",
    |text| text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}

text_id! {
    /// The name that a project gives to a channel, such as a chat room or a webhook.
    ChannelName, "a channel name (a lower-case letter, then letters, digits, `-` or `_`)",
    |text| text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}

text_id! {
    /// A message to a channel: the same however often it is tried, so that a receiver can tell a repetition.
    MessageId, "the id of a message (16 lower-case hexadecimal digits)",
    |text| text.len() == 16 && text.bytes().all(is_lower_hex)
}

number_id! {
    /// A job of GitLab CI.
    JobId, "{}"
}

number_id! {
    /// A pipeline of GitLab CI.
    PipelineId, "{}"
}

number_id! {
    /// A note on a merge request or a feature.
    NoteId, "{}"
}

number_id! {
    /// How many times the NRT environment had been granted when this lease was: leases are told apart by it.
    Epoch, "{}"
}

number_id! {
    /// A trial; it carries the number of the lease under which it ran.
    TrialId, "{}"
}

number_id! {
    /// A version's place in the project's history, given when it opens, before it has a number.
    VersionId, "{}"
}

impl CommitSha {
    /// The first eight digits, as GitLab shows them.
    pub fn short(&self) -> &str {
        &self.as_str()[..8]
    }
}

/// A merge request: its project and its number there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MergeRequestId {
    /// The project that it would be merged into.
    pub project: ProjectPath,
    /// Its number in that project.
    pub iid: u64,
}

impl MergeRequestId {
    /// `!7` for a merge request of `home`, `group/project!7` for any other.
    pub fn seen_from(&self, home: &ProjectPath) -> String {
        if self.project == *home {
            self.to_string()
        } else {
            format!("{}{self}", self.project)
        }
    }
}

impl fmt::Display for MergeRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "!{}", self.iid)
    }
}

/// A feature: the issue that people want in production.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FeatureId {
    /// The project that holds the issue.
    pub project: ProjectPath,
    /// Its number in that project.
    pub iid: u64,
}

impl FeatureId {
    /// `#34` for a feature of `home`, `group/project#34` for any other.
    pub fn seen_from(&self, home: &ProjectPath) -> String {
        if self.project == *home {
            format!("#{}", self.iid)
        } else {
            self.to_string()
        }
    }
}

impl fmt::Display for FeatureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.project, self.iid)
    }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// GitLab's rule for one segment of a path: no leading `-`, no `.`/`..`, no trailing `.git` or `.atom` (left to GitLab to refuse).
fn is_path_segment(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.starts_with('-')
        && segment.chars().any(|c| c != '.')
        && segment
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// The part of `git check-ref-format` that keeps a name from being read as something else.
fn is_ref_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 1024
        && !text.starts_with(['-', '/', '.'])
        && !text.ends_with(['/', '.'])
        && !text.ends_with(".lock")
        && !text.contains("..")
        && !text.contains("//")
        && !text.contains("@{")
        && !text
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_accepted_or_named_with_what_was_expected() {
        assert!("group/sub/project".parse::<ProjectPath>().is_ok());
        for bad in [
            "project",
            "group/",
            "group//p",
            "group/../p",
            "group/-p",
            "gr oup/p",
            "",
        ] {
            assert!(bad.parse::<ProjectPath>().is_err(), "{bad}");
        }
        assert!("a".repeat(40).parse::<CommitSha>().is_ok());
        for bad in ["a".repeat(39), "A".repeat(40), "g".repeat(40)] {
            assert!(bad.parse::<CommitSha>().is_err(), "{bad}");
        }
        for bad in ["", "-x", "a..b", "a b", "a:b", "x.lock", "a/", "a\nb"] {
            assert!(bad.parse::<BranchName>().is_err(), "{bad}");
        }
        assert!("feature/été".parse::<BranchName>().is_ok());
        let error = "a b".parse::<UserName>().unwrap_err();
        assert_eq!(error.to_string(), "`a b` is not a GitLab user name");
    }

    #[test]
    fn a_feature_is_short_at_home_and_full_elsewhere() {
        let home: ProjectPath = "shop/web".parse().unwrap();
        let feature = FeatureId {
            project: home.clone(),
            iid: 34,
        };
        assert_eq!(feature.seen_from(&home), "#34");
        assert_eq!(
            feature.seen_from(&"shop/api".parse().unwrap()),
            "shop/web#34"
        );
    }

    #[test]
    fn identifiers_are_checked_when_they_are_read_back() {
        assert!(serde_json::from_str::<CommitSha>("\"nonsense\"").is_err());
    }
}
