//! Topics of projects.

use serde_json::{Value, json};

use crate::access;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, delete, get, integer, post, put, string};
use crate::store::State;
use crate::store::instance::Topic;

use super::avatars;

pub(super) const ROUTES: &[Route] = &[
    get("topics", Guard::Open, index)
        .params(&[
            string("search"),
            boolean("without_projects"),
            integer("organization_id"),
        ])
        .paginated(),
    get("topics/:id", Guard::Open, show),
    post("topics", Guard::Admin, create).params(&[
        string("name").required(),
        string("title").required(),
        string("description"),
        integer("organization_id"),
        avatars::AVATAR,
    ]),
    put("topics/:id", Guard::Admin, update).params(&[
        string("name"),
        string("title"),
        string("description"),
        avatars::AVATAR,
    ]),
    delete("topics/:id", Guard::Admin, destroy),
    post("topics/merge", Guard::Admin, merge).params(&[
        integer("source_topic_id").required(),
        integer("target_topic_id").required(),
    ]),
];

/// The most used come first.
fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let search = ctx.string("search").unwrap_or_default().to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&search);
    let wanted = |row: &&Topic| {
        (has(&row.name) || row.title.as_deref().is_some_and(has))
            && (ctx.boolean("without_projects") != Some(true) || uses(ctx, &state, row) == 0)
    };
    let mut found: Vec<&Topic> = state.instance.topics.iter().filter(wanted).collect();
    found.sort_by_key(|row| (std::cmp::Reverse(uses(ctx, &state, row)), row.id));
    ctx.page(found, |row| entity(ctx, &state, row))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let row = find(&state, ctx.path_number("id")?)?;
    Ok(Response::ok(&entity(ctx, &state, row)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let avatar = avatars::wished(ctx)?.flatten();
    let mut state = ctx.state();
    check(ctx, &state, None)?;
    let text = |name: &str| ctx.string(name).map(str::to_owned);
    let id = state.instance.topics.insert(|id| Topic {
        id,
        name: text("name").unwrap_or_default(),
        title: text("title"),
        description: text("description"),
        avatar,
    });
    let row = find(&state, id)?;
    Ok(Response::created(&entity(ctx, &state, row)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let avatar = avatars::wished(ctx)?;
    let id = ctx.path_number("id")?;
    let mut state = ctx.state();
    let old = find(&state, id)?.name.clone();
    check(ctx, &state, Some(id))?;
    if let Some(name) = ctx.string("name") {
        state.rename_topic(&old, Some(name));
    }
    let topics = &mut state.instance.topics;
    let row = topics.get_mut(id).ok_or_else(ApiError::internal)?;
    if let Some(name) = ctx.string("name") {
        name.clone_into(&mut row.name);
    }
    if ctx.given("title") {
        row.title = ctx.string("title").map(str::to_owned);
    }
    if ctx.given("description") {
        row.description = ctx.string("description").map(str::to_owned);
    }
    if let Some(avatar) = avatar {
        row.avatar = avatar;
    }
    let row = find(&state, id)?;
    Ok(Response::ok(&entity(ctx, &state, row)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let id = ctx.path_number("id")?;
    let mut state = ctx.state();
    let name = find(&state, id)?.name.clone();
    state.rename_topic(&name, None);
    state.instance.topics.remove(id);
    Ok(Response::no_content())
}

/// The projects of one topic get another, and the first is gone.
fn merge(ctx: &Ctx<'_>) -> Answer {
    let [source, target] = ["source_topic_id", "target_topic_id"].map(|name| ctx.number(name));
    let mut state = ctx.state();
    let source = find(&state, source.unwrap_or_default())?.clone();
    let target = find(&state, target.unwrap_or_default())?.clone();
    if source.id == target.id {
        return Err(ApiError::bad_request(
            "The source topic and the target topic are identical.",
        ));
    }
    state.rename_topic(&source.name, Some(&target.name));
    state.instance.topics.remove(source.id);
    Ok(Response::created(&entity(ctx, &state, &target)))
}

fn find(state: &State, id: u64) -> Result<&Topic, ApiError> {
    let row = state.instance.topics.get(id);
    row.ok_or_else(ApiError::not_found_plain)
}

fn check(ctx: &Ctx<'_>, state: &State, own: Option<u64>) -> Result<(), ApiError> {
    let mut invalid = Invalid::default();
    for name in ["name", "title"] {
        if ctx.string(name) == Some("") {
            invalid.add(name, "can't be blank");
        }
    }
    let taken = |row: &Topic| {
        Some(row.id) != own
            && ctx
                .string("name")
                .is_some_and(|name| row.name.eq_ignore_ascii_case(name))
    };
    if state.instance.topics.iter().any(taken) {
        invalid.add("name", "has already been taken");
    }
    invalid.check()
}

fn uses(ctx: &Ctx<'_>, state: &State, row: &Topic) -> usize {
    let with = state
        .projects
        .iter()
        .filter(|project| project.settings.topics.contains(&row.name));
    with.filter(|project| access::in_project(state, ctx.caller.user(), project.id).can_read)
        .count()
}

fn entity(ctx: &Ctx<'_>, state: &State, row: &Topic) -> Value {
    let avatar = row.avatar.as_ref();
    json!({
        "id": row.id,
        "name": row.name,
        "title": row.title.as_ref().unwrap_or(&row.name),
        "description": row.description,
        "total_projects_count": uses(ctx, state, row),
        "organization_id": 1,
        "avatar_url": avatar.map(|avatar| avatar.address(ctx.url(), "projects/topic", row.id)),
    })
}
