//! The GitLab versions the emulator can be, and what each of them does not have yet.
//!
//! `since` is the one table of what came when; `prune` takes what is newer out of answers. Whatever is not in the table
//! is as old as the oldest version here.

mod prune;
mod since;

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

pub(crate) use self::prune::without_newer;
pub(crate) use self::since::{Feature, has, has_parameter, has_route, has_variable};

/// The major versions there are, each with its last minor version.
const MAJORS: [(u32, u32); 3] = [(17, 11), (18, 11), (19, 0)];

/// A version of GitLab that the emulator can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// Is it this one or a later one?
    pub fn is_at_least(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }

    /// Major, minor and patch number.
    pub(crate) fn parts(self) -> [u32; 3] {
        [self.major, self.minor, self.patch]
    }

    /// The versions there are, in words.
    pub fn known() -> String {
        let spans = MAJORS.map(|(major, last)| match last {
            0 => format!("{major}.0"),
            last => format!("{major}.0 to {major}.{last}"),
        });
        spans.join(", ")
    }
}

impl Default for Version {
    fn default() -> Self {
        Self {
            major: 18,
            minor: 5,
            patch: 1,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A version that the emulator cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no GitLab `{wanted}` here, only {}", Version::known())]
pub struct UnknownVersion {
    wanted: String,
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let unknown = || UnknownVersion {
            wanted: text.to_owned(),
        };
        let numbers: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        let (major, minor, patch) = match numbers.as_deref() {
            Ok(&[major, minor]) => (major, minor, 0),
            Ok(&[major, minor, patch]) => (major, minor, patch),
            Ok(_) | Err(_) => return Err(unknown()),
        };
        MAJORS
            .iter()
            .any(|(known, last)| *known == major && minor <= *last)
            .then_some(Self {
                major,
                minor,
                patch,
            })
            .ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_two_or_three_numbers_and_compared_by_them() {
        let version: Version = "17.11".parse().unwrap();
        assert_eq!(version.to_string(), "17.11.0");
        assert!(version.is_at_least(17, 9) && !version.is_at_least(18, 0));
        assert_eq!("18.5.1".parse(), Ok(Version::default()));
    }

    #[test]
    fn an_unknown_version_is_refused_with_those_there_are() {
        for text in ["16.11", "17.12", "19.1", "18", "v18.1", ""] {
            let error = text.parse::<Version>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
            assert!(
                error.contains("17.0 to 17.11, 18.0 to 18.11, 19.0"),
                "{error}"
            );
        }
    }
}
