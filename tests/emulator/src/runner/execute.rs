//! Executing one job from its sources to its artifacts.

use std::process::Command;

use jiff::{SignedDuration, Timestamp};

use super::cache;
use super::claim::Assignment;
use super::collect::{self, Collected};
use super::masking::Masker;
use super::process::{self, End, Stop};
use super::release;
use super::runs::Run;
use super::script;
use super::sources;
use super::telling::{GREEN, PLAIN, RED, append};
use crate::ci::duration;
use crate::engine::addresses;
use crate::engine::finish::{Outcome, finish};
use crate::engine::settle;
use crate::engine::status::Status;
use crate::engine::uploads::{self, Upload};
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

/// One job being executed.
pub(super) struct Execution<'a> {
    pub(super) shared: &'a Shared,
    pub(super) assignment: &'a Assignment,
    run: &'a Run,
    started: Timestamp,
}

/// `after_script` may take this long.
const AFTER_SCRIPT_SECONDS: i64 = 300;

impl Execution<'_> {
    fn all(&self) -> Outcome {
        self.say("Running with gitlab-runner 18.5.0 (emulator)");
        if let Err(error) = self.prepare() {
            self.say(&format!(
                "{RED}ERROR: Job failed (system failure): {error}{PLAIN}"
            ));
            return system_failure();
        }
        let build = &self.assignment.build;
        let limit = self.seconds("RUNNER_SCRIPT_TIMEOUT");
        let begun = self.shared.clock.now();
        let ended = self.section(
            "step_script",
            "Executing \"step_script\" stage of the job script",
            || {
                self.script(&[&build.before_script, &build.script], "step", &[], || {
                    self.must_stop().or_else(|| self.over(begun, limit?))
                })
            },
        );
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
        if !self.is_out_of_time() {
            self.after_script(&outcome);
        }
        if self.run.is_killed() {
            return system_failure();
        }
        self.save_caches(&outcome);
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
            caches,
            downloads,
            build,
            ..
        } = self.assignment;
        let contents = files
            .iter()
            .filter(|(key, _)| variables.get(*key).is_some_and(|variable| variable.file))
            .map(|(key, content)| (key.as_str(), content.as_str()));
        workspace
            .make(contents)
            .map_err(|error| error.to_string())?;
        self.section("get_sources", "Getting source from Git repository", || {
            self.prepare_hook(&build.pre_get_sources_script)?;
            for line in sources::get(self.assignment)? {
                self.say(&format!("{GREEN}{line}{PLAIN}"));
            }
            Ok::<(), String>(())
        })?;
        if !caches.list.is_empty() {
            self.section("restore_cache", "Restoring cache", || {
                self.say_all(caches.restore(workspace.project()));
            });
        }
        if downloads.is_empty() {
            return Ok(());
        }
        self.section("download_artifacts", "Downloading artifacts", || {
            for (job, files) in downloads {
                self.say(&format!("{GREEN}Downloading artifacts for {job}...{PLAIN}"));
                for file in files {
                    cache::write(file, workspace.project()).map_err(|error| error.to_string())?;
                }
            }
            Ok(())
        })
    }

    /// `hooks:pre_get_sources_script` comes before the sources do.
    fn prepare_hook(&self, hook: &[String]) -> Result<(), String> {
        if hook.is_empty() {
            return Ok(());
        }
        match self.script(&[hook], "pre_get_sources", &[], || self.must_stop()) {
            Ok(End::Exit(0)) => Ok(()),
            Ok(_) => Err("the script before getting the sources failed".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn save_caches(&self, outcome: &Outcome) {
        let caches = &self.assignment.caches;
        if !caches.list.is_empty() && *outcome != Outcome::Canceled {
            let success = *outcome == Outcome::Success;
            let project = self.assignment.workspace.project();
            self.section("archive_cache", "Saving cache", || {
                self.say_all(caches.save(project, success));
            });
        }
    }

    /// A length of time that a variable gives.
    fn seconds(&self, key: &str) -> Option<i64> {
        let variable = self.assignment.variables.get(key)?;
        i64::try_from(duration::seconds(&variable.value)?).ok()
    }

    /// Has something taken longer than it may?
    fn over(&self, begun: Timestamp, seconds: i64) -> Option<Stop> {
        let spent = self.shared.clock.now().duration_since(begun);
        (spent > SignedDuration::from_secs(seconds)).then_some(Stop::TimedOut)
    }

    fn is_out_of_time(&self) -> bool {
        let most = i64::try_from(self.assignment.timeout_seconds).unwrap_or(i64::MAX);
        self.over(self.started, most).is_some()
    }

    /// Runs lines in a shell of their own.
    fn script(
        &self,
        lines: &[&[String]],
        name: &str,
        more: &[(&str, &str)],
        stop: impl Fn() -> Option<Stop>,
    ) -> std::io::Result<End> {
        let Assignment {
            job_id,
            workspace,
            variables,
            secrets,
            ..
        } = self.assignment;
        let file = workspace.file(&format!(".script_{name}"));
        let shell = script::shell(&self.shared.runner.path);
        let debug = variables.get("CI_DEBUG_TRACE");
        let trace = debug.is_some_and(|debug| matches!(debug.value.as_str(), "true" | "1"));
        std::fs::write(&file, script::text(shell, lines, trace))?;
        let mut command = Command::new(shell);
        command
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
        self.is_out_of_time().then_some(Stop::TimedOut)
    }

    /// `release:` comes after the script and can still fail the job.
    fn release(&self, outcome: Outcome) -> Outcome {
        let keyword = self.assignment.build.release.as_ref();
        let Some(keyword) = keyword.filter(|_| outcome == Outcome::Success) else {
            return outcome;
        };
        let Assignment {
            variables,
            workspace,
            ..
        } = self.assignment;
        let made = self.section(
            "release",
            "Executing \"release\" stage of the job script",
            || release::create(self.shared, keyword, variables, workspace.project()),
        );
        match made {
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
        let more = [("CI_JOB_STATUS", status)];
        let limit = self.seconds("RUNNER_AFTER_SCRIPT_TIMEOUT");
        let begun = self.shared.clock.now();
        // What happens here never changes the result of the job.
        let _ignored = self.section("after_script", "Running after_script", || {
            self.say(&format!("{GREEN}Running after script...{PLAIN}"));
            self.script(&[lines], "after", &more, || {
                self.over(begun, limit.unwrap_or(AFTER_SCRIPT_SECONDS))
            })
        });
    }

    /// Was the file kept?
    fn keep(&self, upload: Upload) -> bool {
        let (kind, now) = (upload.kind.clone(), self.shared.clock.now());
        let id = self.assignment.job_id;
        let kept = uploads::accept(&mut self.shared.state(), id, upload, now);
        let told = match &kept {
            Ok(()) => format!("Uploading artifacts as \"{kind}\" to coordinator... 201 Created"),
            Err(refusal) => format!(
                "ERROR: Uploading artifacts as \"{kind}\" to coordinator... {} {}",
                refusal.status, refusal.message
            ),
        };
        self.say(&told);
        kept.is_ok()
    }

    fn keep_artifacts(&self, outcome: Outcome) -> Outcome {
        let Assignment {
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
        let Collected { uploads, remarks } = collected;
        let keep_all = || {
            self.say_all(remarks);
            let mut refused = false;
            for upload in uploads {
                refused |= !self.keep(upload);
            }
            refused
        };
        let refused = self.section(
            "upload_artifacts_on_success",
            "Uploading artifacts",
            keep_all,
        );
        if refused && success {
            return Outcome::Failed {
                reason: "script_failure",
                exit_code: Some(1),
            };
        }
        outcome
    }
}

fn system_failure() -> Outcome {
    Outcome::Failed {
        reason: "runner_system_failure",
        exit_code: None,
    }
}
