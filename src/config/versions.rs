//! The section `versions`: how versions are numbered, and how they are released.

use semver::Version;

use super::packages::{self, PackageRules};
use super::publishing::{self, Publishing};
use super::reading::Section;
use crate::domain::freezes::Freezes;
use crate::domain::ids::RoleName;
use crate::domain::versioning::numbers::{Calendar, Numbering, Scheme};

/// How versions are numbered and released.
#[derive(Debug, Clone, PartialEq)]
pub struct Versions {
    /// First number and tag prefix.
    pub numbering: Numbering,
    /// Roles whose people may release; empty: whoever GitLab lets play the job.
    pub released_by: Vec<RoleName>,
    /// The environment of production.
    pub environment: String,
    /// Why no release may start now.
    pub frozen: Option<String>,
    /// When none may start.
    pub freezes: Freezes,
    /// Whether GitLab's own deploy freezes count too.
    pub gitlab_freezes: bool,
    /// Roles whose people may release during a freeze all the same, with a reason; empty: whoever may release.
    pub through_freezes_by: Vec<RoleName>,
    /// What people are told of a release.
    pub publishing: Publishing,
    /// Parts of the repository that have versions of their own; empty: the repository has versions as a whole.
    pub packages: Vec<PackageRules>,
}

impl Versions {
    /// Reads the section; absent keys have their usual values.
    pub(super) fn read(s: &mut Section) -> Self {
        Self {
            numbering: Numbering {
                initial: s.version("initial").unwrap_or(Version::new(0, 1, 0)),
                prefix: s.tag_prefix("tag_prefix").unwrap_or_else(|| "v".to_owned()),
                scheme: s
                    .choice("calendar", &Calendar::ALL)
                    .map_or(Scheme::Semantic, Scheme::Calendar),
                package: None,
            },
            released_by: s.ids("released_by"),
            environment: s
                .text("environment")
                .unwrap_or_else(|| "production".to_owned()),
            frozen: s.text("frozen"),
            freezes: Freezes::default(),
            gitlab_freezes: s.flag("gitlab_freezes").unwrap_or(true),
            through_freezes_by: s.ids("through_freezes_by"),
            publishing: publishing::read(s),
            packages: packages::read(s),
        }
    }
}
