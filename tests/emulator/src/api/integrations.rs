//! Integrations of projects, also under their old name `services`: kept and shown, nothing is sent to other services.

use serde_json::{Map, Value, json};

use crate::access::Role;
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, delete, get, put};
use crate::store::State;
use crate::store::integrations::Integration;

const GUARD: Guard = Guard::Project(Role::Maintainer);

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/integrations", GUARD, index).paginated(),
    get("projects/:id/integrations/:slug", GUARD, show),
    put("projects/:id/integrations/:slug", GUARD, update).any_parameter(),
    delete("projects/:id/integrations/:slug", GUARD, destroy),
    get("projects/:id/services", GUARD, index).paginated(),
    get("projects/:id/services/:slug", GUARD, show),
    put("projects/:id/services/:slug", GUARD, update).any_parameter(),
    delete("projects/:id/services/:slug", GUARD, destroy),
];

/// An integration that GitLab has.
struct Kind {
    slug: &'static str,
    title: &'static str,
    required: &'static [&'static str],
    /// Never shown again.
    secret: &'static [&'static str],
}

const fn kind(
    slug: &'static str,
    title: &'static str,
    required: &'static [&'static str],
    secret: &'static [&'static str],
) -> Kind {
    Kind {
        slug,
        title,
        required,
        secret,
    }
}

const KINDS: &[Kind] = &[
    kind(
        "apple-app-store",
        "Apple App Store Connect",
        &[
            "app_store_issuer_id",
            "app_store_key_id",
            "app_store_private_key",
            "app_store_private_key_file_name",
        ],
        &["app_store_private_key"],
    ),
    kind("asana", "Asana", &["api_key"], &["api_key"]),
    kind("assembla", "Assembla", &["token"], &["token"]),
    kind(
        "bamboo",
        "Atlassian Bamboo",
        &["bamboo_url", "build_key", "username", "password"],
        &["password"],
    ),
    kind(
        "bugzilla",
        "Bugzilla",
        &["project_url", "issues_url", "new_issue_url"],
        &[],
    ),
    kind(
        "buildkite",
        "Buildkite",
        &["token", "project_url"],
        &["token"],
    ),
    kind("campfire", "Campfire", &["token"], &["token"]),
    kind("clickup", "ClickUp", &["project_url", "issues_url"], &[]),
    kind(
        "confluence",
        "Confluence Workspace",
        &["confluence_url"],
        &[],
    ),
    kind(
        "custom-issue-tracker",
        "Custom issue tracker",
        &["project_url", "issues_url", "new_issue_url"],
        &[],
    ),
    kind("datadog", "Datadog", &["api_key"], &["api_key"]),
    kind(
        "diffblue-cover",
        "Diffblue Cover",
        &[
            "diffblue_license_key",
            "diffblue_access_token_name",
            "diffblue_access_token_secret",
        ],
        &["diffblue_license_key", "diffblue_access_token_secret"],
    ),
    kind(
        "discord",
        "Discord Notifications",
        &["webhook"],
        &["webhook"],
    ),
    kind("drone-ci", "Drone", &["token", "drone_url"], &["token"]),
    kind("emails-on-push", "Emails on push", &["recipients"], &[]),
    kind(
        "ewm",
        "EWM",
        &["project_url", "issues_url", "new_issue_url"],
        &[],
    ),
    kind(
        "external-wiki",
        "External wiki",
        &["external_wiki_url"],
        &[],
    ),
    kind("hangouts-chat", "Google Chat", &["webhook"], &["webhook"]),
    kind(
        "harbor",
        "Harbor",
        &["url", "project_name", "username", "password"],
        &["password"],
    ),
    kind("irker", "irker (IRC gateway)", &["recipients"], &[]),
    kind(
        "jenkins",
        "Jenkins",
        &["jenkins_url", "project_name"],
        &["password"],
    ),
    kind("jira", "Jira", &["url", "password"], &["password"]),
    kind("jira-cloud-app", "GitLab for Jira Cloud app", &[], &[]),
    kind(
        "matrix",
        "Matrix notifications",
        &["token", "room"],
        &["token"],
    ),
    kind(
        "mattermost",
        "Mattermost notifications",
        &["webhook"],
        &["webhook"],
    ),
    kind(
        "mattermost-slash-commands",
        "Mattermost slash commands",
        &["token"],
        &["token"],
    ),
    kind(
        "microsoft-teams",
        "Microsoft Teams notifications",
        &["webhook"],
        &["webhook"],
    ),
    kind("mock-ci", "MockCI", &["mock_service_url"], &[]),
    kind("packagist", "Packagist", &["username", "token"], &["token"]),
    kind("phorge", "Phorge", &["project_url", "issues_url"], &[]),
    kind(
        "pipelines-email",
        "Pipeline status emails",
        &["recipients"],
        &[],
    ),
    kind("pivotaltracker", "Pivotal Tracker", &["token"], &["token"]),
    kind("prometheus", "Prometheus", &["api_url"], &[]),
    kind("pumble", "Pumble", &["webhook"], &["webhook"]),
    kind(
        "pushover",
        "Pushover",
        &["api_key", "user_key", "priority"],
        &["api_key", "user_key"],
    ),
    kind(
        "redmine",
        "Redmine",
        &["project_url", "issues_url", "new_issue_url"],
        &[],
    ),
    kind("slack", "Slack notifications", &["webhook"], &["webhook"]),
    kind(
        "slack-slash-commands",
        "Slack slash commands",
        &["token"],
        &["token"],
    ),
    kind("squash-tm", "Squash TM", &["url"], &["token"]),
    kind(
        "teamcity",
        "JetBrains TeamCity",
        &["teamcity_url", "build_type", "username", "password"],
        &["password"],
    ),
    kind("telegram", "Telegram", &["token", "room"], &["token"]),
    kind("unify-circuit", "Unify Circuit", &["webhook"], &["webhook"]),
    kind("webex-teams", "Webex Teams", &["webhook"], &["webhook"]),
    kind("youtrack", "YouTrack", &["project_url", "issues_url"], &[]),
    kind(
        "zentao",
        "ZenTao",
        &["url", "api_token", "zentao_product_xid"],
        &["api_token"],
    ),
];

/// The events that every integration can listen to, and whether it does without being told.
const EVENTS: &[(&str, bool)] = &[
    ("commit_events", true),
    ("push_events", true),
    ("issues_events", true),
    ("alert_events", true),
    ("incident_events", false),
    ("confidential_issues_events", true),
    ("merge_requests_events", true),
    ("tag_push_events", true),
    ("deployment_events", false),
    ("note_events", true),
    ("confidential_note_events", true),
    ("pipeline_events", true),
    ("wiki_page_events", true),
    ("job_events", true),
    ("comment_on_event_enabled", true),
    ("inherited", false),
];

/// The active ones.
fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state.integrations.iter();
    ctx.page(
        own.filter(|row| row.project_id == ctx.project() && row.active),
        basic,
    )
}

fn show(ctx: &Ctx<'_>) -> Answer {
    let kind = kind_of_path(ctx)?;
    let state = ctx.state();
    let row = find(ctx, &state).ok_or_else(|| ApiError::not_found("Integration"))?;
    Ok(Response::ok(&entity(kind, row)))
}

/// Makes it, or changes what is there; it is active afterwards unless the request says otherwise.
fn update(ctx: &Ctx<'_>) -> Answer {
    let kind = kind_of_path(ctx)?;
    let mut state = ctx.state();
    let old = find(ctx, &state).cloned();
    let missing: Vec<String> = kind
        .required
        .iter()
        .filter(|name| {
            !ctx.given(name)
                && old
                    .as_ref()
                    .is_none_or(|row| !row.properties.contains_key(**name))
        })
        .map(|name| format!("{name} is missing"))
        .collect();
    if !missing.is_empty() {
        return Err(ApiError::error(400, missing.join(", ")));
    }
    let now = ctx.now();
    let id = match &old {
        Some(row) => row.id,
        None => state.integrations.insert(|id| Integration {
            id,
            project_id: ctx.project(),
            slug: kind.slug,
            title: kind.title,
            active: true,
            created_at: now,
            updated_at: now,
            events: EVENTS.iter().copied().collect(),
            properties: Map::new(),
        }),
    };
    let row = state.integrations.get_mut(id);
    let row = row.ok_or_else(ApiError::internal)?;
    (row.active, row.updated_at) = (true, now);
    for (name, value) in ctx.values() {
        let event = EVENTS.iter().find(|(event, _)| event == name);
        let truth = value.as_bool().or_else(|| value.as_str()?.parse().ok());
        match (event, truth) {
            (Some((event, _)), Some(wanted)) => {
                row.events.insert(*event, wanted);
            }
            (None, Some(wanted)) if name == "active" => row.active = wanted,
            (Some(_), None) => {
                return Err(ApiError::error(400, format!("{name} is invalid")));
            }
            (None, _) => {
                row.properties.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(Response::ok(&entity(kind, row)))
}

/// Switched off and forgotten, but the row stays, as on a real server.
fn destroy(ctx: &Ctx<'_>) -> Answer {
    kind_of_path(ctx)?;
    let mut state = ctx.state();
    let id = find(ctx, &state)
        .map(|row| row.id)
        .ok_or_else(|| ApiError::not_found("Integration"))?;
    if let Some(row) = state.integrations.get_mut(id) {
        row.active = false;
        row.properties.clear();
    }
    Ok(Response::no_content())
}

fn kind_of_path(ctx: &Ctx<'_>) -> Result<&'static Kind, ApiError> {
    let slug = ctx.path("slug");
    let kind = KINDS.iter().find(|kind| kind.slug == slug);
    kind.ok_or_else(|| ApiError::error(400, "slug does not have a valid value"))
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Option<&'a Integration> {
    let mut own = state.integrations.iter();
    own.find(|row| row.project_id == ctx.project() && row.slug == ctx.path("slug"))
}

fn basic(row: &Integration) -> Value {
    let mut body = json!({
        "id": row.id,
        "title": row.title,
        "slug": row.slug,
        "created_at": clock::iso(row.created_at),
        "updated_at": clock::iso(row.updated_at),
        "active": row.active,
        "vulnerability_events": Value::Null,
    });
    for (name, on) in &row.events {
        body[*name] = json!(on);
    }
    body
}

fn entity(kind: &Kind, row: &Integration) -> Value {
    let mut body = basic(row);
    let properties = row.properties.iter();
    let shown: Map<String, Value> = properties
        .filter(|(name, _)| !kind.secret.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    body["properties"] = Value::Object(shown);
    body
}
