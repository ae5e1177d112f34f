//! Opening, changing and deleting merge requests.

use jiff::Timestamp;
use serde_json::json;

use crate::access::{self, Role};
use crate::closing;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::forking;
use crate::issuable_changes as changes;
use crate::issuable_details::{set_locked, set_reviewers};
use crate::issuable_texts as texts;
use crate::issuables;
use crate::merge_requests::{auto_merge, checks, opening, refresh};
use crate::message::Response;
use crate::quick_actions;
use crate::router::{
    Answer, Guard, Param, Route, boolean, delete, integer, integers, one_of, post, put, string,
};
use crate::store::State;
use crate::store::events::{EventAction, EventTarget};
use crate::store::merge_requests::{MergeRequest, MergeRequestState, MergeStatus};
use crate::store::notes::Noteable;

use super::instants::instant;
use super::issuable_fields;
use super::merge_requests::{find, shown};

const FIELDS: &[Param] = &[
    string("description"),
    integers("reviewer_ids"),
    boolean("remove_source_branch"),
    boolean("squash"),
    boolean("allow_collaboration"),
    boolean("allow_maintainer_to_push"),
    string("merge_after"),
];
const CHANGES: &[Param] = &[
    string("title"),
    string("target_branch"),
    one_of("state_event", &["close", "reopen"]),
    boolean("discussion_locked"),
];

pub(super) const ROUTES: &[Route] = &[
    post(
        "projects/:id/merge_requests",
        Guard::Project(Role::Developer),
        create,
    )
    .params(FIELDS)
    .and(issuable_fields::FIELDS)
    .also(&[
        integer("target_project_id"),
        string("title").required(),
        string("source_branch").required(),
        string("target_branch").required(),
    ]),
    put(
        "projects/:id/merge_requests/:merge_request_iid",
        Guard::ProjectReader,
        update,
    )
    .params(FIELDS)
    .also(CHANGES)
    .and(issuable_fields::FIELDS),
    delete(
        "projects/:id/merge_requests/:merge_request_iid",
        Guard::Project(Role::Owner),
        destroy,
    ),
];

fn create(ctx: &Ctx<'_>) -> Answer {
    let (user, home, now) = (ctx.user()?, ctx.project(), ctx.now());
    let text = |name: &str| ctx.string(name).unwrap_or_default();
    let (source, target) = (text("source_branch"), text("target_branch"));
    let project = target_project(ctx, user)?;
    let repository = ctx.shared.repository(project);
    if source == target && home == project {
        let text = "You can't use same project/branch for source and target";
        return Err(ApiError::messages(422, &[text]));
    }
    let head = branch_head(ctx, home, "source_branch", source)?;
    branch_head(ctx, project, "target_branch", target)?;
    opening::bring_head(ctx.shared, home, project, &head)?;
    let merge_after = instant(ctx, "merge_after")?;
    let version = opening::diff_version(ctx.shared, &repository, &head, target)?;
    let parsed = quick_actions::parse(text("description"));
    let (id, iid) = {
        let mut state = ctx.state();
        refuse_second(&state, (home, source), (project, target), None)?;
        let squash = squash_by_default(ctx, &state, project);
        let iid = state.next_iid(project, "merge_requests");
        let id = state.merge_requests.insert(|id| MergeRequest {
            id,
            iid,
            project_id: project,
            source_project_id: home,
            source_branch: source.to_owned(),
            target_branch: target.to_owned(),
            title: text("title").to_owned(),
            description: None,
            state: MergeRequestState::Opened,
            author_id: user,
            assignee_ids: Vec::new(),
            reviewer_ids: Vec::new(),
            label_ids: Vec::new(),
            milestone_id: None,
            sha: head.clone(),
            merge_status: MergeStatus::Checking,
            merge_commit_sha: None,
            squash_commit_sha: None,
            merge_error: None,
            rebase_in_progress: false,
            auto_merge: None,
            squash,
            force_remove_source_branch: None,
            should_remove_source_branch: None,
            discussion_locked: None,
            time_estimate: 0,
            context_commits: Vec::new(),
            allow_collaboration: false,
            merge_after,
            head_pipeline_id: None,
            closes: Vec::new(),
            approvals: Vec::new(),
            versions: vec![version],
            created_at: now,
            updated_at: now,
            prepared_at: Some(now),
            merged_at: None,
            merged_by: None,
            closed_at: None,
            closed_by: None,
        });
        set_fields(ctx, &mut state, id, user, now);
        let noteable = Noteable::MergeRequest(id);
        let target = EventTarget::Noteable(noteable);
        state.record(project, user, EventAction::Created, target, now);
        issuables::call(&mut state, noteable, user, now, &parsed.text, None);
        if let Some(row) = state.merge_requests.get_mut(id) {
            row.description = ctx.given("description").then(|| parsed.text.clone());
        }
        for text in [text("title"), parsed.text.as_str()] {
            issuables::mention(&mut state, ctx.url(), noteable, user, now, text);
        }
        (id, iid)
    };
    opening::keep_head(&repository, iid, &head)?;
    quick_actions::execute(
        ctx.shared,
        user,
        Noteable::MergeRequest(id),
        &parsed.commands,
        None,
    );
    closing::remember(ctx.shared, id)?;
    // A push that came in between looked for merge requests when this one was not there yet.
    refresh::catch_up(ctx.shared, user, home, source)?;
    let pipelines = ctx.shared.pipelines.as_ref();
    pipelines.merge_request_changed(ctx.shared, project, iid, user);
    Ok(Response::created(&shown(ctx, id)?))
}

/// The project to merge into: the one of the path, or another of its family of forks.
fn target_project(ctx: &Ctx<'_>, user: u64) -> Result<u64, ApiError> {
    let home = ctx.project();
    let Some(target) = ctx.number("target_project_id").filter(|id| *id != home) else {
        return Ok(home);
    };
    let state = ctx.state();
    if !access::in_project(&state, Some(user), target).can_read {
        return Err(ApiError::not_found_plain());
    }
    if !access::may_read_code(&state, Some(user), target) {
        return Err(ApiError::forbidden());
    }
    if forking::root_of(&state, home) != forking::root_of(&state, target) {
        let text = "Source project is not a fork of the target project";
        return Err(ApiError::messages(422, &[text]));
    }
    Ok(target)
}

/// The head of a branch, which must be there.
fn branch_head(
    ctx: &Ctx<'_>,
    project: u64,
    parameter: &str,
    branch: &str,
) -> Result<String, ApiError> {
    let repository = ctx.shared.repository(project);
    let head = repository.resolve(&format!("refs/heads/{branch}"))?;
    head.ok_or_else(|| {
        let text = format!("branch \"{branch}\" does not exist");
        ApiError::body(400, json!({ "message": { parameter: [text] } }))
    })
}

fn refuse_second(
    state: &State,
    (home, source): (u64, &str),
    (project, target): (u64, &str),
    own: Option<u64>,
) -> Result<(), ApiError> {
    let mut open = state.open_merge_requests_from(home, source);
    let other = open.find(|row| {
        row.project_id == project && row.target_branch == target && Some(row.id) != own
    });
    match other {
        Some(other) => {
            let text = format!(
                "Another open merge request already exists for this source branch: !{}",
                other.iid
            );
            Err(ApiError::messages(409, &[&text]))
        }
        None => Ok(()),
    }
}

fn squash_by_default(ctx: &Ctx<'_>, state: &State, project: u64) -> bool {
    let option = state
        .projects
        .get(project)
        .map(|project| project.settings.squash_option.as_str());
    ctx.boolean("squash")
        .unwrap_or(option == Some("always") || option == Some("default_on"))
}

/// What creating and updating share, but for the description.
fn set_fields(ctx: &Ctx<'_>, state: &mut State, id: u64, user: u64, now: Timestamp) {
    issuable_fields::set(ctx, state, Noteable::MergeRequest(id), user, now);
    let listed = ctx.list_of_numbers("reviewer_ids").unwrap_or_default();
    let reviewers = issuable_fields::one_person(state, listed);
    if ctx.given("reviewer_ids")
        && issuables::may_administer(state, user, Noteable::MergeRequest(id))
    {
        set_reviewers(state, id, reviewers, user, now);
    }
    let Some(row) = state.merge_requests.get_mut(id) else {
        return;
    };
    if let Some(remove) = ctx.boolean("remove_source_branch") {
        row.force_remove_source_branch = Some(remove);
    }
    row.squash = ctx.boolean("squash").unwrap_or(row.squash);
    row.allow_collaboration = ctx
        .boolean("allow_collaboration")
        .or(ctx.boolean("allow_maintainer_to_push"))
        .unwrap_or(row.allow_collaboration);
}

fn update(ctx: &Ctx<'_>) -> Answer {
    let (user, now) = (ctx.user()?, ctx.now());
    let old = find(ctx)?;
    let noteable = Noteable::MergeRequest(old.id);
    if !issuables::may_update(&ctx.state(), user, noteable) {
        return Err(ApiError::forbidden());
    }
    let known = FIELDS.iter().chain(CHANGES).chain(issuable_fields::FIELDS);
    if !known.clone().any(|param| ctx.given(param.name)) {
        let names: Vec<&str> = known.map(|param| param.name).collect();
        let text = format!(
            "{} are missing, at least one parameter must be provided",
            names.join(", ")
        );
        return Err(ApiError::error(400, text));
    }
    if ctx.given("title")
        && ctx
            .string("title")
            .is_none_or(|title| title.trim().is_empty())
    {
        return Err(ApiError::error(400, "title is empty"));
    }
    let too_long = |text: &str| text.chars().count() > 1_048_576;
    if ctx.string("description").is_some_and(too_long) {
        let text = "is too long (maximum is 1048576 characters)";
        return Err(ApiError::body(
            400,
            json!({ "message": { "description": [text] } }),
        ));
    }
    let retarget = ctx
        .string("target_branch")
        .filter(|target| *target != old.target_branch && old.is_open());
    let version = match retarget {
        Some(target) => {
            branch_head(ctx, old.project_id, "target_branch", target)?;
            if target == old.source_branch && old.source_project_id == old.project_id {
                let text = "You can't use same project/branch for source and target";
                return Err(ApiError::messages(422, &[text]));
            }
            refuse_second(
                &ctx.state(),
                (old.source_project_id, &old.source_branch),
                (old.project_id, target),
                Some(old.id),
            )?;
            let repository = ctx.shared.repository(old.project_id);
            Some(opening::diff_version(
                ctx.shared,
                &repository,
                &old.sha,
                target,
            )?)
        }
        None => None,
    };
    let merge_after = instant(ctx, "merge_after")?;
    let parsed = quick_actions::parse(ctx.string("description").unwrap_or_default());
    {
        let mut state = ctx.state();
        set_fields(ctx, &mut state, old.id, user, now);
        if let Some(title) = ctx.string("title") {
            texts::set_title(&mut state, noteable, title, user, now);
        }
        if ctx.given("description") {
            let text = ctx.string("description").map(|_| parsed.text.as_str());
            texts::set_description(&mut state, ctx.url(), noteable, text, user, now);
        }
        if let Some(target) = retarget {
            let told = format!(
                "changed target branch from `{}` to `{target}`",
                old.target_branch
            );
            issuables::add_system_note(&mut state, noteable, user, now, &told);
            let why = "target branch was changed";
            auto_merge::abort(&mut state, old.id, user, now, why);
        }
        if let Some(row) = state.merge_requests.get_mut(old.id) {
            if let Some(target) = retarget {
                target.clone_into(&mut row.target_branch);
            }
            row.versions.extend(version);
            if ctx.given("merge_after") {
                row.merge_after = merge_after;
            }
            row.updated_at = now;
        }
        if ctx.given("discussion_locked") {
            let locked = ctx.boolean("discussion_locked");
            set_locked(&mut state, noteable, locked, user, now);
        }
    }
    quick_actions::execute(ctx.shared, user, noteable, &parsed.commands, None);
    change_state(ctx, user, &old)?;
    closing::remember(ctx.shared, old.id)?;
    if retarget.is_some() {
        checks::check_later(ctx.shared, old.id);
    }
    auto_merge::merge_if_ready(ctx.shared, old.project_id, old.iid);
    Ok(Response::ok(&shown(ctx, old.id)?))
}

fn change_state(ctx: &Ctx<'_>, user: u64, old: &MergeRequest) -> Result<(), ApiError> {
    let Some(event) = ctx.string("state_event") else {
        return Ok(());
    };
    let reopen = event == "reopen";
    let changed = {
        let mut state = ctx.state();
        if reopen {
            refuse_second(
                &state,
                (old.source_project_id, &old.source_branch),
                (old.project_id, &old.target_branch),
                Some(old.id),
            )?;
        }
        let noteable = Noteable::MergeRequest(old.id);
        changes::set_open(&mut state, noteable, reopen, user, ctx.now())
    };
    if !(changed && reopen) {
        return Ok(());
    }
    // While it was closed nobody followed its branch.
    refresh::catch_up(ctx.shared, user, old.source_project_id, &old.source_branch)?;
    let pipelines = ctx.shared.pipelines.as_ref();
    pipelines.merge_request_changed(ctx.shared, old.project_id, old.iid, user);
    Ok(())
}

fn destroy(ctx: &Ctx<'_>) -> Answer {
    let row = find(ctx)?;
    ctx.check_unmodified(row.updated_at)?;
    let id = row.id;
    let mut state = ctx.state();
    let noteable = Noteable::MergeRequest(id);
    state.merge_requests.remove(id);
    state.notes.retain(|note| note.noteable != noteable);
    state
        .resource_events
        .retain(|event| event.noteable != noteable);
    state
        .awards
        .retain(|award| award.target != crate::store::awards::Awardable::Noteable(noteable));
    Ok(Response::no_content())
}
