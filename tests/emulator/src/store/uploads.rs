//! Files uploaded to a project, to be linked from its texts.

use bytes::Bytes;
use jiff::Timestamp;

use super::State;

/// One uploaded file.
#[derive(Debug, Clone)]
pub struct Upload {
    pub id: u64,
    pub project_id: u64,
    /// The 32 digits that make its address unguessable.
    pub secret: String,
    pub file_name: String,
    pub content: Bytes,
    pub uploaded_by: u64,
    pub created_at: Timestamp,
}

impl State {
    /// The uploads of a project, oldest first.
    pub fn uploads_of(&self, project: u64) -> impl DoubleEndedIterator<Item = &Upload> {
        self.uploads
            .iter()
            .filter(move |upload| upload.project_id == project)
    }
}
