//! What merge requests do by themselves: following their branches, merging, rebasing, closing issues.
//!
//! The API and quick actions call in here. Everything runs git without holding the state, and looks again at the state
//! before it writes what it found.

pub(crate) mod approving;
pub(crate) mod auto_merge;
pub(crate) mod checks;
pub(crate) mod diff_notes;
pub(crate) mod merging;
mod messages;
pub(crate) mod opening;
pub(crate) mod rebasing;
pub(crate) mod refresh;
