//! HTTP as every adapter wants it: no redirects, a private authority where there is one, bounded in time.

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use url::{Host, Url};

use crate::outcome::Problem;
use crate::ports::Answer;

/// Whom a client will speak to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// This machine itself, without encryption: the sandbox, tests.
    Here,
    /// Any server.
    Anywhere,
}

impl Peer {
    /// What stands behind an address.
    pub fn of(url: &Url) -> Self {
        if url.scheme() == "http" && is_this_machine(url) {
            Self::Here
        } else {
            Self::Anywhere
        }
    }
}

/// Whether an address never leaves this machine.
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A client that follows no redirect; `ca` is the text of a private certificate authority.
///
/// # Errors
/// When the certificate cannot be read, or the machine has no certificates at all.
pub fn client(
    peer: Peer,
    ca: Option<&[u8]>,
    whole: Duration,
    connecting: Duration,
) -> Answer<reqwest::blocking::Client> {
    let mut builder = reqwest::blocking::Client::builder()
        .user_agent(concat!("trainyard/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(whole)
        .connect_timeout(connecting);
    if peer == Peer::Here {
        // Reading the machine's certificates, hundreds of files, takes longer than most jobs take besides.
        builder = builder.tls_certs_only([]);
    }
    if let Some(pem) = ca {
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| {
            Problem::misconfigured(
                "the file named by `CI_SERVER_TLS_CA_FILE` holds no certificate",
                "see the runner's `tls-ca-file` setting",
            )
            .caused_by(error)
        })?;
        for certificate in certificates {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| {
        Problem::misconfigured(
            "the HTTP client cannot start",
            "the image needs the CA certificates (package `ca-certificates`)",
        )
        .caused_by(error)
    })
}

/// The longest answer that is read.
const LONGEST_ANSWER: u64 = 4_096;

/// Posts JSON to addresses that are secrets themselves: they stand in no error.
#[derive(Debug)]
pub struct Poster {
    client: reqwest::blocking::Client,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The HTTP status.
    pub status: u16,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The beginning of its body.
    pub body: String,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// Nothing was sent: no connection came about.
    NotSent,
    /// It may have been received.
    Slow,
    /// The connection broke; it may have been received.
    Broken,
}

impl Poster {
    /// With a bound on each request.
    ///
    /// # Errors
    /// As `client`.
    pub fn new(
        peer: Peer,
        ca: Option<&[u8]>,
        whole: Duration,
        connecting: Duration,
    ) -> Answer<Self> {
        Ok(Self {
            client: client(peer, ca, whole, connecting)?,
        })
    }

    /// Sends bytes of another kind than JSON once, and reads the whole answer: its status and its body.
    ///
    /// # Errors
    /// When no answer came; without a word of the address.
    pub fn exchange(
        &self,
        url: &Url,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), NoAnswer> {
        let mut request = self.client.post(url.clone()).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request.send().map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().map_err(|error| failed(&error))?;
        Ok((status, body.to_vec()))
    }

    /// Sends one body once.
    ///
    /// # Errors
    /// When no answer came; without a word of the address.
    pub fn post(
        &self,
        url: &Url,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<Posted, NoAnswer> {
        let mut request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request.send().map_err(|error| failed(&error))?;
        let retry_after = answer
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs);
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        // What the receiver says beyond its status helps a person, and no more: a body that breaks off is as good.
        let read =
            std::io::Read::read_to_end(&mut std::io::Read::take(answer, LONGEST_ANSWER), &mut body);
        if read.is_err() && !(200..300).contains(&status) {
            body.clear();
        }
        Ok(Posted {
            status,
            retry_after,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

fn failed(error: &reqwest::Error) -> NoAnswer {
    if error.is_connect() || error.is_builder() {
        NoAnswer::NotSent
    } else if error.is_timeout() {
        NoAnswer::Slow
    } else {
        NoAnswer::Broken
    }
}
