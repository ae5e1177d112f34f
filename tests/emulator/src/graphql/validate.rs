//! Comparing a query with the schema before anything is executed, with the words and codes of graphql-ruby.

mod places;
mod values;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use graphql_parser::Pos;
use graphql_parser::query::{Directive, Selection as Item, TypeCondition};
use graphql_parser::schema::Type;
use serde_json::{Value, json};

use self::places::argument_place;
use super::document::{Asked, Fragments, Operation, Selection};
use super::errors::QueryError;
use super::execute::definition;
use super::schema::{InputDef, Kind, Literal, SCHEMA, TypeDef, TypeRef, named};

/// GitLab stops after so many errors.
const MAX_ERRORS: usize = 5;

/// Where a variable is used, and what is expected there.
struct Usage<'d> {
    variable: &'d str,
    expected: &'static TypeRef,
    /// A variable that may be null is enough where a default steps in.
    has_default: bool,
    argument: &'d str,
    at: Pos,
    path: Vec<Value>,
}

/// What one operation or fragment uses.
#[derive(Default)]
struct Scope<'d> {
    usages: Vec<Usage<'d>>,
    spreads: BTreeSet<&'d str>,
}

/// A validation under way.
struct Validation<'d> {
    text: &'d str,
    fragments: &'d Fragments<'d>,
    errors: Vec<QueryError>,
    path: Vec<Value>,
    scope: Scope<'d>,
}

/// Everything that is wrong with a text, at most a few of it.
pub(super) fn document<'d>(
    text: &'d str,
    operations: &[Operation<'d>],
    fragments: &'d Fragments<'d>,
) -> Vec<QueryError> {
    let mut validation = Validation {
        text,
        fragments,
        errors: Vec::new(),
        path: Vec::new(),
        scope: Scope::default(),
    };
    let mut scopes = BTreeMap::new();
    for (name, fragment) in fragments {
        let TypeCondition::On(on) = &fragment.type_condition;
        validation.path = vec![json!(format!("fragment {name}"))];
        if let Some(of) = validation.condition(on, fragment.position) {
            validation.selection(of, &fragment.selection_set);
        }
        scopes.insert(*name, std::mem::take(&mut validation.scope));
    }
    let mut used = BTreeSet::new();
    for operation in operations {
        validation.path = vec![json!(operation.title())];
        if let Some(root) = SCHEMA.get(operation.root()) {
            validation.selection(root, operation.selection);
        }
        let own = std::mem::take(&mut validation.scope);
        let reached = variables::reached(&own, &scopes);
        match reached {
            Ok(reached) => {
                variables::check(&mut validation, operation, &own, &reached, &scopes);
                used.extend(reached);
            }
            Err(name) => {
                let text = format!("Fragment {name} contains an infinite loop");
                let extensions = json!({ "code": "infiniteLoop", "fragmentName": name });
                let at = fragments.get(name).map(|fragment| fragment.position);
                let error = QueryError::new(text).path(&[json!(format!("fragment {name}"))]);
                validation
                    .errors
                    .push(error.at(at.unwrap_or_default()).extensions(extensions));
                return validation.errors;
            }
        }
    }
    for (name, fragment) in fragments {
        if !used.contains(name) {
            let text = format!("Fragment {name} was defined, but not used");
            let extensions = json!({ "code": "useAndDefineFragment", "fragmentName": name });
            let error = QueryError::new(text).at(fragment.position);
            validation.errors.push(
                error
                    .path(&[json!(format!("fragment {name}"))])
                    .extensions(extensions),
            );
        }
    }
    validation.errors.truncate(MAX_ERRORS);
    validation.errors
}

impl<'d> Validation<'d> {
    fn error(&mut self, error: QueryError, extensions: Value) {
        let error = error.path(&self.path).extensions(extensions);
        self.errors.push(error);
    }

    /// The type a fragment is for.
    fn condition(&mut self, on: &str, at: Pos) -> Option<&'static TypeDef> {
        let Some(of) = SCHEMA.get(on) else {
            let text = format!("No such type {on}, so it can't be a fragment condition");
            let extensions = json!({ "code": "undefinedType", "typeName": on });
            self.error(QueryError::new(text).at(at).unknown(), extensions);
            return None;
        };
        if of.kind.is_composite() {
            return Some(of);
        }
        let text = format!("Invalid fragment on type {on} (must be Union, Interface or Object)");
        let extensions = json!({ "code": "fragmentOnNonCompositeType", "typeName": on });
        self.error(QueryError::new(text).at(at), extensions);
        None
    }

    fn selection(&mut self, of: &'static TypeDef, selection: &'d Selection) {
        self.conflicts(selection);
        for item in &selection.items {
            match item {
                Item::Field(field) => self.field(of, field),
                Item::InlineFragment(fragment) => {
                    let (title, inner) = match &fragment.type_condition {
                        Some(TypeCondition::On(on)) => (
                            format!("... on {on}"),
                            self.condition(on, fragment.position),
                        ),
                        None => ("...".to_owned(), Some(of)),
                    };
                    self.directives(&fragment.directives);
                    let Some(inner) = inner else { continue };
                    self.path.push(json!(title));
                    if SCHEMA.overlap(of, inner) {
                        self.selection(inner, &fragment.selection_set);
                    } else {
                        let text = format!(
                            "Fragment on {} can't be spread inside {}",
                            inner.name, of.name
                        );
                        let extensions = json!({ "code": "cannotSpreadFragment", "typeName": inner.name, "fragmentName": "unknown", "parentName": of.name });
                        self.error(QueryError::new(text).at(fragment.position), extensions);
                    }
                    self.path.pop();
                }
                Item::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    let name = spread.fragment_name.as_str();
                    let Some(fragment) = self.fragments.get(name) else {
                        let text = format!("Fragment {name} was used, but not defined");
                        let extensions =
                            json!({ "code": "useAndDefineFragment", "fragmentName": name });
                        self.path.push(json!(format!("... {name}")));
                        self.error(QueryError::new(text).at(spread.position), extensions);
                        self.path.pop();
                        continue;
                    };
                    self.scope.spreads.insert(name);
                    let TypeCondition::On(on) = &fragment.type_condition;
                    let Some(inner) = SCHEMA.get(on) else {
                        continue;
                    };
                    if !SCHEMA.overlap(of, inner) {
                        let text = format!(
                            "Fragment {name} on {} can't be spread inside {}",
                            inner.name, of.name
                        );
                        let extensions = json!({ "code": "cannotSpreadFragment", "typeName": inner.name, "fragmentName": name, "parentName": of.name });
                        self.path.push(json!(format!("... {name}")));
                        self.error(QueryError::new(text).at(spread.position), extensions);
                        self.path.pop();
                    }
                }
            }
        }
    }

    /// The same name in the answer for two different fields.
    fn conflicts(&mut self, selection: &'d Selection) {
        let mut seen: BTreeMap<&str, &Asked> = BTreeMap::new();
        for item in &selection.items {
            let Item::Field(field) = item else { continue };
            let key = field.alias.as_deref().unwrap_or(&field.name);
            let Some(first) = seen.insert(key, field) else {
                continue;
            };
            let (kind, one, other) = if first.name == field.name {
                if first.arguments == field.arguments {
                    continue;
                }
                let written = |field: &Asked| {
                    let pairs = field.arguments.iter();
                    let pairs = pairs.map(|(name, value)| format!("{name}:\"{value}\""));
                    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
                };
                ("an argument", written(first), written(field))
            } else {
                ("a field", first.name.clone(), field.name.clone())
            };
            let text = format!("Field '{key}' has {kind} conflict: {one} or {other}?");
            let extensions = json!({ "code": "fieldConflict", "fieldName": key, "conflicts": format!("{one} or {other}") });
            let error = QueryError::new(text).at(first.position).path(&[]);
            self.errors.push(error.extensions(extensions));
        }
    }

    fn field(&mut self, of: &'static TypeDef, field: &'d Asked) {
        self.path
            .push(json!(field.alias.as_deref().unwrap_or(&field.name)));
        self.directives(&field.directives);
        if field.name != "__typename" {
            match definition(of, &field.name) {
                Some(known) => {
                    self.given(
                        "Field",
                        &field.name,
                        &field.arguments,
                        &known.inputs,
                        field.position,
                    );
                    self.selected(field, &known.of);
                }
                None => {
                    let text =
                        format!("Field '{}' doesn't exist on type '{}'", field.name, of.name);
                    let extensions = json!({ "code": "undefinedField", "typeName": of.name, "fieldName": field.name });
                    let error = QueryError::new(text).at(field.position).unknown();
                    self.error(error, extensions);
                }
            }
        }
        self.path.pop();
    }

    /// Composite types need a selection, others have none.
    fn selected(&mut self, field: &'d Asked, of: &'static TypeRef) {
        let Some(inner) = SCHEMA.get(named(of)) else {
            return;
        };
        let none = field.selection_set.items.is_empty();
        let extensions = json!({ "code": "selectionMismatch", "nodeName": format!("field '{}'", field.name), "typeName": of.to_string() });
        if inner.kind.is_composite() && none {
            let text = format!(
                "Field must have selections (field '{0}' returns {1} but has no selections. Did you mean '{0} {{ ... }}'?)",
                field.name, inner.name
            );
            self.error(QueryError::new(text).at(field.position), extensions);
        } else if inner.kind.is_composite() {
            self.selection(inner, &field.selection_set);
        } else if !none {
            let names = field
                .selection_set
                .items
                .iter()
                .filter_map(|item| match item {
                    Item::Field(field) => Some(format!("\"{}\"", field.name)),
                    Item::InlineFragment(_) | Item::FragmentSpread(_) => None,
                });
            let names: Vec<String> = names.collect();
            let kind = if inner.kind == Kind::Enum {
                "enums"
            } else {
                "scalars"
            };
            let text = format!(
                "Selections can't be made on {kind} (field '{}' returns {} but has selections [{}])",
                field.name,
                inner.name,
                names.join(", ")
            );
            self.error(QueryError::new(text).at(field.position), extensions);
        }
    }

    fn directives(&mut self, directives: &'d [Directive<'static, String>]) {
        for directive in directives {
            if !["include", "skip"].contains(&directive.name.as_str()) {
                let text = format!("Directive @{} is not defined", directive.name);
                let extensions =
                    json!({ "code": "undefinedDirective", "directiveName": directive.name });
                let error = QueryError::new(text).at(directive.position).unknown();
                self.error(error, extensions);
                continue;
            }
            let inputs = SCHEMA
                .get("__Conditions")
                .map_or(&[][..], |of| of.inputs.as_slice());
            self.given(
                "Directive",
                &directive.name,
                &directive.arguments,
                inputs,
                directive.position,
            );
        }
    }

    /// The arguments of a field or directive.
    fn given(
        &mut self,
        owner: &str,
        name: &str,
        arguments: &'d [(String, Literal)],
        inputs: &'static [InputDef],
        at: Pos,
    ) {
        let (title, verb) = if owner == "Field" {
            (format!("Field '{name}'"), "doesn't accept")
        } else {
            (format!("Directive '{name}'"), "doesn't accept")
        };
        for (argument, value) in arguments {
            let place = argument_place(self.text, at, argument);
            self.path.push(json!(argument));
            match inputs.iter().find(|input| input.name == *argument) {
                Some(input) => self.value(&title, owner, input, argument, value, place),
                None => {
                    let text = format!("{title} {verb} argument '{argument}'");
                    let extensions = json!({ "code": "argumentNotAccepted", "name": name, "typeName": owner, "argumentName": argument });
                    let error = QueryError::new(text).at(place).unknown();
                    self.error(error, extensions);
                }
            }
            self.path.pop();
        }
        let missing: Vec<&str> = inputs
            .iter()
            .filter(|input| input.is_required())
            .map(|input| input.name.as_str())
            .filter(|name| !arguments.iter().any(|(given, _)| given == name))
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let text = format!("{title} is missing required arguments: {missing}");
            let extensions = json!({ "code": "missingRequiredArguments", "className": owner, "name": name, "arguments": missing });
            self.error(QueryError::new(text).at(at), extensions);
        }
    }

    fn uses(
        &mut self,
        variable: &'d str,
        expected: &'static TypeRef,
        has_default: bool,
        argument: &'d str,
        at: Pos,
    ) {
        self.scope.usages.push(Usage {
            variable,
            expected,
            has_default,
            argument,
            at,
            path: self.path.clone(),
        });
    }
}

/// The type without its exclamation mark.
fn nullable(of: &TypeRef) -> &TypeRef {
    match of {
        Type::NonNullType(inner) => inner,
        Type::ListType(_) | Type::NamedType(_) => of,
    }
}
