//! The text a shell is given: each line of the script shown before it runs.

use std::ffi::OsStr;

/// The shell for scripts: bash where there is one, as the real runner prefers it.
pub(super) fn shell(path: &OsStr) -> &'static str {
    let has_bash = std::env::split_paths(path).any(|dir| dir.join("bash").is_file());
    if has_bash { "bash" } else { "sh" }
}

/// A script for this shell, which ends at the first failure; `trace` shows every command as the shell sees it.
pub(super) fn text(shell: &str, lines: &[&[String]], trace: bool) -> String {
    let mut text = String::from("set -e\n");
    if shell == "bash" {
        text.push_str("set -o pipefail\n");
    }
    if trace {
        text.push_str("set -x\n");
    }
    for line in lines.iter().copied().flatten() {
        let (first, more) = line.split_once('\n').unwrap_or((line, ""));
        let note = if more.trim().is_empty() {
            ""
        } else {
            " # collapsed multi-line command"
        };
        let shown = quoted(&format!("\u{1b}[32;1m$ {first}{note}\u{1b}[0;m"));
        text.push_str(&format!("printf '%s\\n' {shown}\n"));
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// A text as one word for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_shown_before_it_runs() {
        let lines = ["echo 'a'".to_owned(), "if x\nthen y\nfi".to_owned()];
        let script = text("bash", &[&lines], false);
        assert!(script.starts_with("set -e\nset -o pipefail\n"), "{script}");
        assert!(script.contains("$ echo '\\''a'\\''"), "{script}");
        assert!(script.contains("$ if x # collapsed multi-line command"));
        assert!(script.ends_with("if x\nthen y\nfi\n"));
    }
}
