//! Webhooks of projects, groups and the instance: the rows, without their secrets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, hashes, one_of, post, put, string,
};
use crate::store::State;
use crate::store::places::Place;
use crate::store::webhooks::{Webhook, WebhookSettings};

use super::overlay::overlaid;

const PROJECT: Guard = Guard::Project(Role::Maintainer);
const GROUP: Guard = Guard::Group(Role::Owner);
/// Fields of `WebhookSettings` that all kinds have.
const COMMON: &[Param] = &[
    string("name"),
    string("description"),
    string("token"),
    boolean("push_events"),
    boolean("tag_push_events"),
    boolean("merge_requests_events"),
    boolean("repository_update_events"),
    boolean("enable_ssl_verification"),
    string("push_events_branch_filter"),
    one_of(
        "branch_filter_strategy",
        &["wildcard", "regex", "all_branches"],
    ),
    hashes("url_variables", &["key", "value"]),
    hashes("custom_headers", &["key", "value"]),
];
/// Fields of `WebhookSettings` that only projects and groups have.
const EVENTS: &[Param] = &[
    boolean("issues_events"),
    boolean("confidential_issues_events"),
    boolean("note_events"),
    boolean("confidential_note_events"),
    boolean("job_events"),
    boolean("pipeline_events"),
    boolean("wiki_page_events"),
    boolean("deployment_events"),
    boolean("feature_flag_events"),
    boolean("releases_events"),
    boolean("milestone_events"),
    boolean("emoji_events"),
    boolean("resource_access_token_events"),
    boolean("member_events"),
    boolean("project_events"),
    boolean("subgroup_events"),
    string("custom_webhook_template"),
];
const URL: &[Param] = &[string("url").required()];
const NEW_URL: &[Param] = &[string("url")];
const VALUE: &[Param] = &[string("value").required()];

pub(super) const ROUTES: &[Route] = &[
    get("hooks", Guard::Admin, index).paginated(),
    get("hooks/:hook_id", Guard::Admin, show),
    post("hooks", Guard::Admin, create).params(URL).also(COMMON),
    put("hooks/:hook_id", Guard::Admin, update)
        .params(NEW_URL)
        .also(COMMON),
    delete("hooks/:hook_id", Guard::Admin, destroy),
    put(
        "hooks/:hook_id/url_variables/:key",
        Guard::Admin,
        set_variable,
    )
    .params(VALUE),
    delete(
        "hooks/:hook_id/url_variables/:key",
        Guard::Admin,
        drop_variable,
    ),
    put(
        "hooks/:hook_id/custom_headers/:key",
        Guard::Admin,
        set_header,
    )
    .params(VALUE),
    delete(
        "hooks/:hook_id/custom_headers/:key",
        Guard::Admin,
        drop_header,
    ),
    get("projects/:id/hooks", PROJECT, index).paginated(),
    get("projects/:id/hooks/:hook_id", PROJECT, show),
    post("projects/:id/hooks", PROJECT, create)
        .refuses(&["vulnerability_events"])
        .params(URL)
        .also(COMMON)
        .and(EVENTS),
    put("projects/:id/hooks/:hook_id", PROJECT, update)
        .refuses(&["vulnerability_events"])
        .params(NEW_URL)
        .also(COMMON)
        .and(EVENTS),
    delete("projects/:id/hooks/:hook_id", PROJECT, destroy),
    put(
        "projects/:id/hooks/:hook_id/url_variables/:key",
        PROJECT,
        set_variable,
    )
    .params(VALUE),
    delete(
        "projects/:id/hooks/:hook_id/url_variables/:key",
        PROJECT,
        drop_variable,
    ),
    put(
        "projects/:id/hooks/:hook_id/custom_headers/:key",
        PROJECT,
        set_header,
    )
    .params(VALUE),
    delete(
        "projects/:id/hooks/:hook_id/custom_headers/:key",
        PROJECT,
        drop_header,
    ),
    get("groups/:id/hooks", GROUP, index).paginated(),
    get("groups/:id/hooks/:hook_id", GROUP, show),
    post("groups/:id/hooks", GROUP, create)
        .params(URL)
        .also(COMMON)
        .and(EVENTS),
    put("groups/:id/hooks/:hook_id", GROUP, update)
        .params(NEW_URL)
        .also(COMMON)
        .and(EVENTS),
    delete("groups/:id/hooks/:hook_id", GROUP, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state.belongings.webhooks.iter();
    ctx.page(own.filter(|row| row.place == ctx.place()), entity)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&entity(find(ctx, &ctx.state())?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let blank = WebhookSettings {
        repository_update_events: ctx.place() == Place::Instance,
        ..WebhookSettings::default()
    };
    let settings = changed(ctx, &blank)?;
    let (mut url_variables, mut custom_headers) = Default::default();
    pairs(ctx, "url_variables", &mut url_variables);
    pairs(ctx, "custom_headers", &mut custom_headers);
    let mut state = ctx.state();
    let id = state.belongings.webhooks.insert(|id| Webhook {
        id,
        place: ctx.place(),
        created_at: ctx.now(),
        settings,
        url_variables,
        custom_headers,
    });
    let row = state.belongings.webhooks.get(id);
    Ok(Response::created(&entity(
        row.ok_or_else(ApiError::internal)?,
    )))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let old = find(ctx, &state)?;
    let (id, settings) = (old.id, changed(ctx, &old.settings)?);
    let row = state.belongings.webhooks.get_mut(id);
    let row = row.ok_or_else(ApiError::internal)?;
    row.settings = settings;
    pairs(ctx, "url_variables", &mut row.url_variables);
    pairs(ctx, "custom_headers", &mut row.custom_headers);
    Ok(Response::ok(&entity(row)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.belongings.webhooks.remove(id);
    Ok(Response::no_content())
}

fn set_variable(ctx: &Ctx<'_>) -> Answer {
    edit_pairs(ctx, |row, key, value| {
        row.url_variables.insert(key, value);
        true
    })
}

fn set_header(ctx: &Ctx<'_>) -> Answer {
    edit_pairs(ctx, |row, key, value| {
        row.custom_headers.insert(key, value);
        true
    })
}

fn drop_variable(ctx: &Ctx<'_>) -> Answer {
    edit_pairs(ctx, |row, key, _| row.url_variables.remove(&key).is_some())
}

fn drop_header(ctx: &Ctx<'_>) -> Answer {
    edit_pairs(ctx, |row, key, _| row.custom_headers.remove(&key).is_some())
}

/// Changes the secrets of a webhook; `404` if there was nothing to change.
fn edit_pairs(ctx: &Ctx<'_>, edit: impl FnOnce(&mut Webhook, String, String) -> bool) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    let row = state.belongings.webhooks.get_mut(id);
    let row = row.ok_or_else(ApiError::internal)?;
    let value = ctx.string("value").unwrap_or_default().to_owned();
    if edit(row, ctx.path("key").to_owned(), value) {
        Ok(Response::no_content())
    } else {
        Err(ApiError::not_found("Key"))
    }
}

fn changed(ctx: &Ctx<'_>, old: &WebhookSettings) -> Result<WebhookSettings, ApiError> {
    let settings = overlaid(ctx, old, NEW_URL)?;
    let settings = overlaid(ctx, &settings, COMMON)?;
    let settings = overlaid(ctx, &settings, EVENTS)?;
    let web = settings.url.starts_with("http://") || settings.url.starts_with("https://");
    if !web {
        return Err(ApiError::message(422, "Invalid url given"));
    }
    let mut invalid = Invalid::default();
    if settings
        .token
        .as_ref()
        .is_some_and(|token| token.contains('\n'))
    {
        invalid.add("token", "is invalid");
    }
    invalid.check()?;
    Ok(settings)
}

/// Takes over the entries of an array of keys and values.
fn pairs(ctx: &Ctx<'_>, name: &str, target: &mut BTreeMap<String, String>) {
    for pair in ctx
        .value(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let (Some(key), Some(value)) = (pair["key"].as_str(), pair["value"].as_str()) {
            target.insert(key.to_owned(), value.to_owned());
        }
    }
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Webhook, ApiError> {
    let id = ctx.path_number("hook_id")?;
    let row = state.belongings.webhooks.get(id);
    row.filter(|row| row.place == ctx.place())
        .ok_or_else(ApiError::not_found_plain)
}

/// All settings of its kind but the token; of other secrets only the names.
fn entity(row: &Webhook) -> Value {
    let names = |of: &BTreeMap<String, String>| -> Value {
        of.keys().map(|key| json!({ "key": key })).collect()
    };
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(row.id));
    let settings = json!(row.settings);
    let settings = settings.as_object().into_iter().flatten();
    let group_only = ["member_events", "project_events", "subgroup_events"];
    for (name, value) in settings {
        let own = match row.place {
            Place::Instance => !EVENTS.iter().any(|param| param.name == name),
            Place::Project(_) => !group_only.contains(&name.as_str()),
            Place::Group(_) | Place::User(_) => true,
        };
        if own && name != "token" {
            body.insert(name.clone(), value.clone());
        }
    }
    body.insert("created_at".to_owned(), json!(clock::iso(row.created_at)));
    body.insert("alert_status".to_owned(), json!("executable"));
    body.insert("disabled_until".to_owned(), Value::Null);
    body.insert("url_variables".to_owned(), names(&row.url_variables));
    body.insert("custom_headers".to_owned(), names(&row.custom_headers));
    match row.place {
        Place::Project(id) => {
            body.insert("project_id".to_owned(), json!(id));
        }
        Place::Group(id) => {
            body.insert("group_id".to_owned(), json!(id));
        }
        Place::Instance | Place::User(_) => {}
    }
    Value::Object(body)
}
