//! Whom the test cases of a rejected trial name, by the tags that they carry. Pure.
//!
//! A name costs a change set its place, so it needs every failing case to point at change sets of this trial; whatever is left
//! unexplained means that nobody is named, and the search by smaller trials decides.

pub mod tags;

use std::collections::BTreeSet;

use super::ids::{FeatureId, MergeRequestId, ProjectPath};
use tags::{Tag, Tags};

/// A test case that failed, as its report tells it; all of it untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCase {
    /// Its name.
    pub name: String,
    /// The class, module or file that it belongs to.
    pub class: Option<String>,
    /// The file that it stands in.
    pub file: Option<String>,
    /// The first line of what it said.
    pub said: Option<String>,
}

impl FailedCase {
    /// One line for people.
    pub fn line(&self) -> String {
        let cut = |text: &str| text.chars().take(120).collect::<String>();
        let mut line = match &self.class {
            Some(class) if !class.is_empty() => format!("{} > {}", cut(class), cut(&self.name)),
            Some(_) | None => cut(&self.name),
        };
        if let Some(said) = self.said.as_ref().filter(|said| !said.is_empty()) {
            line.push_str(&format!(": {}", cut(said)));
        }
        line
    }
}

/// The test cases of all jobs of one name that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// The name of the jobs.
    pub name: String,
    /// Whether its report could be read to the end.
    pub whole: bool,
    /// The cases that failed.
    pub failed: Vec<FailedCase>,
}

/// A job whose failure rejects the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedJob<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether its script came to its end, so that its report is whole.
    pub ended: bool,
}

/// Whom the cases point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// These are to blame: each of them is the only one that some failing case points at.
    Guilty(Vec<MergeRequestId>),
    /// At least one of these is: every failing case points at several of them.
    Suspected(Vec<MergeRequestId>),
    /// Nobody can be named.
    Nobody(Unexplained),
}

/// Why nobody is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unexplained {
    /// There is only one change set.
    Alone,
    /// A job failed, and no report says which of its cases did.
    Job(String),
    /// A failing case points at no change set of the trial.
    Case(String),
    /// The cases point at all of them alike.
    Everybody,
}

/// What the reports of a rejected trial say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// Whom they point at.
    pub named: Named,
    /// The failing cases, with the change sets of the trial that each points at.
    pub cases: Vec<(FailedCase, BTreeSet<MergeRequestId>)>,
}

impl Naming {
    /// The cases that point at a change set; all of them when none does.
    pub fn cases_of(&self, id: &MergeRequestId) -> Vec<&FailedCase> {
        let pointing = self.cases.iter().filter(|(_, at)| at.contains(id));
        let pointing: Vec<&FailedCase> = pointing.map(|(case, _)| case).collect();
        if pointing.is_empty() {
            self.cases.iter().map(|(case, _)| case).collect()
        } else {
            pointing
        }
    }
}

/// A change set of the trial, with the features that it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Which one.
    pub id: MergeRequestId,
    /// The features that it contributes to or closes.
    pub features: Vec<FeatureId>,
    /// Where features of its project are that are named by number only.
    pub home: ProjectPath,
}

/// Weighs the reports of a rejected trial.
pub fn naming(jobs: &[FailedJob<'_>], suites: &[Suite], tried: &[Tried], tags: &Tags) -> Naming {
    let of_jobs = |suite: &&Suite| jobs.iter().any(|job| suite_of(job.name) == suite.name);
    let counted: Vec<&Suite> = suites.iter().filter(of_jobs).collect();
    let cases: Vec<(FailedCase, BTreeSet<MergeRequestId>)> = counted
        .iter()
        .flat_map(|suite| &suite.failed)
        .map(|case| (case.clone(), pointed_at(case, tried, tags)))
        .collect();
    let named = if tried.len() < 2 {
        Named::Nobody(Unexplained::Alone)
    } else if let Some(job) = jobs.iter().find(|job| !is_explained(job, jobs, &counted)) {
        Named::Nobody(Unexplained::Job(job.name.to_owned()))
    } else {
        by_cases(&cases, tried)
    };
    Naming { named, cases }
}

fn by_cases(cases: &[(FailedCase, BTreeSet<MergeRequestId>)], tried: &[Tried]) -> Named {
    if let Some((case, _)) = cases.iter().find(|(_, at)| at.is_empty()) {
        return Named::Nobody(Unexplained::Case(case.line()));
    }
    let in_order = |set: &BTreeSet<MergeRequestId>| -> Vec<MergeRequestId> {
        let ids = tried.iter().map(|tried| &tried.id);
        ids.filter(|id| set.contains(id)).cloned().collect()
    };
    let alone = cases.iter().filter(|(_, at)| at.len() == 1);
    let guilty: BTreeSet<MergeRequestId> = alone.flat_map(|(_, at)| at.clone()).collect();
    if !guilty.is_empty() {
        // A case that points at one of them and at others is explained by it.
        return Named::Guilty(in_order(&guilty));
    }
    let suspected: BTreeSet<MergeRequestId> = cases.iter().flat_map(|(_, at)| at.clone()).collect();
    if suspected.len() == tried.len() {
        Named::Nobody(Unexplained::Everybody)
    } else {
        Named::Suspected(in_order(&suspected))
    }
}

/// Whether a job's failure is told by failing cases of its own: of several jobs with one report nobody knows which one it is of.
fn is_explained(job: &FailedJob<'_>, jobs: &[FailedJob<'_>], suites: &[&Suite]) -> bool {
    let name = suite_of(job.name);
    let sharing = jobs.iter().filter(|other| suite_of(other.name) == name);
    job.ended
        && sharing.count() == 1
        && suites
            .iter()
            .any(|suite| suite.name == name && suite.whole && !suite.failed.is_empty())
}

/// The change sets that the tags of a case point at.
fn pointed_at(case: &FailedCase, tried: &[Tried], tags: &Tags) -> BTreeSet<MergeRequestId> {
    let texts = [Some(&case.name), case.class.as_ref(), case.file.as_ref()];
    let tags: BTreeSet<Tag> = texts
        .into_iter()
        .flatten()
        .flat_map(|text| tags.read(text))
        .collect();
    let points_at = |tried: &&Tried| tags.iter().any(|tag| tag.is_of(tried));
    let pointed = tried.iter().filter(points_at);
    pointed.map(|tried| tried.id.clone()).collect()
}

impl Tag {
    fn is_of(&self, tried: &Tried) -> bool {
        match self {
            Self::MergeRequest { iid } => tried.id.iid == *iid,
            Self::Feature { project, iid } => {
                let project = project.as_ref().unwrap_or(&tried.home).as_str();
                // Tags are read in lower case, as GitLab compares paths.
                let same = |f: &&FeatureId| {
                    f.iid == *iid && f.project.as_str().eq_ignore_ascii_case(project)
                };
                tried.features.iter().any(|f| same(&f))
            }
        }
    }
}

/// The report that a job's cases are in: those of `parallel` have one together.
fn suite_of(job: &str) -> &str {
    let numbered = |(name, number): (&'_ str, &'_ str)| -> Option<usize> {
        let (index, total) = number.split_once('/')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (digits(index) && digits(total)).then_some(name.len())
    };
    let length = job.rsplit_once(' ').and_then(numbered);
    length.map_or(job, |length| &job[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> ProjectPath {
        "shop/web".parse().unwrap()
    }

    fn mr(iid: u64) -> MergeRequestId {
        MergeRequestId {
            project: home(),
            iid,
        }
    }

    /// !1 and !2 serve #10, !3 serves #11, !4 serves none.
    fn tried() -> Vec<Tried> {
        [(1, Some(10)), (2, Some(10)), (3, Some(11)), (4, None)]
            .map(|(iid, feature)| Tried {
                id: mr(iid),
                home: home(),
                features: feature
                    .map(|iid| FeatureId {
                        project: home(),
                        iid,
                    })
                    .into_iter()
                    .collect(),
            })
            .to_vec()
    }

    fn case(name: &str) -> FailedCase {
        FailedCase {
            name: name.to_owned(),
            class: Some("prices".to_owned()),
            file: None,
            said: Some("expected a number".to_owned()),
        }
    }

    fn suite(cases: &[&str]) -> Suite {
        Suite {
            name: "nrt-tests".to_owned(),
            whole: true,
            failed: cases.iter().map(|name| case(name)).collect(),
        }
    }

    const JOB: FailedJob<'static> = FailedJob {
        name: "nrt-tests",
        ended: true,
    };

    fn named(cases: &[&str]) -> Named {
        let tags = Tags::with(vec!["t_{feature}_".parse().unwrap()]);
        naming(&[JOB], &[suite(cases)], &tried(), &tags).named
    }

    #[test]
    fn whoever_alone_is_pointed_at_is_guilty() {
        assert_eq!(named(&["a [!4]"]), Named::Guilty(vec![mr(4)]));
        assert_eq!(named(&["a [feature #11]"]), Named::Guilty(vec![mr(3)]));
        assert_eq!(named(&["t_11_prices"]), Named::Guilty(vec![mr(3)]));
        assert_eq!(
            named(&["a [!4]", "b @mr-1", "c [feature #10]"]),
            Named::Guilty(vec![mr(1), mr(4)]),
            "the case of #10 is explained by !1"
        );
    }

    #[test]
    fn a_feature_of_several_change_sets_makes_them_suspects() {
        let both = Named::Suspected(vec![mr(1), mr(2)]);
        assert_eq!(named(&["a [feature #10]"]), both);
        assert_eq!(
            named(&["a [feature #10] [feature #11] [!4]"]),
            Named::Nobody(Unexplained::Everybody)
        );
    }

    #[test]
    fn one_case_that_points_at_nobody_of_the_trial_means_that_nobody_is_named() {
        for stranger in ["plain", "old [feature #3]", "[!99]"] {
            let found = named(&["a [!4]", stranger]);
            assert!(
                matches!(&found, Named::Nobody(Unexplained::Case(case)) if case.contains(stranger)),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_job_whose_failure_no_report_tells_means_that_nobody_is_named() {
        let tags = Tags::with(Vec::new());
        let nobody = |jobs: &[FailedJob<'_>], suites: &[Suite]| {
            let found = naming(jobs, suites, &tried(), &tags).named;
            assert!(
                matches!(found, Named::Nobody(Unexplained::Job(_))),
                "{jobs:?} {suites:?}: {found:?}"
            );
        };
        let good = suite(&["a [!4]"]);
        let job = |name| FailedJob { name, ended: true };
        nobody(&[JOB, job("e2e")], std::slice::from_ref(&good));
        nobody(&[JOB], &[]);
        nobody(&[JOB], &[suite(&[])]);
        let cut = Suite {
            whole: false,
            ..good.clone()
        };
        nobody(&[JOB], &[cut]);
        let timeout = FailedJob {
            ended: false,
            ..JOB
        };
        nobody(&[timeout], std::slice::from_ref(&good));
        nobody(
            &[job("nrt-tests 1/2"), job("nrt-tests 2/2")],
            std::slice::from_ref(&good),
        );
        let one = naming(&[job("nrt-tests 1/2")], &[good], &tried(), &tags);
        assert_eq!(one.named, Named::Guilty(vec![mr(4)]));
    }

    #[test]
    fn cases_of_jobs_that_may_fail_do_not_count() {
        let other = Suite {
            name: "flaky".to_owned(),
            ..suite(&["plain"])
        };
        let tags = Tags::with(Vec::new());
        let found = naming(&[JOB], &[other, suite(&["a [!4]"])], &tried(), &tags);
        assert_eq!(found.named, Named::Guilty(vec![mr(4)]));
        assert_eq!(found.cases_of(&mr(4)).len(), 1);
        assert_eq!(
            found.cases_of(&mr(1))[0].line(),
            "prices > a [!4]: expected a number"
        );
    }

    #[test]
    fn a_change_set_alone_needs_no_name() {
        let alone = &tried()[3..];
        let tags = Tags::with(Vec::new());
        let found = naming(&[JOB], &[suite(&["plain"])], alone, &tags);
        assert_eq!(found.named, Named::Nobody(Unexplained::Alone));
        assert_eq!(found.cases_of(&mr(4)).len(), 1);
    }
}
