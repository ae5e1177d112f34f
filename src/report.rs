//! The words: rulings, refusals and releases as people read them in job logs and notes. Pure.
//!
//! One file per moment of the story. Text that people wrote (titles, reasons, output of git) goes through `inert` before it
//! stands in a note.

mod archive;
mod checks;
mod controls;
mod expected;
mod hotfix;
mod landing;
mod lease;
mod linking;
mod messages;
mod outlook;
mod packages;
mod pinned;
mod preview;
mod progress;
mod queue;
mod reading;
mod release;
mod release_notes;
mod reminders;
mod repair;
mod replay;
mod simulation;
mod trial_verdict;
mod validation;
mod verdict;
mod versions;
mod withdrawal;

pub use archive::*;
pub use checks::*;
pub use controls::*;
pub use expected::*;
pub use hotfix::*;
pub use landing::*;
pub use lease::*;
pub use linking::*;
pub use messages::*;
pub use outlook::*;
pub use packages::*;
pub use pinned::*;
pub use preview::*;
pub use progress::*;
pub use queue::*;
pub use reading::*;
pub use release::*;
pub use release_notes::*;
pub use reminders::*;
pub use repair::*;
pub use replay::*;
pub use simulation::*;
pub use trial_verdict::*;
pub use validation::*;
pub use verdict::*;
pub use versions::*;
pub use withdrawal::*;

use crate::ci_reports::log::turns_direction;

/// Untrusted text for one line of a note: no line of its own, no Markdown, no HTML, no mention, no reference, no link, no emoji.
///
/// GitLab makes links of `scheme://...` and `www....`, whatever stands around them (its `AutolinkFilter`, and autolinks of its
/// flavour of Markdown), and pictures of `:word:`. It executes `/commands` at the beginning of a line and notifies whoever is
/// named by `@name` (docs: "Quick actions").
pub fn inert(text: &str) -> String {
    let mut clean = String::new();
    for word in text.split_whitespace() {
        if !clean.is_empty() {
            clean.push(' ');
        }
        let mut letters = word.chars().peekable();
        let mut before = String::new();
        while let Some(c) = letters.next() {
            let next = letters.peek().copied();
            let after_www = c == '.' && before.ends_with("www");
            let of_a_time = before.ends_with(|c: char| c.is_ascii_digit())
                && next.is_some_and(|next| next.is_ascii_digit());
            before.extend(c.to_lowercase());
            match c {
                '.' if after_www => clean.push_str("\u{2060}."),
                ':' if next.is_some() && !of_a_time => {
                    clean.push_str(":\u{2060}");
                }
                '<' => clean.push_str("&lt;"),
                '>' => clean.push_str("&gt;"),
                '&' => clean.push_str("&amp;"),
                // A word joiner after the sign keeps GitLab from seeing a reference.
                '@' | '#' | '!' | '%' | '^' => {
                    clean.push(c);
                    clean.push('\u{2060}');
                }
                // These also begin strikethrough and formulas, which a joiner does not end.
                '~' | '$' => {
                    clean.push('\\');
                    clean.push(c);
                    clean.push('\u{2060}');
                }
                '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '|' => {
                    clean.push('\\');
                    clean.push(c);
                }
                c if c.is_control() || turns_direction(c) => {}
                c => clean.push(c),
            }
        }
        if clean.chars().count() > 400 {
            return clean.chars().take(400).chain("...".chars()).collect();
        }
    }
    clean
}

/// Untrusted text for the job log: one line, no control characters, so that it can neither colour nor erase what stands there.
pub fn plain(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control() && !turns_direction(*c))
        .take(400)
        .collect()
}

/// The most lines of a quotation.
const MOST_LINES: usize = 20;

/// Untrusted text of several lines for a note: a quotation whose every line is inert.
pub fn quote(text: &str) -> String {
    bounded_lines(text)
        .iter()
        .map(|line| format!("> {}", inert(line)).trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Untrusted text of several lines for the job log, one line after the other.
pub fn plain_lines(text: &str) -> String {
    bounded_lines(text)
        .iter()
        .map(|line| plain(line))
        .collect::<Vec<_>>()
        .join("\n  ")
}

fn bounded_lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.trim().lines().take(MOST_LINES + 1).collect();
    if lines.len() > MOST_LINES {
        lines[MOST_LINES] = "...";
    }
    lines
}

/// Untrusted text as code, for a label or a path in a note or a log: one line without anything that could end the code.
pub fn code(text: &str) -> String {
    let clean: String = plain(text).replace('`', "'");
    format!("`{}`", clean.chars().take(200).collect::<String>())
}

fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_inert_in_a_note() {
        let hostile = "x\n/close\r\n@all #1 !2 <img src=x onerror=y> [a](http://b) `c` | **d** \u{202e}e\u{7}";
        let clean = inert(hostile);
        assert!(
            !clean.contains('\n')
                && !clean.contains('<')
                && !clean.contains("@all")
                && !clean.contains("#1"),
            "{clean}"
        );
        assert!(
            clean.contains("\\[a\\]\\(http:\u{2060}//b\\)") && clean.contains("\\*\\*d\\*\\*"),
            "{clean}"
        );
        assert!(inert(&"word ".repeat(1_000)).chars().count() < 500);
        let addresses =
            inert("HTTPS://a.example WWW.b.example see:http://c.example :100: :tada: 12:30");
        assert!(
            !addresses.contains("://")
                && !addresses.to_lowercase().contains("www.")
                && !addresses.contains(":100:")
                && !addresses.contains(":tada:")
                && addresses.ends_with(" 12:30"),
            "{addresses}"
        );
    }

    #[test]
    fn untrusted_lines_stay_in_their_quotation() {
        let hostile = "too slow\n/merge\n```\n/close\n```\n\n> @all\n<details>\u{202e}";
        let quoted = quote(hostile);
        assert!(quoted.lines().all(|line| line.starts_with('>')), "{quoted}");
        assert!(
            !quoted.contains("```") && !quoted.contains("@all") && !quoted.contains("<details"),
            "{quoted}"
        );
        assert_eq!(quote(&"line\n".repeat(1_000)).lines().count(), 21);
        assert_eq!(code("a`b\n/close"), "`a'b /close`");
    }

    #[test]
    fn untrusted_text_cannot_paint_the_job_log() {
        assert_eq!(
            plain("a\u{1b}[31mred\nsection_start:1:x"),
            "a[31mred section_start:1:x"
        );
    }
}
