//! Rejections of the same features in other merge requests: they block nothing, but who decides next wants to know.

use crate::domain::ids::FeatureId;
use crate::domain::validation::{Asked, Decision, Verdict, Way};
use crate::jobs::Desk;
use crate::jobs::await_validation::{closed, links_of};
use crate::jobs::judging::{self, Look};
use crate::ports::{Answer, MergeRequest};
use crate::report::Elsewhere;

/// How many features, and how many other merge requests of each, are looked at.
const MOST: usize = 2;

/// What was rejected before, newest merge request first.
pub(super) fn rejections(
    desk: &Desk<'_>,
    found: &MergeRequest,
    closes: &[FeatureId],
    asked: &[Asked],
) -> Answer<Vec<Elsewhere>> {
    let mut rejections: Vec<Elsewhere> = Vec::new();
    for feature in closes.iter().take(MOST) {
        for other in others(desk, found, feature)? {
            if rejections
                .iter()
                .all(|known| known.merge_request != other.id.iid)
            {
                rejections.extend(of(desk, &other, asked)?);
            }
        }
    }
    Ok(rejections)
}

/// The newest others that close the feature according to their description.
fn others(desk: &Desk<'_>, found: &MergeRequest, feature: &FeatureId) -> Answer<Vec<MergeRequest>> {
    let mut others = Vec::new();
    for other in desk.merge_requests.related(feature)? {
        if other.id != found.id && closed(&links_of(desk, &other)?).contains(feature) {
            others.push(other);
        }
    }
    others.sort_by_key(|other| std::cmp::Reverse(other.id.iid));
    others.truncate(MOST);
    Ok(others)
}

fn of(desk: &Desk<'_>, other: &MergeRequest, asked: &[Asked]) -> Answer<Vec<Elsewhere>> {
    let evidence = desk.records.evidence(other.id.iid)?;
    let rejected = evidence
        .plays
        .iter()
        .any(|play| play.decision == Decision::Reject && play.way == Way::ByHand);
    if !rejected {
        return Ok(Vec::new());
    }
    let judged = judging::judge(desk, other, &evidence, asked, Look::Everything, None)?;
    let reasons = judging::reasons(&judged.judgement, &evidence);
    let verdicts = judged.judgement.verdicts();
    let all = judged.judgement.earlier.iter().chain(&verdicts);
    let told = |verdict: &Verdict| Elsewhere {
        merge_request: other.id.iid,
        reason: reasons.get(&verdict.job).cloned(),
        verdict: verdict.clone(),
    };
    Ok(all
        .filter(|verdict| verdict.decision == Decision::Reject)
        .map(told)
        .collect())
}
