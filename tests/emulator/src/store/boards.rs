//! Issue boards of projects and groups.

use super::State;
use super::holders::Holder;

/// A board.
#[derive(Debug, Clone)]
pub struct Board {
    pub id: u64,
    pub holder: Holder,
    pub name: String,
    pub hide_backlog_list: bool,
    pub hide_closed_list: bool,
    /// In their order, from left to right.
    pub lists: Vec<BoardList>,
}

/// A column of a board: the issues of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardList {
    pub id: u64,
    pub label_id: u64,
}

impl State {
    /// The boards of a project or group, oldest first.
    pub fn boards_of(&self, holder: Holder) -> impl Iterator<Item = &Board> {
        self.boards
            .iter()
            .filter(move |board| board.holder == holder)
    }
}
