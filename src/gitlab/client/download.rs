//! Files that GitLab keeps, and may keep in an object storage: it then answers with an address there that is good by itself for some
//! minutes (docs: administration, "Object storage", `proxy_download`).
//!
//! To such an address goes no token of ours, and nothing else that could tell who asks. It stands in no message either: whoever reads it
//! may read the file.

use gitlab::api::Endpoint;
use url::Url;

use super::{Client, Failure, Raw, TRIES, backoff};
use crate::outcome::Problem;
use crate::ports::Answer;
use crate::transport::Peer;

/// How often a storage may send on to another place of its own, such as another region.
const MOST_HOPS: usize = 4;
/// What an administrator can do about any trouble with an object storage.
const MEND: &str = "an administrator can let GitLab pass downloads through itself (`object_store`: `proxy_download: true`)";

impl Client<'_> {
    /// The content of a file that GitLab keeps, or `None` where there is none.
    ///
    /// # Errors
    /// As `send`; or when it is kept where we do not go, or cannot.
    pub fn download(&self, endpoint: &impl Endpoint) -> Answer<Option<Vec<u8>>> {
        let reply = self.send(endpoint)?;
        match &reply.location {
            Some(url) if sends_on(reply.status) => self.stored_at(url.clone(), &reply.asked),
            Some(_) | None => {
                if reply.status == 404 && reply.words() != "404 Project Not Found" {
                    return Ok(None);
                }
                reply.done()?;
                Ok(Some(reply.body))
            }
        }
    }

    fn stored_at(&self, mut url: Url, asked: &str) -> Answer<Option<Vec<u8>>> {
        for _ in 0..MOST_HOPS {
            let host = url.origin().ascii_serialization();
            if !self.may_follow(&url) {
                return Err(Problem::misconfigured(
                    format!(
                        "GitLab keeps the file of `{asked}` at `{host}`, which is not encrypted; nothing was asked there"
                    ),
                    format!("give the object storage an https address; or {MEND}"),
                ));
            }
            let raw = self.ask_there(&url).map_err(|failure| {
                Problem::gitlab(
                    format!("the object storage at `{host}`, to which GitLab sends us for `{asked}`, could not be reached: {}", failure.words),
                    format!("let the runner reach it, then retry the job; or {MEND}"),
                )
            })?;
            match raw.location {
                Some(next) if sends_on(raw.status) => url = next,
                Some(_) | None if raw.status == 404 => return Ok(None),
                Some(_) | None if (200..300).contains(&raw.status) => return Ok(Some(raw.body)),
                Some(_) | None => {
                    return Err(Problem::gitlab(
                        format!(
                            "the object storage at `{host}`, to which GitLab sends us for `{asked}`, answered {}",
                            raw.status
                        ),
                        format!(
                            "retry the job: its addresses are good for some minutes; if it happens again, {MEND}"
                        ),
                    ));
                }
            }
        }
        Err(Problem::gitlab(
            format!("`{asked}` leads from one place to the next; {MOST_HOPS} of them were tried"),
            MEND,
        ))
    }

    /// Encrypted, or this very machine where GitLab is there too: a server somewhere else has no business with what runs beside the job.
    fn may_follow(&self, url: &Url) -> bool {
        let here = |url: &Url| Peer::of(url) == Peer::Here;
        url.scheme() == "https" || (here(url) && here(&self.base))
    }

    fn ask_there(&self, url: &Url) -> Result<Raw, Failure> {
        let mut outcome = self.read(self.http.get(url.clone()));
        for attempt in 1..TRIES {
            if outcome.as_ref().is_ok_and(|raw| raw.status < 500) {
                break;
            }
            self.clock.wait(backoff(attempt));
            outcome = self.read(self.http.get(url.clone()));
        }
        outcome
    }
}

/// Another place is told, and the request stays a GET. Not 301 and 308: a project that has moved is to be called by its new name.
fn sends_on(status: u16) -> bool {
    matches!(status, 302 | 303 | 307)
}
