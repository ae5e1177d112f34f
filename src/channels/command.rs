//! A command of the project that reads messages, one JSON object a line, on its standard input. No shell, no token of ours,
//! a bounded time.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::config::ci::Ci;
use crate::ports::{Clock, DeliveryFailure};

/// How long it may run.
const PATIENCE: Duration = Duration::from_secs(15);
const STEP: Duration = Duration::from_millis(50);
/// What every program may see.
const USUAL: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "SSL_CERT_FILE"];

/// Runs it in the work tree.
pub(super) fn run(
    command: &[String],
    variables: &[String],
    directory: &Path,
    input: &str,
    clock: &dyn Clock,
) -> Result<(), DeliveryFailure> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(failure(
            "it names no program".to_owned(),
            "name one in `command`",
        ));
    };
    let name = super::text::clean(program);
    let mut started = Command::new(program);
    started
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // It may complain with an address or a key in its words: they go nowhere.
        .stderr(Stdio::null());
    for variable in USUAL
        .into_iter()
        .chain(variables.iter().map(String::as_str))
    {
        if let Some(value) = Ci::variable(variable) {
            started.env(variable, value.reveal());
        }
    }
    let mut child = started.spawn().map_err(|error| {
        failure(
            format!("`{name}` cannot be started: {}", error.kind()),
            "check that the program is in the image or the repository, and executable",
        )
    })?;
    feed(&mut child, input);
    let mut waited = Duration::ZERO;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if waited < PATIENCE => {
                clock.wait(STEP);
                waited += STEP;
            }
            Ok(None) | Err(_) => {
                // It ends now; what it leaves behind ends with the job.
                let _ = child.kill();
                let _ = child.wait();
                return Err(failure(
                    format!("`{name}` did not end within {} s", PATIENCE.as_secs()),
                    "let it hand the message on and end",
                ));
            }
        }
    };
    if status.success() {
        return Ok(());
    }
    let how = status.code().map_or("by a signal".to_owned(), |code| {
        format!("with exit code {code}")
    });
    Err(failure(
        format!("`{name}` ended {how}"),
        "run it by hand with a message from `trainyard notify --test CHANNEL --dry-run`",
    ))
}

/// Beside it: a program that does not read must not block.
fn feed(child: &mut Child, input: &str) {
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_owned();
        std::thread::spawn(move || {
            let _ = stdin.write_all(input.as_bytes());
        });
    }
}

fn failure(reason: String, mend: &str) -> DeliveryFailure {
    DeliveryFailure {
        reason,
        mend: mend.to_owned(),
    }
}
