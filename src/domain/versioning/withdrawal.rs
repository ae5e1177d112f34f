//! A version that turned out to be bad: it is withdrawn, the one before it runs again, and its content is in the open version.

use std::collections::BTreeSet;

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::{Appended, Number, Released, Versions};
use crate::domain::event::Fact;
use crate::domain::ids::{PackageName, UserName, VersionId};
use crate::domain::validation::{Decision, Verdict};

/// Why a version is not good any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// Why, in a person's words; untrusted.
    pub reason: String,
    /// Who says so.
    pub by: UserName,
    /// When.
    pub at: Timestamp,
}

/// Why a version cannot be withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithdrawRefusal {
    /// No version is out.
    NothingReleased,
    /// Another version than this one is in production.
    NotInProduction { asked: Version, last: Box<Number> },
    /// There is none before it that could run again.
    NothingBefore { number: Number },
    /// What it held is not remembered: a version after it was withdrawn before.
    Forgotten { number: Number },
    /// A version is on its way.
    Releasing { number: Number },
    /// The player may not.
    NotAReleaseManager { player: UserName },
}

/// What withdrawing a version comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// What is recorded; nothing when it is withdrawn already.
    pub facts: Vec<Fact>,
    /// The version that is withdrawn.
    pub version: Released,
    /// The version that is to run again.
    pub before: Released,
}

/// Withdraws the version of a package, or of the whole repository, that is in production. A pre-release never is, nor is what was
/// withdrawn before.
///
/// # Errors
/// Why not.
pub fn withdraw(
    versions: &Versions,
    package: Option<&PackageName>,
    asked: &Version,
    by: &UserName,
    reason: &str,
) -> Result<Withdrawal, WithdrawRefusal> {
    let finals = |one: &&Released| !one.number.is_pre_release();
    let good = |one: &&Released| finals(one) && one.withdrawn.is_none();
    let before = |id: VersionId| {
        let mut older = versions.released_of(package).rev();
        older.find(|one| good(one) && one.id < id).cloned()
    };
    let mut newest = versions.released_of(package).rev().filter(finals);
    let last = newest.next().ok_or(WithdrawRefusal::NothingReleased)?;
    let nothing_before = || WithdrawRefusal::NothingBefore {
        number: last.number.clone(),
    };
    if last.number.version == *asked && last.withdrawn.is_some() {
        return Ok(Withdrawal {
            facts: Vec::new(),
            version: last.clone(),
            before: before(last.id).ok_or_else(nothing_before)?,
        });
    }
    let running = versions.in_production(package).unwrap_or(last);
    if running.number.version != *asked {
        return Err(WithdrawRefusal::NotInProduction {
            asked: asked.clone(),
            last: Box::new(running.number.clone()),
        });
    }
    if let Some(closing) = &versions.closing {
        return Err(WithdrawRefusal::Releasing {
            number: closing.number.clone(),
        });
    }
    if running.content.is_empty() {
        return Err(WithdrawRefusal::Forgotten {
            number: running.number.clone(),
        });
    }
    Ok(Withdrawal {
        facts: vec![Fact::VersionWithdrawn {
            version: running.id,
            number: running.number.clone(),
            reason: reason.to_owned(),
            withdrawn_by: by.clone(),
        }],
        before: before(running.id).ok_or_else(|| WithdrawRefusal::NothingBefore {
            number: running.number.clone(),
        })?,
        version: running.clone(),
    })
}

impl Versions {
    /// The version of a package, or of the whole repository, that runs in production: the newest final one that was not withdrawn.
    pub fn in_production<'a>(&'a self, package: Option<&'a PackageName>) -> Option<&'a Released> {
        let mut newest = self.released_of(package).rev();
        newest.find(|one| !one.number.is_pre_release() && one.withdrawn.is_none())
    }

    /// Everybody who wrote or validated what a released version held, as far as that is remembered.
    pub fn contributors(&self, version: VersionId) -> BTreeSet<UserName> {
        let of_it = self.released.iter().filter(|one| one.id == version);
        let changes = of_it
            .flat_map(|one| &one.content)
            .map(|one| &one.change_set);
        changes
            .flat_map(|change| {
                let validated = |verdict: &&Verdict| verdict.decision == Decision::Validate;
                let verdicts = change.verdicts.iter().filter(validated);
                std::iter::once(&change.author).chain(verdicts.map(|verdict| &verdict.by))
            })
            .cloned()
            .collect()
    }

    /// The change set that a released version held last.
    pub fn last_of(&self, version: VersionId) -> Option<&Appended> {
        let released = self.released.iter().find(|one| one.id == version)?;
        released.content.last()
    }

    /// Whether a number is of a version that was withdrawn.
    pub fn is_withdrawn(&self, number: &Number) -> bool {
        let mut released = self.released.iter();
        released.any(|one| one.number == *number && one.withdrawn.is_some())
    }

    /// Its content is in the open version again, where it landed: it is merged, and nowhere in production. With which other packages a
    /// change set is out stays as it is.
    pub(in crate::domain) fn withdraw(&mut self, version: VersionId, withdrawn: Withdrawn) {
        let mut released = self.released.iter_mut();
        let Some(released) = released.find(|one| one.id == version && one.withdrawn.is_none())
        else {
            return;
        };
        released.withdrawn = Some(withdrawn);
        let package = released.number.package.clone();
        let mut again = released.content.clone();
        for appended in &mut again {
            let id = &appended.change_set.merge_request;
            appended.spread.awaits.clear();
            appended.spread.out = self.packages_out_with(id);
            if let Some(package) = &package {
                appended.spread.out.remove(package);
            }
        }
        let returns = |one: &Appended| {
            let mut again = again.iter();
            again.any(|other| other.change_set.merge_request == one.change_set.merge_request)
        };
        self.content.retain(|one| !returns(one));
        self.give_back(again);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::appended;
    use super::*;

    fn released(id: u64, tag: &str, iids: &[u64]) -> Released {
        Released {
            id: VersionId(id),
            number: Number::of_tag(tag, "v").unwrap(),
            commit: appended(id, &[], &[], false).landed,
            content: iids
                .iter()
                .map(|iid| appended(*iid, &[], &[], false))
                .collect(),
            at: Timestamp::UNIX_EPOCH,
            environment: None,
            announced: true,
            withdrawn: None,
        }
    }

    fn versions() -> Versions {
        Versions {
            released: vec![
                released(1, "v1.0.0", &[1]),
                released(2, "v1.1.0", &[2, 3]),
                released(3, "v1.2.0-rc.1", &[4]),
            ],
            content: vec![appended(4, &[], &[], false)],
            ..Versions::default()
        }
    }

    fn ask(versions: &Versions, number: &str) -> Result<Withdrawal, WithdrawRefusal> {
        let by = "rita".parse().unwrap();
        withdraw(versions, None, &number.parse().unwrap(), &by, "it is down")
    }

    fn withdrawn(versions: &mut Versions, id: u64) {
        let by = "rita".parse().unwrap();
        let withdrawn = Withdrawn {
            reason: "it is down".to_owned(),
            by,
            at: Timestamp::UNIX_EPOCH,
        };
        versions.withdraw(VersionId(id), withdrawn);
    }

    #[test]
    fn the_version_in_production_is_withdrawn_and_its_content_comes_first_again() {
        let mut versions = versions();
        let asked = ask(&versions, "1.1.0").unwrap();
        assert_eq!(asked.before.number.to_string(), "1.0.0");
        assert_eq!(asked.facts.len(), 1);
        withdrawn(&mut versions, 2);
        let iids: Vec<u64> = versions
            .content
            .iter()
            .map(|a| a.change_set.merge_request.iid)
            .collect();
        assert_eq!(iids, [2, 3, 4]);
        withdrawn(&mut versions, 2);
        assert_eq!(versions.content.len(), 3, "once");
        let running = versions.in_production(None).unwrap();
        assert_eq!(running.number.to_string(), "1.0.0");
        let again = ask(&versions, "1.1.0").unwrap();
        assert_eq!((again.facts.len(), again.before.id), (0, VersionId(1)));
    }

    #[test]
    fn what_may_be_withdrawn_is_remembered_with_its_content() {
        let mut versions = versions();
        versions.released.insert(0, released(0, "v0.9.0", &[9, 8]));
        versions.forget();
        let held: Vec<usize> = versions
            .released
            .iter()
            .map(|one| one.content.len())
            .collect();
        assert_eq!(held, [0, 1, 2, 1]);
    }

    #[test]
    fn what_is_not_in_production_is_refused_by_name() {
        assert_eq!(
            ask(&Versions::default(), "1.0.0"),
            Err(WithdrawRefusal::NothingReleased)
        );
        let mut versions = versions();
        assert!(matches!(
            ask(&versions, "1.0.0"),
            Err(WithdrawRefusal::NotInProduction { last, .. }) if last.to_string() == "1.1.0"
        ));
        versions.released[1].content.clear();
        assert!(matches!(
            ask(&versions, "1.1.0"),
            Err(WithdrawRefusal::Forgotten { .. })
        ));
        versions.released[1].content = vec![appended(2, &[], &[], false)];
        versions.released.remove(0);
        assert!(matches!(
            ask(&versions, "1.1.0"),
            Err(WithdrawRefusal::NothingBefore { .. })
        ));
    }
}
