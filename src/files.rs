//! Files that a job leaves behind: written whole or not at all, and a full disk is told by its name.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::outcome::Problem;
use crate::ports::Answer;

/// More bytes than any file that a later job cannot do without has.
const LARGEST: usize = 64 << 10;

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
    made.and_then(|()| write_new(&beside, text))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|error| {
            // Half a file is no use to anybody.
            let _ = fs::remove_file(&beside);
            trouble(path, error)
        })
}

/// Writes a file that was not there: never through a link that somebody committed under its name.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Whether a file could be written, for one that a later job cannot do without: asked before anything is changed. A full disk takes an
/// empty file, so as much is written as the largest of them needs.
///
/// # Errors
/// When it could not.
pub fn check_writable(path: &Path) -> Answer<()> {
    write_whole(path, &" ".repeat(LARGEST))?;
    remove(path)
}

/// Removes a file, if it is there.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(path: &Path) -> Answer<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(trouble(path, error)),
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

fn trouble(path: &Path, error: io::Error) -> Problem {
    Problem::misconfigured(
        format!("cannot write `{}`", path.display()),
        "check that the folder exists and is writable, and that the disk is not full",
    )
    .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_lies_in_the_way_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (elsewhere, path) = (
            folder.path().join("elsewhere"),
            folder.path().join("report"),
        );
        fs::write(&elsewhere, "mine").unwrap();
        for name in ["report", "report.part"] {
            std::os::unix::fs::symlink(&elsewhere, folder.path().join(name)).unwrap();
        }
        write_whole(&path, "text").unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
        assert!(path.symlink_metadata().unwrap().is_file());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_known_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/report");
        assert!(check_writable(&path).is_ok() && !path.exists());
        fs::write(folder.path().join("file"), "").unwrap();
        let problem = check_writable(&folder.path().join("file/report")).unwrap_err();
        assert!(problem.what.contains("file/report"), "{}", problem.what);
    }
}
