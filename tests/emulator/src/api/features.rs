//! Feature flags of the instance: kept and shown, without any effect here.

use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, any, boolean, delete, get, one_of, post, string};

const ADMIN: Guard = Guard::Admin;

pub(super) const ROUTES: &[Route] = &[
    get("features", ADMIN, index),
    get("features/definitions", ADMIN, definitions),
    post("features/:name", ADMIN, set)
        .params(&[
            any("value").required(),
            one_of("key", &["percentage_of_actors", "percentage_of_time"]),
            boolean("force"),
        ])
        .also(&[
            string("feature_group"),
            string("user"),
            string("group"),
            string("namespace"),
            string("project"),
            string("repository"),
        ]),
    delete("features/:name", ADMIN, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let features = state.features.iter();
    let entities = features.map(|(name, gates)| entity(name, gates));
    Ok(Response::ok(&entities.collect()))
}

fn definitions(_ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&json!([])))
}

fn set(ctx: &Ctx<'_>) -> Answer {
    let name = ctx.path("name").to_owned();
    let value = ctx.value("value").cloned().unwrap_or_default();
    let text = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let actors = [
        "feature_group",
        "user",
        "group",
        "namespace",
        "project",
        "repository",
    ];
    let actor = actors
        .iter()
        .find_map(|kind| Some((*kind, ctx.string(kind)?)));
    let (gate, value) = match (actor, text.as_str()) {
        (Some(("feature_group", group)), _) => ("groups", json!([group])),
        (Some((kind, actor)), _) => ("actors", json!([format!("{kind}:{actor}")])),
        (None, "true") => ("boolean", json!(true)),
        (None, "false") => ("boolean", json!(false)),
        (None, number) => {
            let number: f64 = number
                .parse()
                .map_err(|_error| ApiError::error(400, "value is invalid"))?;
            (
                ctx.string("key").unwrap_or("percentage_of_time"),
                json!(number),
            )
        }
    };
    let mut state = ctx.state();
    let gates = state.features.entry(name.clone()).or_default();
    // To switch it on or off as a whole ends what was conditional.
    if gate == "boolean" {
        gates.clear();
    }
    gates.insert(gate.to_owned(), value);
    Ok(Response::created(&entity(&name, gates)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    ctx.state().features.remove(ctx.path("name"));
    Ok(Response::no_content())
}

fn entity(name: &str, gates: &std::collections::BTreeMap<String, Value>) -> Value {
    let whole = gates.get("boolean").and_then(Value::as_bool);
    let state = match (whole, gates.len()) {
        (Some(true), _) => "on",
        (Some(false), 1) => "off",
        _ => "conditional",
    };
    let gates: Vec<Value> = gates
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect();
    json!({ "name": name, "state": state, "gates": gates, "definition": Value::Null })
}
