//! What would be released now, for programs.

use serde_json::{Value, json};

use super::versions::{because, commits_json};
use super::{Written, close_refusals, frozen_now, version_checks};
use crate::config::publishing::Notices;
use crate::domain::ids::CommitSha;
use crate::domain::release_notes::{Brought, Change, ReleaseNotes, Shown};
use crate::domain::versioning::{CloseRefusal, Coming, Frozen, Versions};
use crate::ports::Milestone;

/// What a release would come to.
#[derive(Debug)]
pub struct Preview {
    /// All versions.
    pub versions: Versions,
    /// What the open one would be.
    pub coming: Coming,
    /// Why it would be refused.
    pub refusals: Vec<CloseRefusal>,
    /// The freeze that is in force.
    pub frozen: Option<Frozen>,
    /// What would be written; nothing where there is nothing to release.
    pub writes: Option<Writes>,
}

/// What a release would write.
#[derive(Debug)]
pub struct Writes {
    /// What the notes tell.
    pub notes: ReleaseNotes,
    /// The notes.
    pub written: Written,
    /// The milestones that would be closed.
    pub milestones: Vec<Milestone>,
    /// Where notes on merge requests and features would be kept.
    pub notices: Notices,
    /// The file that would get a section.
    pub changelog: Option<String>,
}

impl Preview {
    /// Whether a release would start now.
    pub fn is_possible(&self) -> bool {
        self.refusals.is_empty() && self.frozen.is_none()
    }
}

/// One JSON document; its keys are documented in `docs/versions.md`.
pub fn preview_json(preview: &Preview, commit: &CommitSha, environment: &str) -> String {
    let chosen = &preview.coming.chosen;
    let writes = preview.writes.as_ref();
    let document = json!({
        "possible": preview.is_possible(),
        "number": chosen.number.version,
        "tag": chosen.number.tag(),
        "previous_tag": chosen.last.as_ref().map(|last| last.tag()),
        "because": because(chosen),
        "pre_release": chosen.number.is_pre_release(),
        "commit": commit,
        "checks": checks(preview),
        "commits": commits_json(&preview.coming),
        "content": writes.map(|writes| content(&writes.notes)),
        "notes": writes.map(|writes| json!({
            "markdown": writes.written.text,
            "left_out_characters": writes.written.cut.unwrap_or(0),
        })),
        "would_write": writes.map(|writes| would(preview, writes, environment)),
    });
    format!("{document:#}")
}

/// Each by its name, in an order that stays: whether it is in order, whether a release is refused when it is not, and why.
fn checks(preview: &Preview) -> Vec<Value> {
    let of = |name: &str, belongs: fn(&CloseRefusal) -> bool| {
        let refusals = preview.refusals.iter();
        let own: Vec<CloseRefusal> = refusals.filter(|one| belongs(one)).cloned().collect();
        json!({"check": name, "ok": own.is_empty(), "refuses": true, "words": close_refusals(&own)})
    };
    let frozen = preview.frozen.as_ref();
    let words: Vec<String> = frozen.map(frozen_now).into_iter().collect();
    let found = preview.coming.comparison.as_ref();
    let clean = found.map(|found| found.around.is_empty() && found.unknown.is_empty());
    vec![
        of("content", |one| {
            matches!(
                one,
                CloseRefusal::NothingToRelease | CloseRefusal::NothingNew { .. }
            )
        }),
        of("no_other_release", |one| {
            matches!(one, CloseRefusal::AlreadyClosing { .. })
        }),
        of("commit", |one| {
            matches!(one, CloseRefusal::NotOnBranch { .. })
        }),
        of("number", |one| {
            matches!(
                one,
                CloseRefusal::NumberNotAbove { .. } | CloseRefusal::NumberTaken { .. }
            )
        }),
        json!({"check": "freeze", "ok": frozen.is_none(), "refuses": true, "words": words}),
        json!({
            "check": "around_the_gate", "ok": clean, "refuses": false,
            "words": version_checks(&preview.coming),
        }),
    ]
}

fn content(notes: &ReleaseNotes) -> Value {
    let features: Vec<Value> = notes.features.iter().map(feature).collect();
    let others: Vec<Value> = notes.others.iter().map(change).collect();
    json!({"features": features, "change_sets_without_feature": others, "contributors": notes.contributors, "trials": notes.trials})
}

/// A feature as far as it may be told; a confidential one is neither named nor numbered.
fn feature(brought: &Brought) -> Value {
    let (reference, title, benefit) = match &brought.shown {
        Shown::Whole { title, benefit } => {
            (Some(brought.id.to_string()), Some(title), benefit.as_ref())
        }
        Shown::Number => (Some(brought.id.to_string()), None, None),
        Shown::Confidential => (None, None, None),
    };
    let changes: Vec<Value> = brought.changes.iter().map(change).collect();
    let validations: Vec<Value> = brought
        .validations
        .iter()
        .map(|one| json!({"role": one.role, "by": one.by, "at": one.at}))
        .collect();
    json!({
        "feature": reference,
        "confidential": brought.shown == Shown::Confidential,
        "title": title,
        "benefit": benefit,
        "completed": brought.completed,
        "change_sets": changes,
        "validations": validations,
    })
}

fn change(change: &Change) -> Value {
    let id = &change.merge_request;
    json!({
        "merge_request": format!("{}!{}", id.project, id.iid),
        "title": change.title,
        "author": change.author,
        "breaking": change.breaking,
    })
}

fn would(preview: &Preview, writes: &Writes, environment: &str) -> Value {
    let number = &preview.coming.chosen.number;
    let is_final = !number.is_pre_release();
    let features = &writes.notes.features;
    let completed = features.iter().filter(|one| is_final && one.completed);
    let told = |brought: &&Brought| brought.shown != Shown::Confidential;
    let closes: Vec<String> = completed
        .clone()
        .filter(told)
        .map(|one| one.id.to_string())
        .collect();
    let hidden = completed.filter(|one| !told(one)).count();
    let milestones = writes.milestones.iter().filter(|one| one.open);
    let milestones: Vec<&str> = milestones.map(|one| one.title.as_str()).collect();
    let (merge_requests, noted) = match writes.notices {
        Notices::All => (preview.coming.content.len(), features.len()),
        Notices::Features => (0, features.len()),
        Notices::Nowhere => (0, 0),
    };
    json!({
        "tag": number.tag(),
        "release": format!("Version {number}"),
        "deployment_of": environment,
        "closes_milestones": milestones,
        "closes_features": closes,
        "closes_confidential_features": hidden,
        "notes_on_merge_requests": merge_requests,
        "notes_on_features": noted,
        "changelog_commit": writes.changelog.as_ref().filter(|_| is_final),
    })
}
