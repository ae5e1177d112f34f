//! Commits and differences as the API writes them.

use serde_json::{Map, Value, json};

use crate::clock;
use crate::git::Commit;

/// The short form of a commit.
pub(crate) fn basic(project_url: &str, commit: &Commit) -> Value {
    let trailers = trailers(&commit.message);
    let extended: Map<String, Value> = trailers
        .iter()
        .map(|(name, values)| (name.clone(), json!(values)))
        .collect();
    let plain: Map<String, Value> = trailers
        .into_iter()
        .filter_map(|(name, values)| Some((name, json!(values.last()?))))
        .collect();
    json!({
        "id": commit.id,
        "short_id": commit.short_id(),
        "created_at": clock::iso_with_offset(commit.committer.at),
        "parent_ids": commit.parents,
        "title": commit.title(),
        "message": commit.message,
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "authored_date": clock::iso_with_offset(commit.author.at),
        "committer_name": commit.committer.name,
        "committer_email": commit.committer.email,
        "committed_date": clock::iso_with_offset(commit.committer.at),
        "trailers": plain,
        "extended_trailers": extended,
        "web_url": format!("{project_url}/-/commit/{}", commit.id),
    })
}

/// The `Name: value` lines of a last paragraph that has nothing else.
fn trailers(message: &str) -> Vec<(String, Vec<String>)> {
    let Some((_, last)) = message.trim_end().rsplit_once("\n\n") else {
        return Vec::new();
    };
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for line in last.lines() {
        let pair = line.split_once(": ").filter(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        });
        let Some((name, value)) = pair else {
            return Vec::new();
        };
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(value.trim().to_owned()),
            None => found.push((name.to_owned(), vec![value.trim().to_owned()])),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::trailers;

    #[test]
    fn trailers_are_the_last_paragraph_if_it_has_nothing_else() {
        let found =
            trailers("Fix\n\nwhy\n\nChangelog: fixed\nSigned-off-by: a\nSigned-off-by: b\n");
        assert_eq!(found[0], ("Changelog".to_owned(), vec!["fixed".to_owned()]));
        assert_eq!(found[1].1, ["a", "b"]);
        assert!(trailers("Fix\n\nChangelog: fixed\nand more text").is_empty());
        assert!(trailers("Changelog: fixed").is_empty());
    }
}
