//! Comments on commits and snippets: alone, in threads, and in the older form that commits have.

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::diff_positions;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, any, delete, get, integer, one_of, post, put, string,
};
use crate::secret;
use crate::store::State;
use crate::store::comments::{Comment, Line, Subject};
use crate::store::notes::Position;

use super::comment_entity::{commit_note, discussion, entity};
use super::repository::require_code;
use super::snippets;

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::SignedInReader;
const BODY: &[Param] = &[string("body").required(), string("created_at")];
const CHANGE: &[Param] = &[string("body").required()];
const ORDER: &[Param] = &[
    one_of("sort", &["asc", "desc"]),
    one_of("order_by", &["created_at", "updated_at"]),
];

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/repository/commits/:sha/comments",
        READER,
        remarks,
    )
    .paginated(),
    post(
        "projects/:id/repository/commits/:sha/comments",
        WRITER,
        remark,
    )
    .params(&[
        string("note").required(),
        string("path"),
        integer("line"),
        one_of("line_type", &["new", "old"]),
    ]),
    get(
        "projects/:id/repository/commits/:sha/discussions",
        READER,
        threads,
    )
    .paginated(),
    post(
        "projects/:id/repository/commits/:sha/discussions",
        WRITER,
        open,
    )
    .params(BODY)
    .also(&[any("position")]),
    get(
        "projects/:id/repository/commits/:sha/discussions/:discussion_id",
        READER,
        thread,
    ),
    get(
        "projects/:id/repository/commits/:sha/discussions/:discussion_id/notes",
        READER,
        replies,
    ),
    post(
        "projects/:id/repository/commits/:sha/discussions/:discussion_id/notes",
        WRITER,
        reply,
    )
    .params(BODY),
    get(
        "projects/:id/repository/commits/:sha/discussions/:discussion_id/notes/:note_id",
        READER,
        show,
    ),
    put(
        "projects/:id/repository/commits/:sha/discussions/:discussion_id/notes/:note_id",
        WRITER,
        update,
    )
    .params(CHANGE),
    delete(
        "projects/:id/repository/commits/:sha/discussions/:discussion_id/notes/:note_id",
        WRITER,
        destroy,
    ),
    get(
        "projects/:id/snippets/:snippet_id/discussions",
        READER,
        threads,
    )
    .paginated(),
    post(
        "projects/:id/snippets/:snippet_id/discussions",
        WRITER,
        open,
    )
    .params(BODY),
    get(
        "projects/:id/snippets/:snippet_id/discussions/:discussion_id",
        READER,
        thread,
    ),
    get(
        "projects/:id/snippets/:snippet_id/discussions/:discussion_id/notes",
        READER,
        replies,
    ),
    post(
        "projects/:id/snippets/:snippet_id/discussions/:discussion_id/notes",
        WRITER,
        reply,
    )
    .params(BODY),
    get(
        "projects/:id/snippets/:snippet_id/discussions/:discussion_id/notes/:note_id",
        READER,
        show,
    ),
    put(
        "projects/:id/snippets/:snippet_id/discussions/:discussion_id/notes/:note_id",
        WRITER,
        update,
    )
    .params(CHANGE),
    delete(
        "projects/:id/snippets/:snippet_id/discussions/:discussion_id/notes/:note_id",
        WRITER,
        destroy,
    ),
    get("projects/:id/snippets/:snippet_id/notes", READER, index)
        .params(ORDER)
        .paginated(),
    post("projects/:id/snippets/:snippet_id/notes", WRITER, create).params(BODY),
    get(
        "projects/:id/snippets/:snippet_id/notes/:note_id",
        READER,
        show,
    ),
    put(
        "projects/:id/snippets/:snippet_id/notes/:note_id",
        WRITER,
        update,
    )
    .params(CHANGE),
    delete(
        "projects/:id/snippets/:snippet_id/notes/:note_id",
        WRITER,
        destroy,
    ),
];

/// The commit or snippet of the path, if the caller may read it.
fn subject(ctx: &Ctx<'_>) -> Result<Subject, ApiError> {
    if !ctx.path("snippet_id").is_empty() {
        return snippets::of_project(ctx, &ctx.state()).map(|snippet| Subject::Snippet(snippet.id));
    }
    require_code(ctx)?;
    let commit = ctx
        .shared
        .repository(ctx.project())
        .resolve(ctx.path("sha"))?;
    commit
        .map(Subject::Commit)
        .ok_or_else(|| ApiError::not_found("Commit"))
}

fn remarks(ctx: &Ctx<'_>) -> Answer {
    let subject = subject(ctx)?;
    let state = ctx.state();
    ctx.page(state.comments_on(ctx.project(), &subject), |comment| {
        commit_note(ctx, &state, comment)
    })
}

fn remark(ctx: &Ctx<'_>) -> Answer {
    let subject = subject(ctx)?;
    let body = ctx.string("note").unwrap_or_default();
    if body.trim().is_empty() {
        let text = "Failed to save note {:note=>[\"can't be blank\"]}";
        return Err(ApiError::message(400, text));
    }
    let line = match (ctx.string("path"), ctx.integer("line")) {
        (None, _) => None,
        (Some(_), None) => return Err(ApiError::error(400, "line is missing")),
        (Some(path), Some(number)) => Some(Line {
            path: path.to_owned(),
            number,
            side: ctx.string("line_type").unwrap_or("new").to_owned(),
        }),
    };
    let id = add(ctx, subject, body, line, None)?;
    let state = ctx.state();
    Ok(Response::created(&commit_note(
        ctx,
        &state,
        found(&state, id)?,
    )))
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let subject = subject(ctx)?;
    let state = ctx.state();
    let mut comments: Vec<&Comment> = state.comments_on(ctx.project(), &subject).collect();
    if ctx.string("order_by") == Some("updated_at") {
        comments.sort_by_key(|comment| comment.updated_at);
    }
    if ctx.string("sort") != Some("asc") {
        comments.reverse();
    }
    ctx.page(comments, |comment| entity(ctx, &state, comment))
}

fn threads(ctx: &Ctx<'_>) -> Answer {
    let subject = subject(ctx)?;
    let state = ctx.state();
    let mut ids: Vec<&str> = Vec::new();
    for comment in state.comments_on(ctx.project(), &subject) {
        if !ids.contains(&comment.discussion_id.as_str()) {
            ids.push(&comment.discussion_id);
        }
    }
    ctx.page(ids, |id| discussion(ctx, &state, &subject, id))
}

fn thread(ctx: &Ctx<'_>) -> Answer {
    let subject = subject(ctx)?;
    let state = ctx.state();
    known_thread(ctx, &state, &subject)?;
    let entity = discussion(ctx, &state, &subject, ctx.path("discussion_id"));
    Ok(Response::ok(&entity))
}

fn replies(ctx: &Ctx<'_>) -> Answer {
    let subject = subject(ctx)?;
    let state = ctx.state();
    known_thread(ctx, &state, &subject)?;
    let entity = discussion(ctx, &state, &subject, ctx.path("discussion_id"));
    Ok(Response::ok(&entity["notes"]))
}

fn open(ctx: &Ctx<'_>) -> Answer {
    let subject = subject(ctx)?;
    let thread = secret::discussion_id();
    let body = checked_body(ctx)?;
    let position = match ctx.value("position") {
        Some(sent) => {
            let read = diff_positions::read(sent)?;
            let repository = ctx.shared.repository(ctx.project());
            Some(diff_positions::place(&repository, read)?)
        }
        None => None,
    };
    let line = position.as_ref().and_then(line_of);
    let id = add(ctx, subject.clone(), body, line, Some(&thread))?;
    if let Some(comment) = ctx.state().comments.get_mut(id) {
        comment.position = position;
    }
    let state = ctx.state();
    Ok(Response::created(&discussion(
        ctx, &state, &subject, &thread,
    )))
}

/// The line of a position, as the older form of commits names it.
fn line_of(position: &Position) -> Option<Line> {
    let value = &position.value;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let (number, side) = match (value["new_line"].as_i64(), value["old_line"].as_i64()) {
        (Some(number), _) => (number, "new"),
        (None, old) => (old?, "old"),
    };
    Some(Line {
        path: text("new_path").or(text("old_path"))?,
        number,
        side: side.to_owned(),
    })
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let subject = subject(ctx)?;
    let id = add(ctx, subject, checked_body(ctx)?, None, None)?;
    let state = ctx.state();
    Ok(Response::created(&entity(ctx, &state, found(&state, id)?)))
}

fn reply(ctx: &Ctx<'_>) -> Answer {
    let subject = subject(ctx)?;
    known_thread(ctx, &ctx.state(), &subject)?;
    let thread = ctx.path("discussion_id");
    let body = checked_body(ctx)?;
    let mut position = None;
    // A lone comment becomes a thread with its first reply.
    for comment in ctx.state().comments.iter_mut() {
        if comment.discussion_id == thread {
            comment.in_thread = true;
            position = position.or(comment.position.clone());
        }
    }
    let id = add(ctx, subject, body, None, Some(thread))?;
    let mut state = ctx.state();
    if let Some(comment) = state.comments.get_mut(id) {
        comment.position = position;
    }
    Ok(Response::created(&entity(ctx, &state, found(&state, id)?)))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let id = of_path(ctx)?;
    let state = ctx.state();
    Ok(Response::ok(&entity(ctx, &state, found(&state, id)?)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let id = of_path(ctx)?;
    let body = checked_body(ctx)?;
    let mut state = ctx.state();
    authorize(ctx, &state, id)?;
    if let Some(comment) = state.comments.get_mut(id) {
        body.clone_into(&mut comment.body);
        comment.updated_at = ctx.now();
    }
    Ok(Response::ok(&entity(ctx, &state, found(&state, id)?)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let id = of_path(ctx)?;
    let mut state = ctx.state();
    authorize(ctx, &state, id)?;
    state.comments.remove(id);
    Ok(Response::no_content())
}

fn checked_body<'a>(ctx: &'a Ctx<'_>) -> Result<&'a str, ApiError> {
    let body = ctx.string("body").unwrap_or_default();
    if body.trim().is_empty() {
        return Err(ApiError::bad_request("Note {:note=>[\"can't be blank\"]}"));
    }
    Ok(body)
}

fn add(
    ctx: &Ctx<'_>,
    subject: Subject,
    body: &str,
    line: Option<Line>,
    thread: Option<&str>,
) -> Result<u64, ApiError> {
    let author_id = ctx.user()?;
    let now = ctx.now();
    let created_at = ctx.instant("created_at")?.unwrap_or(now);
    Ok(ctx.state().add_comment(Comment {
        id: 0,
        project_id: ctx.project(),
        subject,
        author_id,
        body: body.to_owned(),
        line,
        discussion_id: thread.map_or_else(secret::discussion_id, str::to_owned),
        in_thread: thread.is_some(),
        position: None,
        created_at,
        updated_at: created_at,
    }))
}

fn known_thread(ctx: &Ctx<'_>, state: &State, subject: &Subject) -> Result<(), ApiError> {
    let thread = ctx.path("discussion_id");
    state
        .comments_on(ctx.project(), subject)
        .any(|comment| comment.discussion_id == thread)
        .then_some(())
        .ok_or_else(|| ApiError::not_found("Discussion"))
}

/// The comment of the path, in the thread of the path if there is one.
fn of_path(ctx: &Ctx<'_>) -> Result<u64, ApiError> {
    let subject = subject(ctx)?;
    let (id, thread) = (ctx.path_number("note_id")?, ctx.path("discussion_id"));
    let state = ctx.state();
    state
        .comments_on(ctx.project(), &subject)
        .find(|comment| comment.id == id && (thread.is_empty() || comment.discussion_id == thread))
        .map(|comment| comment.id)
        .ok_or_else(ApiError::not_found_plain)
}

fn found(state: &State, id: u64) -> Result<&Comment, ApiError> {
    state.comments.get(id).ok_or_else(ApiError::not_found_plain)
}

/// Only its author and Maintainers change a comment.
fn authorize(ctx: &Ctx<'_>, state: &State, id: u64) -> Result<(), ApiError> {
    let user = ctx.user()?;
    let own = found(state, id)?.author_id == user;
    let access = access::in_project(state, Some(user), ctx.project());
    (own || access.at_least(Role::Maintainer))
        .then_some(())
        .ok_or_else(ApiError::forbidden)
}
