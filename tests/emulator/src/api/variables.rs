//! CI/CD variables of projects, groups and the instance. The pattern for other families.
//!
//! Creation and update check uniqueness under one lock and write under another, as GitLab validates with a SELECT and then
//! relies on a unique index: whoever is overtaken in between gets the 500 that a real server gives.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::faults::{BEFORE_VARIABLE_INSERT, BEFORE_VARIABLE_RECHECK, Effect};
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, hash, one_of, post, put, string,
};
use crate::store::State;
use crate::store::places::Place;
use crate::store::variables::{Owner, Variable};

const PROJECT: Guard = Guard::Project(Role::Maintainer);
const GROUP: Guard = Guard::Group(Role::Owner);
const INSTANCE: Guard = Guard::Admin;
const FILTER: &[Param] = &[hash("filter", &["environment_scope"])];
const TYPE: Param = one_of("variable_type", &["env_var", "file"]);
const CREATE: &[Param] = &[
    string("key").required(),
    string("value").required(),
    TYPE,
    boolean("protected"),
    boolean("masked"),
    boolean("masked_and_hidden"),
    boolean("raw"),
    string("environment_scope"),
    string("description"),
];
const IN_INSTANCE: &[Param] = &[
    string("value"),
    TYPE,
    boolean("protected"),
    boolean("masked"),
    boolean("raw"),
    string("description"),
];
const UPDATE: &[Param] = &[
    string("value"),
    TYPE,
    boolean("protected"),
    boolean("masked"),
    boolean("raw"),
    string("environment_scope"),
    string("description"),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/variables", PROJECT, index).paginated(),
    get("projects/:id/variables/:key", PROJECT, show).params(FILTER),
    post("projects/:id/variables", PROJECT, create).params(CREATE),
    put("projects/:id/variables/:key", PROJECT, update)
        .params(UPDATE)
        .also(FILTER),
    delete("projects/:id/variables/:key", PROJECT, destroy).params(FILTER),
    get("groups/:id/variables", GROUP, index).paginated(),
    get("groups/:id/variables/:key", GROUP, show).params(FILTER),
    post("groups/:id/variables", GROUP, create).params(CREATE),
    put("groups/:id/variables/:key", GROUP, update)
        .params(UPDATE)
        .also(FILTER),
    delete("groups/:id/variables/:key", GROUP, destroy).params(FILTER),
    get("admin/ci/variables", INSTANCE, index).paginated(),
    get("admin/ci/variables/:key", INSTANCE, show),
    post("admin/ci/variables", INSTANCE, create)
        .params(&[string("key").required(), string("value").required()])
        .also(IN_INSTANCE),
    put("admin/ci/variables/:key", INSTANCE, update).params(IN_INSTANCE),
    delete("admin/ci/variables/:key", INSTANCE, destroy),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    ctx.page(ctx.state().variables_of(owner(ctx)), entity)
}

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&entity(find(ctx, &ctx.state())?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let hidden = ctx.boolean("masked_and_hidden").unwrap_or(false);
    let text = |name: &str| ctx.string(name).unwrap_or_default();
    let variable = with_changes(
        ctx,
        Variable {
            id: 0,
            owner: owner(ctx),
            key: text("key").trim().to_owned(),
            value: String::new(),
            variable_type: "env_var".to_owned(),
            protected: false,
            masked: false,
            hidden,
            raw: false,
            environment_scope: "*".to_owned(),
            description: None,
        },
    );
    let variable = Variable {
        masked: variable.masked || hidden,
        ..variable
    };

    let first_look = problems(&ctx.state(), &variable);
    if !first_look.is_empty() {
        // GitLab validates a second time to choose the status: a rival that vanished meanwhile makes it 201, nothing stored.
        let phantom = ctx.shared.faults.at_point(BEFORE_VARIABLE_RECHECK) == Some(Effect::Phantom);
        if !phantom {
            problems(&ctx.state(), &variable).check()?;
        }
        return Ok(Response::created(&entity(&variable)));
    }
    ctx.shared.faults.at_point(BEFORE_VARIABLE_INSERT);
    match ctx.state().insert_variable(variable.clone()) {
        Some(_) => Ok(Response::created(&entity(&variable))),
        None => Err(ApiError::internal()),
    }
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let old = find(ctx, &ctx.state())?.clone();
    let new = with_changes(ctx, old.clone());
    let mut invalid = problems(&ctx.state(), &new);
    if old.hidden && !new.masked {
        invalid.add(
            "base",
            "The visibility setting cannot be changed for masked and hidden variables.",
        );
    }
    invalid.check()?;
    ctx.shared.faults.at_point(BEFORE_VARIABLE_INSERT);
    let mut state = ctx.state();
    if state.variable_is_taken(&new) {
        return Err(ApiError::internal());
    }
    // Last write wins; one that was deleted meanwhile is updated into nothing, and GitLab says 200.
    state.variables.replace(&new);
    Ok(Response::ok(&entity(&new)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let id = find(ctx, &ctx.state())?.id;
    ctx.state().variables.remove(id);
    Ok(Response::no_content())
}

fn owner(ctx: &Ctx<'_>) -> Owner {
    match ctx.place() {
        Place::Project(project) => Owner::Project(project),
        Place::Group(group) => Owner::Group(group),
        Place::Instance | Place::User(_) => Owner::Instance,
    }
}

/// The one variable that path and filter name.
fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a Variable, ApiError> {
    let scope = ctx.hash_string("filter", "environment_scope");
    let named = |variable: &&Variable| variable.key == ctx.path("key");
    let in_scope =
        |variable: &&Variable| scope.is_none_or(|scope| variable.environment_scope == scope);
    let mut found = state
        .variables_of(owner(ctx))
        .filter(named)
        .filter(in_scope);
    match (found.next(), found.next()) {
        (None, _) => Err(ApiError::not_found("Variable")),
        (Some(variable), None) => Ok(variable),
        (Some(_), Some(_)) => Err(ApiError::message(
            409,
            "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'",
        )),
    }
}

fn with_changes(ctx: &Ctx<'_>, mut variable: Variable) -> Variable {
    if ctx.given("value") {
        variable.value = ctx.string("value").unwrap_or_default().to_owned();
    }
    if let Some(kind) = ctx.string("variable_type") {
        variable.variable_type = kind.to_owned();
    }
    if let Some(scope) = ctx.string("environment_scope") {
        // Scopes of group variables are a paid feature; without it every one applies everywhere.
        variable.environment_scope = if ctx.group() == 0 {
            scope.trim().to_owned()
        } else {
            "*".to_owned()
        };
    }
    if ctx.given("description") {
        variable.description = ctx.string("description").map(str::to_owned);
    }
    variable.protected = ctx.boolean("protected").unwrap_or(variable.protected);
    variable.masked = ctx.boolean("masked").unwrap_or(variable.masked);
    variable.raw = ctx.boolean("raw").unwrap_or(variable.raw);
    variable
}

static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\A[a-zA-Z0-9_]+\z").ok());
static SCOPE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\A[a-zA-Z0-9_/\\$\{\}. \-*]+\z").ok());
static MASKED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\A[a-zA-Z0-9_+=/@:.~-]{8,}\z").ok());
static MASKED_RAW: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\A\S{8,}\z").ok());

fn fits(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text))
}

fn problems(state: &State, variable: &Variable) -> Invalid {
    let mut invalid = Invalid::default();
    if variable.key.is_empty() {
        invalid.add("key", "can't be blank");
    }
    if variable.key.chars().count() > 255 {
        invalid.add("key", "is too long (maximum is 255 characters)");
    }
    if !fits(&KEY, &variable.key) {
        invalid.add("key", "can contain only letters, digits and '_'.");
    }
    if state.variable_is_taken(variable) {
        invalid.add("key", format!("({}) has already been taken", variable.key));
    }
    if variable.environment_scope.is_empty() {
        invalid.add("environment_scope", "can't be blank");
    }
    if variable.environment_scope.chars().count() > 255 {
        invalid.add(
            "environment_scope",
            "is too long (maximum is 255 characters)",
        );
    }
    if !fits(&SCOPE, &variable.environment_scope) {
        let allowed =
            "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', '*' and spaces";
        invalid.add("environment_scope", allowed);
    }
    if variable.masked
        && !fits(
            if variable.raw { &MASKED_RAW } else { &MASKED },
            &variable.value,
        )
    {
        invalid.add("value", "is invalid");
    }
    if variable.owner == Owner::Instance && variable.value.chars().count() > 10_000 {
        let text = "The value of the provided variable exceeds the 10000 character limit";
        invalid.add("value", text);
    }
    if variable
        .description
        .as_ref()
        .is_some_and(|text| text.chars().count() > 255)
    {
        invalid.add("description", "is too long (maximum is 255 characters)");
    }
    let (limit, of) = match variable.owner {
        Owner::Project(_) => (state.limits.project_ci_variables, "project ci"),
        Owner::Group(_) => (state.limits.group_ci_variables, "group ci"),
        Owner::Instance => (state.limits.instance_ci_variables, "ci instance level"),
    };
    if variable.id == 0 && state.variables_of(variable.owner).count() >= limit {
        invalid.add(
            "base",
            format!("Maximum number of {of} variables ({limit}) exceeded"),
        );
    }
    invalid
}

fn entity(variable: &Variable) -> Value {
    if variable.owner == Owner::Instance {
        return json!({
            "variable_type": variable.variable_type,
            "key": variable.key,
            "value": variable.value,
            "protected": variable.protected,
            "masked": variable.masked,
            "raw": variable.raw,
            "description": variable.description,
        });
    }
    json!({
        "variable_type": variable.variable_type,
        "key": variable.key,
        "value": if variable.hidden { Value::Null } else { json!(variable.value) },
        "hidden": variable.hidden,
        "protected": variable.protected,
        "masked": variable.masked,
        "raw": variable.raw,
        "environment_scope": variable.environment_scope,
        "description": variable.description,
    })
}
