//! How people steer the queue: hold, force, withdraw, pause; who may, what each order comes to, and why a change set is not served now.
//!
//! No order lets anything land that a trial has not validated: they change what is tried next, never what is checked.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::Fact;
use super::freezes::{Freezes, Frozen};
use super::ids::{MergeRequestId, UserName};
use super::integration::{ChangeSet, Left, Place, Ticket};
use super::nrt::Trial;
use super::yard::Yard;

/// What somebody ordered, as GitLab's own record names the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Who; nobody when a label says it and GitLab does not tell who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<UserName>,
    /// Why, in their words, untrusted; empty where none is asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When.
    pub given_at: Timestamp,
}

/// A merge request that is not to be tried. It keeps its age and its rank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who holds it, and why.
    pub order: Order,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// The label that holds it, for as long as the merge request carries it.
    pub label: Option<String>,
}

impl Hold {
    /// Whether it still holds.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

/// A change set that goes before all others that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Force {
    /// Who says so, and why.
    pub order: Order,
    /// Whether no freeze stops it.
    pub through_freezes: bool,
}

/// Why a change set that waits is not taken for a trial now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    /// Somebody holds it.
    Held(Hold),
    /// Somebody paused the whole queue.
    Paused(Order),
    /// Its lane is frozen.
    Frozen(Frozen),
}

/// What a person wants of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Do not try a merge request, at the longest until an instant.
    Hold { until: Option<Timestamp> },
    /// Take that back.
    Unhold,
    /// Try it before all others, whether its lane is frozen or not.
    Force { through_freezes: bool },
    /// Take it out of the queue.
    Withdraw,
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hold { .. } => "hold",
            Self::Unhold => "unhold",
            Self::Force { .. } => "force",
            Self::Withdraw => "withdraw",
        })
    }
}

/// What a person is to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Holds a role that steers the queue.
    Controller,
    /// Wrote the merge request.
    Author,
    /// Neither.
    Neither,
}

/// Why an order is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderRefusal {
    /// The person may not give it.
    NotAllowed,
    /// An author takes back only what they ordered themselves.
    HeldByAnother(Hold),
    /// The merge request is not in the queue; how it left, if it was there since the last release.
    NotInQueue(Option<Left>),
    /// It is being landed.
    Landing,
    /// It is under trial already.
    UnderTrial,
    /// Only the label's removal ends a hold by label.
    HeldByLabel(String),
}

/// What an order comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered {
    /// It is done once these facts are recorded.
    New(Vec<Fact>),
    /// It was so before: nothing to record.
    Already,
}

/// Whether somebody who is not a controller may ask for this at all.
pub fn is_for_authors(wish: Wish) -> bool {
    match wish {
        Wish::Hold { .. } | Wish::Unhold | Wish::Withdraw => true,
        Wish::Force { .. } => false,
    }
}

/// Decides what an order about a merge request comes to.
///
/// # Errors
/// Why it is not carried out.
pub fn order(
    yard: &Yard,
    merge_request: &MergeRequestId,
    wish: Wish,
    order: &Order,
    standing: Standing,
) -> Result<Ordered, OrderRefusal> {
    let may = match standing {
        Standing::Controller => true,
        Standing::Author => is_for_authors(wish),
        Standing::Neither => false,
    };
    if !may {
        return Err(OrderRefusal::NotAllowed);
    }
    let ticket = yard.queue.ticket(merge_request);
    let in_queue = || {
        ticket.ok_or_else(|| OrderRefusal::NotInQueue(yard.queue.last_left(merge_request).cloned()))
    };
    let held = yard.queue.holds.get(merge_request);
    let merge_request = merge_request.clone();
    let order = order.clone();
    match wish {
        Wish::Hold { until } => {
            let ticket = in_queue()?;
            if is_landing(yard, ticket) {
                return Err(OrderRefusal::Landing);
            }
            if held.is_some_and(|hold| hold.says_the_same(&order, until)) {
                return Ok(Ordered::Already);
            }
            Ok(Ordered::New(vec![Fact::ChangeSetHeld {
                merge_request,
                order,
                until,
                label: None,
            }]))
        }
        // A hold outlives the ticket: it can be taken back whether or not the merge request waits now.
        Wish::Unhold => match held {
            None => in_queue().map(|_| Ordered::Already),
            Some(hold) => {
                if let Some(label) = &hold.label {
                    return Err(OrderRefusal::HeldByLabel(label.clone()));
                }
                if standing == Standing::Author && hold.order.person != order.person {
                    return Err(OrderRefusal::HeldByAnother(hold.clone()));
                }
                Ok(Ordered::New(vec![Fact::ChangeSetUnheld {
                    merge_request,
                    order,
                }]))
            }
        },
        Wish::Force { through_freezes } => {
            let ticket = in_queue()?;
            if ticket.place != Place::Waiting {
                return Err(OrderRefusal::UnderTrial);
            }
            let same = |force: &Force| {
                force.through_freezes == through_freezes && force.order.says_the_same(&order)
            };
            if ticket.forced.as_ref().is_some_and(same) {
                return Ok(Ordered::Already);
            }
            Ok(Ordered::New(vec![Fact::ChangeSetForced {
                merge_request,
                head: ticket.change_set.head.clone(),
                order,
                through_freezes,
            }]))
        }
        Wish::Withdraw => {
            let Some(ticket) = ticket else {
                return match yard.queue.last_left(&merge_request) {
                    Some(Left::Withdrawn { .. }) => Ok(Ordered::Already),
                    other => Err(OrderRefusal::NotInQueue(other.cloned())),
                };
            };
            if is_landing(yard, ticket) {
                return Err(OrderRefusal::Landing);
            }
            let person = order.person.as_ref();
            let who = person.map_or_else(|| "somebody".to_owned(), |name| format!("`{name}`"));
            Ok(Ordered::New(vec![Fact::ChangeSetWithdrawn {
                merge_request,
                head: ticket.change_set.head.clone(),
                reason: format!("{who} took it out: {}", order.reason),
                order: Some(order),
            }]))
        }
    }
}

/// Decides what the order to pause the queue comes to.
///
/// # Errors
/// When the person may not give it.
pub fn pause(yard: &Yard, order: &Order, standing: Standing) -> Result<Ordered, OrderRefusal> {
    match (&yard.queue.paused, standing) {
        (_, Standing::Author | Standing::Neither) => Err(OrderRefusal::NotAllowed),
        (Some(paused), Standing::Controller) if paused.says_the_same(order) => Ok(Ordered::Already),
        (Some(_) | None, Standing::Controller) => Ok(Ordered::New(vec![Fact::QueuePaused {
            order: order.clone(),
        }])),
    }
}

/// Decides what the order to resume the queue comes to.
///
/// # Errors
/// When the person may not give it.
pub fn resume(yard: &Yard, order: &Order, standing: Standing) -> Result<Ordered, OrderRefusal> {
    match (&yard.queue.paused, standing) {
        (_, Standing::Author | Standing::Neither) => Err(OrderRefusal::NotAllowed),
        (None, Standing::Controller) => Ok(Ordered::Already),
        (Some(_), Standing::Controller) => Ok(Ordered::New(vec![Fact::QueueResumed {
            order: order.clone(),
        }])),
    }
}

/// What the labels of merge requests in the queue say: who carries the label of a hold is held, and who lost it is not any more.
pub fn by_label(
    yard: &Yard,
    label: &str,
    seen: &[(MergeRequestId, Vec<String>)],
    now: Timestamp,
) -> Vec<Fact> {
    let order = || Order {
        person: None,
        reason: String::new(),
        given_at: now,
    };
    let mut facts = Vec::new();
    for (id, labels) in seen {
        let carries = labels.iter().any(|carried| carried == label);
        let hold = yard.queue.holds.get(id);
        let merge_request = id.clone();
        if carries && hold.is_none_or(|hold| !hold.holds(now)) {
            facts.push(Fact::ChangeSetHeld {
                merge_request,
                order: order(),
                until: None,
                label: Some(label.to_owned()),
            });
        } else if !carries && hold.is_some_and(|hold| hold.label.is_some()) {
            facts.push(Fact::ChangeSetUnheld {
                merge_request,
                order: order(),
            });
        }
    }
    facts
}

/// Why a validated trial must not land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// These are no part of it any more: taken out, or replaced by other commits.
    Gone(Vec<MergeRequestId>),
    /// A freeze began during the trial.
    Frozen(Frozen),
}

/// Why a trial must not land, if so. One whose landing has begun goes on.
pub fn stop(yard: &Yard, trial: &Trial, freezes: &Freezes, now: Timestamp) -> Option<Stop> {
    if trial.validated {
        return None;
    }
    let in_trial = |id: &&MergeRequestId| {
        let ticket = yard.queue.ticket(id)?;
        (ticket.place == Place::InTrial(trial.id)).then_some(ticket)
    };
    let gone: Vec<MergeRequestId> = trial
        .change_sets
        .iter()
        .filter(|id| in_trial(id).is_none())
        .cloned()
        .collect();
    if !gone.is_empty() {
        return Some(Stop::Gone(gone));
    }
    let tickets = trial.change_sets.iter().filter_map(|id| in_trial(&id));
    let frozen = tickets.filter_map(|ticket| {
        let lane = ticket.change_set.priority;
        (!ticket.goes_through_freezes())
            .then(|| freezes.of_landing(lane, now))
            .flatten()
    });
    frozen.max_by_key(|frozen| frozen.until).map(Stop::Frozen)
}

impl Yard {
    /// Why a waiting change set is not taken for a trial now, if so.
    pub fn hindrance(
        &self,
        set: &ChangeSet,
        freezes: &Freezes,
        now: Timestamp,
    ) -> Option<Hindrance> {
        if let Some(order) = &self.queue.paused {
            return Some(Hindrance::Paused(order.clone()));
        }
        let hold = self.queue.holds.get(&set.merge_request);
        if let Some(hold) = hold.filter(|hold| hold.holds(now)) {
            return Some(Hindrance::Held(hold.clone()));
        }
        let ticket = self.queue.ticket(&set.merge_request);
        if ticket.is_some_and(Ticket::goes_through_freezes) {
            return None;
        }
        freezes.of_lane(set.priority, now).map(Hindrance::Frozen)
    }

    /// The change sets that could be taken for a trial now, best first.
    pub fn servable(&self, freezes: &Freezes, now: Timestamp) -> impl Iterator<Item = &Ticket> {
        let free =
            move |ticket: &&Ticket| self.hindrance(&ticket.change_set, freezes, now).is_none();
        self.queue.waiting().filter(free)
    }
}

impl Order {
    fn says_the_same(&self, other: &Self) -> bool {
        self.person == other.person && self.reason == other.reason
    }
}

impl Hold {
    fn says_the_same(&self, order: &Order, until: Option<Timestamp>) -> bool {
        self.label.is_none() && self.until == until && self.order.says_the_same(order)
    }
}

/// From its verdict on, orders come too late for a change set.
fn is_landing(yard: &Yard, ticket: &Ticket) -> bool {
    match &ticket.place {
        Place::Waiting => false,
        Place::Merged { .. } => true,
        Place::InTrial(id) => {
            let trial = yard.nrt.trial.as_ref();
            trial.is_some_and(|trial| trial.id == *id && trial.validated)
        }
    }
}

#[cfg(test)]
mod tests;
