//! The queue now: as a table for people, as JSON for programs. The page of it is in `insights::page`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::domain::controls::{Hindrance, Order};
use crate::domain::ids::{MergeRequestId, ProjectPath};
use crate::domain::integration::{Again, Ticket};
use crate::domain::nrt::Trial;
use crate::domain::outlook::{AwaitedVerdict, Line, Outlook, Reason, Service};
use crate::domain::pace::Landing;
use crate::simulate::forecast::Forecast;

use super::controls::hindrance;
use super::expected::{clock, expected, forecast_basis};
use super::landing::waits_again;
use super::plain;
use super::queue::age;

/// The queue with everything that a view of it needs.
#[derive(Debug, Clone, Copy)]
pub struct QueueView<'a> {
    /// Who waits, and why.
    pub outlook: &'a Outlook<'a>,
    /// The verdict that the trial waits for, if it waits for one of a person.
    pub verdict: Option<&'a AwaitedVerdict>,
    /// When each may land; none while nobody serves the queue.
    pub forecast: Option<&'a Forecast>,
    /// The instant of the view.
    pub now: Timestamp,
    /// In which times are told.
    pub zone: &'a TimeZone,
    /// How many letters fit into a line; none where lines may be of any length.
    pub width: Option<usize>,
}

impl QueueView<'_> {
    /// When a change set may land.
    pub fn landing(&self, id: &MergeRequestId) -> Option<Landing> {
        self.forecast?.landing(id)
    }

    /// What stands under the table about its times.
    pub fn basis(&self) -> String {
        match self.forecast {
            Some(forecast) => forecast_basis(forecast),
            None => "no times now: nobody serves the queue".to_owned(),
        }
    }

    /// Whether the queue holds change sets of more than one project.
    fn home(&self) -> Option<&ProjectPath> {
        let mut projects = self.outlook.yard.queue.tickets.iter();
        let first = &projects.next()?.change_set.merge_request.project;
        projects
            .all(|ticket| ticket.change_set.merge_request.project == *first)
            .then_some(first)
    }

    /// `!34`, with its project where there are several.
    pub fn name(&self, id: &MergeRequestId) -> String {
        match self.home() {
            Some(home) if *home == id.project => id.to_string(),
            Some(_) | None => format!("{}{id}", id.project),
        }
    }
}

/// Whether the queue is served, in words.
pub fn service_words(service: Service) -> &'static str {
    match service {
        Service::Running => "its run is there",
        Service::HolderGone => {
            "its run is over and gave nothing back; the next worker, or `trainyard tick`, takes over"
        }
        Service::Coming => "a worker is on its way",
        Service::Nobody => {
            "nobody is on the way; press `integrate` again, or run `trainyard tick`, which starts a worker"
        }
        Service::Hindered => "nothing of what waits can be tried now",
        Service::Free => "nothing waits for it",
        Service::NotAsked => "GitLab was not asked whether somebody serves it",
    }
}

/// A reason for waiting, in words that go on from "waits because".
pub fn reason_words(reason: &Reason) -> String {
    match reason {
        Reason::Environment { trial: Some(trial) } => {
            format!("it is among the next; trial {trial} has the environment")
        }
        Reason::Environment { trial: None } => {
            "it is among the next; a trial is being prepared".to_owned()
        }
        Reason::Next => "it is among the next; a worker takes it".to_owned(),
        Reason::Behind { ahead: 1 } => "one other is ahead of it".to_owned(),
        Reason::Behind { ahead } => format!("{ahead} others are ahead of it"),
        Reason::Search { suspects } => format!(
            "a bad change set is being searched among {suspects} others; nothing fresh is tried beside them"
        ),
        Reason::Suspected { suspects } => {
            format!("it is one of {suspects} of which one is bad; a part of them is tried first")
        }
        Reason::Hindered(why) => hindrance(why),
        Reason::Again(again) => waits_again(again),
        Reason::HolderGone => "the run that has the environment is over".to_owned(),
        Reason::NobodyServes => "nobody serves the queue".to_owned(),
        Reason::Broken { leases } => format!(
            "the last {leases} leases ended without an outcome, so no worker starts another one"
        ),
    }
}

/// Why a change set waits, all of it.
pub fn reasons_words(reasons: &[Reason]) -> String {
    let words: Vec<String> = reasons.iter().map(|r| plain(&reason_words(r))).collect();
    words.join("; ")
}

/// How a trial stands.
pub fn trial_state(trial: &Trial, verdict: Option<&AwaitedVerdict>) -> &'static str {
    if trial.validated {
        "validated, landing"
    } else if verdict.is_some() {
        "waits for a verdict"
    } else {
        "running"
    }
}

/// Whose verdict the trial waits for, and since when; none where it waits for none.
pub fn verdict_words(view: &QueueView<'_>) -> Option<String> {
    let verdict = view.verdict?;
    let people: Vec<String> = verdict
        .people
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let roles: Vec<&str> = verdict.roles.iter().map(|role| role.as_str()).collect();
    let who = match (&people[..], &roles[..]) {
        ([], []) => "whoever may merge to the branch of the gate".to_owned(),
        ([], roles) => format!("somebody of {}", roles.join(", ")),
        (people, []) => people.join(", "),
        (people, roles) => format!("{} ({})", people.join(", "), roles.join(", ")),
    };
    Some(format!(
        "asked for since {}, for {}; {who} gives it by `nrt:validate` or `nrt:reject` in the trial's pipeline",
        clock(verdict.since, view.now, view.zone),
        age(verdict.since, view.now),
    ))
}

/// Who paused the whole queue, since when and why; none where nobody did.
pub fn pause_words(view: &QueueView<'_>) -> Option<String> {
    let order = view.outlook.yard.queue.paused.as_ref()?;
    Some(hindrance(&Hindrance::Paused(order.clone())))
}

/// Who has the environment, since when, and whether somebody serves it.
pub fn holder_words(view: &QueueView<'_>) -> String {
    let outlook = view.outlook;
    let service = service_words(outlook.service);
    match &outlook.yard.nrt.lease {
        None => format!("free; {service}"),
        Some(lease) => format!(
            "held by pipeline {} (job {}, lease {}) since {}, for {}; {service}",
            lease.holder.pipeline,
            lease.holder.job,
            lease.epoch,
            clock(lease.granted_at, view.now, view.zone),
            age(lease.granted_at, view.now),
        ),
    }
}

/// The queue as a person reads it.
pub fn queue_table(view: &QueueView<'_>) -> String {
    let outlook = view.outlook;
    let mut text = format!("NRT environment: {}\n", holder_words(view));
    if let Some(trial) = &outlook.yard.nrt.trial {
        text.push_str(&trial_line(view, trial));
    }
    if let Some(words) = verdict_words(view) {
        text.push_str(&format!("Verdict: {words}\n"));
    }
    if let Some(words) = pause_words(view) {
        text.push_str(&format!(
            "Paused: {words}; nothing new is tried until somebody resumes it\n"
        ));
    }
    if outlook.lines.is_empty() {
        text.push_str("Queue: empty\n");
        return text;
    }
    let zone = view.zone.iana_name().unwrap_or("UTC");
    text.push_str(&format!("Queue: {} waiting\n", outlook.lines.len()));
    text.push_str(&rows(view));
    text.push_str(&format!("{} ({zone})\n", view.basis()));
    text
}

fn trial_line(view: &QueueView<'_>, trial: &Trial) -> String {
    let sets: Vec<String> = trial.change_sets.iter().map(|id| view.name(id)).collect();
    let state = trial_state(trial, view.verdict);
    let landing = trial.change_sets.first().and_then(|id| view.landing(id));
    let landing = landing.map_or(String::new(), |landing| {
        format!("; lands {}", expected(landing, view.now, view.zone))
    });
    format!(
        "Trial {}: {} at {} ({state}, {}{landing})\n",
        trial.id,
        sets.join(", "),
        trial.candidate.commit.short(),
        age(trial.started_at, view.now)
    )
}

/// Two lines each: what waits, and why.
fn rows(view: &QueueView<'_>) -> String {
    let cells: Vec<[String; 5]> = view
        .outlook
        .lines
        .iter()
        .map(|line| cells(view, line))
        .collect();
    let wide = |column: usize| cells.iter().map(|row| letters(&row[column])).max();
    let widths: Vec<usize> = (0..5).map(|column| wide(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for (line, row) in view.outlook.lines.iter().zip(&cells) {
        let padded: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - letters(cell))))
            .collect();
        let head = format!(
            "{:>3}. {}  {}",
            line.rank,
            padded.join("  "),
            plain(&line.ticket.change_set.title)
        );
        text.push_str(&cut(head.trim_end(), view.width));
        text.push('\n');
        let why = format!("     waits: {}", reasons_words(&line.reasons));
        text.push_str(&cut(&why, view.width));
        text.push('\n');
    }
    text
}

fn cells(view: &QueueView<'_>, line: &Line<'_>) -> [String; 5] {
    let set = &line.ticket.change_set;
    let landing = view.landing(&set.merge_request);
    [
        view.name(&set.merge_request),
        set.priority.to_string(),
        age(line.ticket.queued_at, view.now),
        landing.map_or("–".to_owned(), |l| expected(l, view.now, view.zone)),
        set.author.to_string(),
    ]
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if letters(line) > width => {
            let kept = line.chars().take(width.saturating_sub(1));
            kept.chain(['…']).collect()
        }
        Some(_) | None => line.to_owned(),
    }
}

/// The same for programs. Fields are only ever added; what they mean is in `docs/queue.md`.
pub fn queue_json(view: &QueueView<'_>) -> String {
    let yard = view.outlook.yard;
    let lease = yard.nrt.lease.as_ref().map(|lease| {
        json!({
            "epoch": lease.epoch, "pipeline": lease.holder.pipeline, "job": lease.holder.job,
            "project": lease.holder.project, "since": lease.granted_at,
        })
    });
    let trial = yard.nrt.trial.as_ref().map(|trial| {
        let sets: Vec<u64> = trial.change_sets.iter().map(|id| id.iid).collect();
        let landing = trial.change_sets.first().and_then(|id| view.landing(id));
        json!({
            "id": trial.id, "candidate": trial.candidate.commit, "merge_requests": sets,
            "change_sets": trial.change_sets, "since": trial.started_at, "validated": trial.validated,
            "awaits_verdict": view.verdict.map(|verdict| json!({
                "since": verdict.since, "people": verdict.people, "roles": verdict.roles,
            })),
            "landing": landing_json(landing),
        })
    });
    let tickets: Vec<Value> = view
        .outlook
        .lines
        .iter()
        .map(|line| {
            let mut ticket = ticket_json(line.ticket);
            ticket["rank"] = json!(line.rank);
            ticket["reasons"] = line.reasons.iter().map(reason_json).collect();
            ticket["landing"] = landing_json(view.landing(&line.ticket.change_set.merge_request));
            ticket
        })
        .collect();
    format!(
        "{:#}",
        json!({
            "format": 1,
            "environment": {"lease": lease, "service": service_key(view.outlook.service)},
            "trial": trial,
            "paused": yard.queue.paused.as_ref().map(order_json),
            "forecast": {"state": forecast_key(view.forecast), "trials": yard.pace.verdicts()},
            "tickets": tickets,
        })
    )
}

fn ticket_json(ticket: &Ticket) -> Value {
    let set = &ticket.change_set;
    json!({
        "rank": null, "merge_request": set.merge_request.iid, "project": set.merge_request.project, "head": set.head,
        "title": set.title, "author": set.author, "priority": set.priority, "queued_at": ticket.queued_at,
        "requested_at": set.requested_at,
    })
}

fn landing_json(landing: Option<Landing>) -> Value {
    landing.map_or(
        Value::Null,
        |landing| json!({"p50": landing.p50, "p85": landing.p85}),
    )
}

fn service_key(service: Service) -> &'static str {
    match service {
        Service::Running => "running",
        Service::HolderGone => "holder_gone",
        Service::Coming => "worker_coming",
        Service::Nobody => "nobody",
        Service::Hindered => "hindered",
        Service::Free => "free",
        Service::NotAsked => "not_asked",
    }
}

fn forecast_key(forecast: Option<&Forecast>) -> &'static str {
    match forecast {
        Some(Forecast::Of { .. }) => "given",
        Some(Forecast::TooFew { .. }) => "too_few",
        Some(Forecast::Paused { .. }) => "paused",
        Some(Forecast::Overdue { .. }) => "overdue",
        None => "not_served",
    }
}

fn reason_json(reason: &Reason) -> Value {
    let kind = match reason {
        Reason::Environment { .. } => "environment",
        Reason::Next => "next",
        Reason::Behind { .. } => "behind",
        Reason::Search { .. } => "search",
        Reason::Suspected { .. } => "suspected",
        Reason::Hindered(Hindrance::Held(_)) => "held",
        Reason::Hindered(Hindrance::Paused(_)) => "paused",
        Reason::Hindered(Hindrance::Frozen(_)) => "frozen",
        Reason::Again(Again::Broken { .. }) => "taken_away",
        Reason::Again(Again::Neighbour { .. }) => "neighbour",
        Reason::Again(Again::Searched { .. }) => "rejected_together",
        Reason::Again(Again::NoVerdict { .. }) => "no_verdict",
        Reason::HolderGone => "holder_gone",
        Reason::NobodyServes => "nobody_serves",
        Reason::Broken { .. } => "broken",
    };
    let mut told = json!({"kind": kind, "text": plain(&reason_words(reason))});
    if let Reason::Hindered(hindrance) = reason {
        let (order, until) = match hindrance {
            Hindrance::Held(hold) => (order_json(&hold.order), hold.until),
            Hindrance::Paused(order) => (order_json(order), None),
            Hindrance::Frozen(frozen) => (
                json!({"by": null, "since": null, "reason": frozen.reason}),
                Some(frozen.until),
            ),
        };
        told["order"] = order;
        told["until"] = json!(until);
    }
    told
}

fn order_json(order: &Order) -> Value {
    json!({"by": order.person, "since": order.given_at, "reason": order.reason})
}
