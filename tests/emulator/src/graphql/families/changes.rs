//! What all mutations have in common: their input, where it points to, and the payload with its errors.

use serde_json::{Map, Value, json};

use super::entity::path;
use crate::access;
use crate::errors::ApiError;
use crate::graphql::internal::{refusal, sentences};
use crate::graphql::objects::{Call, Found, NOTHING, Object, Outcome, Problem, number_of, record};

static NO_INPUT: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

/// The input of a mutation.
pub(super) fn input<'a>(call: &Call<'a>) -> &'a Map<String, Value> {
    call.arg("input")
        .and_then(Value::as_object)
        .unwrap_or(&NO_INPUT)
}

/// A text of the input.
pub(super) fn text<'a>(call: &Call<'a>, name: &str) -> &'a str {
    input(call)
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The number in a global id of the input.
pub(super) fn id(call: &Call<'_>, name: &str, classes: &[&str]) -> Result<u64, Problem> {
    number_of(text(call, name), classes)
}

/// The project that the input names by its path.
pub(super) fn project(call: &Call<'_>, name: &str) -> Result<u64, Problem> {
    let state = call.state();
    let wanted = text(call, name);
    let row = state
        .find_project(wanted)
        .filter(|row| state.project_path(row).eq_ignore_ascii_case(wanted))
        .filter(|row| access::in_project(&state, call.user(), row.id).can_read);
    row.map(|row| row.id).ok_or_else(Problem::no_access)
}

/// What a mutation of one object is made of: the REST request and the field of the payload.
pub(super) struct Change {
    pub(super) payload: &'static str,
    pub(super) field: &'static str,
    pub(super) method: &'static str,
    pub(super) tail: &'static str,
}

impl Change {
    /// A change of an object by its own address.
    pub(super) const fn put(payload: &'static str, field: &'static str) -> Self {
        Self {
            payload,
            field,
            method: "PUT",
            tail: "",
        }
    }

    /// An action below an object's address.
    pub(super) const fn post(
        payload: &'static str,
        field: &'static str,
        tail: &'static str,
    ) -> Self {
        Self {
            payload,
            field,
            method: "POST",
            tail,
        }
    }

    /// Makes the change and shows the object, changed or not.
    pub(super) fn make(&self, call: &Call<'_>, object: Object, params: Value) -> Outcome {
        let address = path(&call.state(), &object).ok_or_else(Problem::no_access)?;
        let done = call
            .rest()
            .call(self.method, &format!("{address}{}", self.tail), params);
        payload(call, self.payload, done, |_| {
            vec![(self.field, Found::One(object.clone()))]
        })
    }
}

/// The payload of a mutation: what it made or left, and what went wrong.
pub(super) fn payload(
    call: &Call<'_>,
    name: &'static str,
    done: Result<Value, ApiError>,
    fields: impl FnOnce(Option<&Value>) -> Vec<(&'static str, Found)>,
) -> Outcome {
    let (errors, fields) = match &done {
        Ok(made) => (Vec::new(), fields(Some(made))),
        Err(error) if matches!(error.status, 401 | 403 | 404 | 500..) => {
            return Err(refusal(error));
        }
        Err(error) => (sentences(error), fields(None)),
    };
    Ok(finished(call, name, &errors, fields))
}

/// A payload with these errors.
pub(super) fn finished(
    call: &Call<'_>,
    name: &'static str,
    errors: &[String],
    fields: Vec<(&'static str, Found)>,
) -> Found {
    let own = input(call).get("clientMutationId").cloned();
    let data = json!({ "errors": errors, "clientMutationId": own });
    let mut made = record(name, data);
    for (field, found) in fields {
        made = made.with(field, found);
    }
    made.found()
}

/// The object of a REST answer's id.
pub(super) fn made(answer: Option<&Value>, object: fn(u64) -> Object) -> Found {
    answer
        .and_then(|answer| answer["id"].as_u64())
        .map_or(NOTHING, |id| Found::One(object(id)))
}

/// The parameters of the input that are given, under the names of the REST API.
pub(super) fn params(call: &Call<'_>, names: &[(&str, &str)]) -> Value {
    super::entity::renamed(input(call), names)
}
