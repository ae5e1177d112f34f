//! What only comes near a link: other words, a denial, a reference in code.

use std::ops::Range;

use super::prose::Prose;
use super::reference::{Found, cut, is_gap, number};
use super::scan::{Scan, Verb, noun_end, skip};
use super::{MOST_REMARKS, Near, Problem, QUOTED, Remark};

/// How far behind a verb, in bytes, the sign of a link is looked for.
const SOON: usize = 160;
/// How many words may stand between a verb and a reference that it might mean.
const WORDS_BETWEEN: usize = 4;

/// Whether the word "feature" or a sign of a reference follows soon: most verbs stand in prose.
pub(super) fn might_lead_somewhere(text: &str, at: usize) -> bool {
    let bytes = &text.as_bytes()[at..];
    let soon = &bytes[..bytes.len().min(SOON)];
    soon.contains(&b'#')
        || soon.iter().all(u8::is_ascii_whitespace)
        || soon.windows(3).any(|three| {
            three.eq_ignore_ascii_case(b"fea") || three == b"://" || three == "＃".as_bytes()
        })
}

impl Scan<'_> {
    pub(super) fn in_code(&mut self, verb: &Verb, code: Range<usize>, at: usize) {
        let inner = self.source[code].trim_matches(['`', ' ']).to_owned();
        let plain = Prose::plain(&inner, 0);
        if let Some(found) = self.grammar.reference(&plain, 0)
            && !found.bare
            && let Ok(target) = &found.outcome
        {
            let iid = number(target);
            self.problem(verb, at..at + 1, Problem::InCode { iid });
        }
    }

    /// "does not close feature #42" says the contrary.
    pub(super) fn is_denied(&self, verb: usize) -> bool {
        let before = &self.prose.text[..verb];
        let start = before
            .char_indices()
            .rev()
            .take(24)
            .last()
            .map_or(0, |(start, _)| start);
        let phrase = before[start..].to_lowercase().replace('’', "'");
        let words: Vec<&str> = phrase.split_whitespace().collect();
        match words[..] {
            [.., "no", "longer"] => true,
            [.., last] => {
                matches!(last, "not" | "never" | "without" | "cannot") || last.ends_with("n't")
            }
            [] => false,
        }
    }

    pub(super) fn denied(&mut self, verb: &Verb, noun_end: usize) -> usize {
        let at = skip(&self.prose.text, noun_end, is_gap);
        let Some(found) = self.grammar.reference(self.prose, at) else {
            return noun_end;
        };
        let end = found.end;
        if !found.bare {
            self.remark(verb, found, Near::Denied);
        }
        end
    }

    /// Other words than those of a link, and a reference soon after: worth a remark. Returns where to go on.
    pub(super) fn near(&mut self, verb: &Verb) -> usize {
        let text = self.prose.text.as_str();
        let end = verb.range.end;
        let (mut at, mut says_feature) = (end, false);
        for between in 0..=WORDS_BETWEEN {
            at = skip(text, at, |c| {
                (is_gap(c) && c != '\n') || matches!(c, ':' | '"' | '(' | '[')
            });
            let found = self.grammar.reference(self.prose, at);
            if let Some(found) = found.filter(|found| found.outcome.is_ok() && !found.bare) {
                let why = if says_feature {
                    Near::OtherWords
                } else if verb.exact && between == 0 {
                    Near::NoFeatureWord
                } else {
                    return end;
                };
                let end = found.end;
                self.remark(verb, found, why);
                return end;
            }
            let word = skip(text, at, |c| c.is_alphabetic() || c == '-' || c == '\'');
            if word == at {
                return end;
            }
            says_feature |= noun_end(text, at) == Some(word);
            at = word;
        }
        end
    }

    fn remark(&mut self, verb: &Verb, found: Found, why: Near) {
        if self.reading.remarks.len() < MOST_REMARKS {
            let reference = cut(&self.prose.text[found.start..found.end], QUOTED);
            let line = self.line(Some(&verb.range), found.start..found.end);
            self.reading.remarks.push(Remark {
                kind: verb.kind,
                line,
                why,
                reference,
            });
        }
    }
}
