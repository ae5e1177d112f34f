//! The rules, pure: values in, values out. No clock, no environment, no file, no network.
//!
//! One file per bounded context of the design, plus the words they share.

pub mod archive;
pub mod candidate;
pub mod controls;
pub mod digest;
pub mod event;
pub mod freezes;
pub mod ids;
pub mod integration;
pub mod labelling;
pub mod leaving;
pub mod linking;
mod memory;
pub mod naming;
pub mod notification;
pub mod nrt;
pub mod objections;
pub mod obstacles;
pub mod outlook;
pub mod pace;
mod pairs;
pub mod paths;
pub mod progress;
pub mod release_notes;
pub mod releasing;
pub mod repair;
pub mod ruling;
pub mod serving;
pub mod trial_verdict;
pub mod trials;
pub mod validation;
pub mod versioning;
pub mod yard;
