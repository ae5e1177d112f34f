//! Does the emulator answer as GitLab does? Real HTTP and the real git program, one file per family.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod ci_world;
mod client;
mod schemas;

mod access_tokens;
mod bridges;
mod commit_statuses;
mod environments;
mod faults;
mod freeze_periods;
mod git_http;
mod graphql;
mod groups_and_members;
mod http;
mod job_token_scope;
mod merge_request_pipelines;
mod packages;
mod personal_access_tokens;
mod pipelines;
mod project_lists;
mod projects;
mod rate_limit;
mod releases;
mod resource_groups;
mod runner;
mod triggers;
mod user_administration;
mod users;
mod variables;
