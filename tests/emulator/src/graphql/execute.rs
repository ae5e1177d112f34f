//! Walking a selection: each field is asked of its object, objects are walked further, errors are collected with their paths.

use std::rc::Rc;

use graphql_parser::query::{Directive, Selection as Item, TypeCondition};
use graphql_parser::schema::Type;
use serde_json::{Map, Value, json};

use super::coerce;
use super::document::{Asked, Fragments, Selection};
use super::errors::QueryError;
use super::objects::{Call, Found, Object, World};
use super::pages::Page;
use super::schema::{FieldDef, Kind, SCHEMA, TypeDef, TypeRef};

/// An execution under way.
pub(super) struct Execution<'e> {
    pub(super) world: &'e World<'e>,
    pub(super) fragments: &'e Fragments<'e>,
    pub(super) variables: &'e Map<String, Value>,
    pub(super) errors: Vec<QueryError>,
    pub(super) path: Vec<Value>,
}

/// A null where the schema allows none: it is passed up.
struct Nulled;

impl<'e> Execution<'e> {
    /// The answer to a whole operation.
    pub(super) fn run(&mut self, root: &'static str, selection: &'e Selection) -> Value {
        let Some(of) = SCHEMA.get(root) else {
            return Value::Null;
        };
        self.object(of, &Object::Root, &[selection])
            .unwrap_or(Value::Null)
    }

    fn object(
        &mut self,
        of: &'static TypeDef,
        object: &Object,
        selections: &[&'e Selection],
    ) -> Result<Value, Nulled> {
        let mut groups: Vec<(&str, Vec<&'e Asked>)> = Vec::new();
        for selection in selections {
            collect(
                self.fragments,
                self.variables,
                &of.name,
                selection,
                &mut groups,
            );
        }
        let mut answer = Map::new();
        for (key, asked) in groups {
            self.path.push(json!(key));
            let value = self.field(of, object, &asked);
            self.path.pop();
            answer.insert(key.to_owned(), value?);
        }
        Ok(Value::Object(answer))
    }

    fn field(
        &mut self,
        of: &'static TypeDef,
        object: &Object,
        asked: &[&'e Asked],
    ) -> Result<Value, Nulled> {
        let first = asked[0];
        if first.name == "__typename" {
            return Ok(json!(of.name));
        }
        // Validation has seen to it that the field is there.
        let Some(field) = definition(of, &first.name) else {
            return Ok(Value::Null);
        };
        let args = coerce::arguments(&first.arguments, &field.inputs, self.variables);
        let call = Call {
            world: self.world,
            object,
            field: &field.name,
            args: &args,
        };
        let found = (field.resolve)(&call).and_then(|found| {
            if let (Found::Many(all), true) = (&found, field.is_connection()) {
                let page = Page::cut(all, &args)?;
                return Ok(Found::One(Object::Page(Rc::new(page))));
            }
            Ok(found)
        });
        match found {
            Ok(found) => self.completed(of, field, &field.of, found, asked),
            Err(problem) => {
                let error = QueryError::new(problem.message)
                    .at(first.position)
                    .path(&self.path);
                self.errors.push(error.lacking(problem.unknown));
                if matches!(field.of, Type::NonNullType(_)) {
                    Err(Nulled)
                } else {
                    Ok(Value::Null)
                }
            }
        }
    }

    fn completed(
        &mut self,
        parent: &'static TypeDef,
        field: &'static FieldDef,
        of: &'static TypeRef,
        found: Found,
        asked: &[&'e Asked],
    ) -> Result<Value, Nulled> {
        let inner = match of {
            Type::NonNullType(inner) => inner,
            Type::ListType(_) | Type::NamedType(_) => of,
        };
        let before = self.errors.len();
        let value = match (found, inner) {
            (Found::Value(value), _) => value,
            (Found::One(object), Type::NamedType(name)) => {
                self.walked(name, &object, asked).unwrap_or(Value::Null)
            }
            (Found::Many(objects), Type::ListType(item)) => {
                let mut values = Vec::new();
                let mut nulled = false;
                for (at, object) in objects.into_iter().enumerate() {
                    self.path.push(json!(at));
                    let one = self.completed(parent, field, item, Found::One(object), asked);
                    self.path.pop();
                    match one {
                        Ok(value) => values.push(value),
                        Err(Nulled) => nulled = true,
                    }
                }
                if nulled { Value::Null } else { json!(values) }
            }
            (Found::One(_) | Found::Many(_), _) => Value::Null,
        };
        if value.is_null() && matches!(of, Type::NonNullType(_)) {
            if self.errors.len() == before {
                let text = format!(
                    "Cannot return null for non-nullable field {}.{}",
                    parent.name, field.name
                );
                let error = QueryError::new(text).at(asked[0].position).path(&self.path);
                self.errors.push(error);
            }
            return Err(Nulled);
        }
        Ok(value)
    }

    fn walked(
        &mut self,
        declared: &str,
        object: &Object,
        asked: &[&'e Asked],
    ) -> Result<Value, Nulled> {
        let of = SCHEMA.get(declared).filter(|of| of.kind == Kind::Object);
        let Some(of) = of.or_else(|| SCHEMA.get(object.type_name())) else {
            return Ok(Value::Null);
        };
        let selections: Vec<&Selection> = asked.iter().map(|field| &field.selection_set).collect();
        self.object(of, object, &selections)
    }
}

/// A field of a type; the root knows introspection too.
pub(super) fn definition(of: &'static TypeDef, name: &str) -> Option<&'static FieldDef> {
    of.field(name).or_else(|| {
        let entry = SCHEMA.get("__Entry").filter(|_| of.name == "Query");
        entry.and_then(|entry| entry.field(name))
    })
}

/// The fields that a selection asks of an object type, by the names of the answer.
fn collect<'e>(
    fragments: &Fragments<'e>,
    variables: &Map<String, Value>,
    of: &str,
    selection: &'e Selection,
    groups: &mut Vec<(&'e str, Vec<&'e Asked>)>,
) {
    for item in &selection.items {
        match item {
            Item::Field(field) => {
                if !is_wanted(&field.directives, variables) {
                    continue;
                }
                let key = field.alias.as_deref().unwrap_or(&field.name);
                match groups.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, asked)) => asked.push(field),
                    None => groups.push((key, vec![field])),
                }
            }
            Item::InlineFragment(fragment) => {
                let fits = fragment
                    .type_condition
                    .as_ref()
                    .is_none_or(|TypeCondition::On(on)| SCHEMA.covers(on, of));
                if fits && is_wanted(&fragment.directives, variables) {
                    collect(fragments, variables, of, &fragment.selection_set, groups);
                }
            }
            Item::FragmentSpread(spread) => {
                let Some(fragment) = fragments.get(spread.fragment_name.as_str()) else {
                    continue;
                };
                let TypeCondition::On(on) = &fragment.type_condition;
                if SCHEMA.covers(on, of) && is_wanted(&spread.directives, variables) {
                    collect(fragments, variables, of, &fragment.selection_set, groups);
                }
            }
        }
    }
}

/// What `@include` and `@skip` say.
pub(super) fn is_wanted(
    directives: &[Directive<'static, String>],
    variables: &Map<String, Value>,
) -> bool {
    directives.iter().all(|directive| {
        let condition = directive
            .arguments
            .iter()
            .find(|(name, _)| name == "if")
            .and_then(|(_, value)| coerce::literal(value, variables))
            .and_then(|value| value.as_bool());
        match directive.name.as_str() {
            "include" => condition != Some(false),
            "skip" => condition != Some(true),
            _other => true,
        }
    })
}
