//! One post to one address: tried again where that cannot do harm, bounded, and told without the address.

use std::time::Duration;

use url::Url;

use super::needed;
use crate::ports::{Clock, DeliveryFailure};
use crate::transport::{NoAnswer, Peer, Posted, Poster, is_this_machine};

/// How often one body is sent.
const TRIES: u32 = 3;
/// How long one request may take: a chat that is slower than that is out of order.
const REQUEST: Duration = Duration::from_secs(8);
const CONNECTING: Duration = Duration::from_secs(4);
/// The longest pause that a receiver gets for its `Retry-After`; a longer one is left to a later job.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The address that a variable holds.
pub(super) fn address(variable: &str) -> Result<Url, DeliveryFailure> {
    let unusable = |what: &str| DeliveryFailure {
        reason: format!("the CI variable `{variable}` holds {what}"),
        mend: format!("store the whole `https://` address of the webhook in `{variable}`"),
    };
    let secret = needed(variable)?;
    let url = Url::parse(secret.reveal().trim())
        .ok()
        .ok_or_else(|| unusable("no address"))?;
    let here = is_this_machine(&url);
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        "http" => Err(unusable(
            "an `http://` address: anybody on the way could read it, so only this machine itself is reached like that",
        )),
        _ => Err(unusable("no `https://` address")),
    }
}

/// The connection of one delivery.
pub(super) struct Line<'a> {
    poster: Poster,
    clock: &'a dyn Clock,
}

impl<'a> Line<'a> {
    pub(super) fn new(ca: Option<&[u8]>, clock: &'a dyn Clock) -> Result<Self, DeliveryFailure> {
        let poster = Poster::new(Peer::Anywhere, ca, REQUEST, CONNECTING).map_err(|problem| {
            DeliveryFailure {
                reason: problem.what,
                mend: problem.hint,
            }
        })?;
        Ok(Self { poster, clock })
    }

    /// Sends until the receiver took it, at most three times.
    pub(super) fn post(
        &self,
        url: &Url,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<(), DeliveryFailure> {
        let host = url.host_str().unwrap_or_default();
        for attempt in 1..=TRIES {
            let outcome = self.poster.post(url, headers, body);
            let pause = match &outcome {
                Ok(posted) if is_taken(posted) => return Ok(()),
                Ok(posted) if matches!(posted.status, 429 | 500 | 502..=504) => posted
                    .retry_after
                    .unwrap_or(Duration::from_millis(500) * attempt),
                // A slow or broken answer may mean that it was taken: the next job finds out, not this one.
                Err(NoAnswer::NotSent) => Duration::from_millis(500) * attempt,
                Ok(_) | Err(NoAnswer::Slow | NoAnswer::Broken) => {
                    return Err(failure(host, outcome));
                }
            };
            if attempt == TRIES || pause > LONGEST_PAUSE {
                return Err(failure(host, outcome));
            }
            self.clock.wait(pause);
        }
        Err(failure(host, Err(NoAnswer::NotSent)))
    }
}

/// A login page or a proxy's also has status 200.
fn is_taken(posted: &Posted) -> bool {
    (200..300).contains(&posted.status) && !looks_like_html(posted)
}

fn looks_like_html(posted: &Posted) -> bool {
    posted.body.trim_start().starts_with('<')
}

fn failure(host: &str, outcome: Result<Posted, NoAnswer>) -> DeliveryFailure {
    let (reason, mend) = match outcome {
        Err(NoAnswer::NotSent) => (
            format!("`{host}` could not be reached"),
            "check the address, and that the runner can reach that host",
        ),
        Err(NoAnswer::Slow) => (
            format!("`{host}` did not answer within {} s", REQUEST.as_secs()),
            "check whether the receiver is well; the message may have arrived",
        ),
        Err(NoAnswer::Broken) => (
            format!("`{host}` closed the connection without an answer"),
            "check whether the receiver is well; the message may have arrived",
        ),
        Ok(posted) if (200..300).contains(&posted.status) => (
            format!("`{host}` answered with a web page"),
            "the address leads to a login page or a proxy, not to the webhook",
        ),
        Ok(posted) => {
            let words = words_of(&posted);
            let mend = match posted.status {
                300..=399 => {
                    "redirects are not followed, because the address is a secret: store the new address"
                }
                401 | 403 => {
                    "the webhook was switched off, or wants another secret: make a new one"
                }
                404 | 410 => "the webhook is gone: make a new one, and store its address",
                400 | 413 | 415 | 422 => {
                    "the receiver does not take this format: check the channel's `kind`"
                }
                429 => "too many messages for this receiver: use a `digest`",
                _ => "check whether the receiver is well",
            };
            (format!("`{host}` answered {}{words}", posted.status), mend)
        }
    };
    DeliveryFailure {
        reason,
        mend: mend.to_owned(),
    }
}

/// A receiver's own word for the trouble, such as `invalid_payload`; never a sentence, which could hold anything.
fn words_of(posted: &Posted) -> String {
    let word = posted.body.trim();
    let fits =
        (3..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if fits {
        format!(" `{word}`")
    } else {
        String::new()
    }
}
