//! What looks after a project or tells about it as a whole: housekeeping, storage, languages, fetches, pages, mirrors.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::access::{self, Role};
use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::router::{Answer, Guard, Route, get, one_of, post};

pub(super) const ROUTES: &[Route] = &[
    post(
        "projects/:id/housekeeping",
        Guard::Project(Role::Owner),
        keep_house,
    )
    .params(&[one_of("task", &["prune", "eager"])]),
    get("projects/:id/storage", Guard::Project(Role::Guest), storage),
    get("projects/:id/languages", Guard::ProjectReader, languages),
    get(
        "projects/:id/statistics",
        Guard::Project(Role::Reporter),
        statistics,
    ),
];

/// The repositories here need none.
fn keep_house(_: &Ctx<'_>) -> Answer {
    Ok(Response::created(&Value::Null))
}

/// Administrators only.
fn storage(ctx: &Ctx<'_>) -> Answer {
    let state = ctx.state();
    let caller = ctx.caller.user().and_then(|user| state.users.get(user));
    if !caller.is_some_and(|caller| caller.admin) {
        return Err(ApiError::forbidden());
    }
    let project = state.projects.get(ctx.project());
    let project = project.ok_or_else(|| ApiError::not_found("Project"))?;
    let digest: String = Sha256::digest(project.id.to_string())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(Response::ok(&json!({
        "project_id": project.id,
        "disk_path": format!("@hashed/{}/{}/{digest}", &digest[..2], &digest[2..4]),
        "created_at": clock::iso(project.created_at),
        "repository_storage": "default",
    })))
}

const LANGUAGES: &[(&str, &str)] = &[
    ("c", "C"),
    ("cc", "C++"),
    ("cpp", "C++"),
    ("cs", "C#"),
    ("css", "CSS"),
    ("dart", "Dart"),
    ("ex", "Elixir"),
    ("exs", "Elixir"),
    ("go", "Go"),
    ("groovy", "Groovy"),
    ("hcl", "HCL"),
    ("tf", "HCL"),
    ("html", "HTML"),
    ("java", "Java"),
    ("js", "JavaScript"),
    ("jsx", "JavaScript"),
    ("kt", "Kotlin"),
    ("lua", "Lua"),
    ("php", "PHP"),
    ("pl", "Perl"),
    ("ps1", "PowerShell"),
    ("py", "Python"),
    ("r", "R"),
    ("rb", "Ruby"),
    ("rs", "Rust"),
    ("scala", "Scala"),
    ("scss", "SCSS"),
    ("sh", "Shell"),
    ("swift", "Swift"),
    ("ts", "TypeScript"),
    ("tsx", "TypeScript"),
    ("vue", "Vue"),
];

/// By the names of the files, weighed by their sizes, in percent.
fn languages(ctx: &Ctx<'_>) -> Answer {
    let branch = {
        let state = ctx.state();
        if !access::may_read_code(&state, ctx.caller.user(), ctx.project()) {
            return Err(ApiError::forbidden());
        }
        let project = state.projects.get(ctx.project());
        project.and_then(|project| project.default_branch.clone())
    };
    let Some(branch) = branch else {
        return Ok(Response::ok(&json!({})));
    };
    let repository = ctx.shared.repository(ctx.project());
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for (path, size) in repository.file_sizes(&format!("refs/heads/{branch}"))? {
        let name = path.rsplit('/').next().unwrap_or_default();
        let known = match name.rsplit_once('.') {
            Some((_, extension)) => LANGUAGES
                .iter()
                .find(|(known, _)| *known == extension)
                .map(|(_, language)| *language),
            None if name == "Dockerfile" => Some("Dockerfile"),
            None if name == "Makefile" => Some("Makefile"),
            None => None,
        };
        if let Some(language) = known {
            *sizes.entry(language).or_insert(0) += size;
        }
    }
    let whole: u64 = sizes.values().sum();
    let mut shares: Vec<_> = sizes.into_iter().filter(|(_, size)| *size > 0).collect();
    shares.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let percent = |size: u64| size.saturating_mul(10_000) / whole.max(1);
    let body: Map<String, Value> = shares
        .into_iter()
        .map(|(language, size)| {
            let hundredths = u32::try_from(percent(size)).unwrap_or(10_000);
            (language.to_owned(), json!(f64::from(hundredths) / 100.0))
        })
        .collect();
    Ok(Response::ok(&Value::Object(body)))
}

/// Fetches are not counted here.
fn statistics(_: &Ctx<'_>) -> Answer {
    Ok(Response::ok(
        &json!({ "fetches": { "total": 0, "days": [] } }),
    ))
}
