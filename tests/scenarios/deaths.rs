//! Jobs die at every one of their requests. Where two deaths leave the same behind, what follows runs once.
//!
//! A job that dies after it has only read leaves GitLab as it would have by dying one request earlier. That is no assumption:
//! the embedded GitLab compares everything it holds before and after the request that a job dies of. What follows such a death
//! (a retry to the end, and all that is then looked at) is left out only if nothing differs: neither that, nor the requests
//! before, nor what went to others than GitLab. After a request that writes it always runs, and so it does after the first.

mod batches;

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::demo::world::World;
use trainyard_emulator::faults::{Effect, Rule};
use trainyard_emulator::{FinishedJob, JobInfo, JobName, RequestEntry};

use crate::stage::Stage;

/// What jobs die in.
pub(crate) trait Scenery {
    fn world(&mut self) -> &mut World;

    /// How many messages others than GitLab have got.
    fn sent(&self) -> usize {
        0
    }
}

impl Scenery for Stage {
    fn world(&mut self) -> &mut World {
        &mut self.world
    }
}

/// Which requests somebody dies of, one of them in each run.
pub(crate) struct Deaths {
    whose: Rule,
    first: u32,
    most: u32,
    literal: bool,
}

/// One run.
#[derive(Debug)]
pub(crate) struct Run {
    /// Has somebody died? Not in the last run, which makes fewer requests.
    pub(crate) died: bool,
    /// Of which request, for messages.
    pub(crate) context: String,
}

impl Deaths {
    /// A job of this name dies.
    pub(crate) fn of(job: &str) -> Self {
        Self::of_whom(Rule::new(Effect::Kill).of_job(job))
    }

    /// Whatever job dies that makes a request with this user's token.
    pub(crate) fn by(user: &str) -> Self {
        Self::of_whom(Rule::new(Effect::Kill).by(user))
    }

    fn of_whom(whose: Rule) -> Self {
        Self {
            whose,
            first: 0,
            most: 100,
            literal: false,
        }
    }

    /// Not before so many requests.
    pub(crate) fn after(mut self, first: u32) -> Self {
        self.first = first;
        self
    }

    /// So many deaths are enough.
    pub(crate) fn most(mut self, most: u32) -> Self {
        self.most = most;
        self
    }

    /// What follows runs after each death, whatever it left behind.
    pub(crate) fn each_followed(mut self) -> Self {
        self.literal = true;
        self
    }

    /// From a moment on, `until` runs jobs until one dies, and `then` everything after that; returns how many died.
    pub(crate) fn in_turn<S: Scenery>(
        self,
        scene: &mut S,
        restore: impl Fn(&mut S),
        mut until: impl FnMut(&mut S),
        mut then: impl FnMut(&mut S, &Run),
    ) -> u32 {
        let mut previous: Option<Left> = None;
        let (mut deaths, mut followed) = (0, 0);
        for nth in 0..self.most {
            restore(scene);
            let emulator = &scene.world().emulator;
            emulator.clear_requests();
            let request = self.first + nth;
            emulator.faults().add(self.whose.clone().after(request));
            until(scene);
            let left = Left::by_death(scene);
            let run = Run {
                died: left.is_some(),
                context: format!("killed at request {request}"),
            };
            let known = match (&left, &previous) {
                (Some(left), Some(previous)) => left.is_the_same_as(previous),
                (Some(_), None) | (None, _) => false,
            };
            if self.literal || !known {
                scene.world().emulator.faults().clear();
                then(scene, &run);
                followed += u32::from(run.died);
            }
            if !run.died {
                break;
            }
            deaths += 1;
            previous = left;
        }
        assert!(followed > 1, "all deaths left the same behind");
        deaths
    }
}

/// What a death left behind, as far as it can differ from the death one request earlier.
struct Left {
    /// What was asked from the moment on, the request it died of last.
    asked: Vec<(String, Option<String>)>,
    job: Option<JobName>,
    /// Can the last request have changed anything?
    changed: bool,
    sent: usize,
}

impl Left {
    fn by_death(scene: &mut impl Scenery) -> Option<Self> {
        let mut log = scene.world().emulator.requests();
        let is_fatal = |entry: &RequestEntry| entry.fault.as_deref() == Some("kill");
        log.truncate(log.iter().position(is_fatal)? + 1);
        let fatal = log.last()?;
        let reads = fatal.method == "GET"
            || fatal.status >= 400
            || ["graphql", "git upload-pack"]
                .map(Some)
                .contains(&fatal.route.as_deref());
        Some(Self {
            job: fatal.job.clone(),
            changed: !reads || fatal.changed != Some(false),
            asked: log
                .into_iter()
                .map(|entry| (entry.method, entry.route))
                .collect(),
            sent: scene.sent(),
        })
    }

    fn is_the_same_as(&self, earlier: &Self) -> bool {
        let before = self.asked.split_last().map(|(_, before)| before);
        !self.changed
            && self.job.is_some()
            && self.job == earlier.job
            && self.sent == earlier.sent
            && before == Some(&earlier.asked)
    }
}

/// Runs what waits and fits, and what follows from it, until a job dies.
pub(crate) fn run_until_death(world: &mut World, fits: impl Fn(&JobInfo) -> bool) {
    while let Some(ran) = world.run_one(&fits) {
        if has_died(&ran.finished) {
            return;
        }
    }
}

/// Has its machine gone?
pub(crate) fn has_died(job: &FinishedJob) -> bool {
    job.failure_reason.as_deref() == Some("runner_system_failure")
}

/// Somebody presses "retry" on the last run of a job; nothing runs yet.
pub(crate) fn retry(stage: &Stage, job: &str) {
    let job = stage.last(job).id;
    let path = stage.world.at(&format!("jobs/{job}/retry"));
    let post = Method::POST;
    stage.world.ask("rita", post, &path, json!({})).unwrap();
}
