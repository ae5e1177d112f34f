//! Looks up what the notes of a version tell, and writes them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{CommitSha, FeatureId, MergeRequestId, ProjectPath};
use crate::domain::linking::{Feature, Sight, named_features};
use crate::domain::release_notes::{ReleaseNotes, Sources, StillOpen, compose};
use crate::domain::versioning::comparison::Around;
use crate::domain::versioning::{Appended, Coming, Number, by_feature};
use crate::jobs::{Desk, observe};
use crate::outcome::Problem;
use crate::ports::{Answer, Mention, Visibility};
use crate::report::{self, Template, Written};

/// The word that every link has.
pub(super) const LINK_WORD: &str = "feature";

/// A version that is to be told of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    pub(super) number: &'a Number,
    pub(super) previous: Option<&'a Number>,
    pub(super) commit: &'a CommitSha,
    pub(super) content: &'a [Appended],
    pub(super) around: &'a [Around],
}

impl<'a> Version<'a> {
    /// The open version, as it would be.
    pub(super) fn coming(coming: &'a Coming, commit: &'a CommitSha) -> Self {
        let found = coming.comparison.as_ref();
        Self {
            number: &coming.chosen.number,
            previous: coming.chosen.last.as_ref(),
            commit,
            content: &coming.content,
            around: found.map_or(&[], |found| &found.around),
        }
    }
}

/// The notes of a version, and what was looked up for them.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) notes: ReleaseNotes,
    pub(super) written: Written,
    pub(super) sights: BTreeMap<FeatureId, Sight>,
}

/// What was looked up already; the rest is.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) sights: Option<BTreeMap<FeatureId, Sight>>,
    pub(super) open: Option<Vec<Mention>>,
}

/// Looks up and writes the notes; changes nothing.
///
/// # Errors
/// When GitLab cannot be asked, or the project's template cannot be used.
pub(super) fn look(desk: &Desk<'_>, version: Version<'_>, known: Known) -> Answer<Told> {
    let (notes, sights) = compose_notes(desk, version, known)?;
    let own = template(desk)?;
    let written =
        report::release_notes(&notes, own.as_ref(), &desk.ci.project, &all(desk, &notes))?;
    Ok(Told {
        notes,
        written,
        sights,
    })
}

/// What the notes tell, without their words.
pub(super) fn compose_notes(
    desk: &Desk<'_>,
    version: Version<'_>,
    known: Known,
) -> Answer<(ReleaseNotes, BTreeMap<FeatureId, Sight>)> {
    let (features, _) = by_feature(version.content);
    let ids: Vec<FeatureId> = features.iter().map(|(id, _)| id.clone()).collect();
    let sights = match known.sights {
        Some(sights) => sights,
        None => desk.features.sights(&ids)?,
    };
    let completed = features.iter().any(|(_, brought)| brought.completed);
    let open = match known.open {
        Some(_) | None if !completed => Vec::new(),
        Some(open) => naming(desk, open)?,
        None => still_open(desk, version.content)?,
    };
    let readable = readable(desk, &ids)?;
    let sources = Sources {
        number: version.number,
        previous: version.previous,
        commit: version.commit,
        at: desk.clock.now(),
        content: version.content,
        sights: &sights,
        open: &open,
        around: version.around,
        headings: &desk.config.validation.criteria_headings,
        out_before: &out_before(desk)?,
    };
    let notes = compose(&sources, |feature: &Feature| {
        readable.contains(&feature.id.project)
    });
    Ok((notes, sights))
}

/// What went out before as a hotfix, by the logs of the environments for hotfixes.
fn out_before(desk: &Desk<'_>) -> Answer<BTreeMap<MergeRequestId, Number>> {
    let own = &desk.config.nrt.environment;
    let all = desk.config.nrt.environments.iter();
    let mut out = BTreeMap::new();
    for environment in all.filter(|one| one.hotfixes && one.serves.environment != *own) {
        let versions = desk.logs.yard_of(&environment.serves.environment)?.versions;
        let gone = versions.went_out();
        out.extend(gone.map(|(id, number)| (id.clone(), number.clone())));
    }
    Ok(out)
}

/// Open merge requests of the projects that the version is made of, with the features that they name.
fn still_open(desk: &Desk<'_>, content: &[Appended]) -> Answer<Vec<StillOpen>> {
    let projects: BTreeSet<&ProjectPath> = content
        .iter()
        .map(|appended| &appended.change_set.merge_request.project)
        .collect();
    let mut found = Vec::new();
    for project in projects {
        let desk = desk.of(project)?;
        let open = desk.merge_requests.open_mentioning(LINK_WORD)?;
        let open = open.into_iter().map(|one| Mention {
            id: one.id,
            title: one.title,
            author: one.author,
            description: one.description,
        });
        found.extend(naming(&desk, open.collect())?);
    }
    Ok(found)
}

/// The features that open merge requests of one project name.
fn naming(desk: &Desk<'_>, open: Vec<Mention>) -> Answer<Vec<StillOpen>> {
    let grammar = observe::grammar(desk)?;
    let home = observe::features_project(desk);
    let read = |one: Mention| {
        let reading = grammar.read(&one.description);
        let links = named_features(&reading, home).into_iter();
        StillOpen {
            id: one.id,
            title: one.title,
            author: one.author,
            links: links.map(|(link, _)| link).collect(),
        }
    };
    Ok(open.into_iter().map(read).collect())
}

/// The projects of features that whoever reads the release may read too.
fn readable(desk: &Desk<'_>, ids: &[FeatureId]) -> Answer<BTreeSet<ProjectPath>> {
    let home = &desk.ci.project;
    let mut projects: BTreeSet<ProjectPath> = ids.iter().map(|id| id.project.clone()).collect();
    projects.remove(home);
    let mut readable = BTreeSet::from([home.clone()]);
    if projects.is_empty() {
        return Ok(readable);
    }
    projects.insert(home.clone());
    let seen = desk.features.visibilities(&projects)?;
    let readers = seen.get(home).copied().unwrap_or(Visibility::Public);
    readable.extend(
        seen.into_iter()
            .filter(|(_, visibility)| *visibility >= readers)
            .map(|(project, _)| project),
    );
    Ok(readable)
}

/// The project's template, from the target branch as all rules are.
fn template(desk: &Desk<'_>) -> Answer<Option<Template>> {
    let Some(path) = &desk.config.versions.publishing.template else {
        return Ok(None);
    };
    let branch = desk.branch_of_versions();
    let found = desk.files.file(path, branch)?.ok_or_else(|| {
        Problem::misconfigured(
            format!("`versions.notes_template` names `{path}`, and the branch `{branch}` has no such file"),
            "add it to that branch, or take the key out: there are notes without a template",
        )
    })?;
    Ok(Some(Template {
        path: path.clone(),
        source: found.text,
    }))
}

/// Where everything can be seen that changed.
fn all(desk: &Desk<'_>, notes: &ReleaseNotes) -> String {
    let (url, tag) = (&desk.ci.project_url, notes.number.tag());
    match &notes.previous {
        Some(previous) => format!("{url}/-/compare/{}...{tag}", previous.tag()),
        None => format!("{url}/-/commits/{tag}"),
    }
}

/// The features that a version completes; a pre-release completes none.
pub(super) fn completed(number: &Number, content: &[Appended]) -> Vec<FeatureId> {
    if number.is_pre_release() {
        return Vec::new();
    }
    let (features, _) = by_feature(content);
    features
        .into_iter()
        .filter(|(_, brought)| brought.completed)
        .map(|(id, _)| id)
        .collect()
}
