//! The schema: one table of types and fields from which execution, validation and introspection all come.
//!
//! A family of types lists its fields as lines of the schema language, each with the function that answers it. Types that are
//! only written in the schema language of a family hold plain data (`Object::Record`). Connections, edges and the scalars of
//! global ids follow from the names that are used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use graphql_parser::schema::Type;

use super::objects::{Call, Outcome};

/// A function that answers a field.
pub(super) type Resolver = fn(&Call<'_>) -> Outcome;
/// A type as it is written: `[String!]!`.
pub(super) type TypeRef = Type<'static, String>;
/// A value as it is written.
pub(super) type Literal = graphql_parser::schema::Value<'static, String>;

/// A field as the schema language writes it, and its answer.
pub(super) struct Line {
    pub(super) sdl: &'static str,
    pub(super) resolve: Resolver,
}

/// Makes a line.
pub(super) const fn field(sdl: &'static str, resolve: Resolver) -> Line {
    Line { sdl, resolve }
}

/// A type and its lines.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) interface: bool,
    pub(super) implements: &'static [&'static str],
    pub(super) lines: &'static [&'static [Line]],
}

/// An object type.
pub(super) const fn object(name: &'static str, lines: &'static [&'static [Line]]) -> Table {
    Table {
        name,
        interface: false,
        implements: &[],
        lines,
    }
}

/// An interface with the fields of these lines.
pub(super) const fn interface(name: &'static str, lines: &'static [&'static [Line]]) -> Table {
    Table {
        name,
        interface: true,
        implements: &[],
        lines,
    }
}

impl Table {
    /// The interfaces it has.
    pub(super) const fn implements(mut self, interfaces: &'static [&'static str]) -> Self {
        self.implements = interfaces;
        self
    }
}

/// Types that belong together.
pub(super) struct Family {
    pub(super) tables: &'static [Table],
    /// Enums, inputs, unions and types of plain data.
    pub(super) sdl: &'static str,
}

/// What a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    Input,
}

impl Kind {
    /// As introspection writes it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "SCALAR",
            Self::Object => "OBJECT",
            Self::Interface => "INTERFACE",
            Self::Union => "UNION",
            Self::Enum => "ENUM",
            Self::Input => "INPUT_OBJECT",
        }
    }

    /// Has it fields to select?
    pub(super) fn is_composite(self) -> bool {
        matches!(self, Self::Object | Self::Interface | Self::Union)
    }
}

/// A type of the schema.
pub(super) struct TypeDef {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) fields: Vec<FieldDef>,
    pub(super) interfaces: Vec<String>,
    /// The object types an interface or union stands for.
    pub(super) possible: Vec<String>,
    pub(super) values: Vec<String>,
    pub(super) inputs: Vec<InputDef>,
}

/// A field of a type.
#[derive(Debug)]
pub(super) struct FieldDef {
    pub(super) name: String,
    pub(super) inputs: Vec<InputDef>,
    pub(super) of: TypeRef,
    pub(super) resolve: Resolver,
    pub(super) deprecated: bool,
    /// Asks the git server, which costs more.
    pub(super) gitaly: bool,
}

/// An argument, or a field of an input.
#[derive(Debug)]
pub(super) struct InputDef {
    pub(super) name: String,
    pub(super) of: TypeRef,
    pub(super) default: Option<Literal>,
}

impl InputDef {
    /// Must it be given?
    pub(super) fn is_required(&self) -> bool {
        matches!(self.of, Type::NonNullType(_)) && self.default.is_none()
    }
}

impl TypeDef {
    /// A field by its name.
    pub(super) fn field(&self, name: &str) -> Option<&FieldDef> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl FieldDef {
    /// Is it a list that is read in pages?
    pub(super) fn is_connection(&self) -> bool {
        named(&self.of).ends_with("Connection")
    }
}

/// All types by name.
pub(super) struct Schema {
    pub(super) types: BTreeMap<String, TypeDef>,
}

impl Schema {
    /// A type by its name.
    pub(super) fn get(&self, name: &str) -> Option<&TypeDef> {
        self.types.get(name)
    }

    /// Can a value of the second type be one of the first, or the other way round?
    pub(super) fn overlap(&self, one: &TypeDef, other: &TypeDef) -> bool {
        let possible = |of: &TypeDef| -> BTreeSet<String> {
            if of.kind == Kind::Object {
                BTreeSet::from([of.name.clone()])
            } else {
                of.possible.iter().cloned().collect()
            }
        };
        !possible(one).is_disjoint(&possible(other))
    }

    /// Is the object type `name` covered by the condition `on`?
    pub(super) fn covers(&self, on: &str, name: &str) -> bool {
        on == name
            || self
                .get(on)
                .is_some_and(|on| on.possible.iter().any(|possible| possible == name))
    }
}

/// The name at the heart of `[X!]!`.
pub(super) fn named(of: &TypeRef) -> &str {
    match of {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named(inner),
    }
}

/// The schema.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(super::schema_text::build);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_is_named_is_there() {
        let known = |of: &TypeRef, at: &str| {
            assert!(SCHEMA.get(named(of)).is_some(), "{at}: {}", named(of));
        };
        for of in SCHEMA.types.values() {
            for field in &of.fields {
                known(&field.of, &format!("{}.{}", of.name, field.name));
                for input in &field.inputs {
                    known(
                        &input.of,
                        &format!("{}.{}({})", of.name, field.name, input.name),
                    );
                }
            }
            for input in &of.inputs {
                known(&input.of, &format!("{}.{}", of.name, input.name));
            }
            for interface in &of.interfaces {
                let interface = SCHEMA.get(interface).unwrap();
                for field in &interface.fields {
                    assert!(
                        of.field(&field.name).is_some(),
                        "{}.{}",
                        of.name,
                        field.name
                    );
                }
            }
        }
    }
}
