//! The job token scope: which other projects' job tokens may call a project.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, boolean, delete, get, integer, patch, post};
use crate::store::projects::Project;

use super::project_entity;

const GUARD: Guard = Guard::Project(Role::Maintainer);
/// The most projects, and the most groups, that a list may hold.
const LIMIT: usize = 200;

pub(super) const ROUTES: &[Route] = &[
    get("projects/:id/job_token_scope", GUARD, show),
    patch("projects/:id/job_token_scope", GUARD, update).params(&[boolean("enabled").required()]),
    get(
        "projects/:id/job_token_scope/allowlist",
        GUARD,
        list_projects,
    )
    .paginated(),
    post("projects/:id/job_token_scope/allowlist", GUARD, add_project)
        .params(&[integer("target_project_id").required()]),
    delete(
        "projects/:id/job_token_scope/allowlist/:target_project_id",
        GUARD,
        remove_project,
    ),
    get(
        "projects/:id/job_token_scope/groups_allowlist",
        GUARD,
        list_groups,
    )
    .paginated(),
    post(
        "projects/:id/job_token_scope/groups_allowlist",
        GUARD,
        add_group,
    )
    .params(&[integer("target_group_id").required()]),
    delete(
        "projects/:id/job_token_scope/groups_allowlist/:target_group_id",
        GUARD,
        remove_group,
    ),
];

fn show(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    Ok(Response::ok(&json!({
        "inbound_enabled": state.limits_job_tokens(project),
        "outbound_enabled": project.settings.ci_job_token_scope_enabled,
    })))
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let enabled = ctx
        .boolean("enabled")
        .ok_or_else(|| ApiError::error(400, "enabled is empty"))?;
    with_project(ctx, |project| {
        project.job_token_scope_enabled = enabled;
        Ok(Response::no_content())
    })
}

fn list_projects(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state.projects.get(ctx.project());
    let listed = own.into_iter().flat_map(|own| &own.job_token_allowlist);
    let listed = listed.filter_map(|id| state.projects.get(*id));
    ctx.page(own.into_iter().chain(listed), |project| {
        Value::Object(project_entity::simple(ctx, &state, project))
    })
}

fn add_project(ctx: &Ctx<'_>) -> Answer {
    let target = ctx.number("target_project_id").unwrap_or_default();
    // The caller must be able to see it, as for any project.
    let target = ctx.find_project(&target.to_string())?;
    with_project(ctx, |project| {
        if target == project.id || project.job_token_allowlist.contains(&target) {
            return Err(ApiError::bad_request(
                "This project is already in the job token allowlist.",
            ));
        }
        check_room(&project.job_token_allowlist)?;
        project.job_token_allowlist.push(target);
        let own = project.id;
        Ok(Response::created(
            &json!({ "source_project_id": own, "target_project_id": target }),
        ))
    })
}

fn remove_project(ctx: &Ctx<'_>) -> Answer {
    let target = ctx.path_number("target_project_id")?;
    with_project(ctx, |project| {
        if target == project.id {
            return Err(ApiError::bad_request(
                "Source project cannot be removed from the job token scope",
            ));
        }
        remove(
            &mut project.job_token_allowlist,
            target,
            "Target project is not in the job token scope",
        )
    })
}

fn list_groups(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let own = state.projects.get(ctx.project()).into_iter();
    let listed = own
        .flat_map(|own| &own.job_token_group_allowlist)
        .filter_map(|id| state.groups.get(*id));
    ctx.page(listed, |group| {
        json!({
            "id": group.id,
            "web_url": format!("{}/groups/{}", ctx.url(), state.namespace_path(group.id)),
            "name": group.name,
        })
    })
}

fn add_group(ctx: &Ctx<'_>) -> Answer {
    let target = ctx.number("target_group_id").unwrap_or_default();
    let target = ctx.find_group(&target.to_string())?;
    with_project(ctx, |project| {
        if project.job_token_group_allowlist.contains(&target) {
            return Err(ApiError::bad_request(
                "This group is already in the job token allowlist.",
            ));
        }
        check_room(&project.job_token_group_allowlist)?;
        project.job_token_group_allowlist.push(target);
        let own = project.id;
        Ok(Response::created(
            &json!({ "source_project_id": own, "target_group_id": target }),
        ))
    })
}

fn remove_group(ctx: &Ctx<'_>) -> Answer {
    let target = ctx.path_number("target_group_id")?;
    with_project(ctx, |project| {
        remove(
            &mut project.job_token_group_allowlist,
            target,
            "Target group is not in the job token scope",
        )
    })
}

fn with_project(ctx: &Ctx<'_>, work: impl FnOnce(&mut Project) -> Answer) -> Answer {
    let mut state = ctx.state();
    let project = state.projects.get_mut(ctx.project());
    work(project.ok_or_else(|| ApiError::not_found("Project"))?)
}

fn check_room(list: &[u64]) -> Result<(), ApiError> {
    if list.len() < LIMIT {
        return Ok(());
    }
    Err(ApiError::bad_request(&format!(
        "exceeds the limit of {LIMIT} entries in the job token allowlist"
    )))
}

fn remove(list: &mut Vec<u64>, target: u64, missing: &str) -> Answer {
    let before = list.len();
    list.retain(|id| *id != target);
    if list.len() == before {
        return Err(ApiError::bad_request(missing));
    }
    Ok(Response::no_content())
}
