//! From the tables of the families to the schema: they are written down in the schema language, which is then read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use graphql_parser::schema::{Definition, Document, Type, TypeDefinition, parse_schema};

use super::families::FAMILIES;
use super::objects::recorded;
use super::schema::{FieldDef, InputDef, Kind, Resolver, Schema, TypeDef, TypeRef, named};

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

/// Makes the schema.
pub(super) fn build() -> Schema {
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
