//! The words: rulings, refusals and releases as people read them in job logs and notes. Pure.
//!
//! One file per moment of the story. Text that people wrote (titles, reasons, output of git) goes through `inert` before it
//! stands in a note.

mod checks;
mod landing;
mod linking;
mod progress;
mod queue;
mod reading;
mod release;
mod validation;

pub use checks::*;
pub use landing::*;
pub use linking::*;
pub use progress::*;
pub use queue::*;
pub use reading::*;
pub use release::*;
pub use validation::*;

use crate::ci_reports::log::turns_direction;
use crate::domain::notification::Alert;

/// Untrusted text for one line of a note: no line of its own, no Markdown, no HTML, no mention, no reference.
///
/// GitLab executes `/commands` at the beginning of a line and notifies whoever is named by `@name` (docs: "Quick actions").
pub fn inert(text: &str) -> String {
    let mut clean = String::new();
    for word in text.split_whitespace() {
        if !clean.is_empty() {
            clean.push(' ');
        }
        for c in word.chars() {
            match c {
                '<' => clean.push_str("&lt;"),
                '>' => clean.push_str("&gt;"),
                '&' => clean.push_str("&amp;"),
                // A word joiner after the sign keeps GitLab from seeing a reference.
                '@' | '#' | '!' | '%' | '~' | '$' | '^' => {
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

/// A new note for people who must act; the mention is what makes GitLab tell them.
pub fn alert(alert: &Alert) -> String {
    let people: Vec<String> = alert.people.iter().map(|name| format!("@{name}")).collect();
    format!("{} {}", people.join(" "), alert_text(&alert.cause))
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
            clean.contains("\\[a\\]\\(http://b\\)") && clean.contains("\\*\\*d\\*\\*"),
            "{clean}"
        );
        assert!(inert(&"word ".repeat(1_000)).chars().count() < 500);
    }

    #[test]
    fn untrusted_text_cannot_paint_the_job_log() {
        assert_eq!(
            plain("a\u{1b}[31mred\nsection_start:1:x"),
            "a[31mred section_start:1:x"
        );
    }
}
