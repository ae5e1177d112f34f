//! Small spellings around a reference: digits of several scripts, numbers without a sign, ranges, placeholders of templates.

use super::Problem;
use super::reference::{Spelled, cut, joins};

/// `[issue:34]`, `[work_item:group/project/34]`.
pub(super) fn issue_tag(text: &str) -> bool {
    ["[issue:", "[work_item:"].iter().any(|tag| {
        text.strip_prefix(tag).is_some_and(|rest| {
            let end = rest.bytes().take(300).position(|byte| byte == b']');
            end.is_some_and(|end| rest[..end].ends_with(|c: char| c.is_ascii_digit()))
        })
    })
}

pub(super) fn starts_with_address(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// `!42` and `&42`: GitLab's signs for what is no issue.
pub(super) fn numbered(
    text: &str,
    sign: char,
    problem: impl Fn(u64) -> Problem,
) -> Option<Spelled> {
    let sign = if text.starts_with(sign) {
        sign.len_utf8()
    } else {
        '＆'.len_utf8()
    };
    let (digits, length) = digits(&text[sign..]);
    let iid = digits.parse().ok()?;
    let whole = !text[sign + length..].starts_with(joins);
    whole.then(|| (Err(problem(iid)), sign + length, false))
}

/// `42`, `no. 42`, `n°42`, `№ 42`: a number without the sign that makes it a reference.
pub(super) fn bare_number(text: &str) -> Option<Spelled> {
    let mut start = 0;
    for word in ["no.", "nr.", "n°", "nº", "№", "number"] {
        if text
            .get(..word.len())
            .is_some_and(|head| head.to_lowercase() == word)
        {
            start = word.len();
            start += text[start..].len()
                - text[start..]
                    .trim_start_matches([' ', '\u{a0}', ':', '#'])
                    .len();
            break;
        }
    }
    let (digits, length) = digits(&text[start..]);
    let end = start + length;
    let after = &text[end..];
    let decimal =
        after.starts_with(['.', ',', ':']) && after[1..].starts_with(|c: char| c.is_ascii_digit());
    if digits.is_empty()
        || after.starts_with(joins)
        || after.starts_with(['-', '%', '/'])
        || decimal
    {
        return None;
    }
    let problem = match digits.parse() {
        Ok(iid) => Problem::NoHash { iid },
        Err(_too_long) => Problem::BadNumber {
            digits: cut(&digits, 30),
        },
    };
    Some((Err(problem), end, start == 0))
}

/// The other end of `#1-#4`, `#1 - #4`, `#1..4`, with its length.
pub(super) fn rest_of_range(after: &str) -> Option<(u64, usize)> {
    let trimmed = after.trim_start_matches(' ');
    let spaced = trimmed.len() < after.len();
    let inner = ["...", "..", "-", "–", "—", "~", "…"]
        .iter()
        .find_map(|dash| trimmed.strip_prefix(dash))?;
    let rest = inner.trim_start_matches(' ');
    let (signed, rest) = match rest.strip_prefix('#') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    // `#1 - 2 people asked` is prose.
    if !signed && (spaced || inner.len() > rest.len()) {
        return None;
    }
    let (digits, length) = digits(rest);
    let last = digits.parse().ok()?;
    let end = after.len() - rest.len() + length;
    (!after[end..].starts_with(joins)).then_some((last, end))
}

/// Leading digits as ASCII, and how many bytes they are: full-width and Arabic digits say the same numbers.
pub(super) fn digits(text: &str) -> (String, usize) {
    let mut ascii = String::new();
    let mut length = 0;
    for c in text.chars() {
        let value = match c {
            '0'..='9' => u32::from(c) - u32::from('0'),
            '０'..='９' => u32::from(c) - u32::from('０'),
            '٠'..='٩' => u32::from(c) - u32::from('٠'),
            '۰'..='۹' => u32::from(c) - u32::from('۰'),
            _ => break,
        };
        ascii.extend(char::from_digit(value, 10));
        length += c.len_utf8();
    }
    (ascii, length)
}

/// What templates put where a number belongs.
pub(super) fn is_placeholder(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let same = |letter: char| word.chars().all(|c| c == letter);
    same('x')
        || same('n')
        || same('_')
        || matches!(
            word.as_str(),
            "number" | "id" | "iid" | "issue" | "feature" | "todo" | "tbd"
        )
}
