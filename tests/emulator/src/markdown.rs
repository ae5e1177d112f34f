//! As much of Markdown as decides what a text means: which of its lines are code or quotation.

/// The lines of a text, each with whether it is inside a fenced block of code or quotation (fences included).
pub(crate) fn lines(text: &str) -> Vec<(&str, bool)> {
    let mut fence: Option<&str> = None;
    text.lines()
        .map(|line| {
            let trimmed = line.trim_start();
            let opening = [">>>", "```", "~~~"]
                .into_iter()
                .find(|mark| trimmed.starts_with(mark));
            match (fence, opening) {
                (None, Some(mark)) => {
                    fence = Some(mark);
                    (line, true)
                }
                (Some(open), Some(mark)) if open == mark => {
                    fence = None;
                    (line, true)
                }
                (Some(_), _) => (line, true),
                (None, None) => (line, false),
            }
        })
        .collect()
}

/// A text without its code, so that nothing in it counts as a reference.
pub(crate) fn without_code(text: &str) -> String {
    let outside = lines(text).into_iter().filter(|(_, fenced)| !fenced);
    outside
        .map(|(line, _)| without_inline_code(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn without_inline_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    // An odd number of backticks leaves the last one as text.
    let open = parts.len().is_multiple_of(2);
    let text = parts.iter().enumerate();
    text.filter(|(at, _)| at % 2 == 0 || (open && *at == parts.len() - 1))
        .map(|(_, part)| *part)
        .collect::<Vec<_>>()
        .join(" ")
}

/// How many task list items a text has, and how many of them are ticked.
pub(crate) fn tasks(text: &str) -> (usize, usize) {
    let mut items = (0, 0);
    for (line, fenced) in lines(text) {
        let line = line
            .trim_start()
            .trim_start_matches(|c: char| c.is_ascii_digit());
        let item = ["- ", "* ", "+ ", ". ", ") "]
            .iter()
            .find_map(|bullet| line.strip_prefix(bullet));
        let Some(item) = item.filter(|_| !fenced) else {
            continue;
        };
        let ticked = item.starts_with("[x] ") || item.starts_with("[X] ");
        if ticked || item.starts_with("[ ] ") {
            items.0 += 1;
            items.1 += usize::from(ticked);
        }
    }
    items
}

/// The task list items that were ticked or cleared from one text to another; nothing if more than that changed.
pub(crate) fn ticked(old: &str, new: &str) -> Option<Vec<(String, bool)>> {
    let box_of = |line: &str| {
        let at = line.find("[ ] ").or_else(|| line.find("[x] "));
        at.or_else(|| line.find("[X] "))
    };
    let (old, new) = (lines(old), lines(new));
    let mut items = Vec::new();
    if old.len() != new.len() || old == new {
        return None;
    }
    for ((before, _), (after, fenced)) in old.into_iter().zip(new) {
        if before == after {
            continue;
        }
        let at = box_of(after).filter(|at| box_of(before) == Some(*at) && !fenced)?;
        if before[..at] != after[..at] || before[at + 4..] != after[at + 4..] {
            return None;
        }
        items.push((after[at + 4..].to_owned(), !after[at..].starts_with("[ ]")));
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::{tasks, ticked, without_code};

    #[test]
    fn ticking_a_box_is_told_from_other_edits() {
        let ticks = ticked("a\n- [ ] b", "a\n- [x] b");
        assert_eq!(ticks, Some(vec![("b".to_owned(), true)]));
        assert_eq!(ticked("- [ ] b", "- [x] c"), None);
        assert_eq!(ticked("a", "a"), None);
    }

    #[test]
    fn code_is_taken_out_and_text_stays() {
        let text = "see #1 and `#2`\n```\n#3\n```\n> #4\n~~~ruby\n#5\n";
        assert_eq!(without_code(text), "see #1 and  \n> #4");
        assert_eq!(without_code("a ` b"), "a   b");
    }

    #[test]
    fn only_list_items_outside_code_are_tasks() {
        let text = "- [ ] a\n* [x] b\n1. [X] c\n[x] d\n```\n- [x] e\n```\n";
        assert_eq!(tasks(text), (3, 2));
    }
}
