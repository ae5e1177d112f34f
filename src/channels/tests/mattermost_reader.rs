//! Reads a post as Mattermost does, so that tests see what people see. It knows the signs that Mattermost's own Markdown parser
//! takes a backslash before, what is replaced before all else, and what is looked for in the words that remain; where clients
//! differ, or Mattermost looks at neighbours, it takes the worse of it.

use std::sync::LazyLock;

use regex::Regex;

use super::autolinks::autolinks;

/// The signs that a backslash makes literal. No other backslash escapes anything.
const ESCAPABLE: &str = "`*{}[]()#+-.!_>|~";

/// What stands in the words for a piece of code.
pub(super) const CODE: char = '\u{fffc}';

/// What people see.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// All the words, as they are shown, with [`CODE`] where code is.
    pub(super) words: String,
    /// The pieces of code, as they are shown.
    pub(super) code: Vec<String>,
    /// Where links lead that are written as links.
    pub(super) links: Vec<String>,
    /// The words in bold.
    pub(super) bold: Vec<String>,
    /// Everything else that is not words: what it is, and some of it.
    pub(super) surprises: Vec<String>,
}

static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?: *#{1,6} | *>| *(?:[*+-]|\d+\.) | {4}| {0,3}(?:```|~~~)|(?: *[-*_]){3,} *$| *\[[^\]]+\]:)").unwrap()
});
static EMOTICON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i):-?[)\](\[@/|$dops]|;-?\)|:['`\u{2019}]-?\(|:-x|x-d|</?3").unwrap()
});
static ENTITY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^&#?\w+;").unwrap());
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\[((?:\\.|`+[^`]*`+|[^\[\]\\`])*)\]\(([^()]*)\)").unwrap());
static BOLD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\*\*([^*]+)\*\*").unwrap());

/// One post or attachment.
pub(super) fn read(markdown: &str) -> Seen {
    let mut seen = Seen::default();
    let source = markdown
        .replace(['\r', '\u{2424}'], "\n")
        .replace('\u{a0}', " ");
    // A heading, a list, a quotation, a table: all of them need a line that begins with them, or a second one.
    if source.contains('\n') {
        seen.surprises.push("more than one line".to_owned());
    }
    if BLOCK.is_match(&source) {
        seen.surprises
            .push("a block that is no paragraph".to_owned());
    }
    // The server reads these as Slack does, in code too.
    if source.contains(['<', '>']) {
        seen.surprises.push("angle brackets".to_owned());
    }
    inline(&source, &mut seen);
    let emoticons = EMOTICON.find_iter(&seen.words);
    let emoticons = emoticons.map(|found| format!("emoticon: {}", found.as_str()));
    seen.surprises.extend(emoticons.collect::<Vec<_>>());
    seen.surprises.extend(autolinks(&seen.words));
    seen
}

fn inline(source: &str, seen: &mut Seen) {
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '\\' => backslash(after, seen),
            '`' => code(rest, seen),
            '[' => link(rest, seen),
            '!' if after.starts_with('[') => surprise("an image", rest, after, seen),
            '*' => bold(rest, seen),
            '_' => surprise("emphasis", rest, after, seen),
            '~' if after.starts_with('~') => surprise("struck out", rest, after, seen),
            '$' if after.contains('$') => surprise("a formula", rest, after, seen),
            '&' if ENTITY.is_match(rest) => surprise("an entity", rest, after, seen),
            other => {
                seen.words.push(other);
                after
            }
        };
    }
}

fn surprise<'a>(what: &str, rest: &str, after: &'a str, seen: &mut Seen) -> &'a str {
    let some: String = rest.chars().take(20).collect();
    seen.surprises.push(format!("{what}: {some}"));
    seen.words.extend(rest.chars().next());
    after
}

fn backslash<'a>(after: &'a str, seen: &mut Seen) -> &'a str {
    let mut signs = after.chars();
    let is_escape = match signs.next() {
        Some('\\') => !signs
            .next()
            .is_some_and(|next| next.is_ascii_alphanumeric() || next == '_'),
        Some(sign) => ESCAPABLE.contains(sign),
        None => false,
    };
    if !is_escape {
        seen.words.push('\\');
        return after;
    }
    seen.words.extend(after.chars().next());
    &after[1..]
}

/// Where the next run of exactly so many backticks stands.
fn closing(text: &str, ticks: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let begin = at + found;
        let run = text[begin..].chars().take_while(|c| *c == '`').count();
        if run == ticks {
            return Some(begin);
        }
        at = begin + run;
    }
    None
}

fn code<'a>(rest: &'a str, seen: &mut Seen) -> &'a str {
    let ticks = rest.chars().take_while(|c| *c == '`').count();
    let after = &rest[ticks..];
    match closing(after, ticks) {
        Some(end) if end > 0 => {
            seen.code.push(after[..end].trim().to_owned());
            seen.words.push(CODE);
            &after[end + ticks..]
        }
        _ => {
            seen.words.push_str(&rest[..ticks]);
            after
        }
    }
}

fn link<'a>(rest: &'a str, seen: &mut Seen) -> &'a str {
    let Some(found) = LINK.captures(rest) else {
        seen.words.push('[');
        return &rest[1..];
    };
    seen.links.push(found[2].to_owned());
    inline(&found[1], seen);
    &rest[found[0].len()..]
}

fn bold<'a>(rest: &'a str, seen: &mut Seen) -> &'a str {
    let Some(found) = BOLD.captures(rest) else {
        return surprise("emphasis", rest, &rest[1..], seen);
    };
    let begin = seen.words.len();
    inline(&found[1], seen);
    seen.bold.push(seen.words[begin..].to_owned());
    &rest[found[0].len()..]
}

#[test]
fn what_is_no_plain_word_is_noticed() {
    for markdown in [
        "*x*",
        "**x** *",
        "_x_",
        "~~x~~",
        "$x$",
        "\\$x\\$",
        "![x](y)",
        "&#64;all",
        "\\&#64;all",
        "one\u{2424}# two",
        "# x",
        "> x",
        "- x",
        "1. x",
        "    x",
        "| a | b |\n|---|---|",
        "<!channel>",
        "\\@all",
        "fine :-\\)",
        "fine ;)",
        "X-D",
        "www\\.evil\\.example",
    ] {
        assert!(!read(markdown).surprises.is_empty(), "{markdown}");
    }
    let seen = read("**a:** [\\!1](u) \\*b\\* `c` \\\\n \\$5 d");
    assert_eq!(seen.words, "a: !1 *b* \u{fffc} \\\\n \\$5 d");
    assert_eq!(
        (seen.bold, seen.links),
        (vec!["a:".into()], vec!["u".into()])
    );
    assert_eq!((seen.code, seen.surprises), (vec!["c".to_owned()], vec![]));
}
