//! Fetching the commit of a job, as runners do it: over HTTP, with the job token, onto a detached head.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::claim::Sources;
use crate::git::{self, GitError};

/// Fetches into a fresh repository. The error is for the trace.
pub(super) fn fetch(sources: &Sources, dir: &Path) -> Result<(), String> {
    make(dir, &sources.url).map_err(|error| error.to_string())?;
    let depth = sources.depth.to_string();
    let mut fetch = vec!["fetch", "--quiet", "origin", "--no-tags"];
    if sources.depth > 0 {
        fetch.extend(["--depth", &depth]);
    }
    fetch.extend(sources.refspecs.iter().map(String::as_str));
    git(dir, &fetch)
}

/// An empty repository with its remote, as `git init` and `git remote add` make it but for the samples of hooks.
fn make(dir: &Path, url: &str) -> io::Result<()> {
    let own = dir.join(".git");
    for part in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
        fs::create_dir_all(own.join(part))?;
    }
    fs::write(own.join("HEAD"), "ref: refs/heads/main\n")?;
    // Quoted and escaped, in which git takes any address.
    let url = url.replace('\\', "\\\\").replace('"', "\\\"");
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n\
         [remote \"origin\"]\n\turl = \"{url}\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
    );
    fs::write(own.join("config"), config)
}

/// Puts the commit into the directory.
pub(super) fn checkout(sources: &Sources, dir: &Path) -> Result<(), String> {
    git(dir, &["checkout", "--quiet", "--detach", &sources.sha])
}

/// Fetches the submodules, and theirs if wanted.
pub(super) fn submodules(dir: &Path, recursive: bool) -> Result<(), String> {
    let mut update = vec!["submodule", "update", "--quiet", "--init"];
    if recursive {
        update.push("--recursive");
    }
    git(dir, &update)
}

/// The files of a checkout that git does not know.
pub(super) fn untracked(dir: &Path) -> Vec<String> {
    let args = ["ls-files", "--others", "-z"];
    let output = run(dir, &args).unwrap_or_default();
    output
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect()
}

fn git(dir: &Path, args: &[&str]) -> Result<(), String> {
    run(dir, args).map(drop)
}

fn run(dir: &Path, args: &[&str]) -> Result<String, String> {
    let mut command: Command = git::program();
    command.current_dir(dir).args(args);
    let output = git::run(command, &[]).map_err(|error: GitError| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
