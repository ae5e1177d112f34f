//! What all formats do to text before they write it in their own way.

use crate::domain::notification::letter::{Letter, Sort, Span};

/// The longest piece of text that somebody else wrote.
const LONGEST_SAID: usize = 200;

/// Untrusted text as one line of visible characters: no control characters, nothing that turns its direction or hides, and not
/// too long.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|c| is_visible(*c)).collect();
        if word.is_empty() {
            continue;
        }
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(&word);
        if clean.chars().count() > LONGEST_SAID {
            return clean
                .chars()
                .take(LONGEST_SAID)
                .chain("...".chars())
                .collect();
        }
    }
    clean
}

/// Invisible, and neither a letter nor a digit, space or punctuation mark: what it stands in is no address, mention, hashtag or
/// emoji to any chat.
pub(super) const JOINER: char = '\u{2060}';

/// Literal text for a format that has no escapes and needs none, but whose readers may still look for addresses, mentions,
/// emoji and computed fields in it.
pub(super) fn unlinked(text: &str) -> String {
    let mut unlinked = String::new();
    for c in text.chars() {
        match c {
            '.' => unlinked.extend([JOINER, c]),
            '@' | '#' | '~' | ':' | ';' | '{' => unlinked.extend([c, JOINER]),
            c => unlinked.push(c),
        }
    }
    unlinked
}

fn is_visible(c: char) -> bool {
    let invisible = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !invisible
}

/// What stands before a message, so that nobody needs colours to understand it.
pub(super) fn label(sort: Sort) -> &'static str {
    match sort {
        Sort::Alarm => "Action needed",
        Sort::Reminder => "Reminder",
        Sort::Recovery => "Over",
        Sort::News => "News",
        Sort::Test => "Test",
    }
}

/// A message as plain text.
pub(super) fn plain(spans: &[Span]) -> String {
    spans.iter().map(plain_span).collect()
}

pub(super) fn plain_span(span: &Span) -> String {
    match span {
        Span::Text(text) => text.clone(),
        Span::Said(text) | Span::Code(text) => clean(text),
        Span::MergeRequest { id, .. } => id.to_string(),
        Span::Link { label, .. } => clean(label),
        Span::Person(name) => name.to_string(),
    }
}

/// The people who must act, as text; nobody's account in a chat is known to us.
pub(super) fn people(letter: &Letter) -> Option<String> {
    if letter.people.is_empty() {
        return None;
    }
    let mut names: Vec<String> = letter
        .people
        .iter()
        .take(10)
        .map(ToString::to_string)
        .collect();
    if letter.people.len() > names.len() {
        names.push(format!("{} more", letter.people.len() - names.len()));
    }
    Some(format!("For {}.", names.join(", ")))
}

/// What stands above several messages at once.
pub(super) fn heading(letters: &[Letter]) -> Option<String> {
    (letters.len() > 1).then(|| format!("{} messages", letters.len()))
}
