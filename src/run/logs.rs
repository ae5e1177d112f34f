//! The logs of the project's NRT environments, wherever the state is kept.

use crate::cli::StatePlace;
use crate::domain::yard::Yard;
use crate::folder::FolderJournal;
use crate::gitlab::GitLab;
use crate::ports::{Answer, Journal, Logs};

/// Where the logs are.
#[derive(Debug)]
pub(super) struct LogsOf<'a> {
    pub(super) gitlab: &'a GitLab<'a>,
    pub(super) place: &'a StatePlace,
}

impl Logs for LogsOf<'_> {
    fn yard_of(&self, environment: &str) -> Answer<Yard> {
        let log = match self.place {
            StatePlace::GitLab => self.gitlab.another_journal(environment).read()?,
            StatePlace::Folder(path) => FolderJournal::open(&path.join(environment))?.read()?,
        };
        Ok(log.yard())
    }
}
