//! Regular expressions as GitLab writes them, `/source/flags` with RE2 syntax.

use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::kept;

/// A pattern between slashes.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Arc<Regex>,
}

impl Pattern {
    /// `None`: not between slashes, or not a regular expression.
    pub(super) fn parse(text: &str) -> Option<Self> {
        static SLASHES: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?m)^/(?<source>.*)/(?<flags>[ismU]*)$")
                .expect("the pattern is a literal that compiles")
        });
        let parts = SLASHES.captures(text)?;
        let (source, flags) = (&parts["source"], &parts["flags"]);
        let flags = if flags.is_empty() {
            String::new()
        } else {
            format!("(?{flags})")
        };
        kept::regex(&format!("{flags}{source}"))
            .ok()
            .map(|regex| Self { regex })
    }

    /// Whether the text has the form of a pattern, valid or not.
    pub(super) fn looks_like_one(text: &str) -> bool {
        text.len() > 1
            && text.starts_with('/')
            && text.trim_end_matches(['i', 's', 'm', 'U']).ends_with('/')
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The regular expression with its flags in front.
    pub(super) fn source(&self) -> &str {
        self.regex.as_str()
    }
}
