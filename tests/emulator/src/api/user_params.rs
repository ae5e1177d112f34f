//! The parameters that creating and editing a user have in common, and what they do to the row.

use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::router::{Param, boolean, integer, string};
use crate::store::State;
use crate::store::profiles::Identity;
use crate::store::users::User;

use super::avatars;
use super::overlay::overlaid;

/// Fields of `Profile`.
pub(super) const PROFILE: &[Param] = &[
    string("bio"),
    string("location"),
    string("skype"),
    string("linkedin"),
    string("twitter"),
    string("discord"),
    string("github"),
    string("website_url"),
    string("organization"),
    string("job_title"),
    string("pronouns"),
    string("public_email"),
    string("commit_email"),
    string("note"),
    boolean("external"),
    boolean("private_profile"),
    boolean("can_create_group"),
    integer("projects_limit"),
    integer("theme_id"),
    integer("color_scheme_id"),
    boolean("view_diffs_file_by_file"),
];
/// What is not in `Profile`.
pub(super) const OTHERS: &[Param] = &[
    boolean("admin"),
    string("extern_uid"),
    string("provider"),
    avatars::AVATAR,
];

/// Changes a row that has its name and addresses already.
pub(super) fn apply(ctx: &Ctx<'_>, state: &mut State, id: u64) -> Result<(), ApiError> {
    let avatar = avatars::wished(ctx)?;
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    let profile = overlaid(ctx, &user.profile, PROFILE)?;
    let mut invalid = Invalid::default();
    for (name, wish) in [
        ("public_email", &profile.public_email),
        ("commit_email", &profile.commit_email),
    ] {
        let owned = |address: &String| {
            address.is_empty()
                || address == "_private"
                || *address == user.email
                || state
                    .belongings
                    .emails
                    .iter()
                    .any(|email| email.user_id == id && email.email == *address)
        };
        if wish.as_ref().is_some_and(|address| !owned(address)) {
            invalid.add(name, "is not an email you own");
        }
    }
    invalid.check()?;
    let user = state.users.get_mut(id).ok_or_else(ApiError::internal)?;
    user.profile = profile;
    user.admin = ctx.boolean("admin").unwrap_or(user.admin);
    if let Some(avatar) = avatar {
        user.avatar = avatar;
    }
    identify(ctx, user)
}

fn identify(ctx: &Ctx<'_>, user: &mut User) -> Result<(), ApiError> {
    let (Some(provider), Some(extern_uid)) = (ctx.string("provider"), ctx.string("extern_uid"))
    else {
        if ctx.string("provider").is_some() || ctx.string("extern_uid").is_some() {
            return Err(ApiError::error(
                400,
                "extern_uid, provider provide all or none of parameters",
            ));
        }
        return Ok(());
    };
    user.identities
        .retain(|identity| identity.provider != provider);
    user.identities.push(Identity {
        provider: provider.to_owned(),
        extern_uid: extern_uid.to_owned(),
    });
    Ok(())
}
