//! `only:` and `except:`, the forerunners of `rules:`.

use serde_json::Value;

use crate::ci::expression::Expression;
use crate::ci::pattern::Pattern;
use crate::ci::report::{At, Report};
use crate::ci::tree::{get, is_blank, mapping, strings, text_of};

/// What must (or must not) be true of a pipeline; each `None` says nothing.
#[derive(Debug, Clone, Default)]
pub(in crate::ci) struct Policy {
    pub(in crate::ci) refs: Option<Vec<String>>,
    pub(in crate::ci) variables: Option<Vec<Expression>>,
    pub(in crate::ci) changes: Option<Vec<String>>,
    /// There must be a cluster, and here is none.
    pub(in crate::ci) kubernetes: bool,
}

impl Policy {
    /// What holds for a job without any condition: branches and tags, but not merge requests.
    pub(super) fn default_only() -> Self {
        Self {
            refs: Some(vec!["branches".to_owned(), "tags".to_owned()]),
            ..Self::default()
        }
    }
}

/// Reads `only:` or `except:`, starting from what holds without it.
pub(super) fn read(report: &mut Report, at: &At, value: &Value, mut policy: Policy) -> Policy {
    if value.is_array() {
        policy.refs = Some(refs(report, at, "config", value));
        return policy;
    }
    let Some(map) = mapping(value) else {
        report.verbatim(format!(
            "{at} has to be either an array of conditions or a hash"
        ));
        return policy;
    };
    if is_blank(value) {
        report.config(at, "can't be blank");
    }
    report.allowed_keys(at, map, &["refs", "kubernetes", "variables", "changes"]);
    if let Some(value) = get(map, "variables") {
        let parsed: Vec<_> = strings(value)
            .iter()
            .map(|text| Expression::parse(text))
            .collect();
        let wrong = parsed.iter().filter(|parsed| parsed.is_err()).count();
        for _ in 0..if value.is_array() { wrong } else { 0 } {
            report.attribute(at, "variables", "invalid expression syntax");
        }
        report.strings(at, "variables", value);
        policy.variables = Some(parsed.into_iter().flatten().collect());
    }
    if let Some(value) = get(map, "refs") {
        policy.refs = Some(refs(report, at, "refs", value));
    }
    if let Some(value) = get(map, "kubernetes") {
        let word = text_of(value);
        if word != "active" {
            report.attribute(at, "kubernetes", &format!("unknown value: {word}"));
        }
        policy.kubernetes = true;
    }
    if let Some(value) = get(map, "changes") {
        policy.changes = Some(report.strings(at, "changes", value));
    }
    policy
}

fn refs(report: &mut Report, at: &At, attribute: &str, value: &Value) -> Vec<String> {
    let valid = |item: &Value| {
        item.as_str()
            .is_some_and(|text| !Pattern::looks_like_one(text) || Pattern::parse(text).is_some())
    };
    if !value.as_array().is_some_and(|list| list.iter().all(valid)) {
        report.attribute(
            at,
            attribute,
            "should be an array of strings or regular expressions using re2 syntax",
        );
    }
    strings(value)
}
