//! Feature flags of projects.

use serde_json::{Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, hashes, one_of, post, put, string,
};
use crate::store::State;
use crate::store::feature_flags::{FeatureFlag, Strategy};

use super::feature_flag_strategies;

const DEVELOPER: Guard = Guard::Project(Role::Developer);
const STRATEGIES: Param = hashes(
    "strategies",
    &[
        "id",
        "name",
        "parameters",
        "user_list_id",
        "scopes",
        "_destroy",
        // Clients send back what they were shown; GitLab overlooks it.
        "user_list",
    ],
);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/feature_flags", DEVELOPER, index)
        .params(&[one_of("scope", &["enabled", "disabled"])])
        .paginated(),
    post("projects/:id/feature_flags", DEVELOPER, create).params(&[
        string("name").required(),
        string("description"),
        boolean("active"),
        string("version"),
        STRATEGIES,
    ]),
    get(
        "projects/:id/feature_flags/:feature_flag_name",
        DEVELOPER,
        show,
    ),
    put(
        "projects/:id/feature_flags/:feature_flag_name",
        DEVELOPER,
        update,
    )
    .params(&[
        string("name"),
        string("description"),
        boolean("active"),
        STRATEGIES,
    ]),
    delete(
        "projects/:id/feature_flags/:feature_flag_name",
        DEVELOPER,
        destroy,
    ),
];

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let wanted = ctx.string("scope").map(|scope| scope == "enabled");
    let own = state.feature_flags_of(ctx.project()).into_iter();
    let own = own.filter(|flag| wanted.is_none_or(|active| flag.active == active));
    ctx.page(own, |flag| entity(&state, flag))
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    Ok(Response::ok(&entity(&state, find(ctx, &state)?)))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    if ctx
        .string("version")
        .is_some_and(|version| version != "new_version_flag")
    {
        return Err(ApiError::message(400, "Version is invalid"));
    }
    let mut state = ctx.state();
    let flag = FeatureFlag {
        id: 0,
        project_id: ctx.project(),
        name: String::new(),
        description: None,
        active: true,
        strategies: Vec::new(),
        created_at: ctx.now(),
        updated_at: ctx.now(),
    };
    let flag = with_changes(ctx, &mut state, flag)?;
    let answer = Response::created(&entity(&state, &flag));
    state.feature_flags.insert(|id| FeatureFlag { id, ..flag });
    Ok(answer)
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let flag = find(ctx, &state)?.clone();
    let flag = with_changes(ctx, &mut state, flag)?;
    let answer = Response::ok(&entity(&state, &flag));
    if let Some(stored) = state.feature_flags.get_mut(flag.id) {
        *stored = flag;
    }
    Ok(answer)
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let flag = find(ctx, &state)?;
    let answer = Response::ok(&entity(&state, flag));
    let id = flag.id;
    state.feature_flags.remove(id);
    Ok(answer)
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a FeatureFlag, ApiError> {
    let name = ctx.path("feature_flag_name");
    let own = state.feature_flags.iter();
    let mut own = own.filter(|flag| flag.project_id == ctx.project());
    own.find(|flag| flag.name == name)
        .ok_or_else(ApiError::not_found_plain)
}

fn with_changes(
    ctx: &Ctx<'_>,
    state: &mut State,
    mut flag: FeatureFlag,
) -> Result<FeatureFlag, ApiError> {
    if let Some(name) = ctx.string("name") {
        name.clone_into(&mut flag.name);
    }
    if let Some(description) = ctx.string("description") {
        flag.description = Some(description.to_owned());
    }
    flag.active = ctx.boolean("active").unwrap_or(flag.active);
    if let Some(sent) = ctx.value("strategies").and_then(Value::as_array) {
        feature_flag_strategies::apply(state, &mut flag, sent)?;
    }
    flag.updated_at = ctx.now();
    let mut wrong = Vec::new();
    let taken = state.feature_flags_of(flag.project_id).into_iter();
    let mut taken = taken.filter(|other| other.id != flag.id);
    check_name(&flag.name, &mut wrong);
    if taken.any(|other| other.name == flag.name) {
        wrong.push("Name has already been taken");
    }
    if flag
        .description
        .as_ref()
        .is_some_and(|text| text.chars().count() > 255)
    {
        wrong.push("Description is too long (maximum is 255 characters)");
    }
    wrong.extend(
        flag.strategies
            .iter()
            .flat_map(feature_flag_strategies::faults),
    );
    if wrong.is_empty() {
        Ok(flag)
    } else {
        Err(ApiError::messages(400, &wrong))
    }
}

fn check_name(name: &str, wrong: &mut Vec<&'static str>) {
    if name.is_empty() {
        wrong.push("Name can't be blank");
    }
    match name.chars().count() {
        ..2 => wrong.push("Name is too short (minimum is 2 characters)"),
        2..=63 => {}
        64.. => wrong.push("Name is too long (maximum is 63 characters)"),
    }
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if !name.starts_with(|letter: char| letter.is_ascii_lowercase())
        || !name.ends_with(plain)
        || !name
            .chars()
            .all(|letter| plain(letter) || "-_".contains(letter))
    {
        wrong.push(
            "Name can contain only lowercase letters, digits, '_' and '-'. Must start with a letter, and cannot end with '-' or '_'",
        );
    }
}

fn entity(state: &State, flag: &FeatureFlag) -> Value {
    let strategies = flag.strategies.iter();
    json!({
        "name": flag.name,
        "description": flag.description,
        "active": flag.active,
        "version": "new_version_flag",
        "created_at": clock::iso(flag.created_at),
        "updated_at": clock::iso(flag.updated_at),
        // Only flags of the first version had scopes of their own.
        "scopes": [],
        "strategies": strategies.map(|strategy| strategy_entity(state, strategy)).collect::<Vec<_>>(),
    })
}

fn strategy_entity(state: &State, strategy: &Strategy) -> Value {
    let scopes = strategy.scopes.iter();
    let scopes =
        scopes.map(|scope| json!({ "id": scope.id, "environment_scope": scope.environment_scope }));
    let list = strategy.user_list.and_then(|id| state.user_lists.get(id));
    json!({
        "id": strategy.id,
        "name": strategy.name,
        "parameters": strategy.parameters,
        "scopes": scopes.collect::<Vec<_>>(),
        "user_list": list.map(super::feature_flag_user_lists::basic),
    })
}
