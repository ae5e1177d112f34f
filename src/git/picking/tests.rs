//! Picked commits, by the real git in real repositories.
