//! What a merge request holds: commits, differences, pipelines, comments, and what the caller may do with it.

use serde_json::{Value, json};

use super::entity::{below, many};
use super::merge_requests::row;
use super::notes;
use crate::access::{self, Role};
use crate::engine::merge_requests::pipelines_of;
use crate::graphql::objects::{Call, Found, NOTHING, Object, Outcome, one, record, value};
use crate::graphql::schema::{Family, Line, field};

/// The fields.
pub(super) const LINES: &[Line] = &[
    field("hasCi: Boolean!", |c| {
        row(c, |row, _| value(row.head_pipeline_id.is_some()))
    }),
    field("headPipeline: Pipeline", |c| {
        row(c, |row, _| {
            Found::Value(json!([row.project_id, row.head_pipeline_id]))
        })
        .map(|found| shown_pipeline(c, &found))
    }),
    field(
        "pipelines(ids: [ID!], ref: String, sha: String, source: String, status: PipelineStatusEnum, scope: PipelineScopeEnum, username: String, updatedAfter: Time, updatedBefore: Time): PipelineConnection",
        pipelines,
    ),
    field("diffRefs: DiffRefs", |c| {
        row(c, |row, _| match row.diff() {
            Some(diff) => {
                let data =
                    json!({ "baseSha": diff.base, "headSha": diff.head, "startSha": diff.start });
                record("DiffRefs", data).found()
            }
            None => NOTHING,
        })
    }),
    field("commitCount: Int", |c| {
        row(c, |row, _| {
            Found::Value(json!(row.diff().map(|diff| diff.commits)))
        })
    }),
    field("commits: CommitConnection @gitaly", commits),
    field(
        "commitsWithoutMergeCommits: CommitConnection @gitaly",
        commits,
    ),
    field("diffStats(path: String): [DiffStats!] @gitaly", |c| {
        let path = c.text("path");
        let files = files(c)?;
        let stats = files
            .iter()
            .filter(|(name, ..)| path.is_none_or(|path| path == name));
        let stats = stats.map(|(name, added, deleted)| {
            let data = json!({ "path": name, "additions": added, "deletions": deleted });
            record("DiffStats", data).object()
        });
        Ok(Found::Many(stats.collect()))
    }),
    field("diffStatsSummary: DiffStatsSummary @gitaly", |c| {
        let files = files(c)?;
        let (added, deleted) = files.iter().fold((0, 0), |(a, d), (_, added, deleted)| {
            (a + added, d + deleted)
        });
        let data = json!({ "additions": added, "deletions": deleted, "changes": added + deleted, "fileCount": files.len() });
        Ok(record("DiffStatsSummary", data).found())
    }),
    field("userPermissions: MergeRequestPermissions!", permissions),
    field(
        "notes(filter: NotesFilterType = ALL_NOTES): NoteConnection!",
        notes::of_noteable,
    ),
    field("discussions: DiscussionConnection!", notes::discussions),
    field("awardEmoji: AwardEmojiConnection", notes::awards),
];

/// The family of what merge requests hold.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        type DiffRefs { baseSha: String headSha: String! startSha: String! }
        type DiffStats { additions: Int! deletions: Int! path: String! }
        type DiffStatsSummary { additions: Int! changes: Int! deletions: Int! fileCount: Int! }
        type MergeRequestPermissions {
            adminMergeRequest: Boolean! canApprove: Boolean! canMerge: Boolean! cherryPickOnCurrentMergeRequest: Boolean!
            createNote: Boolean! pushToSourceBranch: Boolean! readMergeRequest: Boolean! removeSourceBranch: Boolean!
            revertOnCurrentMergeRequest: Boolean! updateMergeRequest: Boolean!
        }
    ",
};

fn shown_pipeline(call: &Call<'_>, found: &Found) -> Found {
    let Found::Value(pair) = found else {
        return NOTHING;
    };
    let project = pair[0].as_u64().unwrap_or_default();
    let sees = super::pipeline_lists::sees_jobs(call, project);
    one(pair[1].as_u64().filter(|_| sees).map(Object::Pipeline))
}

fn pipelines(call: &Call<'_>) -> Outcome {
    let Object::MergeRequest(id) = call.object else {
        return Ok(NOTHING);
    };
    let Some(row) = call.state().merge_requests.get(*id).cloned() else {
        return Ok(NOTHING);
    };
    if !super::pipeline_lists::sees_jobs(call, row.project_id) {
        return Ok(Found::Many(Vec::new()));
    }
    let base = row.diff().map(|diff| diff.base.clone()).unwrap_or_default();
    let repository = call.world.shared.repository(row.project_id);
    let found = repository.commits(&[&format!("{base}..{}", row.sha)]);
    let commits = found
        .unwrap_or_default()
        .into_iter()
        .map(|commit| commit.id);
    let commits: Vec<String> = commits.chain([row.sha.clone()]).collect();
    let wanted = super::pipeline_lists::Wanted::of(call)?;
    let state = call.state();
    let found = pipelines_of(&state, &row, &commits)
        .into_iter()
        .filter(|pipeline| wanted.fits(&state, pipeline));
    Ok(many(found.map(|pipeline| pipeline.id), Object::Pipeline))
}

fn commits(call: &Call<'_>) -> Outcome {
    let path = below(call, "commits")?;
    let rows = call.rest().list(&path, &json!({}))?;
    super::repository::commits(call, rows)
}

/// The files of the diff with their added and deleted lines.
fn files(call: &Call<'_>) -> Result<Vec<(String, usize, usize)>, crate::graphql::objects::Problem> {
    let path = below(call, "diffs")?;
    let rows = call.rest().list(&path, &json!({}))?;
    let count = |row: &Value, sign: char| {
        let diff = row["diff"].as_str().unwrap_or_default();
        diff.lines().filter(|line| line.starts_with(sign)).count()
    };
    let one = |row: &Value| {
        let name = row["new_path"].as_str().unwrap_or_default().to_owned();
        (name, count(row, '+'), count(row, '-'))
    };
    Ok(rows.iter().map(one).collect())
}

fn permissions(call: &Call<'_>) -> Outcome {
    let acting = call.user();
    let Object::MergeRequest(id) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    let Some(row) = state.merge_requests.get(*id) else {
        return Ok(NOTHING);
    };
    let own = access::in_project(&state, acting, row.project_id);
    let developer = own.at_least(Role::Developer);
    let author = acting == Some(row.author_id);
    let pushes = acting.is_some_and(|user| {
        access::may_push(&state, user, row.source_project_id, &row.source_branch)
    });
    let merges = acting
        .is_some_and(|user| access::may_merge(&state, user, row.project_id, &row.target_branch));
    let data = json!({
        "adminMergeRequest": developer, "canApprove": developer && !row.approvals.iter().any(|(user, _)| Some(*user) == acting),
        "canMerge": merges, "cherryPickOnCurrentMergeRequest": developer, "createNote": acting.is_some() && own.can_read,
        "pushToSourceBranch": pushes, "readMergeRequest": own.can_read, "removeSourceBranch": pushes,
        "revertOnCurrentMergeRequest": developer, "updateMergeRequest": developer || author,
    });
    Ok(record("MergeRequestPermissions", data).found())
}
