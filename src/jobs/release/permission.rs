//! Whether somebody may release now: their role, and the freezes of the project and of GitLab.

use crate::domain::ids::{RoleName, UserName};
use crate::domain::versioning::{CloseRefusal, Frozen, ThroughFreeze};
use crate::jobs::{Desk, observe};
use crate::outcome::Problem;
use crate::ports::Answer;

/// Whether a release is to go through a freeze, and why.
#[derive(Debug, Clone, Copy)]
pub struct Freezing<'a> {
    /// Whether it is.
    pub through: bool,
    /// Why.
    pub reason: Option<&'a str>,
}

/// How long a reason may be: it stands in the event, on the release and in messages.
const LONGEST_REASON: usize = 400;

/// Whether somebody is one of the people who may release.
pub(super) fn may_release(desk: &Desk<'_>, player: &UserName) -> Answer<bool> {
    is_one_of(desk, &desk.config.versions.released_by, player)
}

fn is_one_of(desk: &Desk<'_>, roles: &[RoleName], player: &UserName) -> Answer<bool> {
    Ok(roles.is_empty() || observe::people_of(desk, roles)?.contains(player))
}

/// A reason as it is kept.
///
/// # Errors
/// When there is none; `why` says what it is needed for.
pub(super) fn reason(given: Option<&str>, why: &str) -> Answer<String> {
    let given = given.unwrap_or_default().trim();
    if given.is_empty() {
        return Err(Problem::misconfigured(
            why,
            "add `--reason TEXT`; in a pipeline that is started by hand, fill in the input `trainyard_reason`",
        ));
    }
    Ok(given.chars().take(LONGEST_REASON).collect())
}

/// Who may release, and when, is the project's decision; GitLab's protection of the branch comes on top.
pub(super) fn allowed(
    desk: &Desk<'_>,
    player: &UserName,
    freezing: Freezing<'_>,
) -> Answer<Result<Option<ThroughFreeze>, CloseRefusal>> {
    let rules = &desk.config.versions;
    if !may_release(desk, player)? {
        let player = player.clone();
        return Ok(Err(CloseRefusal::NotAReleaseManager { player }));
    }
    let Some(frozen) = frozen(desk)? else {
        return Ok(Ok(None));
    };
    if !freezing.through {
        return Ok(Err(CloseRefusal::Frozen(frozen)));
    }
    if !is_one_of(desk, &rules.through_freezes_by, player)? {
        let player = player.clone();
        return Ok(Err(CloseRefusal::NotThroughFreezes { player, frozen }));
    }
    let reason = reason(
        freezing.reason,
        "a release during a freeze needs a reason, for it is kept",
    )?;
    Ok(Ok(Some(ThroughFreeze {
        freeze: frozen.why,
        reason,
    })))
}

/// The freeze that is in force: the project's word, one of its own list, or one of GitLab's deploy freezes.
pub(super) fn frozen(desk: &Desk<'_>) -> Answer<Option<Frozen>> {
    let rules = &desk.config.versions;
    let now = desk.clock.now();
    if let Some(why) = rules.frozen.clone() {
        return Ok(Some(Frozen { why, until: None }));
    }
    if let Some(frozen) = rules.freezes.of_release(now) {
        let why = match frozen.reason {
            Some(reason) => format!("{}: {reason}", frozen.name),
            None => frozen.name,
        };
        let until = Some(frozen.until);
        return Ok(Some(Frozen { why, until }));
    }
    if !rules.gitlab_freezes {
        return Ok(None);
    }
    for period in desk.releases.freeze_periods()? {
        let end = period.end(now).map_err(|why| {
            Problem::misconfigured(
                format!("a deploy freeze of the project in GitLab cannot be read: {why}"),
                "write it otherwise (Settings > CI/CD > Deploy freezes), its zone such as `Europe/Paris`; or leave GitLab's freezes out with `versions.gitlab_freezes: false`",
            )
        })?;
        if let Some(until) = end {
            let why = format!("a deploy freeze of GitLab, from `{}`", period.start);
            let until = Some(until);
            return Ok(Some(Frozen { why, until }));
        }
    }
    Ok(None)
}
