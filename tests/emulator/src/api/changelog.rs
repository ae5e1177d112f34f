//! The changelog of a version, made from the trailers of its commits.

use std::cmp::Ordering;

use jiff::Timestamp;
use regex::Regex;
use serde::Deserialize;
use serde_json::json;

use crate::access;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::git::{Action, Commit};
use crate::message::Response;
use crate::push::{self, RefUpdate};
use crate::router::{Answer, Guard, Param, Route, get, post, string};
use crate::store::State;
use crate::store::merge_requests::MergeRequestState;

use super::changelog_file;
use super::commit_entity::trailers;
use super::repository::require_code;

const WHAT: &[Param] = &[
    string("version").required(),
    string("from"),
    string("to"),
    string("date"),
    string("trailer"),
    string("config_file"),
    string("config_file_ref"),
];

pub(super) const ROUTES: &[Route] = &[
    get(
        "projects/:id/repository/changelog",
        Guard::ProjectReader,
        show,
    )
    .params(WHAT)
    .job_token(),
    post(
        "projects/:id/repository/changelog",
        Guard::SignedInReader,
        write,
    )
    .params(WHAT)
    .also(&[string("branch"), string("file"), string("message")]),
];

const VERSION: &str = r"(?P<major>\d+)\.(?P<minor>\d+)\.(?P<patch>\d+)(-(?P<pre>[0-9A-Za-z.-]+))?(\+(?P<meta>[0-9A-Za-z.-]+))?";

/// The file that a project may have to shape its changelog; the rest of GitLab's keys are not known here.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The value of the trailer to the heading.
    categories: std::collections::BTreeMap<String, String>,
    date_format: Option<String>,
    tag_regex: Option<String>,
}

fn show(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    Ok(Response::ok(&json!({ "notes": section(ctx)? })))
}

/// Commits the section to the changelog file, above the older ones.
fn write(ctx: &Ctx<'_>) -> Answer {
    require_code(ctx)?;
    let (user, project) = (ctx.user()?, ctx.project());
    let branch = match ctx.string("branch") {
        Some(branch) => branch.to_owned(),
        None => default_branch(&ctx.state(), project),
    };
    if !access::may_push(&ctx.state(), user, project, &branch) {
        let reason = "You are not allowed to commit a changelog on this branch";
        return Err(ApiError::forbidden_because(reason));
    }
    let section = section(ctx)?;
    let repository = ctx.shared.repository(project);
    let name = format!("refs/heads/{branch}");
    let old = repository.resolve(&name)?;
    let head = old
        .clone()
        .ok_or_else(|| failed("the branch does not exist"))?;
    let file = ctx.string("file").unwrap_or("CHANGELOG.md");
    let known = repository.file(&head, file)?.unwrap_or_default();
    let known = String::from_utf8_lossy(&known).into_owned();
    let version = ctx.string("version").unwrap_or_default();
    let version = version.trim_start_matches('v');
    // A retry finds the section it wrote before.
    if !known.starts_with(&format!("## {version} ")) {
        let text = changelog_file::with_section(&known, version, &section);
        let message = match ctx.string("message") {
            Some(message) => message.to_owned(),
            None => format!("Add changelog for version {version}"),
        };
        let by = ctx.state().identity(user, ctx.now());
        let action = [Action::put(file, text.as_bytes())];
        let new = repository.commit_actions(Some(&head), &action, &message, &by, &by)?;
        let update = RefUpdate {
            name,
            old,
            new: Some(new),
        };
        push::move_ref(ctx.shared, project, user, update, Vec::new())
            .map_err(|_moved| failed("the branch has changed meanwhile"))?;
    }
    Ok(Response::ok(&json!(200)))
}

/// The section of the version that is asked for.
fn section(ctx: &Ctx<'_>) -> Result<String, ApiError> {
    let version = ctx.string("version").unwrap_or_default();
    let wanted = Version::of(&full(VERSION)?, version)
        .ok_or_else(|| ApiError::error(400, "version is invalid"))?;
    let at = ctx.instant("date")?.unwrap_or_else(|| ctx.now());
    let config = config(ctx)?;
    let repository = ctx.shared.repository(ctx.project());
    let to = match ctx.string("to") {
        Some(to) => to.to_owned(),
        None => default_branch(&ctx.state(), ctx.project()),
    };
    let from = match ctx.string("from") {
        Some(from) => from.to_owned(),
        None => previous_tag(ctx, &config, &wanted)?,
    };
    let range = match (repository.resolve(&from)?, repository.resolve(&to)?) {
        (Some(from), Some(to)) => format!("{from}..{to}"),
        (Some(_), None) => return Err(failed(&format!("{to} is not a commit"))),
        (None, _) => return Err(failed(&format!("{from} is not a commit"))),
    };
    let commits = repository.commits(&[&range])?;
    Ok(notes(ctx, &config, version, at, &commits))
}

fn failed(reason: &str) -> ApiError {
    ApiError::message(422, format!("Failed to generate the changelog: {reason}"))
}

fn full(pattern: &str) -> Result<Regex, ApiError> {
    Regex::new(&format!("^v?{pattern}$")).map_err(|_error| ApiError::internal())
}

fn default_branch(state: &State, project: u64) -> String {
    let project = state.projects.get(project);
    let branch = project.and_then(|project| project.default_branch.clone());
    branch.unwrap_or_else(|| "main".to_owned())
}

fn config(ctx: &Ctx<'_>) -> Result<Config, ApiError> {
    let reference = match ctx.string("config_file_ref") {
        Some(reference) => reference.to_owned(),
        None => default_branch(&ctx.state(), ctx.project()),
    };
    let file = ctx
        .string("config_file")
        .unwrap_or(".gitlab/changelog_config.yml");
    let repository = ctx.shared.repository(ctx.project());
    let Some(text) = repository.file(&reference, file)? else {
        return Ok(Config::default());
    };
    serde_yaml::from_slice(&text).map_err(|error| {
        let text = format!("`{file}` has something the sandbox does not know: {error}");
        ApiError::error(501, format!("sandbox: {text}")).unknown(text)
    })
}

/// The tag of the highest released version below the wanted one.
fn previous_tag(ctx: &Ctx<'_>, config: &Config, wanted: &Version) -> Result<String, ApiError> {
    let pattern = match &config.tag_regex {
        Some(own) => Regex::new(own).map_err(|_error| failed("the tag_regex is not valid"))?,
        None => full(VERSION)?,
    };
    let tags = ctx.shared.repository(ctx.project()).tags()?;
    let versions = tags
        .into_iter()
        .filter_map(|tag| Some((Version::of(&pattern, &tag.name)?, tag.commit)));
    versions
        .filter(|(version, _)| version.pre.is_none() && version < wanted)
        .max_by(|(one, _), (other, _)| one.cmp(other))
        .map(|(_, commit)| commit)
        .ok_or_else(|| {
            failed("The commit start range is unspecified, and no previous tag could be found to use instead")
        })
}

/// A semantic version without its build.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    pre: Option<String>,
}

impl Version {
    fn of(pattern: &Regex, text: &str) -> Option<Self> {
        let found = pattern.captures(text)?;
        let number = |name: &str| found.name(name)?.as_str().parse().ok();
        Some(Self {
            numbers: [number("major")?, number("minor")?, number("patch")?],
            pre: found.name("pre").map(|pre| pre.as_str().to_owned()),
        })
    }
}

impl Ord for Version {
    /// A pre-release comes before its release.
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |version: &Self| (version.numbers, version.pre.is_none());
        key(self)
            .cmp(&key(other))
            .then_with(|| self.pre.cmp(&other.pre))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The section of the version, in the form of GitLab's own template.
fn notes(
    ctx: &Ctx<'_>,
    config: &Config,
    version: &str,
    at: Timestamp,
    commits: &[Commit],
) -> String {
    let trailer = ctx.string("trailer").unwrap_or("Changelog");
    let state = ctx.state();
    let project = state.projects.get(ctx.project());
    let path = project.map(|project| state.project_path(project));
    let path = path.unwrap_or_default();
    let mut categories: Vec<(String, Vec<String>)> = Vec::new();
    for commit in commits
        .iter()
        .filter(|commit| !is_reverted(commit, commits))
    {
        let found = trailers(&commit.message);
        let Some((_, values)) = found.iter().find(|(name, _)| name == trailer) else {
            continue;
        };
        let value = values.first().cloned().unwrap_or_default();
        let title = config.categories.get(&value).cloned().unwrap_or(value);
        let source = merge_request_of(&state, ctx.project(), commit);
        let source = source.map(|iid| format!(" ([merge request]({path}!{iid}))"));
        let line = format!(
            "- [{}]({path}@{}){}\n",
            commit.title(),
            commit.id,
            source.unwrap_or_default()
        );
        match categories.iter_mut().find(|(known, _)| *known == title) {
            Some((_, lines)) => lines.push(line),
            None => categories.push((title, vec![line])),
        }
    }
    let format = config.date_format.as_deref().unwrap_or("%Y-%m-%d");
    let mut text = format!(
        "## {} ({})\n\n",
        version.trim_start_matches('v'),
        at.strftime(format)
    );
    if categories.is_empty() {
        text.push_str("No changes.\n");
    }
    let sections: Vec<String> = categories
        .into_iter()
        .map(|(title, lines)| {
            let count = match lines.len() {
                1 => "1 change".to_owned(),
                more => format!("{more} changes"),
            };
            format!("### {title} ({count})\n\n{}", lines.concat())
        })
        .collect();
    text + &sections.join("\n")
}

/// A change that was taken back within the same version is no news.
fn is_reverted(commit: &Commit, commits: &[Commit]) -> bool {
    let text = format!("This reverts commit {}", commit.id);
    commits.iter().any(|other| other.message.contains(&text))
}

/// The number of the merged merge request that brought a commit.
fn merge_request_of(state: &State, project: u64, commit: &Commit) -> Option<u64> {
    let id = Some(&commit.id);
    let merged = state
        .merge_requests_of(project)
        .filter(|row| row.state == MergeRequestState::Merged);
    let found = merged.into_iter().find(|row| {
        row.merge_commit_sha.as_ref() == id
            || row.squash_commit_sha.as_ref() == id
            || row.versions.iter().any(|version| version.head == commit.id)
    });
    found.map(|row| row.iid)
}
