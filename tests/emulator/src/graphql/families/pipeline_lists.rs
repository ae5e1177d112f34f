//! Lists of pipelines and jobs with their filters, and who may see them.

use serde_json::json;

use super::entity::many;
use crate::access::{self, Role};
use crate::graphql::objects::{Call, Found, NOTHING, Object, Problem, one, record, upper};
use crate::graphql::schema::{Family, Line, field};
use crate::store::State;
use crate::store::jobs::Job;
use crate::store::pipelines::Pipeline;
use crate::store::projects::Visibility;

/// The fields of a project.
pub(super) const OF_PROJECT: &[Line] = &[
    field(
        "pipeline(id: CiPipelineID, iid: ID, sha: String): Pipeline",
        |c| {
            let Object::Project(project) = c.object else {
                return Ok(NOTHING);
            };
            let (id, iid, sha) = (
                c.gid("id", &["Ci::Pipeline"])?,
                c.text("iid"),
                c.text("sha"),
            );
            if [id.is_some(), iid.is_some(), sha.is_some()]
                .iter()
                .filter(|given| **given)
                .count()
                != 1
            {
                let text = "Provide one of ID, IID or SHA";
                return Err(Problem::new(text));
            }
            if !sees_jobs(c, *project) {
                return Ok(NOTHING);
            }
            let state = c.state();
            let fits = |row: &&Pipeline| {
                id.is_none_or(|id| id == row.id)
                    && iid.is_none_or(|iid| iid == row.iid.to_string())
                    && sha.is_none_or(|sha| sha == row.sha)
            };
            let found = state.pipelines_of(*project).rev().find(fits);
            Ok(one(found.map(|row| Object::Pipeline(row.id))))
        },
    ),
    field(
        "pipelines(ids: [ID!], ref: String, sha: String, source: String, status: PipelineStatusEnum, scope: PipelineScopeEnum, username: String, updatedAfter: Time, updatedBefore: Time): PipelineConnection",
        |c| {
            let Object::Project(project) = c.object else {
                return Ok(NOTHING);
            };
            let wanted = Wanted::of(c)?;
            if !sees_jobs(c, *project) {
                return Ok(Found::Many(Vec::new()));
            }
            let state = c.state();
            let found = state.pipelines_of(*project).rev().filter(|row| {
                (wanted.ids.is_some() || !row.is_child()) && wanted.fits(&state, row)
            });
            Ok(many(found.map(|row| row.id), Object::Pipeline))
        },
    ),
    field(
        "pipelineCounts(ref: String, sha: String, source: String): PipelineCounts",
        |c| {
            let Object::Project(project) = c.object else {
                return Ok(NOTHING);
            };
            let wanted = Wanted::of(c)?;
            let sees = sees_jobs(c, *project);
            let state = c.state();
            let all: Vec<_> = state
                .pipelines_of(*project)
                .filter(|row| sees && !row.is_child() && wanted.fits(&state, row))
                .collect();
            let count = |words: &[&str]| {
                all.iter()
                    .filter(|row| words.contains(&row.status.as_str()))
                    .count()
            };
            let data = json!({
                "all": all.len(),
                "finished": count(&["success", "failed", "canceled"]),
                "pending": count(&["pending", "waiting_for_resource", "preparing", "created"]),
                "running": count(&["running"]),
            });
            Ok(record("PipelineCounts", data).found())
        },
    ),
    field("job(id: JobID!): CiJob", |c| {
        let Object::Project(project) = c.object else {
            return Ok(NOTHING);
        };
        let id = c.gid("id", super::jobs::CLASSES)?.unwrap_or_default();
        let sees = sees_jobs(c, *project);
        let state = c.state();
        let row = state
            .jobs
            .get(id)
            .filter(|row| row.project_id == *project && sees);
        Ok(one(row.map(|row| Object::Job(row.id))))
    }),
    field(
        "jobs(statuses: [CiJobStatus!], kind: CiJobKind, name: String, withArtifacts: Boolean, pipelineIid: String): CiJobConnection",
        |c| {
            let Object::Project(project) = c.object else {
                return Ok(NOTHING);
            };
            let sees = sees_jobs(c, *project);
            let (statuses, kind, name) = (
                c.texts("statuses"),
                c.text("kind").unwrap_or("BUILD"),
                c.text("name"),
            );
            let (artifacts, iid) = (c.flag("withArtifacts"), c.text("pipelineIid"));
            let state = c.state();
            let fits = |row: &&Job| {
                let pipeline = state.pipelines.get(row.pipeline_id);
                row.project_id == *project
                    && sees
                    && kind == super::jobs::kind(row)
                    && has_status(row, statuses.as_deref())
                    && name.is_none_or(|name| row.name.contains(name))
                    && artifacts.is_none_or(|wanted| wanted != row.artifacts.is_empty())
                    && iid.is_none_or(|iid| pipeline.is_some_and(|row| row.iid.to_string() == iid))
            };
            Ok(many(
                state.jobs.iter().rev().filter(fits).map(|row| row.id),
                Object::Job,
            ))
        },
    ),
];

/// The family of these lists.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        enum PipelineStatusEnum {
            CANCELED CANCELING CREATED FAILED MANUAL PENDING PREPARING RUNNING SCHEDULED SKIPPED SUCCESS WAITING_FOR_CALLBACK WAITING_FOR_RESOURCE
        }
        enum PipelineScopeEnum { BRANCHES FINISHED PENDING RUNNING TAGS }
        type PipelineCounts { all: Int finished: Int pending: Int running: Int }
    ",
};

/// What a list of pipelines is asked for.
pub(super) struct Wanted<'a> {
    ids: Option<Vec<u64>>,
    git_ref: Option<&'a str>,
    sha: Option<&'a str>,
    source: Option<&'a str>,
    status: Option<&'a str>,
    scope: Option<&'a str>,
    username: Option<&'a str>,
    after: Option<jiff::Timestamp>,
    before: Option<jiff::Timestamp>,
}

impl<'a> Wanted<'a> {
    pub(super) fn of(call: &Call<'a>) -> Result<Self, Problem> {
        let instant = |name: &str| call.text(name).and_then(crate::clock::parse);
        Ok(Self {
            ids: super::entity::numbers(call.args, "ids", &["Ci::Pipeline"])?,
            git_ref: call.text("ref"),
            sha: call.text("sha"),
            source: call.text("source"),
            status: call.text("status"),
            scope: call.text("scope"),
            username: call.text("username"),
            after: instant("updatedAfter"),
            before: instant("updatedBefore"),
        })
    }

    pub(super) fn fits(&self, state: &State, row: &Pipeline) -> bool {
        let user = || {
            state
                .users
                .get(row.user_id)
                .map(|user| user.username.as_str())
        };
        let status = row.status.as_str();
        self.ids.as_ref().is_none_or(|ids| ids.contains(&row.id))
            && self.git_ref.is_none_or(|wanted| wanted == row.git_ref)
            && self.sha.is_none_or(|wanted| wanted == row.sha)
            && self
                .source
                .is_none_or(|wanted| wanted == row.source.as_str())
            && self.status.is_none_or(|wanted| wanted == upper(status))
            && self.username.is_none_or(|wanted| Some(wanted) == user())
            && self.after.is_none_or(|after| row.updated_at >= after)
            && self.before.is_none_or(|before| row.updated_at <= before)
            && match self.scope {
                Some("RUNNING") => status == "running",
                Some("PENDING") => status == "pending",
                Some("FINISHED") => row.status.is_complete(),
                Some("TAGS") => row.tag,
                Some("BRANCHES") => !row.tag && row.merge_request_id.is_none(),
                Some(_) | None => true,
            }
    }
}

/// Has a job one of these statuses?
pub(super) fn has_status(row: &Job, wanted: Option<&[&str]>) -> bool {
    wanted.is_none_or(|wanted| wanted.contains(&upper(row.status.as_str()).as_str()))
}

/// Members and, where jobs are public, everybody who sees the project.
pub(super) fn sees_jobs(call: &Call<'_>, project: u64) -> bool {
    let state = call.state();
    let own = access::in_project(&state, call.user(), project);
    let Some(row) = state.projects.get(project) else {
        return false;
    };
    own.at_least(Role::Reporter)
        || (row.settings.public_jobs
            && (own.role.is_some() || (own.can_read && row.visibility != Visibility::Private)))
}
