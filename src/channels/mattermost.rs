//! Mattermost: an incoming webhook takes attachments in Slack's form, with Markdown of its own in them.
//!
//! Untrusted text is escaped sign by sign. Angle brackets are replaced by their look-alikes, because Mattermost also reads
//! Slack's `<!channel>` and `<address|label>`; and a word joiner after `@`, `#`, `~` and `:` keeps it from seeing a mention, a
//! hashtag, a channel or an emoji.

use serde_json::{Value, json};

use super::chat::{Run, Style, runs};
use super::text::heading;
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
        // Nothing is read inside of code but its end, and Slack's brackets, which Mattermost replaces before all else.
        Style::Code => format!("`{}`", without_brackets(&run.text).replace('`', "'")),
    };
    match &run.url {
        Some(url) => format!("[{text}]({url})"),
        None => text,
    }
}

fn without_brackets(text: &str) -> String {
    text.replace('<', "\u{2039}").replace('>', "\u{203a}")
}

fn inert(text: &str) -> String {
    let mut inert = String::new();
    for c in without_brackets(text).chars() {
        match c {
            '@' | '~' | ':' => {
                inert.push(c);
                inert.push('\u{2060}');
            }
            '#' => inert.push_str("\\#\u{2060}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '|' | '!' | '$' | '&' | '{' | '}' => {
                inert.push('\\');
                inert.push(c);
            }
            c => inert.push(c),
        }
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
