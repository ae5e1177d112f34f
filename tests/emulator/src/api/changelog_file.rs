//! A changelog file: sections that start with `## version`, the newest first.

/// The file with a new section above those of older versions.
pub(super) fn with_section(file: &str, version: &str, section: &str) -> String {
    let section = section.trim_end();
    if file.trim().is_empty() {
        return format!("{section}\n");
    }
    let mut at = 0;
    for line in file.split_inclusive('\n') {
        let other = line
            .strip_prefix("## ")
            .and_then(|rest| rest.split(' ').next());
        if other.is_some_and(|other| is_older(other.trim(), version)) {
            let (newer, older) = file.split_at(at);
            return format!("{newer}{section}\n\n{older}");
        }
        at += line.len();
    }
    format!("{}\n\n{section}\n", file.trim_end())
}

/// Does a version come before another one? Compared number by number.
fn is_older(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let text = text.trim_start_matches('v');
        let core = text.split(['-', '+']).next().unwrap_or_default();
        core.split('.')
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    let (one, other) = (numbers(version), numbers(than));
    !one.is_empty() && one < other
}

#[cfg(test)]
mod tests {
    use super::with_section;

    #[test]
    fn sections_stand_in_the_order_of_their_versions() {
        let first = with_section("", "1.0.0", "## 1.0.0 (d)\n\n- a\n");
        assert_eq!(first, "## 1.0.0 (d)\n\n- a\n");
        let second = with_section(&first, "1.10.0", "## 1.10.0 (d)\n\n- b\n");
        assert_eq!(second, "## 1.10.0 (d)\n\n- b\n\n## 1.0.0 (d)\n\n- a\n");
        let between = with_section(&second, "1.2.0", "## 1.2.0 (d)");
        assert!(
            between.starts_with("## 1.10.0")
                && between.ends_with("## 1.2.0 (d)\n\n## 1.0.0 (d)\n\n- a\n")
        );
        let last = with_section(&second, "0.9.0", "## 0.9.0 (d)");
        assert!(last.ends_with("- a\n\n## 0.9.0 (d)\n"));
    }
}
