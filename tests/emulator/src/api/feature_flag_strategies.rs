//! The strategies of feature flags: what callers send of them, and what GitLab finds wrong with them.

use serde_json::{Map, Value};

use crate::errors::ApiError;
use crate::store::State;
use crate::store::feature_flags::{FeatureFlag, Scope, Strategy};

const USER_LIST: &str = "gitlabUserList";
const STICKINESS: &[&str] = &["default", "userId", "sessionId", "random"];

/// Adds, changes and removes the strategies that were sent; those that are not mentioned stay.
pub(super) fn apply(
    state: &mut State,
    flag: &mut FeatureFlag,
    sent: &[Value],
) -> Result<(), ApiError> {
    for item in sent {
        let at = position(item, flag.strategies.iter().map(|strategy| strategy.id))?;
        if is_removal(item) {
            at.map(|at| flag.strategies.remove(at));
            continue;
        }
        let mut strategy = at.map_or_else(
            || Strategy {
                id: state.next_strategy_part(),
                name: String::new(),
                parameters: Map::new(),
                scopes: Vec::new(),
                user_list: None,
            },
            |at| flag.strategies[at].clone(),
        );
        change(state, flag.project_id, &mut strategy, item)?;
        match at {
            Some(at) => flag.strategies[at] = strategy,
            None => flag.strategies.push(strategy),
        }
    }
    Ok(())
}

fn change(
    state: &mut State,
    project: u64,
    strategy: &mut Strategy,
    item: &Value,
) -> Result<(), ApiError> {
    if let Some(name) = item["name"].as_str() {
        if strategy.name == USER_LIST && name != USER_LIST {
            strategy.user_list = None;
        }
        name.clone_into(&mut strategy.name);
    }
    match &item["parameters"] {
        Value::Object(parameters) => strategy.parameters = parameters.clone(),
        Value::String(text) => {
            strategy.parameters = serde_json::from_str(text)
                .ok()
                .ok_or_else(|| ApiError::error(400, "strategies[0][parameters] is invalid"))?;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
    }
    if let Some(id) = number(&item["user_list_id"]) {
        if !state.user_lists_of(project).any(|list| list.id == id) {
            return Err(ApiError::message(404, "Not Found"));
        }
        strategy.user_list = Some(id);
    }
    for sent in item["scopes"].as_array().into_iter().flatten() {
        let at = position(sent, strategy.scopes.iter().map(|scope| scope.id))?;
        if is_removal(sent) {
            at.map(|at| strategy.scopes.remove(at));
            continue;
        }
        let name = sent["environment_scope"].as_str();
        match at {
            Some(at) => {
                if let Some(name) = name {
                    name.clone_into(&mut strategy.scopes[at].environment_scope);
                }
            }
            None => strategy.scopes.push(Scope {
                id: state.next_strategy_part(),
                environment_scope: name.unwrap_or("*").to_owned(),
            }),
        }
    }
    Ok(())
}

/// Where the part with the id that was sent is; nowhere if none was sent, an error if there is no such part.
fn position(item: &Value, mut ids: impl Iterator<Item = u64>) -> Result<Option<usize>, ApiError> {
    let Some(id) = number(&item["id"]) else {
        return Ok(None);
    };
    let at = ids.position(|known| known == id);
    at.map(Some).ok_or_else(ApiError::not_found_plain)
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn is_removal(item: &Value) -> bool {
    item["_destroy"] == true || item["_destroy"] == "true" || item["_destroy"] == 1
}

/// What is wrong with a strategy, as sentences about the flag.
pub(super) fn faults(strategy: &Strategy) -> Vec<&'static str> {
    let keys: &[&str] = match strategy.name.as_str() {
        "default" | USER_LIST => &[],
        "gradualRolloutUserId" => &["groupId", "percentage"],
        "flexibleRollout" => &["groupId", "rollout", "stickiness"],
        "userWithId" => &["userIds"],
        _ => return vec!["Strategies name strategy name is invalid"],
    };
    let mut wrong = Vec::new();
    let given = &strategy.parameters;
    let text = |key: &str| given.get(key).and_then(Value::as_str);
    if given.len() != keys.len() || !keys.iter().all(|key| given.contains_key(*key)) {
        wrong.push("Strategies parameters parameters are invalid");
    } else {
        if keys.contains(&"stickiness")
            && !text("stickiness").is_some_and(|stick| STICKINESS.contains(&stick))
        {
            wrong.push("Strategies parameters stickiness parameter must be default, userId, sessionId, or random");
        }
        if keys.contains(&"percentage") && !is_percentage(text("percentage")) {
            wrong.push(
                "Strategies parameters percentage must be a string between 0 and 100 inclusive",
            );
        }
        let is_group = |id: &str| {
            matches!(id.len(), 1..=32) && id.bytes().all(|letter| letter.is_ascii_lowercase())
        };
        if keys.contains(&"groupId") && !text("groupId").is_some_and(is_group) {
            wrong.push("Strategies parameters groupId parameter is invalid");
        }
        if keys.contains(&"rollout") && !is_percentage(text("rollout")) {
            wrong
                .push("Strategies parameters rollout must be a string between 0 and 100 inclusive");
        }
        if keys.contains(&"userIds") && !text("userIds").is_some_and(are_user_ids) {
            wrong.push("Strategies parameters userIds must be a string of unique comma separated values each 256 characters or less");
        }
    }
    if strategy.name == USER_LIST && strategy.user_list.is_none() {
        wrong.push("Strategies user list can't be blank");
    }
    if strategy.name != USER_LIST && strategy.user_list.is_some() {
        wrong.push("Strategies user list must be blank");
    }
    wrong
}

fn is_percentage(text: Option<&str>) -> bool {
    text.filter(|text| text.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|text| text.parse::<u64>().ok())
        .is_some_and(|number| number <= 100)
}

/// Does the text name users by ids between commas, each of them once?
pub(super) fn are_user_ids(text: &str) -> bool {
    let ids: Vec<&str> = text.trim_end_matches(',').split(',').collect();
    let fine = |id: &&str| !id.is_empty() && id.trim() == *id && id.chars().count() <= 256;
    let once = |(at, id): (usize, &&str)| !ids[..at].contains(id);
    text.is_empty()
        || !text.contains(['\n', '\r', '\t'])
            && !text.contains(",,")
            && ids.iter().all(fine)
            && ids.iter().enumerate().all(once)
}
