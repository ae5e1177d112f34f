//! The text a shell is given: each line of the script shown before it runs.

/// A script for `sh -e`, run in the directory of the sources.
pub(super) fn text(lines: &[&[String]], show: bool) -> String {
    let mut text = String::new();
    for line in lines.iter().copied().flatten() {
        if show {
            let (first, more) = line.split_once('\n').unwrap_or((line, ""));
            let note = if more.trim().is_empty() {
                ""
            } else {
                " # collapsed multi-line command"
            };
            let shown = quoted(&format!("\u{1b}[32;1m$ {first}{note}\u{1b}[0;m"));
            text.push_str(&format!("printf '%s\\n' {shown}\n"));
        }
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
        let script = text(&[&lines], true);
        assert!(script.contains("$ echo '\\''a'\\''"), "{script}");
        assert!(script.contains("$ if x # collapsed multi-line command"));
        assert!(script.ends_with("if x\nthen y\nfi\n"));
    }
}
