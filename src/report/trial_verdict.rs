//! The verdict on a trial: who is asked for it, what it came to, whom it names, and what its evidence is.

use std::collections::BTreeSet;

use crate::domain::ids::{
    Epoch, MergeRequestId, PipelineId, ProjectPath, RoleName, TrialId, UserName,
};
use crate::domain::integration::{ChangeSet, Queue};
use crate::domain::naming::{Named, Naming, Unexplained};
use crate::domain::nrt::{NotHeld, Trial};
use crate::domain::trial_verdict::{Before, Culprit, MayNot, Rejected, Rejection};
use crate::domain::trials::Verdict;
use crate::outcome::{Outcome, Problem};

use super::landing::listed;
use super::linking::listed_links;
use super::{inert, plain};

/// How many failing test cases are shown.
const MOST_CASES: usize = 10;

/// A trial that waits for a person's verdict.
#[derive(Debug)]
pub struct ToJudge<'a> {
    /// The trial.
    pub trial: &'a Trial,
    /// What its change sets are.
    pub queue: &'a Queue,
    /// Roles whose people decide; none: whoever may play the jobs.
    pub roles: &'a [RoleName],
    /// Who they are.
    pub people: &'a BTreeSet<UserName>,
    /// Where people see the project.
    pub project_url: &'a str,
    /// The pipeline that holds the jobs to press.
    pub pipeline: PipelineId,
    /// Where features are that are named by number only.
    pub home: &'a ProjectPath,
}

/// What somebody who judges wants to see.
pub fn trial_to_judge(to_judge: &ToJudge<'_>) -> Outcome {
    let trial = to_judge.trial;
    let mut outcome = Outcome::open(format!(
        "trial {} waits for a verdict: {} are in the environment",
        trial.id,
        listed(&trial.change_sets)
    ))
    .with(format!(
        "commit: {}/-/commit/{}",
        to_judge.project_url, trial.candidate.commit
    ));
    for id in &trial.change_sets {
        let Some(ticket) = to_judge.queue.ticket(id) else {
            continue;
        };
        let set = &ticket.change_set;
        outcome = outcome.with(format!(
            "{id} by {}: {} ({})",
            set.author,
            plain(&set.title),
            listed_links(&set.links, to_judge.home)
        ));
    }
    outcome
        .with(format!("who decides: {}", deciders(to_judge.roles, to_judge.people)))
        .next(format!(
            "play `nrt:validate`, `nrt:reject`, or `nrt:reject:` with a merge request, in {}/-/pipelines/{}",
            to_judge.project_url, to_judge.pipeline
        ))
        .next("the environment is held until then, however long that takes")
}

fn deciders(roles: &[RoleName], people: &BTreeSet<UserName>) -> String {
    if roles.is_empty() {
        return "whoever may play the jobs".to_owned();
    }
    let roles: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
    let people: Vec<&str> = people.iter().map(|name| name.as_str()).collect();
    let people = if people.is_empty() {
        "nobody".to_owned()
    } else {
        people.join(", ")
    };
    format!("{} ({people})", roles.join(", "))
}

/// The note that mentions the people who decide.
pub fn note_to_judge(
    trial: &Trial,
    people: &BTreeSet<UserName>,
    project_url: &str,
    pipeline: PipelineId,
) -> String {
    let people: Vec<String> = people.iter().map(|name| format!("@{name}")).collect();
    format!(
        "{} trial {} waits for your verdict: {} are in the non-regression environment, at `{}`. Play `nrt:validate` or `nrt:reject` in [its pipeline]({project_url}/-/pipelines/{pipeline}); `nrt:reject:` with a merge request names the culprit. The environment is held until then.",
        people.join(" "),
        trial.id,
        listed(&trial.change_sets),
        trial.candidate.commit.short()
    )
}

/// A trial that needs nobody's verdict.
pub fn nothing_to_judge(epoch: Epoch) -> Outcome {
    Outcome::open(format!(
        "no trial under lease {epoch} waits for a verdict; nobody was asked"
    ))
}

/// A person's validation.
pub fn validated_by(trial: &Trial, player: &UserName) -> Outcome {
    Outcome::open(format!(
        "`{player}` validated trial {} of {}, at commit `{}`",
        trial.id,
        listed(&trial.change_sets),
        trial.candidate.commit
    ))
    .next("`append-to-version` goes on by itself: it lands what was validated, or says why not")
}

/// Why a person rejects, for the author.
pub fn rejected_by(player: &UserName, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("{player} rejected it: {}", plain(reason)),
        None => format!("{player} rejected it without a reason; ask on this merge request"),
    }
}

/// The same where a job of the project said so.
pub fn rejected_by_command(reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("a job of the trial rejected it: {}", plain(reason)),
        None => "a job of the trial rejected it".to_owned(),
    }
}

/// A rejected trial: why, whom it costs the place, what becomes of the others.
pub fn trial_rejected(trial: &Trial, rejection: &Rejection, rejected: &Rejected) -> Outcome {
    let sets = |sets: &[ChangeSet]| {
        let ids: Vec<MergeRequestId> = sets.iter().map(|set| set.merge_request.clone()).collect();
        listed(&ids)
    };
    let mut outcome = Outcome::open(format!(
        "trial {} of {} is rejected: {}",
        trial.id,
        listed(&trial.change_sets),
        plain(&rejection.reason)
    ))
    .with(format!("evidence: {}", rejection.evidence));
    if !rejected.left.is_empty() {
        outcome = outcome.with(format!(
            "left the queue, its author was warned: {}",
            sets(&rejected.left)
        ));
    }
    if !rejected.again.is_empty() {
        let how = match &rejection.verdict {
            Verdict::Suspected { among } => format!(
                "the failing test cases point at {}, which are tried apart, then the others",
                listed(among)
            ),
            Verdict::Rejected { .. } | Verdict::Validated if rejected.left.is_empty() => {
                "smaller trials find the culprit".to_owned()
            }
            Verdict::Rejected { .. } | Verdict::Validated => {
                "they are tried together next".to_owned()
            }
        };
        outcome = outcome.with(format!(
            "wait again at their old place: {}; {how}",
            sets(&rejected.again)
        ));
    }
    let Some(naming) = &rejection.naming else {
        return outcome;
    };
    if let Some(why) = why_nobody(naming) {
        outcome = outcome.with(why);
    }
    let cases = naming.cases.iter().take(MOST_CASES);
    outcome = outcome.read(cases.map(|(case, at)| {
        let at: Vec<MergeRequestId> = at.iter().cloned().collect();
        let at = if at.is_empty() {
            String::new()
        } else {
            format!(" (points at {})", listed(&at))
        };
        format!("failing test case: {}{at}", plain(&case.line()))
    }));
    let more = naming.cases.len().saturating_sub(MOST_CASES);
    if more > 0 {
        outcome = outcome.read([format!("and {more} more")]);
    }
    outcome
}

/// Why test cases name nobody, where they could have.
fn why_nobody(naming: &Naming) -> Option<String> {
    let Named::Nobody(why) = &naming.named else {
        return None;
    };
    let why = match why {
        Unexplained::Alone => return None,
        Unexplained::Job(job) => format!(
            "no JUnit report tells all about the failure of `{}`",
            plain(job).replace('`', "'")
        ),
        Unexplained::Case(case) => format!(
            "this case has no tag of a change set of the trial: {}",
            plain(case)
        ),
        Unexplained::Everybody => "the failing cases point at all of them".to_owned(),
    };
    Some(format!("nobody is named: {why}"))
}

/// The test report of a rejected trial that GitLab did not give.
pub fn test_report_unread(problem: &Problem) -> String {
    format!(
        "nobody is named: GitLab did not give the trial's test report: {}",
        plain(&problem.full_text())
    )
}

/// The note of a change set that a trial rejected.
pub fn note_rejected(change_set: &ChangeSet, trial: &Trial, rejection: &Rejection) -> String {
    let cases: Vec<String> = rejection
        .cases(&change_set.merge_request)
        .iter()
        .take(MOST_CASES)
        .map(|case| case.line())
        .collect();
    // A job's name is of the gate's own branch; a person's words are anybody's.
    let reason = match &rejection.naming {
        Some(_) => rejection.reason.clone(),
        None => inert(&rejection.reason),
    };
    format!(
        "**Rejected by the non-regression tests** (trial {} of `{}`): {}, see {}. It left the queue. Push a fix, and press `integrate` again.\n\nIt was tried on top of `{}`{}.{}",
        trial.id,
        trial.candidate.commit.short(),
        reason,
        rejection.evidence,
        change_set.target,
        together(trial, &change_set.merge_request),
        failing_cases(&cases)
    )
}

fn together(trial: &Trial, id: &MergeRequestId) -> String {
    let others: Vec<MergeRequestId> = trial
        .change_sets
        .iter()
        .filter(|other| *other != id)
        .cloned()
        .collect();
    if others.is_empty() {
        String::new()
    } else {
        format!(", together with {}", listed(&others))
    }
}

/// Failing test cases at the end of a note.
pub(super) fn failing_cases(cases: &[String]) -> String {
    if cases.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = cases
        .iter()
        .map(|case| format!("- {}", inert(case)))
        .collect();
    format!("\n\nFailing test cases:\n\n{}", lines.join("\n"))
}

/// A verdict of somebody who may not give it.
pub fn may_not_judge(
    player: &UserName,
    why: MayNot,
    roles: &[RoleName],
    people: &BTreeSet<UserName>,
    trial: &Trial,
) -> Outcome {
    let why = match why {
        MayNot::NotInRole => "does not hold the role",
        MayNot::IsBot => "is a bot, and nobody pressed anything",
        MayNot::NotActive => "has no active account",
    };
    Outcome::refused(
        format!(
            "`{player}` cannot say whether trial {} passed: {why}",
            trial.id
        ),
        vec![
            format!("who decides: {}", deciders(roles, people)),
            "nothing was recorded, and the trial goes on waiting; one of them presses a job"
                .to_owned(),
        ],
    )
}

/// Culprits that were not tried.
pub fn not_in_trial(trial: &Trial, strangers: &[Culprit]) -> Outcome {
    let strangers: Vec<String> = strangers.iter().map(ToString::to_string).collect();
    Outcome::refused(
        format!(
            "{} cannot be the culprit: trial {} is of {}",
            plain(&strangers.join(", ")),
            trial.id,
            listed(&trial.change_sets)
        ),
        vec![
            "nothing was recorded, and the trial goes on waiting; name one of these, or nobody"
                .to_owned(),
        ],
    )
}

/// A verdict where no trial has begun, or where it ended without one.
pub fn no_trial_to_judge(epoch: Epoch) -> Outcome {
    Outcome::refused(
        format!(
            "there is no trial under lease {epoch}: it has not begun, or ended without a verdict"
        ),
        vec!["nothing was recorded; its change sets are tried again".to_owned()],
    )
}

fn words(before: Before) -> &'static str {
    match before {
        Before::Undecided => "ended without a verdict",
        Before::Validated => "was validated",
        Before::Rejected => "was rejected",
    }
}

/// A verdict on a trial that is over.
pub fn verdict_too_late(trial: TrialId, not_held: &NotHeld, before: Before) -> Outcome {
    let last = match not_held {
        NotHeld::Lost {
            last: Some(last), ..
        }
        | NotHeld::By { epoch: last, .. }
            if last.0 != trial.0 =>
        {
            format!(", and the environment has been granted again since (lease {last})")
        }
        NotHeld::Lost { .. } | NotHeld::By { .. } => String::new(),
    };
    Outcome::refused(
        format!(
            "the verdict comes too late: trial {trial} {}{last}",
            words(before)
        ),
        vec!["nothing was recorded".to_owned()],
    )
}

/// A verdict after another one.
pub fn decided_before(trial: TrialId, before: Before, says: Before) -> Outcome {
    let headline = format!("trial {trial} {} before; nothing changed", words(before));
    if before == says {
        return Outcome::open(headline).next("its pipeline goes on by itself");
    }
    Outcome::refused(
        headline,
        vec!["the first verdict counts: the pipeline went on with it at once".to_owned()],
    )
}

/// A verdict in the same instant as another one.
pub fn verdict_overtaken(trial: TrialId) -> Outcome {
    Outcome::refused(
        format!("trial {trial} was decided on by somebody else in the same instant"),
        vec!["nothing was recorded here; play the job again to see what was".to_owned()],
    )
}

/// A landing that a person has not allowed.
pub fn nobody_validated(trial: &Trial, roles: &[RoleName]) -> Outcome {
    let who = if roles.is_empty() {
        "a person".to_owned()
    } else {
        let roles: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
        format!("a person of {}", roles.join(" or "))
    };
    Outcome::refused(
        format!("nobody has validated trial {}, so nothing lands", trial.id),
        vec![format!(
            "{who} plays `nrt:validate` or `nrt:reject`, which let this job go on; its change sets keep their place and are tried again"
        )],
    )
}
