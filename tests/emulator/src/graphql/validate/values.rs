//! Written values of arguments: do they have the type that is expected?

use graphql_parser::Pos;
use graphql_parser::schema::Type;
use serde_json::json;

use super::{Validation, nullable};
use crate::graphql::coerce;
use crate::graphql::errors::QueryError;
use crate::graphql::schema::{InputDef, Kind, Literal, SCHEMA, TypeRef};

impl<'d> Validation<'d> {
    /// The value of one argument; `title` is what the argument belongs to.
    pub(super) fn value(
        &mut self,
        title: &str,
        owner: &str,
        input: &'static InputDef,
        argument: &'d str,
        value: &'d Literal,
        at: Pos,
    ) {
        if let Literal::Variable(name) = value {
            self.uses(name, &input.of, input.default.is_some(), argument, at);
            return;
        }
        let before = self.errors.len();
        if !self.fits(&input.of, argument, value, at) && self.errors.len() == before {
            let text = format!(
                "Argument '{argument}' on {title} has an invalid value ({value}). Expected type '{}'.",
                input.of
            );
            let extensions = json!({ "code": "argumentLiteralsIncompatible", "typeName": owner, "argumentName": argument });
            let word = matches!(value, Literal::Enum(_));
            let error = QueryError::new(text).at(at);
            let error = if word { error.unknown() } else { error };
            self.error(error, extensions);
        }
    }

    fn fits(
        &mut self,
        of: &'static TypeRef,
        argument: &'d str,
        value: &'d Literal,
        at: Pos,
    ) -> bool {
        match (nullable(of), value) {
            (_, Literal::Variable(name)) => {
                self.uses(name, of, false, argument, at);
                true
            }
            (_, Literal::Null) => !matches!(of, Type::NonNullType(_)),
            (Type::ListType(inner), Literal::List(items)) => items
                .iter()
                .all(|item| self.fits(inner, argument, item, at)),
            (Type::ListType(inner), single) => self.fits(inner, argument, single, at),
            (Type::NamedType(name), value) => self.fits_named(name, value, at),
            (Type::NonNullType(inner), value) => self.fits(inner, argument, value, at),
        }
    }

    fn fits_named(&mut self, name: &str, value: &'d Literal, at: Pos) -> bool {
        let Some(of) = SCHEMA.get(name) else {
            return false;
        };
        match (of.kind, value) {
            (Kind::Enum, Literal::Enum(word)) => of.values.iter().any(|known| known == word),
            (Kind::Input, Literal::Object(fields)) => {
                for (field, value) in fields {
                    self.path.push(json!(field));
                    match of.inputs.iter().find(|input| input.name == *field) {
                        Some(input) => {
                            let title = format!("InputObject '{name}'");
                            self.value(&title, "InputObject", input, field, value, at);
                        }
                        None => {
                            let text =
                                format!("InputObject '{name}' doesn't accept argument '{field}'");
                            let extensions = json!({ "code": "argumentNotAccepted", "name": name, "typeName": "InputObject", "argumentName": field });
                            self.error(QueryError::new(text).at(at).unknown(), extensions);
                        }
                    }
                    self.path.pop();
                }
                for input in of.inputs.iter().filter(|input| input.is_required()) {
                    if !fields.contains_key(&input.name) {
                        let text = format!(
                            "Argument '{}' on InputObject '{name}' is required. Expected type {}",
                            input.name, input.of
                        );
                        self.path.push(json!(input.name));
                        let extensions = json!({ "code": "missingRequiredInputObjectAttribute", "argumentName": input.name, "argumentType": input.of.to_string(), "inputObjectType": name });
                        self.error(QueryError::new(text).at(at), extensions);
                        self.path.pop();
                    }
                }
                true
            }
            (Kind::Scalar, Literal::Enum(_)) => false,
            (Kind::Scalar, value) => coerce::literal(value, &serde_json::Map::new())
                .is_some_and(|value| coerce::scalar(&value, name).is_some()),
            (Kind::Enum | Kind::Input | Kind::Object | Kind::Interface | Kind::Union, _) => false,
        }
    }
}
