//! What the links of a merge request were when they were last told, so that a change of them is one event and a repetition none.

use std::fmt;
use std::str::FromStr;

use crate::domain::event::Fact;
use crate::domain::ids::{CommitSha, FeatureId, JobId, MergeRequestId};
use crate::domain::ruling::Ruling;

use super::grammar::MOST_FEATURES;
use super::{Link, LinkKind, LinkRefusal};

/// The links as they were last told, and the job that found them so first. As text: `991 closes shop/web#42 contributes
/// shop/web#34`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The job that told the last change; none when nothing is remembered.
    pub since: Option<JobId>,
    /// The links.
    pub links: Vec<Link>,
}

impl Remembered {
    /// What is remembered once a job found these to be the links.
    pub fn after(&self, links: &[Link], job: JobId) -> Self {
        let same = |one: &[Link], other: &[Link]| {
            one.len() == other.len() && one.iter().all(|link| other.contains(link))
        };
        let kept = self.since.filter(|_| same(&self.links, links));
        Self {
            since: Some(kept.unwrap_or(job)),
            links: links.to_vec(),
        }
    }
}

impl fmt::Display for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.since.unwrap_or(JobId(0)))?;
        for link in &self.links {
            let word = match link.kind {
                LinkKind::Closes => "closes",
                LinkKind::Contributes => "contributes",
            };
            write!(f, " {word} {}", link.feature)?;
        }
        Ok(())
    }
}

impl FromStr for Remembered {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` does not say what the links were");
        let mut words = text.split_ascii_whitespace();
        let job: u64 = words
            .next()
            .and_then(|word| word.parse().ok())
            .ok_or_else(bad)?;
        let mut links = Vec::new();
        while let Some(word) = words.next() {
            let kind = match word {
                "closes" => LinkKind::Closes,
                "contributes" => LinkKind::Contributes,
                _ => return Err(bad()),
            };
            let (project, iid) = words
                .next()
                .and_then(|name| name.rsplit_once('#'))
                .ok_or_else(bad)?;
            let feature = FeatureId {
                project: project.parse().map_err(|_not_a_path| bad())?,
                iid: iid.parse().map_err(|_not_a_number| bad())?,
            };
            links.push(Link { feature, kind });
            if links.len() > MOST_FEATURES {
                return Err(bad());
            }
        }
        let since = (job > 0).then_some(JobId(job));
        Ok(Self { since, links })
    }
}

/// The events of a check: which links are new, which are gone, or that they are refused. A refusal changes no link: what was
/// linked before is linked still, until the description is in order again. Without a memory (`after` has no job) every link is
/// new, and the commit tells one telling from the next.
pub fn events_of_check(
    merge_request: &MergeRequestId,
    commit: &CommitSha,
    before: &Remembered,
    after: &Remembered,
    ruling: &Ruling<(), LinkRefusal>,
    reasons: Vec<String>,
) -> Vec<Fact> {
    match ruling {
        Ruling::Refuse(_) => vec![Fact::LinkRefused {
            merge_request: merge_request.clone(),
            reasons,
        }],
        Ruling::Pass | Ruling::Wait(()) => {
            let gone = before
                .links
                .iter()
                .filter(|old| !after.links.iter().any(|new| new.feature == old.feature));
            let new = after
                .links
                .iter()
                .filter(|link| !before.links.contains(link));
            gone.map(|old| Fact::FeatureUnlinked {
                merge_request: merge_request.clone(),
                feature: old.feature.clone(),
                commit: Some(commit.clone()),
                told_by: after.since,
            })
            .chain(new.map(|link| Fact::FeatureLinked {
                merge_request: merge_request.clone(),
                feature: link.feature.clone(),
                kind: link.kind,
                commit: Some(commit.clone()),
                told_by: after.since,
            }))
            .collect()
        }
    }
}
