//! The git program, in the work tree of the job: what is one, and what is the other, byte for byte.

mod assembly;
#[cfg(test)]
mod ground;
mod history;
mod member;
mod picking;
mod pushing;
mod refs;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub use pushing::Destination;

use crate::domain::ids::{BranchName, CommitSha};
use crate::domain::versioning::comparison::Merged;
use crate::outcome::Problem;
use crate::ports::{Answer, BroughtIn, CommitFiles, Commits};

/// A work tree whose remote `origin` is the project, as a runner leaves it.
#[derive(Debug)]
pub struct WorkTree {
    folder: PathBuf,
    committer: Committer,
    destination: Option<Destination>,
}

/// Whether there was a repository in the job's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repository {
    /// A runner's clone, or one of a job before.
    Found,
    /// None: an empty one was made.
    Made,
}

/// Who makes the commits that bring several change sets together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committer {
    /// Shown with the commit.
    pub name: String,
    /// By which GitLab finds the user.
    pub email: String,
}

impl Default for Committer {
    fn default() -> Self {
        Self {
            name: "trainyard".to_owned(),
            // A domain that can never exist (RFC 2606), so that no mail reaches anybody.
            email: "trainyard@bot.invalid".to_owned(),
        }
    }
}

impl WorkTree {
    /// The work tree of the job. Whether it is one is seen when it is used.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            committer: Committer::default(),
            destination: None,
        }
    }

    /// The same, with somewhere to push to.
    #[must_use]
    pub fn pushing_to(mut self, destination: Option<Destination>) -> Self {
        self.destination = destination;
        self
    }

    /// The same, with commits made in somebody's name: the bot's whose token pushes them.
    #[must_use]
    pub fn committing_as(mut self, committer: Committer) -> Self {
        self.committer = committer;
        self
    }

    /// A file as it is in a commit of this work tree, or that there is none.
    pub fn file_at(&self, commit: &CommitSha, path: &str) -> Option<String> {
        let output = self.output(&["show", &format!("{commit}:{path}")]).ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A job of the gate has no clone: it fetches what it needs, often nothing.
    fn ready(&self) -> Answer<Repository> {
        if self.folder.join(".git").exists() {
            return Ok(Repository::Found);
        }
        self.make_folder()?;
        self.run(&["init", "--quiet"])?;
        Ok(Repository::Made)
    }

    /// Fetches from the project: as the gate where the job has its token, else as the runner left it.
    fn fetch(&self, options: &[&str], refs: &[&str]) -> Answer<()> {
        let mut arguments = vec!["fetch", "--quiet", "--no-tags"];
        arguments.extend(options);
        arguments.push(match &self.destination {
            Some(destination) => &destination.address,
            None => "origin",
        });
        arguments.extend(refs);
        let output = self
            .authorized(self.command(&arguments))
            .output()
            .map_err(no_git)?;
        self.said(&arguments, output).map(drop)
    }

    /// The head of a branch as the project has it now, without fetching anything; or that there is none.
    fn listed(&self, branch: &BranchName) -> Answer<Option<CommitSha>> {
        self.ready()?;
        let name = format!("refs/heads/{branch}");
        let remote = match &self.destination {
            Some(destination) => &destination.address,
            None => "origin",
        };
        let arguments = ["ls-remote", "--quiet", remote, name.as_str()];
        let output = self
            .authorized(self.command(&arguments))
            .output()
            .map_err(no_git)?;
        let said = self.said(&arguments, output)?;
        let head = said.split_whitespace().next().map(str::parse).transpose();
        head.map_err(|error| {
            Problem::bug("git named a commit in a form that we do not understand").caused_by(error)
        })
    }

    /// Makes sure that commits are here; what is missing is fetched, with enough history to compare.
    fn bring(&self, commits: &[&CommitSha]) -> Answer<()> {
        self.bring_with(commits, &[])
    }

    fn has(&self, commit: &CommitSha) -> bool {
        self.output(&["cat-file", "-e", &format!("{commit}^{{commit}}")])
            .is_ok_and(|o| o.status.success())
    }

    fn bring_with(&self, commits: &[&CommitSha], options: &[&str]) -> Answer<()> {
        let missing: Vec<&str> = commits
            .iter()
            .filter(|commit| !self.has(commit))
            .map(|commit| commit.as_str())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.fetch(options, &missing)
    }

    /// Runners clone the newest commits only; comparing and pushing need all of them.
    fn bring_history(&self) -> Answer<()> {
        if self.ready()? == Repository::Found
            && self.run(&["rev-parse", "--is-shallow-repository"])? == "true"
        {
            self.fetch(&["--unshallow"], &[])?;
        }
        Ok(())
    }

    /// The patch id of what a commit adds to the branch that it left `base`'s history from.
    fn patch_of(&self, commit: &CommitSha, base: &CommitSha) -> Answer<String> {
        let fork = self.run(&["merge-base", base.as_str(), commit.as_str()])?;
        self.patch_between(&fork, commit)
    }

    /// The patch id of what lies between two commits.
    fn patch_between(&self, from: &str, commit: &CommitSha) -> Answer<String> {
        let diff = self.output(&[
            "diff",
            "--no-color",
            "--no-ext-diff",
            "--full-index",
            from,
            commit.as_str(),
        ])?;
        let mut child = Command::new("git")
            // Not `--stable`, which takes white space for nothing: it is meaning in some languages.
            .args(["patch-id", "--verbatim"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(no_git)?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(&diff.stdout).map_err(no_git)?;
        }
        let output = child.wait_with_output().map_err(no_git)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.folder)
            .args([
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "protocol.ext.allow=never",
                // Tidying up in the background would outlive the job.
                "-c",
                "maintenance.auto=false",
            ])
            .args(arguments)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_COMMITTER_NAME", &self.committer.name)
            .env("GIT_COMMITTER_EMAIL", &self.committer.email)
            .env("GIT_AUTHOR_NAME", &self.committer.name)
            .env("GIT_AUTHOR_EMAIL", &self.committer.email);
        command
    }

    fn output(&self, arguments: &[&str]) -> Answer<Output> {
        self.command(arguments).output().map_err(no_git)
    }

    fn run(&self, arguments: &[&str]) -> Answer<String> {
        self.said(arguments, self.output(arguments)?)
    }

    /// The same with an environment of its own and something to read.
    fn run_with(
        &self,
        arguments: &[&str],
        environment: &[(&str, String)],
        input: &str,
    ) -> Answer<String> {
        let mut child = self
            .command(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(no_git)?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(input.as_bytes()).map_err(no_git)?;
        }
        self.said(arguments, child.wait_with_output().map_err(no_git)?)
    }

    fn said(&self, arguments: &[&str], output: Output) -> Answer<String> {
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let words: String = without_credentials(&String::from_utf8_lossy(&output.stderr))
            .chars()
            .take(600)
            .collect();
        Err(Problem::gitlab(
            format!(
                "`git {}` failed in `{}`: {}",
                arguments.first().unwrap_or(&""),
                self.folder.display(),
                words.trim()
            ),
            "check that the job clones the project (`GIT_STRATEGY` is not `none`) and that its token may read the repository",
        ))
    }
}

impl Commits for WorkTree {
    fn same_tree(&self, one: &CommitSha, other: &CommitSha) -> Answer<bool> {
        match self.ready()? {
            Repository::Found => self.bring(&[one, other])?,
            Repository::Made => self.bring_with(&[one, other], &["--depth=1"])?,
        }
        let tree = |commit: &CommitSha| {
            self.run(&["rev-parse", "--verify", &format!("{commit}^{{tree}}")])
        };
        Ok(tree(one)? == tree(other)?)
    }

    fn is_ancestor(&self, ancestor: &CommitSha, of: &CommitSha) -> Answer<bool> {
        self.bring_history()?;
        self.bring(&[ancestor, of])?;
        let output = self.output(&[
            "merge-base",
            "--is-ancestor",
            ancestor.as_str(),
            of.as_str(),
        ])?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            Some(_) | None => Err(Problem::gitlab(
                format!("git cannot compare `{ancestor}` with `{of}`"),
                "retry the job with a fresh clone (`GIT_STRATEGY: clone`)",
            )),
        }
    }

    fn brought_in(&self, after: Option<&CommitSha>, branch: &BranchName) -> Answer<Vec<BroughtIn>> {
        self.brought_since(after, branch)
    }

    fn merged_since(
        &self,
        after: Option<&CommitSha>,
        up_to: &CommitSha,
        files: CommitFiles,
    ) -> Answer<Option<Vec<Merged>>> {
        self.history_since(after, up_to, files)
    }

    fn same_change(&self, before: &CommitSha, after: &CommitSha, base: &CommitSha) -> Answer<bool> {
        self.bring_history()?;
        self.bring(&[before, after, base])?;
        Ok(self.patch_of(before, base)? == self.patch_of(after, base)?)
    }
}

fn no_git(error: std::io::Error) -> Problem {
    Problem::misconfigured(
        "the program `git` cannot be started",
        "install git in the job's image; the project's own image has it",
    )
    .caused_by(error)
}

/// The address of `origin` carries the job's token; git repeats addresses in its errors.
fn without_credentials(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || c == '/' || c == '\'')
            .unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(sign) => &after[sign + 1..],
            None => after,
        };
    }
    clean + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_never_stay_in_the_words_of_git() {
        let text = "fatal: unable to access 'https://gitlab-ci-token:glcbt-secret@gitlab.example/a/b.git/': no\nsee https://x/y";
        assert_eq!(
            without_credentials(text),
            "fatal: unable to access 'https://gitlab.example/a/b.git/': no\nsee https://x/y"
        );
        assert_eq!(without_credentials("http://a:b@c@host"), "http://host");
    }
}
