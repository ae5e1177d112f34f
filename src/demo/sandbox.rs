//! `trainyard sandbox`: the embedded GitLab as a server of its own, for any client, until it is interrupted.

use std::fmt::Write as _;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::Path;

use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use trainyard_emulator::store::runners::Registration;
use trainyard_emulator::{Emulator, Version};

use super::people::EVERYBODY;
use super::world::{Beginning, PROJECT_PATH, World, own_folder};
use super::{folder, story};
use crate::cli::{Sandbox, Seed};
use crate::outcome::{ExitCode, Problem};
use crate::ports::Answer;
use crate::run::Printed;

/// What is served.
enum Served {
    Empty(Emulator),
    Peopled(World),
}

/// The line that says where the sandbox is and who may do what.
#[derive(Debug, Serialize)]
struct Announcement {
    url: String,
    gitlab_version: Version,
    project: Option<Project>,
    users: Vec<User>,
    /// Registers a runner from outside for all projects.
    runner_registration_token: String,
}

#[derive(Debug, Serialize)]
struct Project {
    id: u64,
    path: &'static str,
    url: String,
}

#[derive(Debug, Serialize)]
struct User {
    username: &'static str,
    part: &'static str,
    token: String,
}

/// Serves until the process is ended; what it prints first says where, and who has which token: as a table on a terminal, as one
/// line of JSON for programs.
///
/// # Errors
/// When it cannot start, or the announcement cannot be written.
pub fn run(flags: &Sandbox) -> Answer<Printed> {
    // From here on a signal ends it in order.
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Problem::bug("signals cannot be waited for").caused_by(error))?;
    let folder = folder::Folder::new(None)?;
    let programs = own_folder()?;
    let beginning = Beginning {
        port: flags.port,
        version: flags.gitlab_version,
        root_token: flags.token_file.as_deref().map(token).transpose()?,
        ..Beginning::new(folder.path(), &programs)
    };
    let served = match flags.seed {
        Seed::Empty => Served::Empty(beginning.server()?),
        Seed::Shop => Served::Peopled(World::start(&beginning)?),
        Seed::Story => Served::Peopled(story::seeded(&beginning)?),
    };
    // What people push runs, as in any GitLab with a runner.
    if !flags.no_runner {
        served
            .emulator()
            .start_runner(usize::from(flags.concurrency), &[]);
    }
    let mut out = std::io::stdout();
    announce(
        &served.announcement()?,
        flags.json || !out.is_terminal(),
        &mut out,
    )?;
    signals.forever().next();
    drop(served);
    folder.finish()?;
    Ok(Printed {
        text: String::new(),
        code: ExitCode::Open,
    })
}

impl Served {
    fn emulator(&self) -> &Emulator {
        match self {
            Self::Empty(emulator) => emulator,
            Self::Peopled(world) => &world.emulator,
        }
    }

    fn announcement(&self) -> Answer<Announcement> {
        let mut users = vec![User {
            username: "root",
            part: "administrator",
            token: self.emulator().root_token().to_owned(),
        }];
        let mut project = None;
        if let Self::Peopled(world) = self {
            project = Some(Project {
                id: world.project,
                path: PROJECT_PATH,
                url: world.project_url(),
            });
            for person in &EVERYBODY {
                users.push(User {
                    username: person.name,
                    part: person.part,
                    token: world.token(person.name)?.to_owned(),
                });
            }
        }
        Ok(Announcement {
            url: self.emulator().url().to_owned(),
            gitlab_version: self.emulator().version(),
            project,
            users,
            runner_registration_token: self
                .emulator()
                .with_state(|state| state.registration_token(Registration::Instance)),
        })
    }
}

/// The first line of a file.
fn token(file: &Path) -> Answer<String> {
    let text = fs::read_to_string(file).map_err(|error| {
        Problem::misconfigured(
            format!("the token file `{}` cannot be read", file.display()),
            "name a file whose first line is the token that `root` shall have",
        )
        .caused_by(error)
    })?;
    let first = text.lines().next().unwrap_or_default().trim();
    if first.len() < 8 || first.contains(char::is_whitespace) {
        return Err(Problem::misconfigured(
            format!("the token file `{}` holds no token", file.display()),
            "write at least eight characters without a space in its first line",
        ));
    }
    Ok(first.to_owned())
}

fn announce(what: &Announcement, as_json: bool, out: &mut dyn Write) -> Answer<()> {
    let text = if as_json {
        serde_json::to_string(what)
            .map_err(|error| Problem::bug("the announcement is no JSON").caused_by(error))?
    } else {
        for_people(what)
    };
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| {
            Problem::misconfigured(
                "the line that says where the sandbox is cannot be written",
                "give it a stdout",
            )
            .caused_by(error)
        })
}

fn for_people(what: &Announcement) -> String {
    let mut text = format!(
        "The embedded GitLab {version} listens at {url}\nWatch it in a browser:          {url}/-/sandbox/\n",
        version = what.gitlab_version,
        url = what.url
    );
    if let Some(project) = &what.project {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "The project {}:           {}",
            project.path, project.url
        );
    }
    text.push_str("\nTokens for the API and for git, of this sandbox only:\n");
    for user in &what.users {
        let _ = writeln!(
            text,
            "  {:14} {}   {}",
            user.username, user.token, user.part
        );
    }
    let _ = writeln!(
        text,
        "  {:14} {}   registers a runner",
        "", what.runner_registration_token
    );
    text.push_str("\nCtrl-C ends it and removes its data.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement() -> Announcement {
        Announcement {
            url: "http://127.0.0.1:1".to_owned(),
            gitlab_version: Version::default(),
            project: None,
            users: vec![User {
                username: "root",
                part: "administrator",
                token: "glpat-x".to_owned(),
            }],
            runner_registration_token: "GR-x".to_owned(),
        }
    }

    fn said(as_json: bool) -> String {
        let mut out = Vec::new();
        announce(&announcement(), as_json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn programs_get_one_line_of_json_and_people_a_table() {
        let line = said(true);
        assert_eq!(line.lines().count(), 1);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["users"][0]["token"], "glpat-x");
        assert!(read["project"].is_null());
        let table = said(false);
        assert!(
            table.contains("root           glpat-x   administrator"),
            "{table}"
        );
        assert!(table.contains("http://127.0.0.1:1/-/sandbox/"));
    }

    #[test]
    fn a_token_file_without_a_token_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        assert!(
            token(&file)
                .unwrap_err()
                .full_text()
                .contains("cannot be read")
        );
        fs::write(&file, "two words\n").unwrap();
        assert!(
            token(&file)
                .unwrap_err()
                .full_text()
                .contains("holds no token")
        );
        fs::write(&file, "glpat-12345678\nmore\n").unwrap();
        assert_eq!(token(&file).unwrap(), "glpat-12345678");
    }
}
