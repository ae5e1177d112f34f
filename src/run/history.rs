//! `events`: what happened, line by line, from the archive and the log.

use super::Printed;
use super::desk::with_desk;
use crate::cli::Global;
use crate::cli::history::Events;
use crate::gitlab::Trust;
use crate::jobs::archive;
use crate::ports::Answer;
use crate::sinks::cloud_event;

/// Prints every event that is still told anywhere.
pub(super) fn events(global: &Global, flags: &Events) -> Answer<Printed> {
    with_desk(global, Trust::Gate, |desk| {
        let history = archive::history(desk.journal, flags.span.begins())?;
        for missing in &history.missing {
            tracing::warn!("the history is not whole: {missing}");
        }
        let lines: Vec<String> = history
            .events
            .iter()
            .map(|event| cloud_event::to_line(event, &desk.ci.project_url))
            .collect();
        Ok(Printed::text(lines.join("\n")))
    })
}
