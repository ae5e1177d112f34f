//! Which NRT environment serves a change set: by the branch that it lands on, and the project that it is of.

use std::fmt;

use super::ids::{BranchName, ProjectPath};

/// What one of several environments serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serves {
    /// The environment's name.
    pub environment: String,
    /// The branch that its change sets land on.
    pub branch: BranchName,
    /// The projects whose merge requests it takes; all that the gate serves when not given.
    pub projects: Option<Vec<ProjectPath>>,
}

impl Serves {
    /// Whether merge requests of a project with this target are tried there.
    pub fn takes(&self, project: &ProjectPath, target: &BranchName) -> bool {
        self.branch == *target && self.takes_project(project)
    }

    /// Whether any merge request of a project is tried there.
    pub fn takes_project(&self, project: &ProjectPath) -> bool {
        self.projects.as_ref().is_none_or(|p| p.contains(project))
    }

    /// Whether both could land on the same branch of the same project: each landing would move the target under the other's
    /// trial, and nothing would ever be validated on what it lands on.
    pub fn is_rival_of(&self, other: &Self) -> bool {
        let shared = match (&self.projects, &other.projects) {
            (Some(own), Some(others)) => own.iter().any(|project| others.contains(project)),
            (None, _) | (_, None) => true,
        };
        shared && self.branch == other.branch
    }
}

impl fmt::Display for Serves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` serves `{}`", self.environment, self.branch)?;
        match &self.projects {
            None => Ok(()),
            Some(projects) => {
                let names: Vec<String> = projects.iter().map(|p| format!("`{p}`")).collect();
                write!(f, " of {}", names.join(", "))
            }
        }
    }
}

/// The environment of a merge request; no two of them are rivals, so there is one at most.
pub fn serving<'a>(
    environments: &'a [Serves],
    project: &ProjectPath,
    target: &BranchName,
) -> Option<&'a Serves> {
    environments.iter().find(|one| one.takes(project, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serves(environment: &str, branch: &str, projects: Option<&[&str]>) -> Serves {
        Serves {
            environment: environment.to_owned(),
            branch: branch.parse().unwrap(),
            projects: projects.map(|list| list.iter().map(|p| p.parse().unwrap()).collect()),
        }
    }

    #[test]
    fn a_merge_request_belongs_to_the_environment_of_its_branch_and_project() {
        let list = [
            serves("web", "main", Some(&["shop/web"])),
            serves("api", "main", Some(&["shop/api"])),
            serves("old", "release/1.x", None),
        ];
        let of = |project: &str, target: &str| {
            let found = serving(&list, &project.parse().unwrap(), &target.parse().unwrap());
            found.map(|one| one.environment.as_str())
        };
        assert_eq!(of("shop/web", "main"), Some("web"));
        assert_eq!(of("shop/api", "main"), Some("api"));
        assert_eq!(of("shop/api", "release/1.x"), Some("old"));
        assert_eq!(of("shop/docs", "main"), None);
        assert_eq!(of("shop/web", "topic"), None);
    }

    #[test]
    fn two_environments_of_one_branch_of_one_project_are_rivals() {
        let web = serves("web", "main", Some(&["shop/web"]));
        assert!(web.is_rival_of(&serves("all", "main", None)));
        assert!(web.is_rival_of(&serves("more", "main", Some(&["shop/api", "shop/web"]))));
        assert!(!web.is_rival_of(&serves("api", "main", Some(&["shop/api"]))));
        assert!(!web.is_rival_of(&serves("old", "release/1.x", None)));
    }
}
