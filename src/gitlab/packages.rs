//! GitLab's generic package registry: where the log's past is kept. Docs: "GitLab generic packages repository".

use std::borrow::Cow;

use gitlab::api::endpoint_prelude::{BodyError, Endpoint, Method, QueryParams};
use jiff::Timestamp;
use serde::Deserialize;

use super::client::Client;
use super::endpoints::{Get, Page, segment};
use crate::outcome::Problem;
use crate::ports::{Answer, Package};

/// So many packages are listed at most: more than a project makes in ten years.
const MOST_PAGES: u64 = 300;

/// The packages of one name in one project.
#[derive(Debug)]
pub(super) struct Registry<'a> {
    client: &'a Client<'a>,
    project: u64,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    version: Option<String>,
    created_at: Timestamp,
}

impl<'a> Registry<'a> {
    /// The packages of a name.
    pub(super) fn new(client: &'a Client<'a>, project: u64, name: String) -> Self {
        Self {
            client,
            project,
            name,
        }
    }

    /// The name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn path(&self, version: &str, file: &str) -> String {
        format!(
            "projects/{}/packages/generic/{}/{}/{}",
            self.project,
            segment(&self.name),
            segment(version),
            segment(file)
        )
    }

    /// Those that hold entries of a log, the newest first, as far as they were made after an instant.
    pub(super) fn packages(&self, since: Timestamp) -> Answer<Vec<Package>> {
        let mut packages = Vec::new();
        let mut number = 1;
        loop {
            let of = Get::new(format!("projects/{}/packages", self.project))
                .with("package_type", "generic")
                .with("package_name", &self.name)
                .with("order_by", "created_at")
                .with("sort", "desc");
            let reply = self.client.send(&Page { of, number })?;
            let next = reply.next_page;
            let listed: Vec<Listed> = reply.json()?;
            let older = listed.iter().any(|one| one.created_at < since);
            // GitLab finds every name that holds this one.
            let ours = listed.into_iter().filter(|one| one.name == self.name);
            packages.extend(ours.filter_map(|one| {
                Some(Package {
                    holding: one.version?.parse().ok()?,
                    at: one.created_at,
                })
            }));
            match next {
                Some(next) if next > number && number < MOST_PAGES && !older => number = next,
                Some(_) | None => return Ok(packages),
            }
        }
    }

    /// A file, or that there is none.
    pub(super) fn download(&self, version: &str, file: &str) -> Answer<Option<Vec<u8>>> {
        self.client.download(&Get::new(self.path(version, file)))
    }

    /// Stores a file. The same once more does no harm: whoever asks for it gets the last one, and both are the same.
    pub(super) fn upload(&self, version: &str, file: &str, text: &str) -> Answer<Uploaded> {
        let put = Put {
            path: self.path(version, file),
            text,
        };
        let reply = self.client.ask(&put)?;
        if reply.status == 400 && reply.words().contains("Duplicate package") {
            // The group wants each file of a package once, and this one is there.
            return Ok(Uploaded::Before);
        }
        if reply.status == 403 || reply.status == 404 {
            return Err(Problem::gitlab(
                format!(
                    "the package `{}/{version}` cannot be stored: GitLab answered {} {}",
                    self.name,
                    reply.status,
                    reply.words()
                ),
                "switch the package registry of the project on (Settings > General > Visibility), and let the gate's bot be at least Developer",
            ));
        }
        let stored: Stored = reply.json()?;
        Ok(stored.file_sha256.map_or(Uploaded::Unknown, Uploaded::Has))
    }
}

/// What GitLab says that it has after an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Uploaded {
    /// A file with this checksum: SHA-256 in hexadecimal digits.
    Has(String),
    /// What was there before.
    Before,
    /// It does not say.
    Unknown,
}

#[derive(Debug, Deserialize)]
struct Stored {
    #[serde(default)]
    file_sha256: Option<String>,
}

struct Put<'t> {
    path: String,
    text: &'t str,
}

impl Endpoint for Put<'_> {
    fn method(&self) -> Method {
        Method::PUT
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.path.clone().into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        // The answer tells the checksum of what is stored.
        let mut parameters = QueryParams::default();
        parameters.push("select", "package_file");
        parameters
    }

    fn body(&self) -> Result<Option<(&'static str, Vec<u8>)>, BodyError> {
        Ok(Some((
            "application/octet-stream",
            self.text.as_bytes().to_vec(),
        )))
    }
}
