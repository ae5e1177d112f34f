//! `trainyard sandbox`: the embedded GitLab as a server of its own, for any client, until it is interrupted.

use std::io::Write;

use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::people::EVERYBODY;
use super::world::{PROJECT_PATH, World, own_folder};
use super::{folder, story};
use crate::cli::{Sandbox, Seed};
use crate::outcome::{ExitCode, Problem};
use crate::ports::Answer;
use crate::run::Printed;

/// Serves until the process is ended; the first line on `out` says where, and who has which token.
///
/// # Errors
/// When it cannot start, or the line cannot be written.
pub fn run(flags: &Sandbox, out: &mut dyn Write) -> Answer<Printed> {
    let folder = folder::Folder::new(None)?;
    let version = flags.gitlab_version;
    let world = match flags.seed {
        Seed::Empty => World::start_as(version, folder.path(), &own_folder()?, flags.port)?,
        Seed::Story => story::seeded(version, folder.path(), &own_folder()?, flags.port)?,
    };
    // What people push runs, as in any GitLab with a runner.
    world.emulator.start_runner(2, &[]);
    let users: Vec<_> = std::iter::once("root")
        .chain(EVERYBODY.iter().map(|person| person.name))
        .map(|name| {
            world
                .token(name)
                .map(|token| json!({"username": name, "token": token}))
        })
        .collect::<Answer<_>>()?;
    let line = json!({
        "url": world.emulator.url(),
        "gitlab_version": version,
        "project": {"id": world.project, "path": PROJECT_PATH, "url": world.project_url()},
        "users": users,
    });
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| {
            Problem::misconfigured(
                "the line that says where the sandbox is cannot be written",
                "give it a stdout",
            )
            .caused_by(error)
        })?;
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Problem::bug("signals cannot be waited for").caused_by(error))?;
    signals.forever().next();
    drop(world);
    folder.finish()?;
    Ok(Printed {
        text: String::new(),
        code: ExitCode::Open,
    })
}
