//! What was read in a description: line by line for the log, as links for the job's page, as numbers for later jobs.

use std::collections::BTreeMap;

use crate::ci_reports::dotenv::{Dotenv, Name};
use crate::domain::ids::{FeatureId, MergeRequestId, NoteId, PipelineId, ProjectPath};
use crate::domain::linking::grammar::{Claim, Reading, Target};
use crate::domain::linking::{LinkKind, LinkRefusal, Linking, Sight};
use crate::domain::ruling::Ruling;
use crate::outcome::{Pointer, Problem, SeeAlso};

use super::plain;

/// Each line that was meant as a link, and what it came to. `readers` is the project whose people read it.
pub fn what_was_read(
    reading: &Reading,
    sights: &BTreeMap<FeatureId, Sight>,
    readers: &ProjectPath,
    home: &ProjectPath,
) -> Vec<String> {
    let claim = |claim: &Claim| {
        let feature = feature_of(claim, home);
        let seen = match sights.get(&feature) {
            Some(Sight::Seen(feature)) => match feature.title_for_readers_of(readers) {
                Some(title) => {
                    let state = if feature.open { "open" } else { "closed" };
                    format!("{state}: {}", plain(title))
                }
                None => "more is told to its own readers only".to_owned(),
            },
            Some(Sight::NotFound) => "not found".to_owned(),
            Some(Sight::NotLookedUp) | None => "not looked up".to_owned(),
        };
        let line = format!(
            "line {}: \"{}\" -> {} {} ({seen})",
            claim.line.number,
            plain(&claim.line.text),
            claim.kind,
            feature.seen_from(home)
        );
        (claim.line.number, line)
    };
    let problems = reading.problems.iter().map(|problem| {
        let line = format!(
            "line {}: \"{}\" -> cannot be read as a link",
            problem.line.number,
            plain(&problem.line.text)
        );
        (problem.line.number, line)
    });
    let mut lines: Vec<(usize, String)> = reading.claims.iter().map(claim).collect();
    lines.extend(problems);
    lines.sort_by_key(|(line, _)| *line);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn feature_of(claim: &Claim, home: &ProjectPath) -> FeatureId {
    match &claim.target {
        Target::Here { iid } => FeatureId {
            project: home.clone(),
            iid: *iid,
        },
        Target::There(feature) => feature.clone(),
    }
}

/// Links to features. Of one whose title is not for every reader there is only the reference that the description has, and the link
/// leads to the merge request. `readers` is the project whose people read it.
pub fn feature_links<'a>(
    features: impl IntoIterator<Item = &'a FeatureId>,
    sights: &BTreeMap<FeatureId, Sight>,
    merge_request_url: &str,
    readers: &ProjectPath,
    home: &ProjectPath,
) -> Vec<Pointer> {
    features
        .into_iter()
        .filter_map(|id| sights.get(id).and_then(Sight::seen))
        .map(|feature| {
            let name = feature.id.seen_from(home);
            let (label, url) = match feature.title_for_readers_of(readers) {
                Some(title) => (format!("{name} {}", plain(title)), feature.url.clone()),
                None => (name, merge_request_url.to_owned()),
            };
            Pointer::new(SeeAlso::Features, label, url)
        })
        .collect()
}

/// Links to the merge requests that hold a feature which this one wants to close.
pub fn holder_links(
    ruling: &Ruling<(), LinkRefusal>,
    server: &str,
    home: &ProjectPath,
) -> Vec<Pointer> {
    let reasons: &[LinkRefusal] = match ruling {
        Ruling::Refuse(reasons) => reasons,
        Ruling::Pass | Ruling::Wait(()) => &[],
    };
    let holder = |reason: &LinkRefusal| match reason {
        LinkRefusal::AlreadyClaimed { feature, by, .. } => Some(Pointer::new(
            SeeAlso::MergeRequests,
            format!("{by} closes {}", feature.seen_from(home)),
            merge_request_url(server, by),
        )),
        LinkRefusal::NoLink
        | LinkRefusal::Unreadable { .. }
        | LinkRefusal::TooManyFeatures { .. }
        | LinkRefusal::OtherProject { .. }
        | LinkRefusal::MovedAway { .. }
        | LinkRefusal::Undisclosed { .. }
        | LinkRefusal::WrongType { .. }
        | LinkRefusal::UnknownFeature { .. }
        | LinkRefusal::ClosedFeature { .. }
        | LinkRefusal::NotAFeature { .. } => None,
    };
    reasons.iter().filter_map(holder).collect()
}

/// Links to the merge requests of a trial or a landing.
pub fn change_set_links(merge_requests: &[MergeRequestId], server: &str) -> Vec<Pointer> {
    merge_requests
        .iter()
        .map(|id| {
            Pointer::new(
                SeeAlso::MergeRequests,
                id.to_string(),
                merge_request_url(server, id),
            )
        })
        .collect()
}

/// A link to the note that tells where a merge request stands.
pub fn note_link(iid: u64, merge_request_url: &str, note: NoteId) -> Pointer {
    Pointer::new(
        SeeAlso::MergeRequests,
        format!("Where !{iid} stands"),
        format!("{merge_request_url}#note_{note}"),
    )
}

/// A link to a pipeline.
pub fn pipeline_link(
    label: &str,
    server: &str,
    project: &ProjectPath,
    pipeline: PipelineId,
) -> Pointer {
    Pointer::new(
        SeeAlso::Pipelines,
        label.to_owned(),
        format!("{server}/{project}/-/pipelines/{pipeline}"),
    )
}

/// Where people see a merge request.
pub fn merge_request_url(server: &str, id: &MergeRequestId) -> String {
    format!("{server}/{}/-/merge_requests/{}", id.project, id.iid)
}

/// The links as values for later jobs.
///
/// # Errors
/// When the path of the project of the features cannot be a value.
pub fn link_values(linking: &Linking, home: &ProjectPath) -> Result<Dotenv, Problem> {
    let numbers = |kind: LinkKind| -> Vec<u64> {
        linking
            .links
            .iter()
            .filter(|link| link.kind == kind && link.feature.project == *home)
            .map(|link| link.feature.iid)
            .collect()
    };
    let closing = linking
        .links
        .iter()
        .any(|link| link.kind == LinkKind::Closes);
    let elsewhere = linking
        .links
        .iter()
        .filter(|link| link.feature.project != *home)
        .count();
    let (values, all_closed) = Dotenv::default().numbers(Name::Closes, &numbers(LinkKind::Closes));
    let (values, all) = values.numbers(Name::Contributes, &numbers(LinkKind::Contributes));
    values
        .with(Name::Closing, closing)?
        .with(Name::FeaturesProject, home)?
        .with(Name::FeaturesElsewhere, elsewhere)?
        .with(Name::Cut, !(all_closed && all))
}
