//! Executing one job from its sources to its artifacts.

use std::process::Command;

use jiff::{SignedDuration, Timestamp};

use super::checkout;
use super::claim::Assignment;
use super::collect::{self, Collected};
use super::masking::Masker;
use super::process::{self, End, Stop};
use super::release;
use super::runs::Run;
use super::script;
use crate::engine::addresses;
use crate::engine::finish::{Outcome, finish};
use crate::engine::settle;
use crate::engine::status::Status;
use crate::engine::uploads;
use crate::engine::variables::Server;
use crate::shared::Shared;

/// Executes a job and reports how it ended.
pub(super) fn execute(shared: &Shared, assignment: &Assignment) {
    let run = shared.runs.begin(assignment.job_id);
    let secrets = assignment
        .variables
        .values()
        .map(|variable| variable.value.clone())
        .filter(|value| value.len() >= 8)
        .collect();
    run.remember(secrets);
    let execution = Execution {
        shared,
        assignment,
        run: &run,
        started: shared.clock.now(),
    };
    let outcome = execution.all();
    shared.runs.end(assignment.job_id);
    let now = shared.clock.now();
    finish(&mut shared.state(), assignment.job_id, &outcome, now);
    settle(shared);
}

struct Execution<'a> {
    shared: &'a Shared,
    assignment: &'a Assignment,
    run: &'a Run,
    started: Timestamp,
}

const GREEN: &str = "\u{1b}[32;1m";
const CYAN: &str = "\u{1b}[0K\u{1b}[36;1m";
const RED: &str = "\u{1b}[31;1m";
const PLAIN: &str = "\u{1b}[0;m";

impl Execution<'_> {
    fn all(&self) -> Outcome {
        self.say("Running with gitlab-runner 18.5.0 (emulator)");
        self.say(&format!("{CYAN}Preparing environment{PLAIN}"));
        if let Err(error) = self.prepare() {
            self.say(&format!(
                "{RED}ERROR: Job failed (system failure): {error}{PLAIN}"
            ));
            return system_failure();
        }
        let build = &self.assignment.build;
        self.say(&format!(
            "{CYAN}Executing \"step_script\" stage of the job script{PLAIN}"
        ));
        let ended = self.script(&[&build.before_script, &build.script], "step", &[], true);
        let outcome = match ended {
            Ok(End::Exit(0)) => Outcome::Success,
            Ok(End::Exit(code)) => Outcome::Failed {
                reason: "script_failure",
                exit_code: Some(code),
            },
            Ok(End::Stopped(Stop::Canceled)) => Outcome::Canceled,
            Ok(End::Stopped(Stop::TimedOut)) => Outcome::Failed {
                reason: "job_execution_timeout",
                exit_code: None,
            },
            // A machine that is gone runs nothing more, and uploads nothing.
            Ok(End::Stopped(Stop::Killed)) => return system_failure(),
            Err(error) => {
                self.say(&format!(
                    "{RED}ERROR: Job failed (system failure): {error}{PLAIN}"
                ));
                return system_failure();
            }
        };
        let outcome = self.release(outcome);
        self.after_script(&outcome);
        if self.run.is_killed() {
            return system_failure();
        }
        let outcome = self.keep_artifacts(outcome);
        if outcome == Outcome::Success {
            let (shared, id) = (self.shared, self.assignment.job_id);
            let now = shared.clock.now();
            addresses::tell(Server::from(shared), &mut shared.state(), id, now);
        }
        self.conclude(&outcome);
        outcome
    }

    fn prepare(&self) -> Result<(), String> {
        let Assignment {
            workspace,
            variables,
            files,
            sources,
            ..
        } = self.assignment;
        let contents = files
            .iter()
            .filter(|(key, _)| variables.get(*key).is_some_and(|variable| variable.file))
            .map(|(key, content)| (key.as_str(), content.as_str()));
        workspace
            .make(contents)
            .map_err(|error| error.to_string())?;
        let strategy = variables.get("GIT_STRATEGY");
        match strategy.map(|variable| variable.value.as_str()) {
            Some("none" | "empty") => {
                self.say("Skipping Git repository setup");
            }
            Some(_) | None => {
                self.say(&format!("{CYAN}Getting source from Git repository{PLAIN}"));
                checkout::fetch(sources, workspace.project())?;
                let short = sources.sha.get(..8).unwrap_or(&sources.sha);
                self.say(&format!(
                    "{GREEN}Checking out {short} as detached HEAD{PLAIN}"
                ));
            }
        }
        for (job, files) in &self.assignment.downloads {
            self.say(&format!("Downloading artifacts for {job}..."));
            for file in files {
                let place = workspace.project().join(&file.path);
                let parent = place.parent().map_or(Ok(()), std::fs::create_dir_all);
                parent
                    .and_then(|()| std::fs::write(&place, &file.content))
                    .and_then(|()| set_executable(&place, file.executable))
                    .map_err(|error| error.to_string())?;
            }
        }
        let hook = &self.assignment.build.pre_get_sources_script;
        if hook.is_empty() {
            return Ok(());
        }
        match self.script(&[hook], "pre_get_sources", &[], true) {
            Ok(End::Exit(0)) => Ok(()),
            Ok(_) => Err("the script before getting the sources failed".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Runs lines in a shell of their own.
    fn script(
        &self,
        lines: &[&[String]],
        name: &str,
        more: &[(&str, &str)],
        interruptible: bool,
    ) -> std::io::Result<End> {
        let Assignment {
            job_id,
            workspace,
            variables,
            secrets,
            ..
        } = self.assignment;
        let file = workspace.file(&format!(".script_{name}"));
        std::fs::write(&file, script::text(lines, true))?;
        let mut command = Command::new("sh");
        command
            .arg("-e")
            .arg(&file)
            .current_dir(workspace.project())
            .env_clear()
            .env("PATH", &self.shared.runner.path)
            .env("HOME", workspace.home());
        for (key, variable) in variables {
            // A value with a zero byte cannot be in an environment.
            if !key.is_empty() && !variable.value.contains('\0') {
                command.env(key, &variable.value);
            }
        }
        command.envs(more.iter().copied());
        let mut masker = Masker::new(secrets);
        let shared = self.shared;
        let id = *job_id;
        let output = |bytes: &[u8]| append(shared, id, &masker.push(bytes));
        let stop = || {
            if interruptible {
                self.must_stop()
            } else {
                None
            }
        };
        let (runs, grace) = (&self.shared.runs, self.shared.runner.grace);
        let end = process::run(command, runs, self.run, grace, output, stop);
        append(self.shared, *job_id, &masker.finish());
        end
    }

    /// Was the job canceled or is its time over?
    fn must_stop(&self) -> Option<Stop> {
        let status = {
            let state = self.shared.state();
            state.jobs.get(self.assignment.job_id).map(|job| job.status)
        };
        if status != Some(Status::Running) {
            return Some(Stop::Canceled);
        }
        let spent = self.shared.clock.now().duration_since(self.started);
        let most = i64::try_from(self.assignment.timeout_seconds).unwrap_or(i64::MAX);
        (spent > SignedDuration::from_secs(most)).then_some(Stop::TimedOut)
    }

    /// `release:` comes after the script and can still fail the job.
    fn release(&self, outcome: Outcome) -> Outcome {
        let keyword = self.assignment.build.release.as_ref();
        let Some(keyword) = keyword.filter(|_| outcome == Outcome::Success) else {
            return outcome;
        };
        self.say(&format!(
            "{CYAN}Executing \"release\" stage of the job script{PLAIN}"
        ));
        let Assignment {
            variables,
            workspace,
            ..
        } = self.assignment;
        match release::create(self.shared, keyword, variables, workspace.project()) {
            Ok(()) => outcome,
            Err(reason) => {
                self.say(&format!("{RED}failed to create release: {reason}{PLAIN}"));
                Outcome::Failed {
                    reason: "script_failure",
                    exit_code: Some(1),
                }
            }
        }
    }

    fn after_script(&self, outcome: &Outcome) {
        let lines = &self.assignment.build.after_script;
        if lines.is_empty() {
            return;
        }
        let status = match outcome {
            Outcome::Success => "success",
            Outcome::Failed { .. } => "failed",
            Outcome::Canceled => "canceled",
        };
        self.say(&format!("{CYAN}Running after_script{PLAIN}"));
        let more = [("CI_JOB_STATUS", status)];
        // What happens here never changes the result of the job.
        let _ignored = self.script(&[lines], "after", &more, false);
    }

    fn keep_artifacts(&self, outcome: Outcome) -> Outcome {
        let Assignment {
            job_id,
            build,
            workspace,
            variables,
            ..
        } = self.assignment;
        let Some(wanted) = build
            .artifacts
            .as_ref()
            .filter(|_| outcome != Outcome::Canceled)
        else {
            return outcome;
        };
        let success = outcome == Outcome::Success;
        let collected = collect::collect(workspace.project(), wanted, variables, success);
        self.say(&format!("{CYAN}Uploading artifacts{PLAIN}"));
        let Collected { uploads, remarks } = collected;
        for remark in remarks {
            self.say(&remark);
        }
        let mut refused = false;
        for upload in uploads {
            let kind = upload.kind.clone();
            let now = self.shared.clock.now();
            let kept = uploads::accept(&mut self.shared.state(), *job_id, upload, now);
            match kept {
                Ok(()) => self.say(&format!(
                    "Uploading artifacts as \"{kind}\" to coordinator... 201 Created"
                )),
                Err(refusal) => {
                    refused = true;
                    self.say(&format!(
                        "ERROR: Uploading artifacts as \"{kind}\" to coordinator... {} {}",
                        refusal.status, refusal.message
                    ));
                }
            }
        }
        if refused && success {
            return Outcome::Failed {
                reason: "script_failure",
                exit_code: Some(1),
            };
        }
        outcome
    }

    fn conclude(&self, outcome: &Outcome) {
        let text = match outcome {
            Outcome::Success => format!("{GREEN}Job succeeded{PLAIN}"),
            Outcome::Canceled => format!("{RED}ERROR: Job failed: canceled{PLAIN}"),
            Outcome::Failed {
                exit_code: Some(code),
                ..
            } => format!("{RED}ERROR: Job failed: exit status {code}{PLAIN}"),
            Outcome::Failed {
                exit_code: None, ..
            } => {
                let seconds = self.assignment.timeout_seconds;
                format!(
                    "{RED}ERROR: Job failed: execution took longer than {seconds}s seconds{PLAIN}"
                )
            }
        };
        self.say(&text);
    }

    fn say(&self, line: &str) {
        let mut masker = Masker::new(&self.assignment.secrets);
        let text = masker.push(line.as_bytes()) + &masker.finish() + "\n";
        append(self.shared, self.assignment.job_id, &text);
    }
}

fn system_failure() -> Outcome {
    Outcome::Failed {
        reason: "runner_system_failure",
        exit_code: None,
    }
}

fn append(shared: &Shared, job: u64, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(job) = shared.state().jobs.get_mut(job) {
        job.trace.push_str(text);
    }
}

fn set_executable(path: &std::path::Path, executable: bool) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if executable { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
