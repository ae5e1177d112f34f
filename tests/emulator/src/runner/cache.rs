//! `cache:` between jobs: a ZIP archive per key and project in the data directory, as a runner without a shared cache keeps it.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;

use super::{checkout, paths};
use crate::archive;
use crate::store::jobs::ArchivedFile;

/// The caches of one job.
#[derive(Debug)]
pub(super) struct Caches {
    pub(super) dir: PathBuf,
    /// As the job's runner gets them, variables in place.
    pub(super) list: Vec<Value>,
}

impl Caches {
    /// Unpacks what earlier jobs left; the answer are lines for the trace.
    pub(super) fn restore(&self, project: &Path) -> Vec<String> {
        let mut lines = Vec::new();
        for cache in self.list.iter().filter(|cache| cache["policy"] != "push") {
            let fallbacks = cache["fallback_keys"].as_array();
            let keys = [&cache["key"]]
                .into_iter()
                .chain(fallbacks.into_iter().flatten());
            for key in keys.filter_map(Value::as_str) {
                lines.push(format!("Checking cache for {key}..."));
                let packed = std::fs::read(self.file(key)).ok();
                if let Some(files) = packed.and_then(|packed| archive::unzip(&Bytes::from(packed)))
                {
                    unpack(&files, project, &mut lines);
                    lines.push("Successfully extracted cache".to_owned());
                    break;
                }
                lines.push("WARNING: Cache file does not exist".to_owned());
                lines.push("Failed to extract cache".to_owned());
            }
        }
        lines
    }

    /// Packs what later jobs get; the answer are lines for the trace.
    pub(super) fn save(&self, project: &Path, success: bool) -> Vec<String> {
        let mut lines = Vec::new();
        for cache in self.list.iter().filter(|cache| cache["policy"] != "pull") {
            let due = match cache["when"].as_str() {
                Some("always") => true,
                Some("on_failure") => !success,
                Some(_) | None => success,
            };
            let Some(key) = cache["key"].as_str().filter(|_| due) else {
                continue;
            };
            lines.push(format!("Creating cache {key}..."));
            let patterns: Vec<String> = cache["paths"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|path| path.as_str().map(str::to_owned))
                .collect();
            let mut found = paths::matching(project, &patterns, &[]);
            if cache["untracked"] == true {
                found.extend(checkout::untracked(project));
            }
            if found.is_empty() {
                lines.push(format!(
                    "WARNING: {}: no matching files. Ensure that the artifact path is relative to the working directory ({})",
                    patterns.join(", "),
                    project.display()
                ));
                continue;
            }
            let files: Vec<ArchivedFile> = found
                .into_iter()
                .filter_map(|path| super::collect::read(project, path))
                .collect();
            let place = self.file(key);
            let kept = archive::zip(&files).and_then(|packed| {
                std::fs::create_dir_all(&self.dir)?;
                // Another job may read it at the same time.
                let fresh = place.with_extension("fresh");
                std::fs::write(&fresh, packed)?;
                std::fs::rename(fresh, place)
            });
            lines.push(match kept {
                Ok(()) => "Created cache".to_owned(),
                Err(error) => format!("Failed to create cache: {error}"),
            });
        }
        lines
    }

    fn file(&self, key: &str) -> PathBuf {
        let name: String = key
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02x}"),
            })
            .collect();
        self.dir.join(format!("{name}.zip"))
    }
}

fn unpack(files: &[ArchivedFile], project: &Path, lines: &mut Vec<String>) {
    for file in files {
        if let Err(error) = write(file, project) {
            lines.push(format!("WARNING: {}: {error}", file.path));
        }
    }
}

/// Writes a file of an archive below a directory.
pub(super) fn write(file: &ArchivedFile, project: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let place = project.join(&file.path);
    place.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(&place, &file.content)?;
    let mode = if file.executable { 0o755 } else { 0o644 };
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode))
}
