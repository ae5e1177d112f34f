//! Pictures of users, groups, projects and topics.

use bytes::Bytes;

/// An uploaded picture.
#[derive(Debug, Clone)]
pub struct Avatar {
    pub file_name: String,
    pub content: Bytes,
}

impl Avatar {
    /// Where the picture of a `user`, `group`, `project` or `projects/topic` is served.
    pub fn address(&self, url: &str, kind: &str, id: u64) -> String {
        format!(
            "{url}/uploads/-/system/{kind}/avatar/{id}/{}",
            self.file_name
        )
    }
}
