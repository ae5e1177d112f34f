//! The job log: an outcome as people read it in GitLab, folded into sections, or as plain text anywhere else. Pure.
//!
//! A section is a pair of marks that GitLab's log viewer folds (docs: "CI/CD job logs"). A mark ends in a carriage return and an
//! escape sequence; both are taken out of every text here, so nothing that somebody wrote can be one, or paint.

use crate::outcome::{Check, CheckState, ExitCode, Group, Outcome};

/// Longer lines are cut.
const MAX_LINE: usize = 2_000;
/// More lines of one group are only counted.
const MAX_LINES: usize = 300;

const ERASE: &str = "\u{1b}[0K";
const GREEN: &str = "\u{1b}[32;1m";
const YELLOW: &str = "\u{1b}[33;1m";
const RED: &str = "\u{1b}[31;1m";
const BOLD: &str = "\u{1b}[1m";
const USUAL: &str = "\u{1b}[0;m";

/// How an outcome is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// For GitLab's log viewer.
    Folded {
        /// The command, which makes the names of its sections its own.
        command: String,
        /// The time of the marks, in seconds since 1970.
        second: i64,
        /// Whether colours are wanted.
        colour: bool,
    },
    /// For a terminal, a file or another text.
    Plain,
}

/// The outcome as text, without a line end.
pub fn text(outcome: &Outcome, manner: &Manner) -> String {
    let (sign, colour) = match outcome.code {
        ExitCode::Open => ("ok", GREEN),
        ExitCode::Waiting => ("waiting", YELLOW),
        ExitCode::Refused
        | ExitCode::Misconfigured
        | ExitCode::GitLab
        | ExitCode::Bug
        | ExitCode::Stopped => ("refused", RED),
    };
    let headline = clean(&outcome.headline).join(" ");
    let mut page = Page::new(manner);
    page.line(&page.painted(colour, &format!("{sign}: {headline}")));
    page.lines(outcome.details.iter().map(String::as_str));
    let group = |wanted: Group| -> Vec<&str> {
        let of = outcome.groups.iter().filter(|(group, _)| *group == wanted);
        of.map(|(_, line)| line.as_str()).collect()
    };
    page.section("read", "What was read", Fold::Closed, &group(Group::Read));
    page.checks(&outcome.checks);
    page.section("more", "In full", Fold::Closed, &group(Group::More));
    page.section("warnings", "Warnings", Fold::Open, &group(Group::Warnings));
    page.section("next", "What is next", Fold::Open, &group(Group::Next));
    page.text.trim_end().to_owned()
}

/// Text of which nothing but text is left; its lines stay lines.
pub fn harmless(text: &str) -> String {
    clean(text).join("\n")
}

/// Text as lines that hold nothing but text: no control characters, no marks that turn its direction, none too long.
fn clean(text: &str) -> Vec<String> {
    text.split(['\n', '\u{2028}', '\u{2029}'])
        .map(|line| {
            let harmless = |c: &char| !c.is_control() && !turns_direction(*c);
            let mut line: String = line.chars().filter(harmless).take(MAX_LINE + 1).collect();
            if line.chars().count() > MAX_LINE {
                line = line.chars().take(MAX_LINE).chain("...".chars()).collect();
            }
            line
        })
        .collect()
}

/// Characters that make what follows look as if it stood elsewhere.
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    Open,
    Closed,
}

struct Page<'a> {
    manner: &'a Manner,
    text: String,
}

impl<'a> Page<'a> {
    fn new(manner: &'a Manner) -> Self {
        Self {
            manner,
            text: String::new(),
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        match self.manner {
            Manner::Folded { colour: true, .. } => format!("{colour}{text}{USUAL}"),
            Manner::Folded { colour: false, .. } | Manner::Plain => text.to_owned(),
        }
    }

    fn lines<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        let all: Vec<String> = texts.flat_map(clean).collect();
        for line in all.iter().take(MAX_LINES) {
            self.line(format!("  {line}").trim_end());
        }
        if all.len() > MAX_LINES {
            self.line(&format!("  ... and {} more lines", all.len() - MAX_LINES));
        }
    }

    fn section(&mut self, name: &str, title: &str, fold: Fold, lines: &[&str]) {
        if !lines.is_empty() {
            self.begin(name, title, fold);
            self.lines(lines.iter().copied());
            self.end(name);
        }
    }

    fn checks(&mut self, checks: &[Check]) {
        if checks.is_empty() {
            return;
        }
        self.begin("checks", &tally(checks), Fold::Closed);
        for check in checks.iter().take(MAX_LINES) {
            let (colour, word, why) = match &check.state {
                CheckState::Passed => (GREEN, "passed ", None),
                // Its reasons stand below the headline.
                CheckState::Failed(_) => (RED, "FAILED ", None),
                CheckState::Skipped(why) => (YELLOW, "skipped", Some(why)),
            };
            let why = why.map_or(String::new(), |why| format!(" - {why}"));
            let line = clean(&format!("{}{why}", check.rule)).join(" ");
            let word = self.painted(colour, word);
            self.line(&format!("  {word} {line}"));
        }
        self.end("checks");
    }

    fn begin(&mut self, name: &str, title: &str, fold: Fold) {
        let title = self.painted(BOLD, title);
        let mark = match self.manner {
            Manner::Plain => String::new(),
            Manner::Folded {
                command, second, ..
            } => {
                let options = match fold {
                    Fold::Open => "",
                    Fold::Closed => "[collapsed=true]",
                };
                let name = section_name(command, name);
                format!("{ERASE}section_start:{second}:{name}{options}\r{ERASE}")
            }
        };
        self.line(&format!("{mark}{title}"));
    }

    fn end(&mut self, name: &str) {
        if let Manner::Folded {
            command, second, ..
        } = self.manner
        {
            let name = section_name(command, name);
            self.line(&format!("{ERASE}section_end:{second}:{name}\r{ERASE}"));
        }
    }
}

/// GitLab allows letters, digits, `_`, `.` and `-`, and compares names in lower case with everything but letters and digits alike.
fn section_name(command: &str, name: &str) -> String {
    let letters = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let command: String = command.chars().map(letters).collect();
    format!("trainyard_{command}_{name}").to_ascii_lowercase()
}

/// `Checks: 5 passed, 1 FAILED, 1 skipped`.
fn tally(checks: &[Check]) -> String {
    let count = |wanted: fn(&CheckState) -> bool| {
        checks.iter().filter(|check| wanted(&check.state)).count()
    };
    let counts = [
        (
            count(|state| matches!(state, CheckState::Failed(_))),
            "FAILED",
        ),
        (count(|state| *state == CheckState::Passed), "passed"),
        (
            count(|state| matches!(state, CheckState::Skipped(_))),
            "skipped",
        ),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("Checks: {}", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(colour: bool) -> Manner {
        Manner::Folded {
            command: "link-check".to_owned(),
            second: 1_800_000_000,
            colour,
        }
    }

    fn outcome() -> Outcome {
        Outcome::refused("no", vec!["because".to_owned()])
            .read(["line 1".to_owned()])
            .checked([
                Check::of("Links", "One", &[]),
                Check::of("Links", "Two", &["bad".to_owned()]),
                Check::skipped("Links", "Three", "off"),
            ])
            .warning("careful")
            .next("mend it")
    }

    #[test]
    fn gitlab_gets_sections_and_the_headline_stands_outside_of_them() {
        assert_eq!(
            text(&outcome(), &folded(false)),
            "refused: no\n  because\n\
             \u{1b}[0Ksection_start:1800000000:trainyard_link_check_read[collapsed=true]\r\u{1b}[0KWhat was read\n  line 1\n\
             \u{1b}[0Ksection_end:1800000000:trainyard_link_check_read\r\u{1b}[0K\n\
             \u{1b}[0Ksection_start:1800000000:trainyard_link_check_checks[collapsed=true]\r\u{1b}[0KChecks: 1 FAILED, 1 passed, 1 skipped\n  passed  One\n  FAILED  Two\n  skipped Three - off\n\
             \u{1b}[0Ksection_end:1800000000:trainyard_link_check_checks\r\u{1b}[0K\n\
             \u{1b}[0Ksection_start:1800000000:trainyard_link_check_warnings\r\u{1b}[0KWarnings\n  careful\n\
             \u{1b}[0Ksection_end:1800000000:trainyard_link_check_warnings\r\u{1b}[0K\n\
             \u{1b}[0Ksection_start:1800000000:trainyard_link_check_next\r\u{1b}[0KWhat is next\n  mend it\n\
             \u{1b}[0Ksection_end:1800000000:trainyard_link_check_next\r\u{1b}[0K"
        );
    }

    #[test]
    fn a_plain_text_has_neither_marks_nor_colours() {
        let plain = text(&outcome(), &Manner::Plain);
        assert!(!plain.contains('\u{1b}') && !plain.contains("section_"));
        assert!(plain.contains("Warnings\n  careful\nWhat is next\n  mend it"));
        assert!(
            text(&outcome(), &folded(true)).starts_with("\u{1b}[31;1mrefused: no\u{1b}[0;m\n"),
            "the whole headline has one colour"
        );
    }

    #[test]
    fn what_somebody_wrote_neither_folds_nor_paints_nor_erases() {
        let hostile = "x\r\u{1b}[0Ksection_end:1:trainyard_link_check_read\r\u{1b}[0K\u{1b}[2Jy\u{9b}31m\u{8}\u{7f}\u{202e}z\u{2028}w";
        let said = Outcome::open(hostile)
            .with(hostile)
            .read([hostile.to_owned()])
            .checked([Check::skipped("Links", hostile, hostile)])
            .warning(hostile)
            .next(hostile);
        let text = text(&said, &folded(true));
        let marks = text.matches("\r\u{1b}[0K").count();
        assert_eq!(marks, 2 * 4, "only our own marks: {text:?}");
        assert!(!text.contains("[2J\u{1b}") && !text.contains("\u{1b}[2J"));
        for bad in ['\u{9b}', '\u{8}', '\u{7f}', '\u{202e}', '\u{2028}'] {
            assert!(!text.contains(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_problem_quotes_nothing_but_text() {
        let problem = crate::outcome::Problem::gitlab("GitLab said \u{1b}[2J\rx", "retry\u{202e}");
        assert_eq!(problem.full_text(), "GitLab said [2Jx\n  next: retry");
    }

    #[test]
    fn lines_and_groups_have_an_end() {
        let long = Outcome::open("x".repeat(100_000))
            .read((0..100_000).map(|number| format!("line {number}")));
        let text = text(&long, &folded(false));
        assert!(text.len() < 20_000, "{}", text.len());
        assert!(text.contains("... and 99700 more lines"));
    }
}
