//! A message as runs of text that a format writes one by one: literal text, with a style or an address.

use super::text::{clean, label, people};
use crate::domain::notification::letter::{Letter, Span};

/// How a run looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Code,
}

/// Literal text. No format may read anything into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) style: Style,
    pub(super) url: Option<String>,
}

impl Run {
    fn new(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
            url: None,
        }
    }
}

/// A whole message: its label, what happened, what to do, for whom.
pub(super) fn runs(letter: &Letter) -> Vec<Run> {
    let mut runs = vec![
        Run::new(format!("{}:", label(letter.sort)), Style::Bold),
        Run::new(" ", Style::Plain),
    ];
    runs.extend(letter.words.headline.iter().flat_map(spans));
    if !letter.words.next.is_empty() {
        runs.push(Run::new(" ", Style::Plain));
        runs.extend(letter.words.next.iter().flat_map(spans));
    }
    if let Some(people) = people(letter) {
        runs.push(Run::new(format!(" {people}"), Style::Plain));
    }
    runs.retain(|run| !run.text.is_empty());
    runs
}

fn spans(span: &Span) -> Vec<Run> {
    match span {
        Span::Text(text) => words(text),
        Span::Said(text) => vec![Run::new(clean(text), Style::Plain)],
        Span::Code(text) => vec![Run::new(clean(text), Style::Code)],
        Span::Person(name) => vec![Run::new(name.to_string(), Style::Plain)],
        Span::MergeRequest { id, url } => vec![Run {
            url: Some(url.clone()),
            ..Run::new(id.to_string(), Style::Plain)
        }],
        Span::Link { label, url } => vec![Run {
            url: Some(url.clone()),
            ..Run::new(clean(label), Style::Plain)
        }],
    }
}

/// Our own words may hold names of commands in backticks.
fn words(text: &str) -> Vec<Run> {
    text.split('`')
        .enumerate()
        .map(|(index, part)| {
            let style = if index % 2 == 1 {
                Style::Code
            } else {
                Style::Plain
            };
            Run::new(part, style)
        })
        .collect()
}
