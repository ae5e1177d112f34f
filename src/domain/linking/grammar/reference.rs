//! One reference to a feature, read at a place of the text: `#34`, `project#34`, an address, a link, and what people mistake for it.

use std::sync::LazyLock;

use regex::Regex;

use super::prose::{BLOCK, ITEM, LIST, LIST_END, OPAQUE, Prose};
use super::spelling::{
    bare_number, digits, is_placeholder, issue_tag, numbered, rest_of_range, starts_with_address,
};
use super::{Grammar, Problem, Target};
use crate::domain::ids::{FeatureId, ProjectPath};

/// The way to an issue below the address of its server.
static ISSUE_PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?P<path>.+?)(?:/-)?/(?:issues|work_items)/(?:incident/)?(?P<iid>[0-9]+)/?(?:[?#].*)?$",
    )
    .expect("the pattern is a literal that compiles")
});

/// A reference, or what stands in its place.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) outcome: Result<Target, Problem>,
    /// Where it begins and ends in the text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// A number without any sign: in prose as likely a number of people as a feature.
    pub(super) bare: bool,
}

/// What was read, how many bytes it is, and whether it is a bare number.
pub(super) type Spelled = (Result<Target, Problem>, usize, bool);

/// White space, a zero-width space among it, as it stands between words.
pub(super) fn is_gap(c: char) -> bool {
    c.is_whitespace() || c == '\u{200b}'
}

/// Signs around a reference that say nothing.
fn is_opening(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '“'
            | '„'
            | '‘'
            | '«'
            | '»'
            | '「'
            | '『'
            | '('
            | '（'
            | '['
            | '【'
            | '<'
            | '*'
            | '_'
            | '~'
    )
}

/// Ends an address; the full-width signs too, which people write without a space before them.
fn ends_address(c: char) -> bool {
    is_gap(c)
        || matches!(
            c,
            '<' | '>' | '(' | ')' | '[' | ']' | '"' | '\'' | '*' | ',' | ';'
        )
        || matches!(
            c,
            '，' | '、' | '；' | '。' | '（' | '）' | '「' | '」' | '】' | '”' | '’' | '»'
        )
        || is_sign(c)
}

pub(super) fn is_sign(c: char) -> bool {
    matches!(c, BLOCK | ITEM | OPAQUE | LIST | LIST_END)
}

/// Letters and digits that would make one word with what stands before: those of scripts that put spaces between words.
pub(super) fn joins(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c.is_lowercase() || c.is_uppercase()
}

impl Grammar {
    /// The reference at `at`, signs that open a quotation and the like skipped.
    pub(super) fn reference(&self, prose: &Prose, at: usize) -> Option<Found> {
        let text = prose.text.as_str();
        let mut start = at;
        for c in text[at..].chars().take(40) {
            if prose.anchor_at(start).is_some()
                || !(is_opening(c) || is_gap(c))
                || issue_tag(&text[start..])
            {
                break;
            }
            start += c.len_utf8();
        }
        if let Some(anchor) = prose.anchor_at(start) {
            let words = &text[anchor.words.clone()];
            let shown = self.plain_reference(words).map(|(outcome, ..)| outcome);
            return Some(Found {
                outcome: self.of_link(shown, &anchor.url)?,
                start,
                end: anchor.words.end,
                bare: false,
            });
        }
        let (outcome, length, bare) = self.plain_reference(&text[start..])?;
        Some(Found {
            outcome,
            start,
            end: start + length,
            bare,
        })
    }

    /// A link of the Markdown: where it leads decides, and it must not show another number.
    fn of_link(
        &self,
        shown: Option<Result<Target, Problem>>,
        url: &str,
    ) -> Option<Result<Target, Problem>> {
        let address = url.starts_with("http://") || url.starts_with("https://");
        let leads = address.then(|| self.issue_at(url));
        Some(match (shown, leads) {
            (Some(Ok(shown)), Some(Ok(leads))) if number(&shown) != number(&leads) => {
                Err(Problem::TwoNumbers {
                    shown: number(&shown),
                    leads_to: number(&leads),
                })
            }
            (_, Some(Ok(leads))) => Ok(leads),
            // `[#9](/shop/web/-/issues/9)`, or to a page that describes it.
            (Some(Ok(shown)), _) => Ok(shown),
            (_, Some(Err(problem))) => Err(problem),
            (Some(Err(problem)), None) => Err(problem),
            (None, None) => return None,
        })
    }

    /// What it is, how long it is, and whether it is a bare number.
    fn plain_reference(&self, text: &str) -> Option<Spelled> {
        if starts_with_address(text) {
            let end = text.find(ends_address).unwrap_or(text.len());
            let whole = text[..end].trim_end_matches(['.', ':', '!', '?', '。', '：', '！', '？']);
            let url = whole
                .strip_suffix("+s")
                .unwrap_or(whole)
                .trim_end_matches('+');
            return Some((self.issue_at(url), whole.len(), false));
        }
        if let Some(found) = self.tagged(text) {
            return Some(found);
        }
        let path_end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')))
            .unwrap_or(text.len());
        let (path, rest) = text.split_at(path_end);
        let sign = rest.chars().next();
        match sign {
            Some('#' | '＃') => {}
            Some('!') if path.is_empty() => {
                return numbered(rest, '!', |iid| Problem::MergeRequest { iid });
            }
            Some('&' | '＆') if path.is_empty() => {
                return numbered(rest, '&', |iid| Problem::Epic { iid });
            }
            _ => return bare_number(text),
        }
        let sign = sign.map_or(0, char::len_utf8);
        let (digits, length) = digits(&rest[sign..]);
        let mut end = path_end + sign + length;
        let after = &text[end..];
        let word: String = after.chars().take_while(|c| joins(*c)).take(30).collect();
        // The underscores of `_#42_` where Markdown takes them for plain text.
        let is_mark = word.trim_matches('_').is_empty() && !digits.is_empty();
        if !word.is_empty() && !is_mark {
            let shown = &text[..end + word.len()];
            let end = end + word.len();
            let digits_in = shown.contains(|c: char| c.is_ascii_digit());
            let problem = if !digits_in && is_placeholder(&word) {
                Problem::NoNumber
            } else {
                Problem::NotANumber {
                    text: cut(shown, 30),
                }
            };
            return Some((Err(problem), end, false));
        }
        let outcome = self.issue_numbered(path, &digits);
        let Ok(target) = &outcome else {
            return Some((outcome, end, false));
        };
        if let Some((last, length)) = rest_of_range(after) {
            let first = number(target);
            return Some((Err(Problem::AnyOf { first, last }), end + length, false));
        }
        // `#34+` and `#34+s` show the title with the number.
        for suffix in ["+s", "+"] {
            if after.starts_with(suffix) && !after[suffix.len()..].starts_with(joins) {
                end += suffix.len();
                break;
            }
        }
        Some((outcome, end, false))
    }

    /// GitLab's other spellings: `GL-34` and `[issue:34]`.
    fn tagged(&self, text: &str) -> Option<Spelled> {
        if let Some(rest) = text.strip_prefix("GL-") {
            let (number, length) = digits(rest);
            let whole = !number.is_empty() && !rest[length..].starts_with(joins);
            return whole.then(|| {
                (
                    self.issue_numbered("", &number),
                    "GL-".len() + length,
                    false,
                )
            });
        }
        if !issue_tag(text) {
            return None;
        }
        let inner = &text[1..text.find(']')?];
        let (_, name) = inner.split_once(':')?;
        let (path, number) = name.rsplit_once('/').unwrap_or(("", name));
        Some((self.issue_numbered(path, number), inner.len() + 2, false))
    }

    fn issue_numbered(&self, path: &str, digits: &str) -> Result<Target, Problem> {
        if digits.is_empty() {
            return Err(Problem::NoNumber);
        }
        let iid = match digits.parse() {
            Ok(iid) if iid > 0 && iid <= i32::MAX as u64 => iid,
            Ok(_) | Err(_) => {
                return Err(Problem::BadNumber {
                    digits: cut(digits, 30),
                });
            }
        };
        if path.is_empty() {
            return Ok(Target::Here { iid });
        }
        let full = if path.contains('/') {
            path.trim_start_matches('/').to_owned()
        } else {
            format!("{}/{path}", self.namespace)
        };
        match full.parse() {
            Ok(project) => Ok(Target::There(FeatureId { project, iid })),
            Err(_not_a_path) => Err(Problem::NotANumber {
                text: cut(&format!("{path}#{digits}"), 30),
            }),
        }
    }

    /// The issue at an address of this GitLab.
    pub(super) fn issue_at(&self, url: &str) -> Result<Target, Problem> {
        let foreign = || Problem::NotAnIssueHere { url: cut(url, 200) };
        let address = without_scheme(url);
        let local = address
            .strip_prefix(&self.server)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or_else(foreign)?;
        let found = ISSUE_PATH.captures(local).ok_or_else(foreign)?;
        // Of a group: an epic.
        if found["path"].starts_with("groups/") {
            return Err(foreign());
        }
        let project: ProjectPath = found["path"].parse().map_err(|_not_a_path| foreign())?;
        match self.issue_numbered("", &found["iid"])? {
            Target::Here { iid } => Ok(Target::There(FeatureId { project, iid })),
            there @ Target::There(_) => Ok(there),
        }
    }
}

/// The number of an issue, wherever it is.
pub(super) fn number(target: &Target) -> u64 {
    match target {
        Target::Here { iid } => *iid,
        Target::There(feature) => feature.iid,
    }
}

pub(super) fn cut(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

/// Host in lower case, path as it is; no scheme, no port that the scheme implies, no slash at the end.
pub(super) fn without_scheme(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.trim_end_matches('/');
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) => (host, Some(path)),
        None => (rest, None),
    };
    let implied = if scheme.eq_ignore_ascii_case("http") {
        ":80"
    } else {
        ":443"
    };
    let host = host
        .strip_suffix(implied)
        .unwrap_or(host)
        .to_ascii_lowercase();
    path.map_or(host.clone(), |path| format!("{host}/{path}"))
}
