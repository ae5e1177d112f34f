//! Which roles a merge request asks, and why.

use crate::domain::ids::{FeatureId, RoleName};
use crate::domain::paths::PathPattern;

/// When a rule applies: every kind of condition that is given must be met, by any of its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When {
    /// A closed feature carries one of these labels.
    pub feature_labels: Vec<String>,
    /// The merge request carries one of these labels.
    pub labels: Vec<String>,
    /// A changed file matches one of these patterns, at its old or its new path.
    pub paths: Vec<PathPattern>,
}

/// Roles that some merge requests ask.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleRule {
    /// The roles.
    pub roles: Vec<RoleName>,
    /// When they are asked.
    pub when: When,
    /// Whether they take the place of the roles that every merge request asks.
    pub instead: bool,
}

/// Something that may not have been seen whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partly<T> {
    /// What was seen.
    pub seen: Vec<T>,
    /// Whether that is all there is.
    pub complete: bool,
}

impl<T> Partly<T> {
    /// All there is.
    pub fn all(seen: Vec<T>) -> Self {
        Self {
            seen,
            complete: true,
        }
    }

    /// What could be seen of more.
    pub fn some(seen: Vec<T>) -> Self {
        Self {
            seen,
            complete: false,
        }
    }
}

/// A closed feature, as far as rules look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// Which one.
    pub feature: FeatureId,
    /// Its labels.
    pub labels: Vec<String>,
    /// Whether they may be named where everybody reads.
    pub confidential: bool,
}

/// What rules look at.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// The labels of the merge request.
    pub labels: &'a [String],
    /// The labels of each closed feature.
    pub features: Partly<Labelled>,
    /// The files that the merge request changes, old and new paths.
    pub paths: Partly<String>,
}

/// Why a role is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// Every closing merge request asks it.
    Always,
    /// A feature carries this label, which is not named for a confidential one.
    FeatureLabel {
        feature: FeatureId,
        label: Option<String>,
    },
    /// The merge request carries this label.
    Label { label: String },
    /// This file changed.
    Path { path: String },
    /// Not every feature could be seen, so the rule may apply.
    FeaturesUnseen,
    /// Not every changed file could be seen, so the rule may apply.
    PathsUnseen,
}

/// A role that must validate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The role.
    pub role: RoleName,
    /// Why.
    pub because: Because,
}

/// The roles that must validate: those that are always asked, unless a rule takes their place, then those of each rule that
/// applies. What could not be seen counts as if it met the condition.
pub fn asked(
    always: &[RoleName],
    rules: &[RoleRule],
    circumstances: &Circumstances<'_>,
) -> Vec<Asked> {
    let applying: Vec<(&RoleRule, Because)> = rules
        .iter()
        .filter_map(|rule| Some((rule, applies(&rule.when, circumstances)?)))
        .collect();
    let replaced = applying.iter().any(|(rule, _)| rule.instead);
    let base = always.iter().filter(|_| !replaced).map(|role| Asked {
        role: role.clone(),
        because: Because::Always,
    });
    let ruled = applying.iter().flat_map(|(rule, because)| {
        rule.roles.iter().map(|role| Asked {
            role: role.clone(),
            because: because.clone(),
        })
    });
    let mut found: Vec<Asked> = Vec::new();
    for asked in base.chain(ruled) {
        if !found.iter().any(|known| known.role == asked.role) {
            found.push(asked);
        }
    }
    found
}

/// The most telling reason why every given condition is met; none when one is not.
fn applies(when: &When, circumstances: &Circumstances<'_>) -> Option<Because> {
    let mut met = Vec::new();
    if !when.paths.is_empty() {
        met.push(path(&when.paths, &circumstances.paths)?);
    }
    if !when.feature_labels.is_empty() {
        met.push(feature_label(
            &when.feature_labels,
            &circumstances.features,
        )?);
    }
    if !when.labels.is_empty() {
        let label = circumstances
            .labels
            .iter()
            .find(|label| when.labels.contains(label))?;
        met.push(Because::Label {
            label: label.clone(),
        });
    }
    met.into_iter().next()
}

fn path(patterns: &[PathPattern], paths: &Partly<String>) -> Option<Because> {
    let matches = |path: &&String| patterns.iter().any(|pattern| pattern.matches(path));
    match paths.seen.iter().find(matches) {
        Some(path) => Some(Because::Path { path: path.clone() }),
        None if paths.complete => None,
        None => Some(Because::PathsUnseen),
    }
}

fn feature_label(wanted: &[String], features: &Partly<Labelled>) -> Option<Because> {
    let found = features.seen.iter().find_map(|one| {
        let label = one.labels.iter().find(|label| wanted.contains(label))?;
        Some(Because::FeatureLabel {
            feature: one.feature.clone(),
            label: (!one.confidential).then(|| label.clone()),
        })
    });
    match found {
        Some(because) => Some(because),
        None if features.complete => None,
        None => Some(Because::FeaturesUnseen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(roles: &[&str], when: When) -> RoleRule {
        RoleRule {
            roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
            when,
            instead: false,
        }
    }

    fn paths(patterns: &[&str]) -> When {
        When {
            paths: patterns.iter().map(|text| text.parse().unwrap()).collect(),
            ..When::default()
        }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn feature() -> FeatureId {
        FeatureId {
            project: "shop/web".parse().unwrap(),
            iid: 1,
        }
    }

    fn roles_of(rules: &[RoleRule], circumstances: &Circumstances<'_>) -> Vec<(String, Because)> {
        asked(&["po".parse().unwrap()], rules, circumstances)
            .into_iter()
            .map(|asked| (asked.role.to_string(), asked.because))
            .collect()
    }

    #[test]
    fn rules_add_roles_and_say_why() {
        let labels = texts(&["db"]);
        let circumstances = Circumstances {
            labels: &labels,
            features: Partly::all(vec![Labelled {
                feature: feature(),
                labels: texts(&["feature", "gdpr"]),
                confidential: false,
            }]),
            paths: Partly::all(texts(&["src/auth/login.rs", "README.md"])),
        };
        let rules = [
            rule(&["security"], paths(&["src/auth/**"])),
            rule(&["docs"], paths(&["docs/*.md"])),
            rule(
                &["legal", "po"],
                When {
                    feature_labels: texts(&["gdpr"]),
                    ..When::default()
                },
            ),
            rule(
                &["dba"],
                When {
                    labels: texts(&["db", "sql"]),
                    ..When::default()
                },
            ),
            rule(
                &["nobody"],
                When {
                    labels: texts(&["db"]),
                    ..paths(&["*.sql"])
                },
            ),
        ];
        assert_eq!(
            roles_of(&rules, &circumstances),
            [
                ("po".to_owned(), Because::Always),
                (
                    "security".to_owned(),
                    Because::Path {
                        path: "src/auth/login.rs".into()
                    }
                ),
                (
                    "legal".to_owned(),
                    Because::FeatureLabel {
                        feature: feature(),
                        label: Some("gdpr".into())
                    }
                ),
                ("dba".to_owned(), Because::Label { label: "db".into() }),
            ]
        );
    }

    #[test]
    fn a_rule_may_take_the_place_of_the_roles_that_are_always_asked() {
        let rules = [RoleRule {
            instead: true,
            ..rule(&["tech"], paths(&["ci/**", ".gitlab-ci.yml"]))
        }];
        let with = |path: &str| {
            let circumstances = Circumstances {
                labels: &[],
                features: Partly::all(Vec::new()),
                paths: Partly::all(texts(&[path])),
            };
            roles_of(&rules, &circumstances)
                .into_iter()
                .map(|(role, _)| role)
                .collect::<Vec<_>>()
        };
        assert_eq!(with("ci/deploy/prod.yml"), ["tech"]);
        assert_eq!(with("src/main.rs"), ["po"]);
    }

    #[test]
    fn what_could_not_be_seen_counts_as_if_it_met_the_condition() {
        let circumstances = Circumstances {
            labels: &[],
            features: Partly::some(Vec::new()),
            paths: Partly::some(texts(&["README.md"])),
        };
        let rules = [
            rule(&["security"], paths(&["src/auth/**"])),
            rule(
                &["legal"],
                When {
                    feature_labels: texts(&["gdpr"]),
                    ..When::default()
                },
            ),
        ];
        let found = roles_of(&rules, &circumstances);
        assert_eq!(found[1].1, Because::PathsUnseen);
        assert_eq!(found[2].1, Because::FeaturesUnseen);
    }
}
