//! stub

pub mod ci;
