//! Labels of projects.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, integer, post, put, string,
};
use crate::store::State;
use crate::store::labels::Label;

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::Project(Role::Planner);
const CHANGES: &[Param] = &[
    string("new_name"),
    string("color"),
    string("description"),
    integer("priority"),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/labels", READER, index)
        .params(&[
            boolean("with_counts"),
            boolean("include_ancestor_groups"),
            string("search"),
        ])
        .paginated(),
    get("projects/:id/labels/:name", READER, show).params(&[boolean("include_ancestor_groups")]),
    post("projects/:id/labels", WRITER, create).params(&[
        string("name").required(),
        string("color").required(),
        string("description"),
        integer("priority"),
    ]),
    put("projects/:id/labels/:name", WRITER, update).params(CHANGES),
    // The older form, with the name in the body.
    put("projects/:id/labels", WRITER, update_named)
        .params(CHANGES)
        .also(&[string("name"), integer("label_id")]),
    delete("projects/:id/labels/:name", WRITER, destroy),
    delete("projects/:id/labels", WRITER, destroy_named)
        .params(&[string("name"), integer("label_id")]),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let search = ctx.string("search").map(str::to_lowercase);
    let mut labels: Vec<&Label> = state
        .labels_of(ctx.project())
        .filter(|label| {
            search
                .as_ref()
                .is_none_or(|text| label.name.to_lowercase().contains(text))
        })
        .collect();
    labels.sort_by_key(|label| label.name.to_lowercase());
    let counts = ctx.boolean("with_counts") == Some(true);
    ctx.page(labels, |label| {
        let mut entity = entity(label);
        if counts {
            entity["open_issues_count"] = json!(issues(&state, label, true));
            entity["closed_issues_count"] = json!(issues(&state, label, false));
            let open = state.merge_requests_of(label.project_id);
            let open = open.filter(|row| row.is_open() && row.label_ids.contains(&label.id));
            entity["open_merge_requests_count"] = json!(open.count());
        }
        entity
    })
}

fn issues(state: &State, label: &Label, open: bool) -> usize {
    state
        .issues_of(label.project_id)
        .filter(|issue| issue.open == open && issue.label_ids.contains(&label.id))
        .count()
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let id = find(ctx, &state, ctx.path("name"))?;
    rendered(&state, id).map(|entity| Response::ok(&entity))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (mut state, project_id) = (ctx.state(), ctx.project());
    let name = ctx.string("name").unwrap_or_default().trim().to_owned();
    if state.label_named(project_id, &name).is_some() {
        return Err(ApiError::message(409, "Label already exists"));
    }
    let color = color(ctx.string("color").unwrap_or_default());
    let mut invalid = Invalid::default();
    if name.is_empty() || name.contains(',') {
        invalid.add("title", "is invalid");
    }
    if color.is_none() {
        invalid.add("color", "must be a valid color code");
    }
    invalid.check()?;
    let id = state.labels.insert(|id| Label {
        id,
        project_id,
        name,
        color: color.unwrap_or_default(),
        description: ctx.string("description").map(str::to_owned),
        priority: ctx.integer("priority"),
        created_at: ctx.now(),
    });
    rendered(&state, id).map(|entity| Response::created(&entity))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    change(ctx, ctx.path("name"))
}

fn update_named(ctx: &Ctx<'_>) -> Answer {
    change(ctx, &name_or_id(ctx)?)
}

fn change(ctx: &Ctx<'_>, name: &str) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state, name)?;
    if CHANGES.iter().all(|param| !ctx.given(param.name)) {
        let names = "new_name, color, description, priority";
        let text = format!("{names} are missing, at least one parameter must be provided");
        return Err(ApiError::error(400, text));
    }
    let color = ctx.string("color").map(color);
    let mut invalid = Invalid::default();
    if color == Some(None) {
        invalid.add("color", "must be a valid color code");
    }
    if let Some(new) = ctx.string("new_name") {
        let other = state.label_named(ctx.project(), new);
        if other.is_some_and(|other| other.id != id) {
            invalid.add("title", "has already been taken");
        }
    }
    invalid.check()?;
    if let Some(label) = state.labels.get_mut(id) {
        if let Some(new) = ctx.string("new_name") {
            new.clone_into(&mut label.name);
        }
        if let Some(Some(color)) = color {
            label.color = color;
        }
        if ctx.given("description") {
            label.description = ctx.string("description").map(str::to_owned);
        }
        if ctx.given("priority") {
            label.priority = ctx.integer("priority");
        }
    }
    rendered(&state, id).map(|entity| Response::ok(&entity))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    remove(ctx, ctx.path("name"))
}

fn destroy_named(ctx: &Ctx<'_>) -> Answer {
    remove(ctx, &name_or_id(ctx)?)
}

fn remove(ctx: &Ctx<'_>, name: &str) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state, name)?;
    state.labels.remove(id);
    for issue in state.issues.iter_mut() {
        issue.label_ids.retain(|other| *other != id);
    }
    for merge_request in state.merge_requests.iter_mut() {
        merge_request.label_ids.retain(|other| *other != id);
    }
    Ok(Response::no_content())
}

fn name_or_id(ctx: &Ctx<'_>) -> Result<String, ApiError> {
    let id = ctx.number("label_id").map(|id| id.to_string());
    let name = ctx.string("name").map(str::to_owned);
    name.or(id).ok_or_else(|| {
        let text = "label_id, name are missing, exactly one parameter must be provided";
        ApiError::error(400, text)
    })
}

fn find(ctx: &Ctx<'_>, state: &State, name_or_id: &str) -> Result<u64, ApiError> {
    let project = ctx.project();
    let by_id = || {
        let id: u64 = name_or_id.parse().ok()?;
        state.labels_of(project).find(|label| label.id == id)
    };
    let label = state.label_named(project, name_or_id).or_else(by_id);
    label
        .map(|label| label.id)
        .ok_or_else(|| ApiError::not_found("Label"))
}

fn rendered(state: &State, id: u64) -> Result<Value, ApiError> {
    let label = state.labels.get(id);
    label
        .map(entity)
        .ok_or_else(|| ApiError::not_found("Label"))
}

/// `#RRGGBB` from `#RGB`, `#RRGGBB` or one of the common colour names.
fn color(text: &str) -> Option<String> {
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

/// The form inside lists of issues and merge requests that ask for label details.
pub(super) fn basic(label: &Label) -> Value {
    json!({
        "id": label.id,
        "name": label.name,
        "description": label.description,
        "description_html": label.description.clone().unwrap_or_default(),
        "text_color": text_color(&label.color),
        "color": label.color,
        "archived": false,
    })
}

fn entity(label: &Label) -> Value {
    let mut entity = basic(label);
    entity["subscribed"] = json!(false);
    entity["priority"] = json!(label.priority);
    entity["is_project_label"] = json!(true);
    entity
}
