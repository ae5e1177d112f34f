//! Fields that are read off the REST entity of their object, and the addresses of these entities.

use std::rc::Rc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, Problem, number_of, time_of, upper, value,
};
use crate::store::State;
use crate::store::holders::Holder;

/// The address of an object in the REST API, below `/api/v4/`.
pub(super) fn path(state: &State, object: &Object) -> Option<String> {
    Some(match object {
        Object::Project(id) | Object::ProjectNamespace(id) | Object::Repository(id) => {
            format!("projects/{id}")
        }
        Object::Group(id) | Object::Namespace(id) => format!("groups/{id}"),
        Object::MergeRequest(id) => {
            let row = state.merge_requests.get(*id)?;
            format!("projects/{}/merge_requests/{}", row.project_id, row.iid)
        }
        Object::Issue(id) | Object::WorkItem(id) => {
            let row = state.issues.get(*id)?;
            format!("projects/{}/issues/{}", row.project_id, row.iid)
        }
        Object::Pipeline(id) => {
            let row = state.pipelines.get(*id)?;
            format!("projects/{}/pipelines/{}", row.project_id, row.id)
        }
        Object::Job(id) => {
            let row = state.jobs.get(*id)?;
            format!("projects/{}/jobs/{}", row.project_id, row.id)
        }
        Object::Milestone(id) => {
            let row = state.milestones.get(*id)?;
            match row.holder {
                Holder::Project(project) => format!("projects/{project}/milestones/{}", row.id),
                Holder::Group(group) => format!("groups/{group}/milestones/{}", row.id),
            }
        }
        Object::Release(id) => {
            let row = state.releases.get(*id)?;
            format!("projects/{}/releases/{}", row.project_id, encoded(&row.tag))
        }
        Object::Environment(id) => {
            let row = state.environments.get(*id)?;
            format!("projects/{}/environments/{}", row.project_id, row.id)
        }
        Object::Schedule(id) => {
            let row = state.schedules.get(*id)?;
            format!("projects/{}/pipeline_schedules/{}", row.project_id, row.id)
        }
        Object::Runner(id) => format!("runners/{id}"),
        Object::User(id, _) => format!("users/{id}"),
        Object::Label(_)
        | Object::Note(_)
        | Object::Discussion(_)
        | Object::Root
        | Object::Stage { .. }
        | Object::Commit(..)
        | Object::Record(..)
        | Object::Page(_)
        | Object::Edge(..)
        | Object::Type(_)
        | Object::NamedType(_)
        | Object::Field(_)
        | Object::Input(_) => return None,
    })
}

/// A name as one segment of an address.
pub(super) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// The REST entity of the call's object.
pub(super) fn entity(call: &Call<'_>) -> Result<Rc<Value>, Problem> {
    if let Object::Commit(_, commit) = call.object {
        return Ok(Rc::clone(commit));
    }
    let path = path(&call.state(), call.object);
    match path {
        Some(path) => call.rest().show(&path),
        None => Ok(Rc::new(Value::Null)),
    }
}

/// The address of the call's object with a tail.
pub(super) fn below(call: &Call<'_>, tail: &str) -> Result<String, Problem> {
    let path = path(&call.state(), call.object);
    path.map(|path| format!("{path}/{tail}"))
        .ok_or_else(Problem::no_access)
}

/// A value of the entity, as it is.
pub(super) fn shown(call: &Call<'_>, pointer: &str) -> Outcome {
    let entity = entity(call)?;
    Ok(Found::Value(
        entity.pointer(pointer).cloned().unwrap_or(Value::Null),
    ))
}

/// The path of the entity's page.
pub(super) fn web_path(call: &Call<'_>) -> Outcome {
    let url = call.url();
    shown(call, "/web_url").map(|found| found.on_text(|text| value(text.trim_start_matches(url))))
}

/// How texts refer to the entity, with the argument `full` from anywhere.
pub(super) fn reference(call: &Call<'_>) -> Outcome {
    let full = call.flag("full") == Some(true);
    shown(
        call,
        if full {
            "/references/full"
        } else {
            "/references/short"
        },
    )
}

/// A flag of the entity; what is not shown to the caller is false.
pub(super) fn flag(call: &Call<'_>, pointer: &str) -> Outcome {
    let entity = entity(call)?;
    let flag = entity.pointer(pointer).and_then(Value::as_bool);
    Ok(value(flag.unwrap_or(false)))
}

/// An instant of the entity.
pub(super) fn instant(call: &Call<'_>, pointer: &str) -> Outcome {
    let entity = entity(call)?;
    Ok(entity.pointer(pointer).map_or(NOTHING, time_of))
}

/// A word of the entity, as an enum.
pub(super) fn word(call: &Call<'_>, pointer: &str) -> Outcome {
    let entity = entity(call)?;
    let word = entity.pointer(pointer).and_then(Value::as_str).map(upper);
    Ok(Found::Value(json!(word)))
}

/// Arguments under the names of the REST API.
pub(super) fn renamed(args: &Map<String, Value>, names: &[(&str, &str)]) -> Value {
    let mut params = Map::new();
    for (from, to) in names {
        if let Some(value) = args.get(*from) {
            params.insert((*to).to_owned(), value.clone());
        }
    }
    Value::Object(params)
}

/// The numbers of a list of global ids.
pub(super) fn numbers(
    args: &Map<String, Value>,
    name: &str,
    classes: &[&str],
) -> Result<Option<Vec<u64>>, Problem> {
    let Some(items) = args.get(name).and_then(Value::as_array) else {
        return Ok(None);
    };
    let numbers = items
        .iter()
        .filter_map(Value::as_str)
        .map(|text| number_of(text, classes))
        .collect::<Result<_, _>>()?;
    Ok(Some(numbers))
}

/// Objects of these ids.
pub(super) fn many(ids: impl IntoIterator<Item = u64>, make: fn(u64) -> Object) -> Found {
    Found::Many(ids.into_iter().map(make).collect())
}
