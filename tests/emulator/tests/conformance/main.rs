//! Does the emulator answer as GitLab does? Real HTTP and the real git program, one file per family.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod absent_routes;
mod ci_world;
mod client;
mod schemas;
mod shop;

mod access_tokens;
mod award_emoji;
mod branches_and_tags;
mod bridges;
mod changelog;
mod ci_lint;
mod commit_statuses;
mod commits_and_files;
mod components;
mod discussions;
mod environments;
mod faults;
mod freeze_periods;
mod git_http;
mod graphql;
mod groups_and_members;
mod http;
mod issues;
mod job_deployments;
mod job_inputs;
mod job_token_scope;
mod job_tokens;
mod labels_and_milestones;
mod merge_request_merges;
mod merge_request_pipelines;
mod merge_request_rebases;
mod merge_requests;
mod notes;
mod packages;
mod personal_access_tokens;
mod pipelines;
mod project_lists;
mod projects;
mod pushes;
mod quick_actions;
mod rate_limit;
mod releases;
mod resource_groups;
mod routes;
mod runner;
mod triggers;
mod user_administration;
mod users;
mod variables;
