//! Snippets of users and of projects.

use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, delete, get, one_of, post, put, string};
use crate::store::State;
use crate::store::projects::Visibility;
use crate::store::snippets::Snippet;

use super::snippet_files;
use super::users;

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::Project(Role::Reporter);
const SINCE: &[Param] = &[string("created_after"), string("created_before")];
const VISIBILITY: Param = one_of("visibility", &["private", "internal", "public"]);
const NEW: &[Param] = &[string("title").required(), string("description")];
const CHANGE: &[Param] = &[string("title"), string("description"), VISIBILITY];

pub(super) const ROUTES: &[Route] = &[
    get("snippets", Guard::User, own).params(SINCE).paginated(),
    get("snippets/public", Guard::Open, public)
        .params(SINCE)
        .paginated(),
    get("snippets/all", Guard::User, all)
        .params(SINCE)
        .also(&[string("repository_storage")])
        .paginated(),
    post("snippets", Guard::User, create)
        .params(NEW)
        .also(snippet_files::CREATE)
        .and(&[VISIBILITY]),
    get("snippets/:snippet_id", Guard::Open, show),
    put("snippets/:snippet_id", Guard::User, update)
        .params(CHANGE)
        .also(snippet_files::UPDATE),
    delete("snippets/:snippet_id", Guard::User, destroy),
    get("snippets/:snippet_id/raw", Guard::Open, raw),
    get(
        "snippets/:snippet_id/files/:ref/:file_path/raw",
        Guard::Open,
        raw_file,
    ),
    get(
        "snippets/:snippet_id/user_agent_detail",
        Guard::Admin,
        user_agent,
    ),
    get("projects/:id/snippets", READER, index).paginated(),
    post("projects/:id/snippets", WRITER, create)
        .params(NEW)
        .also(snippet_files::CREATE)
        .and(&[VISIBILITY.required()]),
    get("projects/:id/snippets/:snippet_id", READER, show),
    put("projects/:id/snippets/:snippet_id", READER, update)
        .params(CHANGE)
        .also(snippet_files::UPDATE),
    delete("projects/:id/snippets/:snippet_id", READER, destroy),
    get("projects/:id/snippets/:snippet_id/raw", READER, raw),
    get(
        "projects/:id/snippets/:snippet_id/files/:ref/:file_path/raw",
        READER,
        raw_file,
    ),
    get(
        "projects/:id/snippets/:snippet_id/user_agent_detail",
        READER,
        user_agent,
    ),
];

/// Where the answers say that the content is.
pub(super) const PAGES: &[Route] = &[
    get("snippets/:snippet_id/raw", READER, raw),
    get("snippets/:snippet_id/raw/:ref/:file_path", READER, raw_file),
];

fn own(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    listed(ctx, |_, snippet| snippet.author_id == user)
}

fn public(ctx: &Ctx<'_>) -> Answer {
    listed(ctx, |_, snippet| {
        snippet.project_id.is_none() && snippet.visibility == Visibility::Public
    })
}

fn all(ctx: &Ctx<'_>) -> Answer {
    listed(ctx, |state, snippet| may_read(ctx, state, snippet))
}

fn listed(ctx: &Ctx<'_>, wanted: impl Fn(&State, &Snippet) -> bool) -> Answer {
    let (after, before) = (
        ctx.instant("created_after")?,
        ctx.instant("created_before")?,
    );
    let state = ctx.state();
    let found = state.snippets.iter().rev().filter(|snippet| {
        wanted(&state, snippet)
            && after.is_none_or(|after| snippet.created_at > after)
            && before.is_none_or(|before| snippet.created_at < before)
    });
    ctx.page(found, |snippet| entity(ctx, &state, snippet))
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let found = state
        .snippets_of(ctx.project())
        .filter(|snippet| may_read(ctx, &state, snippet));
    ctx.page(found, |snippet| entity(ctx, &state, snippet))
}

/// May the caller see the snippet?
pub(super) fn may_read(ctx: &Ctx<'_>, state: &State, snippet: &Snippet) -> bool {
    let user = ctx.caller.user();
    let own = user == Some(snippet.author_id);
    let admin = user
        .and_then(|user| state.users.get(user))
        .is_some_and(|user| user.admin);
    let open = match snippet.visibility {
        Visibility::Public => true,
        Visibility::Internal => user.is_some(),
        Visibility::Private => false,
    };
    match snippet.project_id {
        None => own || admin || open,
        Some(project) => {
            let access = access::in_project(state, user, project);
            access.can_read && (own || open || access.at_least(Role::Guest))
        }
    }
}

/// The snippet of the path in the project of the path.
pub(super) fn of_project<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Snippet, ApiError> {
    find(ctx, state)
        .filter(|snippet| snippet.project_id == Some(ctx.project()))
        .ok_or_else(missing)
}

fn missing() -> ApiError {
    ApiError::not_found("Snippet")
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Option<&'a Snippet> {
    let id: u64 = ctx.path("snippet_id").parse().ok()?;
    state
        .snippets
        .get(id)
        .filter(|snippet| may_read(ctx, state, snippet))
}

/// The snippet of the path, personal or of the project, by the kind of the path.
fn of_path<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Snippet, ApiError> {
    let project = (ctx.project() > 0).then(|| ctx.project());
    find(ctx, state)
        .filter(|snippet| snippet.project_id == project)
        .ok_or_else(missing)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(ctx, &state, of_path(ctx, &state)?)))
}

fn raw(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let snippet = of_path(ctx, &state)?;
    let content = snippet.files.first().map(|file| file.content.clone());
    Ok(Response::bytes(
        200,
        "text/plain",
        content.unwrap_or_default(),
    ))
}

fn raw_file(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let snippet = of_path(ctx, &state)?;
    let file = snippet
        .files
        .iter()
        .find(|file| file.path == ctx.path("file_path"));
    let known = matches!(ctx.path("ref"), "main" | "master" | "HEAD");
    let file = file
        .filter(|_| known)
        .ok_or_else(|| ApiError::not_found("Blob"))?;
    Ok(Response::bytes(200, "text/plain", file.content.clone()))
}

fn user_agent(_ctx: &Ctx<'_>) -> Answer {
    // Only kept where spam is looked for.
    Err(ApiError::not_found("UserAgentDetail"))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let files = snippet_files::created(ctx)?;
    let now = ctx.now();
    let snippet = changed(
        ctx,
        Snippet {
            id: 0,
            project_id: (ctx.project() > 0).then(|| ctx.project()),
            author_id: ctx.user()?,
            title: String::new(),
            description: None,
            visibility: Visibility::Internal,
            files,
            created_at: now,
            updated_at: now,
        },
    )?;
    let mut state = ctx.state();
    let id = state.snippets.insert(|id| Snippet { id, ..snippet });
    let snippet = state.snippets.get(id).ok_or_else(missing)?;
    Ok(Response::created(&entity(ctx, &state, snippet)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    ctx.user()?;
    let mut state = ctx.state();
    let old = of_path(ctx, &state)?.clone();
    authorize(ctx, &state, &old)?;
    let names = [
        "title",
        "description",
        "visibility",
        "files",
        "content",
        "file_name",
    ];
    if !names.iter().any(|name| ctx.given(name)) {
        let names = "content, description, files, file_name, title, visibility";
        let text = format!("{names} are missing, at least one parameter must be provided");
        return Err(ApiError::error(400, text));
    }
    let files = snippet_files::changed(ctx, old.files.clone())?;
    let new = changed(
        ctx,
        Snippet {
            files,
            updated_at: ctx.now(),
            ..old
        },
    )?;
    if let Some(stored) = state.snippets.get_mut(new.id) {
        stored.clone_from(&new);
    }
    Ok(Response::ok(&entity(ctx, &state, &new)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    ctx.user()?;
    let mut state = ctx.state();
    let snippet = of_path(ctx, &state)?;
    authorize(ctx, &state, snippet)?;
    let id = snippet.id;
    state.remove_snippet(id);
    Ok(Response::no_content())
}

/// Its author may change a snippet; of a project, also Maintainers; of a person, also administrators.
fn authorize(ctx: &Ctx<'_>, state: &State, snippet: &Snippet) -> Result<(), ApiError> {
    let user = ctx.user()?;
    let others = match snippet.project_id {
        Some(project) => access::in_project(state, Some(user), project).at_least(Role::Maintainer),
        None => state.users.get(user).is_some_and(|user| user.admin),
    };
    (others || snippet.author_id == user)
        .then_some(())
        .ok_or_else(ApiError::forbidden)
}

fn changed(ctx: &Ctx<'_>, mut snippet: Snippet) -> Result<Snippet, ApiError> {
    if let Some(title) = ctx.string("title") {
        title.clone_into(&mut snippet.title);
    }
    if ctx.given("description") {
        snippet.description = ctx.string("description").map(str::to_owned);
    }
    if let Some(visibility) = ctx.string("visibility") {
        snippet.visibility = Visibility::parse(visibility);
    }
    if snippet.title.trim().is_empty() {
        return Err(ApiError::error(400, "title is empty"));
    }
    if snippet.title.chars().count() > 255 {
        let text = "Title is too long (maximum is 255 characters)";
        return Err(ApiError::body(400, json!({ "message": { "error": text } })));
    }
    Ok(snippet)
}

/// A snippet as the API writes it.
pub(super) fn entity(ctx: &Ctx<'_>, state: &State, snippet: &Snippet) -> Value {
    let host = ctx.url().trim_start_matches("http://");
    let (web, git) = match snippet.project_id.and_then(|id| state.projects.get(id)) {
        Some(project) => (
            format!(
                "{}/-/snippets/{}",
                state.project_url(ctx.url(), project.id),
                snippet.id
            ),
            format!(
                "{}/snippets/{}.git",
                state.project_path(project),
                snippet.id
            ),
        ),
        None => (
            format!("{}/-/snippets/{}", ctx.url(), snippet.id),
            format!("snippets/{}.git", snippet.id),
        ),
    };
    let files = snippet.files.iter().map(
        |file| json!({ "path": file.path, "raw_url": format!("{web}/raw/main/{}", file.path) }),
    );
    json!({
        "id": snippet.id,
        "title": snippet.title,
        "description": snippet.description,
        "visibility": snippet.visibility,
        "author": users::basic_by_id(state, snippet.author_id, ctx.url()),
        "created_at": clock::iso(snippet.created_at),
        "updated_at": clock::iso(snippet.updated_at),
        "project_id": snippet.project_id,
        "web_url": web,
        "raw_url": format!("{web}/raw"),
        "ssh_url_to_repo": format!("git@{}:{git}", host.split(':').next().unwrap_or(host)),
        "http_url_to_repo": format!("{}/{git}", ctx.url()),
        "file_name": snippet.files.first().map(|file| &file.path),
        "files": files.collect::<Vec<_>>(),
        "imported": false,
        "imported_from": "none",
    })
}
