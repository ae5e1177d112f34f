//! Walking a selection: each field is asked of its object, objects are walked further.

use serde_json::{Map, Value};

use super::parse::Field;
use super::types::{self, Found, Object, World};

/// The answer to a whole query.
pub(super) fn root(world: &World<'_>, selection: &[Field]) -> Result<Value, String> {
    object(world, &Object::Query, selection)
}

fn object(world: &World<'_>, object: &Object, selection: &[Field]) -> Result<Value, String> {
    let mut answer = Map::new();
    for field in selection {
        let value = if field.name == "__typename" {
            Value::from(object.type_name())
        } else {
            let found = types::resolve(world, object, field)?;
            finished(world, object, field, found)?
        };
        merge(&mut answer, &field.alias, value);
    }
    Ok(Value::Object(answer))
}

fn finished(
    world: &World<'_>,
    parent: &Object,
    field: &Field,
    found: Found,
) -> Result<Value, String> {
    let walk = |one: &Object| {
        if field.selection.is_empty() {
            return Err(format!(
                "Field must have selections (field '{0}' returns {1} but has no selections. Did you mean '{0} {{ ... }}'?)",
                field.name,
                one.type_name()
            ));
        }
        object(world, one, &field.selection)
    };
    match found {
        Found::Scalar(value) if field.selection.is_empty() => Ok(value),
        Found::Scalar(_) => Err(format!(
            "Selections can't be made on scalars (field '{}' of type '{}')",
            field.name,
            parent.type_name()
        )),
        Found::Nothing => Ok(Value::Null),
        Found::One(one) => walk(&one),
        Found::Many(many) => many.iter().map(walk).collect(),
    }
}

/// The same field selected twice is one answer.
fn merge(answer: &mut Map<String, Value>, alias: &str, value: Value) {
    match (answer.get_mut(alias), value) {
        (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
        (_, value) => {
            answer.insert(alias.to_owned(), value);
        }
    }
}
