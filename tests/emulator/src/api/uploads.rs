//! Files attached to projects: kept and given back.

use serde_json::{Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, file, get, post};
use crate::secret;
use crate::store::State;
use crate::store::belongings::Upload;

const MAINTAINER: Guard = Guard::Project(Role::Maintainer);

pub(super) const ROUTES: &[Route] = &[
    post("projects/:id/uploads", Guard::Project(Role::Guest), create)
        .params(&[file("file").required()]),
    get("projects/:id/uploads", MAINTAINER, index).paginated(),
    get("projects/:id/uploads/:upload_id", MAINTAINER, show),
    get(
        "projects/:id/uploads/:secret/:file_name",
        Guard::Project(Role::Guest),
        show_by_secret,
    ),
    delete("projects/:id/uploads/:upload_id", MAINTAINER, destroy),
    delete(
        "projects/:id/uploads/:secret/:file_name",
        MAINTAINER,
        destroy_by_secret,
    ),
];
const PICTURES: &[&str] = &["png", "jpg", "jpeg", "gif", "bmp", "tiff", "ico", "webp"];

fn create(ctx: &Ctx<'_>) -> Answer {
    let user = ctx.user()?;
    let Some(file) = ctx.file("file") else {
        return Err(ApiError::error(400, "file is invalid"));
    };
    let allowed = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_' | '+');
    let name: String = file
        .file_name
        .chars()
        .map(|char| if allowed(char) { char } else { '_' })
        .collect();
    let content = file.content.clone();
    let mut state = ctx.state();
    let id = state.belongings.uploads.insert(|id| Upload {
        id,
        place: ctx.place(),
        secret: secret::fresh("").to_lowercase(),
        file_name: name,
        content,
        created_at: ctx.now(),
        uploaded_by: user,
    });
    let row = state.belongings.uploads.get(id);
    let row = row.ok_or_else(ApiError::internal)?;
    let address = format!("/uploads/{}/{}", row.secret, row.file_name);
    let (stem, extension) = row
        .file_name
        .rsplit_once('.')
        .unwrap_or((&row.file_name, ""));
    let picture = PICTURES.contains(&extension.to_lowercase().as_str());
    let alt = if picture { stem } else { &row.file_name };
    let mark = if picture { "!" } else { "" };
    Ok(Response::created(&json!({
        "id": row.id,
        "alt": alt,
        "url": address,
        "full_path": format!("/-/project/{}{address}", ctx.project()),
        "markdown": format!("{mark}[{alt}]({address})"),
    })))
}

/// The newest first.
fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state.belongings.uploads.iter().rev();
    ctx.page(own.filter(|row| row.place == ctx.place()), |row| {
        entity(&state, row)
    })
}

fn show(ctx: &Ctx<'_>) -> Answer {
    sent(find(ctx, &ctx.state())?)
}

fn show_by_secret(ctx: &Ctx<'_>) -> Answer {
    sent(find_by_secret(ctx, &ctx.state())?)
}

fn sent(row: &Upload) -> Answer {
    let name = format!("attachment; filename=\"{}\"", row.file_name);
    let response = Response::bytes(200, "application/octet-stream", row.content.clone());
    Ok(response.with("content-disposition", name))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.belongings.uploads.remove(id);
    Ok(Response::no_content())
}

fn destroy_by_secret(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find_by_secret(ctx, &state)?.id;
    state.belongings.uploads.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Upload, ApiError> {
    let row = state.belongings.uploads.get(ctx.path_number("upload_id")?);
    row.filter(|row| row.place == ctx.place())
        .ok_or_else(ApiError::not_found_plain)
}

fn find_by_secret<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Upload, ApiError> {
    let mut own = state.belongings.uploads.iter();
    let wanted = |row: &&Upload| {
        row.place == ctx.place()
            && row.secret == ctx.path("secret")
            && row.file_name == ctx.path("file_name")
    };
    own.find(wanted).ok_or_else(ApiError::not_found_plain)
}

fn entity(state: &State, row: &Upload) -> Value {
    let by = state.users.get(row.uploaded_by);
    json!({
        "id": row.id,
        "size": row.content.len(),
        "filename": row.file_name,
        "created_at": clock::iso(row.created_at),
        "uploaded_by": by.map(|user| json!({ "id": user.id, "name": user.name, "username": user.username })),
    })
}
