//! Files that texts link to: uploaded once, read again by secret and name.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, file, get, post};
use crate::secret;
use crate::store::State;
use crate::store::uploads::Upload;

const READER: Guard = Guard::ProjectReader;
const KEEPER: Guard = Guard::Project(Role::Maintainer);

pub(super) const ROUTES: &[Route] = &[
    post("projects/:id/uploads", Guard::SignedInReader, create).params(&[file("file").required()]),
    get("projects/:id/uploads", KEEPER, index).paginated(),
    get("projects/:id/uploads/:upload_id", KEEPER, by_id),
    get("projects/:id/uploads/:secret/:filename", READER, by_secret),
    delete("projects/:id/uploads/:upload_id", KEEPER, remove_by_id),
    delete(
        "projects/:id/uploads/:secret/:filename",
        KEEPER,
        remove_by_secret,
    ),
];

/// The address that texts link to.
pub(super) const PAGES: &[Route] = &[get("uploads/:secret/:filename", READER, by_secret)];

/// Shown in the text itself, not as a link.
const SHOWN: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "bmp", "tiff", "ico", "webp", "svg", "mp4", "m4v", "mov", "webm",
    "ogv", "mp3", "oga", "ogg", "spx", "wav",
];

static ODD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[^\w.\-+]").ok());

fn create(ctx: &Ctx<'_>) -> Answer {
    let sent = ctx.file("file");
    let sent = sent.ok_or_else(|| ApiError::error(400, "file is invalid"))?;
    let name = sent.file_name.rsplit(['/', '\\']).next();
    let name = name.unwrap_or_default();
    let file_name = match ODD.as_ref() {
        Some(odd) => odd.replace_all(name, "_").into_owned(),
        None => name.to_owned(),
    };
    let (project_id, uploaded_by, created_at) = (ctx.project(), ctx.user()?, ctx.now());
    let mut state = ctx.state();
    let id = state.uploads.insert(|id| Upload {
        id,
        project_id,
        secret: secret::upload(),
        file_name,
        content: sent.content.clone(),
        uploaded_by,
        created_at,
    });
    let upload = state.uploads.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(upload)))
}

/// What the uploader puts into a text.
fn entity(upload: &Upload) -> Value {
    let name = &upload.file_name;
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let shown = SHOWN.contains(&extension.to_ascii_lowercase().as_str());
    let alt = if shown { stem } else { name };
    let url = format!("/uploads/{}/{name}", upload.secret);
    let link = format!("[{}]({url})", alt.replace(']', "\\]"));
    json!({
        "id": upload.id,
        "alt": alt,
        "url": url,
        "full_path": format!("/-/project/{}{url}", upload.project_id),
        "markdown": if shown { format!("!{link}") } else { link },
    })
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    ctx.page(state.uploads_of(ctx.project()).rev(), |upload| {
        let by = state.users.get(upload.uploaded_by).map(|user| {
            json!({
                "id": user.id,
                "username": user.username,
                "public_email": user.profile.public_email,
                "name": user.name,
            })
        });
        json!({
            "id": upload.id,
            "size": upload.content.len(),
            "filename": upload.file_name,
            "created_at": clock::iso(upload.created_at),
            "uploaded_by": by,
        })
    })
}

fn by_id(ctx: &Ctx<'_>) -> Answer {
    sent(with_id(ctx, &ctx.state())?)
}

fn by_secret(ctx: &Ctx<'_>) -> Answer {
    sent(with_secret(ctx, &ctx.state())?)
}

fn sent(upload: &Upload) -> Answer {
    let name = &upload.file_name;
    let place = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{name}");
    let answer = Response::bytes(200, "application/octet-stream", upload.content.clone());
    Ok(answer.with("content-disposition", place))
}

fn remove_by_id(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = with_id(ctx, &state)?.id;
    state.uploads.remove(id);
    Ok(Response::no_content())
}

fn remove_by_secret(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = with_secret(ctx, &state)?.id;
    state.uploads.remove(id);
    Ok(Response::no_content())
}

fn with_id<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Upload, ApiError> {
    let id = ctx.path_number("upload_id")?;
    let mut own = state.uploads_of(ctx.project());
    own.find(|upload| upload.id == id)
        .ok_or_else(ApiError::not_found_plain)
}

fn with_secret<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Upload, ApiError> {
    let (secret, name) = (ctx.path("secret"), ctx.path("filename"));
    let mut own = state.uploads_of(ctx.project());
    own.find(|upload| upload.secret == secret && upload.file_name == name)
        .ok_or_else(ApiError::not_found_plain)
}
