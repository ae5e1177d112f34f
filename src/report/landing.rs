//! Trials and landings.

use crate::domain::ids::{CommitSha, Epoch, MergeRequestId, ProjectPath, TrialId, VersionId};
use crate::domain::integration::{Again, ChangeSet};
use crate::domain::linking::LinkKind;
use crate::domain::nrt::{Abandoned, Held, NotHeld, Trial};
use crate::domain::progress::Stage;
use crate::domain::trial_verdict::DecidedBy;
use crate::domain::trials::Blame;
use crate::domain::versioning::Appended;
use crate::outcome::Outcome;

use super::linking::listed_links;
use super::progress::stage_words;
use super::{inert, plain};

/// A trial that begins.
pub fn trial_started(trial: &Trial, held: &Held) -> Outcome {
    let sets = listed(&trial.change_sets);
    Outcome::open(format!(
        "took the NRT environment (lease {}) to try {sets}",
        held.epoch()
    ))
    .with(format!(
        "candidate: `{}` on top of `{}`",
        trial.candidate.commit,
        trial.candidate.base.short()
    ))
    .with("its pipeline deploys it, tests it, and lands it or says why not")
}

/// Why a trial costs a change set its place, in words for its author.
pub fn blame(blame: &Blame<MergeRequestId>) -> String {
    match blame {
        Blame::Named => "the verdict names it".to_owned(),
        Blame::Alone => "it was tried alone".to_owned(),
        Blame::Inferred { with } => format!(
            "it was rejected together with {}, which passed without it and landed",
            listed(with)
        ),
    }
}

/// A trial that ended without a verdict.
pub fn trial_without_verdict(trial: &Trial, why: Abandoned, job: Option<&str>) -> Outcome {
    let outcome = Outcome::open(format!(
        "trial {} of {} ended without a verdict: {why}",
        trial.id,
        listed(&trial.change_sets)
    ));
    let outcome = job.map_or(outcome.clone(), |job| {
        outcome.with(format!(
            "`{}` failed for a reason that says nothing about the change",
            plain(job)
        ))
    });
    outcome.with("the change sets keep their place in the queue; the NRT environment is free again")
}

/// Several leases in a row ended without a verdict: no more pipelines are started by themselves.
pub fn environment_looks_broken(fruitless: u32, waiting: usize) -> String {
    format!(
        "{fruitless} leases in a row ended without a verdict, so no worker is started by itself: look at the environment and its runners. {waiting} in the queue keep their place; the next `integrate`, `tick`, or pipeline started by the trigger goes on"
    )
}

/// The same to somebody who looks at regular times.
pub fn environment_needs_a_look(fruitless: u32) -> String {
    format!(
        "{fruitless} leases in a row ended without a verdict: look at the environment and its runners"
    )
}

/// A lease that was given back before.
pub fn already_released(epoch: Epoch, last: Option<Epoch>) -> Outcome {
    let outcome = Outcome::open(format!("lease {epoch} is over already; nothing changed"));
    match last {
        Some(last) if last > epoch => outcome.with(format!(
            "the NRT environment has been granted again since (lease {last})"
        )),
        Some(_) | None => outcome,
    }
}

/// A landing that was done before.
pub fn already_landed(merge_requests: &[MergeRequestId]) -> Outcome {
    Outcome::open(format!(
        "{} landed before; nothing changed",
        listed(merge_requests)
    ))
}

/// A trial that is not begun, because the right to it has gone.
pub fn taken_over(not_held: &NotHeld) -> String {
    match not_held {
        NotHeld::Lost { asked, .. } => format!(
            "lease {asked} was taken over while this job prepared its trial; the change sets are tried by the run that has it now"
        ),
        NotHeld::By { holder, epoch, .. } => format!(
            "the NRT environment is held by pipeline {} (lease {epoch})",
            holder.pipeline
        ),
    }
}

/// A landing without the right to it.
pub fn lease_lost(not_held: &NotHeld) -> Outcome {
    let (headline, detail) = match not_held {
        NotHeld::Lost { asked, last } => {
            let last = last.map_or("none was granted".to_owned(), |last| {
                format!("the last one granted is {last}")
            });
            (
                format!("lease {asked} is not in force ({last}), so nothing may land by it"),
                "its change sets wait in the queue, were tried again by a later run, or landed long ago: their notes tell; nothing was changed here",
            )
        }
        NotHeld::By { holder, epoch, .. } => (
            format!(
                "the NRT environment is held by pipeline {} (lease {epoch})",
                holder.pipeline
            ),
            "nothing was changed here",
        ),
    };
    Outcome::refused(headline, vec![detail.to_owned()])
}

/// A landing with nothing to land.
pub fn no_trial(epoch: Epoch) -> Outcome {
    Outcome::refused(
        format!("there is no trial under lease {epoch}"),
        vec![
            "its trial ended without a verdict, or was rejected; nothing was changed here"
                .to_owned(),
        ],
    )
}

/// One line for a change set that landed.
pub fn landed_line(change_set: &ChangeSet, version: VersionId, landed: &CommitSha) -> String {
    format!(
        "{} is in `{}` by `{}` and in version #{version}: {}",
        change_set.merge_request,
        change_set.target,
        landed.short(),
        plain(&change_set.title)
    )
}

/// A validated candidate that is not what would land.
pub fn not_landed(change_set: &ChangeSet, why: &str, left: bool) -> Outcome {
    let next = if left {
        "it left the queue; press `integrate` again when it is ready"
    } else {
        "it keeps its place in the queue and is tried again"
    };
    Outcome::refused(
        format!("{} does not land: {}", change_set.merge_request, plain(why)),
        vec![next.to_owned()],
    )
}

/// What was merged is not what was tested: only possible when somebody else may write to the target branch.
pub fn landed_tree_differs(change_set: &ChangeSet, trial: &Trial, landed: &CommitSha) -> Outcome {
    Outcome::refused(
        format!("{} landed as `{landed}`, whose files differ from the candidate `{}` that trial {} validated", change_set.merge_request, trial.candidate.commit, trial.id),
        vec![
            format!("somebody pushed to `{}` in the instant of the merge; look at the difference now", change_set.target),
            "let nobody but the gate's bot push or merge there (Settings > Repository > Protected branches), or use the merge method `Merge commit with semi-linear history`".to_owned(),
        ],
    )
}

/// The note of a change set under test.
pub fn note_under_test(
    stage: &Stage,
    set: &ChangeSet,
    project_url: &str,
    home: &ProjectPath,
    decided_by: DecidedBy,
) -> String {
    let then = if decided_by.asks_a_person() {
        " A person then says whether it passed."
    } else {
        ""
    };
    let mut body = format!(
        "**{}** in the non-regression environment, at `{}` on top of `{}`.{then} Nothing to do for you now; new commits would take it out of the queue.",
        stage_words(stage),
        set.head.short(),
        set.target
    );
    if !set.links.is_empty() {
        body.push_str(&format!(
            "\n\nThis merge request {}.",
            listed_links(&set.links, home)
        ));
    }
    format!("{body}\n\n[Pipelines]({project_url}/-/pipelines)")
}

/// The note of a change set that is in a version.
pub fn note_landed(stage: &Stage, appended: &Appended, home: &ProjectPath) -> String {
    let set = &appended.change_set;
    let next = match stage {
        Stage::Landed { .. } => " It goes to production with the next release.",
        Stage::LinksRefused
        | Stage::Linked
        | Stage::AwaitingValidation { .. }
        | Stage::Validated
        | Stage::Rejected { .. }
        | Stage::NotQueued
        | Stage::Queued { .. }
        | Stage::InTrial { .. }
        | Stage::Landing
        | Stage::FailedTests { .. }
        | Stage::Conflicted
        | Stage::LeftQueue
        | Stage::Releasing { .. }
        | Stage::InProduction { .. } => "",
    };
    let mut body = format!(
        "**{}.**{next} Nothing to do for you now.\n\nTrial {} validated `{}`; it is in `{}` by {}.",
        stage_words(stage),
        appended.trial,
        set.head.short(),
        set.target,
        appended.landed
    );
    if !set.links.is_empty() {
        body.push_str(&format!(
            "\n\nThis merge request {}.",
            listed_links(&set.links, home)
        ));
    }
    body
}

/// The note of a change set that does not apply.
pub fn note_conflicted(change_set: &ChangeSet, detail: &str) -> String {
    format!(
        "**Conflict with `{}`.** It left the queue. Rebase it, push, and press `integrate` again.\n\nIn the way: {}",
        change_set.target,
        inert(detail)
    )
}

/// The files that a change set cannot be merged for.
pub fn conflicting_files(files: &[String]) -> String {
    let named: Vec<String> = files.iter().take(10).map(|file| plain(file)).collect();
    let more = files.len().saturating_sub(named.len());
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("conflicts in {}{rest}", named.join(", "))
}

/// Why a change set waits again, in words for its author.
pub fn waits_again(again: &Again) -> String {
    match again {
        Again::Neighbour { trial, files } => format!(
            "it {} with a change set that trial {trial} took before it; once that one has landed or left, it is tried again",
            conflicting_files(files)
        ),
        Again::Searched { trial, culprits } if culprits.is_empty() => format!(
            "trial {trial}, which held it, was rejected, and it is not known yet for whose fault; smaller trials find out"
        ),
        Again::Searched { trial, culprits } => format!(
            "trial {trial}, which held it, was rejected, and the verdict points at {}; nothing is held against the others",
            listed(culprits)
        ),
        Again::Broken { trial, by, reason } => format!(
            "{by} ended trial {trial} by taking the environment away: {}",
            plain(reason)
        ),
        Again::NoVerdict { trial, why } => format!("trial {trial} ended without a verdict: {why}"),
    }
}

/// The note of a change set that was taken back.
pub fn note_withdrawn(reason: &str) -> String {
    format!(
        "**Left the queue**: {}. Press `integrate` again when it is ready.",
        inert(reason)
    )
}

/// The note of a change set that the tests rejected, by a job that knows no more than that.
pub fn note_rejection(reason: &str) -> String {
    format!(
        "**Rejected by the non-regression tests**: {}. It left the queue. Push a fix, and press `integrate` again.",
        inert(reason)
    )
}

/// The note of a change set that does not apply, by a job that knows no more than that.
pub fn note_conflict() -> String {
    "**Conflict with its target branch.** It left the queue. Rebase it, push, and press `integrate` again.".to_owned()
}

/// The message of the merge commit, with trailers for whoever reads the history without GitLab.
pub fn merge_message(change_set: &ChangeSet, trial: TrialId, home: &ProjectPath) -> String {
    let title = plain(&change_set.title);
    let mut message = format!(
        "{title}\n\nSee merge request {}!{}\n\n",
        change_set.merge_request.project, change_set.merge_request.iid
    );
    for link in &change_set.links {
        let key = match link.kind {
            LinkKind::Contributes => "Feature",
            LinkKind::Closes => "Closes-Feature",
        };
        message.push_str(&format!("{key}: {}\n", link.feature.seen_from(home)));
    }
    message.push_str(&format!(
        "Trainyard-Change-Set: {}!{}@{}\nTrainyard-Trial: {}\n",
        change_set.merge_request.project, change_set.merge_request.iid, change_set.head, trial
    ));
    message
}

pub(super) fn listed(merge_requests: &[MergeRequestId]) -> String {
    merge_requests
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
