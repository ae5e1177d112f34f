//! What jobs with a script and trigger jobs have in common.

use serde_json::Value;

use super::defaults::Inheritable;
use super::environment;
use super::needs::{self, Allowed, NeedEntry};
use super::parallel::Parallel;
use super::policy::{self, Policy};
use super::rule::{self, Kind, Rule};
use super::settings::{self, Inheritance};
use super::variables::{self, Form};
use crate::ci::definition::{
    AllowFailure, CrossDependency, EnvironmentUse, Inherit, JobKind, Retry, Variables, When,
};
use crate::ci::report::{At, MAX_NESTING, Report, is_list_of_strings, nests};
use crate::ci::tree::{Map, get, mapping};

/// Keywords of every job.
pub(super) const KEYS: &[&str] = &[
    "extends",
    "stage",
    "only",
    "except",
    "rules",
    "variables",
    "inherit",
    "allow_failure",
    "when",
    "needs",
    "resource_group",
    "environment",
    "interruptible",
];
const DEFAULT_STAGE: &str = "test";
const MAX_NAME: usize = 255;

/// A job as configured, before its rules are evaluated.
#[derive(Debug, Clone)]
pub(in crate::ci) struct JobEntry {
    pub(in crate::ci) name: String,
    pub(in crate::ci) stage: String,
    pub(in crate::ci) only: Option<Policy>,
    pub(in crate::ci) except: Option<Policy>,
    pub(in crate::ci) rules: Option<Vec<Rule>>,
    pub(in crate::ci) when: Option<When>,
    pub(in crate::ci) allow_failure: Option<AllowFailure>,
    pub(in crate::ci) needs: Option<Vec<NeedEntry>>,
    pub(in crate::ci) cross_dependencies: Vec<CrossDependency>,
    pub(in crate::ci) dependencies: Option<Vec<String>>,
    pub(in crate::ci) variables: Variables,
    pub(in crate::ci) inherit_variables: Inherit,
    pub(in crate::ci) interruptible: Option<bool>,
    pub(in crate::ci) resource_group: Option<String>,
    pub(in crate::ci) environment: Option<EnvironmentUse>,
    pub(in crate::ci) manual_confirmation: Option<String>,
    pub(in crate::ci) start_in: Option<u64>,
    pub(in crate::ci) timeout: Option<u64>,
    pub(in crate::ci) retry: Option<Retry>,
    pub(in crate::ci) tags: Vec<String>,
    pub(in crate::ci) coverage: Option<String>,
    pub(in crate::ci) parallel: Option<Parallel>,
    /// Which of the parallel jobs this is, and of how many.
    pub(in crate::ci) instance: Option<(usize, usize)>,
    pub(in crate::ci) kind: JobKind,
}

/// What a job is read in the light of.
pub(super) struct Surroundings<'a> {
    pub(super) defaults: &'a Inheritable,
    pub(super) workflow_has_rules: bool,
}

/// The checks every job undergoes before its keywords are read.
pub(super) fn check(report: &mut Report, at: &At, name: &str, map: &Map) {
    if name.chars().count() > MAX_NAME {
        report.attribute(
            at,
            "name",
            &format!("is too long (maximum is {MAX_NAME} characters)"),
        );
    }
    report.exclusive_keys(at, map, &["script", "trigger"]);
    report.exclusive_keys(at, map, &["run", "trigger"]);
    if get(map, "rules").is_some() {
        let odd: Vec<&str> = ["only", "except", "start_in"]
            .into_iter()
            .filter(|key| get(map, key).is_some())
            .collect();
        if !odd.is_empty() {
            report.config(
                at,
                &format!("key may not be used with `rules`: {}", odd.join(", ")),
            );
        }
    }
    if let Some(extends) = get(map, "extends")
        && !extends.is_string()
        && !is_list_of_strings(extends)
    {
        report.attribute(at, "extends", "should be an array of strings or a string");
    }
    if let Some(rules) = get(map, "rules")
        && !(rules.is_array() && nests(rules, MAX_NESTING, &|item| mapping(item).is_some()))
    {
        report.attribute(
            at,
            "rules",
            "should be an array containing hashes and arrays of hashes",
        );
    }
    report.text(at, map, "resource_group");
}

/// Reads the common keywords; those of one kind of job only are left empty.
pub(super) fn read(
    report: &mut Report,
    at: &At,
    name: &str,
    map: &Map,
    around: &Surroundings<'_>,
    kind: JobKind,
) -> (JobEntry, Inheritance) {
    let stage = get(map, "stage");
    if stage.is_some_and(|stage| !stage.is_string()) {
        report.config(&at.key("stage"), "should be a string");
    }
    let has_rules = map.contains_key("rules") || around.workflow_has_rules;
    let only = match get(map, "only") {
        Some(value) => Some(policy::read(
            report,
            &at.key("only"),
            value,
            Policy::default_only(),
        )),
        None if has_rules => None,
        None => Some(Policy::default_only()),
    };
    let except = get(map, "except")
        .map(|value| policy::read(report, &at.key("except"), value, Policy::default()));
    let rules =
        get(map, "rules").and_then(|value| rule::read(report, &at.key("rules"), value, Kind::Job));
    let variables = get(map, "variables")
        .map(|value| variables::read(report, &at.key("variables"), value, Form::Job))
        .unwrap_or_default();
    let inheritance = settings::inherit(report, &at.key("inherit"), get(map, "inherit"));
    let environment = get(map, "environment")
        .and_then(|value| environment::read(report, &at.key("environment"), value));
    let allowed = match kind {
        JobKind::Build(_) => Allowed::JobsAndOtherPipelines,
        JobKind::Bridge(_) => Allowed::Jobs,
    };
    let before = report.errors.len();
    let needs = get(map, "needs")
        .and_then(|value| needs::read(report, &at.key("needs"), value, allowed))
        .filter(|_| report.errors.len() == before);
    let (needs, cross_dependencies) = match needs {
        Some(needs) => (Some(needs.jobs), needs.cross),
        None => (None, Vec::new()),
    };
    let text = |key| get(map, key).and_then(Value::as_str).map(str::to_owned);
    let entry = JobEntry {
        name: name.to_owned(),
        stage: text("stage").unwrap_or_else(|| DEFAULT_STAGE.to_owned()),
        only,
        except,
        rules,
        when: text("when").and_then(|word| rule::when(&word)),
        allow_failure: None,
        needs,
        cross_dependencies,
        dependencies: None,
        variables,
        inherit_variables: inheritance.variables.clone(),
        interruptible: None,
        resource_group: text("resource_group"),
        environment,
        manual_confirmation: None,
        start_in: None,
        timeout: None,
        retry: None,
        tags: Vec::new(),
        coverage: None,
        parallel: None,
        instance: None,
        kind,
    };
    (entry, inheritance)
}

/// A last rule that always matches makes two pipelines for one push likely.
pub(super) fn warn(report: &mut Report, at: &At, map: &Map, around: &Surroundings<'_>) {
    if around.workflow_has_rules {
        return;
    }
    let mut rules = Vec::new();
    if let Some(value) = get(map, "rules") {
        crate::ci::tree::flatten(value, &mut rules);
    }
    let Some(last) = rules.last().and_then(|rule| mapping(rule)) else {
        return;
    };
    if last.len() == 1 && get(last, "when").is_some_and(|when| when != "never") {
        report.warning(format!(
            "{at} may allow multiple pipelines to run for a single action due to `rules:when` clause with no \
             `workflow:rules` - read more: https://docs.gitlab.com/ee/ci/jobs/job_troubleshooting.html\
             #job-may-allow-multiple-pipelines-to-run-for-a-single-action-warning"
        ));
    }
}
