//! How a description is read: which words make a link, what a reference looks like, and what is not looked at.
//!
//! `contributes to feature(s)` or `closes feature(s)`, an optional colon, then references separated by commas, "and" or "&".
//! What was meant as a link and is none is a named problem; what merely comes near one is a remark; prose is neither.

mod html;
mod near;
mod prose;
mod reference;
mod scan;
mod spelling;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use regex::Regex;

use super::LinkKind;
use crate::domain::ids::{FeatureId, ProjectPath};
pub use prose::Place;
use prose::Prose;

/// A description that names more different features than this is not a link but an accident; nothing after them is read.
pub const MOST_FEATURES: usize = 50;
/// As many problems and remarks are kept; more would only hide the first ones.
const MOST_REMARKS: usize = 20;
/// As much of a line is quoted.
const QUOTED: usize = 200;

/// Where a reference points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A bare `#34`: the project where this project keeps its features.
    Here {
        /// The number of the issue.
        iid: u64,
    },
    /// A reference that names its project.
    There(FeatureId),
}

/// A line of the description as its author wrote it, and where the words in question stand in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// The line, trimmed and cut to 200 characters. Untrusted text.
    pub text: String,
    /// The verb, where it stands on the same line.
    pub verb: Option<Range<usize>>,
    /// The reference, where it lies within the text.
    pub reference: Option<Range<usize>>,
    /// Whether the verb has this reference only.
    pub alone: bool,
}

/// One reference behind the words that make it a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Contributes or closes.
    pub kind: LinkKind,
    /// The feature.
    pub target: Target,
    /// Where it was read.
    pub line: Line,
}

/// A line that was meant as a link and cannot be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Contributes or closes.
    pub kind: LinkKind,
    /// Where it was read.
    pub line: Line,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line that was meant as a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// `closes feature 42`: a number without `#`.
    NoHash {
        /// The number.
        iid: u64,
    },
    /// `closes feature !42`: a merge request.
    MergeRequest {
        /// The number.
        iid: u64,
    },
    /// `closes feature &42`: an epic.
    Epic {
        /// The number.
        iid: u64,
    },
    /// `closes feature #`: a template that nobody filled in.
    NoNumber,
    /// `#0`, or a number that no issue can have.
    BadNumber {
        /// What stands there, cut to 30 characters.
        digits: String,
    },
    /// `#login`: a sign with something else than a number.
    NotANumber {
        /// What stands there, cut to 30 characters.
        text: String,
    },
    /// `#1-#4`: a range. Each feature is named by itself.
    AnyOf {
        /// The first number.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// A reference in backticks: code is not read, and GitLab makes no link of it either.
    InCode {
        /// The number.
        iid: u64,
    },
    /// A link that shows one number and leads to another.
    TwoNumbers {
        /// The number shown.
        shown: u64,
        /// The number of the issue that it leads to.
        leads_to: u64,
    },
    /// The address of an issue on another server, or of something that is not an issue.
    NotAnIssueHere {
        /// The address, cut to 200 characters. Untrusted text.
        url: String,
    },
}

/// Words that come near a link. They are no reason to refuse, but worth saying when a link is missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Contributes or closes, as far as the words go.
    pub kind: LinkKind,
    /// Where it was read.
    pub line: Line,
    /// Why it is no link.
    pub why: Near,
    /// The reference as it was written.
    pub reference: String,
}

/// Why words that come near a link are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Near {
    /// `fixes feature #42`, `closes the feature request #42`: other words.
    OtherWords,
    /// `closes #42`: the word "feature" is missing. GitLab's own way to close an issue, so quite possibly meant so.
    NoFeatureWord,
    /// `does not close feature #42`.
    Denied,
    /// It stands where nothing counts.
    Aside(Place),
}

impl Near {
    /// Whether it is worth a remark beside links that hold: the rest may be meant as it stands.
    pub fn is_worth_saying(self) -> bool {
        match self {
            Self::OtherWords | Self::Denied => true,
            Self::NoFeatureWord | Self::Aside(_) => false,
        }
    }
}

/// What a description says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Links, in the order they are written; one that is written twice is here once.
    pub claims: Vec<Claim>,
    /// Lines that were meant as links. The first 20.
    pub problems: Vec<Unreadable>,
    /// Words that come near a link. The first 20.
    pub remarks: Vec<Remark>,
    /// Whether more than 50 features are named: then the rest was not read.
    pub too_many: bool,
}

/// The grammar, ready to read descriptions of one project.
#[derive(Debug)]
pub struct Grammar {
    verb: Regex,
    server: String,
    namespace: String,
}

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
        // The project's own words first: they may begin like ours.
        let closing = alternatives("clos(?:es|ing|e)", extra_closing);
        let contributing = alternatives(r"contribut(?:es|ing|e)\s+to", extra_contributing);
        // Longer words first: "closed" is not "close".
        let early = r"closed|contributed(?:\s+(?:to|towards?|for))?|contribut(?:es|ing|e)\s+(?:towards?|for)";
        let late = "contribut(?:es|ing|e)|complet(?:es|ed|ing|e)|finish(?:es|ed|ing)?|implement(?:s|ed|ing)?|fix(?:es|ed|ing)?|resolv(?:es|ed|ing|e)|deliver(?:s|ed|ing)?";
        let verb = format!(
            r"(?i)(?P<early>{early})|(?P<closes>{closing})|(?P<contributes>{contributing})|(?P<late>{late})"
        );
        Ok(Self {
            verb: compiled(verb)?,
            server: reference::without_scheme(server_url),
            namespace: home
                .as_str()
                .rsplit_once('/')
                .map_or("", |(namespace, _)| namespace)
                .to_owned(),
        })
    }

    /// Reads a description.
    pub fn read(&self, description: &str) -> Reading {
        let prose = Prose::of(description);
        let mut reading = scan::Scan::new(self, &prose, description).read();
        if reading.claims.is_empty() && reading.problems.is_empty() {
            self.look_aside(&prose, description, &mut reading);
        }
        reading
    }

    /// A link that does not count where it stands: the first few, for whoever misses it.
    fn look_aside(&self, prose: &Prose, description: &str, reading: &mut Reading) {
        for (place, range) in &prose.aside {
            if reading.remarks.len() >= MOST_REMARKS {
                return;
            }
            // Code, comments and quotations are read as the plain text that they are in the source.
            let text = Prose::plain(&description[range.clone()], range.start);
            let found = scan::Scan::new(self, &text, description).read();
            let remarks = found.claims.into_iter().map(|claim| Remark {
                kind: claim.kind,
                reference: claim.line.reference_text(),
                line: claim.line,
                why: Near::Aside(*place),
            });
            reading.remarks.extend(remarks);
        }
        reading.remarks.truncate(MOST_REMARKS);
    }
}

/// Compiling takes longer than reading a description does, and a job reads all of them with the words of one project: the last
/// pattern is kept.
fn compiled(pattern: String) -> Result<Regex, regex::Error> {
    static LAST: Mutex<Option<(String, Regex)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, regex)) = &*last
        && *known == pattern
    {
        return Ok(regex.clone());
    }
    let regex = Regex::new(&pattern)?;
    *last = Some((pattern, regex.clone()));
    Ok(regex)
}

impl Line {
    /// The reference as it stands in the line, empty where it does not.
    fn reference_text(&self) -> String {
        self.reference
            .clone()
            .map_or("", |range| &self.text[range])
            .to_owned()
    }

    /// The author's own line with another reference, or another verb and reference, in the place of those that stand there.
    /// `None` where they do not stand in one line.
    pub fn corrected(&self, verb: Option<&str>, reference: &str) -> Option<String> {
        let place = self.reference.clone()?;
        let mut text = self.text.clone();
        if let Some(verb) = verb {
            let old = self.verb.clone()?;
            if old.end > place.start {
                return None;
            }
            text.replace_range(place, reference);
            text.replace_range(old, verb);
        } else {
            text.replace_range(place, reference);
        }
        Some(text)
    }
}

fn alternatives(own: &str, extra: &[String]) -> String {
    let extra = extra.iter().map(|word| {
        let words: Vec<String> = word.split_whitespace().map(regex::escape).collect();
        words.join(r"\s+")
    });
    extra
        .filter(|word| !word.is_empty())
        .chain(std::iter::once(own.to_owned()))
        .collect::<Vec<_>>()
        .join("|")
}
