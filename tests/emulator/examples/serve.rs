//! Serves an empty GitLab until standard input closes:
//! `cargo run -p trainyard-emulator --example serve [PORT] [--version VERSION] [--concurrency N | --no-runner]`.
//!
//! Prints one line of JSON for programs that start it: the address, the administrator's token, and the token that registers
//! outside runners. Jobs wait for an outside runner unless `--concurrency` starts that many of its own.

use std::error::Error;
use std::io::{self, Write};

use serde_json::json;
use trainyard_emulator::store::runners::Registration;
use trainyard_emulator::{Emulator, Options, Version};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut port, mut concurrency) = (0, 0);
    let mut version = Version::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--no-runner" => concurrency = 0,
            "--concurrency" => {
                let number = args.next().ok_or("--concurrency needs a number")?;
                concurrency = number.parse()?;
            }
            "--version" => version = args.next().ok_or("--version needs one")?.parse()?,
            number => port = number.parse()?,
        }
    }
    let emulator = Emulator::start(Options {
        port,
        version,
        ..Options::default()
    })?;
    if concurrency > 0 {
        emulator.start_runner(concurrency, &[]);
    }
    let registration =
        emulator.with_state(|state| state.registration_token(Registration::Instance));
    let line = json!({
        "url": emulator.url(),
        "token": emulator.root_token(),
        "runner_registration_token": registration,
    });
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
