//! Markdown as HTML: paragraphs, headings, lists, quotations and code, with emphasis and links inside.

use std::sync::LazyLock;

use regex::Regex;

/// The HTML of a text. What is not known here stays as it was written.
pub(crate) fn rendered(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        if let Some(language) = trimmed.strip_prefix("```") {
            let code: Vec<&str> = lines
                .by_ref()
                .take_while(|line| line.trim() != "```")
                .collect();
            let class = if language.is_empty() {
                String::new()
            } else {
                format!(" lang=\"{}\"", escaped(language))
            };
            let code = escaped(&code.join("\n"));
            out.push(format!("<pre><code{class}>{code}\n</code></pre>"));
            continue;
        }
        if let Some((level, title)) = heading(trimmed) {
            out.push(format!("<h{level}>{}</h{level}>", inline(title)));
            continue;
        }
        let kind = Block::of(trimmed);
        let mut block = vec![kind.content(trimmed)];
        while let Some(next) = lines.peek().map(|next| next.trim()) {
            if next.is_empty() || heading(next).is_some() || Block::of(next) != kind {
                break;
            }
            block.push(kind.content(next));
            lines.next();
        }
        out.push(kind.html(&block));
    }
    out.join("\n")
}

/// What consecutive lines form together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Paragraph,
    Bullets,
    Numbers,
    Quotation,
}

impl Block {
    fn of(line: &str) -> Self {
        if ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark)) {
            Self::Bullets
        } else if line.starts_with("> ") {
            Self::Quotation
        } else if numbered(line).is_some() {
            Self::Numbers
        } else {
            Self::Paragraph
        }
    }

    fn content(self, line: &str) -> &str {
        match self {
            Self::Paragraph => line,
            Self::Bullets | Self::Quotation => &line[2..],
            Self::Numbers => numbered(line).unwrap_or(line),
        }
    }

    fn html(self, lines: &[&str]) -> String {
        let items = || {
            let items = lines
                .iter()
                .map(|line| format!("<li>{}</li>", inline(line)));
            items.collect::<Vec<_>>().join("\n")
        };
        let text = || inline(&lines.join("\n"));
        match self {
            Self::Paragraph => format!("<p dir=\"auto\">{}</p>", text()),
            Self::Bullets => format!("<ul dir=\"auto\">\n{}\n</ul>", items()),
            Self::Numbers => format!("<ol dir=\"auto\">\n{}\n</ol>", items()),
            Self::Quotation => {
                format!(
                    "<blockquote dir=\"auto\">\n<p>{}</p>\n</blockquote>",
                    text()
                )
            }
        }
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|char| *char == '#').count();
    let title = line.get(level..)?.strip_prefix(' ')?;
    (1..=6).contains(&level).then_some((level, title.trim()))
}

fn numbered(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(". ")?;
    let digits = !number.is_empty() && number.chars().all(|char| char.is_ascii_digit());
    digits.then_some(rest)
}

/// Text that may stand in HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

static INLINE: LazyLock<Vec<(Option<Regex>, &str)>> = LazyLock::new(|| {
    [
        (r"`([^`]+)`", "<code>$1</code>"),
        (r"\*\*([^*]+)\*\*", "<strong>$1</strong>"),
        (r"\*([^*]+)\*", "<em>$1</em>"),
        (r"!\[([^\]]*)\]\(([^)\s]+)\)", r#"<img src="$2" alt="$1">"#),
        (r"\[([^\]]+)\]\(([^)\s]+)\)", r#"<a href="$2">$1</a>"#),
    ]
    .into_iter()
    .map(|(pattern, html)| (Regex::new(pattern).ok(), html))
    .collect()
});

fn inline(text: &str) -> String {
    INLINE
        .iter()
        .filter_map(|(pattern, html)| Some((pattern.as_ref()?, *html)))
        .fold(escaped(text), |text, (pattern, html)| {
            pattern.replace_all(&text, html).into_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::rendered;

    #[test]
    fn blocks_and_emphasis_become_html_and_nothing_escapes() {
        assert_eq!(
            rendered("# A & B\n\nsome **bold** `code`\nmore\n\n- one\n- [two](http://x)"),
            "<h1>A &amp; B</h1>\n<p dir=\"auto\">some <strong>bold</strong> <code>code</code>\nmore</p>\n\
             <ul dir=\"auto\">\n<li>one</li>\n<li><a href=\"http://x\">two</a></li>\n</ul>"
        );
        assert_eq!(
            rendered("```sh\n<b>\n```"),
            "<pre><code lang=\"sh\">&lt;b&gt;\n</code></pre>"
        );
    }
}
