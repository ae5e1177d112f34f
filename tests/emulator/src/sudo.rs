//! `sudo`: an administrator acts as somebody else, by query, form, JSON body or header.

use serde_json::{Value, json};

use crate::auth::{self, Caller};
use crate::errors::ApiError;
use crate::message::Request;
use crate::store::State;

/// The user name or id that a request wants to act as.
pub(crate) fn wish(request: &Request) -> Option<String> {
    let pairs = request.query_pairs().into_iter();
    let mut pairs = pairs.chain(auth::form_pairs(request));
    pairs
        .find(|(name, _)| name == "sudo")
        .map(|(_, value)| value)
        .or_else(|| in_json(request))
        .or_else(|| request.header("sudo").map(str::to_owned))
        .filter(|wish| !wish.is_empty())
}

fn in_json(request: &Request) -> Option<String> {
    let is_json = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    let body: Value = serde_json::from_slice(&request.body)
        .ok()
        .filter(|_| is_json)?;
    match body.get("sudo")? {
        Value::String(name) => Some(name.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The caller in the place of the user asked for: administrators only, with a token of scope `sudo`.
pub(crate) fn impersonated(state: &State, caller: Caller, wish: &str) -> Result<Caller, ApiError> {
    let Caller::User {
        user,
        token,
        scopes,
    } = caller
    else {
        return Ok(caller);
    };
    let admin = state.users.get(user).is_some_and(|user| user.admin);
    if !admin {
        return Err(ApiError::forbidden_because("Must be admin to use sudo"));
    }
    if !scopes.iter().any(|scope| scope == "sudo") {
        return Err(ApiError::body(
            403,
            json!({
                "error": "insufficient_scope",
                "error_description": "The request requires higher privileges than provided by the access token.",
                "scope": "sudo",
            }),
        ));
    }
    let other = match wish.parse() {
        Ok(id) => state.users.get(id),
        Err(_) => state.user_named(wish),
    };
    let other =
        other.ok_or_else(|| ApiError::not_found(&format!("User with ID or username '{wish}'")))?;
    Ok(Caller::User {
        user: other.id,
        token,
        scopes,
    })
}
