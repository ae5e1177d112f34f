//! The files of a snippet as requests describe them: a list of files or of changes, or one name and content.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::router::{Param, hashes, string};
use crate::store::snippets::SnippetFile;

/// What creates files.
pub(super) const CREATE: &[Param] = &[
    hashes("files", &["file_path", "content"]),
    string("content"),
    string("file_name"),
];
/// What changes files.
pub(super) const UPDATE: &[Param] = &[
    hashes(
        "files",
        &["action", "file_path", "previous_path", "content"],
    ),
    string("content"),
    string("file_name"),
];

/// The files of a new snippet.
pub(super) fn created(ctx: &Ctx<'_>) -> Result<Vec<SnippetFile>, ApiError> {
    match (ctx.value("files"), ctx.string("content")) {
        (Some(_), Some(_)) => Err(ApiError::error(
            400,
            "files, content are mutually exclusive",
        )),
        (None, None) => Err(ApiError::error(
            400,
            "files, content are missing, exactly one parameter must be provided",
        )),
        (None, Some(content)) => {
            let path = ctx.string("file_name");
            let path = path.ok_or_else(|| ApiError::error(400, "file_name is missing"))?;
            Ok(vec![SnippetFile {
                path: path.to_owned(),
                content: content.to_owned(),
            }])
        }
        (Some(files), None) => {
            let files = files.as_array().map(Vec::as_slice).unwrap_or_default();
            if files.is_empty() {
                return Err(ApiError::error(400, "files is empty"));
            }
            files.iter().enumerate().map(file).collect()
        }
    }
}

fn file((at, sent): (usize, &Value)) -> Result<SnippetFile, ApiError> {
    let text = |name: &str| {
        let text = sent[name].as_str().map(str::to_owned);
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| ApiError::error(400, format!("files[{at}][{name}] is missing")))
    };
    Ok(SnippetFile {
        path: text("file_path")?,
        content: text("content")?,
    })
}

/// The files of a snippet after the changes of a request.
pub(super) fn changed(
    ctx: &Ctx<'_>,
    mut files: Vec<SnippetFile>,
) -> Result<Vec<SnippetFile>, ApiError> {
    let Some(actions) = ctx.value("files").and_then(Value::as_array) else {
        if let Some(first) = files.first_mut() {
            if let Some(name) = ctx.string("file_name") {
                name.clone_into(&mut first.path);
            }
            if let Some(content) = ctx.string("content") {
                content.clone_into(&mut first.content);
            }
        }
        return Ok(files);
    };
    for action in actions {
        let text = |name: &str| action[name].as_str().map(str::to_owned);
        let path = text("file_path").or_else(|| text("previous_path"));
        let path = path.ok_or_else(|| ApiError::error(400, "files[0][file_path] is missing"))?;
        let at =
            |files: &[SnippetFile], path: &str| files.iter().position(|file| file.path == path);
        let missing =
            || refused("Error updating the snippet - A file with this name doesn't exist");
        match text("action").as_deref() {
            Some("create") if at(&files, &path).is_some() => {
                return Err(refused(
                    "Error updating the snippet - A file with this name already exists",
                ));
            }
            Some("create") => files.push(SnippetFile {
                path,
                content: text("content").unwrap_or_default(),
            }),
            Some("update") => {
                let at = at(&files, &path).ok_or_else(missing)?;
                files[at].content = text("content").unwrap_or_default();
            }
            Some("delete") => {
                let at = at(&files, &path).ok_or_else(missing)?;
                files.remove(at);
            }
            Some("move") => {
                let from = text("previous_path").unwrap_or_default();
                let at = at(&files, &from).ok_or_else(missing)?;
                files[at].path = path;
                if let Some(content) = text("content") {
                    files[at].content = content;
                }
            }
            Some(_) | None => {
                return Err(ApiError::error(
                    400,
                    "files[0][action] does not have a valid value",
                ));
            }
        }
    }
    if files.is_empty() {
        return Err(refused("Snippets must contain at least one file"));
    }
    Ok(files)
}

fn refused(reason: &str) -> ApiError {
    ApiError::body(400, json!({ "message": { "error": reason } }))
}
