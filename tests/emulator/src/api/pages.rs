//! The settings and domains of the pages of projects; the pages themselves are not served.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::message::Response;
use crate::router::{Answer, Guard, Param, Route, boolean, delete, get, patch, post, put, string};
use crate::secret;
use crate::store::State;
use crate::store::pages::{PagesDomain, PagesSettings};

use super::overlay::overlaid;

const GUARD: Guard = Guard::Project(Role::Maintainer);
const SETTINGS: &[Param] = &[
    boolean("pages_unique_domain_enabled"),
    boolean("pages_https_only"),
    string("pages_primary_domain"),
];
const DOMAIN: &[Param] = &[
    string("certificate"),
    string("key"),
    boolean("auto_ssl_enabled"),
];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/pages", GUARD, show),
    patch("projects/:id/pages", GUARD, update).params(SETTINGS),
    delete("projects/:id/pages", GUARD, remove),
    get("pages/domains", Guard::Admin, all_domains).paginated(),
    get("projects/:id/pages/domains", GUARD, domains).paginated(),
    get("projects/:id/pages/domains/:domain", GUARD, domain),
    post("projects/:id/pages/domains", GUARD, add_domain)
        .refuses(&["user_provided_certificate", "user_provided_key"])
        .params(&[string("domain").required()])
        .also(DOMAIN),
    put("projects/:id/pages/domains/:domain", GUARD, edit_domain).params(DOMAIN),
    put(
        "projects/:id/pages/domains/:domain/verify",
        GUARD,
        verify_domain,
    ),
    delete("projects/:id/pages/domains/:domain", GUARD, remove_domain),
];

fn show(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&entity(ctx, &ctx.state())?))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let old = state.pages.get(&ctx.project()).cloned();
    let settings = overlaid(ctx, &old.unwrap_or_default(), SETTINGS)?;
    state.pages.insert(ctx.project(), settings);
    Ok(Response::ok(&entity(ctx, &state)?))
}

fn remove(ctx: &Ctx<'_>) -> Answer {
    ctx.state().pages.remove(&ctx.project());
    Ok(Response::no_content())
}

fn entity(ctx: &Ctx<'_>, state: &State) -> Result<Value, ApiError> {
    let project = state.projects.get(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    let settings: PagesSettings = state.pages.get(&project.id).cloned().unwrap_or_default();
    let path = state.project_path(project);
    Ok(json!({
        "url": format!("{}/-/pages/{path}", ctx.url()),
        "is_unique_domain_enabled": settings.pages_unique_domain_enabled,
        "force_https": settings.pages_https_only,
        "deployments": [],
        "primary_domain": settings.pages_primary_domain,
    }))
}

fn all_domains(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    ctx.page(state.pages_domains.iter(), |row| {
        let mut body = domain_entity(row);
        body["project_id"] = json!(row.project_id);
        body
    })
}

fn domains(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state.pages_domains.iter();
    ctx.page(
        own.filter(|row| row.project_id == ctx.project()),
        domain_entity,
    )
}

fn domain(ctx: &Ctx<'_>) -> Answer {
    Ok(Response::ok(&domain_entity(find(ctx, &ctx.state())?)))
}

fn add_domain(ctx: &Ctx<'_>) -> Answer {
    let name = ctx.string("domain").unwrap_or_default().to_lowercase();
    let mut state = ctx.state();
    let mut invalid = Invalid::default();
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-');
    if name.is_empty() || !name.contains('.') || !name.chars().all(allowed) {
        invalid.add("domain", "is invalid");
    }
    if state.pages_domains.iter().any(|row| row.domain == name) {
        invalid.add("domain", "has already been taken");
    }
    invalid.check()?;
    let id = state.pages_domains.insert(|id| PagesDomain {
        id,
        project_id: ctx.project(),
        domain: name,
        verification_code: secret::fresh(""),
        auto_ssl_enabled: ctx.boolean("auto_ssl_enabled").unwrap_or(false),
        certificate: ctx.string("certificate").map(str::to_owned),
        created_at: ctx.now(),
    });
    let row = state.pages_domains.get(id);
    Ok(Response::created(&domain_entity(
        row.ok_or_else(ApiError::internal)?,
    )))
}

fn edit_domain(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    let row = state.pages_domains.get_mut(id);
    let row = row.ok_or_else(ApiError::internal)?;
    row.auto_ssl_enabled = ctx
        .boolean("auto_ssl_enabled")
        .unwrap_or(row.auto_ssl_enabled);
    if ctx.given("certificate") {
        row.certificate = ctx.string("certificate").map(str::to_owned);
    }
    Ok(Response::ok(&domain_entity(row)))
}

/// No name server is asked, so no domain is ever found to be one's own.
fn verify_domain(ctx: &Ctx<'_>) -> Answer {
    find(ctx, &ctx.state())?;
    Err(ApiError::message(422, "Couldn't verify the domain"))
}

fn remove_domain(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.pages_domains.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a PagesDomain, ApiError> {
    let mut own = state.pages_domains.iter();
    own.find(|row| row.project_id == ctx.project() && row.domain == ctx.path("domain"))
        .ok_or_else(|| ApiError::not_found("PagesDomain"))
}

fn domain_entity(row: &PagesDomain) -> Value {
    let mut body = json!({
        "domain": row.domain,
        "url": format!("http://{}", row.domain),
        "verified": false,
        "verification_code": row.verification_code,
        "enabled_until": Value::Null,
        "auto_ssl_enabled": row.auto_ssl_enabled,
    });
    if let Some(certificate) = &row.certificate {
        body["certificate"] = json!({
            "subject": format!("/CN={}", row.domain),
            "expired": false,
            "certificate": certificate,
            "certificate_text": certificate,
        });
    }
    body
}
