//! `release:` of a job; it is checked here and handed on as written.

use serde_json::Value;

use crate::ci::report::{At, Report};
use crate::ci::tree::{get, is_blank, mapping};

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
    report.text(at, map, "tag_message");
    report.present_text(at, map, "description");
    if let Some(milestones) = get(map, "milestones").filter(|milestones| !is_blank(milestones)) {
        report.strings_or_string(at, "milestones", milestones);
    }
    if let Some(date) = get(map, "released_at") {
        let valid = date.as_str().is_some_and(|text| {
            text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok()
        });
        if !valid {
            report.attribute(at, "released_at", "must be a valid datetime");
        }
    }
    if let Some(assets) = get(map, "assets") {
        links(report, &at.key("assets"), assets);
    }
    Some(value.clone())
}

fn links(report: &mut Report, at: &At, value: &Value) {
    let Some(map) = report.hash(at, value) else {
        return;
    };
    report.allowed_keys(at, map, &["links"]);
    let links = map.get("links").unwrap_or(&Value::Null);
    let Some(list) = links
        .as_array()
        .filter(|list| list.iter().all(|link| mapping(link).is_some()))
    else {
        report.attribute(at, "links", "should be an array of hashes");
        return;
    };
    if list.is_empty() {
        report.attribute(at, "links", "can't be blank");
    }
    let at = at.key("links").key("link");
    for link in list.iter().filter_map(mapping) {
        report.allowed_keys(&at, link, &["name", "url", "filepath", "link_type"]);
        report.present_text(&at, link, "name");
        report.present_text(&at, link, "url");
    }
}
