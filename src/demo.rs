//! The whole story on the embedded GitLab: real HTTP, real git, and this very binary started job by job by a runner.
//!
//! `world` is a GitLab with people who act; `story` is what they do; `invariants` checks what must always hold.

mod folder;
mod invariants;
mod narrator;
pub mod people;
pub mod sandbox;
mod story;
mod summary;
pub mod world;

use std::io::Write;

use crate::cli::Demo;
use crate::outcome::ExitCode;
use crate::ports::Answer;
use crate::run::Printed;

/// Plays the story. Without `--json` it is narrated on `out` as it goes.
///
/// # Errors
/// When the embedded GitLab cannot start, or a step does not do what the story needs.
pub fn run(flags: &Demo, out: &mut dyn Write) -> Answer<Printed> {
    let mut silence = std::io::sink();
    let narration: &mut dyn Write = if flags.json { &mut silence } else { out };
    let ended = story::play(&world::own_folder()?, flags.keep.as_deref(), narration)?;
    let code = if ended.summary.ended_as_told {
        ExitCode::Open
    } else {
        ExitCode::Bug
    };
    let text = if flags.json {
        ended.summary.json()
    } else {
        ended.epilogue
    };
    Ok(Printed { text, code })
}
