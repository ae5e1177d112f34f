//! What tests of git stand on: a project with a branch `main`, its author's work tree, and a clone as a runner would make it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The project; its folders end with it.
pub(super) struct Ground {
    /// Where its author works.
    pub(super) author: PathBuf,
    /// What a runner has.
    pub(super) clone: PathBuf,
    _folder: TempDir,
}

impl Ground {
    /// One with the prices 1 to 5, a line each.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let origin = ["--bare", "--initial-branch=main", "origin.git"];
        git(root, &[&["init", "--quiet"], &origin[..]].concat());
        git(root, &["clone", "--quiet", "origin.git", "author"]);
        let author = root.join("author");
        git(&author, &["checkout", "--quiet", "-B", "main"]);
        std::fs::write(author.join("prices"), "1\n2\n3\n4\n5\n").unwrap();
        git(&author, &["add", "--all"]);
        git(&author, &["commit", "--quiet", "-m", "The first prices"]);
        git(&author, &["push", "--quiet", "origin", "main"]);
        git(root, &["clone", "--quiet", "origin.git", "clone"]);
        Self {
            clone: root.join("clone"),
            author,
            _folder: folder,
        }
    }
}

/// What git says in a folder, to Ana.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Ana", "-c", "user.email=ana@shop.example"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
