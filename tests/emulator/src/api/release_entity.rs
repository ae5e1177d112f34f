//! A release as the API writes it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::store::State;
use crate::store::milestones::Milestone;
use crate::store::releases::{Release, ReleaseLink};

use super::{commit_entity, milestones, release_evidence, users};

const FORMATS: [&str; 4] = ["zip", "tar.gz", "tar.bz2", "tar"];
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A tag as one segment of an address.
pub(super) fn encoded(tag: &str) -> String {
    utf8_percent_encode(tag, SEGMENT).to_string()
}

/// Guests of private projects see releases without anything of the code.
pub(super) fn may_read_code(ctx: &Ctx<'_>) -> bool {
    access::may_read_code(&ctx.state(), ctx.caller.user(), ctx.project())
}

/// The release, with or without what belongs to the code.
pub(super) fn full(ctx: &Ctx<'_>, release: &Release, code: bool) -> Value {
    let commit = if code {
        let repository = ctx.shared.repository(release.project_id);
        repository.commit(&release.sha).ok().flatten()
    } else {
        None
    };
    let state = ctx.state();
    let access = access::in_project(&state, ctx.caller.user(), release.project_id);
    let may_edit = access.at_least(Role::Developer);
    let url = state.project_url(ctx.url(), release.project_id);
    let path = url.strip_prefix(ctx.url()).unwrap_or_default();
    let tag = encoded(&release.tag);
    let own = format!("{url}/-/releases/{tag}");

    let mut body = serde_json::Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    if code {
        put("name", json!(release.name));
        put("tag_name", json!(release.tag));
    } else {
        put("name", json!(format!("Release-{}", release.id)));
    }
    put("description", json!(release.description));
    if ctx.boolean("include_html_description") == Some(true) {
        put(
            "description_html",
            json!(html(release.description.as_deref())),
        );
    }
    put("created_at", json!(clock::iso(release.created_at)));
    put("released_at", json!(clock::iso(release.released_at)));
    put("upcoming_release", json!(release.released_at > ctx.now()));
    put(
        "author",
        users::basic_by_id(&state, release.author_id, ctx.url()),
    );
    if let Some(commit) = &commit {
        put("commit", commit_entity::basic(&url, commit));
    }
    let milestones: Vec<Value> = release
        .milestone_ids
        .iter()
        .filter_map(|id| state.milestones.get(*id))
        .map(|milestone| milestone_with_stats(ctx, &state, milestone))
        .collect();
    if !milestones.is_empty() {
        put("milestones", Value::from(milestones));
    }
    if let Some(commit) = &commit {
        put(
            "commit_path",
            json!(format!("{path}/-/commit/{}", commit.id)),
        );
        put("tag_path", json!(format!("{path}/-/tags/{tag}")));
    }
    put("assets", assets(&state, release, &url, code));
    if code {
        put(
            "evidences",
            json!(release_evidence::entities(&state, release, &url)),
        );
    }
    put("_links", page_links(&url, &own, &tag, may_edit));
    Value::Object(body)
}

fn assets(state: &State, release: &Release, url: &str, code: bool) -> Value {
    let links: Vec<Value> = state
        .links_of(release.id)
        .map(|row| link(row, release, url))
        .collect();
    if !code {
        return json!({ "count": links.len(), "links": links });
    }
    let tag = encoded(&release.tag);
    let project = url.rsplit('/').next().unwrap_or_default();
    let file = format!("{project}-{}", release.tag.replace('/', "-"));
    let sources = FORMATS.map(|format| {
        json!({ "format": format, "url": format!("{url}/-/archive/{tag}/{file}.{format}") })
    });
    json!({ "count": links.len() + sources.len(), "sources": sources, "links": links })
}

fn page_links(url: &str, own: &str, tag: &str, may_edit: bool) -> Value {
    let filtered = |page: &str, state: &str| {
        format!("{url}/-/{page}?release_tag={tag}&scope=all&state={state}")
    };
    let mut links = json!({
        "closed_issues_url": filtered("issues", "closed"),
        "closed_merge_requests_url": filtered("merge_requests", "closed"),
        "merged_merge_requests_url": filtered("merge_requests", "merged"),
        "opened_issues_url": filtered("issues", "opened"),
        "opened_merge_requests_url": filtered("merge_requests", "opened"),
        "self": own,
    });
    if may_edit {
        links["edit_url"] = json!(format!("{own}/edit"));
    }
    links
}

/// A link of a release.
pub(super) fn link(link: &ReleaseLink, release: &Release, project_url: &str) -> Value {
    let tag = encoded(&release.tag);
    let direct = match &link.filepath {
        Some(path) => format!("{project_url}/-/releases/{tag}/downloads{path}"),
        None => link.url.clone(),
    };
    json!({
        "id": link.id,
        "name": link.name,
        "url": link.url,
        "direct_asset_url": direct,
        "link_type": link.link_type,
    })
}

fn milestone_with_stats(ctx: &Ctx<'_>, state: &State, milestone: &Milestone) -> Value {
    let issues = || {
        let issues = state.issues.iter();
        issues.filter(|issue| issue.milestone_id == Some(milestone.id))
    };
    let mut body = milestones::entity(ctx, state, milestone);
    body["issue_stats"] = json!({
        "total": issues().count(),
        "closed": issues().filter(|issue| !issue.open).count(),
    });
    body
}

/// The text as HTML without any Markdown: enough for clients that only show it.
pub(super) fn html(text: Option<&str>) -> String {
    let escaped = text
        .unwrap_or_default()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    if escaped.is_empty() {
        return escaped;
    }
    format!("<p data-sourcepos=\"1:1-1:1\" dir=\"auto\">{escaped}</p>")
}
