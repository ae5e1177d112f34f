//! People whom a text mentions as `@name`.

use std::sync::LazyLock;

use regex::Regex;

use crate::markdown;
use crate::store::State;

static MENTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[^\w@/.-])@([A-Za-z0-9_][\w.-]*)").ok());

/// The ids of the users a text mentions, code left out, in the order of the text.
pub(crate) fn users_in(state: &State, text: &str) -> Vec<u64> {
    if !text.contains('@') {
        return Vec::new();
    }
    let text = markdown::without_code(text);
    let Some(pattern) = MENTION.as_ref() else {
        return Vec::new();
    };
    let names = pattern
        .captures_iter(&text)
        .filter_map(|found| found.get(1));
    let users = names.filter_map(|name| {
        let name = name.as_str().trim_end_matches(['.', '-']);
        state.user_named(name).map(|user| user.id)
    });
    users.collect()
}

/// The ids of the users a text speaks to: those mentioned before its first other word.
pub(crate) fn addressed_in(state: &State, text: &str) -> Vec<u64> {
    let names = text.split_whitespace().take_while(|word| {
        word.starts_with('@') || matches!(*word, "and" | "&" | "," | "cc" | "hi" | "hey")
    });
    let heads: Vec<&str> = names.collect();
    users_in(state, &heads.join(" "))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn names_are_found_outside_code_and_addresses() {
        let mut state = State::with_root("glpat-root", Timestamp::UNIX_EPOCH);
        let ana = state.add_user("ana", "Ana", "ana@example.com", Timestamp::UNIX_EPOCH);
        let text = "see @ana. and x@root.org and `@root`, (@Root)";
        assert_eq!(users_in(&state, text), [ana, 1]);
        assert_eq!(addressed_in(&state, "@ana and @root: see @ana"), [ana, 1]);
        assert!(addressed_in(&state, "see @ana").is_empty());
    }
}
