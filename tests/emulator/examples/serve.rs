//! Serves an empty GitLab until standard input closes: `cargo run -p trainyard-emulator --example serve [port [version]]`.
//!
//! Prints one line of JSON with the address and the administrator's token, for programs that start it.

use std::error::Error;
use std::io::{self, Write};

use serde_json::json;
use trainyard_emulator::{Emulator, Options, Version};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |text| text.parse())?;
    let version = std::env::args().nth(2);
    let emulator = Emulator::start(Options {
        port,
        version: version.map_or(Ok(Version::default()), |text| text.parse())?,
        ..Options::default()
    })?;
    let line = json!({ "url": emulator.url(), "token": emulator.root_token() });
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
