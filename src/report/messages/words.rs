//! Each fact that is told, in words that fit every channel: what happened, and what is to be done next.

use super::{Addresses, Discretion, text};
use crate::domain::controls::Order;
use crate::domain::event::Fact;
use crate::domain::ids::MergeRequestId;
use crate::domain::notification::letter::{Sort, Span, Words};

fn said(words: &str, discretion: Discretion) -> Vec<Span> {
    match discretion {
        Discretion::Open if !words.trim().is_empty() => {
            vec![text(": "), Span::Said(words.to_owned())]
        }
        Discretion::Open | Discretion::Withheld => Vec::new(),
    }
}

fn by(order: &Order) -> Vec<Span> {
    let person = order.person.iter();
    person
        .flat_map(|name| [text(" by "), Span::Person(name.clone())])
        .collect()
}

pub(super) fn words(fact: &Fact, sort: Sort, discretion: Discretion, at: &Addresses<'_>) -> Words {
    let mr = |id: &MergeRequestId| at.merge_request(id);
    let over = sort == Sort::Recovery;
    match fact {
        Fact::FeatureRejected {
            merge_request,
            verdict,
            reason,
            ..
        } => Words {
            headline: [
                mr(merge_request),
                text(format!(" is rejected as `{}` by ", verdict.role)),
                Span::Person(verdict.by.clone()),
                text(format!(" at `{}`", verdict.commit.short())),
            ]
            .into_iter()
            .chain(said(reason.as_deref().unwrap_or_default(), discretion))
            .chain([text(".")])
            .collect(),
            next: vec![text(
                "Push what was asked for; the roles are then asked again.",
            )],
        },
        Fact::ChangeSetRejected {
            merge_request,
            trial,
            reason,
            evidence,
            ..
        } => Words {
            headline: [
                mr(merge_request),
                text(format!(
                    " is rejected by the non-regression tests (trial {trial})"
                )),
            ]
            .into_iter()
            .chain(said(reason, Discretion::Open))
            .chain([text(".")])
            .chain(evidence.iter().flat_map(|url| {
                let (label, url) = ("the job".to_owned(), url.clone());
                [text(" See "), Span::Link { label, url }, text(".")]
            }))
            .collect(),
            next: vec![text(
                "It left the queue. Push a fix, and press `integrate` again.",
            )],
        },
        Fact::LandedUntested {
            merge_request,
            trial,
            candidate,
            commit,
        } => Words {
            headline: vec![
                mr(merge_request),
                text(format!(
                    " landed as `{}`, which is not what trial {trial} validated (`{}`): somebody pushed to its target in the instant of the merge.",
                    commit.short(),
                    candidate.short()
                )),
            ],
            next: vec![text(
                "Look at the difference now, before it is released. Let nobody but the gate's bot push or merge there, or use the merge method `Merge commit with semi-linear history`.",
            )],
        },
        Fact::ChangeSetConflicted {
            merge_request,
            detail,
            ..
        } => Words {
            headline: [
                mr(merge_request),
                text(" does not apply on its target branch any more"),
            ]
            .into_iter()
            .chain(said(detail, Discretion::Open))
            .chain([text(".")])
            .collect(),
            next: vec![text(
                "It left the queue. Rebase it, and press `integrate` again.",
            )],
        },
        Fact::ChangeSetWithdrawn {
            merge_request,
            reason,
            ..
        } => Words {
            headline: [mr(merge_request), text(" left the queue")]
                .into_iter()
                .chain(said(reason, Discretion::Open))
                .chain([text(".")])
                .collect(),
            next: vec![text("Press `integrate` again when it is ready.")],
        },
        Fact::ChangeSetHeld {
            merge_request,
            order,
            until,
            label,
        } => Words {
            headline: [mr(merge_request), text(" is held")]
                .into_iter()
                .chain(by(order))
                .chain(
                    label
                        .iter()
                        .flat_map(|label| [text(" with the label "), Span::Code(label.clone())]),
                )
                .chain(until.map(|until| text(format!(" until {until}"))))
                .chain(said(&order.reason, Discretion::Open))
                .chain([text(".")])
                .collect(),
            next: vec![text(
                "It keeps its place in the queue, and is not tried before it is free again.",
            )],
        },
        Fact::ChangeSetForced {
            merge_request,
            order,
            ..
        } => Words {
            headline: [
                mr(merge_request),
                text(" was put before all others in the queue"),
            ]
            .into_iter()
            .chain(by(order))
            .chain(said(&order.reason, Discretion::Open))
            .chain([text(".")])
            .collect(),
            next: Vec::new(),
        },
        Fact::HotfixAsked {
            merge_request,
            from,
            picks,
            reason,
            asked_by,
        } => Words {
            headline: [
                mr(merge_request),
                text(format!(
                    " is a hotfix of version {from} with {}, asked for by `{asked_by}`",
                    counted(picks.len(), "change set")
                )),
            ]
            .into_iter()
            .chain(said(reason, Discretion::Open))
            .chain([text(".")])
            .collect(),
            next: Vec::new(),
        },
        Fact::QueuePaused { order } => Words {
            headline: [text("the queue is paused")]
                .into_iter()
                .chain(by(order))
                .chain(said(&order.reason, Discretion::Open))
                .chain([text(".")])
                .collect(),
            next: vec![text(
                "What is under trial still lands; nothing new is taken.",
            )],
        },
        Fact::QueueResumed { order } => Words {
            headline: [text("the queue is resumed")]
                .into_iter()
                .chain(by(order))
                .chain(said(&order.reason, Discretion::Open))
                .chain([text(".")])
                .collect(),
            next: Vec::new(),
        },
        Fact::TrialAbandoned { trial, reason } => Words {
            headline: vec![text(format!(
                "trial {trial} ended without a verdict: {reason}."
            ))],
            next: vec![text(
                "Look at the NRT environment and its runners. The change sets keep their place.",
            )],
        },
        Fact::TrialValidated { trial } | Fact::TrialRejected { trial, .. } => Words {
            headline: vec![text(format!(
                "trials come to a verdict again (trial {trial})."
            ))],
            next: Vec::new(),
        },
        Fact::LeaseExpired { epoch, holder } => Words {
            headline: vec![
                text("the run that held the NRT environment is gone without giving it back ("),
                Span::Link {
                    label: format!("pipeline {}", holder.pipeline),
                    url: format!("{}/-/pipelines/{}", at.of(&holder.project), holder.pipeline),
                },
                text(format!(", lease {epoch}).")),
            ],
            next: vec![text(
                "The next worker takes over. See that the environment itself is in order.",
            )],
        },
        Fact::LeaseBroken {
            epoch,
            holder,
            reason,
            broken_by,
        } => Words {
            headline: [
                Span::Person(broken_by.clone()),
                text(" took the NRT environment away from "),
                Span::Link {
                    label: format!("pipeline {}", holder.pipeline),
                    url: format!("{}/-/pipelines/{}", at.of(&holder.project), holder.pipeline),
                },
                text(format!(" (lease {epoch})")),
            ]
            .into_iter()
            .chain(said(reason, Discretion::Open))
            .chain([text(".")])
            .collect(),
            next: vec![text(
                "Its change sets keep their place. See that the environment itself is in order.",
            )],
        },
        Fact::EnvironmentStuck { waiting, pipeline } => Words {
            headline: vec![
                text("GitLab lets nobody into the NRT environment, although nobody has it: "),
                Span::Link {
                    label: format!("job {waiting}"),
                    url: format!("{}/-/jobs/{waiting}", at.home_url),
                },
                text(format!(
                    " of pipeline {pipeline} waits for the resource group."
                )),
            ],
            next: vec![text(
                "This is a known fault of GitLab's resource groups. Start a new pipeline of the gate, or run a finished job of the same resource group again.",
            )],
        },
        Fact::StateRepaired { lost, .. } => Words {
            headline: vec![text(format!(
                "the state of the NRT environment was damaged and was put right: {} lost or set aside.",
                counted(lost.len(), "entry").replace("entrys", "entries")
            ))],
            next: Vec::new(),
        },
        Fact::LeaseReleased { epoch } => Words {
            headline: vec![text(format!(
                "the NRT environment was given back in order again (lease {epoch})."
            ))],
            next: Vec::new(),
        },
        Fact::ChangeSetAppended { version, appended } => Words {
            headline: [
                mr(&appended.change_set.merge_request),
                text(if over {
                    " landed after all, "
                } else {
                    " landed, "
                }),
                text(format!("in version #{version}")),
            ]
            .into_iter()
            .chain(said(&appended.change_set.title, discretion))
            .chain([text(".")])
            .collect(),
            next: Vec::new(),
        },
        Fact::VersionClosed {
            number, content, ..
        } => Words {
            headline: vec![text(format!(
                "version {number} is on its way to production, with {}.",
                counted(content.len(), "change set")
            ))],
            next: Vec::new(),
        },
        Fact::VersionReleased {
            number, features, ..
        } => Words {
            headline: vec![
                text("version "),
                Span::Link {
                    label: number.to_string(),
                    url: format!("{}/-/releases/{}", at.home_url, number.tag()),
                },
                text(if over {
                    " is in production after all; it completes "
                } else {
                    " is in production; it completes "
                }),
                text(format!("{}.", counted(features.len(), "feature"))),
            ],
            next: Vec::new(),
        },
        Fact::ReleaseFailed {
            number,
            reason,
            evidence,
            ..
        } => Words {
            headline: [text(format!("the release of version {number} failed"))]
                .into_iter()
                .chain(said(reason, Discretion::Open))
                .chain([text(".")])
                .chain(evidence.iter().flat_map(|url| {
                    let (label, url) = ("the job".to_owned(), url.clone());
                    [text(" See "), Span::Link { label, url }, text(".")]
                }))
                .collect(),
            next: vec![text(
                "Its content is in the open version again. Mend the deployment, and play `release-prepare` again.",
            )],
        },
        Fact::VersionWithdrawn { number, reason, .. } => Words {
            headline: [text(format!("version {number} is withdrawn"))]
                .into_iter()
                .chain(said(reason, Discretion::Open))
                .chain([text(".")])
                .collect(),
            next: vec![text(
                "The version before it is deployed again. Its content is in the open version; mend it, and release again.",
            )],
        },
        Fact::DeliveryFailed {
            channel, reason, ..
        } => Words {
            headline: [text(format!("the channel `{channel}` takes no messages"))]
                .into_iter()
                .chain(said(reason, Discretion::Open))
                .chain([text(".")])
                .collect(),
            next: vec![text(
                "Later jobs try again, for a week. `trainyard notify --test` tells more.",
            )],
        },
        Fact::DeliverySucceeded { channel, .. } => Words {
            headline: vec![text(format!(
                "the channel `{channel}` takes messages again."
            ))],
            next: Vec::new(),
        },
        Fact::FeatureLinked { .. }
        | Fact::FeatureUnlinked { .. }
        | Fact::LinkRefused { .. }
        | Fact::ValidationRequested { .. }
        | Fact::FeatureValidated { .. }
        | Fact::ValidationLapsed { .. }
        | Fact::ChangeSetQueued { .. }
        | Fact::ChangeSetUnheld { .. }
        | Fact::LeaseGranted { .. }
        | Fact::ChangeSetUnqueued { .. }
        | Fact::ChangeSetRebased { .. }
        | Fact::TrialStarted { .. }
        | Fact::ChangeSetMerged { .. }
        | Fact::SourceBranchesSettled { .. }
        | Fact::VersionOpened { .. }
        | Fact::ReleaseTaken { .. }
        | Fact::VersionAnnounced { .. }
        | Fact::VersionDeployed { .. }
        | Fact::ContributorWarned { .. }
        | Fact::ChannelOpened { .. }
        | Fact::DeliveryStarted { .. } => Words {
            headline: vec![text(format!("{}: {}.", fact.name(), fact.subject()))],
            next: Vec::new(),
        },
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}
