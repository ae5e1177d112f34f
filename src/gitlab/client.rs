//! HTTP: token, time-outs, retries, rate limits. The only place that sees the HTTP library.
//!
//! Redirects are never followed: the token would go along, and a redirected POST would become a GET (docs: REST API,
//! "Redirects"); for files that GitLab keeps elsewhere see `download`. A request is repeated only when GitLab cannot have acted on it, or when acting twice is the same as once.

mod download;

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

/// Which token a client carries: decides the header, and what a person is told when it is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// `CI_JOB_TOKEN`.
    Job,
    /// `TRAINYARD_TOKEN`.
    Bot,
    /// `TRAINYARD_GATE_TOKEN`.
    Gate,
}

impl Token {
    /// The CI variable that holds it.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Job => "CI_JOB_TOKEN",
            Self::Bot => "TRAINYARD_TOKEN",
            Self::Gate => "TRAINYARD_GATE_TOKEN",
        }
    }

    fn header(self) -> &'static str {
        match self {
            Self::Job => "JOB-TOKEN",
            Self::Bot | Self::Gate => "PRIVATE-TOKEN",
        }
    }

    fn mend(self) -> &'static str {
        match self {
            Self::Job => {
                "the job token works only while its job runs, and across projects only when the other project's job token allowlist names this one"
            }
            Self::Bot => {
                "make a project access token with role Reporter and scope `api` in Settings > Access tokens, and store it as the masked variable `TRAINYARD_TOKEN` in Settings > CI/CD > Variables"
            }
            Self::Gate => {
                "make a project access token with role Maintainer and scope `api` in Settings > Access tokens, and store it as the masked, protected variable `TRAINYARD_GATE_TOKEN` in Settings > CI/CD > Variables"
            }
        }
    }
}

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

/// GitLab's answer, whatever its status.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The number of the next page of a list, if there is one.
    pub next_page: Option<u64>,
    location: Option<Url>,
    body: Vec<u8>,
    asked: String,
    token: Token,
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
                    body,
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

impl Reply {
    /// Whether GitLab did what was asked.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body of a successful answer.
    ///
    /// # Errors
    /// When it is not one, or not of the expected form.
    pub fn json<T: DeserializeOwned>(&self) -> Answer<T> {
        if !self.ok() {
            return Err(self.problem());
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let what = if self.looks_like_html() { "with a web page instead of JSON".to_owned() } else { format!("in a form we do not understand, at `{}`", error.path()) };
            Problem::gitlab(
                format!("GitLab answered `{}` {what}", self.asked),
                "check that `CI_API_V4_URL` leads to GitLab itself, not to a proxy's or maintenance page",
            )
            .caused_by(error.into_inner())
        })
    }

    /// The body of a successful answer, or `None` where there is no such thing.
    ///
    /// # Errors
    /// As `json`.
    pub fn json_or_missing<T: DeserializeOwned>(&self) -> Answer<Option<T>> {
        if self.status == 404 && !self.looks_like_html() && self.words() != "404 Project Not Found"
        {
            return Ok(None);
        }
        self.json().map(Some)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Nothing, if GitLab did what was asked.
    ///
    /// # Errors
    /// When it did not.
    pub fn done(&self) -> Answer<()> {
        if self.ok() {
            Ok(())
        } else {
            Err(self.problem())
        }
    }

    /// Nothing, if GitLab did what was asked, or there was nothing that it could be done to.
    ///
    /// # Errors
    /// When it did not.
    pub fn done_or_missing(&self) -> Answer<()> {
        if self.status == 404 && !self.looks_like_html() {
            return Ok(());
        }
        self.done()
    }

    /// GitLab's own words for a refusal: `message` or `error` of the body, cut to a readable length.
    pub fn words(&self) -> String {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(&self.body) else {
            return String::new();
        };
        let said = value
            .get("message")
            .or_else(|| value.get("error"))
            .unwrap_or(&value);
        let text = said
            .as_str()
            .map_or_else(|| said.to_string(), str::to_owned);
        text.chars().take(300).collect()
    }

    /// The answer as a problem, told to whoever must act.
    pub fn problem(&self) -> Problem {
        let (asked, words) = (&self.asked, self.words());
        let variable = self.token.variable();
        match self.status {
            401 => Problem::gitlab(
                format!(
                    "GitLab does not accept the token in `{variable}`: `{asked}` answered 401 {words}"
                ),
                format!("it is wrong, expired or revoked; {}", self.token.mend()),
            ),
            403 => Problem::gitlab(
                format!("the token in `{variable}` lacks a right: `{asked}` answered 403 {words}"),
                self.token.mend(),
            ),
            404 => Problem::gitlab(
                format!(
                    "GitLab shows nothing at `{asked}` (404 {words}) to the token in `{variable}`"
                ),
                format!(
                    "the thing is gone, or the token may not see it; {}",
                    self.token.mend()
                ),
            ),
            429 => Problem::gitlab(
                format!("GitLab limits the rate of requests: `{asked}`"),
                "retry the job in a minute; if it happens often, raise the limit for the bot's user",
            ),
            300..=399 => Problem::misconfigured(
                format!(
                    "GitLab redirects `{asked}`; redirects are not followed, because the token would go along"
                ),
                "the project or the server has moved: use its new address",
            ),
            500.. => Problem::gitlab(
                format!(
                    "GitLab is in trouble: `{asked}` answered {}{}",
                    self.status,
                    if self.looks_like_html() {
                        " with a web page"
                    } else {
                        ""
                    }
                ),
                "retry the job when GitLab is well again",
            ),
            status => Problem::gitlab(
                format!("`{asked}` answered {status} {words}"),
                "see GitLab's words above",
            ),
        }
    }

    fn looks_like_html(&self) -> bool {
        self.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
    }
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
