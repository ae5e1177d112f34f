//! The repository to take away: archives of a commit, snapshots of the repository itself.

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Archive, ArchiveFormat};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, get, list, string};

use super::repository::{ref_or_default, require_code};

const READER: Guard = Guard::ProjectReader;
const WHAT: &[Param] = &[
    string("sha"),
    string("format"),
    string("path"),
    boolean("include_lfs_blobs"),
    list("exclude_paths"),
];

const fn archive_of(pattern: &'static str) -> Route {
    get(pattern, READER, archive).params(WHAT)
}

pub(super) const ROUTES: &[Route] = &[
    archive_of("projects/:id/repository/archive"),
    archive_of("projects/:id/repository/archive.zip"),
    archive_of("projects/:id/repository/archive.tar"),
    archive_of("projects/:id/repository/archive.tar.gz"),
    archive_of("projects/:id/repository/archive.tgz"),
    archive_of("projects/:id/repository/archive.gz"),
    archive_of("projects/:id/repository/archive.tar.bz2"),
    archive_of("projects/:id/repository/archive.tbz"),
    archive_of("projects/:id/repository/archive.tbz2"),
    archive_of("projects/:id/repository/archive.tb2"),
    archive_of("projects/:id/repository/archive.bz2"),
    get("projects/:id/snapshot", Guard::Admin, snapshot).params(&[boolean("wiki")]),
];

/// The address of the web interface.
pub(super) const PAGES: &[Route] =
    &[get("archive/*place", READER, archive_page).params(&[string("path")])];

fn archive(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let missing = || ApiError::not_found("File");
    let last = ctx.request.segments.last().map(String::as_str);
    let ending = last.and_then(|last| last.strip_prefix("archive."));
    let ending = ending.or_else(|| ctx.string("format")).unwrap_or("tar.gz");
    let format = ArchiveFormat::of(ending).ok_or_else(missing)?;
    let reference = ref_or_default(ctx, "sha");
    let repository = ctx.shared.repository(ctx.project());
    let commit = repository.resolve(&reference)?.ok_or_else(missing)?;
    let name = project_path(ctx);
    let path = ctx.string("path").unwrap_or_default().trim_matches('/');
    let mut parts = vec![name, reference.replace('/', "-"), commit.clone()];
    if !path.is_empty() {
        parts.push(path.replace('/', "-"));
    }
    let name = parts.join("-");
    sent(
        ctx,
        format,
        &format!("{name}.{ending}"),
        &Archive {
            commit: &commit,
            prefix: &format!("{name}/"),
            path,
            excluded: &ctx.list("exclude_paths").unwrap_or_default(),
        },
    )
}

/// `<ref>/<project>-<ref>.<ending>`; what is inside stands below a folder of that name.
fn archive_page(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let missing = || ApiError::not_found("File");
    let (reference, file) = ctx.path("place").rsplit_once('/').ok_or_else(missing)?;
    let name = format!("{}-{}", project_path(ctx), reference.replace('/', "-"));
    let ending = file
        .strip_prefix(&name)
        .and_then(|end| end.strip_prefix('.'));
    let format = ending.and_then(ArchiveFormat::of).ok_or_else(missing)?;
    let repository = ctx.shared.repository(ctx.project());
    let commit = repository.resolve(reference)?.ok_or_else(missing)?;
    sent(
        ctx,
        format,
        file,
        &Archive {
            commit: &commit,
            prefix: &format!("{name}/"),
            path: ctx.string("path").unwrap_or_default(),
            excluded: &[],
        },
    )
}

fn project_path(ctx: &Ctx<'_>) -> String {
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    project
        .map(|project| project.path.clone())
        .unwrap_or_default()
}

fn sent(ctx: &Ctx<'_>, format: ArchiveFormat, file: &str, what: &Archive<'_>) -> Answer {
    let repository = ctx.shared.repository(ctx.project());
    let bytes = repository.archive(format, what);
    let bytes = bytes.map_err(|_nothing_there| ApiError::not_found("File"))?;
    Ok(Response::bytes(200, "application/octet-stream", bytes)
        .with(
            "content-disposition",
            format!("attachment; filename=\"{file}\""),
        )
        .with("content-transfer-encoding", "binary"))
}

fn snapshot(ctx: &Ctx<'_>) -> Answer {
    let project = ctx.find_project(ctx.path("id"))?;
    if ctx.boolean("wiki") == Some(true) {
        let text = "a snapshot of a wiki is not there: its pages are not a repository";
        return Err(ApiError::error(501, format!("sandbox: {text}")).unknown(text));
    }
    let bytes = ctx.shared.repository(project).snapshot()?;
    let file = format!("attachment; filename=\"{project}.tar\"");
    Ok(Response::bytes(200, "application/x-tar", bytes).with("content-disposition", file))
}
