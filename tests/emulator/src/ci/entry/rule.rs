//! `rules:` of jobs, of the workflow and of includes.

use serde_json::Value;

use super::needs::{self, Allowed, NeedEntry};
use super::variables::{self, Form};
use super::workflow::{self, AutoCancelEntry};
use crate::ci::definition::{Variables, When};
use crate::ci::expression::Expression;
use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, get, is_blank, items, mapping, strings};

/// GitLab's longest delay.
pub(super) const MAX_DELAY: u64 = 604_800;
const MAX_PATHS: usize = 50;
const MAX_REGEXP: usize = 255;

/// One rule: its conditions and what it says when they all hold.
#[derive(Debug, Clone, Default)]
pub(in crate::ci) struct Rule {
    pub(in crate::ci) clauses: Clauses,
    /// `None`: the job's own `when`.
    pub(in crate::ci) when: Option<Decision>,
    pub(in crate::ci) start_in: Option<u64>,
    pub(in crate::ci) allow_failure: Option<bool>,
    pub(in crate::ci) interruptible: Option<bool>,
    pub(in crate::ci) variables: Variables,
    pub(in crate::ci) needs: Option<Vec<NeedEntry>>,
    pub(in crate::ci) auto_cancel: Option<AutoCancelEntry>,
}

/// `when` of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ci) enum Decision {
    Never,
    Run(When),
}

/// The conditions of a rule; all must hold.
#[derive(Debug, Clone, Default)]
pub(in crate::ci) struct Clauses {
    pub(in crate::ci) condition: Option<Expression>,
    pub(in crate::ci) changes: Option<Changes>,
    pub(in crate::ci) exists: Option<Exists>,
}

/// `rules:changes`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::ci) struct Changes {
    pub(in crate::ci) paths: Vec<String>,
    pub(in crate::ci) compare_to: Option<String>,
    pub(in crate::ci) regexp: Option<String>,
}

/// `rules:exists`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::ci) struct Exists {
    pub(in crate::ci) paths: Vec<String>,
    pub(in crate::ci) project: Option<String>,
    pub(in crate::ci) reference: Option<String>,
    pub(in crate::ci) regexp: Option<String>,
}

/// Whose rules are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Job,
    Workflow,
    Include,
}

impl Kind {
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Job => &[
                "if",
                "changes",
                "exists",
                "when",
                "start_in",
                "allow_failure",
                "variables",
                "needs",
                "interruptible",
            ],
            Self::Workflow => &[
                "if",
                "changes",
                "exists",
                "when",
                "start_in",
                "allow_failure",
                "variables",
                "needs",
                "auto_cancel",
            ],
            Self::Include => &["if", "exists", "when", "changes"],
        }
    }

    fn whens(self) -> &'static [&'static str] {
        match self {
            Self::Job => &[
                "on_success",
                "on_failure",
                "always",
                "never",
                "manual",
                "delayed",
            ],
            Self::Workflow | Self::Include => &["always", "never"],
        }
    }
}

/// The rules of one include.
pub(in crate::ci) fn include_rules(report: &mut Report, value: &Value) -> Vec<Rule> {
    // The list has no key of its own there, so it does not show in the place of its rules.
    let (list, item) = (At::section("rules"), At::section("rule"));
    read_list(report, &list, &item, value, Kind::Include).unwrap_or_default()
}

/// Reads a `rules:` list, whose lists may nest.
pub(super) fn read(report: &mut Report, at: &At, value: &Value, kind: Kind) -> Option<Vec<Rule>> {
    read_list(report, at, &at.key("rule"), value, kind)
}

fn read_list(
    report: &mut Report,
    at: &At,
    item: &At,
    value: &Value,
    kind: Kind,
) -> Option<Vec<Rule>> {
    let passes = report.passes(|report| {
        if is_blank(value) {
            report.config(at, "can't be blank");
        }
        if !value.is_array() {
            report.config(at, "should be an array");
        }
    });
    if !passes {
        return None;
    }
    Some(
        items(value)
            .into_iter()
            .filter_map(|value| rule(report, item, value, kind))
            .collect(),
    )
}

fn rule(report: &mut Report, at: &At, value: &Value, kind: Kind) -> Option<Rule> {
    let map = mapping(value);
    let mut condition = None;
    let passes = report.passes(|report| {
        if is_blank(value) {
            report.config(at, "can't be blank");
        }
        match map {
            Some(map) => condition = check(report, at, map, kind),
            None => {
                report.hash_twice(at, value);
            }
        }
    });
    let map = map.filter(|_| passes)?;
    Some(Rule {
        clauses: Clauses {
            condition,
            changes: get(map, "changes").map(|value| changes(report, &at.key("changes"), value)),
            exists: get(map, "exists")
                .filter(|value| !is_blank(value))
                .map(|value| exists(report, &at.key("exists"), value, kind)),
        },
        when: get(map, "when").and_then(Value::as_str).and_then(decision),
        start_in: get(map, "start_in")
            .and_then(Value::as_str)
            .and_then(crate::ci::duration::seconds),
        allow_failure: get(map, "allow_failure").and_then(Value::as_bool),
        interruptible: get(map, "interruptible").and_then(Value::as_bool),
        variables: get(map, "variables")
            .map(|value| variables::read(report, &at.key("variables"), value, Form::Plain))
            .unwrap_or_default(),
        needs: get(map, "needs")
            .and_then(|value| needs::read(report, &at.key("needs"), value, Allowed::Jobs))
            .map(|needs| needs.jobs),
        auto_cancel: get(map, "auto_cancel")
            .and_then(|value| workflow::auto_cancel(report, &at.key("auto_cancel"), value)),
    })
}

fn check(report: &mut Report, at: &At, map: &Map, kind: Kind) -> Option<Expression> {
    let when = get(map, "when");
    let delayed = when.and_then(Value::as_str) == Some("delayed");
    if kind != Kind::Include {
        if !delayed && map.contains_key("start_in") {
            report.config(at, "contains disallowed keys: start_in");
        }
        if delayed {
            let start_in = map.get("start_in").unwrap_or(&Value::Null);
            if is_blank(start_in) {
                report.attribute(at, "start_in", "can't be blank");
            }
            report.duration(at, "start_in", start_in, Some(MAX_DELAY));
        }
    }
    let mut condition = None;
    if let Some(value) = get(map, "if") {
        condition = value.as_str().and_then(|text| Expression::parse(text).ok());
        if condition.is_none() {
            report.attribute(at, "if", "invalid expression syntax");
        }
    }
    report.boolean(at, map, "allow_failure");
    report.boolean(at, map, "interruptible");
    if let Some(when) = when {
        let word = crate::ci::tree::text_of(when);
        if !kind.whens().contains(&word.as_str()) {
            report.attribute(at, "when", &format!("unknown value: {word}"));
        }
    }
    report.allowed_keys(at, map, kind.keys());
    condition
}

fn decision(word: &str) -> Option<Decision> {
    if word == "never" {
        Some(Decision::Never)
    } else {
        when(word).map(Decision::Run)
    }
}

/// The word of `when:` of a job or a rule.
pub(super) fn when(word: &str) -> Option<When> {
    match word {
        "on_success" => Some(When::OnSuccess),
        "on_failure" => Some(When::OnFailure),
        "always" => Some(When::Always),
        "manual" => Some(When::Manual),
        "delayed" => Some(When::Delayed),
        _ => None,
    }
}

fn changes(report: &mut Report, at: &At, value: &Value) -> Changes {
    if value.is_array() {
        return Changes {
            paths: paths(report, at, "config", value),
            ..Changes::default()
        };
    }
    let Some(map) = mapping(value) else {
        report.verbatim(format!("{at} should be an array or a hash"));
        return Changes::default();
    };
    report.allowed_keys(at, map, &["paths", "compare_to", "regexp"]);
    let regexp = regexp(report, at, map);
    if regexp.is_none() {
        report.required_keys(at, map, &["paths"]);
    }
    let paths = match map.get("paths") {
        None if regexp.is_some() => Vec::new(),
        value => paths(report, at, "paths", value.unwrap_or(&Value::Null)),
    };
    Changes {
        regexp,
        paths,
        compare_to: report.text(at, map, "compare_to").map(str::to_owned),
    }
}

fn exists(report: &mut Report, at: &At, value: &Value, kind: Kind) -> Exists {
    if value.is_string() {
        return Exists {
            paths: strings(value),
            ..Exists::default()
        };
    }
    if value.is_array() {
        let paths = if kind == Kind::Include {
            report.strings(at, "config", value)
        } else {
            paths(report, at, "config", value)
        };
        return Exists {
            paths,
            ..Exists::default()
        };
    }
    let Some(map) = mapping(value) else {
        report.verbatim(format!(
            "{at} should be a string, an array of strings, or a hash"
        ));
        return Exists::default();
    };
    report.allowed_keys(at, map, &["paths", "project", "ref", "regexp"]);
    let regexp = regexp(report, at, map);
    if regexp.is_none() {
        report.required_keys(at, map, &["paths"]);
    }
    if get(map, "ref").is_some() {
        report.required_keys(at, map, &["project"]);
    }
    let paths = get(map, "paths")
        .map(|value| paths(report, at, "paths", value))
        .unwrap_or_default();
    Exists {
        regexp,
        paths,
        project: report.text(at, map, "project").map(str::to_owned),
        reference: report.text(at, map, "ref").map(str::to_owned),
    }
}

/// `regexp:`, in place of `paths:`.
fn regexp(report: &mut Report, at: &At, map: &Map) -> Option<String> {
    let text = report.text(at, map, "regexp")?;
    if map.contains_key("paths") {
        report.config(at, "must use exactly one of these keys: paths, regexp");
    }
    if text.chars().count() > MAX_REGEXP {
        let message = format!("is too long (maximum is {MAX_REGEXP} characters)");
        report.attribute(at, "regexp", &message);
    }
    Some(text.to_owned())
}

fn paths(report: &mut Report, at: &At, attribute: &str, value: &Value) -> Vec<String> {
    let paths = report.strings(at, attribute, value);
    if paths.len() > MAX_PATHS || value.is_null() {
        report.attribute(
            at,
            attribute,
            &format!("has too many entries (maximum {MAX_PATHS})"),
        );
    }
    paths
}
