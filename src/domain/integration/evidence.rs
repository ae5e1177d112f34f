//! What is recorded of a change set's links and verdicts when it joins: GitLab's own records, which later nobody can look up as they
//! are now.

use std::collections::BTreeMap;

use super::ChangeSet;
use crate::domain::event::Fact;
use crate::domain::ids::{FeatureId, JobId};
use crate::domain::linking::{Link, LinkKind};
use crate::domain::validation::{Judgement, Verdict};

/// The facts that let a change set into the queue: its links, then the verdicts of people on the features that it closes, those on
/// earlier contents first. `reasons` are given with the rejections, by their jobs; `told_by` is the job that told the links last.
pub fn evidence_facts(
    change_set: &ChangeSet,
    judgement: &Judgement,
    reasons: &BTreeMap<JobId, String>,
    told_by: Option<JobId>,
) -> Vec<Fact> {
    let links = &change_set.links;
    let link = |Link { feature, kind }: &Link| Fact::FeatureLinked {
        merge_request: change_set.merge_request.clone(),
        feature: feature.clone(),
        kind: *kind,
        commit: Some(change_set.head.clone()),
        told_by,
    };
    let closing = links.iter().filter(|link| link.kind == LinkKind::Closes);
    let features: Vec<FeatureId> = closing.map(|link| link.feature.clone()).collect();
    let verdict = |verdict: Verdict| {
        let reason = reasons.get(&verdict.job).cloned();
        verdict.given(change_set.merge_request.clone(), features.clone(), reason)
    };
    let links = links.iter().map(link);
    if features.is_empty() {
        return links.collect();
    }
    links
        .chain(judgement.earlier.iter().cloned().map(verdict))
        .chain(judgement.verdicts().into_iter().map(verdict))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::integration::Priority;
    use crate::domain::integration::ground::{change_set, sha};
    use crate::domain::validation::{Asked, Because, Decision, Standing};

    fn verdict(job: u64, decision: Decision) -> Verdict {
        Verdict {
            role: "po".parse().unwrap(),
            decision,
            by: "olga".parse().unwrap(),
            at: jiff::Timestamp::UNIX_EPOCH,
            commit: sha('a'),
            job: JobId(job),
        }
    }

    fn links(kind: LinkKind) -> Vec<Link> {
        let feature = |iid| FeatureId {
            project: "shop/features".parse().unwrap(),
            iid,
        };
        vec![
            Link {
                feature: feature(1),
                kind: LinkKind::Contributes,
            },
            Link {
                feature: feature(2),
                kind,
            },
        ]
    }

    fn judged() -> Judgement {
        let asked = Asked {
            role: "po".parse().unwrap(),
            because: Because::Always,
        };
        let standing = Standing::Validated(verdict(8, Decision::Validate));
        Judgement {
            standings: vec![(asked, standing)],
            set_aside: Vec::new(),
            earlier: vec![verdict(7, Decision::Reject)],
        }
    }

    #[test]
    fn links_come_first_and_the_verdicts_concern_what_is_closed() {
        let mut set = change_set(5, 'a', Priority::Normal, 1);
        set.links = links(LinkKind::Closes);
        let reasons = BTreeMap::from([(JobId(7), "the price is wrong".to_owned())]);
        let facts = evidence_facts(&set, &judged(), &reasons, Some(JobId(3)));
        let [
            Fact::FeatureLinked {
                told_by, commit, ..
            },
            Fact::FeatureLinked { .. },
            Fact::FeatureRejected {
                features, reason, ..
            },
            Fact::FeatureValidated { verdict, .. },
        ] = &facts[..]
        else {
            panic!("{facts:?}")
        };
        assert_eq!((told_by, commit), (&Some(JobId(3)), &Some(sha('a'))));
        assert_eq!(features, &[set.links[1].feature.clone()]);
        assert_eq!(reason.as_deref(), Some("the price is wrong"));
        assert_eq!(verdict.job, JobId(8));
    }

    #[test]
    fn without_a_closing_link_no_verdict_is_recorded() {
        let mut set = change_set(5, 'a', Priority::Normal, 1);
        set.links = links(LinkKind::Contributes);
        let facts = evidence_facts(&set, &judged(), &BTreeMap::new(), None);
        let linked = |fact: &Fact| matches!(fact, Fact::FeatureLinked { told_by: None, .. });
        assert!(facts.len() == 2 && facts.iter().all(linked), "{facts:?}");
    }
}
