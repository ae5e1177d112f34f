//! What chats make of plain words by themselves: addresses, mentions, hashtags, channels, emoji. Stricter than any one of them.

use std::sync::LazyLock;

use regex::Regex;

static FINDS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    [
        (
            "address with a scheme",
            r"[A-Za-z][A-Za-z0-9.+-]*:(?:/{1,3}|[\p{L}\d%])",
        ),
        ("address with www", r"(?i)www\d{0,3}\.\S"),
        ("bare address", r"[\p{L}\d-]\.[\p{L}\d]"),
        ("bare address with a path", r"[\p{L}\d.-]+\.\p{L}{2,}/"),
        ("e-mail address", r"\S@[\p{L}\d.-]"),
        ("mention", r"@[\p{L}\d._-]"),
        ("hashtag", r"#[\p{L}\d]"),
        ("channel", r"~[\p{L}\d._-]"),
        ("emoji", r":[\w+-]+:"),
    ]
    .map(|(kind, pattern)| (kind, Regex::new(pattern).unwrap()))
    .into()
});

/// The parts of plain words that become something else: what it is, and where it is written.
pub(super) fn autolinks(words: &str) -> Vec<String> {
    FINDS
        .iter()
        .flat_map(|(kind, pattern)| {
            pattern
                .find_iter(words)
                .map(move |found| format!("{kind}: {}", found.as_str()))
        })
        .collect()
}

#[test]
fn what_chats_make_of_plain_words_is_noticed() {
    for words in [
        "https://evil.example",
        "custom+scheme:x",
        "javascript:alert(1)",
        "www.evil.example",
        "WWW1.evil.example",
        "evil.example",
        "evil.example/x",
        "аррӏе.com/x",
        "x@evil.example",
        "@all",
        "#hashtag",
        "~town-square",
        ":fire:",
    ] {
        assert!(!autolinks(words).is_empty(), "{words}");
    }
    assert!(autolinks("Version 3, see !7: 50 % of (most) things; a - b & so on. End.").is_empty());
}
