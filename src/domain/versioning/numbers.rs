//! Which number a version gets: by its content, by the calendar, or as a person asks; and numbers of versions that are tried before they are final.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use semver::{Prerelease, Version};
use serde::{Deserialize, Serialize};

use super::Appended;
use crate::domain::ids::{MergeRequestId, PackageName};
use crate::domain::linking::LinkKind;

/// The number and the tag of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// The semantic version.
    pub version: Version,
    /// What stands before it in the tag, for example `v`.
    pub prefix: String,
    /// The package whose version it is; none where the repository has versions as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageName>,
}

/// For people: `1.4.0`, or `api 1.4.0` of a package.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(package) = &self.package {
            write!(f, "{package} ")?;
        }
        write!(f, "{}", self.version)
    }
}

impl Number {
    /// The tag's name.
    pub fn tag(&self) -> String {
        format!("{}{}", self.prefix, self.version)
    }

    /// The number of a tag, if it is one of ours.
    pub fn of_tag(tag: &str, prefix: &str) -> Option<Self> {
        let version = Version::from_str(tag.strip_prefix(prefix)?).ok()?;
        Some(Self {
            version,
            prefix: prefix.to_owned(),
            package: None,
        })
    }

    /// The same, of a package.
    #[must_use]
    pub fn of_package(self, package: Option<&PackageName>) -> Self {
        Self {
            package: package.cloned(),
            ..self
        }
    }

    /// Whether it is tried before a final version of the same content (semver.org, item 9).
    pub fn is_pre_release(&self) -> bool {
        !self.version.pre.is_empty()
    }

    /// The same, or the first one above it that nobody has: another branch may count in the same numbers.
    #[must_use]
    pub fn beside<'a>(mut self, taken: impl Iterator<Item = &'a Self> + Clone) -> Self {
        while taken.clone().any(|other| *other == self) {
            match counted(&self.version) {
                Some((label, n)) => self.version.pre = trial(&label, n + 1),
                None => self.version.patch += 1,
            }
        }
        self
    }
}

/// How large a step a content asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Only contributions.
    Patch,
    /// A feature was completed.
    Minor,
    /// Something that users rely on breaks.
    Major,
}

/// How numbers are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbering {
    /// The first number ever.
    pub initial: Version,
    /// What stands before the number in the tag.
    pub prefix: String,
    /// What makes a number larger.
    pub scheme: Scheme,
    /// The package that is counted; none for the repository as a whole.
    pub package: Option<PackageName>,
}

/// What makes a number larger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scheme {
    /// What the version holds (semver.org).
    #[default]
    Semantic,
    /// The day of the release: year, then month or week, then a count (calver.org).
    Calendar(Calendar),
}

/// The first two parts of a number by the calendar; the third one counts the versions of that time, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// Whether the year is 2026 or 26.
    pub century: bool,
    /// Whether the second part is the week (ISO 8601) and not the month.
    pub weeks: bool,
}

impl Calendar {
    /// Every calendar by the words of calver.org. None has leading zeros: a semantic version may not.
    pub const ALL: [(&'static str, Self); 4] = [
        ("YYYY.MM.MICRO", Self::of(true, false)),
        ("YY.MM.MICRO", Self::of(false, false)),
        ("YYYY.WW.MICRO", Self::of(true, true)),
        ("YY.WW.MICRO", Self::of(false, true)),
    ];

    const fn of(century: bool, weeks: bool) -> Self {
        Self { century, weeks }
    }

    fn parts(self, day: Date) -> (u64, u64) {
        let week = day.iso_week_date();
        let (year, part) = if self.weeks {
            (week.year(), week.week())
        } else {
            (day.year(), day.month())
        };
        let year = if self.century { year } else { year % 100 };
        (
            u64::try_from(year).unwrap_or_default(),
            u64::try_from(part).unwrap_or_default(),
        )
    }
}

/// What a person asks of the number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// This one and no other.
    pub version: Option<Version>,
    /// One that is tried before it is final, with this word: `rc` makes `1.4.0-rc.1`.
    pub pre_release: Option<PreRelease>,
}

/// The word of a pre-release, such as `rc` or `beta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreRelease(String);

impl FromStr for PreRelease {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let word = text.chars().any(|c| !c.is_ascii_digit());
        if !text.is_empty() && text.len() <= 30 && letters && word {
            Ok(Self(text.to_owned()))
        } else {
            Err("it is one word of letters, digits and `-`, such as `rc` or `beta`".to_owned())
        }
    }
}

/// A number, and why it is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The number.
    pub number: Number,
    /// Why.
    pub because: Because,
    /// The last one that was final.
    pub last: Option<Number>,
}

/// Why a version gets its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// It is the first one.
    First,
    /// Its content asks for this step, and these merge requests are why; none for contributions alone.
    Content(Step, Vec<MergeRequestId>),
    /// It is released on this day.
    Day(Date),
    /// A person asked for it.
    Asked,
}

/// The step that one change set asks for: breaking -> major, a closed feature -> minor, else patch (design, "Versions").
fn step_of(appended: &Appended) -> Step {
    let set = &appended.change_set;
    if set.breaking {
        Step::Major
    } else if set.links.iter().any(|link| link.kind == LinkKind::Closes) {
        Step::Minor
    } else {
        Step::Patch
    }
}

/// The number after the tagged ones of this line for this content. Below 1.0.0 a breaking change is a minor step (semver.org, item 4).
/// Pre-releases count for nothing until they are final: the next one is counted from the last final version, and its content with it.
pub fn choose(
    tagged: &[Number],
    content: &[Appended],
    numbering: &Numbering,
    asked: &Asked,
    today: Date,
) -> Chosen {
    let finals = tagged.iter().filter(|number| !number.is_pre_release());
    let last = finals.max_by(|a, b| a.version.cmp(&b.version)).cloned();
    let (version, because) = match &asked.version {
        Some(version) => (version.clone(), Because::Asked),
        None => by_scheme(last.as_ref(), content, numbering, today),
    };
    let number = Number {
        version,
        prefix: numbering.prefix.clone(),
        package: numbering.package.clone(),
    };
    let number = match &asked.pre_release {
        Some(PreRelease(label)) if number.version.pre.is_empty() => before(number, label, tagged),
        Some(_) | None => number,
    };
    Chosen {
        number,
        because,
        last,
    }
}

fn by_scheme(
    last: Option<&Number>,
    content: &[Appended],
    numbering: &Numbering,
    today: Date,
) -> (Version, Because) {
    match (numbering.scheme, last) {
        (Scheme::Calendar(calendar), _) => {
            let (year, part) = calendar.parts(today);
            let same = last.filter(|last| (last.version.major, last.version.minor) == (year, part));
            let count = same.map_or(0, |last| last.version.patch + 1);
            (Version::new(year, part, count), Because::Day(today))
        }
        (Scheme::Semantic, None) => (numbering.initial.clone(), Because::First),
        (Scheme::Semantic, Some(last)) => {
            let v = &last.version;
            let step = content.iter().map(step_of).max().unwrap_or(Step::Patch);
            let version = match (step, v.major) {
                (Step::Major, 1..) => Version::new(v.major + 1, 0, 0),
                (Step::Major | Step::Minor, _) => Version::new(v.major, v.minor + 1, 0),
                (Step::Patch, _) => Version::new(v.major, v.minor, v.patch + 1),
            };
            let why = match step {
                Step::Patch => Vec::new(),
                Step::Minor | Step::Major => content
                    .iter()
                    .filter(|appended| step_of(appended) == step)
                    .map(|appended| appended.change_set.merge_request.clone())
                    .collect(),
            };
            (version, Because::Content(step, why))
        }
    }
}

/// The next pre-release of a number that is not out yet.
fn before(mut number: Number, label: &str, tagged: &[Number]) -> Number {
    let core = |v: &Version| (v.major, v.minor, v.patch);
    let tried = tagged
        .iter()
        .filter(|other| core(&other.version) == core(&number.version))
        .filter_map(|other| counted(&other.version))
        .filter(|(word, _)| word == label)
        .map(|(_, n)| n)
        .max();
    number.version.pre = trial(label, tried.unwrap_or(0) + 1);
    number
}

/// The word and the count of a pre-release as we number them.
fn counted(version: &Version) -> Option<(String, u64)> {
    let (label, n) = version.pre.as_str().rsplit_once('.')?;
    Some((label.to_owned(), n.parse().ok()?))
}

fn trial(label: &str, n: u64) -> Prerelease {
    Prerelease::new(&format!("{label}.{n}")).unwrap_or(Prerelease::EMPTY)
}

/// Whether the message of a commit, or a description, says that something breaks: a footer `BREAKING CHANGE: ...` or
/// `BREAKING-CHANGE: ...` (conventionalcommits.org, items 8 and 16).
pub fn says_that_it_breaks(text: &str) -> bool {
    let footers = ["BREAKING CHANGE: ", "BREAKING-CHANGE: "];
    let mut lines = text.lines();
    lines.any(|line| footers.iter().any(|footer| line.starts_with(footer)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::appended;
    use super::*;

    fn number(text: &str) -> Number {
        Number::of_tag(text, "v").unwrap()
    }

    fn numbering(scheme: Scheme) -> Numbering {
        Numbering {
            initial: Version::new(0, 1, 0),
            prefix: "v".into(),
            scheme,
            package: None,
        }
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn chosen(tagged: &[&str], content: &[Appended], scheme: Scheme, asked: &Asked) -> String {
        let tagged: Vec<Number> = tagged.iter().map(|tag| number(tag)).collect();
        let today = day("2026-11-21");
        choose(&tagged, content, &numbering(scheme), asked, today)
            .number
            .tag()
    }

    #[test]
    fn the_content_decides_the_next_number() {
        let patch = [appended(1, &[], &[34], false)];
        let minor = [
            appended(1, &[], &[34], false),
            appended(2, &[34], &[], false),
        ];
        let major = [appended(1, &[34], &[], false), appended(2, &[], &[], true)];
        let table: &[(&[&str], &[Appended], &str)] = &[
            (&[], &patch, "v0.1.0"),
            (&["v1.2.3"], &patch, "v1.2.4"),
            (&["v1.2.3"], &minor, "v1.3.0"),
            (&["v1.2.3"], &major, "v2.0.0"),
            (&["v0.2.3"], &major, "v0.3.0"),
            (&["v1.2.3", "v1.3.0-rc.2", "v1.1.9"], &minor, "v1.3.0"),
        ];
        for (tagged, content, expected) in table {
            let asked = Asked::default();
            assert_eq!(
                chosen(tagged, content, Scheme::Semantic, &asked),
                *expected,
                "{tagged:?}"
            );
        }
    }

    #[test]
    fn whoever_asks_why_is_told_the_merge_requests() {
        let content = [
            appended(1, &[], &[34], false),
            appended(2, &[34], &[], false),
        ];
        let last = [number("v1.0.0")];
        let asked = Asked::default();
        let today = day("2026-11-21");
        let why = choose(&last, &content, &numbering(Scheme::Semantic), &asked, today);
        let closing = content[1].change_set.merge_request.clone();
        assert_eq!(why.because, Because::Content(Step::Minor, vec![closing]));
        assert_eq!(why.last, Some(number("v1.0.0")));
    }

    #[test]
    fn pre_releases_count_on_until_the_content_asks_for_another_number() {
        let rc = Asked {
            pre_release: Some("rc".parse().unwrap()),
            ..Asked::default()
        };
        let patch = [appended(1, &[], &[34], false)];
        let minor = [appended(2, &[34], &[], false)];
        let of =
            |tagged: &[&str], content: &[Appended]| chosen(tagged, content, Scheme::Semantic, &rc);
        assert_eq!(of(&["v1.2.3"], &patch), "v1.2.4-rc.1");
        assert_eq!(
            of(&["v1.2.3", "v1.2.4-rc.1", "v1.2.4-beta.7"], &patch),
            "v1.2.4-rc.2"
        );
        assert_eq!(of(&["v1.2.3", "v1.2.4-rc.9"], &minor), "v1.3.0-rc.1");
        assert_eq!(of(&["v1.2.3", "v1.2.4-rc.10"], &patch), "v1.2.4-rc.11");
        let asked = Asked {
            version: Some(Version::new(2, 0, 0)),
            ..rc
        };
        assert_eq!(
            chosen(&["v1.2.3"], &patch, Scheme::Semantic, &asked),
            "v2.0.0-rc.1"
        );
        assert!("1".parse::<PreRelease>().is_err());
        assert!("rc 1".parse::<PreRelease>().is_err());
    }

    #[test]
    fn the_calendar_counts_within_its_month_or_week() {
        let content = [appended(1, &[], &[], true)];
        let asked = Asked::default();
        let of = |name: &str, tagged: &[&str]| {
            let (_, calendar) = Calendar::ALL.into_iter().find(|(n, _)| *n == name).unwrap();
            chosen(tagged, &content, Scheme::Calendar(calendar), &asked)
        };
        assert_eq!(of("YYYY.MM.MICRO", &[]), "v2026.11.0");
        assert_eq!(of("YYYY.MM.MICRO", &["v2026.11.4"]), "v2026.11.5");
        assert_eq!(of("YYYY.MM.MICRO", &["v2026.10.9"]), "v2026.11.0");
        assert_eq!(of("YY.MM.MICRO", &["v3.2.1"]), "v26.11.0");
        assert_eq!(of("YYYY.WW.MICRO", &[]), "v2026.47.0");
        let newest = Calendar::of(true, true).parts(day("2027-01-01"));
        assert_eq!(newest, (2026, 53), "the year is the week's");
    }

    #[test]
    fn a_number_that_another_branch_has_is_passed_over() {
        let taken = [number("v1.2.4"), number("v1.2.5"), number("v2.0.0-rc.1")];
        assert_eq!(number("v1.2.4").beside(taken.iter()).tag(), "v1.2.6");
        assert_eq!(
            number("v2.0.0-rc.1").beside(taken.iter()).tag(),
            "v2.0.0-rc.2"
        );
    }

    #[test]
    fn only_a_footer_says_that_something_breaks() {
        assert!(says_that_it_breaks(
            "feat: x\n\nBREAKING CHANGE: y is gone\n"
        ));
        assert!(says_that_it_breaks("BREAKING-CHANGE: y"));
        assert!(!says_that_it_breaks(
            "this is no BREAKING CHANGE: it is not"
        ));
        assert!(!says_that_it_breaks("BREAKING CHANGE"));
    }
}
