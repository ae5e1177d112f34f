//! The objects of the schema and their fields, as far as they are there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::merge_requests::{merge_request, note};
use super::pages::{Page, connection, page, page_info};
use super::parse::Field;
use super::pipelines::{job, pipeline};
use crate::access::{self, Role};
use crate::engine::status::Status;
use crate::shared::Shared;
use crate::store::State;
use crate::store::merge_requests::MergeRequest;
use crate::store::pipelines::Pipeline;
use crate::store::projects::{Project, Visibility};
use crate::store::users::User;

/// What fields are answered from.
pub(super) struct World<'a> {
    pub(super) state: &'a State,
    pub(super) url: &'a str,
    pub(super) user: Option<u64>,
    /// The commits of the merge requests that are asked for, by their ids.
    pub(super) commits: &'a BTreeMap<u64, Vec<String>>,
}

/// An object of the schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    Query,
    User(u64),
    Project(u64),
    MergeRequest(u64),
    Note(u64),
    Label(u64),
    Pipeline(u64),
    Job(u64),
    Stage { pipeline: u64, name: String },
    Connection { kind: &'static str, page: Page },
    Edge(Box<Object>, usize),
    PageInfo(Page),
}

/// What a field holds.
pub(super) enum Found {
    Scalar(Value),
    Nothing,
    One(Object),
    Many(Vec<Object>),
}

impl Object {
    /// The name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::User(_) => "UserCore",
            Self::Project(_) => "Project",
            Self::MergeRequest(_) => "MergeRequest",
            Self::Note(_) => "Note",
            Self::Label(_) => "Label",
            Self::Pipeline(_) => "Pipeline",
            Self::Job(_) => "CiJob",
            Self::Stage { .. } => "CiStage",
            Self::Connection { kind, .. } => kind,
            Self::Edge(..) => "Edge",
            Self::PageInfo(_) => "PageInfo",
        }
    }
}

/// The commits of every `project { mergeRequest }` of a query; asked of git before the state is locked.
pub(super) fn commits_of_merge_requests(
    shared: &Shared,
    query: &[Field],
) -> BTreeMap<u64, Vec<String>> {
    let mut wanted: Vec<MergeRequest> = Vec::new();
    {
        let state = shared.state();
        for project in query.iter().filter(|field| field.name == "project") {
            let path = text(project, "fullPath");
            let Some(id) = state.find_project(&path).map(|row| row.id) else {
                continue;
            };
            let asked = project.selection.iter();
            for field in asked.filter(|field| field.name == "mergeRequest") {
                let iid = text(field, "iid").parse().unwrap_or(0);
                wanted.extend(state.merge_request(id, iid).cloned());
            }
        }
    }
    let commits = |merge_request: &MergeRequest| {
        let base = merge_request.diff().map(|diff| diff.base.clone());
        let range = format!("{}..{}", base.unwrap_or_default(), merge_request.sha);
        let repository = shared.repository(merge_request.project_id);
        let found = repository.commits(&[&range]).unwrap_or_default();
        let mut ids: Vec<String> = found.into_iter().map(|commit| commit.id).collect();
        ids.push(merge_request.sha.clone());
        (merge_request.id, ids)
    };
    wanted.iter().map(commits).collect()
}

/// Answers one field of one object.
pub(super) fn resolve(world: &World<'_>, object: &Object, field: &Field) -> Result<Found, String> {
    let state = world.state;
    let found = match object {
        Object::Query => query(world, field)?,
        Object::User(id) => state.users.get(*id).and_then(|row| user(world, row, field)),
        Object::Project(id) => match state.projects.get(*id) {
            Some(row) => project(world, row, field)?,
            None => None,
        },
        Object::MergeRequest(id) => match state.merge_requests.get(*id) {
            Some(row) => merge_request(world, row, field)?,
            None => None,
        },
        Object::Note(id) => state.notes.get(*id).and_then(|row| note(row, field)),
        Object::Label(id) => state.labels.get(*id).and_then(|row| {
            Some(Found::Scalar(match field.name.as_str() {
                "id" => json!(format!("gid://gitlab/ProjectLabel/{}", row.id)),
                "title" => json!(row.name),
                "color" => json!(row.color),
                _ => return None,
            }))
        }),
        Object::Pipeline(id) => match state.pipelines.get(*id) {
            Some(row) => pipeline(world, row, field)?,
            None => None,
        },
        Object::Job(id) => match state.jobs.get(*id) {
            Some(row) => job(world, row, field)?,
            None => None,
        },
        Object::Stage { pipeline, name } => match field.name.as_str() {
            "id" => Some(Found::Scalar(json!(format!(
                "gid://gitlab/Ci::Stage/{pipeline}-{name}"
            )))),
            "name" => Some(Found::Scalar(json!(name))),
            _ => None,
        },
        Object::Connection { page, .. } => connection(page, field),
        Object::Edge(node, place) => match field.name.as_str() {
            "node" => Some(Found::One((**node).clone())),
            "cursor" => Some(Found::Scalar(json!(place.to_string()))),
            _ => None,
        },
        Object::PageInfo(page) => page_info(page, field),
    };
    found.ok_or_else(|| {
        format!(
            "Field '{}' doesn't exist on type '{}'",
            field.name,
            object.type_name()
        )
    })
}

fn query(world: &World<'_>, field: &Field) -> Result<Option<Found>, String> {
    let found = match field.name.as_str() {
        "currentUser" => world
            .user
            .map_or(Found::Nothing, |id| Found::One(Object::User(id))),
        "project" => {
            accepts(field, &["fullPath"])?;
            let path = required(field, "Query", "fullPath")?;
            let project = world.state.find_project(&path);
            let readable =
                |row: &&Project| access::in_project(world.state, world.user, row.id).can_read;
            one(project.filter(readable).map(|row| Object::Project(row.id)))
        }
        _ => return Ok(None),
    };
    Ok(Some(found))
}

fn user(world: &World<'_>, row: &User, field: &Field) -> Option<Found> {
    Some(Found::Scalar(match field.name.as_str() {
        "id" => json!(format!("gid://gitlab/User/{}", row.id)),
        "username" => json!(row.username),
        "name" => json!(row.name),
        "bot" => json!(row.bot),
        "state" => json!(row.state),
        "webUrl" => json!(format!("{}/{}", world.url, row.username)),
        _ => return None,
    }))
}

fn project(world: &World<'_>, row: &Project, field: &Field) -> Result<Option<Found>, String> {
    let state = world.state;
    let path = state.project_path(row);
    let sees_jobs = sees_jobs(world, row);
    let scalar = |value: Value| Ok(Some(Found::Scalar(value)));
    match field.name.as_str() {
        "id" => scalar(json!(format!("gid://gitlab/Project/{}", row.id))),
        "name" => scalar(json!(row.name)),
        "path" => scalar(json!(row.path)),
        "fullPath" => scalar(json!(path)),
        "description" => scalar(json!(row.settings.description)),
        "visibility" => scalar(json!(row.visibility.as_str())),
        "webUrl" => scalar(json!(format!("{}/{path}", world.url))),
        "mergeRequest" => {
            accepts(field, &["iid"])?;
            let iid = required(field, "Project", "iid")?.parse().unwrap_or(0);
            let found = state.merge_request(row.id, iid);
            Ok(Some(one(found.map(|row| Object::MergeRequest(row.id)))))
        }
        "pipeline" => {
            accepts(field, &["iid", "sha", "id"])?;
            let (iid, sha, id) = (text(field, "iid"), text(field, "sha"), text(field, "id"));
            let fits = |pipeline: &&Pipeline| {
                (iid.is_empty() || iid == pipeline.iid.to_string())
                    && (sha.is_empty() || sha == pipeline.sha)
                    && (id.is_empty() || id == global("Ci::Pipeline", pipeline.id))
            };
            let found = state.pipelines_of(row.id).rev().find(fits);
            let found = found.filter(|_| sees_jobs);
            Ok(Some(one(found.map(|row| Object::Pipeline(row.id)))))
        }
        "pipelines" => {
            accepts(
                field,
                &[
                    "first", "last", "after", "before", "ref", "sha", "status", "source",
                ],
            )?;
            let equals = |name: &str, own: &str| {
                let wanted = text(field, name);
                wanted.is_empty() || wanted == own
            };
            let found = state
                .pipelines_of(row.id)
                .rev()
                .filter(|pipeline| sees_jobs && !pipeline.is_child())
                .filter(|pipeline| {
                    equals("ref", &pipeline.git_ref)
                        && equals("sha", &pipeline.sha)
                        && equals("status", &upper(pipeline.status))
                        && equals("source", pipeline.source.as_str())
                })
                .map(|pipeline| Object::Pipeline(pipeline.id));
            page(field, "PipelineConnection", found.collect())
        }
        _ => Ok(None),
    }
}

/// Members and, where jobs are public, everybody who sees the project.
pub(super) fn sees_jobs(world: &World<'_>, row: &Project) -> bool {
    let access = access::in_project(world.state, world.user, row.id);
    access.at_least(Role::Reporter)
        || (row.settings.public_jobs
            && (access.role.is_some() || row.visibility != Visibility::Private))
}

pub(super) fn one(object: Option<Object>) -> Found {
    object.map_or(Found::Nothing, Found::One)
}

pub(super) fn global(kind: &str, id: u64) -> String {
    format!("gid://gitlab/{kind}/{id}")
}

pub(super) fn upper(status: Status) -> String {
    status.as_str().to_uppercase()
}

pub(super) fn time(at: Option<Timestamp>) -> Value {
    json!(at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()))
}

pub(super) fn text(field: &Field, name: &str) -> String {
    match field.arguments.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn required(field: &Field, kind: &str, name: &str) -> Result<String, String> {
    let value = text(field, name);
    if value.is_empty() {
        return Err(format!(
            "Field '{}' of type '{kind}' is missing required arguments: {name}",
            field.name
        ));
    }
    Ok(value)
}

/// Refuses arguments that are not there.
pub(super) fn accepts(field: &Field, known: &[&str]) -> Result<(), String> {
    let odd = field
        .arguments
        .keys()
        .find(|name| !known.contains(&name.as_str()));
    match odd {
        Some(name) => Err(format!(
            "Field '{}' doesn't accept argument '{name}'",
            field.name
        )),
        None => Ok(()),
    }
}
