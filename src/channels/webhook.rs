//! Any receiver of JSON: a CloudEvent around the message, signed as the Standard Webhooks specification says, which GitLab's
//! own webhooks follow too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use super::needed;
use super::text::{clean, plain};
use crate::domain::notification::letter::{Letter, Span};
use crate::ports::DeliveryFailure;

/// What keys of that specification begin with; the rest is base64.
const KEY_PREFIX: &str = "whsec_";

/// A message for programs.
pub(super) fn envelope(letter: &Letter, project_url: &str) -> Value {
    let spans = letter.words.headline.iter().chain(&letter.words.next);
    let links: Vec<Value> = spans
        .filter_map(|span| match span {
            Span::MergeRequest { id, url } => Some((id.to_string(), url)),
            Span::Link { label, url } => Some((clean(label), url)),
            Span::Text(_) | Span::Said(_) | Span::Code(_) | Span::Person(_) => None,
        })
        .map(|(label, url)| json!({"label": label, "url": url}))
        .collect();
    json!({
        "specversion": "1.0",
        "id": letter.id,
        "source": project_url,
        "type": format!("dev.trainyard.message.{}", letter.sort.name()),
        "subject": letter.about.to_string(),
        "time": letter.at,
        "datacontenttype": "application/json",
        "data": {
            "sort": letter.sort.name(),
            "occasion": letter.occasion,
            "headline": plain(&letter.words.headline),
            "next": plain(&letter.words.next),
            "people": letter.people,
            "links": links,
            "recovers": letter.recovers,
        },
    })
}

/// The key that a variable holds.
pub(super) fn key(variable: &str) -> Result<Vec<u8>, DeliveryFailure> {
    let secret = needed(variable)?;
    let text = secret.reveal().trim();
    match text.strip_prefix(KEY_PREFIX) {
        None => Ok(text.as_bytes().to_vec()),
        Some(digits) => STANDARD.decode(digits).ok().ok_or_else(|| DeliveryFailure {
            reason: format!(
                "what follows `{KEY_PREFIX}` in the CI variable `{variable}` is not base64"
            ),
            mend: "store the key as the receiver shows it".to_owned(),
        }),
    }
}

/// The headers by which a receiver knows a repetition, and the sender.
pub(super) fn headers(
    letter: &Letter,
    now: Timestamp,
    key: Option<&[u8]>,
    body: &str,
) -> Vec<(&'static str, String)> {
    let (id, seconds) = (letter.id.to_string(), now.as_second().to_string());
    let mut headers = vec![
        ("webhook-id", id.clone()),
        ("webhook-timestamp", seconds.clone()),
    ];
    if let Some(key) = key {
        let signature = sign(key, &format!("{id}.{seconds}.{body}"));
        headers.push(("webhook-signature", format!("v1,{signature}")));
    }
    headers
}

pub(super) fn sign(key: &[u8], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("this algorithm takes any key");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
