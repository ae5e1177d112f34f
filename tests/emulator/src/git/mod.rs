//! Bare repositories, driven with the git program.
//!
//! Every call runs with a fixed environment: no configuration of the machine or the user, C locale, and an identity only
//! where one is passed. `read` and `diff` answer questions, `write` and `actions` make objects and move
//! refs, `rebase` replays commits.

mod actions;
mod archive;
mod blame;
mod bundle;
mod diff;
mod fork;
mod grep;
mod memory;
mod objects;
mod read;
mod rebase;
mod sizes;
mod tags;
mod write;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;

use jiff::Timestamp;

pub use self::actions::{Action, ActionKind};
pub(crate) use self::archive::tar_entry;
pub use self::archive::{Archive, ArchiveFormat};
pub use self::blame::BlameRange;
pub use self::diff::FileDiff;
pub use self::grep::GrepHit;
pub(crate) use self::memory::Memory;
use self::memory::is_full_id;
pub use self::read::{Commit, Person, TreeEntry};
pub use self::tags::Tag;

/// The name of a ref that does not exist, in git's protocols.
pub const ZERO: &str = "0000000000000000000000000000000000000000";

/// Why a git operation did not work.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("git cannot be started")]
    Start(#[source] io::Error),
    #[error("`git {command}` failed: {message}")]
    Failed { command: String, message: String },
    #[error("conflicts in {}", files.join(", "))]
    Conflict { files: Vec<String> },
    #[error("`{name}` is no longer where it was expected")]
    RefMoved { name: String },
    #[error("{0}")]
    Action(String),
}

/// Who makes a commit, and when.
#[derive(Debug, Clone)]
pub struct Identity {
    pub name: String,
    pub email: String,
    pub at: Timestamp,
}

impl Identity {
    fn date(&self) -> String {
        format!("{} +0000", self.at.as_second())
    }
}

/// A bare repository.
#[derive(Debug, Clone)]
pub struct Repository {
    dir: PathBuf,
    memory: Option<Arc<Memory>>,
}

impl Repository {
    /// The repository in a directory, made or not.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir, memory: None }
    }

    /// The same, which asks git only once for what cannot change.
    pub(crate) fn remembering(dir: PathBuf, memory: Arc<Memory>) -> Self {
        Self {
            dir,
            memory: Some(memory),
        }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the empty repository.
    pub fn init(&self) -> Result<(), GitError> {
        let mut command = program();
        command
            .args([
                "init",
                "--bare",
                "--quiet",
                "--initial-branch=main",
                "--template=",
            ])
            .arg(&self.dir);
        finish(run(command, &[])?, "init").map(drop)
    }

    /// Removes the repository.
    pub fn delete(&self) {
        let _already_gone = std::fs::remove_dir_all(&self.dir);
        if let Some(memory) = &self.memory {
            memory.forget();
        }
    }

    /// Writes the hooks that `git receive-pack` runs for pushes over HTTP: the first refuses with the text it is given and
    /// guards branches against force pushes, the second notes which updates were accepted.
    pub(crate) fn install_hooks(data_dir: &Path) -> Result<(), GitError> {
        let dir = hooks_dir(data_dir);
        std::fs::create_dir_all(&dir).map_err(GitError::Start)?;
        for (name, script) in [("pre-receive", PRE_RECEIVE), ("post-receive", POST_RECEIVE)] {
            let path = dir.join(name);
            std::fs::write(&path, script).map_err(GitError::Start)?;
            make_executable(&path).map_err(GitError::Start)?;
        }
        Ok(())
    }

    /// A git command in this repository.
    pub(crate) fn command(&self) -> Command {
        let mut command = program();
        command.arg("--git-dir").arg(&self.dir);
        command
    }

    /// Runs git and returns what it printed.
    fn git(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        self.git_with(args, &[], |_| {})
    }

    /// The same for a question about some objects: where all of them are full ids, the answer lasts and is remembered.
    fn git_about(&self, objects: &[&str], args: &[&str]) -> Result<Vec<u8>, GitError> {
        self.git_once(objects.iter().all(|name| is_full_id(name)), args)
    }

    /// The same, only once where the answer lasts.
    fn git_once(&self, lasts: bool, args: &[&str]) -> Result<Vec<u8>, GitError> {
        let Some(memory) = self.memory.as_ref().filter(|_| lasts) else {
            return self.git(args);
        };
        if let Some(answer) = memory.recall(&self.dir, args) {
            return Ok(answer);
        }
        let answer = self.git(args)?;
        memory.keep(&self.dir, args, &answer);
        Ok(answer)
    }

    /// Runs git and returns its output as text without the final line break.
    fn text(&self, args: &[&str]) -> Result<String, GitError> {
        self.git(args).map(|output| as_text(&output))
    }

    /// The same for a question about some objects.
    fn text_about(&self, objects: &[&str], args: &[&str]) -> Result<String, GitError> {
        self.git_about(objects, args).map(|output| as_text(&output))
    }

    fn git_with(
        &self,
        args: &[&str],
        input: &[u8],
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Vec<u8>, GitError> {
        let mut command = self.command();
        command.args(args);
        prepare(&mut command);
        finish(
            run(command, input)?,
            args.first().copied().unwrap_or_default(),
        )
    }
}

fn as_text(output: &[u8]) -> String {
    String::from_utf8_lossy(output)
        .trim_end_matches('\n')
        .to_owned()
}

/// The directory of the hooks shared by all repositories.
pub(crate) fn hooks_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("hooks")
}

const PRE_RECEIVE: &str = r#"#!/bin/sh
if [ -n "$SANDBOX_REFUSAL" ]; then printf '%s\n' "$SANDBOX_REFUSAL"; exit 1; fi
while read -r old new ref; do
  case " $SANDBOX_NO_FORCE " in *" $ref "*) ;; *) continue ;; esac
  case "$old$new" in *0000000000000000000000000000000000000000*) continue ;; esac
  if ! git merge-base --is-ancestor "$old" "$new"; then
    echo "GitLab: You are not allowed to force push code to a protected branch on this project."
    exit 1
  fi
done
"#;

const POST_RECEIVE: &str = r#"#!/bin/sh
while read -r update; do printf '%s\n' "$update"; done > "$SANDBOX_ACCEPTED"
"#;

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// `git` without anything of its surroundings.
pub(crate) fn program() -> Command {
    let mut command = Command::new("git");
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_PROTOCOL",
        "GIT_TRACE",
        "GIT_QUARANTINE_PATH",
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_DATE",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_DATE",
        "LANGUAGE",
    ] {
        command.env_remove(name);
    }
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C");
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["-c", "safe.directory=*"])
        .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"]);
    command
}

/// Runs a command to its end with some input.
pub(crate) fn run(mut command: Command, input: &[u8]) -> Result<Output, GitError> {
    if input.is_empty() {
        return command
            .stdin(Stdio::null())
            .output()
            .map_err(GitError::Start);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(GitError::Start)?;
    let stdin = child.stdin.take();
    thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut stdin) = stdin {
                // A program that stops reading early says why in its own output.
                let _closed = stdin.write_all(input);
            }
        });
        child.wait_with_output().map_err(GitError::Start)
    })
}

fn finish(output: Output, command: &str) -> Result<Vec<u8>, GitError> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(GitError::Failed {
        command: command.to_owned(),
        message,
    })
}

#[cfg(test)]
pub(crate) mod fixture {
    //! A repository in a temporary directory, with files committed by a made-up person.

    use super::{Action, Identity, Repository};

    pub(crate) struct Fixture {
        _dir: tempfile::TempDir,
        pub(crate) repository: Repository,
    }

    pub(crate) fn identity(name: &str, second: i64) -> Identity {
        let at = jiff::Timestamp::from_second(1_767_600_000 + second).unwrap();
        Identity {
            name: name.to_owned(),
            email: format!("{name}@example.com"),
            at,
        }
    }

    pub(crate) fn empty() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let repository = Repository::at(dir.path().join("r.git"));
        repository.init().unwrap();
        Fixture {
            _dir: dir,
            repository,
        }
    }

    impl Fixture {
        /// Commits files on a branch, which starts at `from` when it is new.
        pub(crate) fn commit(
            &self,
            branch: &str,
            from: Option<&str>,
            message: &str,
            files: &[(&str, &str)],
        ) -> String {
            let name = format!("refs/heads/{branch}");
            let old = self.repository.resolve(&name).unwrap();
            let parent = old.clone().or_else(|| from.map(str::to_owned));
            let actions: Vec<Action> = files
                .iter()
                .map(|(path, text)| Action::put(path, text.as_bytes()))
                .collect();
            let by = identity("ana", 0);
            let new = self
                .repository
                .commit_actions(parent.as_deref(), &actions, message, &by, &by)
                .unwrap();
            self.repository
                .update_ref(&name, Some(&new), old.as_deref())
                .unwrap();
            new
        }
    }
}
