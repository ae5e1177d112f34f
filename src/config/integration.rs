//! The section `integration`: how change sets queue.

use super::freezes::{self, Stops};
use super::reading::Section;
use crate::domain::freezes::Freezes;
use crate::domain::ids::RoleName;
use crate::domain::integration::Priority;

/// The lanes by name.
pub(super) const LANES: [(&str, Priority); 4] = [
    ("hotfix", Priority::Hotfix),
    ("high", Priority::High),
    ("normal", Priority::Normal),
    ("low", Priority::Low),
];

/// How change sets queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Integration {
    /// Labels of features or merge requests, and the lane they lead to.
    pub priorities: Vec<(String, Priority)>,
    /// The label that says that a change breaks what users rely on.
    pub breaking_label: String,
    /// Whether all threads must be resolved.
    pub resolved_threads: bool,
    /// Why nothing may join the queue now.
    pub frozen: Option<String>,
    /// When nothing is tried and nothing lands.
    pub freezes: Freezes,
    /// Roles whose people steer the queue; empty: whoever is a maintainer of the project.
    pub controlled_by: Vec<RoleName>,
    /// Roles whose people may send merge requests to the hotfix lane; empty: whoever may label them.
    pub hotfix_by: Vec<RoleName>,
    /// The label that holds a merge request for as long as it carries it.
    pub hold_label: Option<String>,
}

impl Integration {
    /// Reads the section without its freezes, which the zone of `notification` is still missing for, and these; absent keys have
    /// their usual values.
    pub(super) fn read(s: &mut Section) -> (Self, Vec<freezes::Read>) {
        let freezes = freezes::read(s, Stops::Lanes);
        let integration = Self {
            priorities: s.section("priorities", |p| {
                LANES
                    .iter()
                    .flat_map(|(name, lane)| p.texts(name).into_iter().map(|label| (label, *lane)))
                    .collect()
            }),
            breaking_label: s
                .text("breaking_label")
                .unwrap_or_else(|| "breaking".to_owned()),
            resolved_threads: s.flag("resolved_threads").unwrap_or(false),
            frozen: s.text("frozen"),
            freezes: Freezes::default(),
            controlled_by: s.ids("controlled_by"),
            hotfix_by: s.ids("hotfix_by"),
            hold_label: s.label("hold_label"),
        };
        (integration, freezes)
    }
}
