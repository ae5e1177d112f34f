//! A base of the log as text: what it is stored as, in variables, in files and beside the archive. Packed, because the state of a
//! hundred tickets would else take twenty variables.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::archive::Base;
use crate::domain::digest::sha256;
use crate::domain::yard::Yard;
use crate::outcome::Problem;
use crate::ports::Answer;

/// The form that is written. A state that lacks a field of a later form is read as if nothing of that kind had happened.
const FORMAT: u32 = 1;
/// No state is as large; what unpacks to more was not written by us.
const LARGEST: u64 = 256 << 20;

/// A base with everything that is needed to believe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its form.
    format: u32,
    /// The last entry that it covers.
    pub slot: u64,
    /// When it was made.
    pub at: Timestamp,
    /// The checksum of `state`.
    sha256: String,
    /// The state: JSON, packed with zlib, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
}

impl Checkpoint {
    /// Packs a state.
    ///
    /// # Errors
    /// None but our own mistakes.
    pub fn of(state: &Yard, slot: u64, at: Timestamp) -> Answer<Self> {
        let bug = |error| Problem::bug("the state cannot be packed").caused_by(error);
        let json = serde_json::to_vec(state)
            .map_err(|error| Problem::bug("the state cannot be written").caused_by(error))?;
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&json).map_err(bug)?;
        let state = STANDARD.encode(packed.finish().map_err(bug)?);
        Ok(Self {
            format: FORMAT,
            slot,
            at,
            sha256: sha256(state.as_bytes()),
            state,
        })
    }

    /// The same, for where the state itself is kept elsewhere.
    #[must_use]
    pub fn without_state(&self) -> Self {
        Self {
            state: String::new(),
            ..self.clone()
        }
    }

    /// The base that it holds.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow its name.
    pub fn open(&self, generation: u64) -> Result<Base, String> {
        if self.format > FORMAT {
            return Err(format!(
                "it was written by a newer version of trainyard (form {}, and this one reads up to {FORMAT})",
                self.format
            ));
        }
        if sha256(self.state.as_bytes()) != self.sha256 {
            return Err(
                "its checksum does not fit: a part of it was changed or is missing".to_owned(),
            );
        }
        let unreadable =
            |error: &dyn std::fmt::Display| format!("its state cannot be read: {error}");
        let packed = STANDARD
            .decode(&self.state)
            .map_err(|error| unreadable(&error))?;
        let mut json = Vec::new();
        ZlibDecoder::new(packed.as_slice())
            .take(LARGEST)
            .read_to_end(&mut json)
            .map_err(|error| unreadable(&error))?;
        let state = serde_json::from_slice(&json).map_err(|error| unreadable(&error))?;
        Ok(Base {
            generation,
            slot: self.slot,
            state,
        })
    }
}

#[cfg(test)]
mod tests;
