//! The acceptance criteria of a feature: the task list under the heading that the project uses for it.

use pulldown_cmark::{Event as Markdown, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The heading that is always looked for.
const HEADING: &str = "acceptance criteria";

/// One line of the feature's acceptance criteria.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// Its text, untrusted.
    pub text: String,
    /// Whether its box is ticked.
    pub ticked: bool,
    /// Whether it applies: GitLab's `[~]` marks one that does not.
    pub applies: bool,
}

impl Criterion {
    /// Whether it applies and is not fulfilled.
    pub fn is_open(&self) -> bool {
        self.applies && !self.ticked
    }
}

/// The tasks under a heading "Acceptance criteria", or one of the project's own headings, of a feature's description: nested
/// ones too, whatever the heading's level, case, language or form (`#`, bold, HTML).
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the Markdown library's own enum: the rest has no text"
)]
pub fn acceptance_criteria(description: &str, headings: &[String]) -> Vec<Criterion> {
    let wanted: Vec<String> = headings.iter().map(|heading| words(heading)).collect();
    let is_ours = |title: &str| {
        let title = words(title);
        title == HEADING || wanted.contains(&title)
    };
    let mut tasks: Vec<(String, Option<bool>)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut section: Option<HeadingLevel> = None;
    let mut title = String::new();
    for event in Parser::new_ext(description, Options::ENABLE_TASKLISTS) {
        match event {
            Markdown::Start(Tag::Heading { .. }) => title.clear(),
            Markdown::Start(Tag::Paragraph) if open.is_empty() => title.clear(),
            Markdown::End(TagEnd::Heading(level)) => {
                if is_ours(&title) {
                    section = Some(level);
                } else if section.is_some_and(|outer| level <= outer) {
                    section = None;
                }
            }
            // A line of its own that says the same: any heading ends what it begins.
            Markdown::End(TagEnd::Paragraph) if open.is_empty() && is_ours(&title) => {
                section = Some(HeadingLevel::H6);
            }
            Markdown::Html(html) if open.is_empty() && is_ours(&without_tags(&html)) => {
                section = Some(HeadingLevel::H6);
            }
            Markdown::Start(Tag::Item) if section.is_some() => {
                open.push(tasks.len());
                tasks.push((String::new(), None));
            }
            Markdown::End(TagEnd::Item) => {
                open.pop();
            }
            Markdown::TaskListMarker(ticked) => {
                if let Some(task) = open.last().and_then(|at| tasks.get_mut(*at)) {
                    task.1 = Some(ticked);
                }
            }
            Markdown::Text(text) | Markdown::Code(text) => {
                match open.last().and_then(|at| tasks.get_mut(*at)) {
                    Some(task) => task.0.push_str(&text),
                    None => title.push_str(&text),
                }
            }
            Markdown::SoftBreak | Markdown::HardBreak => {
                match open.last().and_then(|at| tasks.get_mut(*at)) {
                    Some(task) => task.0.push(' '),
                    None => title.push(' '),
                }
            }
            _ => {}
        }
    }
    tasks
        .into_iter()
        .filter_map(|(text, ticked)| criterion(&text, ticked))
        .collect()
}

fn criterion(text: &str, ticked: Option<bool>) -> Option<Criterion> {
    let (text, ticked, applies) = match (ticked, text.trim_start().strip_prefix("[~]")) {
        (Some(ticked), _) => (text, ticked, true),
        (None, Some(rest)) => (rest, false, false),
        (None, None) => return None,
    };
    let text = text.trim().to_owned();
    Some(Criterion {
        text,
        ticked,
        applies,
    })
}

/// The words of a heading, without case and decoration.
fn words(title: &str) -> String {
    let letters: String = title
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, headings: &[&str]) -> Vec<String> {
        let headings: Vec<String> = headings.iter().map(|h| (*h).to_owned()).collect();
        let line = |c: Criterion| {
            let mark = match (c.applies, c.ticked) {
                (false, _) => '~',
                (true, true) => 'x',
                (true, false) => ' ',
            };
            format!("[{mark}] {}", c.text)
        };
        acceptance_criteria(text, &headings)
            .into_iter()
            .map(line)
            .collect()
    }

    #[test]
    fn criteria_are_the_task_list_under_their_heading() {
        let text = "- [ ] not one\n\n## Acceptance Criteria:\n\n- [x] card is *charged*\n- [ ] receipt `r`\n  is mailed\n- plain\n\n### More\n- [ ] too\n\n## Notes\n- [ ] no";
        assert_eq!(
            read(text, &[]),
            ["[x] card is charged", "[ ] receipt r is mailed", "[ ] too"]
        );
    }

    #[test]
    fn nested_and_inapplicable_tasks_are_criteria_of_their_own() {
        let text = "# Acceptance criteria\n1. [ ] outer\n   - [x] inner\n   - [~] by fax\n2. [X] last\n\n* [~] ~~gone~~\n";
        assert_eq!(
            read(text, &[]),
            [
                "[ ] outer",
                "[x] inner",
                "[~] by fax",
                "[x] last",
                "[~] ~~gone~~"
            ]
        );
    }

    #[test]
    fn a_heading_may_be_bold_html_decorated_or_of_another_language() {
        for (heading, own) in [
            ("**Acceptance criteria**", ""),
            ("Acceptance criteria:", ""),
            ("✅ ACCEPTANCE CRITERIA", ""),
            ("<h3>Acceptance criteria</h3>", ""),
            ("<details><summary>Acceptance criteria</summary>", ""),
            ("Acceptance criteria\n-----", ""),
            ("#### Akzeptanzkriterien", "Akzeptanzkriterien"),
            ("## Critères d'acceptation", "critères d’acceptation"),
            ("## 受け入れ基準", "受け入れ基準"),
        ] {
            let text = format!("{heading}\n\n- [ ] one\n\n# Else\n- [ ] no\n");
            assert_eq!(read(&text, &[own]), ["[ ] one"], "{heading}");
        }
        assert!(read("## Akzeptanzkriterien\n- [ ] one", &[]).is_empty());
        assert!(read("our acceptance criteria are\n\n- [ ] one", &[]).is_empty());
        assert!(read("<!-- ## Acceptance criteria\n- [ ] one -->", &[]).is_empty());
        assert!(read("```\n## Acceptance criteria\n- [ ] one\n```", &[]).is_empty());
    }
}
