//! Issue boards of projects and groups, and their lists.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, integer, post, put, string,
};
use crate::store::State;
use crate::store::boards::{Board, BoardList};
use crate::store::holders::Holder;

use super::labels::holder;
use super::{label_entity, project_entity};

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::Project(Role::Planner);
const GROUP_READER: Guard = Guard::GroupReader;
const GROUP_WRITER: Guard = Guard::Group(Role::Planner);
const NEW: &[Param] = &[string("name").required()];
const CHANGE: &[Param] = &[
    string("name"),
    boolean("hide_backlog_list"),
    boolean("hide_closed_list"),
];
/// Scoped boards and lists of people, milestones and iterations are paid.
const SCOPES: &[&str] = &[
    "assignee_id",
    "milestone_id",
    "iteration_id",
    "labels",
    "weight",
];
const LIST: &[Param] = &[integer("label_id")];
const POSITION: &[Param] = &[integer("position").required()];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/boards", READER, index).paginated(),
    post("projects/:id/boards", WRITER, create).params(NEW),
    get("projects/:id/boards/:board_id", READER, show),
    put("projects/:id/boards/:board_id", WRITER, update)
        .params(CHANGE)
        .refuses(SCOPES),
    delete("projects/:id/boards/:board_id", WRITER, destroy),
    get("projects/:id/boards/:board_id/lists", READER, lists).paginated(),
    post("projects/:id/boards/:board_id/lists", WRITER, add_list)
        .params(LIST)
        .refuses(SCOPES),
    get(
        "projects/:id/boards/:board_id/lists/:list_id",
        READER,
        show_list,
    ),
    put(
        "projects/:id/boards/:board_id/lists/:list_id",
        WRITER,
        move_list,
    )
    .params(POSITION),
    delete(
        "projects/:id/boards/:board_id/lists/:list_id",
        WRITER,
        remove_list,
    ),
    get("groups/:id/boards", GROUP_READER, index).paginated(),
    post("groups/:id/boards", GROUP_WRITER, create).params(NEW),
    get("groups/:id/boards/:board_id", GROUP_READER, show),
    put("groups/:id/boards/:board_id", GROUP_WRITER, update)
        .params(CHANGE)
        .refuses(SCOPES),
    delete("groups/:id/boards/:board_id", GROUP_WRITER, destroy),
    get("groups/:id/boards/:board_id/lists", GROUP_READER, lists).paginated(),
    post("groups/:id/boards/:board_id/lists", GROUP_WRITER, add_list)
        .params(LIST)
        .refuses(SCOPES),
    get(
        "groups/:id/boards/:board_id/lists/:list_id",
        GROUP_READER,
        show_list,
    ),
    put(
        "groups/:id/boards/:board_id/lists/:list_id",
        GROUP_WRITER,
        move_list,
    )
    .params(POSITION),
    delete(
        "groups/:id/boards/:board_id/lists/:list_id",
        GROUP_WRITER,
        remove_list,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    ctx.page(state.boards_of(holder(ctx)), |board| {
        entity(ctx, &state, board)
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(ctx, &state, find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (mut state, holder) = (ctx.state(), holder(ctx));
    // More than one board of a group is paid.
    if holder.group().is_some() && state.boards_of(holder).next().is_some() {
        let text = "You don't have the permission to create a board for this resource.";
        return Err(ApiError::body(400, json!({ "message": { "error": text } })));
    }
    let name = ctx.string("name").unwrap_or_default().to_owned();
    let id = state.boards.insert(|id| Board {
        id,
        holder,
        name,
        hide_backlog_list: false,
        hide_closed_list: false,
        lists: Vec::new(),
    });
    let board = state.boards.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(ctx, &state, board)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    if let Some(board) = state.boards.get_mut(id) {
        if let Some(name) = ctx.string("name") {
            name.clone_into(&mut board.name);
        }
        let chosen = |name: &str, old: bool| ctx.boolean(name).unwrap_or(old);
        board.hide_backlog_list = chosen("hide_backlog_list", board.hide_backlog_list);
        board.hide_closed_list = chosen("hide_closed_list", board.hide_closed_list);
    }
    Ok(Response::ok(&entity(ctx, &state, find(ctx, &state)?)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.boards.remove(id);
    Ok(Response::no_content())
}

fn lists(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let board = find(ctx, &state)?;
    ctx.page(rendered_lists(&state, board), |list| list)
}

fn show_list(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let board = find(ctx, &state)?;
    let at = position(ctx, board)?;
    Ok(Response::ok(&list_entity(&state, at, &board.lists[at])))
}

fn add_list(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let board = find(ctx, &state)?.id;
    let label_id = ctx.number("label_id").ok_or_else(|| {
        ApiError::error(
            400,
            "label_id is missing, exactly one parameter must be provided",
        )
    })?;
    let holders = state.holder_and_above(holder(ctx));
    let label = state.labels.get(label_id);
    if !label.is_some_and(|label| holders.contains(&label.holder)) {
        return Err(ApiError::message(400, "Label not found"));
    }
    let last = state.boards.iter().flat_map(|board| &board.lists);
    let id = last.map(|list| list.id).max().unwrap_or(0) + 1;
    let board = state.boards.get_mut(board).ok_or_else(ApiError::internal)?;
    if board.lists.iter().any(|list| list.label_id == label_id) {
        let text = json!({ "message": { "label_id": ["has already been taken"] } });
        return Err(ApiError::body(400, text));
    }
    board.lists.push(BoardList { id, label_id });
    let (at, list) = (board.lists.len() - 1, BoardList { id, label_id });
    Ok(Response::created(&list_entity(&state, at, &list)))
}

fn move_list(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let board = find(ctx, &state)?;
    let (id, at) = (board.id, position(ctx, board)?);
    let wanted = ctx
        .number("position")
        .and_then(|to| usize::try_from(to).ok());
    let board = state.boards.get_mut(id).ok_or_else(ApiError::internal)?;
    let wanted = wanted.filter(|wanted| *wanted < board.lists.len());
    let wanted = wanted.ok_or_else(|| ApiError::message(400, "Failed to move list!"))?;
    let list = board.lists.remove(at);
    board.lists.insert(wanted, list.clone());
    Ok(Response::ok(&list_entity(&state, wanted, &list)))
}

fn remove_list(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let board = find(ctx, &state)?;
    let (id, at) = (board.id, position(ctx, board)?);
    if let Some(board) = state.boards.get_mut(id) {
        board.lists.remove(at);
    }
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Board, ApiError> {
    let id = ctx.path_number("board_id")?;
    state
        .boards_of(holder(ctx))
        .find(|board| board.id == id)
        .ok_or_else(|| ApiError::not_found("Board"))
}

fn position(ctx: &Ctx<'_>, board: &Board) -> Result<usize, ApiError> {
    let id = ctx.path_number("list_id")?;
    let at = board.lists.iter().position(|list| list.id == id);
    at.ok_or_else(|| ApiError::not_found("List"))
}

fn rendered_lists(state: &State, board: &Board) -> Vec<Value> {
    let lists = board.lists.iter().enumerate();
    lists
        .map(|(at, list)| list_entity(state, at, list))
        .collect()
}

fn list_entity(state: &State, position: usize, list: &BoardList) -> Value {
    json!({
        "id": list.id,
        "label": state.labels.get(list.label_id).map(label_entity::basic),
        "position": position,
        "list_type": "label",
    })
}

fn entity(ctx: &Ctx<'_>, state: &State, board: &Board) -> Value {
    let project = match board.holder {
        Holder::Project(project) => state
            .projects
            .get(project)
            .map(|project| project_entity::simple(ctx, state, project)),
        Holder::Group(_) => None,
    };
    let mut body = json!({
        "id": board.id,
        "name": board.name,
        "hide_backlog_list": board.hide_backlog_list,
        "hide_closed_list": board.hide_closed_list,
        "project": project,
        "lists": rendered_lists(state, board),
    });
    if let Some(group) = board.holder.group().and_then(|id| state.groups.get(id)) {
        body["group"] = json!({
            "id": group.id,
            "web_url": state.holder_url(ctx.url(), board.holder),
            "name": group.name,
        });
    }
    body
}
