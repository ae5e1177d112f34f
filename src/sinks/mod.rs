//! Where events go once they are recorded, and the form they travel in.

pub mod cloud_event;
