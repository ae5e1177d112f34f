//! How the story is told: for a reader who has never seen the tool.

use std::io::Write;

use trainyard_emulator::FinishedJob;

use super::people::EVERYBODY;
use super::summary::Invariant;

/// Tells the story to a writer.
pub(super) struct Narrator<'w> {
    out: &'w mut dyn Write,
    told: usize,
    chapters: usize,
}

impl<'w> Narrator<'w> {
    pub(super) fn new(out: &'w mut dyn Write) -> Self {
        Self {
            out,
            told: 0,
            chapters: 0,
        }
    }

    /// A sentence. A reader who stopped reading does not stop the story.
    pub(super) fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    pub(super) fn chapter(&mut self, title: &str) {
        self.chapters += 1;
        let number = self.chapters;
        self.line(&format!("\n{number}. {title}\n"));
    }

    pub(super) fn cast(&mut self, url: &str) {
        self.line(&format!("\nGitLab answers at {url}. Who plays:"));
        for person in EVERYBODY {
            self.line(&format!("  {:<14} {}", person.name, person.part));
        }
    }

    /// A job that ran: who, what, what it said, and which events it left.
    pub(super) fn job(&mut self, job: &FinishedJob, events: &[&'static str]) {
        let exit = job.exit_code.map_or_else(
            || job.status.as_str().to_owned(),
            |code| format!("exit {code}"),
        );
        self.line(&format!(
            "  [job {} `{}` by {}: {exit}]",
            job.id, job.name, job.user
        ));
        for line in own_words(&job.trace).into_iter().take(14) {
            self.line(&format!("    {line}"));
        }
        if !events.is_empty() {
            self.line(&format!("    events: {}", events.join(", ")));
        }
    }

    /// What somebody sees on a screen.
    pub(super) fn screen(&mut self, title: &str, text: &str) {
        self.line(&format!("  -- {title} --"));
        for line in text.trim_end().lines() {
            self.line(&format!("  | {line}"));
        }
    }

    /// A note as a person sees it in the browser: its hidden part is not there, and its Markdown is drawn.
    pub(super) fn note(&mut self, title: &str, note: &str) {
        let body = note.split_once("-->\n").map_or(note, |(_, rest)| rest);
        let drawn = drawn(body);
        let widest = drawn.iter().map(|line| line.chars().count()).max();
        let width = widest.unwrap_or(0).max(title.chars().count() + 1);
        self.line(&format!(
            "  ┌ {title} {}┐",
            "─".repeat(width - title.chars().count())
        ));
        for line in &drawn {
            let padding = " ".repeat(width - line.chars().count());
            self.line(&format!("  │ {line}{padding} │"));
        }
        self.line(&format!("  └{}┘", "─".repeat(width + 2)));
    }

    pub(super) fn invariants(&mut self, invariants: &[Invariant]) {
        self.chapter("What must always hold, checked on what happened");
        for invariant in invariants {
            let sign = if invariant.held { "held" } else { "BROKEN" };
            self.line(&format!(
                "  {:>2}. {sign}: {}",
                invariant.number, invariant.how
            ));
        }
    }

    /// How many jobs have been told.
    pub(super) fn told(&self) -> usize {
        self.told
    }

    pub(super) fn all_told(&mut self, jobs: usize) {
        self.told = jobs;
    }
}

/// How wide a note is drawn.
const WIDTH: usize = 100;

/// Markdown as a browser would show it, in lines.
fn drawn(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.trim_end().lines() {
        let line = line.replace("**", "").replace(['`', '\\'], "");
        let line = line
            .replace("<details><summary>", "▸ ")
            .replace("</summary>", "");
        if line.starts_with("|---") || line == "</details>" {
            continue;
        }
        if let Some(row) = line.strip_prefix('|') {
            let cells: Vec<String> = row
                .trim_end_matches('|')
                .split('|')
                .zip([14, 11, 8, 52, 20])
                .map(|(cell, width)| format!("{:<width$}", cell.trim().trim_end_matches('+')))
                .collect();
            lines.push(cells.join(" ").trim_end().to_owned());
            continue;
        }
        let mut rest = String::new();
        for word in line.split(' ') {
            if !rest.is_empty() && rest.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::take(&mut rest));
            }
            if !rest.is_empty() {
                rest.push(' ');
            }
            rest.push_str(word);
        }
        lines.push(rest);
    }
    lines
}

/// What our program said in a job log, as the log viewer shows it: marks of sections and colours gone, folded sections by their title.
fn own_words(trace: &str) -> Vec<String> {
    let starts = ["ok: ", "refused: ", "waiting: ", "error: "];
    let mut folded = false;
    let mut words = Vec::new();
    for line in trace.lines() {
        let shown = without_marks(line);
        let ours = !words.is_empty();
        if !ours && !starts.iter().any(|start| shown.starts_with(start)) {
            continue;
        }
        if line.contains("section_end:") {
            if !line.contains(":trainyard_") {
                break;
            }
            folded = false;
        } else if line.contains(":trainyard_") {
            folded = line.contains("[collapsed=true]");
            words.push(format!("{} {shown}", if folded { ">" } else { "v" }));
        } else if !folded {
            words.push(shown);
        }
    }
    words
}

/// The text behind the last mark, without colours.
fn without_marks(line: &str) -> String {
    let text = line.rsplit('\r').next().unwrap_or_default();
    let mut parts = text.split('\u{1b}');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
        shown.push_str(part.get(end + 1..).unwrap_or_default());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_log_is_told_as_the_viewer_shows_it() {
        let trace = "\u{1b}[0Ksection_start:1:step_script\r\u{1b}[0KExecuting\n$ trainyard link-check\n\u{1b}[32;1mok: fine\u{1b}[0;m\n  because\n\
                     \u{1b}[0Ksection_start:1:trainyard_x_read[collapsed=true]\r\u{1b}[0K\u{1b}[1mWhat was read\u{1b}[0;m\n  line\n\u{1b}[0Ksection_end:1:trainyard_x_read\r\u{1b}[0K\n\
                     \u{1b}[0Ksection_start:1:trainyard_x_next\r\u{1b}[0KWhat is next\n  go\n\u{1b}[0Ksection_end:1:trainyard_x_next\r\u{1b}[0K\nsection_end:1:step_script\r\u{1b}[0KUploading\n";
        assert_eq!(
            own_words(trace),
            [
                "ok: fine",
                "  because",
                "> What was read",
                "v What is next",
                "  go"
            ]
        );
    }
}
