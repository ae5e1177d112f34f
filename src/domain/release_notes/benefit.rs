//! What a user story says that it is good for: the paragraph under "Benefit", or what stands after "so that".

/// The most characters that are told.
const MOST: usize = 300;
/// A line that says only this begins the benefit.
const HEADINGS: [&str; 3] = ["benefit", "benefits", "so that"];
/// What stands before a benefit in a sentence.
const CONJUNCTION: &str = "so that ";

/// The benefit of a feature by its description, in one line of untrusted text.
pub fn benefit(description: &str) -> Option<String> {
    let text = without_comments(description);
    let lines: Vec<&str> = prose(&text);
    under_heading(&lines).or_else(|| after_conjunction(&lines))
}

/// The lines that people wrote as text: no code, no quotation.
fn prose(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced && !trimmed.starts_with('>') {
            lines.push(trimmed);
        }
    }
    lines
}

fn under_heading(lines: &[&str]) -> Option<String> {
    for (index, line) in lines.iter().enumerate() {
        let decorated = line.starts_with('#') || line.starts_with("**") || line.contains(':');
        if !decorated {
            continue;
        }
        let (title, rest) = match line.split_once(':') {
            Some((title, rest)) => (title, rest),
            None => (*line, ""),
        };
        let is_sign = |c: char| matches!(c, '#' | '*' | '_' | '-' | ':' | ' ');
        if !HEADINGS.contains(&title.trim_matches(is_sign).to_lowercase().as_str()) {
            continue;
        }
        let rest = rest.trim_matches(is_sign);
        if !rest.is_empty() {
            return told(rest);
        }
        let below = lines[index + 1..].iter().skip_while(|line| line.is_empty());
        let paragraph: Vec<&str> = below
            .take_while(|line| !line.is_empty() && !line.starts_with('#'))
            .copied()
            .collect();
        return told(&paragraph.join(" "));
    }
    None
}

fn after_conjunction(lines: &[&str]) -> Option<String> {
    for paragraph in lines.split(|line| line.is_empty()) {
        let text: Vec<&str> = paragraph
            .iter()
            .map(|line| line.trim_matches('*'))
            .collect();
        let text = text.join(" ").replace("**", "");
        // Byte positions of the lower-case text hold for the text itself only where letters keep their length.
        let Some(at) = text.to_ascii_lowercase().find(CONJUNCTION) else {
            continue;
        };
        let rest = &text[at + CONJUNCTION.len()..];
        let end = rest.find(". ").map_or(rest.len(), |end| end + 1);
        return told(&rest[..end]);
    }
    None
}

fn told(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches(['-', '*']).trim();
    if line.is_empty() {
        return None;
    }
    let mut short: String = line.chars().take(MOST).collect();
    if line.chars().count() > MOST {
        short.push_str("...");
    }
    Some(short)
}

/// Issue templates explain themselves in comments.
fn without_comments(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        clean.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benefit_stands_under_its_heading_or_after_so_that() {
        for (description, expected) in [
            (
                "## Benefit\n\nLess\nwaiting.\n\nMore text.",
                Some("Less waiting."),
            ),
            ("**Benefit:** fewer calls", Some("fewer calls")),
            ("Benefit: fewer calls", Some("fewer calls")),
            (
                "As a customer I want to pay by card, so that I need no cash. Later more.",
                Some("I need no cash."),
            ),
            (
                "**As a** clerk\n**I want** x\n**so that** the line is short",
                Some("the line is short"),
            ),
            ("<!-- so that nobody reads it -->\nText.", None),
            ("```\nso that code\n```\n> so that quoted", None),
            ("## Benefit\n\n## Criteria\n", None),
            ("Benefit of the doubt", None),
            ("", None),
        ] {
            assert_eq!(benefit(description).as_deref(), expected, "{description}");
        }
        let long = format!("so that {}", "x".repeat(400));
        assert_eq!(benefit(&long).unwrap().len(), MOST + 3);
    }
}
