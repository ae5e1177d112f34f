//! What several jobs ask of a merge request's validation: which roles, which verdicts, why somebody rejected.

use std::collections::{BTreeMap, BTreeSet};

use super::{Desk, observe};
use crate::domain::ids::{CommitSha, FeatureId, JobId, RoleName, UserName};
use crate::domain::linking::{Feature, Sight};
use crate::domain::validation::{
    self as domain, Asked, Because, Circumstances, Concerned, Criterion, Decision, Judgement,
    Labelled, Partly, Play, Run, ValidationFacts, Verdict, Way, acceptance_criteria, first_look,
    reason_of,
};
use crate::ports::{Answer, Evidence, MergeRequest, Unseen};
use crate::report;

/// The roles that a merge request asks, and why. Files and features are looked at only where a rule does.
pub(super) fn asked(
    desk: &Desk<'_>,
    found: &MergeRequest,
    closes: &[FeatureId],
    sights: &BTreeMap<FeatureId, Sight>,
) -> Answer<Vec<Asked>> {
    let rules = &desk.config.validation;
    let seen: Vec<_> = closes
        .iter()
        .filter_map(|id| sights.get(id).and_then(Sight::seen))
        .map(|feature| Labelled {
            feature: feature.id.clone(),
            labels: feature.labels.clone(),
            confidential: feature.confidential,
        })
        .collect();
    let complete = seen.len() == closes.len();
    let paths = if !rules.looks_at_paths() {
        Partly::all(Vec::new())
    } else if desk.may_look_up {
        desk.changes.paths(found.id.iid)?
    } else {
        Partly::some(Vec::new())
    };
    let circumstances = Circumstances {
        labels: &found.labels,
        features: Partly { seen, complete },
        paths,
    };
    Ok(domain::asked(&rules.roles, &rules.rules, &circumstances))
}

/// How much of the records a judgement looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As much as can change it.
    Enough,
    /// All there is, for the log of what happened.
    Everything,
}

/// Where every required role stands, and who holds it.
pub(super) struct Judged {
    pub(super) judgement: Judgement,
    pub(super) holders: BTreeMap<RoleName, BTreeSet<UserName>>,
    /// Commits with the content of the merge request: its head, and earlier heads with the same patch id.
    pub(super) content: BTreeSet<CommitSha>,
}

/// Weighs the evidence. `own` is the verdict that is being given right now, by the job that asks.
pub(super) fn judge(
    desk: &Desk<'_>,
    found: &MergeRequest,
    evidence: &Evidence,
    asked: &[Asked],
    look: Look,
    own: Option<&Run>,
) -> Answer<Judged> {
    let roles: Vec<RoleName> = asked.iter().map(|asked| asked.role.clone()).collect();
    let holders = observe::holders(desk, &roles)?;
    let committers = committers(desk, found)?;
    let (seen, later) = match look {
        Look::Enough => first_look(&evidence.plays, asked, &found.head),
        Look::Everything => (evidence.plays.clone(), Vec::new()),
    };
    let mut runs = runs(desk, &seen)?;
    runs.extend(own.cloned());
    let unplayed = |play: &&Play| play.way != Way::ByHand;
    runs.extend(
        evidence
            .plays
            .iter()
            .filter(unplayed)
            .filter(|_| look == Look::Enough)
            .map(|play| Run {
                play: play.clone(),
                player: None,
            }),
    );
    let defined: Vec<RoleName> = desk.config.roles.iter().map(|r| r.name.clone()).collect();
    let weigh = |runs: &[Run], content: &BTreeSet<CommitSha>| {
        domain::judge(&ValidationFacts {
            asked,
            defined: &defined,
            people: Concerned {
                holders: &holders,
                author: &found.author,
                committers: &committers,
                own: evidence.own.as_ref(),
                who: desk.config.validation.who,
            },
            content,
            runs,
        })
    };
    let mut known = seen.clone();
    known.extend(own.map(|run| run.play.clone()));
    let mut content = content(desk, found, &known)?;
    let mut judgement = weigh(&runs, &content);
    if judgement.awaited().next().is_some() && !later.is_empty() {
        runs.extend(self::runs(desk, &later)?);
        known.extend(later);
        content = self::content(desk, found, &known)?;
        judgement = weigh(&runs, &content);
    }
    Ok(Judged {
        judgement,
        holders,
        content,
    })
}

/// The plays with their users. Who did not press play decided nothing, whoever it is.
fn runs(desk: &Desk<'_>, plays: &[Play]) -> Answer<Vec<Run>> {
    let by_hand: Vec<Play> = plays
        .iter()
        .filter(|play| play.way == Way::ByHand)
        .cloned()
        .collect();
    let players = desk.records.players(&by_hand)?;
    let run = |play: &Play| Run {
        play: play.clone(),
        player: players.get(&play.job).cloned(),
    };
    Ok(plays.iter().map(run).collect())
}

/// Who wrote the commits, where that matters.
pub(super) fn committers(desk: &Desk<'_>, found: &MergeRequest) -> Answer<BTreeSet<UserName>> {
    if desk.config.validation.who.committers || !desk.may_look_up {
        Ok(BTreeSet::new())
    } else {
        desk.changes.committers(found.id.iid)
    }
}

fn content(desk: &Desk<'_>, found: &MergeRequest, plays: &[Play]) -> Answer<BTreeSet<CommitSha>> {
    let elsewhere = plays
        .iter()
        .any(|play| play.way == Way::ByHand && play.commit != found.head);
    same_content(desk, found, elsewhere)
}

/// The commits with the content of the merge request's head; other commits than the head only where it is worth the question.
pub(super) fn same_content(
    desk: &Desk<'_>,
    found: &MergeRequest,
    ask: bool,
) -> Answer<BTreeSet<CommitSha>> {
    let mut content = BTreeSet::from([found.head.clone()]);
    if ask {
        let patches = desk.merge_requests.patches(found.id.iid)?;
        if let Some(patch) = patches.get(&found.head) {
            let same = patches.iter().filter(|(_, other)| *other == patch);
            content.extend(same.map(|(commit, _)| commit.clone()));
        }
    }
    Ok(content)
}

/// Whether the pipeline judges what is no longer there. Our own rebase, which starts no pipeline, changes the head and not the
/// content.
pub(super) fn is_outdated(desk: &Desk<'_>, found: &MergeRequest) -> Answer<bool> {
    if found.head == desk.ci.commit {
        return Ok(false);
    }
    let content = same_content(desk, found, desk.may_look_up)?;
    Ok(!content.contains(&desk.ci.commit))
}

/// The reasons that people gave for rejecting, now or on earlier contents, by the job of their verdict.
pub(super) fn reasons(judgement: &Judgement, evidence: &Evidence) -> BTreeMap<JobId, String> {
    let standing = judgement.standings.iter();
    standing
        .filter_map(|(_, standing)| standing.verdict())
        .chain(&judgement.earlier)
        .filter(|verdict| verdict.decision == Decision::Reject)
        .filter_map(|verdict| Some((verdict.job, reason_of(verdict, &evidence.comments)?)))
        .collect()
}

/// The acceptance criteria of each feature that could be seen.
pub(super) fn criteria<'a>(
    desk: &Desk<'_>,
    closes: &[FeatureId],
    sights: &'a BTreeMap<FeatureId, Sight>,
) -> Vec<(&'a Feature, Vec<Criterion>)> {
    let headings = &desk.config.validation.criteria_headings;
    closes
        .iter()
        .filter_map(|id| sights.get(id).and_then(Sight::seen))
        .map(|feature| (feature, acceptance_criteria(&feature.description, headings)))
        .collect()
}

/// The same, with only those that the project wants to be fulfilled and that are not.
pub(super) fn criteria_in_the_way<'a>(
    desk: &Desk<'_>,
    closes: &[FeatureId],
    sights: &'a BTreeMap<FeatureId, Sight>,
) -> Vec<(&'a Feature, Vec<Criterion>)> {
    if !desk.config.validation.criteria_required {
        return Vec::new();
    }
    let mut found = criteria(desk, closes, sights);
    for (_, list) in &mut found {
        list.retain(Criterion::is_open);
    }
    found.retain(|(_, list)| !list.is_empty());
    found
}

/// What is said about records that were not looked at.
pub(super) fn unseen(evidence: &Evidence) -> Vec<String> {
    evidence
        .unseen
        .iter()
        .map(|unseen| match unseen {
            Unseen::Pipelines => report::pipelines_unseen(),
            Unseen::PlayedJobs(pipeline) => report::played_jobs_unseen(*pipeline),
        })
        .collect()
}

/// A rejection that came after the verdicts that let a change set into the queue, and that stands. People are looked up only when
/// somebody pressed such a job.
pub(super) fn rejected_since(
    desk: &Desk<'_>,
    found: &MergeRequest,
    verdicts: &[Verdict],
) -> Answer<Option<Verdict>> {
    if verdicts.is_empty() {
        return Ok(None);
    }
    let evidence = desk.records.evidence(found.id.iid)?;
    let known = |play: &Play| verdicts.iter().any(|verdict| verdict.job == play.job);
    // GitLab tells whole seconds: what ended in the same one may have come later, and the judgement says which.
    let news = |play: &&Play| {
        play.way == Way::ByHand
            && play.decision == Decision::Reject
            && !known(play)
            && verdicts
                .iter()
                .any(|v| v.role == play.role && play.at >= v.at)
    };
    if !evidence.plays.iter().any(|play| news(&play)) {
        return Ok(None);
    }
    let asked: Vec<Asked> = verdicts
        .iter()
        .map(|verdict| Asked {
            role: verdict.role.clone(),
            because: Because::Always,
        })
        .collect();
    let judged = judge(desk, found, &evidence, &asked, Look::Enough, None)?;
    Ok(judged.judgement.rejections().next().cloned())
}
