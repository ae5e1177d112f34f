//! Test reports of pipelines, read from the JUnit files that jobs bring back.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::archive;
use crate::store::State;
use crate::store::jobs::Job;
use crate::xml::{self, Element};

/// Why or how a test ended, in the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Error,
    Failed,
    Success,
    Skipped,
}

impl Verdict {
    /// As the API writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Failed => "failed",
            Self::Success => "success",
            Self::Skipped => "skipped",
        }
    }
}

/// One test.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) verdict: Verdict,
    pub(crate) suite: String,
    pub(crate) name: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) seconds: f64,
    pub(crate) output: Value,
    /// A path among the artifacts.
    pub(crate) attachment: Option<String>,
    pub(crate) job: u64,
}

/// The tests of all jobs of one name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) jobs: Vec<u64>,
    pub(crate) seconds: f64,
    pub(crate) error: Option<String>,
    /// Errors first, then failures, successes and what was skipped; in each the slowest first.
    pub(crate) cases: Vec<Case>,
}

impl Suite {
    /// How many tests ended like this.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        if self.error.is_some() {
            return 0;
        }
        let like = |case: &&Case| case.verdict == verdict;
        self.cases.iter().filter(like).count()
    }

    /// How many tests there are.
    pub(crate) fn total(&self) -> usize {
        if self.error.is_some() {
            0
        } else {
            self.cases.len()
        }
    }

    fn add(&mut self, case: Case) {
        self.seconds += case.seconds;
        let same = |other: &Case| {
            (other.verdict, &other.suite, &other.class, &other.name)
                == (case.verdict, &case.suite, &case.class, &case.name)
        };
        self.cases.retain(|other| !same(other));
        self.cases.push(case);
    }
}

/// The suites of a pipeline and its children.
pub(crate) fn of_pipeline(state: &State, pipeline: u64) -> Vec<Suite> {
    let mut suites: Vec<Suite> = Vec::new();
    let family = [pipeline].into_iter().chain(state.descendants_of(pipeline));
    for job in family.flat_map(|id| state.current_jobs_of(id)) {
        let reports = job
            .artifacts
            .iter()
            .filter(|artifact| artifact.file_type == "junit");
        for report in reports {
            let name = suite_name(job);
            let at = suites
                .iter()
                .position(|suite| suite.name == name)
                .unwrap_or(suites.len());
            if at == suites.len() {
                suites.push(Suite {
                    name,
                    ..Suite::default()
                });
            }
            let suite = &mut suites[at];
            suite.jobs.push(job.id);
            match archive::gunzip_each(&report.content) {
                Ok(files) => {
                    for file in files {
                        read(suite, &String::from_utf8_lossy(&file), job);
                    }
                }
                Err(error) => suite.error = Some(format!("JUnit data parsing failed: {error}")),
            }
        }
    }
    for suite in &mut suites {
        suite.cases.sort_by(|one, other| {
            (one.verdict.cmp(&other.verdict)).then(other.seconds.total_cmp(&one.seconds))
        });
    }
    suites
}

/// The jobs of `parallel: 3` are one suite, those of a matrix one each.
fn suite_name(job: &Job) -> String {
    static NUMBERED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(.+) \d+/\d+$").ok());
    let found = NUMBERED
        .as_ref()
        .and_then(|numbered| numbered.captures(&job.name));
    found.map_or_else(|| job.name.clone(), |found| found[1].to_owned())
}

fn read(suite: &mut Suite, text: &str, job: &Job) {
    match xml::parse(text) {
        Ok(root) if matches!(root.name.as_str(), "testsuites" | "testsuite") => {
            cases_of(suite, &root, job);
            suites_in(suite, &root, job);
        }
        // Whatever else it is, it has no tests.
        Ok(_) => {}
        Err(error) => suite.error = Some(format!("JUnit XML parsing failed: {error}")),
    }
}

fn suites_in(suite: &mut Suite, parent: &Element, job: &Job) {
    for child in parent
        .children
        .iter()
        .filter(|child| child.name == "testsuite")
    {
        cases_of(suite, child, job);
        suites_in(suite, child, job);
    }
}

fn cases_of(suite: &mut Suite, parent: &Element, job: &Job) {
    let name = parent.attribute("name").unwrap_or(&suite.name).to_owned();
    for test in parent
        .children
        .iter()
        .filter(|child| child.name == "testcase")
    {
        suite.add(case(test, &name, job));
    }
}

fn case(test: &Element, suite: &str, job: &Job) -> Case {
    let text = |name: &str| test.attribute(name).map(str::to_owned);
    let verdicts = [
        ("failure", Verdict::Failed),
        ("error", Verdict::Error),
        ("skipped", Verdict::Skipped),
    ];
    let found = verdicts
        .iter()
        .find_map(|(name, verdict)| Some((*verdict, test.child(name)?)));
    let (verdict, output) = match found {
        None => (Verdict::Success, Value::Null),
        Some((Verdict::Skipped, why)) => (Verdict::Skipped, content(why)),
        Some((verdict, why)) => (verdict, Value::from(told(test, why))),
    };
    let troubled = matches!(verdict, Verdict::Failed | Verdict::Error);
    Case {
        verdict,
        suite: suite.to_owned(),
        name: text("name"),
        class: text("classname"),
        file: text("file"),
        seconds: test
            .attribute("time")
            .and_then(|time| time.trim().parse().ok())
            .unwrap_or(0.0),
        output,
        attachment: test
            .child("system-out")
            .filter(|_| troubled)
            .and_then(|out| attachment(&out.text)),
        job: job.id,
    }
}

/// An element as a value: its text, or its attributes when there is none.
fn content(element: &Element) -> Value {
    if !element.text.trim().is_empty() {
        return Value::from(element.text.clone());
    }
    if element.attributes.is_empty() {
        return Value::Null;
    }
    let pairs = element.attributes.iter().cloned();
    let object: Map<String, Value> = pairs
        .map(|(name, text)| (name, Value::from(text)))
        .collect();
    Value::Object(object)
}

/// What went wrong, and what the test printed.
fn told(test: &Element, why: &Element) -> String {
    let mut parts = Vec::new();
    match content(why) {
        Value::String(text) => parts.push(text),
        Value::Object(pairs) => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(name, text)| format!("\"{name}\"=>{text}"))
                .collect();
            parts.push(format!("{{{}}}", pairs.join(", ")));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
    }
    for (name, title) in [("system-out", "System Out"), ("system-err", "System Err")] {
        if let Some(printed) = test.child(name) {
            parts.push(format!("{title}:\n\n{}", printed.text));
        }
    }
    parts.join("\n\n")
}

fn attachment(text: &str) -> Option<String> {
    static MARK: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\[\[ATTACHMENT\|([^\[\]|]+?)\]\]").ok());
    Some(MARK.as_ref()?.captures(text)?[1].to_owned())
}
