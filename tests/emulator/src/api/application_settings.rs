//! The settings of the instance.

use serde_json::{Value, json};

use crate::application_settings::numbers::NUMBERS;
use crate::application_settings::switches::SWITCHES;
use crate::application_settings::texts::{LISTS, TEXTS};
use crate::application_settings::{self as settings};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::rate_limit::Rate;
use crate::router::{Answer, Guard, Param, Route, any, boolean, get, integer, list, put, string};
use crate::store::State;

const COUNT: usize = SWITCHES.len() + NUMBERS.len() + TEXTS.len() + LISTS.len();
const PARAMS: [Param; COUNT] = params();
/// Under older names, or of a form of its own.
const ALIASES: &[Param] = &[
    boolean("signin_enabled"),
    list("domain_whitelist"),
    list("domain_blacklist"),
    boolean("domain_blacklist_enabled"),
    list("asset_proxy_whitelist"),
    any("default_branch_protection_defaults"),
    any("repository_storages_weighted"),
];
const VISIBILITIES: &[&str] = &["private", "internal", "public"];

const fn params() -> [Param; COUNT] {
    let mut params = [boolean(""); COUNT];
    let (mut at, mut index) = (0, 0);
    while index < SWITCHES.len() {
        params[at] = boolean(SWITCHES[index].0);
        (at, index) = (at + 1, index + 1);
    }
    index = 0;
    while index < NUMBERS.len() {
        params[at] = integer(NUMBERS[index].0);
        (at, index) = (at + 1, index + 1);
    }
    index = 0;
    while index < TEXTS.len() {
        params[at] = string(TEXTS[index].0);
        (at, index) = (at + 1, index + 1);
    }
    index = 0;
    while index < LISTS.len() {
        params[at] = list(LISTS[index].0);
        (at, index) = (at + 1, index + 1);
    }
    params
}

pub(super) const ROUTES: &[Route] = &[
    get("application/settings", Guard::Admin, show),
    put("application/settings", Guard::Admin, update)
        .params(&PARAMS)
        .also(ALIASES),
];

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&entity(ctx, &ctx.state())))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let mut changes = ctx.values().clone();
    for (old, new) in [
        ("signin_enabled", "password_authentication_enabled_for_web"),
        ("domain_whitelist", "domain_allowlist"),
        ("domain_blacklist", "domain_denylist"),
        ("domain_blacklist_enabled", "domain_denylist_enabled"),
        ("asset_proxy_whitelist", "asset_proxy_allowlist"),
    ] {
        if let Some(value) = changes.remove(old) {
            changes.entry(new).or_insert(value);
        }
    }
    let mut invalid = Invalid::default();
    for name in [
        "default_project_visibility",
        "default_group_visibility",
        "default_snippet_visibility",
    ] {
        let wish = changes.get(name).and_then(Value::as_str);
        if wish.is_some_and(|wish| !VISIBILITIES.contains(&wish)) {
            return Err(ApiError::error(
                400,
                format!("{name} does not have a valid value"),
            ));
        }
    }
    for (name, _) in NUMBERS {
        let negative = changes
            .get(name)
            .and_then(Value::as_i64)
            .is_some_and(|number| number < 0);
        if negative && !name.ends_with("_restriction") {
            invalid.add(name, "must be greater than or equal to 0");
        }
    }
    invalid.check()?;
    state.instance.settings.extend(changes);
    let rate = |kind: &str| {
        let of = |name: &str| format!("throttle_{kind}_api_{name}");
        let number = |name: &str| {
            let number = settings::number(&state, &of(name))?;
            u32::try_from(number).ok().filter(|number| *number > 0)
        };
        let on = settings::switch(&state, &of("enabled"));
        let rate = Rate {
            requests: number("requests_per_period")?,
            seconds: number("period_in_seconds")?,
        };
        on.then_some(rate)
    };
    ctx.shared
        .rate_limit
        .configure(rate("authenticated"), rate("unauthenticated"));
    Ok(Response::ok(&entity(ctx, &state)))
}

fn entity(ctx: &Ctx<'_>, state: &State) -> Value {
    let mut body = settings::all(state);
    let begin = state.users.get(1).map(|root| clock::iso(root.created_at));
    for (name, value) in [
        ("id", json!(1)),
        ("created_at", json!(begin)),
        ("updated_at", json!(clock::iso(ctx.now()))),
        (
            "signin_enabled",
            body["password_authentication_enabled_for_web"].clone(),
        ),
    ] {
        body.insert(name.to_owned(), value);
    }
    Value::Object(body)
}
