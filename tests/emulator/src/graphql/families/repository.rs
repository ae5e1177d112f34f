//! Repositories: commits, trees, blobs and branches.

use std::rc::Rc;

use serde_json::{Value, json};

use super::entity::{encoded, instant, shown, web_path};
use crate::graphql::objects::{Call, Found, NOTHING, Object, Outcome, one, record, user, value};
use crate::graphql::schema::{Family, Line, field, object};

const REPOSITORY: &[Line] = &[
    field("rootRef: String @gitaly", |c| {
        let Object::Repository(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        Ok(Found::Value(json!(
            state
                .projects
                .get(*id)
                .and_then(|row| row.default_branch.clone())
        )))
    }),
    field("exists: Boolean! @gitaly", |_| Ok(value(true))),
    field("empty: Boolean! @gitaly", |c| {
        let Object::Repository(id) = c.object else {
            return Ok(NOTHING);
        };
        let branches = c
            .world
            .shared
            .repository(*id)
            .branches()
            .unwrap_or_default();
        Ok(value(branches.is_empty()))
    }),
    field("diskPath: String", |_| Ok(NOTHING)),
    field(
        "branchNames(searchPattern: String!, offset: Int!, limit: Int!): [String!] @gitaly",
        |c| {
            let Object::Repository(id) = c.object else {
                return Ok(NOTHING);
            };
            let pattern = c.text("searchPattern").unwrap_or_default();
            let number = |name: &str| {
                let number = c.arg(name).and_then(Value::as_u64).unwrap_or_default();
                usize::try_from(number).unwrap_or(usize::MAX)
            };
            let branches = c
                .world
                .shared
                .repository(*id)
                .branches()
                .unwrap_or_default();
            let pattern = format!("^{}$", regex::escape(pattern).replace("\\*", ".*"));
            let pattern = regex::Regex::new(&pattern).ok();
            let fits = |name: &String| {
                pattern
                    .as_ref()
                    .is_some_and(|pattern| pattern.is_match(name))
            };
            let names = branches.into_iter().map(|(name, _)| name).filter(fits);
            let names: Vec<String> = names.skip(number("offset")).take(number("limit")).collect();
            Ok(Found::Value(json!(names)))
        },
    ),
    field("commit(ref: String!): Commit @gitaly", |c| {
        let Object::Repository(id) = c.object else {
            return Ok(NOTHING);
        };
        commit(c, *id, c.text("ref").unwrap_or_default())
    }),
    field(
        "blobs(paths: [String!]!, ref: String, refType: RefType): RepositoryBlobConnection @gitaly",
        |c| {
            let Object::Repository(id) = c.object else {
                return Ok(NOTHING);
            };
            let git_ref = reference(c, *id);
            let paths = c.texts("paths").unwrap_or_default();
            let mut found = Vec::new();
            for path in paths {
                let entity = c.rest().call(
                    "GET",
                    &format!("projects/{id}/repository/files/{}", encoded(path)),
                    json!({ "ref": git_ref }),
                );
                if let Ok(entity) = entity {
                    found.push(blob(c, *id, &git_ref, &entity));
                }
            }
            Ok(Found::Many(found))
        },
    ),
    field(
        "tree(path: String = \"\", ref: String, refType: RefType, recursive: Boolean = false): Tree @gitaly",
        |c| {
            let Object::Repository(id) = c.object else {
                return Ok(NOTHING);
            };
            let git_ref = reference(c, *id);
            let path = c.text("path").unwrap_or_default();
            let filter = json!({ "ref": git_ref, "path": path, "recursive": c.flag("recursive") == Some(true) });
            let rows = c
                .rest()
                .list(&format!("projects/{id}/repository/tree"), &filter)?;
            let of = |kind: &str, name: &'static str| {
                let rows = rows.iter().filter(|row| row["type"] == kind);
                Found::Many(rows.map(|row| entry(c, *id, &git_ref, name, row)).collect())
            };
            let last = commit(c, *id, &git_ref)?;
            Ok(record("Tree", json!({}))
                .with("blobs", of("blob", "Blob"))
                .with("trees", of("tree", "TreeEntry"))
                .with("submodules", of("commit", "Submodule"))
                .with("lastCommit", last)
                .found())
        },
    ),
];

const COMMIT: &[Line] = &[
    field("id: ID!", |c| {
        shown(c, "/id")
            .map(|found| found.on_text(|sha| value(format!("gid://gitlab/CommitPresenter/{sha}"))))
    }),
    field("sha: String!", |c| shown(c, "/id")),
    field("shortId: String!", |c| shown(c, "/short_id")),
    field("title: String", |c| shown(c, "/title")),
    field("titleHtml: String", |c| shown(c, "/title")),
    field("fullTitle: String", |c| shown(c, "/title")),
    field("message: String", |c| shown(c, "/message")),
    field("description: String", |c| {
        shown(c, "/message").map(|found| {
            found.on_text(|text| {
                let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
                value(rest.trim_start())
            })
        })
    }),
    field("authorName: String", |c| shown(c, "/author_name")),
    field("authorEmail: String", |c| shown(c, "/author_email")),
    field("authoredDate: Time", |c| instant(c, "/authored_date")),
    field("committerName: String", |c| shown(c, "/committer_name")),
    field("committerEmail: String", |c| shown(c, "/committer_email")),
    field("committedDate: Time", |c| instant(c, "/committed_date")),
    field("webUrl: String!", |c| shown(c, "/web_url")),
    field("webPath: String!", web_path),
    field("author: UserCore", |c| {
        let Object::Commit(_, entity) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let mail = entity["author_email"].as_str().unwrap_or_default();
        Ok(one(state
            .users
            .iter()
            .find(|row| row.email == mail)
            .map(|row| user(row.id))))
    }),
    field(
        "pipelines(ref: String, sha: String, source: String, status: PipelineStatusEnum, scope: PipelineScopeEnum, username: String, ids: [ID!], updatedAfter: Time, updatedBefore: Time): PipelineConnection",
        |c| {
            let Object::Commit(project, entity) = c.object else {
                return Ok(NOTHING);
            };
            let wanted = super::pipeline_lists::Wanted::of(c)?;
            let sees = super::pipeline_lists::sees_jobs(c, *project);
            let state = c.state();
            let found = state.pipelines_of(*project).rev().filter(|row| {
                sees && entity["id"] == row.sha.as_str()
                    && !row.is_child()
                    && wanted.fits(&state, row)
            });
            Ok(super::entity::many(
                found.map(|row| row.id),
                Object::Pipeline,
            ))
        },
    ),
];

/// The family of repositories.
pub(super) const FAMILY: Family = Family {
    tables: &[object("Repository", &[REPOSITORY]), object("Commit", &[COMMIT])],
    sdl: "
        enum RefType { HEADS TAGS }
        enum EntryType { blob commit tree }
        type Tree { blobs: BlobConnection! lastCommit: Commit submodules: SubmoduleConnection! trees: TreeEntryConnection! }
        type Blob { flatPath: String! id: ID! mode: String name: String! path: String! sha: String! type: EntryType! webPath: String webUrl: String }
        type TreeEntry { flatPath: String! id: ID! name: String! path: String! sha: String! type: EntryType! webPath: String webUrl: String }
        type Submodule { flatPath: String! id: ID! name: String! path: String! sha: String! treeUrl: String type: EntryType! webUrl: String }
        type RepositoryBlob {
            id: ID! mode: String name: String oid: String! path: String! plainData: String rawBlob: String rawPath: String rawSize: BigInt
            rawTextBlob: String ref: String size: BigInt webPath: String webUrl: String
        }
    ",
};

/// The branch or tag of the call, or the default branch.
fn reference(call: &Call<'_>, project: u64) -> String {
    match call.text("ref") {
        Some(name) if !name.is_empty() => name.to_owned(),
        Some(_) | None => {
            let state = call.state();
            let branch = state
                .projects
                .get(project)
                .and_then(|row| row.default_branch.clone());
            branch.unwrap_or_else(|| "HEAD".to_owned())
        }
    }
}

/// A commit by its id or any name.
pub(super) fn commit(call: &Call<'_>, project: u64, name: &str) -> Outcome {
    let path = format!("projects/{project}/repository/commits/{}", encoded(name));
    let entity = call.rest().show(&path)?;
    Ok(one(
        (!entity.is_null()).then(|| Object::Commit(project, entity))
    ))
}

/// Commits of the call's merge request.
pub(super) fn commits(call: &Call<'_>, rows: Vec<Value>) -> Outcome {
    let Object::MergeRequest(id) = call.object else {
        return Ok(NOTHING);
    };
    let project = call
        .state()
        .merge_requests
        .get(*id)
        .map(|row| row.project_id);
    let project = project.unwrap_or_default();
    Ok(Found::Many(
        rows.into_iter()
            .map(|row| Object::Commit(project, Rc::new(row)))
            .collect(),
    ))
}

fn entry(call: &Call<'_>, project: u64, git_ref: &str, name: &'static str, row: &Value) -> Object {
    let page = call.state().project_url("", project);
    let path = row["path"].as_str().unwrap_or_default();
    let kind = row["type"].as_str().unwrap_or_default();
    let own = format!("{page}/-/{kind}/{git_ref}/{path}");
    let data = json!({
        "id": format!("gid://gitlab/{name}/{}", row["id"].as_str().unwrap_or_default()), "sha": row["id"], "name": row["name"],
        "path": path, "flatPath": path, "type": kind, "mode": row["mode"], "webPath": own, "webUrl": format!("{}{own}", call.url()),
        "treeUrl": null,
    });
    record(name, data).object()
}

fn blob(call: &Call<'_>, project: u64, git_ref: &str, entity: &Value) -> Object {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let page = call.state().project_url("", project);
    let path = entity["file_path"].as_str().unwrap_or_default();
    let content = entity["content"].as_str().unwrap_or_default();
    let bytes = STANDARD.decode(content).unwrap_or_default();
    let text = String::from_utf8(bytes).ok();
    let own = format!("{page}/-/blob/{git_ref}/{path}");
    let size = Value::from(entity["size"].to_string());
    let oid = entity["blob_id"].as_str().unwrap_or_default();
    let mode = if entity["execute_filemode"] == true {
        "100755"
    } else {
        "100644"
    };
    let data = json!({
        "id": format!("gid://gitlab/BlobPresenter/{oid}"), "oid": oid, "name": entity["file_name"], "path": path, "ref": git_ref,
        "rawBlob": text, "rawTextBlob": text, "plainData": text, "size": size, "rawSize": size, "webPath": own, "mode": mode,
        "webUrl": format!("{}{own}", call.url()), "rawPath": format!("{page}/-/raw/{git_ref}/{path}"),
    });
    record("RepositoryBlob", data).object()
}
