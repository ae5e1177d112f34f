//! Does the emulator answer as GitLab does? Real HTTP and the real git program, one file per family.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod client;
mod schemas;

mod access_tokens;
mod environments;
mod faults;
mod freeze_periods;
mod git_http;
mod groups_and_members;
mod http;
mod job_token_scope;
mod packages;
mod projects;
mod releases;
mod users;
mod variables;
