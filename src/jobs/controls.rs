//! `trainyard queue hold | unhold | force | withdraw | pause | resume`: people steer the queue.
//!
//! Who ordered is whom GitLab's record names for the running job; outside of a job, the user of the token. Run again, an order that
//! stands already records nothing, and tells what a job that died before could not.

use crate::config::ci::JobLog;
use crate::domain::controls::{Order, OrderRefusal, Ordered, Standing, Wish, order, pause, resume};
use crate::domain::ids::{MergeRequestId, ProjectPath, UserName};
use crate::domain::integration::{ChangeSet, Left, Place};
use crate::domain::labelling;
use crate::domain::progress::Stage;
use crate::domain::yard::Yard;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{Desk, Done, labels, notes, observe, tell, tick};
use crate::outcome::Outcome;
use crate::ports::Answer;
use crate::report;

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Something about one merge request.
    MergeRequest {
        /// The member of a yard that it is of; none for this project.
        project: Option<ProjectPath>,
        /// Its number.
        iid: u64,
        /// What of it.
        wish: Wish,
    },
    /// Take nothing new.
    Pause,
    /// Go on.
    Resume,
}

/// An order as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    /// What is ordered.
    pub what: What,
    /// Why, untrusted; empty where none is needed.
    pub reason: &'a str,
}

/// Carries an order out.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>, asked: &Asked<'_>) -> Answer<Done> {
    let ledger = Ledger::new(*desk);
    let person = match person(desk)? {
        Ok(person) => person,
        Err(refused) => return Ok(Done::saying(refused)),
    };
    let given = Order {
        person: Some(person.clone()),
        reason: asked.reason.to_owned(),
        given_at: desk.clock.now(),
    };
    let outcome = match &asked.what {
        What::MergeRequest { project, iid, wish } => {
            let project = project.as_ref().unwrap_or(&desk.ci.project).clone();
            let id = MergeRequestId { project, iid: *iid };
            about_one(desk, &ledger, id, *wish, &given)?
        }
        What::Pause => about_all(desk, &ledger, pause, &given)?,
        What::Resume => about_all(desk, &ledger, resume, &given)?,
    };
    tell::alert_all(desk, &ledger)?;
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// What somebody reads who orders with nothing but a token of their own.
const LATER: &str = "the notes on merge requests tell it when the next job of the gate has run, `trainyard tick` at the latest";

/// Whether the notes that are kept in place are this command's to edit: they are the bot's, not those of a person's token.
fn keeps_notes(desk: &Desk<'_>) -> bool {
    match desk.ci.log {
        JobLog::OfGitLab { .. } => true,
        JobLog::Elsewhere => desk.ci.bot_token.is_some(),
    }
}

/// Who gives the order; a bot's token and a wake-up's token are in many hands, so they order nothing.
fn person(desk: &Desk<'_>) -> Answer<Result<UserName, Outcome>> {
    let player = match desk.ci.log {
        JobLog::OfGitLab { .. } => desk.records.player()?,
        JobLog::Elsewhere => desk.records.token_user()?,
    };
    Ok(
        if desk.ci.started_by_token || player.bot || !player.active {
            Err(report::order_of_nobody(
                &player.name,
                desk.ci.started_by_token,
            ))
        } else {
            Ok(player.name)
        },
    )
}

fn about_one(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    id: MergeRequestId,
    wish: Wish,
    given: &Order,
) -> Answer<Outcome> {
    let before = ledger.yard()?;
    let ticket = before.queue.ticket(&id);
    let author = match ticket {
        Some(ticket) => ticket.change_set.author.clone(),
        None => {
            let there = desk.of(&id.project)?;
            let found = there.merge_requests.merge_request(id.iid)?;
            found
                .ok_or_else(|| observe::no_merge_request(&there, id.iid))?
                .author
        }
    };
    let own = if given.person.as_ref() == Some(&author) {
        Standing::Author
    } else {
        Standing::Neither
    };
    let standing = match order(&before, &id, wish, given, own) {
        Err(OrderRefusal::NotAllowed | OrderRefusal::HeldByAnother(_)) => {
            standing(desk, given, own)?
        }
        Ok(_) | Err(_) => own,
    };
    let (taken_out, decided) = ledger.decide(|yard| {
        let set = yard
            .queue
            .ticket(&id)
            .map(|ticket| (ticket.change_set.clone(), ticket.place.clone()));
        let decided = order(yard, &id, wish, given, standing);
        let facts = match &decided {
            Ok(Ordered::New(facts)) => facts.clone(),
            Ok(Ordered::Already) | Err(_) => Vec::new(),
        };
        Ok(Decision {
            facts,
            then: (set, decided),
        })
    })?;
    let outcome = match decided {
        Err(refusal) => {
            return Ok(report::order_refused(
                wish,
                &id,
                &refusal,
                &desk.config.integration.controlled_by,
            ));
        }
        Ok(ordered) => {
            let place = taken_out.as_ref().map(|(_, place)| place);
            report::ordered(wish, &id, &ordered, &ledger.yard()?, place)
        }
    };
    let outcome = outcome.seeing(report::change_set_links(
        std::slice::from_ref(&id),
        &desk.ci.server,
    ));
    let warnings = match wish {
        Wish::Withdraw => told_withdrawn(desk, ledger, taken_out)?,
        Wish::Hold { .. } | Wish::Unhold | Wish::Force { .. } if keeps_notes(desk) => {
            notes::keep_all(desk, ledger, &[id])?
        }
        Wish::Hold { .. } | Wish::Unhold | Wish::Force { .. } => vec![LATER.to_owned()],
    };
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    Ok(match wish {
        Wish::Hold { .. } | Wish::Withdraw => outcome,
        Wish::Unhold | Wish::Force { .. } => served(desk, &ledger.yard()?, outcome),
    })
}

fn told_withdrawn(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    taken_out: Option<(ChangeSet, Place)>,
) -> Answer<Vec<String>> {
    if let Some((set, _)) = &taken_out {
        labels::show_change_set(desk, set, labelling::Stage::Linked);
    }
    if !keeps_notes(desk) {
        return Ok(vec![LATER.to_owned()]);
    }
    let Some((set, _)) = taken_out else {
        return notes::mend_left(desk, ledger);
    };
    let yard = ledger.yard()?;
    let reason = match yard.queue.last_left(&set.merge_request) {
        Some(Left::Withdrawn { reason }) => reason.clone(),
        Some(Left::Landed | Left::Rejected { .. } | Left::Conflicted) | None => String::new(),
    };
    let note = report::note_withdrawn(&reason);
    notes::keep_left(desk, ledger, &set, Stage::LeftQueue, note)
}

type Rule = fn(&Yard, &Order, Standing) -> Result<Ordered, OrderRefusal>;

fn about_all(desk: &Desk<'_>, ledger: &Ledger<'_>, rule: Rule, given: &Order) -> Answer<Outcome> {
    let standing = standing(desk, given, Standing::Neither)?;
    let decided = ledger.decide(|yard| {
        let decided = rule(yard, given, standing);
        let facts = match &decided {
            Ok(Ordered::New(facts)) => facts.clone(),
            Ok(Ordered::Already) | Err(_) => Vec::new(),
        };
        Ok(Decision {
            facts,
            then: decided,
        })
    })?;
    let yard = ledger.yard()?;
    let outcome = match decided {
        Err(_) => {
            return Ok(report::steering_not_allowed(
                &desk.config.integration.controlled_by,
            ));
        }
        Ok(ordered) => report::queue_switched(&ordered, &yard),
    };
    let warnings = if keeps_notes(desk) {
        let waiting = yard.queue.waiting();
        let ids: Vec<MergeRequestId> = waiting
            .map(|ticket| ticket.change_set.merge_request.clone())
            .collect();
        notes::keep_all(desk, ledger, &ids)?
    } else {
        vec![LATER.to_owned()]
    };
    let outcome = warnings.into_iter().fold(outcome, Outcome::with);
    Ok(if yard.queue.paused.is_some() {
        outcome
    } else {
        served(desk, &yard, outcome)
    })
}

/// What the person is: the roles are looked up only here, where being the author does not do.
fn standing(desk: &Desk<'_>, given: &Order, own: Standing) -> Answer<Standing> {
    let people = observe::people_or_maintainers(desk, &desk.config.integration.controlled_by)?;
    let steers = given.person.as_ref().is_some_and(|p| people.contains(p));
    Ok(if steers { Standing::Controller } else { own })
}

/// Whoever can be tried now is served at once; a worker that cannot be started from here is started by the next `tick`.
fn served(desk: &Desk<'_>, yard: &Yard, outcome: Outcome) -> Outcome {
    match tick::serve(desk, yard) {
        Ok(serving) => {
            outcome.next(report::ticked(&serving, yard.queue.waiting().count()).headline)
        }
        Err(problem) => outcome.warning(format!(
            "no worker was started from here: {}; `trainyard tick` starts one",
            problem.what
        )),
    }
}
