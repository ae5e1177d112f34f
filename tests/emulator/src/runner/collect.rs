//! What is kept of a job's files: the archive and the reports.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;

use super::{archive, checkout, dotenv, paths};
use crate::ci::definition::{Artifacts, ArtifactsWhen};
use crate::engine::variables::JobVariable;
use crate::store::jobs::{ArchivedFile, Artifact};

/// What a job leaves behind.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) files: Vec<ArchivedFile>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) dotenv: Vec<(String, String)>,
    /// Lines for the trace.
    pub(super) remarks: Vec<String>,
    /// An upload that GitLab refuses fails the job.
    pub(super) refused: bool,
}

/// Collects what the configuration asks for; reports whatever the result of the job.
pub(super) fn collect(
    dir: &Path,
    wanted: &Artifacts,
    variables: &BTreeMap<String, JobVariable>,
    success: bool,
) -> Collected {
    let mut collected = Collected::default();
    let due = match wanted.when {
        ArtifactsWhen::Always => true,
        ArtifactsWhen::OnSuccess => success,
        ArtifactsWhen::OnFailure => !success,
    };
    if due && (!wanted.paths.is_empty() || wanted.untracked) {
        pack(dir, wanted, variables, &mut collected);
    }
    for (kind, patterns) in &wanted.reports {
        report(dir, kind, &expanded(patterns, variables), &mut collected);
    }
    collected
}

fn pack(
    dir: &Path,
    wanted: &Artifacts,
    variables: &BTreeMap<String, JobVariable>,
    collected: &mut Collected,
) {
    let exclude = expanded(&wanted.exclude, variables);
    let mut found = paths::matching(dir, &[], &[]);
    for pattern in expanded(&wanted.paths, variables) {
        let some = paths::matching(dir, std::slice::from_ref(&pattern), &exclude);
        if some.is_empty() {
            collected.remarks.push(format!(
                "WARNING: {pattern}: no matching files. Ensure that the artifact path is relative to the working directory ({})",
                dir.display()
            ));
        } else {
            let count = some.len();
            collected.remarks.push(format!(
                "{pattern}: found {count} matching artifact files and directories"
            ));
        }
        found.extend(some);
    }
    if wanted.untracked {
        let known = checkout::untracked(dir);
        found.extend(paths::matching(dir, &known, &exclude));
    }
    collected.files = found
        .into_iter()
        .filter_map(|path| read(dir, path))
        .collect();
    if collected.files.is_empty() {
        collected
            .remarks
            .push("ERROR: No files to upload".to_owned());
        return;
    }
    let name = wanted
        .name
        .clone()
        .unwrap_or_else(|| "artifacts".to_owned());
    let name = expanded(&[name], variables).concat();
    match archive::zip(&collected.files) {
        Ok(content) => collected.artifacts.push(Artifact {
            file_type: "archive".to_owned(),
            file_name: format!("{name}.zip"),
            file_format: "zip".to_owned(),
            content,
        }),
        Err(error) => collected.remarks.push(format!("ERROR: {error}")),
    }
    if let Ok(content) = archive::gzip(b"GitLab Build Artifacts Metadata 0.0.2\n") {
        collected.artifacts.push(Artifact {
            file_type: "metadata".to_owned(),
            file_name: "metadata.gz".to_owned(),
            file_format: "gzip".to_owned(),
            content,
        });
    }
}

fn read(dir: &Path, path: String) -> Option<ArchivedFile> {
    let place = dir.join(&path);
    let content = std::fs::read(&place).ok()?;
    Some(ArchivedFile {
        executable: is_executable(&place),
        path,
        content: Bytes::from(content),
    })
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

fn report(dir: &Path, kind: &str, patterns: &[String], collected: &mut Collected) {
    let found = paths::matching(dir, patterns, &[]);
    let mut content = Vec::new();
    for file in found.into_iter().filter_map(|path| read(dir, path)) {
        content.extend_from_slice(&file.content);
    }
    if content.is_empty() {
        collected.remarks.push(format!(
            "WARNING: {}: no matching files for the report `{kind}`",
            patterns.join(", ")
        ));
        return;
    }
    if kind == "dotenv" {
        match dotenv::parse(&content) {
            Ok(variables) => collected.dotenv = variables,
            Err(reason) => {
                collected.remarks.push(format!(
                    "ERROR: Uploading artifacts as \"dotenv\" to coordinator... 400 Bad Request: {reason}"
                ));
                collected.refused = true;
                return;
            }
        }
    }
    let file_name = match kind {
        "dotenv" => ".env.gz".to_owned(),
        "junit" => "junit.xml.gz".to_owned(),
        other => format!("gl-{other}.json.gz"),
    };
    if let Ok(content) = archive::gzip(&content) {
        collected.artifacts.push(Artifact {
            file_type: kind.to_owned(),
            file_name,
            file_format: "gzip".to_owned(),
            content,
        });
    }
}

/// Texts of the configuration with the job's variables in place.
fn expanded(texts: &[String], variables: &BTreeMap<String, JobVariable>) -> Vec<String> {
    texts
        .iter()
        .map(|text| crate::engine::variables::substituted(text, variables))
        .collect()
}
