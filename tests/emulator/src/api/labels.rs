//! Labels of projects and groups.

use serde_json::Value;

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, integer, post, put, string,
};
use crate::store::State;
use crate::store::holders::Holder;
use crate::store::labels::Label;

use super::label_entity as entity;

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::Project(Role::Planner);
const GROUP_READER: Guard = Guard::GroupReader;
const GROUP_WRITER: Guard = Guard::Group(Role::Planner);
const LIST: &[Param] = &[
    boolean("with_counts"),
    boolean("include_ancestor_groups"),
    string("search"),
];
const OF_GROUP: &[Param] = &[
    boolean("include_descendant_groups"),
    boolean("only_group_labels"),
];
const NEW: &[Param] = &[
    string("name").required(),
    string("color").required(),
    string("description"),
];
const CHANGES: &[Param] = &[string("new_name"), string("color"), string("description")];
const PRIORITY: &[Param] = &[integer("priority")];
const NAMED: &[Param] = &[string("name"), integer("label_id")];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/labels", READER, index)
        .params(LIST)
        .paginated(),
    get("projects/:id/labels/:name", READER, show).params(&[boolean("include_ancestor_groups")]),
    post("projects/:id/labels", WRITER, create)
        .params(NEW)
        .also(PRIORITY),
    put("projects/:id/labels/:name", WRITER, update)
        .params(CHANGES)
        .also(PRIORITY),
    // The older form, with the name in the body.
    put("projects/:id/labels", WRITER, update)
        .params(CHANGES)
        .also(PRIORITY)
        .and(NAMED),
    delete("projects/:id/labels/:name", WRITER, destroy),
    delete("projects/:id/labels", WRITER, destroy).params(NAMED),
    get("groups/:id/labels", GROUP_READER, index)
        .params(LIST)
        .also(OF_GROUP)
        .paginated(),
    get("groups/:id/labels/:name", GROUP_READER, show)
        .params(&[boolean("include_ancestor_groups")])
        .also(OF_GROUP),
    post("groups/:id/labels", GROUP_WRITER, create).params(NEW),
    put("groups/:id/labels/:name", GROUP_WRITER, update).params(CHANGES),
    put("groups/:id/labels", GROUP_WRITER, update)
        .params(CHANGES)
        .and(NAMED),
    delete("groups/:id/labels/:name", GROUP_WRITER, destroy),
    delete("groups/:id/labels", GROUP_WRITER, destroy).params(NAMED),
];

/// The project or group of the path.
pub(super) fn holder(ctx: &Ctx<'_>) -> Holder {
    if ctx.project() > 0 {
        Holder::Project(ctx.project())
    } else {
        Holder::Group(ctx.group())
    }
}

/// The labels that a list or search covers.
fn covered<'a>(ctx: &Ctx<'_>, state: &'a State) -> Vec<&'a Label> {
    let holder = holder(ctx);
    let mut holders = vec![holder];
    if ctx.boolean("include_ancestor_groups") != Some(false) {
        holders = state.holder_and_above(holder);
    }
    if let Holder::Group(group) = holder {
        let groups = ctx.boolean("include_descendant_groups") == Some(true);
        let projects = ctx.boolean("only_group_labels") == Some(false);
        let below = state.holders_below(group).into_iter();
        holders.extend(below.filter(|holder| match holder {
            Holder::Group(_) => groups,
            Holder::Project(_) => projects,
        }));
    }
    let labels = state.labels.iter();
    labels
        .filter(|label| holders.contains(&label.holder))
        .collect()
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let search = ctx.string("search").map(str::to_lowercase);
    let mut labels = covered(ctx, &state);
    labels.retain(|label| {
        let text = || label.description.clone().unwrap_or_default().to_lowercase();
        search.as_ref().is_none_or(|search| {
            label.name.to_lowercase().contains(search) || text().contains(search)
        })
    });
    labels.sort_by_key(|label| label.name.to_lowercase());
    let counts = ctx.boolean("with_counts") == Some(true);
    ctx.page(labels, |label| {
        let mut body = entity::full(ctx, label, holder(ctx));
        if counts {
            entity::add_counts(&state, &mut body, label, holder(ctx));
        }
        body
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let wanted = ctx.path("name");
    let labels = covered(ctx, &state);
    let number: Option<u64> = wanted.parse().ok();
    let named = labels.iter().find(|label| label.name == wanted);
    let numbered = || labels.iter().find(|label| Some(label.id) == number);
    let label = named.or_else(numbered).ok_or_else(missing)?;
    Ok(Response::ok(&entity::full(ctx, label, holder(ctx))))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (mut state, holder) = (ctx.state(), holder(ctx));
    let name = ctx.string("name").unwrap_or_default().trim().to_owned();
    if state.label_of(holder, &name).is_some() {
        return Err(ApiError::message(409, "Label already exists"));
    }
    let color = entity::color(ctx.string("color").unwrap_or_default());
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
        holder,
        name,
        color: color.unwrap_or_default(),
        description: ctx.string("description").map(str::to_owned),
        priority: ctx.integer("priority"),
        subscribers: Vec::new(),
        created_at: ctx.now(),
    });
    rendered(ctx, &state, id).map(|entity| Response::created(&entity))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?;
    let names = ["new_name", "color", "description", "priority"];
    if !names.iter().any(|name| ctx.given(name)) {
        let text = format!(
            "{} are missing, at least one parameter must be provided",
            names.join(", ")
        );
        return Err(ApiError::error(400, text));
    }
    let color = ctx.string("color").map(entity::color);
    let mut invalid = Invalid::default();
    if color == Some(None) {
        invalid.add("color", "must be a valid color code");
    }
    if let Some(new) = ctx.string("new_name") {
        let other = state
            .own_labels(holder(ctx))
            .find(|label| label.name == new);
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
    rendered(ctx, &state, id).map(|entity| Response::ok(&entity))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?;
    state.remove_label(id);
    Ok(Response::no_content())
}

fn missing() -> ApiError {
    ApiError::not_found("Label")
}

/// The label that the path or the body names, among those the project or group itself has.
pub(super) fn find(ctx: &Ctx<'_>, state: &State) -> Result<u64, ApiError> {
    find_in(ctx, state, &[holder(ctx)])
}

/// The same among more projects and groups.
pub(super) fn find_in(ctx: &Ctx<'_>, state: &State, holders: &[Holder]) -> Result<u64, ApiError> {
    let sent = || ctx.string("name").map(str::to_owned);
    let wanted = match ctx.path("name") {
        "" => sent().or_else(|| ctx.number("label_id").map(|id| id.to_string())),
        name => Some(name.to_owned()),
    };
    let wanted = wanted.ok_or_else(|| {
        let text = "label_id, name are missing, exactly one parameter must be provided";
        ApiError::error(400, text)
    })?;
    let number: Option<u64> = wanted.parse().ok();
    let labels = || {
        state
            .labels
            .iter()
            .filter(|label| holders.contains(&label.holder))
    };
    let label = labels()
        .find(|label| label.name == wanted)
        .or_else(|| labels().find(|label| Some(label.id) == number));
    label.map(|label| label.id).ok_or_else(missing)
}

/// A label as the project or group of the path shows it.
pub(super) fn rendered(ctx: &Ctx<'_>, state: &State, id: u64) -> Result<Value, ApiError> {
    let label = state.labels.get(id).ok_or_else(missing)?;
    Ok(entity::full(ctx, label, holder(ctx)))
}
