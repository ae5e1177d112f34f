//! Labels as the API writes them, and their colours.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::store::State;
use crate::store::holders::Holder;
use crate::store::labels::Label;

/// The form inside lists of issues and merge requests that ask for label details.
pub(super) fn basic(label: &Label) -> Value {
    json!({
        "id": label.id,
        "name": label.name,
        "description": label.description,
        "description_html": label.description.clone().unwrap_or_default(),
        "text_color": text_color(&label.color),
        "color": label.color,
    })
}

/// The label as a project or group shows it.
pub(super) fn full(ctx: &Ctx<'_>, label: &Label, shown_in: Holder) -> Value {
    let mut entity = basic(label);
    let user = ctx.caller.user();
    entity["subscribed"] = json!(user.is_some_and(|user| label.subscribers.contains(&user)));
    if shown_in.project().is_some() {
        entity["priority"] = json!(label.priority);
        entity["is_project_label"] = json!(label.holder.project().is_some());
    }
    entity
}

/// How many issues and merge requests of a project or group have the label.
pub(super) fn add_counts(state: &State, entity: &mut Value, label: &Label, shown_in: Holder) {
    let inside = |project: u64| match shown_in {
        Holder::Project(own) => own == project,
        Holder::Group(group) => state.groups_above(project).any(|above| above == group),
    };
    let issues = |open: bool| {
        let with = state.issues.iter().filter(|issue| {
            issue.open == open && issue.label_ids.contains(&label.id) && inside(issue.project_id)
        });
        with.count()
    };
    entity["open_issues_count"] = json!(issues(true));
    entity["closed_issues_count"] = json!(issues(false));
    let open = state
        .merge_requests
        .iter()
        .filter(|row| row.is_open() && row.label_ids.contains(&label.id) && inside(row.project_id));
    entity["open_merge_requests_count"] = json!(open.count());
}

/// `#RRGGBB` from `#RGB`, `#RRGGBB` or one of the common colour names.
pub(super) fn color(text: &str) -> Option<String> {
    let named = [
        ("red", "#FF0000"),
        ("green", "#008000"),
        ("blue", "#0000FF"),
        ("yellow", "#FFFF00"),
        ("orange", "#FFA500"),
        ("purple", "#800080"),
        ("gray", "#808080"),
        ("grey", "#808080"),
        ("black", "#000000"),
        ("white", "#FFFFFF"),
    ];
    let known = named
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text));
    if let Some((_, code)) = known {
        return Some((*code).to_owned());
    }
    let digits = text.strip_prefix('#')?;
    let hex = digits.chars().all(|digit| digit.is_ascii_hexdigit());
    match digits.len() {
        6 if hex => Some(text.to_owned()),
        3 if hex => Some(format!(
            "#{}",
            digits
                .chars()
                .flat_map(|digit| [digit, digit])
                .collect::<String>()
        )),
        _ => None,
    }
}

/// Black or white, whichever can be read on a colour.
fn text_color(color: &str) -> &'static str {
    let part =
        |at: usize| u32::from_str_radix(color.get(at..at + 2).unwrap_or("0"), 16).unwrap_or(0);
    if part(1) + part(3) + part(5) > 500 {
        "#1F1E24"
    } else {
        "#FFFFFF"
    }
}
