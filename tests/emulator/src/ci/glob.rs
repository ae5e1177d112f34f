//! Path patterns of `rules:changes` and `rules:exists` (Ruby's `File.fnmatch` with path, dot and brace rules) and of
//! `include:local` (GitLab's own simpler rules).

use std::sync::Arc;

use regex::Regex;

use super::kept;

/// A compiled path pattern; one that makes no sense matches nothing.
#[derive(Debug, Clone)]
pub(super) struct Glob(Option<Arc<Regex>>);

impl Glob {
    /// `*` and `?` stay in one directory, `**/` is any number of directories, `{a,b}` are alternatives.
    pub(super) fn new(pattern: &str) -> Self {
        let mut regex = String::from("^");
        let mut rest = pattern;
        let mut braces = 0;
        let mut starts_segment = true;
        while let Some(c) = rest.chars().next() {
            if starts_segment && rest.starts_with("**/") {
                regex.push_str("(?:[^/]+/)*");
                rest = &rest[3..];
                continue;
            }
            rest = &rest[c.len_utf8()..];
            starts_segment = c == '/' || c == '{' || (c == ',' && braces > 0);
            match c {
                '*' => {
                    rest = rest.trim_start_matches('*');
                    regex.push_str("[^/]*");
                }
                '?' => regex.push_str("[^/]"),
                '{' => {
                    braces += 1;
                    regex.push_str("(?:");
                }
                '}' if braces > 0 => {
                    braces -= 1;
                    regex.push(')');
                }
                ',' if braces > 0 => regex.push('|'),
                '[' if rest.contains(']') => {
                    let (class, after) = rest.split_once(']').unwrap_or((rest, ""));
                    regex.push('[');
                    regex.push_str(
                        &class
                            .replacen('!', "^", usize::from(class.starts_with('!')))
                            .replace('\\', "\\\\"),
                    );
                    regex.push(']');
                    rest = after;
                }
                '\\' => {
                    if let Some(escaped) = rest.chars().next() {
                        regex.push_str(&regex::escape(&escaped.to_string()));
                        rest = &rest[escaped.len_utf8()..];
                    }
                }
                _ => regex.push_str(&regex::escape(&c.to_string())),
            }
        }
        regex.push('$');
        Self(kept::regex(&regex).ok())
    }

    /// For `include:local`: `**` is anything, `*` anything within a directory.
    pub(super) fn of_include(pattern: &str) -> Self {
        let regex = regex::escape(pattern)
            .replace(r"\*\*", ".*?")
            .replace(r"\*", "[^/]*?");
        Self(kept::regex(&format!("^{regex}$")).ok())
    }

    pub(super) fn is_match(&self, path: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(path))
    }
}

/// Whether any of the paths matches any of the patterns.
pub(super) fn any_match<'a>(
    patterns: &[String],
    paths: impl IntoIterator<Item = &'a String>,
) -> bool {
    let globs: Vec<Glob> = patterns.iter().map(|pattern| Glob::new(pattern)).collect();
    paths
        .into_iter()
        .any(|path| globs.iter().any(|glob| glob.is_match(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_patterns_match_as_in_ruby() {
        let cases = [
            ("Dockerfile", "Dockerfile", true),
            ("Dockerfile", "docker/Dockerfile", false),
            ("*.md", "README.md", true),
            ("*.md", "docs/a.md", false),
            ("docs/*", "docs/a.md", true),
            ("docs/*", "docs/a/b.md", false),
            ("docs/**/*", "docs/a.md", true),
            ("docs/**/*", "docs/a/b.md", true),
            ("docs/**/*", "docs/.hidden/x", true),
            ("**/*.rs", "main.rs", true),
            ("**/*.rs", "a/b/main.rs", true),
            ("**/*", "x", true),
            ("**/**/x", "a/x", true),
            ("src/**", "src/a", true),
            ("src/**", "src/a/b", false),
            ("*.{md,txt}", "a.txt", true),
            ("*.{md,txt}", "a.rs", false),
            ("file[0-9]", "file7", true),
            ("file[!0-9]", "file7", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a\\*c", "a*c", true),
            ("a.c", "abc", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(
                Glob::new(pattern).is_match(path),
                expected,
                "{pattern} on {path}"
            );
        }
    }

    #[test]
    fn include_patterns_are_simpler() {
        let cases = [
            ("ci/*.yml", "ci/a.yml", true),
            ("ci/*.yml", "ci/b/a.yml", false),
            ("ci/**.yml", "ci/b/a.yml", true),
            ("ci/**/*.yml", "ci/b/a.yml", true),
            ("ci/**/*.yml", "ci/a.yml", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(
                Glob::of_include(pattern).is_match(path),
                expected,
                "{pattern} on {path}"
            );
        }
    }
}
