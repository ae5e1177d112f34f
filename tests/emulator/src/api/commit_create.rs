//! Commits made through the API, for one file or many.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::access::{self, Role};
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Action, ActionKind, GitError, Repository};
use crate::message::Response;
use crate::push::{self, RefUpdate};
use crate::router::{Answer, Guard, Route, boolean, hashes, post, string};

use super::commit_entity;

const ACTION: &[&str] = &[
    "action",
    "file_path",
    "previous_path",
    "content",
    "encoding",
    "last_commit_id",
    "execute_filemode",
];

pub(super) const ROUTES: &[Route] = &[post(
    "projects/:id/repository/commits",
    Guard::Project(Role::Developer),
    create,
)
.refuses(&["start_project"])
.params(&[
    string("branch").required(),
    string("commit_message").required(),
    hashes("actions", ACTION).required(),
    string("start_branch"),
    string("start_sha"),
    string("author_email"),
    string("author_name"),
    boolean("stats"),
    boolean("force"),
    boolean("allow_empty"),
])];

fn create(ctx: &Ctx<'_>) -> Answer {
    let sent = ctx.value("actions").and_then(Value::as_array);
    let changes = sent
        .into_iter()
        .flatten()
        .map(FileChange::from_json)
        .collect::<Result<Vec<_>, _>>()?;
    let commit = commit(ctx, changes)?;
    let commit = ctx.shared.repository(ctx.project()).commit(&commit)?;
    let commit = commit.ok_or_else(ApiError::internal)?;
    let stats = ctx.boolean("stats").unwrap_or(true);
    Ok(Response::created(&commit_entity::detail(
        ctx, &commit, stats,
    )?))
}

/// One change of a file as the API takes it.
#[derive(Debug)]
pub(super) struct FileChange {
    pub(super) action: String,
    pub(super) path: String,
    pub(super) previous_path: Option<String>,
    pub(super) content: Option<Vec<u8>>,
    pub(super) last_commit_id: Option<String>,
    pub(super) executable: Option<bool>,
}

impl FileChange {
    fn from_json(sent: &Value) -> Result<Self, ApiError> {
        let text = |name: &str| sent[name].as_str().map(str::to_owned);
        let (Some(action), Some(path)) = (text("action"), text("file_path")) else {
            let text = "actions[0][action] is missing, actions[0][file_path] is missing";
            return Err(ApiError::error(400, text));
        };
        Ok(Self {
            content: match text("content") {
                Some(content) => Some(decoded(&content, sent["encoding"].as_str())?),
                None => None,
            },
            action,
            path,
            previous_path: text("previous_path"),
            last_commit_id: text("last_commit_id"),
            executable: sent["execute_filemode"]
                .as_bool()
                .or_else(|| Some(sent["execute_filemode"].as_str()? == "true")),
        })
    }
}

/// Content as bytes, from plain text or Base64.
pub(super) fn decoded(content: &str, encoding: Option<&str>) -> Result<Vec<u8>, ApiError> {
    if encoding != Some("base64") {
        return Ok(content.as_bytes().to_vec());
    }
    let joined: String = content.split_whitespace().collect();
    STANDARD
        .decode(joined)
        .map_err(|error| ApiError::message(400, format!("invalid base64: {error}")))
}

/// Commits changes to the branch of the request and pushes it, in the name of the caller; gives the commit.
pub(super) fn commit(ctx: &Ctx<'_>, changes: Vec<FileChange>) -> Result<String, ApiError> {
    let (user, project) = (ctx.user()?, ctx.project());
    let branch = ctx.string("branch").unwrap_or_default();
    let repository = ctx.shared.repository(project);
    if !access::may_push(&ctx.state(), user, project, branch) {
        let reason = "You are not allowed to push into this branch";
        return Err(ApiError::forbidden_because(reason));
    }
    if !repository.is_ref_name(branch) {
        return Err(ApiError::message(400, "Branch name is invalid"));
    }
    let name = format!("refs/heads/{branch}");
    let old = repository.resolve(&name)?;
    let parent = start(ctx, &repository, branch, old.as_deref())?;
    let actions = checked(&repository, parent.as_deref(), changes)?;
    let committer = ctx.state().identity(user, ctx.now());
    let mut author = committer.clone();
    author.name = ctx.string("author_name").unwrap_or(&author.name).to_owned();
    author.email = ctx
        .string("author_email")
        .unwrap_or(&author.email)
        .to_owned();
    let message = ctx.string("commit_message").unwrap_or_default();
    let commit = repository
        .commit_actions(parent.as_deref(), &actions, message, &author, &committer)
        .map_err(refused)?;
    let update = RefUpdate {
        name,
        old,
        new: Some(commit.clone()),
    };
    push::move_ref(ctx.shared, project, user, update, Vec::new()).map_err(refused)?;
    Ok(commit)
}

fn refused(error: GitError) -> ApiError {
    match error {
        GitError::Action(text) => ApiError::message(400, text),
        GitError::RefMoved { .. } => {
            let text = "Could not update refs/heads. Please refresh and try again.";
            ApiError::message(400, text)
        }
        GitError::Start(_) | GitError::Failed { .. } | GitError::Conflict { .. } => error.into(),
    }
}

/// The commit to build on: the branch itself, or where a new branch is to start.
fn start(
    ctx: &Ctx<'_>,
    repository: &Repository,
    branch: &str,
    old: Option<&str>,
) -> Result<Option<String>, ApiError> {
    let from = ctx.string("start_branch").filter(|from| *from != branch);
    let Some(from) = from.or_else(|| ctx.string("start_sha")) else {
        if old.is_none() && !repository.branches()?.is_empty() {
            let text = "You can only create or edit files when you are on a branch";
            return Err(ApiError::message(400, text));
        }
        return Ok(old.map(str::to_owned));
    };
    if old.is_some() && ctx.boolean("force") != Some(true) {
        let text = format!(
            "A branch called '{branch}' already exists. Switch to that branch in order to make changes"
        );
        return Err(ApiError::message(400, text));
    }
    match repository.resolve(from)? {
        Some(commit) => Ok(Some(commit)),
        None => Err(ApiError::message(
            400,
            format!("Cannot find start_branch '{from}'"),
        )),
    }
}

/// Turns changes into git's actions; the files each one needs must be there, and those it creates must not.
fn checked(
    repository: &Repository,
    parent: Option<&str>,
    changes: Vec<FileChange>,
) -> Result<Vec<Action>, ApiError> {
    let mut changed: BTreeMap<String, bool> = BTreeMap::new();
    let mut actions = Vec::new();
    for change in changes {
        let path = change.path.trim_start_matches('/').to_owned();
        if path.is_empty() || path.split('/').any(|part| part == ".." || part == ".git") {
            return Err(ApiError::message(
                400,
                "Path cannot include directory traversal",
            ));
        }
        let exists = |path: &str| -> Result<bool, ApiError> {
            match (changed.get(path), parent) {
                (Some(exists), _) => Ok(*exists),
                (None, Some(parent)) => Ok(repository.file(parent, path)?.is_some()),
                (None, None) => Ok(false),
            }
        };
        let must_exist = |path: &str| match exists(path)? {
            true => Ok(()),
            false => Err(ApiError::message(
                400,
                "A file with this name doesn't exist",
            )),
        };
        if let (Some(known), Some(parent)) = (&change.last_commit_id, parent) {
            let old = change.previous_path.as_deref().unwrap_or(&path);
            let newest = repository.commits(&["-n", "1", parent, "--", old])?;
            if newest.first().is_some_and(|newest| newest.id != *known) {
                let text = "You are attempting to update a file that has changed since you started editing it.";
                return Err(ApiError::message(400, text));
            }
        }
        let content = change.content.unwrap_or_default();
        let kind = match change.action.as_str() {
            "create" if exists(&path)? => {
                return Err(ApiError::message(
                    400,
                    "A file with this name already exists",
                ));
            }
            "create" => ActionKind::Put {
                content,
                executable: change.executable == Some(true),
            },
            "update" => {
                must_exist(&path)?;
                let executable = match (change.executable, parent) {
                    (Some(executable), _) => executable,
                    (None, Some(parent)) => is_executable(repository, parent, &path)?,
                    (None, None) => false,
                };
                ActionKind::Put {
                    content,
                    executable,
                }
            }
            "delete" => {
                must_exist(&path)?;
                ActionKind::Delete
            }
            "move" => {
                let from = change.previous_path.unwrap_or_default();
                must_exist(&from)?;
                changed.insert(from.clone(), false);
                ActionKind::Move {
                    from,
                    content: (!content.is_empty()).then_some(content),
                }
            }
            "chmod" => {
                must_exist(&path)?;
                ActionKind::Chmod {
                    executable: change.executable == Some(true),
                }
            }
            other => {
                let text = format!("Unknown action '{other}'");
                return Err(ApiError::message(400, text));
            }
        };
        changed.insert(path.clone(), kind != ActionKind::Delete);
        actions.push(Action { path, kind });
    }
    Ok(actions)
}

/// The mode of a file that is there.
pub(super) fn is_executable(
    repository: &Repository,
    commit: &str,
    path: &str,
) -> Result<bool, ApiError> {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let entries = repository.tree(commit, directory, false)?;
    Ok(entries
        .iter()
        .any(|entry| entry.path == path && entry.mode == "100755"))
}
