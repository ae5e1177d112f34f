//! The rules as test reports list them: named alike in every run, whatever they were applied to.
//!
//! One case per rule and not per feature: GitLab compares a merge request's cases with those of its target branch by their names,
//! and a rule that is broken three times is one thing to mend.

use crate::domain::ids::{ProjectPath, RoleName};
use crate::domain::integration::QueueRefusal;
use crate::domain::linking::{Feature, LinkPolicy, LinkRefusal, Linking};
use crate::domain::ruling::Ruling;
use crate::domain::validation::{Asked, Criterion, Judgement, Standing};
use crate::outcome::Check;

use super::linking::link_refusal;
use super::plain;
use super::queue::queue_refusal;
use super::validation::{Holders, names};

const LINKS: &str = "Links to features";
const VALIDATION: &str = "Validation";
const QUEUE: &str = "Way into the queue";

/// What `link-check` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LinkRule {
    Named,
    Readable,
    Allowed,
    Known,
    Open,
    Labelled,
    Unclaimed,
}

impl LinkRule {
    const ALL: [Self; 7] = [
        Self::Named,
        Self::Readable,
        Self::Allowed,
        Self::Known,
        Self::Open,
        Self::Labelled,
        Self::Unclaimed,
    ];

    fn of(refusal: &LinkRefusal) -> Self {
        match refusal {
            LinkRefusal::NoLink => Self::Named,
            LinkRefusal::Unreadable { .. } | LinkRefusal::TooManyFeatures { .. } => Self::Readable,
            LinkRefusal::OtherProject { .. } => Self::Allowed,
            LinkRefusal::UnknownFeature { .. } | LinkRefusal::MovedAway { .. } => Self::Known,
            LinkRefusal::ClosedFeature { .. } | LinkRefusal::Undisclosed { .. } => Self::Open,
            LinkRefusal::NotAFeature { .. } | LinkRefusal::WrongType { .. } => Self::Labelled,
            LinkRefusal::AlreadyClaimed { .. } => Self::Unclaimed,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Named => "The description names a feature",
            Self::Readable => "Every link can be read",
            Self::Allowed => "Every feature is of a project whose features may be named",
            Self::Known => "Every feature exists and can be seen",
            Self::Open => "Every feature is open",
            Self::Labelled => "Every feature is marked as one",
            Self::Unclaimed => "No other merge request closes the same feature",
        }
    }

    /// Whether it needs a look at the feature itself.
    fn looks_up(self) -> bool {
        match self {
            Self::Known | Self::Open | Self::Labelled => true,
            Self::Named | Self::Readable | Self::Allowed | Self::Unclaimed => false,
        }
    }
}

/// The rules of `link-check`; `marked` says whether the project asks for a label or a type.
pub fn link_checks(
    ruling: &Ruling<(), LinkRefusal>,
    linking: &Linking,
    policy: LinkPolicy,
    marked: bool,
    home: &ProjectPath,
) -> Vec<Check> {
    let refusals: &[LinkRefusal] = match ruling {
        Ruling::Refuse(refusals) => refusals,
        Ruling::Pass | Ruling::Wait(()) => &[],
    };
    let of = |rule: LinkRule, all: &[LinkRefusal]| -> Vec<String> {
        all.iter()
            .filter(|refusal| LinkRule::of(refusal) == rule)
            .map(|refusal| link_refusal(refusal, home))
            .collect()
    };
    let check = |rule: LinkRule| {
        let (broken, warned) = (of(rule, refusals), of(rule, &linking.warnings));
        let skipped = |why: &str| Check::skipped(LINKS, rule.words(), why);
        if !broken.is_empty() {
            Check::of(LINKS, rule.words(), &broken)
        } else if !warned.is_empty() {
            skipped(&format!("only a warning: {}", warned.join("\n")))
        } else if let (LinkRule::Named, Some(exempted)) = (rule, &linking.exempted)
            && linking.links.is_empty()
        {
            skipped(&format!(
                "exempt by `features.exempt.{}`",
                plain(&exempted.name)
            ))
        } else if rule == LinkRule::Named {
            match policy {
                LinkPolicy::Off if linking.links.is_empty() => {
                    skipped("not asked for (`features.links: off`)")
                }
                LinkPolicy::Off | LinkPolicy::Required | LinkPolicy::Warned => {
                    Check::of(LINKS, rule.words(), &[])
                }
            }
        } else if linking.links.is_empty() && rule != LinkRule::Readable {
            skipped("no feature is named")
        } else if rule == LinkRule::Labelled && !marked {
            skipped("not asked for (neither `features.label` nor `features.type` is set)")
        } else if rule.looks_up() && !linking.unchecked.is_empty() {
            skipped("not looked up: that needs `TRAINYARD_TOKEN`; the gate will look")
        } else {
            Check::of(LINKS, rule.words(), &[])
        }
    };
    LinkRule::ALL.map(check).to_vec()
}

/// The rules of `await-validation`: one per role.
pub fn validation_checks(judgement: &Judgement, holders: &Holders) -> Vec<Check> {
    let check = |(asked, standing): &(Asked, Standing)| {
        let role = &asked.role;
        let why = match standing {
            Standing::Validated(_) => Vec::new(),
            Standing::Rejected(verdict) => vec![format!(
                "`{}` rejected it at `{}`; push what was asked for, and the role is asked again",
                verdict.by,
                verdict.commit.short()
            )],
            Standing::Awaited { lapsed } => {
                let again = if lapsed.is_some() {
                    "the content changed since the last verdict; "
                } else {
                    ""
                };
                vec![format!(
                    "{again}{} may play `validate:{role}` in the newest pipeline",
                    names(holders.get(role))
                )]
            }
        };
        Check::of(VALIDATION, role_rule(role), &why)
    };
    judgement.standings.iter().map(check).collect()
}

/// The same rules for a merge request that nobody has to validate, or whose roles could not be seen.
pub fn no_validation_checks(roles: &[RoleName], why: &str) -> Vec<Check> {
    roles
        .iter()
        .map(|role| Check::skipped(VALIDATION, role_rule(role), why))
        .collect()
}

fn role_rule(role: &RoleName) -> String {
    format!("`{role}` has validated this content")
}

/// That a job runs on what is under question now.
pub fn newest_commit(why_not: Option<&str>) -> Check {
    let why: Vec<String> = why_not.map(str::to_owned).into_iter().collect();
    Check::of(
        VALIDATION,
        "The pipeline runs on the newest commit of the merge request",
        &why,
    )
}

/// That the person who plays a validation job may decide.
pub fn player_may_decide(why_not: Option<&str>) -> Check {
    let why: Vec<String> = why_not.map(str::to_owned).into_iter().collect();
    Check::of(VALIDATION, "The player may decide in this role", &why)
}

/// That the acceptance criteria are ticked, where that is asked for.
pub fn criteria_are_ticked(asked: bool, criteria: &[(&Feature, Vec<Criterion>)]) -> Check {
    let rule = "The acceptance criteria are ticked";
    if !asked {
        return Check::skipped(
            VALIDATION,
            rule,
            "only validating asks for it, and only with `validation.criteria: required`",
        );
    }
    let open = criteria.iter().flat_map(|(feature, list)| {
        let open = list.iter().filter(|criterion| criterion.is_open());
        open.map(|criterion| {
            if feature.confidential {
                "[ ] a criterion of a confidential feature".to_owned()
            } else {
                format!("[ ] {}", plain(&criterion.text))
            }
        })
    });
    Check::of(VALIDATION, rule, &open.collect::<Vec<_>>())
}

/// What the gate looks at before a change set joins the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum JoinRule {
    Open,
    Ready,
    Target,
    Requested,
    Linked,
    NotRejected,
    Validated,
    Tested,
    Discussed,
    NotFrozen,
}

impl JoinRule {
    const ALL: [Self; 10] = [
        Self::Open,
        Self::Ready,
        Self::Target,
        Self::Requested,
        Self::Linked,
        Self::NotRejected,
        Self::Validated,
        Self::Tested,
        Self::Discussed,
        Self::NotFrozen,
    ];

    fn of(refusal: &QueueRefusal) -> Self {
        match refusal {
            QueueRefusal::NotOpen(_) => Self::Open,
            QueueRefusal::Draft => Self::Ready,
            QueueRefusal::OtherTarget { .. } | QueueRefusal::NoEnvironment { .. } => Self::Target,
            QueueRefusal::NotRequested => Self::Requested,
            QueueRefusal::Links(_) => Self::Linked,
            QueueRefusal::Rejected(_) => Self::NotRejected,
            QueueRefusal::NotValidated { .. } | QueueRefusal::OpenCriteria { .. } => {
                Self::Validated
            }
            QueueRefusal::PipelineFailed { .. }
            | QueueRefusal::PipelineNotFinished { .. }
            | QueueRefusal::NoPipeline => Self::Tested,
            QueueRefusal::UnresolvedThreads => Self::Discussed,
            QueueRefusal::Frozen { .. } => Self::NotFrozen,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Open => "The merge request is open",
            Self::Ready => "It is not a draft",
            Self::Target => "It targets the branch that versions are made of",
            Self::Requested => "Its integration was asked for on its newest commit",
            Self::Linked => "Its links to features are in order",
            Self::NotRejected => "Nobody rejected it",
            Self::Validated => "Every role has validated its content",
            Self::Tested => "Its newest pipeline has passed",
            Self::Discussed => "Its threads are resolved",
            Self::NotFrozen => "The queue is not frozen",
        }
    }
}

/// The rules of the gate.
pub fn queue_checks(
    refusals: &[QueueRefusal],
    closes: bool,
    threads_matter: bool,
    home: &ProjectPath,
) -> Vec<Check> {
    let gone = refusals
        .iter()
        .any(|refusal| JoinRule::of(refusal) == JoinRule::Open);
    let check = |rule: JoinRule| {
        let broken: Vec<String> = refusals
            .iter()
            .filter(|refusal| JoinRule::of(refusal) == rule)
            .map(|refusal| queue_refusal(refusal, home))
            .collect();
        let judged = matches!(rule, JoinRule::Validated | JoinRule::NotRejected);
        let why = if !broken.is_empty() {
            None
        } else if gone {
            Some("it is not open")
        } else if judged && !closes {
            Some("it closes no feature, so there is nothing to validate")
        } else if rule == JoinRule::Discussed && !threads_matter {
            Some("not asked for (`integration.resolved_threads: false`)")
        } else {
            None
        };
        match why {
            Some(why) => Check::skipped(QUEUE, rule.words(), why),
            None => Check::of(QUEUE, rule.words(), &broken),
        }
    };
    JoinRule::ALL.map(check).to_vec()
}

/// The same rules for a request that was served before.
pub fn queue_checks_left_out(why: &str) -> Vec<Check> {
    JoinRule::ALL
        .map(|rule| Check::skipped(QUEUE, rule.words(), why))
        .to_vec()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::ids::FeatureId;
    use crate::domain::linking::grammar::Line;
    use crate::domain::linking::{Link, LinkKind};
    use crate::outcome::CheckState;

    fn home() -> ProjectPath {
        "shop/web".parse().unwrap()
    }

    fn linking(unchecked: bool) -> Linking {
        let feature = FeatureId {
            project: home(),
            iid: 34,
        };
        Linking {
            links: vec![Link {
                feature: feature.clone(),
                kind: LinkKind::Closes,
            }],
            unchecked: if unchecked { vec![feature] } else { Vec::new() },
            ..Linking::default()
        }
    }

    fn states(checks: &[Check]) -> String {
        let sign = |check: &Check| match check.state {
            CheckState::Passed => 'p',
            CheckState::Failed(_) => 'F',
            CheckState::Skipped(_) => 's',
        };
        checks.iter().map(sign).collect()
    }

    #[test]
    fn the_same_rules_are_listed_whatever_was_read() {
        let unknown = |iid| LinkRefusal::UnknownFeature {
            feature: FeatureId {
                project: home(),
                iid,
            },
            at: Line::default(),
        };
        let none = Linking::default();
        let check = |ruling: Ruling<(), LinkRefusal>, linking: &Linking, marked| {
            link_checks(&ruling, linking, LinkPolicy::Required, marked, &home())
        };
        let passed = check(Ruling::Pass, &linking(false), true);
        assert_eq!(states(&passed), "ppppppp");
        let broken = check(
            Ruling::Refuse(vec![unknown(34), unknown(35)]),
            &linking(false),
            false,
        );
        assert_eq!(
            states(&broken),
            "pppFpsp",
            "two broken links break one rule"
        );
        let blind = check(Ruling::Pass, &linking(true), true);
        assert_eq!(states(&blind), "pppsssp");
        let empty = check(Ruling::Refuse(vec![LinkRefusal::NoLink]), &none, false);
        assert_eq!(states(&empty), "Fpsssss");
        let names = |checks: &[Check]| -> Vec<String> {
            checks.iter().map(|check| check.rule.clone()).collect()
        };
        assert_eq!(names(&passed), names(&broken));
        assert_eq!(names(&passed), names(&empty));
        let distinct: BTreeSet<String> = names(&passed).into_iter().collect();
        assert_eq!(distinct.len(), passed.len());
    }

    #[test]
    fn the_documents_name_every_rule() {
        let documents = include_str!("../../docs/reports.md");
        let links = LinkRule::ALL.map(LinkRule::words);
        let queue = JoinRule::ALL.map(JoinRule::words);
        let criteria = criteria_are_ticked(false, &[]).rule;
        let others = [
            newest_commit(None).rule,
            player_may_decide(None).rule,
            criteria,
        ];
        let role = role_rule(&"po".parse().unwrap());
        let all = links.into_iter().chain(queue).map(str::to_owned);
        for rule in all.chain(others).chain([role]) {
            assert!(documents.contains(&rule), "{rule}");
        }
    }

    #[test]
    fn the_gate_lists_what_it_looked_at() {
        let checks = queue_checks(&[QueueRefusal::Draft], true, false, &home());
        assert_eq!(states(&checks), "pFppppppsp");
        let checks = queue_checks(&[], false, true, &home());
        assert_eq!(states(&checks), "pppppssppp");
        let merged = crate::domain::integration::MergeRequestState::Merged;
        let checks = queue_checks(&[QueueRefusal::NotOpen(merged)], true, true, &home());
        assert_eq!(states(&checks), "Fsssssssss");
    }
}
