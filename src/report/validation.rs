//! Validation: who validated, who is awaited, and why a verdict does not count.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::event::Fact;
use crate::domain::ids::{CommitSha, ProjectPath, RoleName, UserName};
use crate::domain::linking::{Feature, Link};
use crate::domain::progress::Stage;
use crate::domain::ruling::Ruling;
use crate::domain::validation::{Criterion, Decision, Judgement, SetAside, Standing, Verdict};
use crate::outcome::{ExitCode, Outcome};

use super::checks::newest_commit;
use super::linking::listed_links;
use super::progress::stage_words;
use super::{inert, plain};

pub(super) type Holders = BTreeMap<RoleName, BTreeSet<UserName>>;

/// The note of a closing merge request: where each role stands, and what happens next.
pub fn note_validation(
    links: &[Link],
    judgement: &Judgement,
    holders: &Holders,
    home: &ProjectPath,
    head: &CommitSha,
) -> String {
    let state = match judgement.ruling() {
        Ruling::Pass => "**Validated.** Press `integrate` in the pipeline to queue it for the non-regression tests.".to_owned(),
        Ruling::Wait(roles) => {
            let asked: Vec<String> = roles.iter().map(|role| format!("`{role}` ({})", names(holders.get(role)))).collect();
            format!("**Awaiting validation** by {}. Play the job `validate:<role>` or `reject:<role>` in the pipeline of this commit.", asked.join(", "))
        }
        Ruling::Refuse(_) => "**Rejected.** Push what was asked for; the roles are then asked again.".to_owned(),
    };
    let mut body = format!("{state}\n\n| role | verdict | by | commit |\n|---|---|---|---|\n");
    for (role, standing) in &judgement.standings {
        let line = match standing {
            Standing::Validated(v) => format!(
                "| `{role}` | validated | `{}` | `{}` |\n",
                v.by,
                v.commit.short()
            ),
            Standing::Rejected(v) => format!(
                "| `{role}` | rejected | `{}` | `{}` |\n",
                v.by,
                v.commit.short()
            ),
            Standing::Awaited { lapsed: None } => {
                format!("| `{role}` | awaited | | `{}` |\n", head.short())
            }
            Standing::Awaited { lapsed: Some(v) } => {
                format!(
                    "| `{role}` | awaited again: the content changed since `{}` | | `{}` |\n",
                    v.commit.short(),
                    head.short()
                )
            }
        };
        body.push_str(&line);
    }
    let features: Vec<String> = links
        .iter()
        .map(|link| format!("{} {}", link.kind, link.feature.seen_from(home)))
        .collect();
    format!("{body}\nThis merge request {}.", features.join(", "))
}

/// The note of a closing merge request right after a verdict: what it says, and who is awaited still.
pub fn note_verdict(
    stage: &Stage,
    decision: Decision,
    by: &UserName,
    role: &RoleName,
    links: &[Link],
    home: &ProjectPath,
) -> String {
    let word = match decision {
        Decision::Validate => "validated",
        Decision::Reject => "rejected",
    };
    let next = match stage {
        Stage::Validated => {
            "Press `integrate` in the pipeline to queue it for the non-regression tests."
        }
        Stage::AwaitingValidation { .. } => {
            "The others play the job `validate:<role>` or `reject:<role>` in the pipeline of this commit."
        }
        Stage::Rejected { .. } => "Push what was asked for; the roles are then asked again.",
        Stage::LinksRefused
        | Stage::Linked
        | Stage::NotQueued
        | Stage::Queued { .. }
        | Stage::InTrial { .. }
        | Stage::Landing
        | Stage::FailedTests { .. }
        | Stage::Conflicted
        | Stage::LeftQueue
        | Stage::Landed { .. }
        | Stage::Releasing { .. }
        | Stage::InProduction { .. } => "",
    };
    format!(
        "**{}.** {next}\n\n`{by}` {word} it as `{role}`.\n\nThis merge request {}.",
        stage_words(stage),
        listed_links(links, home)
    )
}

/// The note of a closing merge request whose pipeline has begun: who is asked, before anybody could answer.
pub fn note_validation_asked(
    links: &[Link],
    holders: &Holders,
    home: &ProjectPath,
    head: &CommitSha,
) -> String {
    let asked = |role: &RoleName| (role.clone(), Standing::Awaited { lapsed: None });
    let judgement = Judgement {
        standings: holders.keys().map(asked).collect(),
        set_aside: Vec::new(),
    };
    note_validation(links, &judgement, holders, home, head)
}

/// What the job says about where the roles stand.
pub fn validation_outcome(iid: u64, judgement: &Judgement, holders: &Holders) -> Outcome {
    let mut outcome = match judgement.ruling() {
        Ruling::Pass => Outcome::open(format!("every role has validated !{iid}")),
        Ruling::Wait(roles) => {
            let ask = |role: &RoleName| {
                format!(
                    "`{role}` must validate this content: {} may play `validate:{role}`",
                    names(holders.get(role))
                )
            };
            Outcome::waiting(
                format!("!{iid} is not validated yet"),
                roles.iter().map(ask).collect(),
            )
        }
        Ruling::Refuse(verdicts) => {
            let line = |v: &Verdict| {
                format!(
                    "`{}` rejected it as `{}` at `{}`; push what was asked for, and the role is asked again",
                    v.by,
                    v.role,
                    v.commit.short()
                )
            };
            Outcome::refused(
                format!("!{iid} is rejected"),
                verdicts.iter().map(line).collect(),
            )
        }
    };
    for (_, standing) in &judgement.standings {
        if let Standing::Validated(v) = standing {
            outcome = outcome.with(format!(
                "`{}` validated as `{}` at `{}` (job {})",
                v.by,
                v.role,
                v.commit.short(),
                v.job
            ));
        }
    }
    for (run, why) in &judgement.set_aside {
        if *why != SetAside::OtherContent {
            outcome = outcome.with(format!(
                "job {} by `{}` does not count for `{}`: {}",
                run.job,
                run.player,
                run.role,
                set_aside(*why)
            ));
        }
    }
    outcome
}

/// Why a run is not a verdict.
pub fn set_aside(why: SetAside) -> &'static str {
    match why {
        SetAside::NotInRole => "the player does not hold the role",
        SetAside::IsAuthor => {
            "authors do not validate their own work (`validation.author_may_validate`)"
        }
        SetAside::IsBot => "bots do not validate",
        SetAside::NotActive => "the player's account is blocked or deactivated",
        SetAside::NotByHand => "the job started by itself; nobody pressed play",
        SetAside::HandUnknown => {
            "the player also started that pipeline, so GitLab cannot tell a press of play from a job that starts by itself; play it in a pipeline that somebody else started"
        }
        SetAside::OtherContent => "it judged another content",
        SetAside::UnknownRole => "the configuration knows no such role",
    }
}

/// A pipeline that judges what is no longer there.
pub fn outdated_pipeline(iid: u64, ran_on: &CommitSha, head: &CommitSha) -> Outcome {
    let why = format!(
        "this pipeline is outdated: it runs on `{}`, but the head of !{iid} is `{}`",
        ran_on.short(),
        head.short()
    );
    let checks = [newest_commit(Some(&why))];
    Outcome::refused(
        why,
        vec!["use the newest pipeline of the merge request".to_owned()],
    )
    .checked(checks)
}

/// A job without a token that could read the records.
pub fn cannot_see_players(iid: u64) -> Outcome {
    Outcome::open(format!("the validation jobs of !{iid} have run"))
        .with("who played them cannot be seen from here: that needs `TRAINYARD_TOKEN`; the gate checks it before anything is queued")
}

/// A verdict on a merge request that closes nothing.
pub fn nothing_to_validate(iid: u64) -> Outcome {
    Outcome::refused(
        format!("!{iid} closes no feature, so there is nothing to validate"),
        vec!["a closing merge request says `closes feature #34` in its description".to_owned()],
    )
}

/// A player who may not decide.
pub fn may_not_decide(
    player: &UserName,
    role: &RoleName,
    why: SetAside,
    holders: &Holders,
) -> Outcome {
    let who = if holders.contains_key(role) {
        format!("{} may", names(holders.get(role)))
    } else {
        format!("add `{role}` to `roles` in `.trainyard.yml` on the target branch")
    };
    Outcome::refused(
        format!("`{player}` cannot decide as `{role}`: {}", set_aside(why)),
        vec![who],
    )
}

/// The criteria that are not ticked.
pub fn unticked<'a>(criteria: &'a [(&Feature, Vec<Criterion>)]) -> Vec<&'a Criterion> {
    criteria
        .iter()
        .flat_map(|(_, list)| list)
        .filter(|criterion| !criterion.ticked)
        .collect()
}

/// A validation that the configuration refuses while criteria are open.
pub fn criteria_unticked(criteria: &[(&Feature, Vec<Criterion>)]) -> Outcome {
    let open = unticked(criteria)
        .into_iter()
        .map(|criterion| format!("[ ] {}", plain(&criterion.text)));
    let mut details: Vec<String> = open.collect();
    details.push("tick them on the feature once they hold, then play the job again".to_owned());
    Outcome::refused(
        "acceptance criteria are not ticked (`validation.criteria: required`)",
        details,
    )
}

/// What a validator sees after pressing play.
pub fn verdict_given(
    iid: u64,
    verdict: &Verdict,
    criteria: &[(&Feature, Vec<Criterion>)],
    reason: Option<&str>,
) -> Outcome {
    let word = match verdict.decision {
        Decision::Validate => "validated",
        Decision::Reject => "rejected",
    };
    let mut outcome = Outcome::open(format!(
        "`{}` {word} !{iid} as `{}` at commit `{}`",
        verdict.by,
        verdict.role,
        verdict.commit.short()
    ));
    for (feature, list) in criteria {
        let title = if feature.confidential {
            "(confidential)".to_owned()
        } else {
            plain(&feature.title)
        };
        outcome = outcome.with(format!(
            "feature #{}: {title} - {}",
            feature.id.iid, feature.url
        ));
        for criterion in list {
            let criterion_text = if feature.confidential {
                "(confidential)".to_owned()
            } else {
                plain(&criterion.text)
            };
            outcome = outcome.with(format!(
                "  [{}] {criterion_text}",
                if criterion.ticked { 'x' } else { ' ' }
            ));
        }
    }
    if let Some(reason) = reason {
        outcome = outcome.with(format!("reason: {}", plain(reason)));
    }
    debug_assert_eq!(outcome.code, ExitCode::Open);
    outcome.with("this job's success, with you as its player, is the record; it holds until the content changes")
}

/// What a person who must act is told.
pub(super) fn alert_text(cause: &Fact) -> String {
    match cause {
        Fact::FeatureRejected {
            verdict, reason, ..
        } => {
            let why = reason
                .as_deref()
                .map_or(String::new(), |reason| format!(": {}", inert(reason)));
            format!(
                "`{}` rejected this as `{}` at `{}`{why}. Push what was asked for; the roles are then asked again.",
                verdict.by,
                verdict.role,
                verdict.commit.short()
            )
        }
        Fact::ChangeSetRejected { trial, reason, .. } => {
            format!(
                "the non-regression tests rejected this change set (trial {trial}: {reason}). It left the queue; push a fix, and press `integrate` again."
            )
        }
        Fact::ChangeSetConflicted { detail, .. } => {
            format!(
                "this change set does not apply on its target branch any more ({}). It left the queue; rebase it, and press `integrate` again.",
                inert(detail)
            )
        }
        Fact::FeatureLinked { .. }
        | Fact::FeatureUnlinked { .. }
        | Fact::LinkRefused { .. }
        | Fact::ValidationRequested { .. }
        | Fact::FeatureValidated { .. }
        | Fact::ValidationLapsed { .. }
        | Fact::ChangeSetQueued { .. }
        | Fact::ChangeSetWithdrawn { .. }
        | Fact::LeaseGranted { .. }
        | Fact::LeaseReleased { .. }
        | Fact::LeaseExpired { .. }
        | Fact::ChangeSetUnqueued { .. }
        | Fact::ChangeSetRebased { .. }
        | Fact::TrialStarted { .. }
        | Fact::TrialValidated { .. }
        | Fact::TrialRejected { .. }
        | Fact::TrialAbandoned { .. }
        | Fact::ChangeSetMerged { .. }
        | Fact::ChangeSetAppended { .. }
        | Fact::VersionOpened { .. }
        | Fact::VersionClosed { .. }
        | Fact::VersionDeployed { .. }
        | Fact::VersionReleased { .. }
        | Fact::ReleaseFailed { .. }
        | Fact::ContributorWarned { .. } => format!("{} needs you.", cause.subject()),
    }
}

/// Names in code, so that nobody is notified by a list.
pub(super) fn names(people: Option<&BTreeSet<UserName>>) -> String {
    let people = people
        .map(|people| {
            people
                .iter()
                .take(8)
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
        })
        .unwrap_or_default();
    if people.is_empty() {
        "nobody holds it".to_owned()
    } else {
        people.join(", ")
    }
}
