//! How a description is read: which words make a link, what a reference looks like, and what is not looked at.
//!
//! The grammar is the design's: `contributes to feature(s)` or `closes feature(s)`, an optional colon, then references
//! separated by commas, "and" or "&". Code, HTML comments and quotations of other people's words do not count.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};
use regex::Regex;

use super::LinkKind;
use crate::domain::ids::{FeatureId, ProjectPath};

/// Where a reference points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A bare `#34`: the project where this project keeps its features.
    Here { iid: u64 },
    /// A reference that names its project.
    There(FeatureId),
}

/// One reference behind the words that make it a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Contributes or closes.
    pub kind: LinkKind,
    /// The feature.
    pub target: Target,
    /// The line it stands on, from 1.
    pub line: usize,
    /// That line, trimmed and cut to 200 characters. Untrusted text.
    pub text: String,
}

/// A line that was meant as a link and cannot be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The line it stands on, from 1.
    pub line: usize,
    /// That line, trimmed and cut to 200 characters. Untrusted text.
    pub text: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line that was meant as a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// `closes feature 42`: a number without `#`.
    NoHash { iid: u64 },
    /// `closes feature !42`: a merge request.
    MergeRequest { iid: u64 },
    /// `closes feature #`: a template that nobody filled in.
    NoNumber,
    /// `#0`, or a number that no issue can have.
    BadNumber { digits: String },
    /// The address of an issue on another server, or of something that is not an issue.
    NotAnIssueHere { url: String },
}

/// What a description says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Links, in the order they are written.
    pub claims: Vec<Claim>,
    /// Lines that were meant as links.
    pub problems: Vec<Unreadable>,
}

/// The grammar, ready to read descriptions of one project.
#[derive(Debug)]
pub struct Grammar {
    keyword: Regex,
    reference: Regex,
    separator: Regex,
    after_link_text: Regex,
    issue_path: Regex,
    html: Regex,
    server: String,
    namespace: String,
}

/// White space, and the invisible marks that right-to-left text carries between words.
const GAP: &str = r"[\s\u{200b}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{feff}]";

impl Grammar {
    /// `server_url` is where this GitLab answers, with its relative root; `home` is the project whose merge requests are read;
    /// the extra words are verbs that the project adds to "closes" and "contributes to".
    ///
    /// # Errors
    /// When the extra words make the pattern too large to compile.
    pub fn new(
        server_url: &str,
        home: &ProjectPath,
        extra_closing: &[String],
        extra_contributing: &[String],
    ) -> Result<Self, regex::Error> {
        let closing = alternatives("clos(?:e|es|ing)", extra_closing);
        let contributing = alternatives(
            &format!("contribut(?:e|es|ing){GAP}+to"),
            extra_contributing,
        );
        let keyword = format!(
            r"(?i)(?:(?P<closes>{closing})|(?P<contributes>{contributing})):?{GAP}+feature(?:\(s\)|s)?{GAP}*[:：]?"
        );
        let path = r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*";
        let reference = format!(
            r#"(?i)^(?:{GAP}|[*_<"'\[(])*(?:(?P<url>https?://[^\s<>()\[\]"'*,;]+)|(?P<path>{path})?[#＃](?P<iid>[0-9]*)|(?P<mr>!)(?P<mriid>[0-9]+)|(?P<bare>[0-9]+)|\[[^\]\n]*\]\((?P<linked>https?://[^\s<>()]+)\))"#
        );
        Ok(Self {
            keyword: Regex::new(&keyword)?,
            reference: Regex::new(&reference)?,
            separator: Regex::new(&format!(
                r#"(?i)^(?:[*_>"'\])]|\([^()\s]*\))*{GAP}*(?:(?:,|，|、|;|&|\band\b){GAP}*)+(?:features?{GAP}*:?)?"#
            ))?,
            after_link_text: Regex::new(r"^\]\((?P<linked>https?://[^\s<>()]+)\)")?,
            issue_path: Regex::new(
                r"^(?P<path>.+?)(?:/-)?/(?:issues|work_items)/(?P<iid>[0-9]+)/?(?:[?#].*)?$",
            )?,
            html: Regex::new(r"(?s)<!--.*?(?:-->|\z)|<[^<>]*>")?,
            server: without_scheme(server_url),
            namespace: home
                .as_str()
                .rsplit_once('/')
                .map_or("", |(namespace, _)| namespace)
                .to_owned(),
        })
    }

    /// Reads a description.
    pub fn read(&self, description: &str) -> Reading {
        let visible = self.visible(description);
        let lines = Lines::of(description);
        let mut reading = Reading::default();
        let mut from = 0;
        while let Some(found) = self.keyword.captures_at(&visible, from) {
            let whole = found.get(0).expect("group 0 always matches");
            from = whole.end();
            let word_start = found
                .name("closes")
                .or_else(|| found.name("contributes"))
                .map_or(whole.start(), |m| m.start());
            if continues_a_word(&visible[..word_start]) || has_blank_line(whole.as_str()) {
                continue;
            }
            let kind = if found.name("closes").is_some() {
                LinkKind::Closes
            } else {
                LinkKind::Contributes
            };
            from = self.read_list(kind, &visible, whole.end(), &lines, &mut reading);
        }
        reading
    }

    /// Reads references from `at` on; returns where the list ends.
    fn read_list(
        &self,
        kind: LinkKind,
        visible: &str,
        mut at: usize,
        lines: &Lines<'_>,
        reading: &mut Reading,
    ) -> usize {
        loop {
            let rest = &visible[at..];
            let Some(found) = self.reference.captures(rest) else {
                return at;
            };
            let whole = found.get(0).expect("group 0 always matches");
            let mut end = at + whole.end();
            let followed_by_word = visible[end..]
                .trim_start_matches('_')
                .starts_with(char::is_alphanumeric);
            if has_blank_line(whole.as_str()) || (followed_by_word && found.name("url").is_none()) {
                return at;
            }
            let outcome = if let Some(url) = found.name("url").or_else(|| found.name("linked")) {
                self.issue_at(url.as_str())
            } else if let Some(iid) = found.name("iid") {
                self.issue_numbered(found.name("path").map(|m| m.as_str()), iid.as_str())
            } else if let Some(iid) = found.name("mriid") {
                iid.as_str()
                    .parse()
                    .map(|iid| Err(Problem::MergeRequest { iid }))
                    .unwrap_or_else(|_| bad_number(iid.as_str()))
            } else {
                let digits = found.name("bare").map_or("", |m| m.as_str());
                digits
                    .parse()
                    .map(|iid| Err(Problem::NoHash { iid }))
                    .unwrap_or_else(|_| bad_number(digits))
            };
            if let Some(link) = self.after_link_text.find(&visible[end..]) {
                end += link.end();
            }
            let start = at + whole.as_str().len() - whole.as_str().trim_start().len();
            let (line, text) = lines.at(start.min(end));
            match outcome {
                Ok(target) => reading.claims.push(Claim {
                    kind,
                    target,
                    line,
                    text,
                }),
                Err(problem) => reading.problems.push(Unreadable {
                    line,
                    text,
                    problem,
                }),
            }
            let Some(separator) = self.separator.find(&visible[end..]) else {
                return end;
            };
            if has_blank_line(separator.as_str()) {
                return end;
            }
            at = end + separator.end();
            if self
                .reference
                .captures(&visible[at..])
                .is_none_or(|next| next.name("bare").is_some())
            {
                return end;
            }
        }
    }

    fn issue_numbered(&self, path: Option<&str>, digits: &str) -> Result<Target, Problem> {
        if digits.is_empty() {
            return Err(Problem::NoNumber);
        }
        let iid = match digits.parse() {
            Ok(iid) if iid > 0 => iid,
            Ok(_) | Err(_) => return bad_number(digits),
        };
        let Some(path) = path else {
            return Ok(Target::Here { iid });
        };
        let full = if path.contains('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.namespace)
        };
        match full.parse() {
            Ok(project) => Ok(Target::There(FeatureId { project, iid })),
            Err(_not_a_path) => bad_number(digits),
        }
    }

    fn issue_at(&self, url: &str) -> Result<Target, Problem> {
        let foreign = || Problem::NotAnIssueHere {
            url: url.chars().take(200).collect(),
        };
        let address = without_scheme(url.trim_end_matches(['.', ':', '!', '?']));
        let local = address
            .strip_prefix(&self.server)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or_else(foreign)?;
        let found = self.issue_path.captures(local).ok_or_else(foreign)?;
        let project: ProjectPath = found["path"].parse().map_err(|_not_a_path| foreign())?;
        match found["iid"].parse() {
            Ok(iid) if iid > 0 => Ok(Target::There(FeatureId { project, iid })),
            Ok(_) | Err(_) => bad_number(&found["iid"]),
        }
    }

    /// The description with everything that does not count overwritten, byte positions unchanged.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the Markdown library's own enum: all else counts as text"
    )]
    fn visible(&self, description: &str) -> String {
        let mut bytes = description.as_bytes().to_vec();
        let options =
            Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
        for (event, range) in Parser::new_ext(description, options).into_offset_iter() {
            match event {
                Event::Code(_) | Event::Start(Tag::CodeBlock(_) | Tag::BlockQuote(_)) => {
                    blank(&mut bytes, range)
                }
                Event::InlineHtml(_) => blank(&mut bytes, range),
                Event::Start(Tag::HtmlBlock) => {
                    for hidden in self.html.find_iter(&description[range.clone()]) {
                        blank(
                            &mut bytes,
                            range.start + hidden.start()..range.start + hidden.end(),
                        );
                    }
                }
                _ => {}
            }
        }
        String::from_utf8(bytes).expect("only whole characters are overwritten, by ASCII")
    }
}

/// Line starts of a text, for finding the line of a position.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self { text, starts }
    }

    fn at(&self, position: usize) -> (usize, String) {
        let number = self.starts.partition_point(|start| *start <= position);
        let start = self.starts[number - 1];
        let end = self
            .starts
            .get(number)
            .map_or(self.text.len(), |next| next - 1);
        (
            number,
            self.text[start..end].trim().chars().take(200).collect(),
        )
    }
}

/// Overwrites with a character that neither a word nor a reference can contain; line ends stay.
fn blank(bytes: &mut [u8], range: Range<usize>) {
    for byte in &mut bytes[range] {
        if *byte != b'\n' {
            *byte = 0;
        }
    }
}

fn alternatives(own: &str, extra: &[String]) -> String {
    let extra = extra.iter().map(|word| {
        let words: Vec<String> = word.split_whitespace().map(regex::escape).collect();
        words.join(&format!("{GAP}+"))
    });
    std::iter::once(own.to_owned())
        .chain(extra.filter(|word| !word.is_empty()))
        .collect::<Vec<_>>()
        .join("|")
}

/// "discloses feature #1" is not a link; text without letter case (Chinese, Japanese, Arabic) may run up to the word.
fn continues_a_word(before: &str) -> bool {
    before.chars().next_back().is_some_and(|c| {
        c.is_ascii_digit() || c == '_' || c == '-' || c.is_lowercase() || c.is_uppercase()
    })
}

fn has_blank_line(text: &str) -> bool {
    text.split('\n')
        .skip(1)
        .collect::<Vec<_>>()
        .split_last()
        .is_some_and(|(_, inner)| inner.iter().any(|l| l.trim().is_empty()))
}

fn without_scheme(url: &str) -> String {
    let rest = url
        .split_once("://")
        .map_or(url, |(_, rest)| rest)
        .trim_end_matches('/');
    match rest.split_once('/') {
        Some((host, path)) => format!("{}/{path}", host.to_ascii_lowercase()),
        None => rest.to_ascii_lowercase(),
    }
}

fn bad_number<T>(digits: &str) -> Result<T, Problem> {
    Err(Problem::BadNumber {
        digits: digits.chars().take(30).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(description: &str) -> Reading {
        let home = "shop/front/web".parse().unwrap();
        let extra = ["delivers".to_owned()];
        Grammar::new(
            "https://GitLab.example/git",
            &home,
            &extra,
            &["helps with".to_owned()],
        )
        .unwrap()
        .read(description)
    }

    /// One claim as `+#34` (contributes) or `!shop/web#34` (closes).
    fn claims(description: &str) -> Vec<String> {
        let show = |claim: &Claim| {
            let sign = if claim.kind == LinkKind::Closes {
                '!'
            } else {
                '+'
            };
            match &claim.target {
                Target::Here { iid } => format!("{sign}#{iid}"),
                Target::There(feature) => format!("{sign}{feature}"),
            }
        };
        read(description).claims.iter().map(show).collect()
    }

    #[test]
    fn descriptions_as_people_write_them() {
        let table: &[(&str, &[&str])] = &[
            ("contributes to feature #34", &["+#34"]),
            ("closes feature #42", &["!#42"]),
            ("Closes Feature #42.", &["!#42"]),
            ("CLOSES FEATURES #1,#2 , #3", &["!#1", "!#2", "!#3"]),
            (
                "contributing to features #1, #2 and #3",
                &["+#1", "+#2", "+#3"],
            ),
            ("closing feature: #5 & #6", &["!#5", "!#6"]),
            ("close features #1, and #2; #3", &["!#1", "!#2", "!#3"]),
            ("closes feature #1 and feature #2", &["!#1", "!#2"]),
            ("contribute to feature api#7", &["+shop/front/api#7"]),
            ("closes feature other/group/api#7", &["!other/group/api#7"]),
            (
                "closes feature https://gitlab.example/git/a/b/-/issues/9",
                &["!a/b#9"],
            ),
            (
                "closes feature https://gitlab.example/git/a/b/-/work_items/9?x=1#note_3.",
                &["!a/b#9"],
            ),
            (
                "closes feature <http://GITLAB.example/git/a/b/issues/9>",
                &["!a/b#9"],
            ),
            (
                "closes feature [the card](https://gitlab.example/git/a/b/-/issues/9), #3",
                &["!a/b#9", "!#3"],
            ),
            (
                "closes feature [#9](https://gitlab.example/git/a/b/-/issues/9) and #3",
                &["!#9", "!#3"],
            ),
            ("closes feature **#42**, _#43_", &["!#42", "!#43"]),
            ("closes feature(s): #42", &["!#42"]),
            ("Closes: feature #42", &["!#42"]),
            (
                "- closes feature #1\n- contributes to feature #2",
                &["!#1", "+#2"],
            ),
            (
                "contributes to feature #1 and closes feature #2",
                &["+#1", "!#2"],
            ),
            ("closes\nfeature #42", &["!#42"]),
            ("closes feature #42,\n#43", &["!#42", "!#43"]),
            ("closes\u{a0}feature\u{a0}#42", &["!#42"]),
            ("この変更はcloses feature #42。", &["!#42"]),
            ("closes feature：＃42、＃43", &["!#42", "!#43"]),
            ("\u{202b}closes feature \u{200f}#42\u{202c}", &["!#42"]),
            (
                "delivers feature #3, helps  with features #4",
                &["!#3", "+#4"],
            ),
            (
                "<details>\n<summary>Links</summary>\ncloses feature #42\n</details>",
                &["!#42"],
            ),
            ("| a | b |\n|---|---|\n| closes feature #1 | x |", &["!#1"]),
            // Not links.
            ("closes #42", &[]),
            ("discloses feature #42", &[]),
            ("un-closes feature #42", &[]),
            ("closed feature #42", &[]),
            ("closes feature\n\n#42", &[]),
            ("closes feature #42abc", &[]),
            ("contributes feature #42", &[]),
            ("`closes feature #42`", &[]),
            ("closes feature `#42`", &[]),
            ("```\ncloses feature #42\n```", &[]),
            (
                "~~~md\ncloses feature #42\n~~~\ncloses feature #1",
                &["!#1"],
            ),
            ("text\n\n    closes feature #42", &[]),
            ("<!-- closes feature #42 -->", &[]),
            (
                "<!--\n\ncloses feature #42\n\n-->\n\ncloses feature #1",
                &["!#1"],
            ),
            ("before <!-- closes feature #42 --> after", &[]),
            ("<!-- never closed\ncloses feature #42", &[]),
            ("> closes feature #42\n\nI do not think so", &[]),
            ("this closes features of the old menu", &[]),
            ("closes feature #1, 2 people asked", &["!#1"]),
            ("", &[]),
        ];
        for (description, expected) in table {
            assert_eq!(claims(description), *expected, "{description:?}");
        }
    }

    #[test]
    fn a_line_meant_as_a_link_is_named_with_its_problem() {
        let table: &[(&str, Problem)] = &[
            ("closes feature 42", Problem::NoHash { iid: 42 }),
            ("closes feature !42", Problem::MergeRequest { iid: 42 }),
            ("closes feature #", Problem::NoNumber),
            ("closes feature #<number>", Problem::NoNumber),
            (
                "closes feature #0",
                Problem::BadNumber { digits: "0".into() },
            ),
            (
                "closes feature #99999999999999999999999",
                Problem::BadNumber {
                    digits: "99999999999999999999999".into(),
                },
            ),
            (
                "closes feature https://other.example/a/b/-/issues/9",
                Problem::NotAnIssueHere {
                    url: "https://other.example/a/b/-/issues/9".into(),
                },
            ),
            (
                "closes feature https://gitlab.example/git/a/b/-/merge_requests/9",
                Problem::NotAnIssueHere {
                    url: "https://gitlab.example/git/a/b/-/merge_requests/9".into(),
                },
            ),
        ];
        for (description, problem) in table {
            let reading = read(description);
            assert_eq!(reading.claims, [], "{description}");
            assert_eq!(
                reading.problems.first().map(|p| &p.problem),
                Some(problem),
                "{description}"
            );
        }
    }

    #[test]
    fn a_claim_knows_its_line() {
        let reading = read("Intro\n\n* x\n  * closes features #1,\n    #2\n");
        let lines: Vec<(usize, &str)> = reading
            .claims
            .iter()
            .map(|c| (c.line, c.text.as_str()))
            .collect();
        assert_eq!(lines[0], (4, "* closes features #1,"));
    }

    mod properties {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn any_text_can_be_read(text in "(?s).{0,400}") {
                read(&text);
            }

            #[test]
            fn a_list_is_read_whole_whatever_separates_it(
                iids in prop::collection::vec(1u64..100_000, 1..8),
                separator in prop::sample::select(vec![", ", ",", " and ", " & ", ", and ", ",\n"]),
                closing in any::<bool>(),
            ) {
                let words = if closing { "closes features" } else { "contributes to features" };
                let list = iids.iter().map(|iid| format!("#{iid}")).collect::<Vec<_>>().join(separator);
                let sign = if closing { '!' } else { '+' };
                let expected: Vec<String> = iids.iter().map(|iid| format!("{sign}#{iid}")).collect();
                prop_assert_eq!(claims(&format!("Hello.\n\n{words} {list}\n\nbye")), expected);
            }

            #[test]
            fn what_stands_in_a_fence_is_never_read(text in "[a-z #0-9\n]{0,60}") {
                prop_assert_eq!(claims(&format!("````\ncloses feature #1\n{text}\n````\n")), Vec::<String>::new());
            }
        }
    }
}
