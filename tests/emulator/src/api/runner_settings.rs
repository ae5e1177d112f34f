//! What may be set on a runner, whoever sets it.

use crate::ctx::Ctx;
use crate::errors::{ApiError, Invalid};
use crate::router::{Param, boolean, integer, list, one_of, string};
use crate::store::runners::Runner;

/// The settings.
pub(super) const PARAMS: &[Param] = &[
    string("description"),
    string("maintenance_note"),
    boolean("active"),
    boolean("paused"),
    boolean("locked"),
    one_of("access_level", &["not_protected", "ref_protected"]),
    boolean("run_untagged"),
    list("tag_list"),
    integer("maximum_timeout"),
];

/// `active` is the old name of the opposite of `paused`.
pub(super) fn check_exclusive(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    if ctx.given("active") && ctx.given("paused") {
        return Err(ApiError::error(
            400,
            "active, paused are mutually exclusive",
        ));
    }
    Ok(())
}

/// `400` unless at least one setting is given.
pub(super) fn check_given(ctx: &Ctx<'_>) -> Result<(), ApiError> {
    const NAMES: &[&str] = &[
        "description",
        "active",
        "paused",
        "tag_list",
        "run_untagged",
        "locked",
        "access_level",
        "maximum_timeout",
        "maintenance_note",
    ];
    if NAMES.iter().any(|name| ctx.given(name)) {
        return Ok(());
    }
    Err(ApiError::error(
        400,
        format!(
            "{} are missing, at least one parameter must be provided",
            NAMES.join(", ")
        ),
    ))
}

/// Sets what the request gives, and says what is wrong with the result.
pub(super) fn apply(ctx: &Ctx<'_>, runner: &mut Runner) -> Result<Invalid, ApiError> {
    let text = |name: &str| ctx.string(name).map(str::to_owned);
    if ctx.given("description") {
        runner.description = text("description");
    }
    if ctx.given("maintenance_note") {
        runner.maintenance_note = text("maintenance_note");
    }
    if let Some(active) = ctx.boolean("active") {
        runner.paused = !active;
    }
    if let Some(paused) = ctx.boolean("paused") {
        runner.paused = paused;
    }
    if let Some(locked) = ctx.boolean("locked") {
        runner.locked = locked;
    }
    if let Some(level) = ctx.string("access_level") {
        runner.protected = level == "ref_protected";
    }
    if let Some(run_untagged) = ctx.boolean("run_untagged") {
        runner.run_untagged = run_untagged;
    }
    if let Some(tags) = ctx.list("tag_list") {
        let tags = tags.iter().map(|tag| tag.trim().to_owned());
        runner.tags = tags.filter(|tag| !tag.is_empty()).collect();
        runner.tags.sort();
        runner.tags.dedup();
    }
    if ctx.given("maximum_timeout") {
        runner.maximum_timeout = ctx.integer("maximum_timeout");
    }
    let mut invalid = Invalid::default();
    if runner.tags.len() > 50 {
        invalid.add(
            "tags_list",
            "Too many tags specified. Please limit the number of tags to 50",
        );
    }
    if runner.tags.is_empty() && !runner.run_untagged {
        invalid.add(
            "tags_list",
            "can not be empty when runner is not allowed to pick untagged jobs",
        );
    }
    if runner.maximum_timeout.is_some_and(|most| most < 600) {
        invalid.add("maximum_timeout", "needs to be at least 10 minutes");
    }
    for (name, text) in [
        ("description", &runner.description),
        ("maintenance_note", &runner.maintenance_note),
    ] {
        if text
            .as_ref()
            .is_some_and(|text| text.chars().count() > 1024)
        {
            invalid.add(name, "is too long (maximum is 1024 characters)");
        }
    }
    Ok(invalid)
}
