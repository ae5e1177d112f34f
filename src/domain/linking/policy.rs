//! Whether a merge request must name a feature, and who need not.

use globset::{GlobBuilder, GlobMatcher};

use crate::domain::ids::{BranchName, UserName};

/// Whether a merge request must name a feature.
///
/// It decides about links that are missing. A link that is written is a claim, steers validation and release, and must be right
/// whatever the policy; only under `Off` are words that cannot be read as a link left alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LinkPolicy {
    /// Refused without one.
    #[default]
    Required,
    /// Let through with a warning.
    Warned,
    /// Not looked for.
    Off,
}

/// A pattern for a whole name: `*` any characters, `?` one, `[ab]` one of these, `{a,b}` one of these words. In a pattern with
/// `/`, `*` stops there and `**` does not.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    matcher: GlobMatcher,
}

impl Pattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn fits(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl std::str::FromStr for Pattern {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("an empty pattern fits nothing".to_owned());
        }
        let glob = GlobBuilder::new(text)
            .literal_separator(text.contains('/'))
            .build()
            .map_err(|error| format!("`{text}` is not a pattern: {}", error.kind()))?;
        Ok(Self {
            text: text.to_owned(),
            matcher: glob.compile_matcher(),
        })
    }
}

/// Merge requests that need no link: those that meet every condition given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exemption {
    /// Its name in the configuration.
    pub name: String,
    /// One of these labels on the merge request.
    pub labels: Vec<String>,
    /// Its author, by user name.
    pub authors: Vec<Pattern>,
    /// Its source branch.
    pub branches: Vec<Pattern>,
}

/// The exemption that applied, and what met its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempted {
    /// The exemption's name.
    pub name: String,
    /// The label, where one was asked for.
    pub label: Option<String>,
    /// The author and the pattern, where one was asked for.
    pub author: Option<(UserName, String)>,
    /// The source branch and the pattern, where one was asked for.
    pub branch: Option<(BranchName, String)>,
}

/// What an exemption looks at.
#[derive(Debug, Clone, Copy)]
pub struct Exemptible<'a> {
    /// Labels of the merge request.
    pub labels: &'a [String],
    /// Its author, where known.
    pub author: Option<&'a UserName>,
    /// Its source branch, where known.
    pub branch: Option<&'a BranchName>,
}

/// The first exemption that applies.
pub fn exempted(exemptions: &[Exemption], of: Exemptible<'_>) -> Option<Exempted> {
    exemptions
        .iter()
        .find_map(|exemption| exemption.applies_to(of))
}

impl Exemption {
    /// Whether it sets any condition: without one it would exempt everybody.
    pub fn has_conditions(&self) -> bool {
        !(self.labels.is_empty() && self.authors.is_empty() && self.branches.is_empty())
    }

    fn applies_to(&self, of: Exemptible<'_>) -> Option<Exempted> {
        if !self.has_conditions() {
            return None;
        }
        let fitting = |patterns: &[Pattern], name: &str| {
            let pattern = patterns.iter().find(|pattern| pattern.fits(name));
            pattern.map(|pattern| pattern.as_str().to_owned())
        };
        let label = self.labels.iter().find(|label| of.labels.contains(label));
        let author = of
            .author
            .and_then(|name| Some((name.clone(), fitting(&self.authors, name.as_str())?)));
        let branch = of
            .branch
            .and_then(|name| Some((name.clone(), fitting(&self.branches, name.as_str())?)));
        let met = (self.labels.is_empty() || label.is_some())
            && (self.authors.is_empty() || author.is_some())
            && (self.branches.is_empty() || branch.is_some());
        met.then(|| Exempted {
            name: self.name.clone(),
            label: label.cloned(),
            author,
            branch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exemption(labels: &[&str], authors: &[&str], branches: &[&str]) -> Exemption {
        let patterns = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        Exemption {
            name: "upkeep".into(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            authors: patterns(authors),
            branches: patterns(branches),
        }
    }

    fn applies(exemption: Exemption, labels: &[&str], author: &str, branch: &str) -> bool {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        let of = Exemptible {
            labels: &labels,
            author: Some(&author.parse().unwrap()),
            branch: Some(&branch.parse().unwrap()),
        };
        exempted(&[exemption], of).is_some()
    }

    #[test]
    fn an_exemption_applies_when_every_condition_it_sets_is_met() {
        let dependencies = || exemption(&["dependencies"], &["renovate*", "project_*_bot_*"], &[]);
        assert!(applies(
            dependencies(),
            &["x", "dependencies"],
            "renovate-bot",
            "main"
        ));
        assert!(applies(
            dependencies(),
            &["dependencies"],
            "project_7_bot_0af",
            "main"
        ));
        assert!(!applies(dependencies(), &["dependencies"], "ana", "main"));
        assert!(!applies(dependencies(), &[], "renovate-bot", "main"));
        assert!(
            !applies(exemption(&[], &[], &[]), &[], "ana", "main"),
            "no condition exempts nobody"
        );
    }

    #[test]
    fn a_branch_is_met_by_its_whole_name() {
        for (pattern, branch, fits) in [
            ("docs/*", "docs/typo", true),
            ("docs/*", "docs/a/b", false),
            ("docs/**", "docs/a/b", true),
            ("docs/*", "my-docs/typo", false),
            ("{chore,docs}/*", "chore/x", true),
            ("release-?", "release-1", true),
            ("release-?", "release-12", false),
            ("*", "feature/x", true),
        ] {
            assert_eq!(
                applies(exemption(&[], &[], &[pattern]), &[], "ana", branch),
                fits,
                "{pattern} {branch}"
            );
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_read_is_named() {
        for bad in ["", "  ", "[a", "{a,b", "a]["] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
        assert!(
            "[a".parse::<Pattern>()
                .unwrap_err()
                .contains("`[a` is not a pattern")
        );
    }
}
