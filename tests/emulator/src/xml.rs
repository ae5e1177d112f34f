//! Reading XML as far as test reports need it: elements, attributes, text; no namespaces, no entities of its own.

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    /// All text directly inside.
    pub(crate) text: String,
}

impl Element {
    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// The root element; the error says where and what is wrong.
pub(crate) fn parse(text: &str) -> Result<Element, String> {
    let mut reader = Reader {
        whole: text,
        rest: text.trim_start_matches('\u{feff}'),
    };
    let mut open: Vec<Element> = Vec::new();
    loop {
        let Some(at) = reader.rest.find('<') else {
            return Err(reader.wrong(if open.is_empty() {
                "Document is empty"
            } else {
                "Premature end of data"
            }));
        };
        let (before, rest) = reader.rest.split_at(at);
        if let Some(element) = open.last_mut() {
            element.text.push_str(&reader.unescaped(before)?);
        } else if !before.trim().is_empty() {
            return Err(reader.wrong("Start tag expected, '<' not found"));
        }
        reader.rest = rest;
        if let Some(content) = reader.between("<![CDATA[", "]]>")? {
            if let Some(element) = open.last_mut() {
                element.text.push_str(content);
            }
            continue;
        }
        let skipped = [("<!--", "-->"), ("<?", "?>"), ("<!", ">")];
        let mut was_skipped = false;
        for (start, end) in skipped {
            was_skipped = was_skipped || reader.between(start, end)?.is_some();
        }
        if was_skipped {
            continue;
        }
        let (tag, is_end, is_empty) = reader.tag()?;
        if is_end {
            let Some(closed) = open.pop().filter(|element| element.name == tag.name) else {
                return Err(reader.wrong("Opening and ending tag mismatch"));
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return Ok(closed),
            }
        } else if is_empty {
            match open.last_mut() {
                Some(parent) => parent.children.push(tag),
                None => return Ok(tag),
            }
        } else {
            open.push(tag);
        }
    }
}

struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn wrong(&self, what: &str) -> String {
        let done = &self.whole[..self.whole.len() - self.rest.len()];
        let line = done.matches('\n').count() + 1;
        let column = done.rsplit('\n').next().map_or(0, str::len) + 1;
        format!("{line}:{column}: FATAL: {what}")
    }

    /// What stands between two marks, if the text goes on with the first.
    fn between(&mut self, start: &str, end: &str) -> Result<Option<&'a str>, String> {
        let Some(after) = self.rest.strip_prefix(start) else {
            return Ok(None);
        };
        let Some(at) = after.find(end) else {
            return Err(self.wrong("Premature end of data"));
        };
        self.rest = &after[at + end.len()..];
        Ok(Some(&after[..at]))
    }

    /// A tag, whether it ends an element, and whether the element is empty.
    fn tag(&mut self) -> Result<(Element, bool, bool), String> {
        let mut rest = &self.rest[1..];
        let is_end = rest.starts_with('/');
        rest = rest.strip_prefix('/').unwrap_or(rest);
        let ends = |char: char| char.is_whitespace() || char == '>' || char == '/' || char == '=';
        let mut element = Element::default();
        let at = rest.find(ends).unwrap_or(rest.len());
        element.name = rest[..at].to_owned();
        if element.name.is_empty() {
            return Err(self.wrong("StartTag: invalid element name"));
        }
        rest = &rest[at..];
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("/>") {
                self.rest = after;
                return Ok((element, is_end, true));
            }
            if let Some(after) = rest.strip_prefix('>') {
                self.rest = after;
                return Ok((element, is_end, false));
            }
            let at = rest.find(ends).unwrap_or(rest.len());
            let name = &rest[..at];
            let value = rest[at..]
                .trim_start()
                .strip_prefix('=')
                .map(str::trim_start);
            let quoted = value.and_then(|value| {
                let quote = value.chars().next().filter(|char| "\"'".contains(*char))?;
                value[1..].split_once(quote)
            });
            let Some((value, after)) = quoted.filter(|_| !name.is_empty()) else {
                return Err(self.wrong("attributes construct error"));
            };
            let value = self.unescaped(value)?;
            element.attributes.push((name.to_owned(), value));
            rest = after;
        }
    }

    fn unescaped(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut parts = text.split('&');
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (name, after) = part
                .split_once(';')
                .ok_or_else(|| self.wrong("EntityRef: expecting ';'"))?;
            let number = |digits: &str, radix| {
                u32::from_str_radix(digits, radix)
                    .ok()
                    .and_then(char::from_u32)
            };
            let char = match name {
                "lt" => Some('<'),
                "gt" => Some('>'),
                "amp" => Some('&'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => match name.strip_prefix("#x") {
                    Some(digits) => number(digits, 16),
                    None => name.strip_prefix('#').and_then(|digits| number(digits, 10)),
                },
            };
            let unknown = || self.wrong(&format!("Entity '{name}' not defined"));
            out.push(char.ok_or_else(unknown)?);
            out.push_str(after);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_text_and_what_is_skipped() {
        let root = parse(
            "<?xml version='1.0'?><!DOCTYPE x>\n<a one=\"1 &lt; 2\" two='b'><!-- no -->t&#228;<b/><![CDATA[<raw>]]><b>x</b></a>",
        )
        .unwrap();
        assert_eq!(root.attribute("one"), Some("1 < 2"));
        assert_eq!(root.attribute("two"), Some("b"));
        assert_eq!(root.text, "tä<raw>");
        assert_eq!(root.children.len(), 2);
        assert_eq!(root.child("b").unwrap().text, "");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, what) in [
            ("", "1:1: FATAL: Document is empty"),
            (
                "<a>\n<b></a>",
                "2:8: FATAL: Opening and ending tag mismatch",
            ),
            ("<a one>", "1:1: FATAL: attributes construct error"),
            ("<a>&odd;</a>", "1:4: FATAL: Entity 'odd' not defined"),
            ("<a>", "1:4: FATAL: Premature end of data"),
        ] {
            assert_eq!(parse(text).unwrap_err(), what, "{text}");
        }
    }
}
