//! `workflow:`, what decides about the pipeline as a whole.

use serde_json::Value;

use super::rule::{self, Kind, Rule};
use crate::ci::definition::OnNewCommit;
use crate::ci::report::{At, Report};
use crate::ci::tree::{get, text_of};

/// `workflow:`, empty where it is absent.
#[derive(Debug, Clone, Default)]
pub(in crate::ci) struct Workflow {
    pub(in crate::ci) name: Option<String>,
    pub(in crate::ci) rules: Option<Vec<Rule>>,
    pub(in crate::ci) auto_cancel: AutoCancelEntry,
}

/// `auto_cancel:` of the workflow or of one of its rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::ci) struct AutoCancelEntry {
    pub(in crate::ci) on_new_commit: Option<OnNewCommit>,
    /// `on_job_failure` is `all`.
    pub(in crate::ci) all_on_job_failure: Option<bool>,
}

/// Reads `workflow:`.
pub(super) fn read(report: &mut Report, value: Option<&Value>) -> Workflow {
    let at = At::section("workflow");
    let mut workflow = Workflow::default();
    let Some(value) = value else { return workflow };
    let Some(map) = report.hash_twice(&at, value) else {
        return workflow;
    };
    let name = get(map, "name").map(text_of);
    let passes = report.passes(|report| {
        report.allowed_keys(&at, map, &["rules", "name", "auto_cancel"]);
        if name.as_ref().is_some_and(|name| name.chars().count() > 255) {
            report.attribute(&at, "name", "is too long (maximum is 255 characters)");
        }
    });
    if passes {
        workflow.name = name;
        workflow.rules = get(map, "rules")
            .and_then(|value| rule::read(report, &at.key("rules"), value, Kind::Workflow));
        workflow.auto_cancel = get(map, "auto_cancel")
            .and_then(|value| auto_cancel(report, &at.key("auto_cancel"), value))
            .unwrap_or_default();
    }
    workflow
}

/// Reads `auto_cancel:`.
pub(super) fn auto_cancel(report: &mut Report, at: &At, value: &Value) -> Option<AutoCancelEntry> {
    let map = report.hash(at, value)?;
    report.allowed_keys(at, map, &["on_new_commit", "on_job_failure"]);
    let words = ["conservative", "interruptible", "none"];
    let on_new_commit = match report.word(
        at,
        map,
        "on_new_commit",
        &words,
        "must be one of: conservative, interruptible, none",
    ) {
        Some("conservative") => Some(OnNewCommit::Conservative),
        Some("interruptible") => Some(OnNewCommit::Interruptible),
        Some("none") => Some(OnNewCommit::None),
        Some(_) | None => None,
    };
    let on_job_failure = report.word(
        at,
        map,
        "on_job_failure",
        &["none", "all"],
        "must be one of: none, all",
    );
    Some(AutoCancelEntry {
        on_new_commit,
        all_on_job_failure: on_job_failure.map(|word| word == "all"),
    })
}
