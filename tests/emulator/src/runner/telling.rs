//! What a runner tells in the trace: its own lines, in colours and folded into sections.

use super::execute::Execution;
use super::masking::Masker;
use crate::engine::finish::Outcome;
use crate::shared::Shared;

pub(super) const GREEN: &str = "\u{1b}[32;1m";
const CYAN: &str = "\u{1b}[0K\u{1b}[36;1m";
pub(super) const RED: &str = "\u{1b}[31;1m";
pub(super) const PLAIN: &str = "\u{1b}[0;m";

impl Execution<'_> {
    /// What stands between the marks of a section, which a web page can fold.
    pub(super) fn section<T>(&self, name: &str, title: &str, work: impl FnOnce() -> T) -> T {
        let mark = |what: &str| {
            let second = self.shared.clock.now().as_second();
            format!("section_{what}:{second}:{name}\r\u{1b}[0K")
        };
        self.say(&format!("{}{CYAN}{title}{PLAIN}", mark("start")));
        let done = work();
        append(self.shared, self.assignment.job_id, &mark("end"));
        done
    }

    /// The last line.
    pub(super) fn conclude(&self, outcome: &Outcome) {
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

    /// Several lines of the runner's own.
    pub(super) fn say_all(&self, lines: Vec<String>) {
        for line in lines {
            self.say(&line);
        }
    }

    /// A line of the runner's own.
    pub(super) fn say(&self, line: &str) {
        let mut masker = Masker::new(&self.assignment.secrets);
        let text = masker.push(line.as_bytes()) + &masker.finish() + "\n";
        append(self.shared, self.assignment.job_id, &text);
    }
}

/// Adds to the trace of a job.
pub(super) fn append(shared: &Shared, job: u64, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(job) = shared.state().jobs.get_mut(job) {
        job.trace.push_str(text);
    }
}
