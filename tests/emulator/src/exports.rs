//! Exports of projects and groups as GitLab packs them: a gzipped tar of JSON, and a git bundle for the code.
//!
//! Of a project the code and the settings go along, of a group its own row; issues, merge requests and members do not.

use bytes::Bytes;
use serde_json::Value;

use crate::archive::{gunzip, gzip};
use crate::git::tar_entry;

/// The version of the format that GitLab writes into its exports.
const VERSION: &str = "0.2.4";
const BLOCK: usize = 512;

/// A file of an export.
pub(crate) type ExportedFile = (String, Vec<u8>);

/// Packs files together with the version of the format.
pub(crate) fn packed(files: &[ExportedFile]) -> std::io::Result<Bytes> {
    let mut tar = Vec::new();
    tar_entry(&mut tar, "VERSION", VERSION.as_bytes());
    for (name, content) in files {
        tar_entry(&mut tar, name, content);
    }
    // Two empty blocks end an archive.
    tar.extend([0; 2 * BLOCK]);
    gzip(&tar)
}

/// The files of an export, their names without a leading `./`; `None` if it is not one.
pub(crate) fn unpacked(content: &[u8]) -> Option<Vec<ExportedFile>> {
    let tar = gunzip(content).ok()?;
    let mut files = Vec::new();
    let mut rest = tar.as_slice();
    while rest.len() >= BLOCK && rest[0] != 0 {
        let (header, after) = rest.split_at(BLOCK);
        let text = |from: usize, to: usize| {
            let field = header[from..to].split(|byte| *byte == 0).next();
            String::from_utf8_lossy(field.unwrap_or_default()).into_owned()
        };
        let size = usize::from_str_radix(text(124, 136).trim(), 8).ok()?;
        let name = text(0, 100).trim_start_matches("./").to_owned();
        if matches!(header[156], b'0' | 0) {
            files.push((name, after.get(..size)?.to_vec()));
        }
        rest = after.get(size.next_multiple_of(BLOCK)..)?;
    }
    let known = files.iter().any(|(name, _)| name == "VERSION");
    known.then_some(files)
}

/// A JSON file of an export.
pub(crate) fn json_of(files: &[ExportedFile], name: &str) -> Option<Value> {
    let (_, content) = files.iter().find(|(known, _)| known == name)?;
    serde_json::from_slice(content).ok()
}

#[cfg(test)]
mod tests {
    use super::{packed, unpacked};

    #[test]
    fn what_is_packed_comes_out_again() {
        let files = vec![("tree/project.json".to_owned(), vec![b'x'; 700])];
        let found = unpacked(&packed(&files).unwrap()).unwrap();
        assert_eq!(found[1], files[0]);
        assert!(unpacked(b"no archive").is_none());
    }
}
