//! Orders to the queue in words: what was done, why not, and what those who wait read.

use jiff::Timestamp;

use crate::domain::controls::{Hindrance, Hold, Order, OrderRefusal, Ordered, Stop, Wish};
use crate::domain::freezes::{Freezes, Frozen};
use crate::domain::ids::{MergeRequestId, RoleName, UserName};
use crate::domain::integration::{ChangeSet, Left, Place, Priority};
use crate::domain::nrt::Trial;
use crate::domain::yard::Yard;
use crate::outcome::Outcome;

use super::progress::moment;
use super::{inert, plain};

/// Who ordered, since when, and why: for a job log.
fn told(order: &Order) -> String {
    said(order, plain)
}

/// The same, with whatever makes their words safe at the place where they stand.
fn said(order: &Order, safe: fn(&str) -> String) -> String {
    let person = order.person.as_ref();
    let by = person.map_or_else(String::new, |name| format!("by `{name}` "));
    let why = match order.reason.as_str() {
        "" => String::new(),
        reason => format!(": {}", safe(reason)),
    };
    format!("{by}since {}{why}", moment(order.given_at))
}

fn held(hold: &Hold, safe: fn(&str) -> String) -> String {
    let label = hold.label.as_ref();
    let label = label.map_or_else(String::new, |label| {
        format!(" with the label `{}`", plain(label).replace('`', "'"))
    });
    let until = hold
        .until
        .map_or_else(String::new, |until| format!(" until {}", moment(until)));
    format!("held{label}{until} {}", said(&hold.order, safe))
}

fn frozen(frozen: &Frozen, safe: fn(&str) -> String) -> String {
    let why = frozen.reason.as_deref();
    let why = why.map_or_else(String::new, |reason| format!(": {}", safe(reason)));
    format!(
        "frozen until {} ({}{why})",
        moment(frozen.until),
        safe(&frozen.name)
    )
}

/// Why a change set is not taken now, for a job log or a terminal.
pub fn hindrance(hindrance: &Hindrance) -> String {
    match hindrance {
        Hindrance::Held(hold) => held(hold, plain),
        Hindrance::Paused(order) => format!("the queue is paused {}", told(order)),
        Hindrance::Frozen(freeze) => frozen(freeze, plain),
    }
}

/// What the note of a change set that waits says about orders and freezes; nothing when there are none.
pub fn note_steered(yard: &Yard, set: &ChangeSet, freezes: &Freezes, now: Timestamp) -> String {
    let mut lines = Vec::new();
    if let Some(hindrance) = yard.hindrance(set, freezes, now) {
        lines.push(match hindrance {
            Hindrance::Held(hold) => format!(
                "**Not tried now**: it is {}. It keeps its place.",
                held(&hold, inert)
            ),
            Hindrance::Paused(order) => {
                format!(
                    "**Not tried now**: the queue is paused {}.",
                    said(&order, inert)
                )
            }
            Hindrance::Frozen(freeze) => {
                format!("**Not tried now**: its lane is {}.", frozen(&freeze, inert))
            }
        });
    }
    let ticket = yard.queue.ticket(&set.merge_request);
    if let Some(force) = ticket.and_then(|ticket| ticket.forced.as_ref()) {
        let through = if force.through_freezes {
            ", whether its lane is frozen or not"
        } else {
            ""
        };
        lines.push(format!(
            "Put before all others{through} {}.",
            said(&force.order, inert)
        ));
    }
    lines.iter().map(|line| format!("\n\n{line}")).collect()
}

/// Why nothing of what waits can be tried now; none when something can, or nothing waits.
pub fn nothing_to_serve(yard: &Yard, freezes: &Freezes, now: Timestamp) -> Option<String> {
    if yard.servable(freezes, now).next().is_some() {
        return None;
    }
    let first = yard.queue.waiting().next()?;
    let waiting = yard.queue.waiting().count();
    let why = yard.hindrance(&first.change_set, freezes, now)?;
    let more = match (&why, waiting) {
        (Hindrance::Paused(_), _) | (_, 1) => String::new(),
        (Hindrance::Held(_) | Hindrance::Frozen(_), n) => {
            format!(
                " (the first one; {} more wait for reasons of theirs)",
                n - 1
            )
        }
    };
    Some(format!(
        "{waiting} in the queue, and none can be tried now: {}{more}",
        hindrance(&why)
    ))
}

/// An order by somebody who is no person.
pub fn order_of_nobody(name: &UserName, by_token: bool) -> Outcome {
    let why = if by_token {
        "a pipeline that a trigger token started cannot tell who wants this: the token is in many hands".to_owned()
    } else {
        format!("`{name}` is a bot or a blocked account; orders are given by people")
    };
    Outcome::refused(
        "nothing was changed: nobody is known to order it",
        vec![
            why,
            "start the pipeline by hand (Build > Pipelines > New pipeline), or use a personal access token of your own".to_owned(),
        ],
    )
}

/// A label of the hotfix lane that was put there by nobody who may send hotfixes.
pub fn no_hotfix(lane: Priority, setters: &[UserName], roles: &[RoleName]) -> String {
    let who = match setters {
        [] => "nobody who could be told put it on the merge request itself".to_owned(),
        several => {
            let names: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
            format!("{} put it there", names.join(", "))
        }
    };
    format!(
        "its label of the hotfix lane does not count: {who}, and hotfixes are sent by {} (`integration.hotfix_by`); it queues in the lane `{lane}`. One of them can label it, or order `trainyard queue force`",
        controllers(roles)
    )
}

/// Who may steer the queue.
fn controllers(roles: &[RoleName]) -> String {
    if roles.is_empty() {
        return "maintainers of the project".to_owned();
    }
    let roles: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
    format!("people of the roles {}", roles.join(", "))
}

/// An order about the whole queue by somebody who may not give it.
pub fn steering_not_allowed(roles: &[RoleName]) -> Outcome {
    Outcome::refused(
        "the queue is not paused or resumed by you",
        vec![format!(
            "that is for {} (`integration.controlled_by`); ask one of them",
            controllers(roles)
        )],
    )
}

/// An order that is not carried out.
pub fn order_refused(
    wish: Wish,
    id: &MergeRequestId,
    refusal: &OrderRefusal,
    roles: &[RoleName],
) -> Outcome {
    let detail = match refusal {
        OrderRefusal::NotAllowed => {
            let authors = match wish {
                Wish::Hold { .. } | Wish::Unhold | Wish::Withdraw => "its author and ",
                Wish::Force { .. } => "",
            };
            format!(
                "`{wish}` is for {authors}{} (`integration.controlled_by`); ask one of them",
                controllers(roles)
            )
        }
        OrderRefusal::HeldByAnother(hold) => format!(
            "it is {}; whoever holds it, or {}, can free it",
            held(hold, plain),
            controllers(roles)
        ),
        OrderRefusal::NotInQueue(None) => {
            "it is not in the queue; press `integrate` in its newest pipeline first".to_owned()
        }
        OrderRefusal::NotInQueue(Some(left)) => format!(
            "it is not in the queue any more: {}",
            match left {
                Left::Landed => "it landed".to_owned(),
                Left::Rejected { reason } => format!("it was rejected ({})", plain(reason)),
                Left::Conflicted => "it did not apply on its target".to_owned(),
                Left::Withdrawn { reason } => format!("it was withdrawn ({})", plain(reason)),
            }
        ),
        OrderRefusal::Landing => {
            "its trial was validated, and it is being landed: it is too late; revert it once it has landed".to_owned()
        }
        OrderRefusal::UnderTrial => "it is under trial already: nothing is before it".to_owned(),
        OrderRefusal::HeldByLabel(label) => format!(
            "the label `{}` holds it: take the label off the merge request",
            plain(label).replace('`', "'")
        ),
    };
    Outcome::refused(format!("{id} stays as it is"), vec![detail])
}

/// An order that was carried out, or stood already.
pub fn ordered(
    wish: Wish,
    id: &MergeRequestId,
    ordered: &Ordered,
    yard: &Yard,
    place: Option<&Place>,
) -> Outcome {
    let in_trial = matches!(place, Some(Place::InTrial(_)));
    let (new, before) = match wish {
        Wish::Hold { until: None } => (
            "is held: it keeps its rank and is not tried",
            "is held already",
        ),
        Wish::Hold { until: Some(_) } => (
            "is held for a while: it keeps its rank and is not tried",
            "is held already",
        ),
        Wish::Unhold => ("is held no more", "is not held"),
        Wish::Force { .. } => ("goes before all others", "goes before all others already"),
        Wish::Withdraw => ("left the queue", "left the queue before"),
    };
    let outcome = match ordered {
        Ordered::New(_) => Outcome::open(format!("{id} {new}")),
        Ordered::Already => Outcome::open(format!("{id} {before}; nothing changed")),
    };
    let outcome = match yard.queue.rank(id) {
        Some(rank) => outcome.with(format!("rank {rank}")),
        None => outcome,
    };
    match wish {
        Wish::Hold { .. } if in_trial => outcome.warning(
            "it is under trial now, and lands if its trial validates it: the hold counts from then on; `trainyard queue withdraw` stops the landing",
        ),
        Wish::Withdraw if in_trial => outcome.next(
            "its trial does not land; the others of it wait again at their places",
        ),
        Wish::Force { .. } => outcome.next(
            "links, validations and its trial are as for everybody: it lands only once a trial has validated it",
        ),
        Wish::Hold { .. } | Wish::Unhold | Wish::Withdraw => outcome,
    }
}

/// The queue was paused or resumed, or was so already.
pub fn queue_switched(ordered: &Ordered, yard: &Yard) -> Outcome {
    let waiting = yard.queue.waiting().count();
    let changed = match ordered {
        Ordered::New(_) => "",
        Ordered::Already => "; nothing changed",
    };
    match &yard.queue.paused {
        Some(order) => Outcome::open(format!("the queue is paused {}{changed}", told(order)))
            .with(format!("{waiting} in the queue; joining goes on"))
            .next("what is under trial now still lands; `trainyard queue resume` lets the queue go on"),
        None => Outcome::open(format!("the queue is served{changed}"))
            .with(format!("{waiting} in the queue")),
    }
}

/// A validated trial that does not land, by order or because of a freeze.
pub fn trial_stopped(trial: &Trial, stop: &Stop) -> Outcome {
    let (headline, why) = match stop {
        Stop::Gone(gone) => {
            let gone: Vec<String> = gone.iter().map(ToString::to_string).collect();
            (
                format!(
                    "trial {} does not land: a change set of it was taken out during it",
                    trial.id
                ),
                format!("no part of it any more: {}", gone.join(", ")),
            )
        }
        Stop::Frozen(freeze) => (
            format!("trial {} does not land now", trial.id),
            format!("the queue is {}", frozen(freeze, plain)),
        ),
    };
    Outcome::refused(
        headline,
        vec![
            why,
            "those of it that are in the queue keep their place, and are tried again".to_owned(),
        ],
    )
}
