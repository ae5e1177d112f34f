//! The wiki of a project. Wikis of groups are a paid feature.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, file, get, hash, one_of, post, put, string,
};
use crate::secret;
use crate::store::State;
use crate::store::wikis::{WikiAttachment, WikiPage};

use super::release_entity;

const READER: Guard = Guard::ProjectReader;
const WRITER: Guard = Guard::Project(Role::Developer);
const MORE: &[Param] = &[
    hash("front_matter", &["title"]),
    one_of("format", &["markdown", "rdoc", "asciidoc", "org"]),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/wikis", READER, index).params(&[boolean("with_content")]),
    get("projects/:id/wikis/:slug", READER, show)
        .params(&[string("version"), boolean("render_html")]),
    post("projects/:id/wikis", WRITER, create)
        .params(&[string("title").required(), string("content").required()])
        .also(MORE),
    put("projects/:id/wikis/:slug", WRITER, update)
        .params(&[string("title"), string("content")])
        .also(MORE),
    delete("projects/:id/wikis/:slug", WRITER, destroy),
    post("projects/:id/wikis/attachments", WRITER, attach)
        .params(&[file("file").required(), string("branch")]),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let content = ctx.boolean("with_content") == Some(true);
    let pages = state.wiki_pages_of(ctx.project()).into_iter();
    let pages = pages.map(|page| if content { full(page) } else { basic(page) });
    Ok(Response::ok(&pages.collect()))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    if ctx.given("version") {
        let text = "earlier versions of wiki pages are not kept";
        return Err(ApiError::error(501, format!("sandbox: {text}")).unknown(text));
    }
    let state = ctx.state();
    let page = find(ctx, &state)?;
    let mut body = full(page);
    if ctx.boolean("render_html") == Some(true) {
        body["content"] = json!(release_entity::html(Some(&page.content)));
    }
    Ok(Response::ok(&body))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let (mut state, project_id) = (ctx.state(), ctx.project());
    let slug = slug(ctx.string("title").unwrap_or_default())?;
    check_free(&state, project_id, &slug)?;
    let page = changed(
        ctx,
        WikiPage {
            id: 0,
            project_id,
            slug,
            content: String::new(),
            format: "markdown".to_owned(),
            front_matter: json!({}),
        },
    );
    let id = state.wiki_pages.insert(|id| WikiPage { id, ..page });
    let page = state.wiki_pages.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&full(page)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let names = ["title", "content", "format"];
    if !names.iter().any(|name| ctx.given(name)) {
        let text = "title, content, format are missing, at least one parameter must be provided";
        return Err(ApiError::error(400, text));
    }
    let mut state = ctx.state();
    let mut page = find(ctx, &state)?.clone();
    if let Some(title) = ctx.string("title") {
        let mut wanted = slug(title)?;
        // A page keeps its folder, unless the new title names one itself.
        if let Some((folder, _)) = page.slug.rsplit_once('/')
            && !title.contains('/')
        {
            wanted = format!("{folder}/{wanted}");
        }
        if wanted != page.slug {
            check_free(&state, page.project_id, &wanted)?;
            page.slug = wanted;
        }
    }
    let page = changed(ctx, page);
    if let Some(stored) = state.wiki_pages.get_mut(page.id) {
        stored.clone_from(&page);
    }
    Ok(Response::ok(&full(&page)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.wiki_pages.remove(id);
    Ok(Response::no_content())
}

fn attach(ctx: &Ctx<'_>) -> Answer {
    let file = ctx.file("file");
    let file = file.ok_or_else(|| ApiError::error(400, "file is invalid"))?;
    let name = file
        .file_name
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default();
    let path = format!("uploads/{}/{name}", secret::discussion_id().split_at(32).0);
    let image = [".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"];
    let mark = if image.iter().any(|ending| name.ends_with(ending)) {
        "!"
    } else {
        ""
    };
    let stored = WikiAttachment {
        id: 0,
        project_id: ctx.project(),
        path: path.clone(),
        content: file.content.clone(),
    };
    ctx.state()
        .wiki_attachments
        .insert(|id| WikiAttachment { id, ..stored });
    Ok(Response::created(&json!({
        "file_name": name,
        "file_path": path,
        "branch": ctx.string("branch").unwrap_or("main"),
        "link": { "url": path, "markdown": format!("{mark}[{name}]({path})") },
    })))
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a WikiPage, ApiError> {
    state
        .wiki_page(ctx.project(), ctx.path("slug"))
        .ok_or_else(|| ApiError::not_found("Wiki Page"))
}

fn slug(title: &str) -> Result<String, ApiError> {
    let slug = title.trim().trim_matches('/').replace(' ', "-");
    if slug.is_empty() {
        return Err(ApiError::error(400, "title is empty"));
    }
    Ok(slug)
}

fn check_free(state: &State, project: u64, slug: &str) -> Result<(), ApiError> {
    if state.wiki_page(project, slug).is_none() {
        return Ok(());
    }
    let text = "Duplicate page: A page with that title already exists";
    Err(ApiError::body(
        400,
        json!({ "message": { "base": [text] } }),
    ))
}

fn changed(ctx: &Ctx<'_>, mut page: WikiPage) -> WikiPage {
    if let Some(content) = ctx.string("content") {
        content.clone_into(&mut page.content);
    }
    if let Some(format) = ctx.string("format") {
        format.clone_into(&mut page.format);
    }
    if let Some(front_matter) = ctx.value("front_matter") {
        page.front_matter = front_matter.clone();
    }
    page
}

fn basic(page: &WikiPage) -> Value {
    json!({
        "format": page.format,
        "slug": page.slug,
        "title": page.title(),
        "wiki_page_meta_id": page.id,
    })
}

fn full(page: &WikiPage) -> Value {
    let mut body = basic(page);
    body["content"] = json!(page.content);
    body["encoding"] = json!("UTF-8");
    body["front_matter"] = page.front_matter.clone();
    body
}
