//! GitLab reads YAML 1.1 (Ruby's Psych), the library here reads 1.2. This rewrites the plain scalars which the two understand
//! differently, and leaves everything else, byte for byte, as it was.

use std::sync::LazyLock;

use regex::Regex;

/// The same document for a YAML 1.2 reader; an error where Psych would refuse a scalar.
pub(super) fn as_yaml12(text: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut out = String::with_capacity(text.len() + 16);
    let mut state = State::default();
    for (number, line) in lines.iter().enumerate() {
        let following = lines[number + 1..]
            .iter()
            .find(|line| !line.trim().is_empty())
            .map_or(0, |line| indent(line));
        state.line(line, following, &mut out)?;
    }
    Ok(out)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Where in the document the reader stands between two lines.
#[derive(Default)]
struct State {
    /// Inside a `|` or `>` scalar: lines deeper than this column (or blank) belong to it.
    block_scalar: Option<usize>,
    /// The last line ended in a plain scalar: lines deeper than this column continue it.
    plain: Option<usize>,
    /// Inside a quoted scalar that spans lines.
    quote: Option<char>,
    /// How many `[` and `{` are open.
    flow: usize,
}

impl State {
    fn line(&mut self, line: &str, following: usize, out: &mut String) -> Result<(), String> {
        let blank = line.trim().is_empty();
        let depth = indent(line);
        let inside = |parent: Option<usize>| parent.is_some_and(|column| blank || depth >= column);
        if self.quote.is_none()
            && self.flow == 0
            && (inside(self.block_scalar) || inside(self.plain))
        {
            out.push_str(line);
            return Ok(());
        }
        self.block_scalar = None;
        self.plain = None;
        Scanner {
            state: self,
            rest: line,
            column: 0,
            node: 0,
            following,
            out,
        }
        .run()
    }
}

/// Walks over one line.
struct Scanner<'a> {
    state: &'a mut State,
    rest: &'a str,
    column: usize,
    /// What is deeper than or at this column belongs to the current key or list item.
    node: usize,
    following: usize,
    out: &'a mut String,
}

impl Scanner<'_> {
    fn take(&mut self, bytes: usize) {
        let (head, tail) = self.rest.split_at(bytes);
        self.out.push_str(head);
        self.column += bytes;
        self.rest = tail;
    }

    fn run(mut self) -> Result<(), String> {
        loop {
            if let Some(quote) = self.state.quote {
                self.quoted(quote);
                if self.state.quote.is_some() {
                    return Ok(());
                }
                continue;
            }
            let white = self.rest.len() - self.rest.trim_start().len();
            let starts_line = self.column == 0;
            self.take(white);
            let Some(first) = self.rest.chars().next() else {
                return Ok(());
            };
            match first {
                '#' if white > 0 || starts_line => {
                    self.take(self.rest.len());
                }
                '"' | '\'' => {
                    self.state.quote = Some(first);
                    self.take(1);
                }
                '[' | '{' => {
                    self.state.flow += 1;
                    self.take(1);
                }
                ']' | '}' => {
                    self.state.flow = self.state.flow.saturating_sub(1);
                    self.take(1);
                }
                ',' | ':' => self.take(1),
                '-' | '?'
                    if self.rest[1..]
                        .chars()
                        .next()
                        .is_none_or(char::is_whitespace) =>
                {
                    self.node = self.column + 1;
                    self.take(1);
                }
                '&' | '*' | '!' => {
                    let end = self.rest.find(|c: char| {
                        c.is_whitespace() || (self.state.flow > 0 && ",]}".contains(c))
                    });
                    self.take(end.unwrap_or(self.rest.len()));
                }
                '|' | '>' if self.state.flow == 0 => {
                    self.state.block_scalar = Some(self.node);
                    self.take(self.rest.len());
                }
                _ => self.plain()?,
            }
        }
    }

    fn quoted(&mut self, quote: char) {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices() {
            if escaped {
                escaped = false;
            } else if quote == '"' && c == '\\' {
                escaped = true;
            } else if c == quote {
                if quote == '\'' && self.rest[at + 1..].starts_with('\'') {
                    escaped = true;
                    continue;
                }
                self.state.quote = None;
                // A quoted key opens a mapping just as a plain one does; its quote has been taken already.
                if self.rest[at + 1..].trim_start().starts_with(':') {
                    self.node = self.column;
                }
                self.take(at + 1);
                return;
            }
        }
        self.take(self.rest.len());
    }

    fn plain(&mut self) -> Result<(), String> {
        let mut end = self.rest.len();
        // What comes after white space never gets here as a comment.
        let mut previous = '\0';
        let mut is_key = false;
        for (at, c) in self.rest.char_indices() {
            let next = self.rest[at + c.len_utf8()..].chars().next();
            let closes_flow = self.state.flow > 0 && ",[]{}".contains(c);
            let comment = c == '#' && previous.is_whitespace();
            let colon = c == ':'
                && (next.is_none_or(char::is_whitespace)
                    || (self.state.flow > 0 && next.is_some_and(|c| ",[]{}".contains(c))));
            if closes_flow || comment || colon {
                end = at;
                is_key = colon;
                break;
            }
            previous = c;
        }
        let scalar = self.rest[..end].trim_end();
        if is_key {
            self.node = indent_of_key(self.column);
            self.take(end);
            return Ok(());
        }
        let in_block = self.state.flow == 0;
        // A value on a line of its own is continued by lines that are as deep.
        let parent = if self.node == 0 {
            self.column
        } else {
            self.node
        }
        .max(1);
        if in_block {
            self.state.plain = Some(parent);
        }
        let continues = in_block && self.following >= parent;
        if !continues && let Some(same) = yaml12(scalar)? {
            self.out.push_str(&same);
            self.column += scalar.len();
            self.rest = &self.rest[scalar.len()..];
        } else {
            // The space before a comment stays, because it makes the comment one.
            self.take(scalar.len());
        }
        Ok(())
    }
}

/// What belongs to a key is deeper than the key itself.
fn indent_of_key(column: usize) -> usize {
    column + 1
}

/// How a YAML 1.2 reader must see the scalar to understand what Psych understands; `None`: as it is.
fn yaml12(scalar: &str) -> Result<Option<String>, String> {
    static OCTAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[-+]?0[0-7_,]+$"));
    static GROUPED: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^[-+]?[1-9](?:[0-9]|[,_][0-9])*$"));
    static SEXAGESIMAL: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}$"));
    static DATE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^\d{4}-(?:1[012]|0\d|\d)-(?:[12]\d|3[01]|0\d|\d)$"));
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^-?\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d(?:\.\d*)?(?:\s*(?:Z|[-+]\d{1,2}:?(?:\d\d)?))?$",
        )
    });
    // Numbers to YAML 1.2 only: 0o17, 1e3, 1.5e3.
    static ONLY_12: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"^[-+]?(?:0o[0-7]+|[0-9]+[eE][-+]?[0-9]+|[0-9]*\.[0-9]*[eE][0-9]+)$")
    });

    let lower = scalar.to_ascii_lowercase();
    if matches!(lower.as_str(), "yes" | "on" | "true") {
        return Ok(Some("true".to_owned()));
    }
    if matches!(lower.as_str(), "no" | "off" | "false") {
        return Ok(Some("false".to_owned()));
    }
    if DATE.is_match(scalar) {
        return Err("Tried to load unspecified class: Date".to_owned());
    }
    if TIME.is_match(scalar) {
        return Err("Tried to load unspecified class: Time".to_owned());
    }
    let digits: String = scalar.chars().filter(|c| !",_".contains(*c)).collect();
    if OCTAL.is_match(scalar) {
        return Ok(i64::from_str_radix(&digits, 8)
            .ok()
            .map(|number| number.to_string()));
    }
    if GROUPED.is_match(scalar) && digits.len() < scalar.len() {
        return Ok(Some(digits));
    }
    if SEXAGESIMAL.is_match(scalar) {
        return Ok(Some(sexagesimal(&digits).to_string()));
    }
    if ONLY_12.is_match(scalar) {
        return Ok(Some(format!("\"{scalar}\"")));
    }
    Ok(None)
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a literal that compiles")
}

fn sexagesimal(digits: &str) -> i64 {
    let negative = digits.starts_with('-');
    let parts = digits.trim_start_matches(['-', '+']).split(':');
    let number = parts.fold(0_i64, |sum, part| {
        sum.saturating_mul(60)
            .saturating_add(part.parse().unwrap_or(0))
    });
    if negative { -number } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        as_yaml12(text).expect("no refused scalar")
    }

    #[test]
    fn plain_scalars_get_the_meaning_psych_gives_them() {
        let cases = [
            ("a: yes", "a: true"),
            ("a: Off # why", "a: false # why"),
            ("- run it  # don't", "- run it  # don't"),
            ("'a'#b", "'a'#b"),
            ("- on", "- true"),
            (
                "a: [yes, 'no', \"on\", no]",
                "a: [true, 'no', \"on\", false]",
            ),
            ("a: {b: off}", "a: {b: false}"),
            ("a: 010", "a: 8"),
            ("a: 1_000", "a: 1000"),
            ("a: 22:30", "a: 1350"),
            ("a: 12e45", "a: \"12e45\""),
            ("a: 0o17", "a: \"0o17\""),
            ("a: &x yes", "a: &x true"),
            (
                "a:\n  b:\n    yes\n  c: no",
                "a:\n  b:\n    true\n  c: false",
            ),
            ("'a': yes\nb: no", "'a': true\nb: false"),
            ("- a: no\n  b: no", "- a: false\n  b: false"),
        ];
        for (text, expected) in cases {
            assert_eq!(rewritten(text), expected, "{text}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        let cases = [
            "a: 'yes'",
            "yes: a",
            "a: |\n  yes\n  - no\nb: c",
            "- |\n  yes\n- 'on'",
            "a: >-\n  on\n\n  off\n",
            "a: first\n  yes\nb: c",
            "a: yes\n  indeed",
            "a: \"x\n  yes\n  y\"",
            "a: 'it''s\n  - yes'",
            "# yes",
            "a: 1.10",
            "a: 0",
            "script:\n  - echo yes\n  - test a: b",
            "a: 0b1 x",
            "- \"a\": |\n    yes\n  b: c",
            "\"a\": |\n yes\n",
        ];
        for text in cases {
            assert_eq!(rewritten(text), text);
        }
    }

    #[test]
    fn dates_and_times_are_refused_as_psych_does() {
        assert_eq!(
            as_yaml12("a: 2024-01-31"),
            Err("Tried to load unspecified class: Date".to_owned())
        );
        assert_eq!(
            as_yaml12("a: 2024-01-31 10:00:00"),
            Err("Tried to load unspecified class: Time".to_owned())
        );
    }
}
