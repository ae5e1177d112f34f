//! The functions an input can be piped through.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::expand::{Unknown, expand};
use super::source::Source;

/// Applies the functions one after the other.
pub(super) fn apply(value: Value, calls: &[&str], source: &Source<'_>) -> Result<Value, String> {
    if let Some(unknown) = calls.iter().find(|call| Function::parse(call).is_none()) {
        return Err(format!(
            "no function matching `{unknown}`: check that the function name, arguments, and types are correct"
        ));
    }
    calls.iter().filter_map(|call| Function::parse(call)).try_fold(value, |value, function| {
        let name = function.name();
        let Value::String(text) = value else {
            return Err(format!(
                "error in `{name}` function: invalid input type: {name} can only be used with string inputs"
            ));
        };
        function.run(&text, source).map(Value::String)
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    ExpandVars,
    PosixEscape,
    Truncate { offset: usize, length: usize },
}

impl Function {
    fn parse(call: &str) -> Option<Self> {
        static TRUNCATE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^truncate\(\s*(\d+)\s*,\s*(\d+)\s*\)?$")
                .expect("the pattern is a literal that compiles")
        });
        match call {
            "expand_vars" => Some(Self::ExpandVars),
            "posix_escape" => Some(Self::PosixEscape),
            _ => {
                let parts = TRUNCATE.captures(call)?;
                Some(Self::Truncate {
                    offset: parts[1].parse().ok()?,
                    length: parts[2].parse().ok()?,
                })
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::ExpandVars => "expand_vars",
            Self::PosixEscape => "posix_escape",
            Self::Truncate { .. } => "truncate",
        }
    }

    fn run(self, text: &str, source: &Source<'_>) -> Result<String, String> {
        match self {
            Self::ExpandVars => expand_vars(text, source),
            Self::PosixEscape => Ok(escape(text)),
            Self::Truncate { offset, length } => {
                Ok(text.chars().skip(offset).take(length).collect())
            }
        }
    }
}

fn expand_vars(text: &str, source: &Source<'_>) -> Result<String, String> {
    let mut known: BTreeMap<String, String> = source.predefined.clone();
    let mut masked = BTreeMap::new();
    for (key, assigned) in source.assigned {
        known.insert(key.clone(), assigned.value.clone());
        if assigned.masked {
            masked.insert(key.clone(), String::new());
        }
    }
    if expand(text, &masked, Unknown::Kept) != text {
        let why = "variable expansion error: masked variables cannot be expanded";
        return Err(format!("error in `expand_vars` function: {why}"));
    }
    Ok(expand(text, &known, Unknown::Kept))
}

/// As Ruby's `Shellwords` does it.
fn escape(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c == '\n' {
            escaped.push_str("'\n'");
        } else {
            if !(c.is_ascii_alphanumeric() || "_-.,:+/@".contains(c)) {
                escaped.push('\\');
            }
            escaped.push(c);
        }
    }
    escaped
}
