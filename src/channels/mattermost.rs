//! Mattermost: an incoming webhook takes attachments in Slack's form, with Markdown of its own in them.
//!
//! Its web and desktop clients read Markdown with a parser of Mattermost's own, its phones with another one, its server with a
//! third. Untrusted text is escaped sign by sign, so that none of them finds anything: a backslash where all of them know it as
//! an escape, a word joiner where they look for addresses, mentions, hashtags, emoji and entities, and a look-alike where
//! neither helps (brackets, which the server also reads as Slack's; the dollar of a formula; the sign that stands for a line's end).

use serde_json::{Value, json};

use super::chat::{Run, Style, runs};
use super::text::{JOINER, heading};
use crate::domain::notification::letter::{Letter, Sort};

/// The body of one post.
pub(super) fn payload(letters: &[Letter]) -> Value {
    let attachments: Vec<Value> = letters
        .iter()
        .map(|letter| {
            let runs = runs(letter);
            let literal: String = runs.iter().map(|run| run.text.as_str()).collect();
            let text: String = runs.iter().map(markdown).collect();
            json!({"fallback": inert(&literal), "color": colour(letter.sort), "text": text})
        })
        .collect();
    match heading(letters) {
        Some(heading) => json!({"text": heading, "attachments": attachments}),
        None => json!({"attachments": attachments}),
    }
}

fn markdown(run: &Run) -> String {
    let text = match run.style {
        Style::Plain => inert(&run.text),
        Style::Bold => format!("**{}**", run.text),
        // Nothing is read inside of code but its end, and what is replaced before all else.
        Style::Code => format!("`{}`", with_look_alikes(&run.text).replace('`', "'")),
    };
    match &run.url {
        Some(url) => format!("[{text}]({url})"),
        None => text,
    }
}

fn with_look_alikes(text: &str) -> String {
    text.chars().map(look_alike).collect()
}

/// The sign that is shown for one which nothing can escape.
pub(super) fn look_alike(c: char) -> char {
    match c {
        '<' => '\u{2039}',
        '>' => '\u{203a}',
        '$' => '\u{ff04}',
        '\u{2424}' => '\u{21b5}',
        c => c,
    }
}

fn inert(text: &str) -> String {
    let mut inert = String::new();
    let mut before = None;
    for c in with_look_alikes(text).chars() {
        match c {
            // An address needs a name right before its first dot.
            '.' => inert.extend([JOINER, c]),
            // `x-d` is an emoticon.
            '-' if matches!(before, None | Some('x' | 'X')) => inert.extend([JOINER, c]),
            '@' | ':' | ';' | '&' | '\\' => inert.extend([c, JOINER]),
            '#' | '~' => inert.extend(['\\', c, JOINER]),
            '`' | '*' | '_' | '[' | ']' | '(' | ')' | '|' | '!' => inert.extend(['\\', c]),
            c => inert.push(c),
        }
        before = Some(c);
    }
    inert
}

fn colour(sort: Sort) -> &'static str {
    match sort {
        Sort::Alarm => "#c62828",
        Sort::Reminder => "#ef6c00",
        Sort::Recovery => "#2e7d32",
        Sort::News | Sort::Test => "#1565c0",
    }
}
