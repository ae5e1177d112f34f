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

#[cfg(test)]
mod tests {
    use super::{tasks, without_code};

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
