//! Files by path patterns, as `artifacts:paths` and reports name them: `*` inside a directory, `**` across directories, a
//! directory for everything in it.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;

/// The files below a directory that match any pattern, sorted, as paths from the directory.
pub(super) fn matching(root: &Path, patterns: &[String], exclude: &[String]) -> BTreeSet<String> {
    let compile = |patterns: &[String], inside: bool| -> Vec<Regex> {
        patterns
            .iter()
            .filter_map(|pattern| Regex::new(&regex_of(pattern, inside)).ok())
            .collect()
    };
    let (wanted, unwanted) = (compile(patterns, true), compile(exclude, false));
    let mut all = BTreeSet::new();
    walk(root, "", &mut all);
    let hit = |patterns: &[Regex], path: &str| patterns.iter().any(|one| one.is_match(path));
    all.retain(|path| hit(&wanted, path) && !hit(&unwanted, path));
    all
}

fn walk(dir: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if prefix.is_empty() && name == ".git" {
            continue;
        }
        let path = format!("{prefix}{name}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), &format!("{path}/"), found),
            Ok(_) => {
                found.insert(path);
            }
            Err(_gone) => {}
        }
    }
}

/// The pattern as a regular expression over whole paths.
fn regex_of(pattern: &str, inside: bool) -> String {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    let mut regex = String::from("^");
    let mut rest = pattern;
    while let Some(char) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            regex.push_str("(?:[^/]+/)*");
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix("**") {
            regex.push_str(".*");
            rest = after;
            continue;
        }
        rest = &rest[char.len_utf8()..];
        match char {
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '{' => regex.push_str("(?:"),
            '}' => regex.push(')'),
            ',' => regex.push('|'),
            _ => regex.push_str(&regex::escape(&char.to_string())),
        }
    }
    // A directory stands for what is in it.
    regex.push_str(if inside { "(?:/.*)?$" } else { "$" });
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_files_and_whole_directories() {
        let cases = [
            ("report.xml", "report.xml", true),
            ("out", "out/a/b.txt", true),
            ("out/", "out/a.txt", true),
            ("out/*.txt", "out/a.txt", true),
            ("out/*.txt", "out/sub/a.txt", false),
            ("out/**/*.txt", "out/sub/a.txt", true),
            ("out/**/*.txt", "out/a.txt", true),
            ("**/*.log", "a.log", true),
            ("./a.txt", "a.txt", true),
            ("*.{xml,json}", "a.json", true),
            ("outer", "out", false),
        ];
        for (pattern, path, expected) in cases {
            let regex = Regex::new(&regex_of(pattern, true)).unwrap();
            assert_eq!(regex.is_match(path), expected, "{pattern} on {path}");
        }
    }
}
