//! Fields to values: users, projects, merge requests with their notes and pipelines, jobs.

use serde_json::{Map, Value, json};

use super::query::Field;
use crate::access::{self, Role};
use crate::ci::definition::When;
use crate::clock;
use crate::shared::Shared;
use crate::store::State;
use crate::store::jobs::{Job, Work};
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::{Note, Noteable};
use crate::store::pipelines::Pipeline;

type Resolved = Result<Value, String>;

/// GitLab's largest page.
const MOST_NODES: u64 = 100;

/// Answers the fields of a query.
pub(super) fn root(shared: &Shared, caller: Option<u64>, fields: &[Field]) -> Resolved {
    let state = shared.state();
    let view = View {
        state: &state,
        caller,
    };
    object("Query", fields, |field| match field.name.as_str() {
        "currentUser" => Some(caller.map_or(Ok(Value::Null), |user| view.user(user, field))),
        "project" => Some(view.project(field)),
        _ => None,
    })
}

struct View<'a> {
    state: &'a State,
    caller: Option<u64>,
}

impl View<'_> {
    fn user(&self, id: u64, field: &Field) -> Resolved {
        let Some(user) = self.state.users.get(id) else {
            return Ok(Value::Null);
        };
        object("UserCore", &field.fields, |field| {
            Some(Ok(match field.name.as_str() {
                "id" => json!(format!("gid://gitlab/User/{id}")),
                "username" => json!(user.username),
                "name" => json!(user.name),
                "state" => json!(user.state),
                "bot" => json!(user.bot),
                _ => return None,
            }))
        })
    }

    fn project(&self, field: &Field) -> Resolved {
        let path = field.arguments.get("fullPath").and_then(Value::as_str);
        let path = path.ok_or("Field 'project' is missing required arguments: fullPath")?;
        let Some(project) = self.state.find_project(path) else {
            return Ok(Value::Null);
        };
        let access = access::in_project(self.state, self.caller, project.id);
        if !access.at_least(Role::Guest) {
            return Ok(Value::Null);
        }
        let reads_pipelines = access.at_least(Role::Reporter);
        object("Project", &field.fields, |field| {
            Some(match field.name.as_str() {
                "id" => Ok(json!(format!("gid://gitlab/Project/{}", project.id))),
                "fullPath" => Ok(json!(self.state.project_path(project))),
                "name" => Ok(json!(project.name)),
                "mergeRequest" => self.merge_request(project.id, reads_pipelines, field),
                _ => return None,
            })
        })
    }

    fn merge_request(&self, project: u64, reads_pipelines: bool, field: &Field) -> Resolved {
        let iid = field.arguments.get("iid").and_then(Value::as_str);
        let iid: u64 = iid
            .and_then(|iid| iid.parse().ok())
            .ok_or("Field 'mergeRequest' is missing required arguments: iid")?;
        let found = self
            .state
            .merge_requests
            .iter()
            .find(|mr| mr.project_id == project && mr.iid == iid);
        let Some(found) = found else {
            return Ok(Value::Null);
        };
        object("MergeRequest", &field.fields, |field| {
            Some(match field.name.as_str() {
                "id" => Ok(json!(format!("gid://gitlab/MergeRequest/{}", found.id))),
                "iid" => Ok(json!(found.iid.to_string())),
                "title" => Ok(json!(found.title)),
                "diffHeadSha" => Ok(json!(found.sha)),
                "sourceBranch" => Ok(json!(found.source_branch)),
                "targetBranch" => Ok(json!(found.target_branch)),
                "author" => self.user(found.author_id, field),
                "notes" => self.notes(found, field),
                "pipelines" if reads_pipelines => self.pipelines(found, field),
                "pipelines" => Ok(Value::Null),
                _ => return None,
            })
        })
    }

    fn notes(&self, of: &MergeRequest, field: &Field) -> Resolved {
        let notes = self
            .state
            .notes
            .iter()
            .filter(|note| note.noteable == Noteable::MergeRequest(of.id));
        connection("Note", field, notes.collect(), |note: &Note, field| {
            Some(match field.name.as_str() {
                "id" => Ok(json!(format!("gid://gitlab/Note/{}", note.id))),
                "body" => Ok(json!(note.body)),
                "system" => Ok(json!(note.system)),
                "author" => self.user(note.author_id, field),
                _ => return None,
            })
        })
    }

    fn pipelines(&self, of: &MergeRequest, field: &Field) -> Resolved {
        let mut pipelines: Vec<&Pipeline> = self
            .state
            .pipelines
            .iter()
            .filter(|pipeline| pipeline.merge_request_id == Some(of.id) && !pipeline.is_child())
            .collect();
        pipelines.reverse();
        connection("Pipeline", field, pipelines, |pipeline, field| {
            Some(match field.name.as_str() {
                "id" => Ok(json!(format!("gid://gitlab/Ci::Pipeline/{}", pipeline.id))),
                "iid" => Ok(json!(pipeline.iid.to_string())),
                "sha" => Ok(json!(pipeline.sha)),
                "status" => Ok(json!(pipeline.status.as_str().to_ascii_uppercase())),
                "user" => self.user(pipeline.user_id, field),
                "jobs" => self.jobs(pipeline, field),
                _ => return None,
            })
        })
    }

    fn jobs(&self, of: &Pipeline, field: &Field) -> Resolved {
        let retried = field.arguments.get("retried").and_then(Value::as_bool);
        let wanted = |job: &&Job| {
            job.pipeline_id == of.id && retried.is_none_or(|retried| job.retried == retried)
        };
        let mut jobs: Vec<&Job> = self.state.jobs.iter().filter(wanted).collect();
        jobs.reverse();
        connection("CiJob", field, jobs, |job, field| {
            Some(Ok(match field.name.as_str() {
                "id" => json!(format!(
                    "gid://gitlab/Ci::{}/{}",
                    if job.is_build() { "Build" } else { "Bridge" },
                    job.id
                )),
                "name" => json!(job.name),
                "status" => json!(job.status.as_str().to_ascii_uppercase()),
                "manualJob" => json!(is_action(job)),
                "allowFailure" => json!(job.allow_failure),
                "retried" => json!(job.retried),
                "createdAt" => json!(clock::iso(job.created_at)),
                "startedAt" => json!(job.started_at.map(clock::iso)),
                "finishedAt" => json!(job.finished_at.map(clock::iso)),
                _ => return None,
            }))
        })
    }
}

/// Jobs with an action: manual ones and delayed ones alike.
fn is_action(job: &Job) -> bool {
    match &job.work {
        Work::Defined(definition) => matches!(definition.when, When::Manual | When::Delayed),
        Work::External(_) => false,
    }
}

/// A list, as GraphQL pages it: the first so many nodes.
fn connection<'a, T>(
    kind: &str,
    field: &Field,
    rows: Vec<&'a T>,
    resolve: impl Fn(&'a T, &Field) -> Option<Resolved>,
) -> Resolved {
    let first = field
        .arguments
        .get("first")
        .and_then(Value::as_u64)
        .unwrap_or(MOST_NODES)
        .min(MOST_NODES);
    let rows: Vec<&T> = rows
        .into_iter()
        .take(usize::try_from(first).unwrap_or(usize::MAX))
        .collect();
    object(&format!("{kind}Connection"), &field.fields, |field| {
        (field.name == "nodes").then(|| {
            let nodes = rows
                .iter()
                .map(|row| object(kind, &field.fields, |inner| resolve(row, inner)));
            Ok(Value::Array(nodes.collect::<Result<_, _>>()?))
        })
    })
}

/// One object: each field resolved, or named as one that is not there.
fn object(kind: &str, fields: &[Field], resolve: impl Fn(&Field) -> Option<Resolved>) -> Resolved {
    if fields.is_empty() {
        return Err(format!("Field must have selections (type '{kind}')"));
    }
    let mut answer = Map::new();
    for field in fields {
        let value = if field.name == "__typename" {
            json!(kind)
        } else {
            resolve(field).unwrap_or_else(|| {
                Err(format!(
                    "Field '{}' doesn't exist on type '{kind}'",
                    field.name
                ))
            })?
        };
        answer.insert(field.alias.clone(), value);
    }
    Ok(Value::Object(answer))
}
