//! `cache:` of a job, with the keys that stand for files in place and kept apart for protected refs.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::queue::TakenJob;
use crate::git::Repository;
use crate::shared::Shared;

/// The caches of a job as its runner gets them. Call it without holding the state: it asks git.
pub(crate) fn of(shared: &Shared, taken: &TakenJob) -> Vec<Value> {
    let Some(build) = taken.job.build() else {
        return Vec::new();
    };
    if build.cache.is_empty() {
        return Vec::new();
    }
    let separated = shared
        .state()
        .projects
        .get(taken.job.project_id)
        .is_some_and(|project| project.settings.ci_separated_caches);
    let repository = shared.repository(taken.job.project_id);
    let mut caches = build.cache.clone();
    for cache in &mut caches {
        let shared_by_all = cache["unprotect"] == true;
        let suffix = match (separated, taken.pipeline.protected && !shared_by_all) {
            (false, _) => "",
            (true, true) => "-protected",
            (true, false) => "-non_protected",
        };
        let key = match cache["key"].as_str() {
            Some(key) => key.to_owned(),
            None => by_files(&repository, &taken.pipeline.sha, &cache["key"]),
        };
        cache["key"] = json!(format!("{key}{suffix}"));
        if let Some(fallbacks) = cache["fallback_keys"].as_array_mut() {
            for fallback in fallbacks {
                if let Some(text) = fallback.as_str() {
                    *fallback = json!(format!("{text}{suffix}"));
                }
            }
        }
    }
    caches
}

/// A key that changes with what is in the files, or with the commits that changed them last.
fn by_files(repository: &Repository, sha: &str, key: &Value) -> String {
    let found: Vec<String> = ["files", "files_commits"]
        .iter()
        .flat_map(|kind| {
            let paths = key[*kind].as_array().into_iter().flatten();
            paths
                .filter_map(Value::as_str)
                .filter_map(|path| identity(repository, sha, kind, path))
        })
        .collect();
    let digest = if found.is_empty() {
        "default".to_owned()
    } else {
        hex(&Sha256::digest(found.join("-")))
    };
    match key["prefix"].as_str() {
        Some(prefix) => format!("{prefix}-{digest}"),
        None => digest,
    }
}

fn identity(repository: &Repository, sha: &str, kind: &str, path: &str) -> Option<String> {
    if kind == "files" {
        let content = repository.file(sha, path).ok().flatten()?;
        return Some(hex(&Sha256::digest(content)));
    }
    let last = repository.commits(&["-1", sha, "--", path]).ok()?;
    last.first().map(|commit| commit.id.clone())
}

fn hex(digest: &[u8]) -> String {
    let bytes = digest.iter().take(20);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
