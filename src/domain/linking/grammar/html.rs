//! Raw HTML in a description: which elements hide what they hold.

use super::Place;

/// Open elements that hide what they hold, across the paragraphs between their tags, as a browser reads them.
#[derive(Debug, Default)]
pub(super) struct Html {
    /// Between `<!--` and `-->`.
    pub(super) in_comment: bool,
    open: Vec<(&'static str, Place)>,
}

/// Elements whose content does not count.
const HIDING: [(&str, Place); 11] = [
    ("code", Place::Code),
    ("pre", Place::Code),
    ("samp", Place::Code),
    ("kbd", Place::Code),
    ("script", Place::Code),
    ("style", Place::Code),
    ("textarea", Place::Code),
    ("blockquote", Place::Quote),
    ("del", Place::Struck),
    ("s", Place::Struck),
    ("strike", Place::Struck),
];

impl Html {
    /// What hides the present text, if anything does.
    pub(super) fn hides(&self) -> Option<Place> {
        if self.in_comment {
            return Some(Place::Comment);
        }
        self.open.last().map(|(_, place)| *place)
    }

    /// Takes what stands between `<` and `>`; whether a new line begins there.
    pub(super) fn element(&mut self, inner: &str) -> bool {
        let closing = inner.starts_with('/');
        let name = inner.trim_start_matches('/');
        let name = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        let hiding = HIDING
            .iter()
            .find(|(hiding, _)| hiding.eq_ignore_ascii_case(name));
        match hiding {
            Some((hiding, _)) if closing => {
                if let Some(at) = self.open.iter().rposition(|(open, _)| open == hiding) {
                    self.open.truncate(at);
                }
            }
            // More of them hide no more than these, and each has to be looked through.
            Some(found) if !inner.ends_with('/') && self.open.len() < 64 => self.open.push(*found),
            Some(_) | None => {}
        }
        ["br", "p", "div", "li", "td", "th", "tr", "summary"]
            .iter()
            .any(|line| line.eq_ignore_ascii_case(name))
    }
}
