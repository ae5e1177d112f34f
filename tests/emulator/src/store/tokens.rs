//! Secrets that authenticate: access tokens of people and projects, and the tokens of running jobs.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::State;
use crate::secret;

/// What an access token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Personal,
    /// A token that an administrator made to act as its user.
    Impersonation,
    /// A project access token; the token's user is a bot that is a member of the project.
    Project(u64),
    /// A group access token, the same with a group.
    Group(u64),
}

/// An access token.
#[derive(Debug, Clone)]
pub struct Token {
    pub id: u64,
    pub user_id: u64,
    pub kind: TokenKind,
    pub name: String,
    pub description: Option<String>,
    pub secret: String,
    pub scopes: Vec<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Date>,
    pub revoked: bool,
    pub last_used_at: Option<Timestamp>,
}

/// The token of a job that is running.
#[derive(Debug, Clone)]
pub struct JobToken {
    pub secret: String,
    pub job_id: u64,
    pub job_name: String,
    pub pipeline_id: u64,
    pub project_id: u64,
    /// The user that caused the job to run.
    pub user_id: u64,
}

/// Uses closer together than this leave one trace.
const USE_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

impl State {
    /// Notes that a token was used.
    pub(crate) fn use_token(&mut self, id: u64, now: Timestamp) {
        if let Some(token) = self.tokens.get_mut(id)
            && token
                .last_used_at
                .is_none_or(|last| now.duration_since(last).abs() >= USE_INTERVAL)
        {
            token.last_used_at = Some(now);
        }
    }

    /// Gives a starting job its token.
    pub fn issue_job_token(
        &mut self,
        job_id: u64,
        job_name: &str,
        pipeline_id: u64,
        project_id: u64,
        user_id: u64,
    ) -> String {
        let secret = secret::fresh("glcbt-");
        let job_name = job_name.to_owned();
        self.job_tokens.push(JobToken {
            secret: secret.clone(),
            job_id,
            job_name,
            pipeline_id,
            project_id,
            user_id,
        });
        secret
    }

    /// Ends the token of a job that is over.
    pub fn revoke_job_token(&mut self, job_id: u64) {
        self.job_tokens.retain(|token| token.job_id != job_id);
    }
}
