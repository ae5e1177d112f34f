//! `trainyard queue`: from flags to the view of what waits.

use super::{Printed, Trust, with_desk};
use crate::cli::Global;
use crate::cli::queue::{Queue, View};
use crate::domain::yard::Yard;
use crate::jobs::Desk;
use crate::ports::Answer;
use crate::report;

/// Shows the queue.
pub(super) fn run(global: &Global, flags: &Queue) -> Answer<Printed> {
    with_desk(global, Trust::Gate, |desk| view(desk, &flags.view))
}

fn view(desk: &Desk<'_>, flags: &View) -> Answer<Printed> {
    let yard = Yard::of(&desk.journal.read()?.events);
    Ok(Printed::text(if flags.json {
        report::queue_json(&yard)
    } else {
        report::queue_now(&yard, desk.clock.now())
    }))
}
