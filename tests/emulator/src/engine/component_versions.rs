//! Which commit a component's version stands for. A project with a released semantic version counts as published in the
//! catalog, for the catalog itself is no part of this server.

use std::cmp::Reverse;

use crate::ci::ComponentError;
use crate::git::Repository;
use crate::store::releases::Release;

/// A commit, and the published version that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) sha: String,
    pub(super) version: Option<String>,
}

/// A release as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Released {
    tag: String,
    sha: String,
}

impl From<&Release> for Released {
    fn from(release: &Release) -> Self {
        Self {
            tag: release.tag.clone(),
            sha: release.sha.clone(),
        }
    }
}

/// The numbers of a released version without a suffix; GitLab never picks a pre-release by itself.
type Version = (u64, u64, u64);

/// Looks for `~latest`, a part of a version, a released tag, or any tag, branch or commit.
pub(super) fn find(
    releases: &[Released],
    repository: &Repository,
    version: &str,
) -> Result<Found, ComponentError> {
    let mut published: Vec<(Version, &str, &str)> = releases
        .iter()
        .filter_map(|release| {
            Some((
                semantic(&release.tag)?,
                release.tag.as_str(),
                release.sha.as_str(),
            ))
        })
        .collect();
    published.sort_by_key(|(numbers, _, _)| Reverse(*numbers));
    let latest = |fits: &dyn Fn(Version) -> bool| {
        let found = published.iter().find(|(numbers, _, _)| fits(*numbers));
        found.map(|(_, tag, sha)| Found {
            sha: (*sha).to_owned(),
            version: Some(bare(tag).to_owned()),
        })
    };
    if version == "~latest" {
        return latest(&|_| true).ok_or(ComponentError::LatestOutsideCatalog);
    }
    let partial = partial(version);
    if let Some((major, minor)) = partial {
        let fits =
            |numbers: Version| numbers.0 == major && minor.is_none_or(|minor| numbers.1 == minor);
        if let Some(found) = latest(&fits) {
            return Ok(found);
        }
    }
    if let Some(release) = releases.iter().find(|release| release.tag == version) {
        let number = bare(&release.tag);
        return Ok(Found {
            sha: release.sha.clone(),
            version: number
                .starts_with(|c: char| c.is_ascii_digit())
                .then(|| number.to_owned()),
        });
    }
    match repository.resolve(version).ok().flatten() {
        Some(sha) => Ok(Found { sha, version: None }),
        None if partial.is_some() && published.is_empty() => {
            Err(ComponentError::PartialVersionOutsideCatalog)
        }
        None => Err(ComponentError::NotFound),
    }
}

fn bare(tag: &str) -> &str {
    tag.strip_prefix('v').unwrap_or(tag)
}

fn semantic(tag: &str) -> Option<Version> {
    let mut numbers = bare(tag).split('.').map(|part| part.parse::<u64>().ok());
    let version = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(version)
}

/// `1` or `1.2`.
fn partial(version: &str) -> Option<(u64, Option<u64>)> {
    let (major, minor) = match version.split_once('.') {
        Some((major, minor)) => (major, Some(minor.parse().ok()?)),
        None => (version, None),
    };
    Some((major.parse().ok()?, minor))
}
