//! `needs:` of jobs and rules.

use serde_json::Value;

use super::parallel::{self, Parallel};
use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, flatten, get, mapping};

/// One needed job, before parallel jobs are told apart.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ci) struct NeedEntry {
    pub(in crate::ci) name: String,
    pub(in crate::ci) artifacts: bool,
    pub(in crate::ci) optional: bool,
    /// Which of the parallel jobs; `None`: all.
    pub(in crate::ci) parallel: Option<Parallel>,
}

/// Reads `needs:`, a list or a single hash.
pub(super) fn read(report: &mut Report, at: &At, value: &Value) -> Option<Vec<NeedEntry>> {
    let passes = report.passes(|report| {
        if mapping(value).is_none() && !value.is_array() {
            report.config(at, "can only be a hash or an array");
        }
        if mapping(value).is_some_and(Map::is_empty) {
            report.config(at, "can not be an empty hash");
        }
        let mut items = Vec::new();
        flatten(value, &mut items);
        if items
            .iter()
            .any(|item| item.get("parallel").is_some_and(Value::is_number))
        {
            report.config(at, "cannot use \"parallel: <number>\".");
        }
    });
    if !passes {
        return None;
    }
    let mut items = Vec::new();
    flatten(value, &mut items);
    Some(
        items
            .into_iter()
            .filter_map(|item| need(report, &at.key("need"), item))
            .collect(),
    )
}

fn need(report: &mut Report, at: &At, value: &Value) -> Option<NeedEntry> {
    if let Some(name) = value.as_str() {
        if name.trim().is_empty() {
            report.config(at, "can't be blank");
        }
        return Some(NeedEntry {
            name: name.to_owned(),
            artifacts: true,
            optional: false,
            parallel: None,
        });
    }
    let map = mapping(value)?;
    if let Some(other) = ["project", "pipeline"]
        .into_iter()
        .find(|key| map.contains_key(*key))
    {
        report.unsupported(at, &format!("needs:{other}"));
        return None;
    }
    if !map.contains_key("job") {
        report.verbatim(format!("{at} has an unsupported type"));
        return None;
    }
    let passes = report.passes(|report| {
        report.allowed_keys(at, map, &["job", "artifacts", "optional", "parallel"]);
        report.present_text(at, map, "job");
        report.boolean(at, map, "artifacts");
        report.boolean(at, map, "optional");
    });
    let flag = |key, otherwise| get(map, key).and_then(Value::as_bool).unwrap_or(otherwise);
    passes.then(|| NeedEntry {
        name: get(map, "job")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        artifacts: flag("artifacts", true),
        optional: flag("optional", false),
        parallel: get(map, "parallel")
            .and_then(|value| parallel::read(report, &at.key("parallel"), value, true)),
    })
}
