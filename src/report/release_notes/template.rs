//! Templates of release notes: a language that can print, choose and repeat, and nothing else. It reads no file, starts no
//! program, and stops when it takes too long.

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::super::{code, inert};
use crate::outcome::Problem;

/// The most steps that a template may take: a hundred times what notes of a thousand change sets need.
const MOST_STEPS: u64 = 20_000_000;
/// How deep it may nest.
const DEEPEST: usize = 64;
/// The most bytes of a template.
pub(super) const MOST_SOURCE: usize = 200_000;
/// The most bytes that it may print.
const MOST_PRINTED: usize = 8_000_000;

/// Fills in a template.
pub(super) fn fill(source: &str, values: Value) -> Result<String, Error> {
    let mut engine = Environment::new();
    engine.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(MOST_STEPS));
    engine.set_recursion_limit(DEEPEST);
    engine.set_auto_escape_callback(|_| AutoEscape::Custom("inert".into()));
    // Whatever a template says of escaping: what people wrote is printed inert.
    engine.set_formatter(|out, _, value| {
        if value.is_none() || value.is_undefined() {
            return Ok(());
        }
        let text = value.to_string();
        let text = if value.is_safe() { text } else { inert(&text) };
        out.write_str(&text).map_err(Error::from)
    });
    for way_around in ["safe", "escape", "e"] {
        engine.remove_filter(way_around);
    }
    let mut printed = Printed::default();
    let template = engine.template_from_str(source)?;
    template.render_captured_to(values, &mut printed)?;
    String::from_utf8(printed.0)
        .map_err(|error| Error::new(ErrorKind::WriteFailure, "not text").with_source(error))
}

/// What stands in the way of a template, for whoever keeps it.
pub(super) fn broken(path: &str, source: &str, error: &Error) -> Problem {
    let line = error.line().unwrap_or(1);
    let text = source
        .lines()
        .nth(line.saturating_sub(1))
        .unwrap_or_default();
    let kind = error.kind();
    let what = if kind == ErrorKind::UndefinedError {
        "it uses a name that notes do not have".to_owned()
    } else if kind == ErrorKind::OutOfFuel {
        "it takes too many steps".to_owned()
    } else if kind == ErrorKind::WriteFailure {
        "it prints too much".to_owned()
    } else {
        kind.to_string()
    };
    let detail = error.detail().map_or(String::new(), |detail| {
        format!(": {}", super::super::plain(detail))
    });
    Problem::misconfigured(
        format!(
            "the template `{path}` of the release notes cannot be used: line {line}, {}: {what}{detail}",
            code(text.trim())
        ),
        "mend it on the target branch; `docs/releases.md` lists what a template may use, and `trainyard release preview` tries it",
    )
}

/// What a template printed, up to a bound.
#[derive(Default)]
struct Printed(Vec<u8>);

impl io::Write for Printed {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.0.len() + text.len() > MOST_PRINTED {
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
