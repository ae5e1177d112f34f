//! Taking the lease and the next trial: looked at before, decided in one entry of the log where nothing is in the way.

use crate::domain::event::Fact;
use crate::domain::ids::TrialId;
use crate::domain::integration::{MergeRequestState, Place, Ticket};
use crate::domain::nrt::{
    self, Abandoned, Candidate, Grant, Held, Holder, Liveness, NotHeld, Trial, grant, hold,
    trial_under,
};
use crate::domain::yard::Yard;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::nrt_lock::alone::prepare;
use crate::jobs::nrt_lock::together::{Shown, Start};
use crate::jobs::nrt_lock::{release, stopping, together};
use crate::jobs::rewriting;
use crate::jobs::{Desk, append_to_version, observe};
use crate::outcome::{ExitCode, Problem};
use crate::ports::{Answer, Board, MergeRequest, Stop};
use crate::report;

/// What came of trying to take a trial.
pub(super) enum Taken {
    Trial {
        held: Held,
        trial: Box<Trial>,
        board: Option<Board>,
        /// Where the candidate still has to be put.
        unshown: Option<Shown>,
    },
    Nothing(String),
}

/// Takes the lease and the next trial that can be tried; one that this pipeline took before is taken again.
pub(super) fn take(desk: &Desk<'_>, ledger: &Ledger<'_>, stop: &dyn Stop) -> Answer<Taken> {
    let asking = Holder {
        project: desk.ci.project.clone(),
        pipeline: desk.ci.pipeline,
        job: desk.ci.job,
        user: desk.ci.user.clone(),
    };
    let previous = match &ledger.yard()?.nrt.lease {
        Some(lease)
            if lease.holder.pipeline != asking.pipeline
                || lease.holder.project != asking.project =>
        {
            desk.records.liveness(&lease.holder)?
        }
        Some(_) | None => Liveness::Running,
    };
    if previous != Liveness::Running {
        append_to_version::finish_what_a_dead_holder_began(desk, ledger)?;
    }
    stopping::unless_stopped(stop)?;
    let mut looked = look_ahead(desk, ledger, previous)?;
    let held = match lease(desk, ledger, &asking, previous, looked.as_ref())? {
        Ok(Some(held)) => held,
        Ok(None) => {
            let (freezes, now) = (&desk.config.integration.freezes, desk.clock.now());
            let hindered = report::nothing_to_serve(&ledger.yard()?, freezes, now);
            return Ok(Taken::Nothing(hindered.unwrap_or_else(|| {
                "nothing waits for the NRT environment".to_owned()
            })));
        }
        Err(NotHeld::By {
            holder,
            since,
            epoch,
        }) => {
            return Ok(Taken::Nothing(format!(
                "the NRT environment is held since {since} by pipeline {} (lease {epoch})",
                holder.pipeline
            )));
        }
        Err(NotHeld::Lost { .. }) => {
            return Err(Problem::bug("a lease that was asked for cannot be lost"));
        }
    };
    if let Some(trial) = trial_under(&ledger.yard()?.nrt, &held) {
        let Some(looked) = looked else {
            if !together::is_shown(&desk.of_trial(trial)?, trial)? {
                return begin_anew(desk, ledger, &held, stop);
            }
            return Ok(Taken::Trial {
                trial: Box::new(trial.clone()),
                held,
                board: None,
                unshown: None,
            });
        };
        together::show_in_trial(desk, trial, &looked.tickets);
        return Ok(Taken::Trial {
            trial: Box::new(trial.clone()),
            held,
            board: Some(looked.board),
            unshown: looked.start.and_then(|start| start.shown),
        });
    }
    loop {
        stopping::unless_stopped(stop)?;
        let tickets = match next(desk, ledger, &held)? {
            Err(not_held) => return Ok(Taken::Nothing(report::taken_over(&not_held))),
            Ok(tickets) => tickets,
        };
        let Some(first) = tickets.first() else {
            break;
        };
        let there = match desk.of(&first.change_set.merge_request.project) {
            Ok(there) => there,
            Err(problem) => {
                no_longer_served(ledger, &tickets, problem)?;
                continue;
            }
        };
        let (desk, branch) = (&there, there.branch());
        if tickets.iter().any(|ticket| !ticket.rewritten.is_empty()) {
            ledger.prove()?;
            rewriting::restore(desk, &held, &tickets)?;
        }
        let prepared = match &tickets[..] {
            [one] => {
                let of_it = |looked: &Looked| {
                    let sets = looked.tickets.iter().map(|ticket| &ticket.change_set);
                    sets.eq([&one.change_set])
                };
                let seen = looked.take().filter(of_it);
                let seen = seen.map(|looked| (looked.found, looked.board));
                prepare(desk, ledger, &held, one, branch, seen)?
            }
            several => together::prepare(desk, ledger, &held, several, branch)?,
        };
        if let Some((trial, board)) = prepared {
            return Ok(Taken::Trial {
                held,
                trial: Box::new(trial),
                board,
                unshown: None,
            });
        }
    }
    ledger.decide(|yard| {
        let facts = match hold(&yard.nrt, held.epoch()) {
            Ok(_) => nrt::release(&yard.nrt, &held, Abandoned::NoVerdict),
            Err(_) => Vec::new(),
        };
        Ok(Decision { facts, then: () })
    })?;
    Ok(Taken::Nothing(
        "nothing that waited could be tried".to_owned(),
    ))
}

/// This pipeline began a trial before, and its candidate is not where the jobs of the trial look for it. It is made again, as another
/// trial.
fn begin_anew(desk: &Desk<'_>, ledger: &Ledger<'_>, held: &Held, stop: &dyn Stop) -> Answer<Taken> {
    release::give_back(ledger, held, Abandoned::NoVerdict)?;
    take(desk, ledger, stop)
}

/// What would be tried next, as it stood before the lease was taken.
struct Looked {
    tickets: Vec<Ticket>,
    /// The merge request, where it is one alone.
    found: Option<MergeRequest>,
    board: Board,
    /// How its trial begins, where nothing has to be rebased by GitLab first.
    start: Option<Start>,
}

/// Looks at what would be tried next before the lease is taken: where nobody has to leave and nothing has to be rebased by GitLab,
/// the lease and the trial are one entry of the log. Looking uses nothing; whoever else is quicker takes the lease all the same.
fn look_ahead(desk: &Desk<'_>, ledger: &Ledger<'_>, previous: Liveness) -> Answer<Option<Looked>> {
    let yard = ledger.yard()?;
    let chosen = next_trial(desk, &yard);
    let ours = |ticket: &&Ticket| {
        ticket.rewritten.is_empty() && ticket.change_set.merge_request.project == desk.ci.project
    };
    if previous != Liveness::Running || yard.nrt.lease.is_some() || !chosen.iter().all(ours) {
        return Ok(None);
    }
    let tickets: Vec<Ticket> = chosen.into_iter().cloned().collect();
    let trial = TrialId(nrt::next_epoch(&yard.nrt).0);
    let [ticket] = &tickets[..] else {
        if tickets.is_empty() {
            return Ok(None);
        }
        let together = together::look_ahead(desk, ledger, &tickets, trial)?;
        return Ok(together.map(|(board, start)| Looked {
            tickets,
            found: None,
            board,
            start: Some(start),
        }));
    };
    let branch = desk.branch();
    let (found, board) = observe::at_the_gate(desk, &yard, &ticket.change_set)?;
    let fits = |mr: &&MergeRequest| {
        let open = mr.state == MergeRequestState::Open && !mr.draft && mr.target == *branch;
        let as_queued = mr.head == ticket.change_set.head && mr.behind == Some(0);
        open && as_queued && observe::objection(desk, mr).is_none()
    };
    let candidate = found.as_ref().filter(fits).and_then(|mr| {
        Some(Candidate {
            commit: mr.head.clone(),
            base: mr.base.clone()?,
            reference: format!("refs/merge-requests/{}/head", mr.id.iid),
        })
    });
    let start = candidate.map(|candidate| Start {
        trial,
        facts: vec![Fact::TrialStarted {
            trial,
            candidate,
            change_sets: vec![ticket.change_set.merge_request.clone()],
            placed: Vec::new(),
            postponed: Vec::new(),
        }],
        shown: None,
    });
    Ok(Some(Looked {
        tickets,
        found,
        board,
        start,
    }))
}

/// Takes the lease together with the tickets of its trial, in one entry of the log. Whoever uses it has it proved before.
fn lease(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    asking: &Holder,
    previous: Liveness,
    looked: Option<&Looked>,
) -> Answer<Result<Option<Held>, NotHeld>> {
    let (now, term) = (desk.clock.now(), desk.config.nrt.lease);
    let seen = ledger.yard()?.nrt.lease.map(|lease| lease.epoch);
    ledger.decide_unproved(|yard| {
        // Somebody else took it since its holder was asked about: liveness is not known of that one.
        let current = yard.nrt.lease.as_ref().map(|lease| lease.epoch);
        let previous = if current == seen {
            previous
        } else {
            Liveness::Running
        };
        let decided = grant(&yard.nrt, asking, previous, now, term);
        let (facts, then) = match decided {
            Err(not_held) => (Vec::new(), Err(not_held)),
            Ok(Grant::Already(held)) => (Vec::new(), Ok(Some(held))),
            Ok(Grant::New { held, mut facts }) => {
                let mut after = yard.clone();
                for fact in &facts {
                    after.apply(&ledger.event(fact.clone()));
                }
                let chosen = next_trial(desk, &after);
                if chosen.is_empty() && facts.len() == 1 {
                    return Ok(Decision {
                        facts: Vec::new(),
                        then: Ok(None),
                    });
                }
                facts.extend(chosen.iter().map(|ticket| unqueued(ticket, &held)));
                if let Some(looked) = looked
                    && looked.tickets.iter().eq(chosen.iter().copied())
                    && let Some(start) = &looked.start
                    && start.trial.0 == held.epoch().0
                {
                    facts.extend(start.facts.iter().cloned());
                }
                (facts, Ok(Some(held)))
            }
        };
        Ok(Decision { facts, then })
    })
}

fn next_trial<'a>(desk: &Desk<'_>, yard: &'a Yard) -> Vec<&'a Ticket> {
    let (policy, freezes) = (&desk.config.nrt.trials, &desk.config.integration.freezes);
    yard.next_trial(policy, freezes, desk.clock.now())
}

/// The tickets taken for this trial, or the next ones that wait; or that the lease was taken over.
fn next(desk: &Desk<'_>, ledger: &Ledger<'_>, held: &Held) -> Answer<Result<Vec<Ticket>, NotHeld>> {
    let trial = TrialId(held.epoch().0);
    ledger.decide(|yard| {
        if let Err(not_held) = hold(&yard.nrt, held.epoch()) {
            return Ok(Decision {
                facts: Vec::new(),
                then: Err(not_held),
            });
        }
        let taken = yard.queue.tickets.iter();
        let taken: Vec<Ticket> = taken
            .filter(|ticket| ticket.place == Place::InTrial(trial))
            .cloned()
            .collect();
        if !taken.is_empty() {
            return Ok(Decision {
                facts: Vec::new(),
                then: Ok(taken),
            });
        }
        let chosen = next_trial(desk, yard);
        Ok(Decision {
            facts: chosen.iter().map(|ticket| unqueued(ticket, held)).collect(),
            then: Ok(chosen.into_iter().cloned().collect()),
        })
    })
}

/// A member that left the yard, or says that its gate is elsewhere: its tickets must not hold up the others'. Anything else, such as
/// a GitLab that does not answer, ends the job.
fn no_longer_served(ledger: &Ledger<'_>, tickets: &[Ticket], problem: Problem) -> Answer<()> {
    match problem.code {
        ExitCode::Refused | ExitCode::Misconfigured => {}
        ExitCode::Open
        | ExitCode::Waiting
        | ExitCode::GitLab
        | ExitCode::Stopped
        | ExitCode::Bug => {
            return Err(problem);
        }
    }
    tracing::warn!("{}; next: {}", problem.what, problem.hint);
    let left = tickets.iter().map(|ticket| Fact::ChangeSetWithdrawn {
        merge_request: ticket.change_set.merge_request.clone(),
        head: ticket.change_set.head.clone(),
        reason: problem.what.chars().take(500).collect(),
        order: None,
    });
    ledger.record(&left.collect::<Vec<_>>())
}

fn unqueued(ticket: &Ticket, held: &Held) -> Fact {
    let (merge_request, head) = (
        ticket.change_set.merge_request.clone(),
        ticket.change_set.head.clone(),
    );
    Fact::ChangeSetUnqueued {
        merge_request,
        head,
        trial: TrialId(held.epoch().0),
    }
}
