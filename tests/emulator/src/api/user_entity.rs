//! A user as the API writes it, by who looks.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::clock;
use crate::store::State;
use crate::store::users::User;

/// The short form that appears as author, assignee and so on.
pub(crate) fn basic(user: &User, url: &str) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "public_email": user.profile.public_email,
        "name": user.name,
        "state": user.state,
        "locked": false,
        "avatar_url": avatar_url(user, url),
        "web_url": format!("{url}/{}", user.username),
    })
}

/// The address of the user's picture, or of the one that Gravatar draws for the email address, as GitLab has it by default.
pub(super) fn avatar_url(user: &User, url: &str) -> String {
    user.avatar.as_ref().map_or_else(
        || gravatar(&user.email, GRAVATAR_SIZE),
        |avatar| avatar.address(url, "user", user.id),
    )
}

/// GitLab asks for 40 pixels, twice as fine.
const GRAVATAR_SIZE: i64 = 80;

/// Where Gravatar draws a picture for an email address.
pub(super) fn gravatar(email: &str, size: i64) -> String {
    let hash: String = Sha256::digest(email.trim().to_lowercase())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("https://www.gravatar.com/avatar/{hash}?s={size}&d=identicon")
}

/// The short form of a user by id; null for one that is gone.
pub(crate) fn basic_by_id(state: &State, id: u64, url: &str) -> Value {
    state
        .users
        .get(id)
        .map_or(Value::Null, |user| basic(user, url))
}

/// The form other users see. `viewer` is who looks.
pub(super) fn public(state: &State, user: &User, viewer: Option<u64>, url: &str) -> Value {
    let mut entity = object(basic(user, url));
    let profile = &user.profile;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let work = match (&profile.job_title, &profile.organization) {
        (Some(job), Some(place)) => Some(format!("{job} at {place}")),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    };
    let following = state
        .users
        .iter()
        .filter(|other| other.followers.contains(&user.id));
    entity.extend(object(json!({
        "created_at": clock::iso(user.created_at),
        "bio": text(&profile.bio),
        "location": text(&profile.location),
        "linkedin": text(&profile.linkedin),
        "twitter": text(&profile.twitter),
        "discord": text(&profile.discord),
        "website_url": text(&profile.website_url),
        "github": text(&profile.github),
        "job_title": text(&profile.job_title),
        "pronouns": profile.pronouns,
        "organization": text(&profile.organization),
        "bot": user.bot,
        "work_information": work,
        "local_time": Value::Null,
        "followers": user.followers.len(),
        "following": following.count(),
        "is_followed": viewer.is_some_and(|viewer| user.followers.contains(&viewer)),
    })));
    Value::Object(entity)
}

/// The form users see of themselves.
pub(super) fn private(state: &State, user: &User, url: &str) -> Value {
    let mut entity = object(public(state, user, Some(user.id), url));
    let profile = &user.profile;
    let identities: Vec<Value> = user
        .identities
        .iter()
        .map(|identity| {
            json!({ "provider": identity.provider, "extern_uid": identity.extern_uid, "saml_provider_id": Value::Null })
        })
        .collect();
    entity.extend(object(json!({
        "last_sign_in_at": Value::Null,
        "confirmed_at": clock::iso(user.created_at),
        "last_activity_on": user.last_activity_on.map(|day| day.to_string()),
        "email": user.email,
        "theme_id": profile.theme_id,
        "color_scheme_id": profile.color_scheme_id,
        "projects_limit": profile.projects_limit,
        "current_sign_in_at": Value::Null,
        "identities": identities,
        "can_create_group": profile.can_create_group,
        "can_create_project": profile.projects_limit > 0,
        "two_factor_enabled": false,
        "external": profile.external,
        "private_profile": profile.private_profile.unwrap_or(false),
        "commit_email": profile.commit_email.as_ref().unwrap_or(&user.email),
        "preferred_language": "en",
    })));
    Value::Object(entity)
}

/// The form administrators see.
pub(super) fn for_admin(state: &State, user: &User, url: &str) -> Value {
    let mut entity = object(private(state, user, url));
    let created_by = user
        .created_by
        .map(|creator| basic_by_id(state, creator, url));
    entity.extend(object(json!({
        "is_admin": user.admin,
        "note": user.profile.note,
        "namespace_id": user.namespace_id,
        "created_by": created_by,
        "email_reset_offered_at": Value::Null,
        "highest_role": highest_role(state, user),
        "current_sign_in_ip": Value::Null,
        "last_sign_in_ip": Value::Null,
        "sign_in_count": 0,
    })));
    Value::Object(entity)
}

fn highest_role(state: &State, user: &User) -> i64 {
    let own = state
        .members
        .iter()
        .filter(|member| member.user_id == user.id);
    own.map(|member| member.role.level()).max().unwrap_or(0)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}
