//! Changes of what issues and merge requests say: title and description.

use jiff::Timestamp;

use crate::issuables::{add_system_note, call, mention};
use crate::markdown;
use crate::store::State;
use crate::store::merge_requests::without_draft_prefix;
use crate::store::notes::Noteable;

/// Sets the title; draft prefixes are told of in their own words.
pub(crate) fn set_title(
    state: &mut State,
    noteable: Noteable,
    title: &str,
    user: u64,
    now: Timestamp,
) {
    let place = match noteable {
        Noteable::Issue(id) => state.issues.get_mut(id).map(|issue| &mut issue.title),
        Noteable::MergeRequest(id) => state.merge_requests.get_mut(id).map(|row| &mut row.title),
    };
    let Some(place) = place.filter(|place| *place != title) else {
        return;
    };
    let old = std::mem::replace(place, title.to_owned());
    let drafts = (without_draft_prefix(&old), without_draft_prefix(title));
    let is_draft = drafts.1 != title;
    if matches!(noteable, Noteable::MergeRequest(_)) {
        if (drafts.0 != old) != is_draft {
            let word = if is_draft { "draft" } else { "ready" };
            let text = format!("marked this merge request as **{word}**");
            add_system_note(state, noteable, user, now, &text);
        }
        if drafts.0 == drafts.1 {
            return;
        }
    }
    let (old, new) = marked(&old, title);
    let text = format!("changed title from **{old}** to **{new}**");
    add_system_note(state, noteable, user, now, &text);
}

/// Two texts with what differs marked: what went as `{-..-}`, what came as `{+..+}`.
fn marked(old: &str, new: &str) -> (String, String) {
    let old: Vec<char> = old.chars().collect();
    let new: Vec<char> = new.chars().collect();
    let same = |a: &mut dyn Iterator<Item = (&char, &char)>| a.take_while(|(a, b)| a == b).count();
    let start = same(&mut old.iter().zip(&new));
    let room = old.len().min(new.len()) - start;
    let end = same(&mut old.iter().rev().zip(new.iter().rev())).min(room);
    let mark = |text: &[char], sign: char| {
        let part = |from: usize, to: usize| text[from..to].iter().collect::<String>();
        let (head, middle, tail) = (
            part(0, start),
            part(start, text.len() - end),
            part(text.len() - end, text.len()),
        );
        if middle.is_empty() {
            format!("{head}{tail}")
        } else {
            format!("{head}{{{sign}{middle}{sign}}}{tail}")
        }
    };
    (mark(&old, '-'), mark(&new, '+'))
}

/// Sets the description.
pub(crate) fn set_description(
    state: &mut State,
    url: &str,
    noteable: Noteable,
    text: Option<&str>,
    user: u64,
    now: Timestamp,
) {
    let place = match noteable {
        Noteable::Issue(id) => state.issues.get_mut(id).map(|issue| &mut issue.description),
        Noteable::MergeRequest(id) => {
            let row = state.merge_requests.get_mut(id);
            row.map(|row| &mut row.description)
        }
    };
    let Some(place) = place.filter(|place| place.as_deref() != text) else {
        return;
    };
    let old = std::mem::replace(place, text.map(str::to_owned));
    let (old, new) = (old.unwrap_or_default(), text.unwrap_or_default());
    match markdown::ticked(&old, new) {
        Some(items) => {
            for (item, done) in items {
                let status = if done { "completed" } else { "incomplete" };
                let told = format!("marked the checklist item **{item}** as {status}");
                add_system_note(state, noteable, user, now, &told);
            }
        }
        None => {
            add_system_note(state, noteable, user, now, "changed the description");
            call(state, noteable, user, now, new, None);
        }
    }
    mention(state, url, noteable, user, now, new);
}

#[cfg(test)]
mod tests {
    use super::marked;

    #[test]
    fn only_what_differs_between_two_titles_is_marked() {
        for (old, new, expected) in [
            ("Old title", "New title", ("{-Old-} title", "{+New+} title")),
            ("one", "one two", ("one", "one{+ two+}")),
            ("aa", "a", ("a{-a-}", "a")),
        ] {
            let (before, after) = marked(old, new);
            assert_eq!((before.as_str(), after.as_str()), expected);
        }
    }
}
