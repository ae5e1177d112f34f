//! Does the emulator answer as GitLab does? Real HTTP and the real git program, one file per family.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod ci_world;
mod client;
mod schemas;

mod access_tokens;
mod faults;
mod git_http;
mod groups_and_members;
mod http;
mod pipelines;
mod projects;
mod runner;
mod users;
mod variables;
