//! What a reader of the rendered description sees as plain text, and where each piece of it stands in the source.
//!
//! Code, comments, quotations and struck-out text are set aside: they do not count, but a link that was put there by mistake
//! can be pointed at. The Markdown is read as GitLab reads it, by the CommonMark library plus the few things GitLab adds.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::html::Html;

/// Ends a paragraph, a heading or a table cell.
pub(super) const BLOCK: char = '\u{0}';
/// Begins an item of a list.
pub(super) const ITEM: char = '\u{1}';
/// Stands for something that is shown but is no prose: code, an image.
pub(super) const OPAQUE: char = '\u{2}';
/// Begins a list.
pub(super) const LIST: char = '\u{3}';
/// Ends a list.
pub(super) const LIST_END: char = '\u{4}';

/// Why a piece of text does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Inline code, a code block, or `<pre>` and its like.
    Code,
    /// An HTML comment: where templates keep their examples.
    Comment,
    /// A quotation.
    Quote,
    /// Struck out: taken back.
    Struck,
}

/// A link of the Markdown: the words that carry it, and where it leads.
#[derive(Debug)]
pub(super) struct Anchor {
    /// Where its words stand in the text.
    pub(super) words: Range<usize>,
    /// Where the whole of it stands in the source.
    pub(super) source: Range<usize>,
    pub(super) url: String,
}

/// The text that counts.
#[derive(Debug, Default)]
pub(super) struct Prose {
    /// What is shown, with the signs above between its parts.
    pub(super) text: String,
    /// In the order of the text.
    pub(super) anchors: Vec<Anchor>,
    /// Source ranges that do not count.
    pub(super) aside: Vec<(Place, Range<usize>)>,
    /// Inline code by its place in the text, with its source range.
    pub(super) code: Vec<(usize, Range<usize>)>,
    /// Where each run of the text comes from: position in the text, range in the source.
    runs: Vec<(usize, Range<usize>)>,
}

impl Prose {
    /// Reads Markdown.
    pub(super) fn of(source: &str) -> Self {
        let mut reader = Reader {
            source,
            prose: Self::default(),
            hidden: 0,
            quotes: Vec::new(),
            fenced_quote: false,
            html: Html::default(),
            anchor: None,
            in_html: false,
        };
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_FOOTNOTES;
        for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
            reader.take(event, range);
        }
        reader.prose
    }

    /// Text as it is, which begins at a place of the source.
    pub(super) fn plain(text: &str, at: usize) -> Self {
        Self {
            text: text.to_owned(),
            runs: vec![(0, at..at + text.len())],
            ..Self::default()
        }
    }

    /// The place in the source of a position in the text.
    pub(super) fn source_of(&self, position: usize) -> usize {
        let after = self.runs.partition_point(|(at, _)| *at <= position);
        match after.checked_sub(1).and_then(|index| self.runs.get(index)) {
            Some((at, range)) => (range.start + (position - at)).min(range.end),
            None => 0,
        }
    }

    /// The link whose words begin here.
    pub(super) fn anchor_at(&self, position: usize) -> Option<&Anchor> {
        let index = self
            .anchors
            .binary_search_by_key(&position, |anchor| anchor.words.start);
        index.ok().map(|index| &self.anchors[index])
    }

    /// The source range of the inline code that stands here.
    pub(super) fn code_at(&self, position: usize) -> Option<Range<usize>> {
        let index = self.code.binary_search_by_key(&position, |(at, _)| *at);
        index.ok().map(|index| self.code[index].1.clone())
    }
}

/// Invisible marks within words: direction, joiners, soft hyphens. (A zero-width space is a gap between words.) A carriage return is
/// one too: raw HTML keeps those of Windows' line ends.
fn is_invisible(c: char) -> bool {
    matches!(c, '\r' | '\u{ad}' | '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

struct Reader<'a> {
    source: &'a str,
    prose: Prose,
    /// How many elements hide the present text.
    hidden: usize,
    /// The open quotations, and whether each hides: a box such as `> [!note]` does not.
    quotes: Vec<bool>,
    /// Between two lines of `>>>`, GitLab's quotation of several paragraphs.
    fenced_quote: bool,
    html: Html,
    anchor: Option<(usize, Range<usize>, String)>,
    in_html: bool,
}

impl Reader<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the Markdown library's own enum: all else shows nothing"
    )]
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text, range),
            Event::SoftBreak | Event::HardBreak => self.text("\n", range),
            Event::Code(_) => {
                self.aside(Place::Code, range.clone());
                if self.shows() {
                    self.prose.code.push((self.prose.text.len(), range));
                    self.prose.text.push(OPAQUE);
                }
            }
            Event::InlineHtml(_) => self.html_piece(range),
            Event::Html(_) if !self.in_html => self.html_piece(range),
            Event::Rule => self.sign(BLOCK),
            _ => {}
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the Markdown library's own enum: all else is text like any other"
    )]
    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::CodeBlock(_) => {
                self.aside(Place::Code, range);
                self.hidden += 1;
            }
            Tag::BlockQuote(_) => {
                // Only the outermost one: each would look at the same lines again.
                if self.quotes.is_empty() {
                    self.quotation_fences(range.clone());
                }
                // GitLab knows no box within several others; each would be looked at.
                let hides = self.quotes.len() > 2 || !is_alert(&self.source[range.clone()]);
                if hides {
                    self.aside(Place::Quote, range);
                }
                self.hidden += usize::from(hides);
                self.quotes.push(hides);
            }
            Tag::Strikethrough => {
                self.aside(Place::Struck, range);
                self.hidden += 1;
            }
            Tag::HtmlBlock => {
                self.in_html = true;
                self.html_piece(range);
                self.sign(BLOCK);
            }
            Tag::Image { .. } => {
                self.sign(OPAQUE);
                self.hidden += 1;
            }
            Tag::Link { dest_url, .. } if self.shows() => {
                self.anchor = Some((self.prose.text.len(), range, dest_url.into_string()));
            }
            Tag::Paragraph if self.fenced_quote => self.aside(Place::Quote, range),
            Tag::List(_) => self.sign(LIST),
            Tag::Item => self.sign(ITEM),
            _ => {}
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the Markdown library's own enum: all else shows nothing"
    )]
    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::CodeBlock | TagEnd::Image | TagEnd::Strikethrough => self.hidden -= 1,
            TagEnd::BlockQuote(_) => {
                self.hidden -= usize::from(self.quotes.pop() == Some(true));
            }
            TagEnd::HtmlBlock => self.in_html = false,
            TagEnd::Link => {
                if let Some((start, source, url)) = self.anchor.take() {
                    let words = start..self.prose.text.len();
                    self.prose.anchors.push(Anchor { words, source, url });
                }
            }
            TagEnd::List(_) => self.sign(LIST_END),
            TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::Item
            | TagEnd::TableCell
            | TagEnd::FootnoteDefinition => self.sign(BLOCK),
            _ => {}
        }
    }

    /// Each line of nothing but `>>>` begins or ends GitLab's quotation of several paragraphs.
    fn quotation_fences(&mut self, range: Range<usize>) {
        let is_fence = |line: &&str| {
            let line = line.trim();
            line.len() >= 3 && line.bytes().all(|byte| byte == b'>')
        };
        let fences = self.source[range].lines().filter(is_fence).count();
        self.fenced_quote ^= fences % 2 == 1;
    }

    fn shows(&self) -> bool {
        self.hidden == 0 && !self.fenced_quote && self.html.hides().is_none()
    }

    fn sign(&mut self, sign: char) {
        if self.shows() {
            self.prose.text.push(sign);
        }
    }

    fn aside(&mut self, place: Place, range: Range<usize>) {
        // What is hidden already is not hidden again.
        let last = self.prose.aside.last().map_or(0, |(_, last)| last.end);
        if range.end > last {
            self.prose
                .aside
                .push((place, range.start.max(last)..range.end));
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        if !self.shows() {
            if let (Some(place), 0) = (self.html.hides(), self.hidden) {
                self.aside(place, range);
            }
            return;
        }
        let prose = &mut self.prose;
        if !text.contains(is_invisible) {
            prose.runs.push((prose.text.len(), range));
            prose.text.push_str(text);
            return;
        }
        let mut start = range.start;
        for part in text.split_inclusive(is_invisible) {
            let shown = part.trim_end_matches(is_invisible);
            prose
                .runs
                .push((prose.text.len(), start.min(range.end)..range.end));
            prose.text.push_str(shown);
            start += part.len();
        }
    }

    /// Raw HTML: its text shows, its comments do not, and some elements hide what they hold.
    fn html_piece(&mut self, range: Range<usize>) {
        let source = self.source;
        let mut at = range.start;
        while at < range.end {
            let rest = &source[at..range.end];
            if self.html.in_comment {
                let end = rest.find("-->").map_or(rest.len(), |end| end + 3);
                self.html.in_comment = !rest[..end].ends_with("-->");
                self.aside(Place::Comment, at..at + end);
                at += end;
            } else if rest.starts_with("<!--") {
                self.html.in_comment = true;
            } else if let Some(inner) = rest.strip_prefix('<') {
                let end = inner.find(['<', '>']);
                match end {
                    Some(end) if inner[end..].starts_with('>') => {
                        if self.html.element(&inner[..end]) {
                            self.text("\n", at..at + end + 2);
                        }
                        at += end + 2;
                    }
                    Some(_) | None => {
                        self.text("<", at..at + 1);
                        at += 1;
                    }
                }
            } else {
                let end = rest.find('<').unwrap_or(rest.len());
                self.text(&rest[..end], at..at + end);
                at += end;
            }
        }
    }
}

/// The author's own words in a box, not a quotation: `> [!note]`.
fn is_alert(quote: &str) -> bool {
    let head: String = quote.chars().take(40).take_while(|c| *c != '\n').collect();
    let head = head.to_ascii_lowercase();
    let Some(kind) = head.trim_start_matches(['>', ' ', '\t']).strip_prefix("[!") else {
        return false;
    };
    ["note]", "tip]", "important]", "caution]", "warning]"]
        .iter()
        .any(|alert| kind.starts_with(alert))
}
