//! What a user tells about themself, and what an administrator notes.

use serde::{Deserialize, Serialize};

/// The profile of a user, named as in the API, so that editing is a merge of JSON objects.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    pub bio: Option<String>,
    pub location: Option<String>,
    pub skype: Option<String>,
    pub linkedin: Option<String>,
    pub twitter: Option<String>,
    pub discord: Option<String>,
    pub github: Option<String>,
    pub website_url: Option<String>,
    pub organization: Option<String>,
    pub job_title: Option<String>,
    pub pronouns: Option<String>,
    pub public_email: Option<String>,
    pub commit_email: Option<String>,
    pub note: Option<String>,
    pub external: bool,
    pub private_profile: Option<bool>,
    pub can_create_group: bool,
    pub projects_limit: i64,
    pub theme_id: i64,
    pub color_scheme_id: i64,
    pub view_diffs_file_by_file: bool,
    pub show_whitespace_in_diffs: bool,
    pub pass_user_identities_to_ci_jwt: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            bio: None,
            location: None,
            skype: None,
            linkedin: None,
            twitter: None,
            discord: None,
            github: None,
            website_url: None,
            organization: None,
            job_title: None,
            pronouns: None,
            public_email: None,
            commit_email: None,
            note: None,
            external: false,
            private_profile: Some(false),
            can_create_group: true,
            projects_limit: 100_000,
            theme_id: 3,
            color_scheme_id: 1,
            view_diffs_file_by_file: false,
            show_whitespace_in_diffs: true,
            pass_user_identities_to_ci_jwt: false,
        }
    }
}

/// What a user is busy with.
#[derive(Debug, Clone, Default)]
pub struct UserStatus {
    pub emoji: Option<String>,
    pub message: Option<String>,
    pub busy: bool,
    pub clear_at: Option<jiff::Timestamp>,
}

/// An account elsewhere that signs in as a user.
#[derive(Debug, Clone)]
pub struct Identity {
    pub provider: String,
    pub extern_uid: String,
}
