//! A small GitLab on loopback: API v4 over HTTP, git over smart HTTP on real bare repositories.
//!
//! The way of a request: `server` (axum) makes a plain `Request` -> `dispatch` (faults, route, caller, guard, parameters) ->
//! a handler of `api/` with its `Ctx` -> `Response` -> `request_log`. Git requests go to `smart_http`, and every accepted
//! change of refs, whoever made it, ends in `push::on_push`. All state is in `store::State` behind one lock.
//! `engine` creates and moves pipelines, with `ci` for their configuration; `runner` executes jobs.

pub mod access;
mod api;
mod application_settings;
mod archive;
mod auth;
mod background;
pub mod ci;
pub mod clock;
mod closing;
pub mod cron;
mod ctx;
mod diff_lines;
mod diff_positions;
mod digests;
mod dispatch;
mod emulator;
mod engine;
mod errors;
mod exports;
pub mod faults;
mod fingerprint;
mod forking;
pub mod git;
mod graphql;
mod hooks;
mod html;
mod issuable_changes;
mod issuable_details;
mod issuable_texts;
mod issuables;
mod issue_moving;
mod lfs;
mod markdown;
mod mentions;
mod merge_requests;
mod message;
pub mod object_storage;
mod pages;
mod pagination;
mod param_spec;
mod params;
mod pkt_line;
mod push;
mod push_messages;
mod push_options;
mod push_to_create;
mod quick_action_effects;
mod quick_action_planning;
mod quick_action_relations;
mod quick_actions;
mod rate_limit;
mod references;
mod replica;
mod report;
mod request_log;
mod resolving;
mod reviewing;
mod router;
mod runner;
mod sandbox;
mod secret;
mod server;
mod shared;
mod smart_http;
pub mod store;
mod sudo;
mod suggestions;
mod templates;
mod time_tracking;
mod versions;
mod xml;

pub use api::{RouteInfo, routes};
pub use emulator::{Emulator, Options, StartError};
pub use engine::status::Status;
pub use request_log::{JobName, RequestEntry, Who};
pub use runner::{FinishedJob, JobInfo, PipelineInfo};
pub use versions::{UnknownVersion, Version};
