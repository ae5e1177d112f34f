//! What is wrong with the state, what was put right, and what cannot be.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::domain::ids::{MergeRequestId, PipelineId, ProjectPath};
use crate::domain::nrt::Lease;
use crate::jobs::repair::Forgotten;
use crate::outcome::{Outcome, Problem};
use crate::ports::{Damage, Replaced};

use super::progress::stage_words;

/// What GitLab keeps nowhere, in words.
const GONE: [&str; 7] = [
    "holds and pauses that people ordered: order them again",
    "what earlier trials taught about who fails with whom, and the failure rate: the next trials learn it anew",
    "rejected trials that a change set had survived (`nrt.strikes`): they count from nothing",
    "who was warned of what, apart from what notes say: somebody may be told a second time",
    "messages that channels had not taken yet",
    "a version that was prepared and not tagged: play `release-prepare` again",
    "that a version was withdrawn: its change sets count as released",
];

/// The same of an environment for hotfixes.
const GONE_OF_HOTFIXES: &str = "which change sets went out with hotfixes that are released: the notes of the next version do not say so";

/// What a look at the state found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The gate's project; merge requests of others are named with theirs.
    pub home: ProjectPath,
    /// Entries that cannot be read, or are missing.
    pub damages: Vec<Damage>,
    /// Whether there is no entry at all although GitLab knows of things that happened.
    pub wiped: bool,
    /// What takes the place of a state that cannot be read.
    pub replaced: Option<Replaced>,
    /// Change sets that landed since the last tag and are in no version of the log.
    pub appended: Vec<MergeRequestId>,
    /// Merge requests of hotfixes under way that the log does not know as such.
    pub hotfixes: Vec<MergeRequestId>,
    /// Whether the environment is one for hotfixes.
    pub for_hotfixes: bool,
    /// Whether the log does not know the newest tag.
    pub released: bool,
    /// Requests that the log does not know.
    pub forgotten: Vec<Forgotten>,
    /// What could not be told.
    pub unsure: Vec<String>,
    /// Runs that use the environment.
    pub busy: BTreeSet<PipelineId>,
    /// The lease of a run that is over.
    pub left: Option<Lease>,
    /// What was set aside, and where to.
    pub aside: Vec<String>,
}

impl Diagnosis {
    /// Whether there is nothing to put right.
    pub fn is_healthy(&self) -> bool {
        self.damages.is_empty()
            && !self.wiped
            && self.appended.is_empty()
            && self.hotfixes.is_empty()
            && !self.released
            && self.forgotten.is_empty()
    }

    /// Whether entries are lost.
    fn has_losses(&self) -> bool {
        let replaced = matches!(self.replaced, Some(Replaced::Nothing(_)));
        self.wiped || replaced || self.damages.iter().any(|damage| damage.slot.is_some())
    }

    /// The names of what is lost, for the log.
    pub fn lost(&self) -> Vec<String> {
        if self.wiped {
            return vec!["all entries".to_owned()];
        }
        self.damages
            .iter()
            .map(|damage| damage.name.clone())
            .collect()
    }

    fn gone(&self) -> Vec<String> {
        let gone = GONE.iter().filter(|_| self.has_losses());
        let of_hotfixes =
            Some(&GONE_OF_HOTFIXES).filter(|_| self.has_losses() && self.for_hotfixes);
        gone.chain(of_hotfixes)
            .map(|line| (*line).to_owned())
            .chain(self.unsure.iter().cloned())
            .collect()
    }

    fn work(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for damage in &self.damages {
            let mend = match (damage.there, damage.slot) {
                (true, Some(_)) => "set aside, and an empty entry written in its place",
                (true, None) => "set aside",
                (false, Some(_)) => "an empty entry written",
                (false, None) => "another one written",
            };
            lines.push(format!("`{}`: {}; {mend}", damage.name, damage.how));
        }
        match &self.replaced {
            None => {}
            Some(Replaced::Package(name)) => lines.push(format!(
                "the state before the log's entries is taken from the package `{name}`"
            )),
            Some(Replaced::Older) => lines.push(
                "an older state is there, with every entry since: nothing of it is lost".to_owned(),
            ),
            Some(Replaced::Nothing(slot)) => lines.push(format!(
                "no package of the archive holds the state after entry {slot}; it is made anew from what GitLab knows"
            )),
        }
        if self.wiped {
            lines.push("no entry is left; the log begins anew".to_owned());
        }
        if let Some(left) = &self.left {
            lines.push(format!(
                "lease {} is of pipeline {}, which is over; given back",
                left.epoch, left.holder.pipeline
            ));
        }
        if self.released {
            lines.push("the newest tag was not known as a version; it is".to_owned());
        }
        for id in &self.appended {
            lines.push(format!(
                "{} landed and was in no version; it is in the open one",
                id.seen_from(&self.home)
            ));
        }
        for id in &self.hotfixes {
            lines.push(format!(
                "{} is a hotfix under way and was not known as one; it is, as its branch and its description say",
                id.seen_from(&self.home)
            ));
        }
        for forgotten in &self.forgotten {
            lines.push(match &forgotten.left {
                None => format!(
                    "{} asked for integration (job {}) and had no ticket; verified again like any request",
                    forgotten.id.seen_from(&self.home),
                    forgotten.job
                ),
                Some(stage) => format!(
                    "{} left the queue, as its note says ({}); not queued again",
                    forgotten.id.seen_from(&self.home),
                    stage_words(stage)
                ),
            });
        }
        lines
    }

    /// For programs.
    pub fn json(&self, written: bool) -> String {
        let damages: Vec<_> = self
            .damages
            .iter()
            .map(|d| json!({"name": d.name, "entry": d.slot, "there": d.there, "how": d.how}))
            .collect();
        let forgotten: Vec<_> = self
            .forgotten
            .iter()
            .map(|f| json!({"merge_request": f.id.iid, "project": f.id.project, "job": f.job, "left": f.left}))
            .collect();
        let listed = |ids: &[MergeRequestId]| -> Vec<Value> {
            let one = |id: &MergeRequestId| json!({"merge_request": id.iid, "project": id.project});
            ids.iter().map(one).collect()
        };
        format!(
            "{:#}",
            json!({
                "healthy": self.is_healthy(), "written": written, "damaged": damages, "wiped": self.wiped, "landed": listed(&self.appended),
                "hotfixes": listed(&self.hotfixes),
                "tag_unknown": self.released, "requests": forgotten, "busy": self.busy, "set_aside": self.aside,
                "unrecoverable": self.gone(),
            })
        )
    }
}

/// A look, with nothing written.
pub fn diagnosed(diagnosis: &Diagnosis) -> Outcome {
    if diagnosis.is_healthy() {
        let outcome = Outcome::open("the state agrees with what GitLab knows; nothing to repair");
        return diagnosis.unsure.iter().fold(outcome, |outcome, line| {
            outcome.warning(format!("not known: {line}"))
        });
    }
    let outcome = Outcome::open("the state needs a repair; nothing was written");
    let outcome = diagnosis.work().into_iter().fold(outcome, |outcome, line| {
        outcome.with(format!("would be put right: {line}"))
    });
    let outcome = unrecoverable(outcome, diagnosis);
    let outcome = diagnosis.busy.iter().fold(outcome, |outcome, pipeline| {
        outcome.warning(format!(
            "pipeline {pipeline} uses the NRT environment: repair waits for its end"
        ))
    });
    outcome.next("`trainyard repair --write` does it")
}

/// A run that goes on would record beside the repair.
pub fn repair_must_wait(diagnosis: &Diagnosis, project_url: &str) -> Outcome {
    let lines = diagnosis.busy.iter().map(|pipeline| {
        format!(
            "{project_url}/-/pipelines/{pipeline} uses the NRT environment: wait for its end or cancel it, then run `trainyard repair --write` again"
        )
    });
    Outcome::waiting("nothing was repaired: a run is under way", lines.collect())
}

/// It was put right.
pub fn repaired(diagnosis: &Diagnosis) -> Outcome {
    let outcome = Outcome::open("the state is repaired");
    let outcome = diagnosis.work().into_iter().fold(outcome, Outcome::with);
    let outcome = diagnosis.aside.iter().fold(outcome, |outcome, moved| {
        outcome.with(format!("moved {moved}"))
    });
    unrecoverable(outcome, diagnosis)
}

fn unrecoverable(outcome: Outcome, diagnosis: &Diagnosis) -> Outcome {
    diagnosis.gone().into_iter().fold(outcome, |outcome, line| {
        outcome.warning(format!("cannot be recovered: {line}"))
    })
}

/// More was merged than is looked at.
pub fn too_many_merged(project: &ProjectPath) -> String {
    format!(
        "only the thousand merge requests of `{project}` that changed last were looked at: older ones that are in no tag are not in the open version"
    )
}

/// A hotfix whose change sets cannot be told any more.
pub fn picks_unknown(id: &MergeRequestId, unknown: &[u64]) -> String {
    let unknown: Vec<String> = unknown.iter().map(|iid| format!("!{iid}")).collect();
    format!(
        "that {id} is a hotfix: GitLab does not show {} as merged",
        unknown.join(", ")
    )
}

/// No message of a commit names it.
pub fn trial_unknown(id: &MergeRequestId, home: &ProjectPath) -> String {
    let id = id.seen_from(home);
    format!("the trial that validated {id}: its commit names none")
}

/// A member that tells nothing.
pub fn member_unread(project: &ProjectPath, problem: &Problem) -> String {
    format!(
        "what landed in `{project}` and what waits there, until it can be looked at; nothing of it is changed: {}",
        problem.full_text()
    )
}

/// A member whose open merge requests cannot be looked at.
pub fn requests_unread(project: &ProjectPath, problem: &Problem) -> String {
    format!(
        "which merge requests of `{project}` wait, until it can be looked at: {}",
        problem.full_text()
    )
}
