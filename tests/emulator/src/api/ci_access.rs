//! Who may see pipelines and jobs.

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::store::projects::Visibility;

/// Reporters and above always; others when the project's jobs are public: members of any role, and for projects that are
/// not private everybody who may see them.
pub(super) fn may_read(ctx: &Ctx<'_>) -> bool {
    let access = ctx.access();
    if access.at_least(Role::Reporter) {
        return true;
    }
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    project.is_some_and(|project| {
        project.settings.public_jobs
            && (access.role.is_some() || project.visibility != Visibility::Private)
    })
}

/// `403` unless the caller may see pipelines and jobs of the project.
pub(super) fn check_reader(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    if may_read(ctx) {
        Ok(())
    } else {
        Err(ApiError::forbidden())
    }
}
