//! What the schema tells about itself, read from the very table that is executed.

use graphql_parser::schema::Type;
use serde_json::json;

use super::objects::{Call, Found, NOTHING, Object, Outcome, Problem, one, record, value};
use super::schema::{Family, FieldDef, InputDef, Kind, SCHEMA, TypeDef, TypeRef, field, object};

/// The family of introspection.
pub(super) const FAMILY: Family = Family {
    tables: &[
        object(
            "__Entry",
            &[&[
                field("__schema: __Schema!", |_| Ok(whole())),
                field("__type(name: String!): __Type", |call| {
                    let name = call.text("name").unwrap_or_default();
                    let known = SCHEMA.get(name).filter(|of| is_public(of));
                    Ok(one(known.map(|of| Object::NamedType(&of.name))))
                }),
            ]],
        ),
        object(
            "__Type",
            &[&[
                field("kind: __TypeKind!", |call| {
                    on_type(call, &|shape| {
                        value(match shape {
                            Shape::Wrapped("!", _) => "NON_NULL",
                            Shape::Wrapped(..) => "LIST",
                            Shape::Named(of) => of.kind.as_str(),
                        })
                    })
                }),
                field("name: String", |call| {
                    on_named(call, &|of| value(of.name.clone()))
                }),
                field("description: String", |_| Ok(NOTHING)),
                field("specifiedByURL: String", |_| Ok(NOTHING)),
                field("isOneOf: Boolean!", |_| Ok(value(false))),
                field("fields(includeDeprecated: Boolean = false): [__Field!]", |call| {
                    let old = call.flag("includeDeprecated") == Some(true);
                    on_named(call, &|of| match of.kind {
                        Kind::Object | Kind::Interface => {
                            let shown = of.fields.iter().filter(|field| old || !field.deprecated);
                            Found::Many(shown.map(Object::Field).collect())
                        }
                        Kind::Scalar | Kind::Union | Kind::Enum | Kind::Input => NOTHING,
                    })
                }),
                field("interfaces: [__Type!]", |call| {
                    on_named(call, &|of| match of.kind {
                        Kind::Object | Kind::Interface => types(&of.interfaces),
                        Kind::Scalar | Kind::Union | Kind::Enum | Kind::Input => NOTHING,
                    })
                }),
                field("possibleTypes: [__Type!]", |call| {
                    on_named(call, &|of| match of.kind {
                        Kind::Interface | Kind::Union => types(&of.possible),
                        Kind::Scalar | Kind::Object | Kind::Enum | Kind::Input => NOTHING,
                    })
                }),
                field("enumValues(includeDeprecated: Boolean = false): [__EnumValue!]", |call| {
                    on_named(call, &|of| match of.kind {
                        Kind::Enum => Found::Many(of.values.iter().map(|name| word(name)).collect()),
                        Kind::Scalar | Kind::Object | Kind::Interface | Kind::Union | Kind::Input => NOTHING,
                    })
                }),
                field("inputFields(includeDeprecated: Boolean = false): [__InputValue!]", |call| {
                    on_named(call, &|of| match of.kind {
                        Kind::Input => Found::Many(of.inputs.iter().map(Object::Input).collect()),
                        Kind::Scalar | Kind::Object | Kind::Interface | Kind::Union | Kind::Enum => NOTHING,
                    })
                }),
                field("ofType: __Type", |call| {
                    on_type(call, &|shape| match shape {
                        Shape::Wrapped(_, inner) => Found::One(Object::Type(inner)),
                        Shape::Named(_) => NOTHING,
                    })
                }),
            ]],
        ),
        object(
            "__Field",
            &[&[
                field("name: String!", |call| on_field(call, |field| value(field.name.clone()))),
                field("description: String", |_| Ok(NOTHING)),
                field("args(includeDeprecated: Boolean = false): [__InputValue!]!", |call| {
                    on_field(call, |field| Found::Many(field.inputs.iter().map(Object::Input).collect()))
                }),
                field("type: __Type!", |call| on_field(call, |field| Found::One(Object::Type(&field.of)))),
                field("isDeprecated: Boolean!", |call| on_field(call, |field| value(field.deprecated))),
                field("deprecationReason: String", |call| {
                    on_field(call, |field| if field.deprecated { value("No longer supported") } else { NOTHING })
                }),
            ]],
        ),
        object(
            "__InputValue",
            &[&[
                field("name: String!", |call| on_input(call, |input| value(input.name.clone()))),
                field("description: String", |_| Ok(NOTHING)),
                field("type: __Type!", |call| on_input(call, |input| Found::One(Object::Type(&input.of)))),
                field("defaultValue: String", |call| on_input(call, |input| Found::Value(json!(input.default.as_ref().map(ToString::to_string))))),
                field("isDeprecated: Boolean!", |_| Ok(value(false))),
                field("deprecationReason: String", |_| Ok(NOTHING)),
            ]],
        ),
    ],
    sdl: "
        type __Schema {
            description: String
            types: [__Type!]!
            queryType: __Type!
            mutationType: __Type
            subscriptionType: __Type
            directives: [__Directive!]!
        }
        type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
        type __Directive {
            name: String!
            description: String
            locations: [__DirectiveLocation!]!
            args(includeDeprecated: Boolean = false): [__InputValue!]!
            isRepeatable: Boolean
        }
        enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }
        enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION VARIABLE_DEFINITION }
        input __Conditions { if: Boolean! }
    ",
};

/// A type as introspection takes it apart.
enum Shape {
    Wrapped(&'static str, &'static TypeRef),
    Named(&'static TypeDef),
}

fn on_type(call: &Call<'_>, read: &dyn Fn(Shape) -> Found) -> Outcome {
    let by_name = |name: &str| SCHEMA.get(name).map(Shape::Named);
    if let Object::NamedType(name) = call.object {
        return Ok(by_name(name).map_or(NOTHING, read));
    }
    let Object::Type(of) = call.object else {
        return Err(stray(call.object));
    };
    let shape = match of {
        Type::NamedType(name) => by_name(name),
        Type::ListType(inner) => Some(Shape::Wrapped("[]", inner)),
        Type::NonNullType(inner) => Some(Shape::Wrapped("!", inner)),
    };
    Ok(shape.map_or(NOTHING, read))
}

fn on_named(call: &Call<'_>, read: &dyn Fn(&'static TypeDef) -> Found) -> Outcome {
    on_type(call, &|shape| match shape {
        Shape::Named(of) => read(of),
        Shape::Wrapped(..) => NOTHING,
    })
}

fn on_field(call: &Call<'_>, read: fn(&'static FieldDef) -> Found) -> Outcome {
    let Object::Field(field) = call.object else {
        return Err(stray(call.object));
    };
    Ok(read(field))
}

fn on_input(call: &Call<'_>, read: fn(&'static InputDef) -> Found) -> Outcome {
    let Object::Input(input) = call.object else {
        return Err(stray(call.object));
    };
    Ok(read(input))
}

fn stray(object: &Object) -> Problem {
    Problem::lacking(format!("introspection of {}", object.type_name()))
}

/// Types that only serve the emulator are kept to itself.
fn is_public(of: &TypeDef) -> bool {
    !["__Entry", "__Conditions"].contains(&of.name.as_str())
}

fn types(names: &'static [String]) -> Found {
    Found::Many(names.iter().map(|name| Object::NamedType(name)).collect())
}

fn word(name: &str) -> Object {
    let data = json!({ "name": name, "description": null, "isDeprecated": false, "deprecationReason": null });
    record("__EnumValue", data).object()
}

fn whole() -> Found {
    let shown = SCHEMA.types.values().filter(|of| is_public(of));
    let types = shown.map(|of| Object::NamedType(&of.name)).collect();
    let conditions = SCHEMA.get("__Conditions");
    let directive = |name: &str| {
        let args = conditions.map_or(Vec::new(), |of| {
            of.inputs.iter().map(Object::Input).collect()
        });
        let data = json!({
            "name": name,
            "description": null,
            "locations": ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
            "isRepeatable": false,
        });
        record("__Directive", data)
            .with("args", Found::Many(args))
            .object()
    };
    record(
        "__Schema",
        json!({ "description": null, "subscriptionType": null }),
    )
    .with("types", Found::Many(types))
    .with("queryType", Found::One(Object::NamedType("Query")))
    .with("mutationType", Found::One(Object::NamedType("Mutation")))
    .with(
        "directives",
        Found::Many(vec![directive("include"), directive("skip")]),
    )
    .found()
}
