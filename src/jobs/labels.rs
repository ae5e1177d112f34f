//! Keeps the labels that show where a merge request and its features stand. Never the reason for a job to fail.

use std::collections::BTreeMap;

use super::Desk;
use crate::domain::ids::{FeatureId, MergeRequestId};
use crate::domain::integration::ChangeSet;
use crate::domain::labelling::{Relabel, Stage, Teller};
use crate::domain::linking::{Link, LinkKind, Sight};
use crate::ports::{Answer, Place};

/// What a job knows of a merge request already; what it does not know is read, where labels are wanted at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) id: &'a MergeRequestId,
    pub(super) labels: Option<&'a [String]>,
    pub(super) links: &'a [Link],
    pub(super) sights: Option<&'a BTreeMap<FeatureId, Sight>>,
}

/// Shows the stage of a merge request and, by it, of its features.
pub(super) fn show(desk: &Desk<'_>, known: Known<'_>, stage: Option<Stage>, teller: Teller) {
    let wanted = &desk.config.labels;
    if wanted.merge_request.is_empty() && wanted.feature.is_empty() {
        return;
    }
    if !desk.may_look_up {
        tracing::warn!("labels are not kept from here: that needs `TRAINYARD_TOKEN`");
        return;
    }
    told(known.id, of_merge_request(desk, known, stage, teller));
    if let Some(stage) = stage {
        told(known.id, of_features(desk, known, stage, teller));
    }
}

/// The same for a change set that is, or was, in the queue.
pub(super) fn show_change_set(desk: &Desk<'_>, change_set: &ChangeSet, stage: Stage) {
    let known = Known {
        id: &change_set.merge_request,
        labels: None,
        links: &change_set.links,
        sights: None,
    };
    match desk.of(&change_set.merge_request.project) {
        Ok(desk) => show(&desk, known, Some(stage), Teller::Gate),
        Err(problem) => told(known.id, Err(problem)),
    }
}

fn told(id: &MergeRequestId, kept: Answer<()>) {
    if let Err(problem) = kept {
        tracing::warn!(
            "the labels of {id} or its features are not up to date: {}; next: {}",
            problem.what,
            problem.hint
        );
    }
}

fn of_merge_request(
    desk: &Desk<'_>,
    known: Known<'_>,
    stage: Option<Stage>,
    teller: Teller,
) -> Answer<()> {
    let wanted = &desk.config.labels.merge_request;
    if wanted.is_empty() {
        return Ok(());
    }
    let read;
    let present = match known.labels {
        Some(labels) => labels,
        None => {
            let found = desk.merge_requests.merge_request(known.id.iid)?;
            read = found.map(|found| found.labels).unwrap_or_default();
            &read
        }
    };
    let change = wanted.change(present, stage, teller);
    write(desk, &Place::MergeRequest(known.id.iid), change)
}

fn of_features(desk: &Desk<'_>, known: Known<'_>, stage: Stage, teller: Teller) -> Answer<()> {
    let wanted = &desk.config.labels.feature;
    // A contributing merge request shows only that work has begun: nothing that comes later in its way changes that.
    let told_of = |link: &&Link| link.kind == LinkKind::Closes || stage == Stage::Linked;
    let links: Vec<&Link> = known.links.iter().filter(told_of).collect();
    if wanted.is_empty() || links.is_empty() {
        return Ok(());
    }
    let read;
    let sights = match known.sights {
        Some(sights) => sights,
        None => {
            let ids: Vec<FeatureId> = links.iter().map(|link| link.feature.clone()).collect();
            read = desk.features.sights(&ids)?;
            &read
        }
    };
    for link in links {
        let Some(feature) = sights.get(&link.feature).and_then(Sight::seen) else {
            continue;
        };
        let Some(stage) = wanted.stage_of_feature(&feature.labels, link.kind, stage) else {
            continue;
        };
        let change = wanted.change(&feature.labels, Some(stage), teller);
        write(desk, &Place::Feature(feature.id.clone()), change)?;
    }
    Ok(())
}

fn write(desk: &Desk<'_>, place: &Place, change: Option<Relabel>) -> Answer<()> {
    change.map_or(Ok(()), |change| desk.announcements.relabel(place, &change))
}
