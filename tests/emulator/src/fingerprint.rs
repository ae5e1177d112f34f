//! A fingerprint of everything that a request can change, which tells whether it has.

use std::fmt::{self, Write};
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::shared::Shared;
use crate::store::State;

/// Two that are the same were taken while nothing changed. It is made of the state, the refs of all repositories and the work
/// handed to the background; not of what every request and every running job leaves behind: when a token was used, when a
/// runner was seen, what a job printed.
pub(crate) fn of(shared: &Shared) -> io::Result<[u8; 32]> {
    let mut writer = Hashing(Sha256::new());
    let state = lasting(shared.state().clone());
    write!(writer, "{state:?}{}", shared.background.arrived()).map_err(io::Error::other)?;
    refs(&shared.data_dir.join("repositories"), &mut writer.0)?;
    Ok(writer.0.finalize().into())
}

fn lasting(mut state: State) -> State {
    for token in state.tokens.iter_mut() {
        token.last_used_at = None;
    }
    for runner in state.runners.iter_mut() {
        runner.contacted_at = None;
    }
    for manager in state.runner_managers.iter_mut() {
        manager.contacted_at = None;
    }
    for job in state.jobs.iter_mut() {
        job.trace.clear();
        job.taken = None;
    }
    state
}

/// The refs below a directory of repositories, as files; objects count once a ref names them.
fn refs(dir: &Path, hash: &mut Sha256) -> io::Result<()> {
    let mut names: Vec<_> = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<_>>()?;
    names.sort();
    for name in names {
        let path = dir.join(&name);
        if path.is_dir() {
            if name != "objects" {
                refs(&path, hash)?;
            }
        } else {
            hash.update(path.as_os_str().as_encoded_bytes());
            hash.update(fs::read(&path)?);
        }
    }
    Ok(())
}

/// Takes text as it is written.
struct Hashing(Sha256);

impl Write for Hashing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}
