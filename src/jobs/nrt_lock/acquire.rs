//! `trainyard nrt-lock acquire`: takes the lease, chooses the trial, prepares the candidate, and writes the trial's pipeline.
//! The one job of the gate's child pipeline that decides; the resource group lets one run at a time.

use std::path::Path;

use super::together::{Shown, Start};
use super::trial_pipeline::{self, Member, ProjectPart, Runtime};
use super::{release, stopping, together};
use crate::ci_reports::dotenv::{Dotenv, Name};
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, TrialId};
use crate::domain::integration::{MergeRequestState, Place, Ticket};
use crate::domain::labelling;
use crate::domain::nrt::{
    self, Abandoned, Candidate, Grant, Held, Holder, Liveness, NotHeld, Trial, grant, hold,
    trial_under,
};
use crate::domain::progress::Stage;
use crate::domain::yard::Yard;
use crate::jobs::ledger::{Decision, Ledger};
use crate::jobs::{
    self, Desk, Done, append_to_version, label_holds, labels, notes, observe, rewriting, tell,
};
use crate::outcome::{ExitCode, Outcome, Problem};
use crate::ports::{Answer, Board, MergeRequest, Rebase, Stop};
use crate::report;

/// Where the worker leaves what its pipeline goes on with.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// The trial's pipeline.
    pub pipeline: &'a Path,
    /// The lease, for the job that gives it back whatever happens.
    pub dotenv: &'a Path,
}

/// Takes the next trial, or writes a pipeline that says that there is nothing to do.
///
/// # Errors
/// When GitLab cannot be asked, the log cannot be written, or the files cannot be written.
pub fn run(desk: &Desk<'_>, stop: &dyn Stop, files: Files<'_>, runtime: &Runtime) -> Answer<Done> {
    // The pipeline above cannot go on without them, and a lease that nobody can use helps nobody.
    crate::files::check_writable(files.pipeline)?;
    crate::files::check_writable(files.dotenv)?;
    let ledger = Ledger::new(*desk);
    let outcome = begin(desk, &ledger, stop, files, runtime);
    if stop.asked() {
        return Err(stopping::give_back(desk, &ledger)?);
    }
    Ok(Done {
        outcome: outcome?,
        events: ledger.into_events(),
    })
}

fn begin(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    stop: &dyn Stop,
    files: Files<'_>,
    runtime: &Runtime,
) -> Answer<Outcome> {
    warn_all(label_holds::look(desk, ledger)?);
    warn_all(jobs::release::between_trials(desk, ledger)?);
    let (outcome, pipeline, epoch) = match take(desk, ledger, stop)? {
        Taken::Trial {
            held,
            trial,
            board,
            unshown,
        } => {
            let member = member(desk, &trial)?;
            let project = ProjectPart {
                file: &desk.config.nrt.pipeline,
                decided_by: desk.config.nrt.decided_by,
            };
            let pipeline =
                trial_pipeline::of_trial(&held, &trial, project, runtime, member.as_ref())?;
            let warnings = match (board, &trial.change_sets[..]) {
                (Some(board), [one]) => notes::keep_one(desk, ledger, one, board)?,
                (board, several) => notes::keep_several(desk, ledger, several, board)?,
            };
            let outcome = report::trial_started(&trial, &held).seeing(report::change_set_links(
                &trial.change_sets,
                &desk.ci.server,
            ));
            let outcome = warnings.into_iter().fold(outcome, Outcome::with);
            // The pipeline below is the right to the environment, and so is the candidate's branch.
            ledger.prove()?;
            if let Some(shown) = unshown {
                shown.put(desk, &held)?;
            }
            (outcome, pipeline, held.epoch().0)
        }
        Taken::Nothing(why) => (
            Outcome::open(why.clone()),
            trial_pipeline::of_nothing(&why),
            0,
        ),
    };
    stopping::unless_stopped(stop)?;
    trial_pipeline::write(files.pipeline, &pipeline)?;
    let values = Dotenv::default().with(Name::Epoch, epoch)?;
    crate::files::write_whole(files.dotenv, &values.to_string())?;
    tell::alert_all(desk, ledger)?;
    Ok(outcome)
}

/// The project of the candidate, where it is not the one that this job runs in.
fn member(desk: &Desk<'_>, trial: &Trial) -> Answer<Option<Member>> {
    let Some(id) = trial.change_sets.first() else {
        return Ok(None);
    };
    if id.project == desk.ci.project {
        return Ok(None);
    }
    Ok(Some(Member {
        project: id.project.clone(),
        address: desk.of(&id.project)?.ci.git_address(),
    }))
}

enum Taken {
    Trial {
        held: Held,
        trial: Box<Trial>,
        board: Option<Board>,
        /// Where the candidate still has to be put.
        unshown: Option<Shown>,
    },
    Nothing(String),
}

fn take(desk: &Desk<'_>, ledger: &Ledger<'_>, stop: &dyn Stop) -> Answer<Taken> {
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

/// Brings one change set onto the head of its target and starts its trial; `None` when it left the queue instead.
pub(super) fn prepare(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    held: &Held,
    ticket: &Ticket,
    branch: &BranchName,
    seen: Option<(Option<MergeRequest>, Board)>,
) -> Answer<Option<(Trial, Option<Board>)>> {
    let change_set = &ticket.change_set;
    let iid = change_set.merge_request.iid;
    let (found, board) = match seen {
        Some(seen) => seen,
        None => observe::at_the_gate(desk, &ledger.yard()?, change_set)?,
    };
    ledger.prove()?;
    if let Some(reason) = left_meanwhile(desk, found.as_ref(), ticket, branch)? {
        leave(desk, ledger, ticket, found.as_ref(), &reason)?;
        return Ok(None);
    }
    let standing = match found {
        Some(found) if found.behind == Some(0) => found,
        Some(_) | None => match desk.merge_requests.rebase(held, iid)? {
            Rebase::Done(rebased) => *rebased,
            Rebase::Conflict { detail } => {
                conflict(desk, ledger, ticket, &detail)?;
                return Ok(None);
            }
            Rebase::Impossible { reason } => {
                withdraw(
                    desk,
                    ledger,
                    ticket,
                    &format!("GitLab cannot rebase it: {reason}"),
                )?;
                return Ok(None);
            }
        },
    };
    let Some(base) = standing.base.clone() else {
        return Err(Problem::gitlab(
            format!("GitLab has not worked out the diff of !{iid} yet"),
            "retry the job",
        ));
    };
    // Between our look at it and GitLab's rebase somebody may have pushed: such commits have been validated by nobody.
    if !ticket.is_of(&standing.head)
        && !desk
            .commits
            .same_change(&change_set.head, &standing.head, &base)?
    {
        withdraw(
            desk,
            ledger,
            ticket,
            "new commits were pushed while it was rebased",
        )?;
        return Ok(None);
    }
    let candidate = Candidate {
        commit: standing.head.clone(),
        base: base.clone(),
        reference: format!("refs/merge-requests/{iid}/head"),
    };
    let trial = TrialId(held.epoch().0);
    let mut facts = Vec::new();
    if standing.head != change_set.head {
        facts.push(Fact::ChangeSetRebased {
            merge_request: change_set.merge_request.clone(),
            from: change_set.head.clone(),
            to: standing.head.clone(),
            onto: base,
        });
    }
    facts.push(Fact::TrialStarted {
        trial,
        candidate,
        change_sets: vec![change_set.merge_request.clone()],
        placed: Vec::new(),
        postponed: Vec::new(),
    });
    let Some(trial) = start(ledger, held, &facts)? else {
        return Ok(None);
    };
    labels::show_change_set(desk, change_set, labelling::Stage::InTrial);
    Ok(Some((trial, Some(board))))
}

/// Records that the trial has begun, with what led to it; `None` when the lease was taken over meanwhile.
pub(super) fn start(ledger: &Ledger<'_>, held: &Held, facts: &[Fact]) -> Answer<Option<Trial>> {
    ledger.decide(|yard| {
        let facts = match hold(&yard.nrt, held.epoch()) {
            Ok(_) => facts.to_vec(),
            Err(_) => Vec::new(),
        };
        Ok(Decision { facts, then: () })
    })?;
    Ok(trial_under(&ledger.yard()?.nrt, held).cloned())
}

/// Why a change set can no longer be tried as it was queued.
pub(super) fn left_meanwhile(
    desk: &Desk<'_>,
    found: Option<&MergeRequest>,
    ticket: &Ticket,
    branch: &BranchName,
) -> Answer<Option<String>> {
    let Some(found) = found else {
        return Ok(Some("the merge request is gone".to_owned()));
    };
    let objection = observe::objection(desk, found);
    let reason = match found.state {
        MergeRequestState::Closed => Some("the merge request was closed".to_owned()),
        MergeRequestState::Merged => Some("somebody merged it around the queue".to_owned()),
        MergeRequestState::Open if found.draft => {
            Some("the merge request was made a draft".to_owned())
        }
        MergeRequestState::Open if found.target != *branch => {
            Some(format!("the merge request now targets `{}`", found.target))
        }
        MergeRequestState::Open if objection.is_some() => objection,
        MergeRequestState::Open if ticket.is_of(&found.head) => None,
        MergeRequestState::Open if only_rebased(desk, found, ticket)? => None,
        MergeRequestState::Open => Some(format!(
            "new commits were pushed (`{}`)",
            found.head.short()
        )),
    };
    Ok(reason)
}

/// Whether a head that the log does not know is the same change: somebody rebased it, or a run before this one did and died before
/// it could say so.
fn only_rebased(desk: &Desk<'_>, found: &MergeRequest, ticket: &Ticket) -> Answer<bool> {
    let base = match &found.base {
        Some(base) => Some(base.clone()),
        None => desk
            .merge_requests
            .merge_request(found.id.iid)?
            .and_then(|whole| whole.base),
    };
    let Some(base) = base else {
        return Ok(false);
    };
    let head = &ticket.change_set.head;
    let same = desk.commits.same_change(head, &found.head, &base);
    Ok(same.unwrap_or_else(|problem| {
        // The old head can be gone for good. What cannot be compared counts as new, and its author is told.
        tracing::warn!(
            "`{}` and `{}` cannot be compared: {}",
            head.short(),
            found.head.short(),
            problem.full_text()
        );
        false
    }))
}

/// It leaves, with the reason; or it has landed by a trial that was given up too early.
pub(super) fn leave(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ticket: &Ticket,
    found: Option<&MergeRequest>,
    reason: &str,
) -> Answer<()> {
    let merged = found.is_some_and(|found| found.state == MergeRequestState::Merged);
    let id = &ticket.change_set.merge_request;
    if merged && append_to_version::finish_overdue(desk, ledger, id)? {
        return Ok(());
    }
    withdraw(desk, ledger, ticket, reason)
}

pub(super) fn withdraw(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ticket: &Ticket,
    reason: &str,
) -> Answer<()> {
    let change_set = &ticket.change_set;
    let (merge_request, head) = (change_set.merge_request.clone(), change_set.head.clone());
    ledger.record(&[Fact::ChangeSetWithdrawn {
        merge_request,
        head,
        reason: reason.to_owned(),
        order: None,
    }])?;
    let note = report::note_withdrawn(reason);
    notes::keep_left(desk, ledger, change_set, Stage::LeftQueue, note).map(warn_all)?;
    labels::show_change_set(desk, change_set, labelling::Stage::Linked);
    Ok(())
}

pub(super) fn conflict(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    ticket: &Ticket,
    detail: &str,
) -> Answer<()> {
    let change_set = &ticket.change_set;
    ledger.record(&[Fact::ChangeSetConflicted {
        merge_request: change_set.merge_request.clone(),
        head: change_set.head.clone(),
        detail: detail.chars().take(500).collect(),
    }])?;
    let note = report::note_conflicted(change_set, detail);
    notes::keep_left(desk, ledger, change_set, Stage::Conflicted, note).map(warn_all)?;
    labels::show_change_set(desk, change_set, labelling::Stage::Linked);
    Ok(())
}

/// The change set that left is not the one that this job goes on with: what could not be told about it goes to the log at once.
fn warn_all(warnings: Vec<String>) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}
