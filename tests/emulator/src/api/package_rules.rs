//! Protection rules of packages and of container repositories. There is no container registry to apply the latter to, as on a
//! server that was installed without one: its lists are empty.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, get, one_of, patch, post, string,
};
use crate::store::State;
use crate::store::package_rules::{PackageRule, RuleKind};

const READER: Guard = Guard::Project(Role::Reporter);
const KEEPER: Guard = Guard::Project(Role::Maintainer);
const LEVELS: &[&str] = &["maintainer", "owner", "admin"];
const LEVELS_OR_NONE: &[&str] = &["maintainer", "owner", "admin", ""];
const TYPE: Param = one_of(
    "package_type",
    &["conan", "maven", "npm", "pypi", "generic", "nuget", "helm"],
);
const PUSH: Param = one_of("minimum_access_level_for_push", LEVELS);
const DELETE: Param = one_of("minimum_access_level_for_delete", LEVELS_OR_NONE);
const TAGS: &[Param] = &[boolean("tags"), boolean("tags_count")];

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/packages/protection/rules", KEEPER, index),
    post("projects/:id/packages/protection/rules", KEEPER, create).params(&[
        string("package_name_pattern").required(),
        TYPE.required(),
        PUSH,
        DELETE,
    ]),
    patch(
        "projects/:id/packages/protection/rules/:rule_id",
        KEEPER,
        update,
    )
    .params(&[string("package_name_pattern"), TYPE, PUSH, DELETE]),
    delete(
        "projects/:id/packages/protection/rules/:rule_id",
        KEEPER,
        destroy,
    ),
    get(
        "projects/:id/registry/protection/repository/rules",
        KEEPER,
        index,
    ),
    post(
        "projects/:id/registry/protection/repository/rules",
        KEEPER,
        create,
    )
    .params(&[
        string("repository_path_pattern").required(),
        one_of("minimum_access_level_for_push", LEVELS_OR_NONE),
        DELETE,
    ]),
    patch(
        "projects/:id/registry/protection/repository/rules/:rule_id",
        KEEPER,
        update,
    )
    .params(&[
        string("repository_path_pattern"),
        one_of("minimum_access_level_for_push", LEVELS_OR_NONE),
        DELETE,
    ]),
    delete(
        "projects/:id/registry/protection/repository/rules/:rule_id",
        KEEPER,
        destroy,
    ),
    get(
        "projects/:id/registry/repositories",
        READER,
        no_repositories,
    )
    .params(TAGS)
    .paginated(),
    get(
        "groups/:id/registry/repositories",
        Guard::Group(Role::Reporter),
        no_repositories,
    )
    .paginated(),
];

fn no_repositories(ctx: &Ctx<'_>) -> Answer {
    ctx.page(Vec::new(), |nothing: Value| nothing)
}

/// The kind of rule that the path is about, and the name of its pattern.
fn kind(ctx: &Ctx<'_>) -> (RuleKind, &'static str) {
    // `api`, `v4`, `projects`, the project, then the kind.
    match ctx.request.segments.get(4).map(String::as_str) {
        Some("registry") => (RuleKind::ContainerRepository, "repository_path_pattern"),
        Some(_) | None => (RuleKind::Package, "package_name_pattern"),
    }
}

fn index(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let rules = state.package_rules_of(ctx.project(), kind(ctx).0);
    Ok(Response::ok(&rules.map(entity).collect()))
}

fn create(ctx: &Ctx<'_>) -> Answer {
    let project_id = ctx.project();
    let rule = changed(
        ctx,
        PackageRule {
            id: 0,
            project_id,
            kind: kind(ctx).0,
            pattern: String::new(),
            package_type: String::new(),
            for_push: None,
            for_delete: None,
        },
    );
    let mut state = ctx.state();
    check(ctx, &state, &rule)?;
    let id = state.package_rules.insert(|id| PackageRule { id, ..rule });
    let rule = state.package_rules.get(id).ok_or_else(ApiError::internal)?;
    Ok(Response::created(&entity(rule)))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let rule = changed(ctx, find(ctx, &state)?.clone());
    check(ctx, &state, &rule)?;
    if let Some(stored) = state.package_rules.get_mut(rule.id) {
        stored.clone_from(&rule);
    }
    Ok(Response::ok(&entity(&rule)))
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let mut state = ctx.state();
    let id = find(ctx, &state)?.id;
    state.package_rules.remove(id);
    Ok(Response::no_content())
}

fn find<'a>(ctx: &Ctx<'_>, state: &'a State) -> Result<&'a PackageRule, ApiError> {
    let id = ctx.path_number("rule_id")?;
    state
        .package_rules_of(ctx.project(), kind(ctx).0)
        .find(|rule| rule.id == id)
        .ok_or_else(ApiError::not_found_plain)
}

fn changed(ctx: &Ctx<'_>, mut rule: PackageRule) -> PackageRule {
    if let Some(pattern) = ctx.string(kind(ctx).1) {
        pattern.clone_into(&mut rule.pattern);
    }
    if let Some(package_type) = ctx.string("package_type") {
        package_type.clone_into(&mut rule.package_type);
    }
    for (name, field) in [
        ("minimum_access_level_for_push", &mut rule.for_push),
        ("minimum_access_level_for_delete", &mut rule.for_delete),
    ] {
        if ctx.given(name) {
            let level = ctx.string(name).filter(|level| !level.is_empty());
            *field = level.map(str::to_owned);
        }
    }
    rule
}

fn check(ctx: &Ctx<'_>, state: &State, rule: &PackageRule) -> Result<(), ApiError> {
    let refused = |text: &str| {
        let body = json!({ "message": { "error": [text] } });
        Err(ApiError::body(422, body))
    };
    let name = match rule.kind {
        RuleKind::Package => "Package name pattern",
        RuleKind::ContainerRepository => "Repository path pattern",
    };
    let taken = state
        .package_rules_of(ctx.project(), rule.kind)
        .any(|other| {
            other.id != rule.id
                && other.pattern == rule.pattern
                && other.package_type == rule.package_type
        });
    if taken {
        return refused(&format!("{name} has already been taken"));
    }
    if rule.for_push.is_none() && rule.for_delete.is_none() {
        return refused("A rule must have at least a minimum access role for push or delete.");
    }
    Ok(())
}

fn entity(rule: &PackageRule) -> Value {
    let mut body = json!({
        "id": rule.id,
        "project_id": rule.project_id,
        "minimum_access_level_for_push": rule.for_push,
        "minimum_access_level_for_delete": rule.for_delete,
    });
    match rule.kind {
        RuleKind::Package => {
            body["package_name_pattern"] = json!(rule.pattern);
            body["package_type"] = json!(rule.package_type);
        }
        RuleKind::ContainerRepository => body["repository_path_pattern"] = json!(rule.pattern),
    }
    body
}
