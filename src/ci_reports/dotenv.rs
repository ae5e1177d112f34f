//! Values that a job hands on to later jobs of its pipeline. Pure.
//!
//! They become variables of those jobs, above the project's own, and the runner may expand `$` in them. So the names are a closed list,
//! and a value holds letters, digits and `. , _ / + -` only: nothing that a shell, YAML or GitLab would read as anything else. They
//! are for display. No decision is taken on them: whoever writes the CI file of a branch can set them to anything.

use std::fmt;

use crate::outcome::Problem;

/// The names there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Numbers of the features that the merge request closes.
    Closes,
    /// Numbers of the features that it contributes to.
    Contributes,
    /// Whether it closes any.
    Closing,
    /// Where these features are.
    FeaturesProject,
    /// How many features of other projects it names; their numbers are not in the lists.
    FeaturesElsewhere,
    /// Whether the lists of numbers are cut.
    Cut,
    /// The lease of the NRT environment.
    Epoch,
    /// The number of the version that is released.
    Version,
    /// Its tag.
    Tag,
    /// Its commit.
    Commit,
}

impl Name {
    /// Every name, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Closes,
        Self::Contributes,
        Self::Closing,
        Self::FeaturesProject,
        Self::FeaturesElsewhere,
        Self::Cut,
        Self::Epoch,
        Self::Version,
        Self::Tag,
        Self::Commit,
    ];

    /// As a later job sees it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closes => "TRAINYARD_CLOSES",
            Self::Contributes => "TRAINYARD_CONTRIBUTES",
            Self::Closing => "TRAINYARD_CLOSING",
            Self::FeaturesProject => "TRAINYARD_FEATURES_PROJECT",
            Self::FeaturesElsewhere => "TRAINYARD_FEATURES_ELSEWHERE",
            Self::Cut => "TRAINYARD_LINKS_CUT",
            Self::Epoch => "TRAINYARD_EPOCH",
            Self::Version => "TRAINYARD_VERSION",
            Self::Tag => "TRAINYARD_TAG",
            Self::Commit => "TRAINYARD_COMMIT",
        }
    }
}

/// Longer values are refused; ten of them stay below the 5 KB that GitLab takes.
const MAX_VALUE: usize = 400;

/// A dotenv report. There is no way to put anything else into one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dotenv(Vec<(Name, String)>);

impl Dotenv {
    /// With one more value; the last one of a name counts.
    ///
    /// # Errors
    /// When the value holds a character that is not allowed, or is too long.
    pub fn with(mut self, name: Name, value: impl fmt::Display) -> Result<Self, Problem> {
        let value = value.to_string();
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".,_/+-".contains(c);
        if value.len() > MAX_VALUE || !value.chars().all(allowed) {
            return Err(Problem::misconfigured(
                format!(
                    "`{}` cannot be handed on to later jobs: its value holds other characters than letters, digits and `. , _ / + -`, or more than {MAX_VALUE} of them",
                    name.as_str()
                ),
                "rename what it is made of: the tag prefix (`versions.tag_prefix`), or the project of the features (`features.project`)",
            ));
        }
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
        Ok(self)
    }

    /// With a list of numbers, and whether all of them found room.
    pub fn numbers(mut self, name: Name, numbers: &[u64]) -> (Self, bool) {
        let mut value = String::new();
        let mut whole = true;
        for number in numbers {
            let next = number.to_string();
            if value.len() + next.len() + 1 > MAX_VALUE {
                whole = false;
                break;
            }
            if !value.is_empty() {
                value.push(',');
            }
            value.push_str(&next);
        }
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
        (self, whole)
    }
}

/// The report as GitLab reads it: one `NAME=value` a line.
impl fmt::Display for Dotenv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(name, value)| writeln!(f, "{}={value}", name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_become_lines() {
        let (report, whole) = Dotenv::default().numbers(Name::Closes, &[42, 43]);
        let report = report.with(Name::Closing, true).unwrap();
        let report = report.with(Name::Version, "1.4.0-rc.1+build").unwrap();
        assert!(whole);
        assert_eq!(
            report.to_string(),
            "TRAINYARD_CLOSES=42,43\nTRAINYARD_CLOSING=true\nTRAINYARD_VERSION=1.4.0-rc.1+build\n"
        );
    }

    #[test]
    fn nothing_but_its_characters_gets_into_a_value() {
        for value in [
            "a\nPATH=/tmp",
            "$HOME",
            "a b",
            "a=b",
            "'",
            "\"",
            "`id`",
            "é",
            "a;b",
            "x\r",
            "\u{0}",
        ] {
            let problem = Dotenv::default().with(Name::Tag, value).unwrap_err();
            assert!(problem.what.contains("TRAINYARD_TAG"), "{value}");
        }
        assert!(Dotenv::default().with(Name::Tag, "x".repeat(401)).is_err());
    }

    #[test]
    fn a_list_without_room_is_cut_at_a_whole_number_and_says_so() {
        let numbers: Vec<u64> = (1_000..2_000).collect();
        let (report, whole) = Dotenv::default().numbers(Name::Closes, &numbers);
        assert!(!whole);
        let line = report.to_string();
        assert!(
            line.ends_with(",1078\n") || line.ends_with(",1079\n"),
            "{line}"
        );
    }

    #[test]
    fn all_names_at_their_longest_stay_below_what_gitlab_takes() {
        let full = Name::ALL.iter().fold(Dotenv::default(), |report, name| {
            report.with(*name, "x".repeat(MAX_VALUE)).unwrap()
        });
        assert!(full.to_string().len() < 5 * 1024 && Name::ALL.len() <= 20);
        for name in Name::ALL {
            let secret = ["TOKEN", "REASON", "KEY", "PASSWORD"];
            assert!(!secret.iter().any(|word| name.as_str().contains(word)));
            assert!(name.as_str().starts_with("TRAINYARD_"));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_put_in_stays_one_line_of_its_own(value in any::<String>()) {
            if let Ok(report) = Dotenv::default().with(Name::Tag, &value) {
                prop_assert_eq!(report.to_string(), format!("TRAINYARD_TAG={value}\n"));
                prop_assert_eq!(report.to_string().lines().count(), 1);
            }
        }
    }
}
