//! The sections `roles` and `validation`: who holds which role, and what a closing merge request needs of them.

use super::reading::Section;
use crate::domain::ids::RoleName;
use crate::domain::validation::{Members, RoleRule, When, Who};

/// A role and its people.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Its name: jobs are called `validate:<name>` and `reject:<name>`.
    pub name: RoleName,
    /// Who belongs to it.
    pub members: Members,
}

impl Role {
    /// Reads one entry of the section; nothing when its name is none.
    pub(super) fn read(name: &str, s: &mut Section) -> Option<Self> {
        let name = s.parse_key::<RoleName>(name)?;
        let access = s.choice(
            "access",
            &[("developer", 30), ("maintainer", 40), ("owner", 50)],
        );
        let (users, groups) = (s.ids("users").into_iter().collect(), s.texts("groups"));
        Some(Self {
            name,
            members: Members {
                users,
                groups,
                access,
            },
        })
    }
}

/// What a closing merge request needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Roles that must always validate.
    pub roles: Vec<RoleName>,
    /// Roles that must validate some merge requests.
    pub rules: Vec<RoleRule>,
    /// Whose verdicts count.
    pub who: Who,
    /// Whether a feature with unticked acceptance criteria may be validated.
    pub criteria_required: bool,
    /// Headings of the acceptance criteria, beside "Acceptance criteria".
    pub criteria_headings: Vec<String>,
}

impl Validation {
    /// Reads the section; absent keys have their usual values.
    pub(super) fn read(s: &mut Section) -> Self {
        Self {
            roles: s.ids("roles"),
            rules: s.items("rules", role_rule),
            who: Who {
                author: s.flag("author_may_validate").unwrap_or(false),
                committers: s.flag("committers_may_validate").unwrap_or(true),
                several_roles: s.flag("one_person_several_roles").unwrap_or(true),
            },
            criteria_required: s
                .choice("criteria", &[("shown", false), ("required", true)])
                .unwrap_or(false),
            criteria_headings: s.texts("criteria_headings"),
        }
    }

    /// Whether any rule looks at the files that a merge request changes.
    pub fn looks_at_paths(&self) -> bool {
        self.rules.iter().any(|rule| !rule.when.paths.is_empty())
    }

    /// Whether any rule looks at the labels of features.
    pub fn looks_at_features(&self) -> bool {
        let looks = |rule: &RoleRule| !rule.when.feature_labels.is_empty();
        self.rules.iter().any(looks)
    }

    /// Whether nobody ever has to validate.
    pub fn is_off(&self) -> bool {
        self.roles.is_empty() && self.rules.is_empty()
    }
}

fn role_rule(s: &mut Section) -> RoleRule {
    let rule = RoleRule {
        roles: s.ids("roles"),
        when: s.section("when", |w| When {
            feature_labels: w.texts("feature_labels"),
            labels: w.texts("labels"),
            paths: w.ids("paths"),
        }),
        instead: s.flag("instead").unwrap_or(false),
    };
    if rule.roles.is_empty() {
        s.refuse("names no `roles`");
    }
    if rule.when == When::default() {
        s.refuse("applies never: give `when` one of `feature_labels`, `labels` or `paths`; roles that are always asked go to `validation.roles`");
    }
    rule
}
