//! `trainyard nrt-lock`: into the queue, to the NRT environment, and out of it again. One file per step.

pub mod acquire;
pub mod admit;
mod alone;
pub mod ask;
pub mod breaking;
pub mod conclude;
mod elsewhere;
pub mod enqueue;
mod lane;
mod rejecting;
pub mod release;
mod stopping;
mod together;
pub mod trial_pipeline;
mod withdrawing;
