//! The queue: who joined, who did not and why, and what waits.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};

use crate::domain::ids::{MergeRequestId, ProjectPath};
use crate::domain::integration::{
    ChangeSet, Joined, Left, MergeRequestState, Place, Queue, QueueRefusal,
};
use crate::domain::nrt::Lease;
use crate::domain::progress::Stage;
use crate::outcome::Outcome;
use crate::simulate::forecast::Forecast;

use super::expected::{expected, forecast_basis};
use super::landing::waits_again;
use super::linking::{link_refusal, listed_links};
use super::progress::stage_words;
use super::{bullets, inert, plain};

/// How many merge requests are named that are ahead of another one.
const AHEAD_NAMED: usize = 10;

/// Each reason with its mend.
pub fn queue_refusals(reasons: &[QueueRefusal], home: &ProjectPath) -> Vec<String> {
    reasons
        .iter()
        .map(|reason| queue_refusal(reason, home))
        .collect()
}

pub(super) fn queue_refusal(reason: &QueueRefusal, home: &ProjectPath) -> String {
    let list = |jobs: &[String]| {
        jobs.iter()
            .map(|job| format!("`{}`", job.replace('`', "'")))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match reason {
        QueueRefusal::NotOpen(MergeRequestState::Merged) => "it is merged already".to_owned(),
        QueueRefusal::NotOpen(MergeRequestState::Closed | MergeRequestState::Open) => {
            "it is closed; reopen it first".to_owned()
        }
        QueueRefusal::Draft => "it is a draft; mark it as ready".to_owned(),
        QueueRefusal::OtherTarget { target, wanted } => {
            format!("it targets `{target}`; versions are made of `{wanted}`")
        }
        QueueRefusal::NoEnvironment { target, serving } => format!(
            "it targets `{target}`, which no environment serves: {}",
            serving.join("; ")
        ),
        QueueRefusal::NotRequested => {
            "nobody asked for it on its newest commit; press `integrate` in its newest pipeline"
                .to_owned()
        }
        QueueRefusal::Links(refusal) => link_refusal(refusal, home),
        QueueRefusal::Rejected(v) => format!(
            "`{}` rejected it as `{}` at `{}`; push what was asked for",
            v.by,
            v.role,
            v.commit.short()
        ),
        QueueRefusal::NotValidated { roles } => {
            let jobs: Vec<String> = roles
                .iter()
                .map(|role| format!("`validate:{role}`"))
                .collect();
            format!(
                "it is not validated on this content: {} must be played by people of the role in its newest pipeline",
                jobs.join(", ")
            )
        }
        QueueRefusal::PipelineFailed { jobs } => format!(
            "jobs of its pipeline failed: {}; mend them and press `integrate` again",
            list(jobs)
        ),
        QueueRefusal::PipelineNotFinished { jobs } => format!(
            "jobs of its pipeline have not finished: {}; press `integrate` when they have",
            list(jobs)
        ),
        QueueRefusal::NoPipeline => "its newest commit has no pipeline; start one".to_owned(),
        QueueRefusal::UnresolvedThreads => {
            "threads are unresolved, and the project wants them resolved".to_owned()
        }
        QueueRefusal::OpenCriteria { criteria } => format!(
            "acceptance criteria are not ticked (`validation.criteria: required`): {}; tick them on the feature once they hold",
            criteria.join(", ")
        ),
        QueueRefusal::Frozen { reason } => format!("the queue is frozen: {}", plain(reason)),
    }
}

/// The note of a merge request that waits. The queue moves without its people: the rank is told with its instant.
pub fn note_queued(stage: &Stage, queue: &Queue, set: &ChangeSet, home: &ProjectPath) -> String {
    let id = &set.merge_request;
    let mut body = format!("**{}** for the non-regression tests.", stage_words(stage));
    if queue.rank(id) == Some(1) {
        body.push_str(" It is next.");
    }
    if let Stage::Queued {
        at,
        landing: Some(landing),
        ..
    } = stage
    {
        let when = expected(*landing, *at, &TimeZone::UTC);
        body.push_str(&format!(" Expected to land {when} (UTC), if it passes."));
    }
    let again = queue.ticket(id).and_then(|ticket| ticket.again.as_ref());
    if let Some(again) = again {
        body.push_str(&format!(" It waits again: {}.", inert(&waits_again(again))));
    }
    body.push_str(" Nothing to do for you now.");
    let under_test = queue
        .tickets
        .iter()
        .find(|ticket| matches!(ticket.place, Place::InTrial(_)));
    if let Some(tried) = under_test {
        body.push_str(&format!(
            "\n\nUnder test then: {}.",
            tried.change_set.merge_request
        ));
    }
    if let Some(ahead) = ahead(queue, id) {
        body.push_str(&format!("\n\nAhead of it then: {ahead}."));
    }
    if !set.links.is_empty() {
        body.push_str(&format!(
            "\n\nThis merge request {}.",
            listed_links(&set.links, home)
        ));
    }
    body
}

/// Who goes before a change set, by name.
fn ahead(queue: &Queue, id: &MergeRequestId) -> Option<String> {
    let ahead: Vec<String> = queue
        .waiting()
        .map(|ticket| &ticket.change_set.merge_request)
        .take_while(|other| *other != id)
        .map(ToString::to_string)
        .collect();
    let named = ahead.get(..ahead.len().min(AHEAD_NAMED))?.join(", ");
    match ahead.len().saturating_sub(AHEAD_NAMED) {
        _ if ahead.is_empty() => None,
        0 => Some(named),
        more => Some(format!("{named} and {more} more")),
    }
}

/// The place of a waiting change set: who is ahead of it, and when it may land.
pub fn place_in_queue(
    queue: &Queue,
    id: &MergeRequestId,
    forecast: &Forecast,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<String> {
    if queue.rank(id).is_none() {
        return Vec::new();
    }
    let ahead = ahead(queue, id).unwrap_or_else(|| "nobody".to_owned());
    let when = match forecast.landing(id) {
        Some(landing) => format!(
            "expected to land {} ({}), if it passes",
            expected(landing, now, zone),
            zone.iana_name().unwrap_or("UTC")
        ),
        None => forecast_basis(forecast),
    };
    vec![format!("ahead of it: {ahead}"), when]
}

/// The note of a merge request that does not join.
pub fn note_not_queued(reasons: &[String]) -> String {
    format!(
        "**Not queued.** Mend this, then press `integrate` again:\n\n{}",
        bullets(reasons)
    )
}

/// How a queue is served, as `tick` found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serving {
    /// Nothing waits, and nobody has the environment.
    NothingWaits,
    /// Nothing of what waits can be tried now, for this reason.
    Hindered(String),
    /// A run has the environment; it sees to the others when it ends.
    Held(Lease),
    /// A worker is on its way.
    Coming,
    /// The run that has the environment is over; a worker was started to take over from it.
    HolderGone(Lease),
    /// Change sets waited and nobody came; a worker was started.
    NobodyCame,
}

/// What `tick` found and did.
pub fn ticked(serving: &Serving, waiting: usize) -> Outcome {
    Outcome::open(match serving {
        Serving::NothingWaits => "nothing waits for the NRT environment".to_owned(),
        Serving::Hindered(why) => why.clone(),
        Serving::Held(lease) => format!(
            "pipeline {} has the NRT environment (lease {}); {waiting} in the queue are served after it",
            lease.holder.pipeline, lease.epoch
        ),
        Serving::Coming => format!("{waiting} in the queue; a worker is on its way"),
        Serving::HolderGone(lease) => format!(
            "started a worker: pipeline {}, which has the NRT environment (lease {}), is over; {waiting} in the queue",
            lease.holder.pipeline, lease.epoch
        ),
        Serving::NobodyCame => {
            format!("started a worker: {waiting} in the queue, and nobody was on the way")
        }
    })
}

/// What the gate says after a request was looked at.
pub fn admitted(id: &MergeRequestId, joined: &Joined, queue: &Queue) -> Outcome {
    let iid = id.iid;
    let ticket = queue.ticket(id);
    let rank = ticket.and_then(|ticket| queue.rank(&ticket.change_set.merge_request));
    let place = rank.map_or_else(|| "under test".to_owned(), |rank| format!("rank {rank}"));
    match joined {
        Joined::New(_) => {
            let lane = ticket
                .map(|ticket| ticket.change_set.priority)
                .unwrap_or_default();
            Outcome::open(format!("!{iid} joined the queue: {place}, lane `{lane}`"))
        }
        Joined::Already => Outcome::open(format!(
            "!{iid} is in the queue already: {place}; nothing changed"
        )),
        Joined::Served(left) => {
            let how = match left {
                Left::Landed => "it landed".to_owned(),
                Left::Rejected { reason } => format!("it was rejected ({})", plain(reason)),
                Left::Conflicted => "it did not apply on its target".to_owned(),
                Left::Withdrawn { reason } => format!("it was withdrawn ({})", plain(reason)),
            };
            Outcome::open(format!(
                "this request of !{iid} was served before: {how}; nothing changed"
            ))
            .with("to ask again, press `integrate` again")
        }
    }
}

/// How long ago, in the two largest units.
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let passed = SignedDuration::from_secs((now.as_second() - since.as_second()).max(0));
    let unit = if passed.as_hours() >= 1 {
        Unit::Minute
    } else {
        Unit::Second
    };
    let rounded = passed.round(unit).unwrap_or(passed);
    format!("{rounded:#}").replace(", ", " ")
}
