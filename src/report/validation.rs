//! Validation: who validated, who is awaited, and why a verdict does not count.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{CommitSha, JobId, PipelineId, ProjectPath, RoleName, UserName};
use crate::domain::linking::Link;
use crate::domain::ruling::Ruling;
use crate::domain::validation::{Asked, Because, Judgement, SetAside, Standing, Verdict};
use crate::outcome::Outcome;

use super::checks::newest_commit;
use super::{code, inert, plain, plain_lines, quote};

pub(super) type Holders = BTreeMap<RoleName, BTreeSet<UserName>>;

/// Where a closing merge request stands with the people who validate it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its number.
    pub iid: u64,
    /// Its links.
    pub links: &'a [Link],
    /// Where a bare reference points.
    pub home: &'a ProjectPath,
    /// Its head.
    pub head: &'a CommitSha,
    /// Where each role stands.
    pub judgement: &'a Judgement,
    /// Who holds each role.
    pub holders: &'a Holders,
    /// Why somebody rejected, by the job of the verdict.
    pub reasons: &'a BTreeMap<JobId, String>,
}

/// The note of a closing merge request: where each role stands, and what happens next.
pub fn note_validation(seen: &Seen<'_>) -> String {
    let judgement = seen.judgement;
    let state = match judgement.ruling() {
        Ruling::Pass => "**Validated.** Press `integrate` in the pipeline to queue it for the non-regression tests.".to_owned(),
        Ruling::Wait(roles) => {
            let asked: Vec<String> = roles.iter().map(|role| format!("`{role}` ({})", names(seen.holders.get(role)))).collect();
            format!("**Awaiting validation** by {}. Play the job `validate:<role>` or `reject:<role>` in the pipeline of this commit; its log shows what to look at.", asked.join(", "))
        }
        Ruling::Refuse(rejections) => {
            let by: Vec<String> = rejections
                .iter()
                .map(|v| format!("`{}` as `{}`", v.by, v.role))
                .collect();
            format!(
                "**Rejected by {}.** Push what was asked for; the roles are then asked again.",
                by.join(" and ")
            )
        }
    };
    let mut body = format!("{state}\n\n| role | verdict | by | commit |\n|---|---|---|---|\n");
    for (asked, standing) in &judgement.standings {
        body.push_str(&row(asked, standing, seen.head));
    }
    for (asked, _) in &judgement.standings {
        if let Some(why) = because(asked, seen.home) {
            body.push_str(&format!("\n`{}` is asked because {why}.\n", asked.role));
        }
    }
    for verdict in judgement.rejections().chain(&judgement.earlier) {
        if let Some(reason) = seen.reasons.get(&verdict.job) {
            body.push_str(&format!(
                "\n`{}` rejected `{}` because:\n\n{}\n",
                verdict.by,
                verdict.commit.short(),
                quote(reason)
            ));
        }
    }
    for verdict in judgement.rejections() {
        if !seen.reasons.contains_key(&verdict.job) {
            body.push_str(&format!(
                "\n`{}` has given no reason yet. A note here that begins with `Reason:` is taken for it.\n",
                verdict.by
            ));
        }
    }
    // GitLab makes a link of a bare commit id, and of the references below.
    body.push_str(&format!("\nThe commit under question: {}\n", seen.head));
    let features: Vec<String> = seen
        .links
        .iter()
        .map(|link| format!("{} {}", link.kind, link.feature.seen_from(seen.home)))
        .collect();
    format!("{body}\nThis merge request {}.", features.join(", "))
}

fn row(asked: &Asked, standing: &Standing, head: &CommitSha) -> String {
    let role = &asked.role;
    let given = |v: &Verdict, word: &str| {
        format!(
            "| `{role}` | {word} | `{}` | `{}` |\n",
            v.by,
            v.commit.short()
        )
    };
    match standing {
        Standing::Validated(v) => given(v, "validated"),
        Standing::Rejected(v) => given(v, "rejected"),
        Standing::Awaited { lapsed: None } => {
            format!("| `{role}` | awaited | | `{}` |\n", head.short())
        }
        Standing::Awaited { lapsed: Some(v) } => format!(
            "| `{role}` | awaited again: the content changed since `{}` | | `{}` |\n",
            v.commit.short(),
            head.short()
        ),
    }
}

/// Why a role is asked that is not always asked; fit for notes and logs.
pub(super) fn because(asked: &Asked, home: &ProjectPath) -> Option<String> {
    Some(match &asked.because {
        Because::Always => return None,
        Because::FeatureLabel {
            feature,
            label: Some(label),
        } => format!(
            "the feature {} carries the label {}",
            feature.seen_from(home),
            code(label)
        ),
        Because::FeatureLabel {
            feature,
            label: None,
        } => {
            format!("of a label of the feature {}", feature.seen_from(home))
        }
        Because::Label { label } => format!("the merge request carries the label {}", code(label)),
        Because::Path { path } => format!("{} changed", code(path)),
        Because::FeaturesUnseen => {
            "not every feature could be looked up, so its rule may apply".to_owned()
        }
        Because::PathsUnseen => {
            "not every changed file could be looked at, so its rule may apply".to_owned()
        }
    })
}

/// The note of a closing merge request whose pipeline has begun: who is asked, before anybody could answer.
pub fn note_validation_asked(
    links: &[Link],
    asked: &[Asked],
    holders: &Holders,
    home: &ProjectPath,
    head: &CommitSha,
) -> String {
    let awaited = |asked: &Asked| (asked.clone(), Standing::Awaited { lapsed: None });
    let judgement = Judgement {
        standings: asked.iter().map(awaited).collect(),
        ..Judgement::default()
    };
    note_validation(&Seen {
        iid: 0,
        links,
        home,
        head,
        judgement: &judgement,
        holders,
        reasons: &BTreeMap::new(),
    })
}

/// What the job says about where the roles stand. `lacking` are awaited roles whose job the pipeline does not have, and whether
/// it has any validation job at all.
pub fn validation_outcome(seen: &Seen<'_>, lacking: &[(RoleName, bool)]) -> Outcome {
    let (iid, judgement) = (seen.iid, seen.judgement);
    let mut outcome = match judgement.ruling() {
        Ruling::Pass => Outcome::open(format!("every role has validated !{iid}")),
        Ruling::Wait(roles) => {
            let ask = |role: &RoleName| match lacking.iter().find(|(lacks, _)| lacks == role) {
                Some((_, any)) => no_such_job(role, *any),
                None => format!(
                    "`{role}` must validate this content: {} may play `validate:{role}`; then run this job again",
                    names(seen.holders.get(role))
                ),
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
            let mut lines: Vec<String> = verdicts.iter().map(line).collect();
            lines.extend(rejection_reasons(judgement, seen.reasons, plain_lines));
            Outcome::refused(format!("!{iid} is rejected"), lines)
        }
    };
    for (asked, standing) in &judgement.standings {
        if let Some(why) = because(asked, seen.home) {
            outcome = outcome.with(format!("`{}` is asked because {why}", asked.role));
        }
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
    outcome
}

fn no_such_job(role: &RoleName, any: bool) -> String {
    if any {
        format!(
            "`{role}` must validate this content, but this pipeline has no job `validate:{role}`: include `ci-templates/validation.yml` with `role: {role}` on the target branch, then rebase and start a new pipeline"
        )
    } else {
        format!(
            "`{role}` must validate this content, but this pipeline has no validation jobs: the description named no closed feature when it was created. Start a new pipeline"
        )
    }
}

/// Why people rejected, fit for a note: one line for each.
pub fn reasons_for_note(judgement: &Judgement, reasons: &BTreeMap<JobId, String>) -> Vec<String> {
    rejection_reasons(judgement, reasons, inert)
}

/// Why people rejected: what they wrote, or that they have not.
fn rejection_reasons(
    judgement: &Judgement,
    reasons: &BTreeMap<JobId, String>,
    words: fn(&str) -> String,
) -> Vec<String> {
    judgement
        .rejections()
        .map(|verdict| match reasons.get(&verdict.job) {
            Some(reason) => format!("`{}` says: {}", verdict.by, words(reason)),
            None => format!(
                "`{}` has given no reason yet; a note on the merge request that begins with `Reason:` is taken for it",
                verdict.by
            ),
        })
        .collect()
}

/// Why a change set that passed its trial does not land.
pub fn rejected_during_trial(verdict: &Verdict) -> String {
    format!(
        "{} rejected it as {} after it joined the queue",
        verdict.by, verdict.role
    )
}

/// Runs that are no verdicts, and jobs that only look like validations: who played them may wonder.
pub fn beside_the_verdicts(judgement: &Judgement, misnamed: &[(JobId, String)]) -> Vec<String> {
    let set_aside = judgement
        .set_aside
        .iter()
        .filter(|(_, why)| *why != SetAside::OtherContent)
        .map(|(run, why)| {
            let by = run
                .player
                .as_ref()
                .map_or(String::new(), |player| format!(" by `{}`", player.name));
            format!(
                "job {}{by} does not count for `{}`: {}",
                run.play.job,
                run.play.role,
                set_aside(why)
            )
        });
    let misnamed = misnamed.iter().map(|(job, name)| {
        format!(
            "job {job} is called \"{}\": a validation job is called exactly `validate:<role>` or `reject:<role>`, so it does not count",
            plain(name)
        )
    });
    set_aside.chain(misnamed).collect()
}

/// Why a run is not a verdict.
pub fn set_aside(why: &SetAside) -> String {
    match why {
        SetAside::NotInRole => "the player does not hold the role",
        SetAside::IsAuthor => {
            "authors do not validate their own work (`validation.author_may_validate`)"
        }
        SetAside::IsCommitter => {
            "the player wrote commits of this merge request (`validation.committers_may_validate`)"
        }
        SetAside::SamePerson { role } => {
            return format!(
                "the player has validated it as `{role}` already, and different people are wanted (`validation.one_person_several_roles`)"
            );
        }
        SetAside::IsBot => "bots do not validate",
        SetAside::NotActive => "the player's account is blocked or deactivated",
        SetAside::Gone => "the player's account was deleted",
        SetAside::ByItself => "the job started by itself; nobody pressed play",
        SetAside::Elsewhere => {
            "it ran in a pipeline of the branch or of a fork; only a merge request pipeline of this project counts"
        }
        SetAside::OtherContent => "it judged another content",
        SetAside::UnknownRole => "the configuration knows no such role",
        SetAside::NotAsked => "this merge request does not ask the role",
    }
    .to_owned()
}

/// Older pipelines were not looked at.
pub fn pipelines_unseen() -> String {
    "only the newest 20 pipelines were looked at: a verdict given in an older one has to be given again".to_owned()
}

/// Older manual jobs of a pipeline were not looked at.
pub fn played_jobs_unseen(pipeline: PipelineId) -> String {
    format!(
        "pipeline {pipeline} has more than 100 played jobs: only the newest were looked at, and a verdict among the older ones has to be given again"
    )
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
