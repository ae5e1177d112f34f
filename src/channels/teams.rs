//! Microsoft Teams: a workflow that posts an adaptive card.
//!
//! The card's text is made of `TextRun`s, which know no Markdown, and a mention needs an entity beside the text, which no card
//! of ours has; but functions in double braces are computed, and some clients make links of bare addresses.

use serde_json::{Value, json};

use super::chat::{Run, Style, runs};
use super::text::{heading, unlinked};
use crate::domain::notification::letter::Letter;

/// The body of one post.
pub(super) fn payload(letters: &[Letter]) -> Value {
    let blocks: Vec<Value> = heading(letters)
        .map(|heading| json!({"type": "TextBlock", "text": heading, "weight": "Bolder"}))
        .into_iter()
        .chain(letters.iter().map(|letter| {
            let inlines: Vec<Value> = runs(letter).iter().map(inline).collect();
            json!({"type": "RichTextBlock", "inlines": inlines})
        }))
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": blocks,
                "msteams": {"width": "Full"},
            },
        }],
    })
}

fn inline(run: &Run) -> Value {
    let mut inline = json!({"type": "TextRun", "text": unlinked(&run.text)});
    match run.style {
        Style::Plain => {}
        Style::Bold => inline["weight"] = "Bolder".into(),
        Style::Code => inline["fontType"] = "Monospace".into(),
    }
    if let Some(url) = &run.url {
        inline["selectAction"] = json!({"type": "Action.OpenUrl", "url": url});
    }
    inline
}
