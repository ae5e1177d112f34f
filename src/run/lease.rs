//! The commands by which people step in: what they print, and as what.

use crate::cli::{Global, Repair};
use crate::gitlab::Trust;
use crate::jobs::repair;
use crate::ports::Answer;

use super::desk::with_desk;
use super::job::{job, leave_events};
use super::{Printed, Stdout};

/// `repair`, as text or JSON.
pub(super) fn repair(global: &Global, stdout: Stdout, flags: &Repair) -> Answer<Printed> {
    if !flags.json {
        return job(global, stdout, "repair", Trust::Gate, &|desk| {
            repair::run(desk, flags.write).map(|(done, _)| done)
        });
    }
    with_desk(global, Trust::Gate, |desk| {
        let (done, diagnosis) = repair::run(desk, flags.write)?;
        leave_events(desk.ci, &done.events)?;
        Ok(Printed {
            text: diagnosis.json(flags.write && diagnosis.busy.is_empty()),
            code: done.outcome.code,
        })
    })
}
