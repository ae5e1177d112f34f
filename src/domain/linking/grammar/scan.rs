//! Walks through the text that counts: a verb, the word "feature", and the list of references behind it.
//!
//! What only comes near a link is in `near`.

use std::collections::HashSet;
use std::ops::Range;

use super::near::might_lead_somewhere;
use super::prose::{ITEM, LIST, LIST_END, Prose};
use super::reference::{Found, cut, is_gap, is_sign, joins, number};
use super::{
    Claim, Grammar, Line, MOST_FEATURES, MOST_REMARKS, Problem, QUOTED, Reading, Target, Unreadable,
};
use crate::domain::linking::LinkKind;

/// A verb that was found.
pub(super) struct Verb {
    pub(super) kind: LinkKind,
    /// One of the verbs that make a link, not one that merely sounds like it.
    pub(super) exact: bool,
    pub(super) range: Range<usize>,
}

pub(super) struct Scan<'a> {
    pub(super) grammar: &'a Grammar,
    pub(super) prose: &'a Prose,
    pub(super) source: &'a str,
    line_starts: Vec<usize>,
    pub(super) reading: Reading,
    known: HashSet<(LinkKind, Option<String>, u64)>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(grammar: &'a Grammar, prose: &'a Prose, source: &'a str) -> Self {
        Self {
            grammar,
            prose,
            source,
            line_starts: Vec::new(),
            reading: Reading::default(),
            known: HashSet::new(),
        }
    }

    pub(super) fn read(mut self) -> Reading {
        let text = self.prose.text.as_str();
        let mut from = 0;
        while let Some(found) = self.grammar.verb.find_at(text, from) {
            let range = found.range();
            // "discloses", "un-closes"; text without letter case (Chinese, Japanese, Arabic) may run up to the word.
            let mut before = text[..range.start].chars().rev();
            let continues = match before.next() {
                Some('-') => before.next().is_some_and(joins),
                other => other.is_some_and(joins),
            };
            from = range.end;
            if !continues && might_lead_somewhere(text, range.end) {
                from = self.after_verb(&self.verb(range));
            }
            if self.reading.too_many {
                break;
            }
        }
        self.reading
    }

    /// Which verb it is.
    fn verb(&self, range: Range<usize>) -> Verb {
        let word = &self.prose.text[range.clone()];
        let groups = self.grammar.verb.captures(word);
        let is = |name: &str| {
            groups
                .as_ref()
                .is_some_and(|groups| groups.name(name).is_some())
        };
        let exact = is("closes") || is("contributes");
        let sounds_contributing = word
            .get(.."contribut".len())
            .is_some_and(|start| start.eq_ignore_ascii_case("contribut"));
        let contributing = is("contributes") || (!exact && sounds_contributing);
        Verb {
            kind: if contributing {
                LinkKind::Contributes
            } else {
                LinkKind::Closes
            },
            exact,
            range,
        }
    }

    /// Reads what follows a verb; returns where to go on.
    fn after_verb(&mut self, verb: &Verb) -> usize {
        let text = self.prose.text.as_str();
        let end = verb.range.end;
        if verb.exact
            && let Some((noun_end, colon)) = self.noun(end)
        {
            if self.is_denied(verb.range.start) {
                return self.denied(verb, noun_end);
            }
            return self.after_noun(verb, noun_end, colon);
        }
        if text[end..].starts_with(|c: char| joins(c) || c == '-') {
            return end;
        }
        self.near(verb)
    }

    /// "feature", "features" or "feature(s)" behind a gap: where it ends, and whether a colon follows.
    fn noun(&self, at: usize) -> Option<(usize, bool)> {
        let text = self.prose.text.as_str();
        let before_colon = skip(text, at, |c| is_gap(c) && c != '\n');
        let after_colon = skip(text, before_colon, |c| matches!(c, ':' | '：'));
        let start = skip(text, after_colon, is_gap);
        if start == at && text[..at].ends_with(joins) {
            return None;
        }
        let end = noun_end(text, start)?;
        let colon = skip(text, skip(text, end, is_gap), |c| matches!(c, ':' | '：'));
        let has_colon = text[..colon].ends_with([':', '：']);
        Some(if has_colon {
            (colon, true)
        } else {
            (end, false)
        })
    }

    fn after_noun(&mut self, verb: &Verb, noun_end: usize, colon: bool) -> usize {
        let text = self.prose.text.as_str();
        let at = skip(text, noun_end, is_gap);
        if let Some(code) = self.prose.code_at(at) {
            self.in_code(verb, code, at);
            return noun_end;
        }
        if text[at..].chars().next().is_none_or(is_sign) {
            return self.in_next_block(verb, noun_end, at);
        }
        match self.grammar.reference(self.prose, at) {
            Some(found) => self.list(verb, found),
            None if colon && text[noun_end..at].contains('\n') => {
                self.problem(verb, noun_end..noun_end, Problem::NoNumber);
                noun_end
            }
            None => self.near(verb).max(noun_end),
        }
    }

    /// "Closes features:" above a list or a paragraph that begins with a reference, or in the cell beside it.
    fn in_next_block(&mut self, verb: &Verb, noun_end: usize, at: usize) -> usize {
        let text = self.prose.text.as_str();
        let next = skip(text, at, |c| is_gap(c) || is_sign(c));
        let signs = &text[at..next];
        let first = self.grammar.reference(self.prose, next);
        let Some(first) = first.filter(|found| !found.bare && !signs.contains(LIST_END)) else {
            self.problem(verb, noun_end..noun_end, Problem::NoNumber);
            return noun_end;
        };
        let mut end = self.list(verb, first);
        let mut depth = signs.matches(LIST).count();
        let mut at = end;
        while depth > 0 && !self.reading.too_many {
            let Some(sign) = text[at..].find([LIST, LIST_END, ITEM]) else {
                break;
            };
            at += sign + 1;
            match text[..at].chars().next_back() {
                Some(LIST) => depth += 1,
                Some(LIST_END) => depth -= 1,
                _ => {
                    if let Some(found) = self.grammar.reference(self.prose, at)
                        && !found.bare
                    {
                        end = self.list(verb, found);
                        at = end;
                    }
                }
            }
        }
        end
    }

    /// Reads references until something else follows; returns where the list ends.
    fn list(&mut self, verb: &Verb, first: Found) -> usize {
        let text = self.prose.text.as_str();
        let mut found = first;
        let mut alone = true;
        loop {
            let end = found.end;
            let next = self.next_in_list(end);
            alone &= next.is_none();
            self.take(verb, found, alone);
            match next {
                Some(next) if !self.reading.too_many => found = next,
                Some(_) | None => return end.min(text.len()),
            }
        }
    }

    /// The reference after a separator.
    fn next_in_list(&self, end: usize) -> Option<Found> {
        let text = self.prose.text.as_str();
        let closed = skip(text, end, |c| {
            matches!(
                c,
                '"' | '\''
                    | '”'
                    | '’'
                    | '»'
                    | '«'
                    | '」'
                    | '』'
                    | ')'
                    | '）'
                    | ']'
                    | '】'
                    | '>'
                    | '*'
                    | '_'
                    | '~'
            )
        });
        let described = after_brackets(text, closed);
        let (at, separated) = separator(text, described);
        if !separated {
            // `#1 #2`: nothing but a space between two references of the same line.
            let spaced = text[described..].starts_with(' ') && text[at..].starts_with(['#', '＃']);
            return if spaced {
                self.grammar
                    .reference(self.prose, at)
                    .filter(|f| f.outcome.is_ok())
            } else {
                None
            };
        }
        let at = match noun_end(text, at) {
            Some(end) => skip(text, end, |c| is_gap(c) || matches!(c, ':' | '：')),
            None => at,
        };
        let found = self.grammar.reference(self.prose, at)?;
        // "#1, 2 people asked": a number that begins a phrase.
        let ends_phrase = || {
            let after = text[found.end..].trim_start_matches(' ');
            after
                .chars()
                .next()
                .is_none_or(|c| is_sign(c) || matches!(c, '\n' | '.' | ',' | ';' | ')' | '!'))
                || separator(text, found.end).1
        };
        (!found.bare || ends_phrase()).then_some(found)
    }

    fn take(&mut self, verb: &Verb, found: Found, alone: bool) {
        match found.outcome {
            Ok(target) => {
                let project = match &target {
                    Target::Here { .. } => None,
                    Target::There(feature) => Some(feature.project.to_string()),
                };
                if !self.known.insert((verb.kind, project, number(&target))) {
                    return;
                }
                if self.reading.claims.len() >= 2 * MOST_FEATURES {
                    self.reading.too_many = true;
                    return;
                }
                let mut line = self.line(Some(&verb.range), found.start..found.end);
                line.alone = alone;
                self.reading.claims.push(Claim {
                    kind: verb.kind,
                    target,
                    line,
                });
            }
            Err(problem) => self.problem(verb, found.start..found.end, problem),
        }
    }

    pub(super) fn problem(&mut self, verb: &Verb, reference: Range<usize>, problem: Problem) {
        if self.reading.problems.len() < MOST_REMARKS {
            let line = self.line(Some(&verb.range), reference);
            self.reading.problems.push(Unreadable {
                kind: verb.kind,
                line,
                problem,
            });
        }
    }

    /// The line of the source that a range of the text stands on.
    pub(super) fn line(&mut self, verb: Option<&Range<usize>>, reference: Range<usize>) -> Line {
        if self.line_starts.is_empty() {
            let ends = self.source.match_indices('\n').map(|(at, _)| at + 1);
            self.line_starts = std::iter::once(0).chain(ends).collect();
        }
        let source_range = |range: &Range<usize>| {
            let end = range
                .end
                .checked_sub(1)
                .map_or(0, |last| self.prose.source_of(last) + 1);
            // Nothing stands there: the place behind what stands before.
            let start = if range.is_empty() {
                end
            } else {
                self.prose.source_of(range.start)
            };
            start.min(end)..end
        };
        let place = match self.prose.anchor_at(reference.start) {
            Some(anchor) => anchor.source.clone(),
            None => match self.prose.code_at(reference.start) {
                Some(code) => code,
                None => source_range(&reference),
            },
        };
        let number = self
            .line_starts
            .partition_point(|start| *start <= place.start);
        let start = self.line_starts[number - 1];
        let end = self
            .line_starts
            .get(number)
            .map_or(self.source.len(), |next| next - 1);
        let whole = &self.source[start..end];
        let start = start + whole.len() - whole.trim_start().len();
        let text = cut(whole.trim(), QUOTED);
        let within = |range: Range<usize>| {
            let range = range.start.checked_sub(start)?..range.end.checked_sub(start)?;
            text.get(range.clone()).is_some().then_some(range)
        };
        Line {
            number,
            verb: verb.and_then(|verb| within(source_range(verb))),
            reference: within(place),
            alone: false,
            text,
        }
    }
}

/// The end of the word "feature" that begins here.
pub(super) fn noun_end(text: &str, at: usize) -> Option<usize> {
    let word = text.get(at..at + "feature".len())?;
    if !word.eq_ignore_ascii_case("feature") {
        return None;
    }
    let end = at + word.len();
    let rest = &text[end..];
    let plural = ["(s)", "(S)", "s", "S"]
        .iter()
        .find(|plural| rest.starts_with(**plural));
    let end = end + plural.map_or(0, |plural| plural.len());
    (!text[end..].starts_with(|c: char| joins(c) || c == '-')).then_some(end)
}

pub(super) fn skip(text: &str, at: usize, what: impl Fn(char) -> bool) -> usize {
    text.len() - text[at..].trim_start_matches(what).len()
}

/// Behind a remark in brackets, `#1 (login)`, if there is one.
fn after_brackets(text: &str, at: usize) -> usize {
    let inner = skip(text, at, |c| c == ' ');
    if !text[inner..].starts_with('(') {
        return at;
    }
    let mut depth = 0usize;
    for (offset, c) in text[inner..].char_indices().take(120) {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return inner + offset + 1,
            ')' => depth -= 1,
            '\n' => return at,
            c if is_sign(c) => return at,
            _ => {}
        }
    }
    at
}

/// Behind commas, "and", "&" and the like; and whether there were any.
fn separator(text: &str, at: usize) -> (usize, bool) {
    let mut at = skip(text, at, is_gap);
    let mut separated = false;
    loop {
        let rest = &text[at..];
        let sign = rest
            .chars()
            .next()
            .filter(|c| matches!(c, ',' | '，' | '、' | ';' | '；' | '&' | '＆' | '+' | '/'));
        let word = ["and", "plus", "also"].iter().find(|word| {
            rest.get(..word.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(word))
                && !rest[word.len()..].starts_with(joins)
        });
        let length = sign.map_or(word.map_or(0, |word| word.len()), char::len_utf8);
        if length == 0 {
            return (at, separated);
        }
        separated = true;
        at = skip(text, at + length, is_gap);
    }
}
