//! `release:` of a job; it is checked here and handed on as written.

use serde_json::Value;

use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, get, is_blank, mapping};

const KEYS: &[&str] = &[
    "tag_name",
    "tag_message",
    "name",
    "description",
    "ref",
    "released_at",
    "milestones",
    "assets",
];

/// Reads `release:`.
pub(super) fn read(report: &mut Report, at: &At, value: &Value) -> Option<Value> {
    let map = report.hash(at, value)?;
    report.allowed_keys(at, map, KEYS);
    report.present_text(at, map, "tag_name");
    if get(map, "tag_message").is_some_and(|message| !is_blank(message)) {
        report.text(at, map, "tag_message");
    }
    report.present_text(at, map, "description");
    if let Some(milestones) = get(map, "milestones").filter(|milestones| !is_blank(milestones)) {
        report.strings_or_string(at, "milestones", milestones);
    }
    if let Some(date) = get(map, "released_at").filter(|date| **date != Value::Bool(false)) {
        let valid = date.as_str().is_some_and(|text| {
            text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok()
        });
        if !valid {
            report.attribute(at, "released_at", "must be a valid datetime");
        }
    }
    if let Some(reference) = get(map, "ref").filter(|reference| **reference != Value::Bool(false))
        && !reference.as_str().is_some_and(is_ref)
    {
        report.attribute(at, "ref", "must be a valid ref");
    }
    if let Some(assets) = get(map, "assets") {
        links(report, &at.key("assets"), assets);
    }
    Some(value.clone())
}

/// Whether git would take the text for the name of a branch, tag or commit.
fn is_ref(text: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let odd_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    !text.contains(forbidden)
        && !text.contains("..")
        && !text.contains("@{")
        && !text.starts_with('-')
        && !text.ends_with('.')
        && !text.split('/').any(odd_part)
}

fn links(report: &mut Report, at: &At, value: &Value) {
    let none = Map::new();
    let map = report.hash(at, value).unwrap_or(&none);
    report.allowed_keys(at, map, &["links"]);
    let links = map.get("links").unwrap_or(&Value::Null);
    if !links
        .as_array()
        .is_some_and(|list| list.iter().all(|link| mapping(link).is_some()))
    {
        report.attribute(at, "links", "should be an array of hashes");
    }
    // What the links hold is seen only when the release is made.
    if is_blank(links) {
        report.attribute(at, "links", "can't be blank");
    }
}
