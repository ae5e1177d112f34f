//! The schema: one table of types and fields from which execution, validation and introspection all come.
//!
//! A family of types lists its fields as lines of the schema language, each with the function that answers it. Types that are
//! only written in the schema language of a family hold plain data (`Object::Record`). Connections, edges and the scalars of
//! global ids follow from the names that are used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::LazyLock;

use graphql_parser::schema::{Definition, Document, Type, TypeDefinition, parse_schema};

use super::families::FAMILIES;
use super::objects::{Call, Outcome, recorded};

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
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(build);

/// Connections that do not tell how many there are.
const UNCOUNTED: &[&str] = &[
    "AwardEmoji",
    "CiBuildNeed",
    "CiGroup",
    "CiInputsField",
    "CiJobArtifact",
    "CiManualVariable",
    "CiProjectVariable",
    "CiStage",
    "Commit",
    "Environment",
    "JobNeedUnion",
    "MemberInterface",
    "PipelineManualVariable",
    "PipelineMessage",
    "PipelineScheduleVariable",
    "ReleaseAssetLink",
    "ReleaseEvidence",
    "ReleaseSource",
    "RepositoryBlob",
    "Submodule",
    "TestSuiteSummary",
    "Tree",
    "TreeEntry",
    "WorkItemType",
];

fn build() -> Schema {
    let text = written();
    let document = parse_schema::<String>(&text)
        .expect("the tables are constant, and every test that asks anything reads them")
        .into_static();
    let mut resolvers: BTreeMap<(&str, &str), Resolver> = BTreeMap::new();
    for table in FAMILIES.iter().flat_map(|family| family.tables) {
        for line in table.lines.iter().copied().flatten() {
            resolvers.insert((table.name, field_name(line.sdl)), line.resolve);
        }
    }
    let resolver = |of: &str, name: &str| resolvers.get(&(of, name)).copied();
    let mut types = defined(document, &resolver);
    let mut possible: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for object in types.values().filter(|of| of.kind == Kind::Object) {
        for interface in &object.interfaces {
            let list = possible.entry(interface.clone()).or_default();
            list.push(object.name.clone());
        }
    }
    for (interface, objects) in possible {
        if let Some(interface) = types.get_mut(&interface) {
            interface.possible = objects;
        }
    }
    Schema { types }
}

fn field_name(sdl: &str) -> &str {
    sdl.split(['(', ':']).next().unwrap_or_default().trim()
}

/// The whole schema in the schema language.
fn written() -> String {
    let mut text = String::from("scalar Int scalar Float scalar String scalar Boolean scalar ID\n");
    for family in FAMILIES {
        text.push_str(family.sdl);
        for table in family.tables {
            let kind = if table.interface { "interface" } else { "type" };
            let implements = table.implements.join(" & ");
            let implements = if implements.is_empty() {
                implements
            } else {
                format!("implements {implements}")
            };
            let lines: Vec<&str> = table
                .lines
                .iter()
                .copied()
                .flatten()
                .map(|line| line.sdl)
                .collect();
            let _infallible = writeln!(
                text,
                "\n{kind} {} {implements} {{\n{}\n}}",
                table.name,
                lines.join("\n")
            );
        }
    }
    let words: BTreeSet<&str> = text
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .collect();
    let mut more = String::new();
    for word in words {
        let global_id = word.ends_with("ID") && word.len() > 2 && !word.contains('_');
        if global_id && word.starts_with(char::is_uppercase) {
            let _infallible = writeln!(more, "scalar {word}");
        } else if let Some(of) = word.strip_suffix("Connection").filter(|of| !of.is_empty()) {
            let count = if UNCOUNTED.contains(&of) {
                ""
            } else {
                "count(limit: Int): Int! "
            };
            let _infallible = writeln!(
                more,
                "type {word} {{ {count}edges: [{of}Edge] nodes: [{of}] pageInfo: PageInfo! }}\ntype {of}Edge {{ cursor: String! node: {of} }}"
            );
        }
    }
    text + &more
}

fn defined(
    document: Document<'static, String>,
    resolver: &dyn Fn(&str, &str) -> Option<Resolver>,
) -> BTreeMap<String, TypeDef> {
    let mut types = BTreeMap::new();
    for definition in document.definitions {
        let Definition::TypeDefinition(definition) = definition else {
            continue;
        };
        let blank = |name: String, kind: Kind| TypeDef {
            name,
            kind,
            fields: Vec::new(),
            interfaces: Vec::new(),
            possible: Vec::new(),
            values: Vec::new(),
            inputs: Vec::new(),
        };
        let fields = |of: &str, fields: Vec<graphql_parser::schema::Field<'static, String>>| {
            let one = |field: graphql_parser::schema::Field<'static, String>| {
                let marked = |name: &str| field.directives.iter().any(|mark| mark.name == name);
                FieldDef {
                    resolve: resolver(of, &field.name).unwrap_or(recorded),
                    deprecated: marked("deprecated"),
                    gitaly: marked("gitaly"),
                    inputs: with_paging(inputs(field.arguments.clone()), &field.field_type),
                    of: field.field_type.clone(),
                    name: field.name.clone(),
                }
            };
            let mut fields: Vec<FieldDef> = fields.into_iter().map(one).collect();
            fields.sort_by(|one, other| one.name.cmp(&other.name));
            fields
        };
        let made = match definition {
            TypeDefinition::Scalar(of) => blank(of.name, Kind::Scalar),
            TypeDefinition::Object(of) => TypeDef {
                fields: fields(&of.name, of.fields),
                interfaces: of.implements_interfaces,
                ..blank(of.name, Kind::Object)
            },
            TypeDefinition::Interface(of) => TypeDef {
                fields: fields(&of.name, of.fields),
                ..blank(of.name, Kind::Interface)
            },
            TypeDefinition::Union(of) => TypeDef {
                possible: of.types,
                ..blank(of.name, Kind::Union)
            },
            TypeDefinition::Enum(of) => TypeDef {
                values: of.values.into_iter().map(|value| value.name).collect(),
                ..blank(of.name, Kind::Enum)
            },
            TypeDefinition::InputObject(of) => TypeDef {
                inputs: inputs(of.fields),
                ..blank(of.name, Kind::Input)
            },
        };
        types.insert(made.name.clone(), made);
    }
    types
}

fn inputs(given: Vec<graphql_parser::schema::InputValue<'static, String>>) -> Vec<InputDef> {
    given
        .into_iter()
        .map(|input| InputDef {
            name: input.name,
            of: input.value_type,
            default: input.default_value,
        })
        .collect()
}

/// Every connection can be read in pages.
fn with_paging(mut inputs: Vec<InputDef>, of: &TypeRef) -> Vec<InputDef> {
    if named(of).ends_with("Connection") {
        for (name, of) in [
            ("after", "String"),
            ("before", "String"),
            ("first", "Int"),
            ("last", "Int"),
        ] {
            if !inputs.iter().any(|input| input.name == name) {
                inputs.push(InputDef {
                    name: name.to_owned(),
                    of: Type::NamedType(of.to_owned()),
                    default: None,
                });
            }
        }
    }
    inputs.sort_by(|one, other| one.name.cmp(&other.name));
    inputs
}

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
