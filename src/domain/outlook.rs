//! What waits, and why: the queue as a person wants to see it now. Every reason for waiting is in `Reason`, and nowhere else.

use jiff::Timestamp;

use super::controls::Hindrance;
use super::freezes::Freezes;
use super::ids::{MergeRequestId, RoleName, TrialId, UserName};
use super::integration::{Again, Place, Ticket};
use super::nrt::Liveness;
use super::trials::Policy;
use super::yard::Yard;

/// Whether the queue is served, as GitLab says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The run that has the environment is there.
    Running,
    /// It is not, and has given nothing back.
    HolderGone,
    /// Nobody has the environment, and a worker is on its way.
    Coming,
    /// Change sets wait, nobody has the environment, and nobody is on the way.
    Nobody,
    /// Nobody has the environment, and nothing of what waits can be tried now.
    Hindered,
    /// Nobody has the environment, and nothing waits.
    Free,
    /// GitLab was not asked.
    NotAsked,
}

impl Service {
    /// Of a state, with what GitLab answered to the one question that it leaves open.
    pub fn of(
        yard: &Yard,
        servable: bool,
        holder: Option<Liveness>,
        one_is_coming: Option<bool>,
    ) -> Self {
        let waiting = yard.queue.waiting().next().is_some();
        match (&yard.nrt.lease, holder, one_is_coming) {
            (Some(_), Some(Liveness::Running), _) => Self::Running,
            (Some(_), Some(Liveness::Finished | Liveness::Vanished), _) => Self::HolderGone,
            (None, ..) if !waiting => Self::Free,
            (None, ..) if !servable => Self::Hindered,
            (None, _, Some(true)) => Self::Coming,
            (None, _, Some(false)) => Self::Nobody,
            (Some(_), None, _) | (None, _, None) => Self::NotAsked,
        }
    }

    /// Whether somebody goes on with the queue by itself.
    pub fn goes_on(self) -> bool {
        match self {
            Self::Running | Self::Coming | Self::Hindered | Self::Free | Self::NotAsked => true,
            Self::HolderGone | Self::Nobody => false,
        }
    }
}

/// Why a change set waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is among the next ones, and the environment is taken.
    Environment {
        /// The trial that has it, once it has begun.
        trial: Option<TrialId>,
    },
    /// It is among the next ones, and a worker takes it.
    Next,
    /// Others go first.
    Behind {
        /// How many.
        ahead: usize,
    },
    /// The bad one among others is searched first; nothing fresh is tried beside them.
    Search {
        /// Among how many.
        suspects: usize,
    },
    /// It was in a rejected trial, and others of it are tried first.
    Suspected {
        /// How many were in it that have not landed.
        suspects: usize,
    },
    /// Somebody holds it or paused the queue, or its lane is frozen.
    Hindered(Hindrance),
    /// It was taken for a trial before.
    Again(Again),
    /// The run that has the environment is over and gave nothing back.
    HolderGone,
    /// Nobody has the environment, and nobody comes.
    NobodyServes,
    /// The last leases ended without an outcome, so that no worker starts by itself.
    Broken {
        /// How many.
        leases: u32,
    },
}

/// A change set that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its place, from 1.
    pub rank: usize,
    /// Its ticket.
    pub ticket: &'a Ticket,
    /// Why it waits, the first one weighs most; never empty.
    pub reasons: Vec<Reason>,
}

/// The verdict of a person that a trial waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitedVerdict {
    /// Since when: people were asked then.
    pub since: Timestamp,
    /// Who was asked.
    pub people: Vec<UserName>,
    /// The roles whose people may give it; none where whoever GitLab lets press may.
    pub roles: Vec<RoleName>,
}

impl AwaitedVerdict {
    /// Of the trial that goes on, as far as people have been asked and have not answered.
    pub fn of(yard: &Yard, deciders: &[RoleName]) -> Option<Self> {
        let trial = yard.nrt.trial.as_ref().filter(|trial| !trial.validated)?;
        let asked = yard.nrt.asked.as_ref();
        let asked = asked.filter(|asked| asked.trial == trial.id)?;
        Some(Self {
            since: asked.at,
            people: asked.people.clone(),
            roles: deciders.to_vec(),
        })
    }
}

/// The queue now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook<'a> {
    /// Everything that the log says.
    pub yard: &'a Yard,
    /// Whether it is served.
    pub service: Service,
    /// Who waits, best first.
    pub lines: Vec<Line<'a>>,
}

impl<'a> Outlook<'a> {
    /// Of a state, under the project's policy.
    pub fn of(
        yard: &'a Yard,
        policy: &Policy,
        freezes: &Freezes,
        now: Timestamp,
        service: Service,
    ) -> Self {
        let next: Vec<&MergeRequestId> = yard
            .next_trial(policy, freezes, now)
            .into_iter()
            .map(|ticket| &ticket.change_set.merge_request)
            .collect();
        let (mut lines, mut ahead) = (Vec::new(), 0);
        for (index, ticket) in yard.queue.waiting().enumerate() {
            let mut reasons = trouble(yard, service);
            match yard.hindrance(&ticket.change_set, freezes, now) {
                Some(hindrance) => reasons.push(Reason::Hindered(hindrance)),
                None => {
                    reasons.push(turn(yard, ticket, ahead, &next));
                    ahead += 1;
                }
            }
            reasons.extend(ticket.again.clone().map(Reason::Again));
            lines.push(Line {
                rank: index + 1,
                ticket,
                reasons,
            });
        }
        Self {
            yard,
            service,
            lines,
        }
    }

    /// The tickets that are under trial or landing.
    pub fn under_test(&self) -> impl Iterator<Item = &'a Ticket> {
        let tickets = self.yard.queue.tickets.iter();
        tickets.filter(|ticket| ticket.place != Place::Waiting)
    }
}

/// What keeps the whole queue from going on.
fn trouble(yard: &Yard, service: Service) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !service.goes_on() && !yard.nrt.worth_another_worker() {
        let leases = yard.nrt.fruitless;
        reasons.push(Reason::Broken { leases });
    }
    match service {
        Service::HolderGone => reasons.push(Reason::HolderGone),
        Service::Nobody => reasons.push(Reason::NobodyServes),
        Service::Running
        | Service::Coming
        | Service::Hindered
        | Service::Free
        | Service::NotAsked => {}
    }
    reasons
}

/// Why it is not the turn of a change set that nothing hinders.
fn turn(yard: &Yard, ticket: &Ticket, ahead: usize, next: &[&MergeRequestId]) -> Reason {
    let id = &ticket.change_set.merge_request;
    let suspected = yard.search.suspected();
    let suspects = suspected.len();
    if next.contains(&id) {
        match &yard.nrt.lease {
            Some(_) => Reason::Environment {
                trial: yard.nrt.trial.as_ref().map(|trial| trial.id),
            },
            None => Reason::Next,
        }
    } else if suspected.contains(id) {
        Reason::Suspected { suspects }
    } else if suspects > 0 && next.iter().all(|other| suspected.contains(other)) {
        Reason::Search { suspects }
    } else {
        Reason::Behind { ahead }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::controls::Order;
    use crate::domain::event::{Fact, Subject};
    use crate::domain::trial_verdict::ASKED;
    use crate::insights::story::{Story, minute, mr};

    const POLICY: Policy = Policy {
        batch_max: 2,
        strikes: 1,
    };

    fn waiting(iids: &[u64]) -> Story {
        let mut story = Story::default();
        for iid in iids {
            story.queued(0, *iid, &[]);
        }
        story
    }

    fn why(story: &Story, service: Service) -> Vec<(u64, Vec<Reason>)> {
        let yard = Yard::of(&story.events);
        let outlook = Outlook::of(&yard, &POLICY, &Freezes::default(), minute(500), service);
        let of = |line: &Line<'_>| {
            let iid = line.ticket.change_set.merge_request.iid;
            (iid, line.reasons.clone())
        };
        outlook.lines.iter().map(of).collect()
    }

    #[test]
    fn the_next_ones_wait_for_the_environment_and_the_others_for_them() {
        let free = why(&waiting(&[1, 2, 3]), Service::Coming);
        assert_eq!(
            free,
            [
                (1, vec![Reason::Next]),
                (2, vec![Reason::Next]),
                (3, vec![Reason::Behind { ahead: 2 }])
            ]
        );
        let mut story = waiting(&[1, 2, 3]);
        story.tried(1, 7, &[1, 2]);
        let trial = Some(TrialId(7));
        assert_eq!(
            why(&story, Service::Running),
            [(3, vec![Reason::Environment { trial }])]
        );
    }

    #[test]
    fn during_a_search_suspects_and_the_fresh_ones_are_told_so() {
        let mut story = waiting(&[1, 2, 3]);
        let (trial, evidence) = (TrialId(1), String::new());
        story.tried(1, 1, &[1, 2]);
        let culprits = Vec::new();
        story.add(
            9,
            Fact::TrialRejected {
                trial,
                culprits,
                evidence,
            },
        );
        story.add(
            9,
            Fact::LeaseReleased {
                epoch: crate::domain::ids::Epoch(1),
            },
        );
        let again = Reason::Again(Again::Searched {
            trial,
            culprits: Vec::new(),
        });
        assert_eq!(
            why(&story, Service::Coming),
            [
                (1, vec![Reason::Next, again.clone()]),
                (2, vec![Reason::Suspected { suspects: 2 }, again]),
                (3, vec![Reason::Search { suspects: 2 }])
            ]
        );
    }

    #[test]
    fn a_queue_that_nobody_serves_says_so_first() {
        let story = waiting(&[1]);
        let yard = Yard::of(&story.events);
        assert_eq!(Service::of(&yard, true, None, Some(false)), Service::Nobody);
        assert_eq!(
            why(&story, Service::Nobody),
            [(1, vec![Reason::NobodyServes, Reason::Next])]
        );
        let mut story = waiting(&[1, 2]);
        for n in 1..=3 {
            story.tried(1, n, &[1]);
            let reason = crate::domain::nrt::Abandoned::Infrastructure;
            let trial = TrialId(n);
            story.add(2, Fact::TrialAbandoned { trial, reason });
            let epoch = crate::domain::ids::Epoch(n);
            story.add(2, Fact::LeaseReleased { epoch });
        }
        let told = why(&story, Service::Nobody);
        assert_eq!(told[0].1[0], Reason::Broken { leases: 3 });
        assert_eq!(told[0].1.len(), 4);
        story.tried(3, 4, &[1]);
        assert_eq!(
            why(&story, Service::HolderGone)[0].1[..2],
            [Reason::Broken { leases: 4 }, Reason::HolderGone]
        );
    }

    #[test]
    fn what_somebody_holds_is_told_so_and_is_ahead_of_nobody() {
        let mut story = waiting(&[1, 2, 3, 4]);
        let order = Order {
            person: None,
            reason: "not before the fair".to_owned(),
            given_at: minute(1),
        };
        let held = Fact::ChangeSetHeld {
            merge_request: mr(1),
            order: order.clone(),
            until: None,
            label: None,
        };
        story.add(1, held);
        let told = why(&story, Service::Coming);
        assert!(
            matches!(&told[0].1[..], [Reason::Hindered(Hindrance::Held(hold))] if hold.order == order)
        );
        assert_eq!(told[3], (4, vec![Reason::Behind { ahead: 2 }]));
        let yard = Yard::of(&story.events);
        assert_eq!(Service::of(&yard, false, None, None), Service::Hindered);
    }

    #[test]
    fn a_trial_waits_for_people_from_when_they_were_asked_until_they_answer() {
        let mut story = waiting(&[1]);
        let asked = |story: &Story| AwaitedVerdict::of(&Yard::of(&story.events), &[]);
        story.tried(1, 7, &[1]);
        assert_eq!(asked(&story), None, "it is being deployed");
        let people: Vec<UserName> = vec!["quentin".parse().unwrap()];
        for (minute, trial) in [(2, 6), (3, 7)] {
            let warned = Fact::ContributorWarned {
                about: Subject::Trial(TrialId(trial)),
                alert: ASKED.to_owned(),
                people: people.clone(),
            };
            story.add(minute, warned);
        }
        let waits = asked(&story).unwrap();
        assert_eq!((waits.since, waits.people), (minute(3), people));
        story.add(4, Fact::TrialValidated { trial: TrialId(7) });
        assert_eq!(asked(&story), None);
    }

    #[test]
    fn what_is_under_test_is_no_line_of_the_queue() {
        let mut story = waiting(&[1]);
        story.tried(1, 1, &[1]);
        let yard = Yard::of(&story.events);
        let freezes = Freezes::default();
        let outlook = Outlook::of(&yard, &POLICY, &freezes, minute(500), Service::Running);
        assert!(outlook.lines.is_empty());
        let tested: Vec<_> = outlook.under_test().collect();
        assert_eq!(tested[0].change_set.merge_request, mr(1));
    }
}
