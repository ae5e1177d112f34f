//! GitLab's answer: read as what was asked for, or told as a problem to whoever must act.

use serde::de::DeserializeOwned;
use url::Url;

use super::Token;
use crate::outcome::Problem;
use crate::ports::Answer;

/// GitLab's answer, whatever its status.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The number of the next page of a list, if there is one.
    pub next_page: Option<u64>,
    pub(super) location: Option<Url>,
    pub(super) body: Vec<u8>,
    pub(super) asked: String,
    pub(super) token: Token,
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
