//! `trainyard nrt-lock`: into the queue, to the NRT environment, and out of it again. One file per step.

pub mod acquire;
pub mod admit;
pub mod breaking;
pub mod enqueue;
pub mod release;
mod stopping;
mod together;
pub mod trial_pipeline;
