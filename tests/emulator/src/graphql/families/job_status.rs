//! How statuses and traces are shown, and what can be done about a job.

use serde_json::json;

use super::jobs::page;
use crate::api::pipeline_entity::detailed_status;
use crate::engine::status::Status;
use crate::engine::{play, retry};
use crate::graphql::objects::{Found, NOTHING, Record, record, upper};
use crate::graphql::schema::Family;
use crate::store::State;
use crate::store::jobs::Job;

/// The family of statuses.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        type DetailedStatus {
            action: StatusAction detailsPath: String favicon: String group: String hasDetails: Boolean icon: String id: String! label: String
            name: String text: String tooltip: String
        }
        type StatusAction { buttonTitle: String confirmationMessage: String icon: String id: String! method: String path: String title: String }
    ",
};

/// How a status is shown.
pub(super) fn status_record(id: &str, status: Status, page: &str) -> Record {
    let entity = detailed_status(status, page);
    let data = json!({
        "id": id, "name": upper(status.as_str()), "detailsPath": page, "favicon": entity["favicon"], "group": entity["group"],
        "hasDetails": true, "icon": entity["icon"], "label": entity["label"], "text": entity["text"], "tooltip": entity["tooltip"],
        "action": null,
    });
    record("DetailedStatus", data)
}

/// What the button of a job does.
pub(super) fn action_of(state: &State, job: &Job) -> Found {
    let (icon, title, tail) = if play::is_playable(job) {
        ("play", "Run", "play")
    } else if job.status.is_cancelable() {
        ("cancel", "Cancel", "cancel")
    } else if retry::is_retryable(job) {
        ("retry", "Run again", "retry")
    } else {
        return NOTHING;
    };
    let data = json!({
        "id": format!("Ci::BuildPresenter-{}-{}", job.status.as_str(), job.id), "icon": icon, "title": title, "method": "post",
        "path": format!("{}/{tail}", page(state, job)), "buttonTitle": format!("{title} this job"), "confirmationMessage": null,
    });
    record("StatusAction", data).found()
}

/// The last lines of a trace.
pub(super) fn trace(text: &str) -> Found {
    let lines: Vec<&str> = text.lines().rev().take(10).collect();
    let shown: Vec<String> = lines
        .into_iter()
        .rev()
        .map(|line| {
            let escaped = line
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            format!("<span>{escaped}<br/></span>")
        })
        .collect();
    record("CiJobTrace", json!({ "htmlSummary": shown.concat() })).found()
}
