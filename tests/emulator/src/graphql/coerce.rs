//! From what a query and its variables say to the values that fields are called with.

use graphql_parser::schema::Type;
use serde_json::{Map, Value, json};

use super::document::Variable;
use super::errors::QueryError;
use super::schema::{InputDef, Kind, Literal, SCHEMA, TypeRef, named};

/// The values of an operation's variables, or what is wrong with them.
pub(super) fn variables(
    declared: &[Variable],
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<QueryError>> {
    let (mut values, mut errors) = (Map::new(), Vec::new());
    for variable in declared {
        let name = &variable.name;
        let required = matches!(variable.var_type, Type::NonNullType(_));
        let value = match given.get(name) {
            Some(value) => value.clone(),
            None => match &variable.default_value {
                Some(default) => literal(default, &Map::new()).unwrap_or(Value::Null),
                None if required => Value::Null,
                None => continue,
            },
        };
        let mut problems = Vec::new();
        let coerced = checked(&value, &variable.var_type, &mut Vec::new(), &mut problems);
        if problems.is_empty() {
            values.insert(name.clone(), coerced);
        } else {
            let explained: Vec<String> = problems.iter().filter_map(said).collect();
            let detail = if explained.is_empty() || value.is_null() {
                String::new()
            } else {
                format!(" for {}", explained.join(", "))
            };
            let text = format!(
                "Variable ${name} of type {} was provided invalid value{detail}",
                variable.var_type
            );
            let extensions = json!({ "value": value, "problems": problems });
            errors.push(
                QueryError::new(text)
                    .at(variable.position)
                    .extensions(extensions),
            );
        }
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(errors)
    }
}

/// `labels.0 (Expected ...)`.
fn said(problem: &Value) -> Option<String> {
    let path: Vec<String> = problem["path"]
        .as_array()?
        .iter()
        .map(|step| {
            step.as_str()
                .map_or_else(|| step.to_string(), str::to_owned)
        })
        .collect();
    let explanation = problem["explanation"].as_str()?;
    (!path.is_empty()).then(|| format!("{} ({explanation})", path.join(".")))
}

/// The value of a variable with its type, and its problems.
fn checked(value: &Value, of: &TypeRef, path: &mut Vec<Value>, problems: &mut Vec<Value>) -> Value {
    let mut wrong = |explanation: String| {
        problems.push(json!({ "path": path, "explanation": explanation }));
        Value::Null
    };
    match of {
        Type::NonNullType(_) if value.is_null() => {
            wrong("Expected value to not be null".to_owned())
        }
        Type::NonNullType(inner) => checked(value, inner, path, problems),
        Type::ListType(_) | Type::NamedType(_) if value.is_null() => Value::Null,
        Type::ListType(inner) => {
            let single = [value.clone()];
            let items = value.as_array().map_or(single.as_slice(), Vec::as_slice);
            let one = |(at, item): (usize, &Value)| {
                path.push(json!(at));
                let found = checked(item, inner, path, problems);
                path.pop();
                found
            };
            Value::Array(items.iter().enumerate().map(one).collect())
        }
        Type::NamedType(name) => {
            let Some(of) = SCHEMA.get(name) else {
                return value.clone();
            };
            match of.kind {
                Kind::Enum => match value.as_str() {
                    Some(word) if of.values.iter().any(|value| value == word) => value.clone(),
                    _ => wrong(format!(
                        "Expected {value} to be one of: {}",
                        of.values.join(", ")
                    )),
                },
                Kind::Input => match value.as_object() {
                    Some(fields) => input_object(fields, &of.inputs, name, path, problems),
                    None => wrong(format!("Expected {value} to be a key-value object")),
                },
                Kind::Scalar => match scalar(value, name) {
                    Some(value) => value,
                    None => wrong(format!("Could not coerce value {value} to {name}")),
                },
                Kind::Object | Kind::Interface | Kind::Union => value.clone(),
            }
        }
    }
}

fn input_object(
    fields: &Map<String, Value>,
    inputs: &[InputDef],
    name: &str,
    path: &mut Vec<Value>,
    problems: &mut Vec<Value>,
) -> Value {
    let mut values = Map::new();
    for field in fields.keys() {
        if !inputs.iter().any(|input| input.name == *field) {
            path.push(json!(field));
            let explanation = format!("Field is not defined on {name}");
            problems.push(json!({ "path": path, "explanation": explanation }));
            path.pop();
        }
    }
    for input in inputs {
        let value = match (fields.get(&input.name), &input.default) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => literal(default, &Map::new()).unwrap_or(Value::Null),
            (None, None) if input.is_required() => Value::Null,
            (None, None) => continue,
        };
        path.push(json!(input.name));
        let value = checked(&value, &input.of, path, problems);
        path.pop();
        values.insert(input.name.clone(), value);
    }
    Value::Object(values)
}

/// A value as a scalar of this name; absent if it is none.
pub(super) fn scalar(value: &Value, name: &str) -> Option<Value> {
    match name {
        "Int" => value
            .as_i64()
            .filter(|number| i32::try_from(*number).is_ok())
            .map(Value::from),
        "Float" => value.is_number().then(|| value.clone()),
        "Boolean" => value.is_boolean().then(|| value.clone()),
        "ID" => match value {
            Value::String(_) => Some(value.clone()),
            Value::Number(number) => Some(Value::from(number.to_string())),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        },
        "JSON" | "CiInputsValue" | "JsonString" => Some(value.clone()),
        _string => value.is_string().then(|| value.clone()),
    }
}

/// The arguments of a field or directive as it is called.
pub(super) fn arguments(
    given: &[(String, Literal)],
    inputs: &[InputDef],
    variables: &Map<String, Value>,
) -> Map<String, Value> {
    let mut values = Map::new();
    for input in inputs {
        let written = given
            .iter()
            .find(|(name, _)| *name == input.name)
            .and_then(|(_, value)| literal(value, variables));
        let value = written.or_else(|| {
            let default = input.default.as_ref()?;
            literal(default, &Map::new())
        });
        if let Some(value) = value {
            values.insert(input.name.clone(), typed(value, &input.of));
        }
    }
    values
}

/// Ids become texts, single items lists, and inputs get their defaults.
fn typed(value: Value, of: &TypeRef) -> Value {
    match (of, value) {
        (_, Value::Null) => Value::Null,
        (Type::NonNullType(inner), value) => typed(value, inner),
        (Type::ListType(inner), Value::Array(items)) => {
            Value::Array(items.into_iter().map(|item| typed(item, inner)).collect())
        }
        (Type::ListType(inner), value) => Value::Array(vec![typed(value, inner)]),
        (Type::NamedType(name), Value::Object(mut fields)) => {
            let inputs = SCHEMA.get(name).map_or(&[][..], |of| of.inputs.as_slice());
            let mut values = Map::new();
            for input in inputs {
                let value = fields.remove(&input.name).or_else(|| {
                    let default = input.default.as_ref()?;
                    literal(default, &Map::new())
                });
                if let Some(value) = value {
                    values.insert(input.name.clone(), typed(value, &input.of));
                }
            }
            if inputs.is_empty() {
                values = fields;
            }
            Value::Object(values)
        }
        (Type::NamedType(name), value) => match (named(of), &value) {
            ("ID", Value::Number(number)) => Value::from(number.to_string()),
            _ => scalar(&value, name).unwrap_or(value),
        },
    }
}

/// A written value; absent for a variable without one.
pub(super) fn literal(value: &Literal, variables: &Map<String, Value>) -> Option<Value> {
    Some(match value {
        Literal::Variable(name) => return variables.get(name).cloned(),
        Literal::Int(number) => json!(number.as_i64()),
        Literal::Float(number) => json!(number),
        Literal::String(text) | Literal::Enum(text) => json!(text),
        Literal::Boolean(flag) => json!(flag),
        Literal::Null => Value::Null,
        Literal::List(items) => Value::Array(
            items
                .iter()
                .map(|item| literal(item, variables).unwrap_or(Value::Null))
                .collect(),
        ),
        Literal::Object(fields) => Value::Object(
            fields
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), literal(value, variables)?)))
                .collect(),
        ),
    })
}
