//! Files that a job leaves behind: written whole or not at all, and a full disk is told by its name.

use std::fs;
use std::path::Path;

use crate::outcome::Problem;
use crate::ports::Answer;

/// Writes a file beside its place and moves it there, so that nobody ever reads half of it.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, text: &str) -> Answer<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside = path.with_file_name(name);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(&beside, text))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|error| trouble(path, error))
}

/// Removes a file, if it is there.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(path: &Path) -> Answer<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(trouble(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Reads a file that must be there.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Answer<Vec<u8>> {
    fs::read(path).map_err(|error| {
        Problem::misconfigured(
            format!("cannot read `{}`", path.display()),
            "check the path",
        )
        .caused_by(error)
    })
}

fn trouble(path: &Path, error: std::io::Error) -> Problem {
    Problem::misconfigured(
        format!("cannot write `{}`", path.display()),
        "check that the folder exists and is writable, and that the disk is not full",
    )
    .caused_by(error)
}
