//! What is kept of a job's files: the archive and the reports.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;

use super::{checkout, paths};
use crate::api::{report_file, report_format};
use crate::archive;
use crate::ci::definition::{Artifacts, ArtifactsWhen};
use crate::engine::uploads::Upload;
use crate::engine::variables::JobVariable;
use crate::store::jobs::ArchivedFile;

/// What a job leaves behind.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) uploads: Vec<Upload>,
    /// Lines for the trace.
    pub(super) remarks: Vec<String>,
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
    let files: Vec<ArchivedFile> = found
        .into_iter()
        .filter_map(|path| read(dir, path))
        .collect();
    if files.is_empty() {
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
    match archive::zip(&files) {
        Ok(content) => collected.uploads.push(Upload {
            kind: "archive".to_owned(),
            format: "zip".to_owned(),
            file_name: format!("{name}.zip"),
            content,
            expire_in: wanted.expire_in.clone(),
        }),
        Err(error) => collected.remarks.push(format!("ERROR: {error}")),
    }
}

/// A file with its mode.
pub(super) fn read(dir: &Path, path: String) -> Option<ArchivedFile> {
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
    let files: Vec<ArchivedFile> = found
        .into_iter()
        .filter_map(|path| read(dir, path))
        .collect();
    if files.is_empty() {
        collected.remarks.push(format!(
            "WARNING: {}: no matching files for the report `{kind}`",
            patterns.join(", ")
        ));
        return;
    }
    // A coverage report is uploaded under the name of its format.
    let kind = if kind == "coverage_report" {
        "cobertura"
    } else {
        kind
    };
    let (format, name) = (report_format(kind), report_file(kind));
    let contents = files.iter().map(|file| &file.content);
    // Each file is packed for itself, so that the server can tell where the next one begins.
    let (content, file_name) = if format == "gzip" {
        let packed: Result<Vec<Bytes>, _> = contents.map(|one| archive::gzip(one)).collect();
        (packed.map(|all| all.concat()), format!("{name}.gz"))
    } else {
        (Ok(contents.flatten().copied().collect()), name)
    };
    match content {
        Ok(content) => collected.uploads.push(Upload {
            kind: kind.to_owned(),
            format: format.to_owned(),
            file_name,
            content: Bytes::from(content),
            expire_in: None,
        }),
        Err(error) => collected.remarks.push(format!("ERROR: {error}")),
    }
}

/// Texts of the configuration with the job's variables in place.
fn expanded(texts: &[String], variables: &BTreeMap<String, JobVariable>) -> Vec<String> {
    texts
        .iter()
        .map(|text| crate::engine::variables::substituted(text, variables))
        .collect()
}
