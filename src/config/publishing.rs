//! The part of the section `versions` that says what people read of a release, and where.

use std::collections::BTreeSet;

use url::Url;

use super::reading::Section;
use crate::domain::versioning::Number;

/// What people are told of a release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publishing {
    /// The project's own template of the notes, on the target branch.
    pub template: Option<String>,
    /// The file that gets the notes of every version, on the target branch.
    pub changelog: Option<String>,
    /// Links of the release.
    pub links: Vec<Link>,
    /// The title of the milestone of a version; its number or its tag when not given.
    pub milestone: Option<Pattern>,
    /// Where the notes that are kept in place say that a version is released.
    pub notices: Notices,
    /// Where the open version is shown, if anywhere.
    pub board: Option<Board>,
}

/// A place where people look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Board {
    /// The description of the milestone of the next version.
    Milestone,
    /// The description of an issue of the project.
    Issue(u64),
}

/// Where people read on merge requests and features that a version is released.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notices {
    /// On merge requests and on features.
    #[default]
    All,
    /// On features only.
    Features,
    /// Nowhere.
    Nowhere,
}

/// A link of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is called.
    pub name: Pattern,
    /// Where it leads.
    pub url: Pattern,
}

/// A text in which `{version}` and `{tag}` stand for those of a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// The text for one version.
    pub fn of(&self, number: &Number) -> String {
        let text = self.0.replace("{version}", &number.version.to_string());
        text.replace("{tag}", &number.tag())
    }
}

impl Publishing {
    /// The titles of milestones that belong to a version.
    pub fn milestones(&self, number: &Number) -> Vec<String> {
        match &self.milestone {
            Some(pattern) => vec![pattern.of(number)],
            None if number.prefix.is_empty() => vec![number.to_string()],
            None => vec![number.to_string(), number.tag()],
        }
    }
}

/// Reads the keys; absent ones have their usual values.
pub(super) fn read(s: &mut Section) -> Publishing {
    let links = s.items("links", |link| {
        let name = link.checked("name", pattern);
        let url = link.checked("url", address);
        if !link.holds("name") || !link.holds("url") {
            link.refuse("needs a `name` and a `url`");
        }
        name.zip(url).map(|(name, url)| Link { name, url })
    });
    let links: Vec<Link> = links.into_iter().flatten().collect();
    let mut seen = BTreeSet::new();
    for link in &links {
        for Pattern(text) in [&link.name, &link.url] {
            if !seen.insert(text.clone()) {
                s.refuse(&format!(
                    "has two `links` with `{text}`; GitLab takes each name and each address once"
                ));
            }
        }
    }
    Publishing {
        template: s.checked("notes_template", file),
        changelog: s.checked("changelog", file),
        links,
        milestone: s.checked("milestone", pattern),
        notices: s
            .choice(
                "notices",
                &[
                    ("all", Notices::All),
                    ("features", Notices::Features),
                    ("none", Notices::Nowhere),
                ],
            )
            .unwrap_or_default(),
        board: s.checked("board", board),
    }
}

fn board(text: &str) -> Result<Board, String> {
    let issue = text
        .strip_prefix('#')
        .and_then(|digits| digits.parse().ok());
    match (text, issue) {
        ("milestone", _) => Ok(Board::Milestone),
        (_, Some(iid)) if iid > 0 => Ok(Board::Issue(iid)),
        (_, _) => Err(format!(
            "is `{text}`; it may be `milestone`, or an issue of the project such as `'#12'`"
        )),
    }
}

pub(super) fn pattern(text: &str) -> Result<Pattern, String> {
    let rest = text.replace("{version}", "").replace("{tag}", "");
    if rest.contains(['{', '}']) {
        return Err(format!(
            "is `{text}`; only `{{version}}` and `{{tag}}` may stand in braces"
        ));
    }
    if text.chars().count() > 255 || text.chars().any(char::is_control) {
        return Err("may have at most 255 characters, all on one line".to_owned());
    }
    Ok(Pattern(text.to_owned()))
}

fn address(text: &str) -> Result<Pattern, String> {
    let pattern = pattern(text)?;
    let example = text
        .replace("{version}", "1.0.0")
        .replace("{tag}", "v1.0.0");
    let parsed = Url::parse(&example);
    if parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "ftp") && url.has_host()) {
        return Ok(pattern);
    }
    Err(format!(
        "is `{text}`, which is no address; GitLab takes `https://...`"
    ))
}

pub(super) fn file(text: &str) -> Result<String, String> {
    let mut parts = text.split('/');
    if text.len() > 255 || !parts.all(|part| !matches!(part, "" | "." | ".." | ".git")) {
        return Err(format!(
            "is `{text}`, which is no path from the root of the repository"
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn number() -> Number {
        Number::of_tag("v1.3.0", "v").unwrap()
    }

    #[test]
    fn what_is_told_of_a_release_is_read() {
        let config = Config::parse(
            "versions:\n  notes_template: .gitlab/notes.md\n  changelog: CHANGELOG.md\n  milestone: 'Release {version}'\n  notices: features\n  board: '#12'\n  links:\n  - {name: 'Image {version}', url: 'https://registry.example/shop:{tag}'}\n",
        )
        .unwrap();
        let publishing = config.versions.publishing;
        assert_eq!(publishing.milestones(&number()), ["Release 1.3.0"]);
        assert_eq!(
            publishing.links[0].url.of(&number()),
            "https://registry.example/shop:v1.3.0"
        );
        assert_eq!(publishing.notices, Notices::Features);
        assert_eq!(publishing.board, Some(Board::Issue(12)));
        assert_eq!(publishing.changelog.as_deref(), Some("CHANGELOG.md"));
        assert_eq!(
            Publishing::default().milestones(&number()),
            ["1.3.0", "v1.3.0"]
        );
    }

    #[test]
    fn what_gitlab_would_not_take_is_refused_with_its_path() {
        let problem = Config::parse(
            "versions:\n  notes_template: ../notes.md\n  changelog: /CHANGELOG.md\n  milestone: '{number}'\n  notices: some\n  board: wiki\n  links:\n  - {name: a, url: 'javascript:alert(1)'}\n  - {name: b}\n  - {name: c, url: 'https://x.example/'}\n  - {name: c, url: 'https://y.example/'}\n",
        )
        .unwrap_err();
        for expected in [
            "`versions.notes_template` is `../notes.md`, which is no path",
            "`versions.changelog` is `/CHANGELOG.md`, which is no path",
            "`versions.milestone` is `{number}`; only `{version}` and `{tag}` may stand in braces",
            "`versions.notices` is `some`",
            "`versions.board` is `wiki`; it may be `milestone`, or an issue",
            "`versions.links[0].url` is `javascript:alert(1)`, which is no address",
            "`versions.links[1]` needs a `name` and a `url`",
            "`versions` has two `links` with `c`",
        ] {
            assert!(
                problem.what.contains(expected),
                "{expected}\n---\n{}",
                problem.what
            );
        }
    }
}
