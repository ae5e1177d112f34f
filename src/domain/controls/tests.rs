//! Who may order what, what it comes to, and that no order lets a change set land untested or get lost.

use super::*;
use crate::domain::event::Event;
use crate::domain::freezes::{Freeze, Span, UnderTrial};
use crate::domain::ids::{CommitSha, Epoch, JobId, PipelineId, ProjectPath, TrialId};
use crate::domain::integration::Priority;
use crate::domain::nrt::{Candidate, Holder};
use crate::domain::trials::Policy;
use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn project() -> ProjectPath {
    "shop/web".parse().unwrap()
}

fn mr(iid: u64) -> MergeRequestId {
    MergeRequestId {
        project: project(),
        iid,
    }
}

fn sha(n: u64) -> CommitSha {
    format!("{n:040x}").parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn queued(iid: u64, priority: Priority) -> Fact {
    Fact::ChangeSetQueued {
        change_set: ChangeSet {
            merge_request: mr(iid),
            head: sha(iid),
            target: "main".parse().unwrap(),
            title: String::new(),
            author: "ana".parse().unwrap(),
            links: Vec::new(),
            verdicts: Vec::new(),
            breaking: false,
            priority,
            requested_at: at(i64::try_from(iid).unwrap()),
            requested_by: JobId(iid),
            note: None,
        },
    }
}

fn asked_again(iid: u64, job: u64) -> Fact {
    let Fact::ChangeSetQueued { mut change_set } = queued(iid, Priority::Normal) else {
        panic!()
    };
    change_set.requested_by = JobId(job);
    change_set.requested_at = at(i64::try_from(job).unwrap());
    Fact::ChangeSetQueued { change_set }
}

fn by(person: &str, second: i64) -> Order {
    Order {
        person: Some(person.parse().unwrap()),
        reason: "because".into(),
        given_at: at(second),
    }
}

struct History(Yard);

impl History {
    fn of(facts: Vec<Fact>) -> Self {
        let mut history = Self(Yard::default());
        facts.into_iter().for_each(|fact| history.then(fact));
        history
    }

    fn then(&mut self, fact: Fact) {
        self.0
            .apply(&Event::new(&project(), at(0), None, Some(JobId(1)), fact));
    }

    fn ordered(&mut self, iid: u64, wish: Wish, given: &Order) -> Result<(), OrderRefusal> {
        match order(&self.0, &mr(iid), wish, given, Standing::Controller)? {
            Ordered::New(facts) => facts.into_iter().for_each(|fact| self.then(fact)),
            Ordered::Already => {}
        }
        Ok(())
    }

    /// Who would be tried next, one by one.
    fn order_of_service(&self, freezes: &Freezes, now: i64) -> Vec<u64> {
        let tickets = self.0.servable(freezes, at(now));
        tickets.map(|t| t.change_set.merge_request.iid).collect()
    }

    fn free(&self, now: i64) -> Vec<u64> {
        self.order_of_service(&Freezes::default(), now)
    }

    fn in_trial(&mut self, trial: u64, iids: &[u64]) {
        let holder = Holder {
            project: project(),
            pipeline: PipelineId(trial),
            job: JobId(trial),
            user: None,
        };
        self.then(Fact::LeaseGranted {
            epoch: Epoch(trial),
            holder,
            until: at(0),
        });
        for iid in iids {
            self.then(Fact::ChangeSetUnqueued {
                merge_request: mr(*iid),
                head: sha(*iid),
                trial: TrialId(trial),
            });
        }
        self.then(Fact::TrialStarted {
            trial: TrialId(trial),
            candidate: Candidate {
                commit: sha(99),
                base: sha(98),
                reference: "refs/x".into(),
            },
            change_sets: iids.iter().map(|iid| mr(*iid)).collect(),
            placed: Vec::new(),
            postponed: Vec::new(),
        });
    }
}

fn three() -> History {
    History::of((1..4).map(|iid| queued(iid, Priority::Normal)).collect())
}

const HOLD: Wish = Wish::Hold { until: None };
const FORCE: Wish = Wish::Force {
    through_freezes: false,
};

#[test]
fn a_held_one_is_passed_over_and_keeps_its_rank() {
    let mut history = three();
    history.ordered(1, HOLD, &by("rita", 5)).unwrap();
    assert_eq!(history.free(9), [2, 3]);
    assert_eq!(history.0.queue.rank(&mr(1)), Some(1));
    history.ordered(1, Wish::Unhold, &by("rita", 6)).unwrap();
    assert_eq!(history.free(9), [1, 2, 3]);
    history.ordered(1, HOLD, &by("rita", 7)).unwrap();
    assert_eq!(
        history.free(9),
        [2, 3],
        "the same order once more is another one"
    );
    let until = Wish::Hold {
        until: Some(at(100)),
    };
    history.ordered(1, until, &by("rita", 8)).unwrap();
    assert_eq!(
        (history.free(99), history.free(100)),
        (vec![2, 3], vec![1, 2, 3])
    );
}

#[test]
fn what_was_said_before_is_not_recorded_again() {
    let mut history = three();
    history.ordered(1, HOLD, &by("rita", 5)).unwrap();
    let again = |history: &History, wish, given: &Order| {
        order(&history.0, &mr(1), wish, given, Standing::Controller)
    };
    assert_eq!(again(&history, HOLD, &by("rita", 9)), Ok(Ordered::Already));
    assert!(matches!(
        again(&history, HOLD, &by("olga", 9)),
        Ok(Ordered::New(_))
    ));
    history.ordered(1, FORCE, &by("rita", 5)).unwrap();
    assert_eq!(again(&history, FORCE, &by("rita", 9)), Ok(Ordered::Already));
    history.ordered(1, Wish::Withdraw, &by("rita", 6)).unwrap();
    assert_eq!(
        again(&history, Wish::Withdraw, &by("rita", 9)),
        Ok(Ordered::Already)
    );
    let paused = Fact::QueuePaused {
        order: by("rita", 5),
    };
    history.then(paused);
    assert_eq!(
        pause(&history.0, &by("rita", 9), Standing::Controller),
        Ok(Ordered::Already)
    );
    assert_eq!(
        resume(&Yard::default(), &by("rita", 9), Standing::Controller),
        Ok(Ordered::Already)
    );
}

#[test]
fn authors_steer_their_own_and_take_back_only_what_they_ordered() {
    let mut history = three();
    let may = |history: &History, wish, person: &str, standing| {
        order(&history.0, &mr(1), wish, &by(person, 5), standing).map(drop)
    };
    for (wish, author) in [
        (HOLD, Ok(())),
        (Wish::Withdraw, Ok(())),
        (FORCE, Err(OrderRefusal::NotAllowed)),
    ] {
        assert_eq!(may(&history, wish, "ana", Standing::Author), author);
        assert_eq!(may(&history, wish, "rita", Standing::Controller), Ok(()));
        assert_eq!(
            may(&history, wish, "dan", Standing::Neither),
            Err(OrderRefusal::NotAllowed)
        );
    }
    for given in [pause, resume] {
        for standing in [Standing::Author, Standing::Neither] {
            assert_eq!(
                given(&history.0, &by("ana", 1), standing),
                Err(OrderRefusal::NotAllowed)
            );
        }
    }
    history.ordered(1, HOLD, &by("rita", 5)).unwrap();
    assert!(matches!(
        may(&history, Wish::Unhold, "ana", Standing::Author),
        Err(OrderRefusal::HeldByAnother(_))
    ));
    history.ordered(1, HOLD, &by("ana", 6)).unwrap();
    assert_eq!(may(&history, Wish::Unhold, "ana", Standing::Author), Ok(()));
}

#[test]
fn what_is_not_in_the_queue_cannot_be_ordered_about_and_how_it_left_is_told() {
    let mut history = three();
    for wish in [HOLD, Wish::Unhold, FORCE, Wish::Withdraw] {
        assert_eq!(
            history.ordered(9, wish, &by("rita", 5)),
            Err(OrderRefusal::NotInQueue(None))
        );
    }
    history.then(Fact::ChangeSetConflicted {
        merge_request: mr(2),
        head: sha(2),
        detail: String::new(),
    });
    assert_eq!(
        history.ordered(2, Wish::Withdraw, &by("rita", 5)),
        Err(OrderRefusal::NotInQueue(Some(Left::Conflicted)))
    );
}

#[test]
fn a_forced_one_goes_first_and_alone_and_the_first_forced_stays_first() {
    let mut history = three();
    history.then(queued(4, Priority::Hotfix));
    history.ordered(3, FORCE, &by("rita", 5)).unwrap();
    history.ordered(2, FORCE, &by("rita", 6)).unwrap();
    assert_eq!(history.free(9), [3, 2, 4, 1]);
    let alone = Policy {
        batch_max: 1,
        strikes: 1,
    };
    let next = history.0.next_trial(&alone, &Freezes::default(), at(9));
    assert_eq!(next[0].change_set.merge_request, mr(3));
    let next = history
        .0
        .next_trial(&Policy::default(), &Freezes::default(), at(9));
    let iids: Vec<u64> = next
        .iter()
        .map(|t| t.change_set.merge_request.iid)
        .collect();
    assert_eq!(iids, [3, 2, 4], "only urgent ones are tried together");
}

#[test]
fn a_hold_outlives_the_ticket_until_somebody_takes_it_out_or_it_lands() {
    let mut history = three();
    history.ordered(1, HOLD, &by("rita", 5)).unwrap();
    history.then(Fact::ChangeSetWithdrawn {
        merge_request: mr(1),
        head: sha(1),
        reason: "replaced by newer commits".into(),
        order: None,
    });
    history.then(asked_again(1, 11));
    assert_eq!(history.free(9), [2, 3], "new commits do not free it");
    history.ordered(1, Wish::Withdraw, &by("rita", 6)).unwrap();
    history.then(asked_again(1, 12));
    assert_eq!(history.free(9), [2, 3, 1]);
}

#[test]
fn a_pause_stops_everything_and_a_freeze_its_lanes() {
    let mut history = three();
    history.then(queued(4, Priority::Hotfix));
    history
        .ordered(
            1,
            Wish::Force {
                through_freezes: true,
            },
            &by("rita", 5),
        )
        .unwrap();
    history.ordered(2, FORCE, &by("rita", 6)).unwrap();
    let freezes = Freezes(vec![Freeze {
        name: "year's end".into(),
        reason: None,
        zone: TimeZone::UTC,
        span: Span::Once {
            from: date(1970, 1, 1).at(1, 0, 0, 0),
            to: date(1970, 1, 1).at(2, 0, 0, 0),
        },
        except: vec![Priority::Hotfix],
        under_trial: UnderTrial::Waits,
    }]);
    assert_eq!(history.order_of_service(&freezes, 3_599), [1, 2, 4, 3]);
    assert_eq!(history.order_of_service(&freezes, 3_600), [1, 4]);
    assert_eq!(history.order_of_service(&freezes, 7_200), [1, 2, 4, 3]);
    history.then(Fact::QueuePaused {
        order: by("rita", 7),
    });
    assert!(history.order_of_service(&freezes, 9_000).is_empty());
    history.then(Fact::QueueResumed {
        order: by("rita", 8),
    });
    assert_eq!(history.order_of_service(&freezes, 9_000).len(), 4);
}

#[test]
fn a_trial_does_not_land_once_a_part_of_it_was_taken_out_or_a_freeze_began() {
    let mut history = three();
    history.in_trial(1, &[1, 2]);
    let trial = history.0.nrt.trial.clone().unwrap();
    let none = Freezes::default();
    assert_eq!(stop(&history.0, &trial, &none, at(0)), None);
    assert_eq!(
        history.ordered(1, FORCE, &by("rita", 5)),
        Err(OrderRefusal::UnderTrial)
    );
    history.ordered(1, HOLD, &by("rita", 5)).unwrap();
    assert_eq!(
        stop(&history.0, &trial, &none, at(0)),
        None,
        "a hold counts from the next trial on"
    );
    let freezes = Freezes(vec![Freeze {
        name: "now".into(),
        reason: None,
        zone: TimeZone::UTC,
        span: Span::Once {
            from: date(1970, 1, 1).at(0, 0, 0, 0),
            to: date(1970, 1, 2).at(0, 0, 0, 0),
        },
        except: Vec::new(),
        under_trial: UnderTrial::Waits,
    }]);
    assert!(matches!(
        stop(&history.0, &trial, &freezes, at(0)),
        Some(Stop::Frozen(_))
    ));
    history.ordered(2, Wish::Withdraw, &by("rita", 6)).unwrap();
    assert_eq!(
        stop(&history.0, &trial, &none, at(0)),
        Some(Stop::Gone(vec![mr(2)]))
    );
    let mut late = three();
    late.in_trial(1, &[1, 2]);
    late.then(Fact::TrialValidated { trial: TrialId(1) });
    let trial = late.0.nrt.trial.clone().unwrap();
    assert_eq!(
        stop(&late.0, &trial, &freezes, at(0)),
        None,
        "its landing has begun"
    );
    for wish in [HOLD, Wish::Withdraw] {
        assert_eq!(
            late.ordered(1, wish, &by("rita", 7)),
            Err(OrderRefusal::Landing)
        );
    }
}

#[test]
fn a_label_holds_for_as_long_as_it_is_there_and_nobody_else_takes_it_back() {
    let mut history = three();
    let seen = |labels: &[&str]| {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        vec![(mr(1), labels)]
    };
    for fact in by_label(&history.0, "on-hold", &seen(&["on-hold"]), at(5)) {
        history.then(fact);
    }
    assert_eq!(history.free(9), [2, 3]);
    assert_eq!(
        by_label(&history.0, "on-hold", &seen(&["on-hold"]), at(6)),
        []
    );
    assert_eq!(
        history.ordered(1, Wish::Unhold, &by("rita", 6)),
        Err(OrderRefusal::HeldByLabel("on-hold".into()))
    );
    for fact in by_label(&history.0, "on-hold", &seen(&["other"]), at(7)) {
        history.then(fact);
    }
    assert_eq!(history.free(9), [1, 2, 3]);
    history.ordered(1, HOLD, &by("rita", 8)).unwrap();
    assert_eq!(
        by_label(&history.0, "on-hold", &seen(&[]), at(9)),
        [],
        "a hold by order is not the label's to end"
    );
}

proptest! {
    /// Whatever is ordered in whatever sequence: nobody is lost, nobody is served who is held or while all are paused, and among
    /// those who are served equals keep their order.
    #[test]
    fn orders_lose_nobody_and_change_no_order_among_equals(
        orders in prop::collection::vec((0u8..7, 1u64..6), 0..40),
    ) {
        let mut history = History::of((1..6).map(|iid| queued(iid, Priority::Normal)).collect());
        let mut taken_out = std::collections::BTreeSet::new();
        for (second, (what, iid)) in orders.into_iter().enumerate() {
            let given = by("rita", i64::try_from(second).unwrap() + 10);
            let done = match what {
                0 => history.ordered(iid, HOLD, &given),
                1 => history.ordered(iid, Wish::Unhold, &given),
                2 => history.ordered(iid, FORCE, &given),
                3 => history.ordered(iid, Wish::Withdraw, &given),
                4 => { history.then(Fact::QueuePaused { order: given.clone() }); Ok(()) }
                _ => { history.then(Fact::QueueResumed { order: given.clone() }); Ok(()) }
            };
            if what == 3 && done.is_ok() {
                taken_out.insert(iid);
            }
            prop_assert_eq!(history.0.queue.tickets.len() + taken_out.len(), 5);
            let served = history.free(1_000);
            prop_assert!(history.0.queue.paused.is_none() || served.is_empty());
            prop_assert!(served.iter().all(|iid| !history.0.queue.holds.contains_key(&mr(*iid))));
            let unforced: Vec<u64> = served.iter().copied().filter(|iid| history.0.queue.ticket(&mr(*iid)).unwrap().forced.is_none()).collect();
            prop_assert!(unforced.is_sorted());
        }
    }
}
