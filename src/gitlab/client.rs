//! HTTP: token, time-outs, retries, rate limits. The only place that sees the HTTP library.
//!
//! Redirects are never followed: the token would go along, and a redirected POST would become a GET (docs: REST API,
//! "Redirects"); for files that GitLab keeps elsewhere see `download`. A request is repeated only when GitLab cannot have acted on it, or when acting twice is the same as once.

mod download;
mod reply;
mod token;

use std::fmt;
use std::time::Duration;

use gitlab::api::Endpoint;
use http::Method;
use serde::de::DeserializeOwned;
use url::Url;

use super::pace::{Allowance, Pace};
use crate::config::ci::Secret;
use crate::outcome::Problem;
use crate::ports::{Answer, Clock};
use crate::transport::{self, Peer};

pub use reply::Reply;
pub use token::Token;

/// How often a request is tried.
const TRIES: u32 = 4;
/// GitLab ends a web request after 60 seconds (docs: "Worker timeout"); we wait a little longer.
const TIMEOUT: Duration = Duration::from_secs(65);
/// The longest pause that `Retry-After` may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A connection to one GitLab with one token.
pub struct Client<'a> {
    http: reqwest::blocking::Client,
    base: Url,
    token: Token,
    secret: Secret,
    clock: &'a dyn Clock,
    pace: Pace,
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base.as_str())
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// Connections to a GitLab, which clients with different tokens may share.
#[derive(Debug, Clone)]
pub struct Connections(reqwest::blocking::Client);

impl Connections {
    /// None is made yet; `ca` is the text of a private certificate authority.
    ///
    /// # Errors
    /// When the certificate cannot be read, or the machine has no certificates at all.
    pub fn new(peer: Peer, ca: Option<&[u8]>) -> Answer<Self> {
        transport::client(peer, ca, TIMEOUT, Duration::from_secs(15)).map(Self)
    }
}

impl<'a> Client<'a> {
    /// `base` is the API's address, ending in a slash; `ca` is the text of a private certificate authority.
    ///
    /// # Errors
    /// When the certificate cannot be read, or the machine has no certificates at all.
    pub fn new(
        base: &Url,
        token: Token,
        secret: Secret,
        ca: Option<&[u8]>,
        clock: &'a dyn Clock,
    ) -> Answer<Self> {
        let http = Connections::new(Peer::of(base), ca)?;
        Ok(Self::over(http, base, token, secret, clock))
    }

    /// The same over connections that others use too.
    pub fn over(
        Connections(http): Connections,
        base: &Url,
        token: Token,
        secret: Secret,
        clock: &'a dyn Clock,
    ) -> Self {
        Self {
            http,
            base: base.clone(),
            token,
            secret,
            clock,
            pace: Pace::default(),
        }
    }

    /// The token this client carries.
    pub fn token(&self) -> Token {
        self.token
    }

    /// Sends a request that may be repeated as its method allows.
    ///
    /// # Errors
    /// When no answer came, or only answers of a server in trouble.
    pub fn send(&self, endpoint: &impl Endpoint) -> Answer<Reply> {
        let method = endpoint.method();
        let repeatable = matches!(method, Method::GET | Method::HEAD | Method::DELETE);
        self.send_as(endpoint, repeatable)
    }

    /// Sends a question that changes nothing although its method is POST: it may be repeated.
    ///
    /// # Errors
    /// As `send`.
    pub fn ask(&self, endpoint: &impl Endpoint) -> Answer<Reply> {
        self.send_as(endpoint, true)
    }

    fn send_as(&self, endpoint: &impl Endpoint, repeatable: bool) -> Answer<Reply> {
        let (url, asked) = self.address(endpoint)?;
        let method = endpoint.method();
        let body = endpoint
            .body()
            .map_err(|error| Problem::bug(format!("`{asked}` has no body")).caused_by(error))?;
        let mut last = String::new();
        for attempt in 1..=TRIES {
            self.keep_pace();
            let outcome = self.once(&method, &url, body.as_ref());
            let said = outcome.as_ref().ok().and_then(|reply| reply.allowance);
            self.pace.heard(said, self.clock.now());
            let pause = match &outcome {
                Ok(reply) if reply.status == 429 => {
                    reply.retry_after.unwrap_or(backoff(attempt) * 4)
                }
                Ok(reply) if repeatable && matches!(reply.status, 500 | 502..=504) => {
                    reply.retry_after.unwrap_or(backoff(attempt))
                }
                Ok(reply) if reply.status == 503 && reply.retry_after.is_some() => {
                    reply.retry_after.unwrap_or_default()
                }
                Err(failure) if repeatable || failure.not_sent => backoff(attempt),
                Ok(_) | Err(_) => return self.finish(outcome, asked, attempt),
            };
            last = match &outcome {
                Ok(reply) => format!("status {}", reply.status),
                Err(failure) => failure.words.clone(),
            };
            tracing::info!(
                request = asked,
                attempt,
                problem = last,
                "GitLab did not serve the request"
            );
            if attempt == TRIES {
                return self.finish(outcome, asked, attempt);
            }
            self.clock.wait(pause.min(LONGEST_PAUSE));
        }
        Err(Problem::gitlab(
            format!("`{asked}`: {last}"),
            "try again later",
        ))
    }

    /// Waits where GitLab would soon refuse requests.
    fn keep_pace(&self) {
        let Some(pause) = self.pace.pause(self.clock.now()) else {
            return;
        };
        if pause.time >= Duration::from_secs(1) {
            tracing::info!(
                "GitLab takes {} more requests of the user of `{}` in this period; the next one waits {} s",
                pause.remaining,
                self.token.variable(),
                pause.time.as_secs()
            );
        }
        self.clock.wait(pause.time);
    }

    /// All pages of a list, at most `most` of them.
    ///
    /// # Errors
    /// As `send`, or when an entry is not of the expected form.
    pub fn list<T: DeserializeOwned, E: Endpoint>(
        &self,
        most: u64,
        page: impl Fn(u64) -> Answer<E>,
    ) -> Answer<Vec<T>> {
        let mut items = Vec::new();
        let mut number = 1;
        loop {
            let reply = self.send(&page(number)?)?;
            let next = reply.next_page;
            items.extend(reply.json::<Vec<T>>()?);
            match next {
                Some(next) if next > number && number < most => number = next,
                Some(_) | None => return Ok(items),
            }
        }
    }

    fn address(&self, endpoint: &impl Endpoint) -> Answer<(Url, String)> {
        let path = endpoint.endpoint();
        let mut url = if path == "graphql" {
            let root = self.base.as_str().trim_end_matches("v4/");
            Url::parse(&format!("{root}graphql"))
        } else {
            self.base.join(&path)
        }
        .map_err(|error| Problem::bug(format!("`{path}` is not an address")).caused_by(error))?;
        endpoint.parameters().add_to_url(&mut url);
        let asked = format!("{} {path}", endpoint.method());
        Ok((url, asked))
    }

    fn once(
        &self,
        method: &Method,
        url: &Url,
        body: Option<&(&'static str, Vec<u8>)>,
    ) -> Result<Raw, Failure> {
        let mut request = self
            .http
            .request(method.clone(), url.clone())
            .header(self.token.header(), self.secret.reveal());
        if let Some((mime, data)) = body {
            request = request
                .header(http::header::CONTENT_TYPE, *mime)
                .body(data.clone());
        }
        self.read(request)
    }

    fn read(&self, request: reqwest::blocking::RequestBuilder) -> Result<Raw, Failure> {
        let failed = |error: reqwest::Error| Failure {
            not_sent: error.is_connect() || error.is_builder(),
            // The address may carry parameters; the error is told without it.
            words: words_of(&error.without_url()),
        };
        let reply = request.send().map_err(failed)?;
        let header = |name: &str| {
            reply
                .headers()
                .get(name)
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.parse::<u64>().ok())
        };
        let (retry_after, next_page) = (
            header("retry-after").map(Duration::from_secs),
            header("x-next-page"),
        );
        let signed = |name: &str| header(name).and_then(|number| i64::try_from(number).ok());
        let allowance = header("ratelimit-limit")
            .zip(header("ratelimit-remaining"))
            .zip(signed("ratelimit-reset"));
        let answered = reply.headers().get(http::header::DATE);
        let answered = answered.and_then(|date| {
            let parser = jiff::fmt::rfc2822::DateTimeParser::new();
            parser.parse_timestamp(date.to_str().ok()?).ok()
        });
        let allowance = allowance.map(|((limit, remaining), reset)| Allowance {
            limit,
            remaining,
            reset,
            answered,
        });
        let status = reply.status().as_u16();
        let location = reply.headers().get(http::header::LOCATION);
        let location = location.and_then(|value| Url::parse(value.to_str().ok()?).ok());
        let body = reply.bytes().map_err(failed)?.to_vec();
        Ok(Raw {
            status,
            retry_after,
            allowance,
            next_page,
            location,
            body,
        })
    }

    /// What refuses a request may repeat it, and its words are printed.
    fn without_token(&self, status: u16, body: Vec<u8>) -> Vec<u8> {
        let secret = self.secret.reveal();
        if status < 400 || secret.is_empty() {
            return body;
        }
        let text = String::from_utf8_lossy(&body);
        text.replace(secret, "[MASKED]").into_bytes()
    }

    fn finish(&self, outcome: Result<Raw, Failure>, asked: String, tries: u32) -> Answer<Reply> {
        let server = self.base.origin().ascii_serialization();
        let tried = if tries == 1 {
            "once".to_owned()
        } else {
            format!("{tries} times")
        };
        match outcome {
            Err(failure) => Err(Problem::gitlab(
                format!(
                    "GitLab at `{server}` could not be reached: `{asked}`, tried {tried}: {}",
                    failure.words
                ),
                "check that the server is up and that the runner can reach it, then retry the job",
            )),
            Ok(raw) => {
                let Raw {
                    status,
                    next_page,
                    location,
                    body,
                    ..
                } = raw;
                Ok(Reply {
                    status,
                    next_page,
                    location,
                    body: self.without_token(status, body),
                    asked: format!("{asked}` (tried {tried})").replacen("` (tried once)", "", 1),
                    token: self.token,
                })
            }
        }
    }
}

struct Raw {
    status: u16,
    retry_after: Option<Duration>,
    allowance: Option<Allowance>,
    next_page: Option<u64>,
    location: Option<Url>,
    body: Vec<u8>,
}

struct Failure {
    not_sent: bool,
    words: String,
}

fn backoff(attempt: u32) -> Duration {
    Duration::from_millis(250) * 2u32.pow(attempt)
}

fn words_of(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
