//! Slack: an incoming webhook takes `text` for notifications and `blocks` for what is shown.
//!
//! The blocks are `rich_text`: their text is literal, so that nothing in it is a link, a mention or markup. The text beside
//! them is written in Slack's own markup, in which `&`, `<` and `>` are the only signs that begin something once `mrkdwn` is
//! off. Slack makes links of bare addresses by itself, so a word joiner parts them wherever they are not code.

use serde_json::{Value, json};

use super::chat::{Run, Style, runs};
use super::text::{heading, unlinked};
use crate::domain::notification::letter::Letter;

/// The body of one post.
pub(super) fn payload(letters: &[Letter]) -> Value {
    let lines: Vec<Vec<Run>> = letters.iter().map(runs).collect();
    let mut text: Vec<String> = heading(letters).into_iter().collect();
    text.extend(lines.iter().map(|runs| {
        let literal: String = runs.iter().map(|run| run.text.as_str()).collect();
        escaped(&literal)
    }));
    let sections: Vec<Value> = heading(letters)
        .map(|heading| section(vec![element(&heading, Style::Bold, None)]))
        .into_iter()
        .chain(lines.iter().map(|runs| {
            let elements = runs
                .iter()
                .map(|run| element(&run.text, run.style, run.url.as_deref()));
            section(elements.collect())
        }))
        .collect();
    json!({
        "text": text.join("\n"),
        "mrkdwn": false,
        "blocks": [{"type": "rich_text", "elements": sections}],
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn section(mut elements: Vec<Value>) -> Value {
    elements.push(json!({"type": "text", "text": "\n"}));
    json!({"type": "rich_text_section", "elements": elements})
}

fn element(text: &str, style: Style, url: Option<&str>) -> Value {
    if let Some(url) = url {
        return json!({"type": "link", "url": url, "text": unlinked(text)});
    }
    match style {
        Style::Plain => json!({"type": "text", "text": unlinked(text)}),
        Style::Bold => json!({"type": "text", "text": text, "style": {"bold": true}}),
        Style::Code => json!({"type": "text", "text": text, "style": {"code": true}}),
    }
}

fn escaped(text: &str) -> String {
    unlinked(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
