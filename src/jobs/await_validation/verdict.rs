//! `trainyard await-validation --approve ROLE` and `--reject ROLE`: the manual jobs by which a person gives a verdict.

use jiff::SignedDuration;

use super::{before, closed, keep_notes, links_of, show_stage, stage_of};
use crate::domain::ids::RoleName;
use crate::domain::linking::Feature;
use crate::domain::validation::{
    Asked, Criterion, Decision, Play, Player, Run, SetAside, Verdict, Way,
};
use crate::jobs::judging::{self, Judged, Look};
use crate::jobs::{Desk, Done, ledger, observe, tell};
use crate::outcome::Outcome;
use crate::ports::{Answer, Evidence, MergeRequest};
use crate::report::{self, Elsewhere, Given, Seen, Since, Whereabouts};

/// What the manual job was told.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Validate or reject.
    pub decision: Decision,
    /// The role of the job.
    pub role: &'a RoleName,
    /// Why, where the person gave a reason with the job.
    pub reason: Option<&'a str>,
}

/// Gives a person's verdict: checks that the person may, and shows what is judged.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn run(desk: &Desk<'_>, wish: Wish<'_>) -> Answer<Done> {
    let iid = desk.ci.merge_request()?.iid;
    let player = desk.records.player()?;
    let evidence = if desk.may_look_up {
        Some(desk.records.evidence(iid)?)
    } else {
        None
    };
    let found = match &evidence {
        Some(evidence) => observe::found(desk, iid, evidence)?.merge_request,
        None => observe::merge_request(desk, iid)?,
    };
    let links = links_of(desk, &found)?;
    let closes = closed(&links);
    if closes.is_empty() {
        return Ok(Done::saying(report::nothing_to_validate(iid)));
    }
    if judging::is_outdated(desk, &found)? {
        return Ok(Done::saying(report::outdated_pipeline(
            iid,
            &desk.ci.commit,
            &found.head,
        )));
    }
    let sights = desk.features.sights(&closes)?;
    let asked = judging::asked(desk, &found, &closes, &sights)?;
    let own = own_run(desk, wish, &player);
    let weighed = weigh(desk, &found, &asked, own, evidence)?;
    if let Some(why) = weighed.refusal {
        let holders = &weighed.judged.holders;
        let outcome = report::may_not_decide(&player.name, wish.role, &why, holders, &asked);
        let reason = outcome.headline.clone();
        return Ok(Done::saying(
            outcome.checked([report::player_may_decide(Some(&reason))]),
        ));
    }
    let in_the_way = judging::criteria_in_the_way(desk, &closes, &sights);
    let validates = wish.decision == Decision::Validate;
    let checks = [
        report::newest_commit(None),
        report::player_may_decide(None),
        report::criteria_are_ticked(
            validates && desk.config.validation.criteria_required,
            &in_the_way,
        ),
    ];
    let home = observe::features_project(desk);
    let pointers = report::feature_links(&closes, &sights, &found.url, &desk.ci.project, home);
    if validates && !in_the_way.is_empty() {
        let refused = report::criteria_unticked(&in_the_way);
        return Ok(Done::saying(refused.checked(checks).seeing(pointers)));
    }
    let verdict = Verdict {
        role: wish.role.clone(),
        decision: wish.decision,
        by: player.name,
        at: desk.clock.now(),
        commit: desk.ci.commit.clone(),
        job: desk.ci.job,
    };
    let criteria = judging::criteria(desk, &closes, &sights);
    let elsewhere = if desk.may_look_up && weighed.is_first_of(wish.role) {
        before::rejections(desk, &found, &closes, &asked)?
    } else {
        Vec::new()
    };
    let judged = (&criteria[..], &elsewhere[..]);
    let mut outcome = shown(desk, &found, judged, &weighed, &verdict, wish.reason)?;
    if let Some(evidence) = &weighed.evidence {
        let mut reasons = judging::reasons(&weighed.judged.judgement, evidence);
        if let Some(reason) = wish.reason {
            reasons.insert(verdict.job, reason.to_owned());
        }
        let seen = Seen {
            iid,
            links: &links,
            home,
            head: &found.head,
            judgement: &weighed.judged.judgement,
            holders: &weighed.judged.holders,
            reasons: &reasons,
        };
        let (warnings, _) = keep_notes(desk, &seen);
        outcome = warnings.into_iter().fold(outcome, Outcome::with);
        show_stage(desk, &found, &links, stage_of(&weighed.judged.judgement));
    }
    let reason = wish.reason.map(str::to_owned);
    let fact = verdict.given(found.id.clone(), closes, reason);
    if wish.decision == Decision::Reject && desk.may_look_up {
        tell::warn_without_log(desk, iid, &fact, &found.author)?;
    }
    Ok(Done {
        outcome: outcome.checked(checks).seeing(pointers),
        events: vec![ledger::event(desk, fact)],
    })
}

/// This very job as GitLab will record it when it succeeds.
fn own_run(desk: &Desk<'_>, wish: Wish<'_>, player: &Player) -> Run {
    let now = desk.clock.now();
    Run {
        play: Play {
            job: desk.ci.job,
            pipeline: desk.ci.pipeline,
            role: wish.role.clone(),
            decision: wish.decision,
            pressed_at: now,
            at: now,
            commit: desk.ci.commit.clone(),
            way: Way::ByHand,
        },
        player: Some(player.clone()),
    }
}

/// What the verdict comes to together with all others.
struct Weighed {
    judged: Judged,
    /// What GitLab recorded; nothing without a token that may see it.
    evidence: Option<Evidence>,
    /// Why this one would not count.
    refusal: Option<SetAside>,
}

impl Weighed {
    /// Whether the role has given no verdict on an earlier content.
    fn is_first_of(&self, role: &RoleName) -> bool {
        let earlier = &self.judged.judgement.earlier;
        earlier.iter().all(|verdict| verdict.role != *role)
    }
}

fn weigh(
    desk: &Desk<'_>,
    found: &MergeRequest,
    asked: &[Asked],
    mut own: Run,
    evidence: Option<Evidence>,
) -> Answer<Weighed> {
    let nothing = Evidence::default();
    let known = evidence.as_ref().unwrap_or(&nothing);
    // This one was pressed last, whatever the clocks of the runner and of GitLab say.
    let newest = known.plays.iter().map(|play| play.pressed_at).max();
    let after = newest.and_then(|at| at.checked_add(SignedDuration::from_secs(1)).ok());
    own.play.pressed_at = own
        .play
        .pressed_at
        .max(after.unwrap_or(own.play.pressed_at));
    let judged = judging::judge(desk, found, known, asked, Look::Enough, Some(&own))?;
    let refusal = judged
        .judgement
        .set_aside
        .iter()
        .find(|(run, _)| run.play.job == own.play.job)
        .map(|(_, why)| why.clone());
    Ok(Weighed {
        judged,
        evidence,
        refusal,
    })
}

/// What the person reads: the feature, its criteria, what is new since the role's last verdict, where to look at it, who is left.
fn shown(
    desk: &Desk<'_>,
    found: &MergeRequest,
    (criteria, elsewhere): (&[(&Feature, Vec<Criterion>)], &[Elsewhere]),
    weighed: &Weighed,
    verdict: &Verdict,
    reason: Option<&str>,
) -> Answer<Outcome> {
    let judgement = &weighed.judged.judgement;
    let last = judgement
        .earlier
        .iter()
        .rev()
        .find(|earlier| earlier.role == verdict.role);
    let reasons = weighed
        .evidence
        .as_ref()
        .map(|evidence| judging::reasons(judgement, evidence))
        .unwrap_or_default();
    let since = match last {
        Some(last) => Some(Since {
            last,
            reason: reasons.get(&last.job).map(String::as_str),
            difference: desk.changes.between(&last.commit, &verdict.commit)?,
        }),
        None => None,
    };
    let whereabouts = if desk.may_look_up {
        match desk.changes.review_app(&weighed.judged.content)? {
            Some(app) => Whereabouts::At(app),
            None => Whereabouts::Nowhere,
        }
    } else {
        Whereabouts::Unknown
    };
    Ok(report::verdict_given(&Given {
        iid: found.id.iid,
        verdict,
        project_url: &desk.ci.project_url,
        criteria,
        reason,
        since,
        elsewhere,
        whereabouts,
        judgement,
        holders: &weighed.judged.holders,
        everything_seen: weighed.evidence.is_some(),
    }))
}
