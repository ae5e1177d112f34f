//! `versions.packages`: parts of the repository that have versions of their own, and what is decided for each of them alone.

use std::collections::BTreeMap;

use semver::Version;

use super::publishing::{self, Pattern};
use super::reading::Section;
use super::{Config, Versions};
use crate::domain::ids::{PackageName, RoleName};
use crate::domain::versioning::numbers::{Calendar, Scheme};
use crate::domain::versioning::packages::Package;
use crate::outcome::Problem;

/// A package; what it leaves out is as in `versions`.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageRules {
    /// Its name and its files.
    pub package: Package,
    initial: Option<Version>,
    tag_prefix: Option<String>,
    scheme: Option<Scheme>,
    environment: Option<String>,
    changelog: Option<String>,
    milestone: Option<Pattern>,
    released_by: Option<Vec<RoleName>>,
}

impl PackageRules {
    /// What stands before its number in the tag: its name, if nothing else is said.
    fn prefix(&self, usual: &str) -> String {
        let named = || format!("{}-{usual}", self.package.name);
        self.tag_prefix.clone().unwrap_or_else(named)
    }
}

/// Reads the packages.
pub(super) fn read(s: &mut Section) -> Vec<PackageRules> {
    s.entries("packages", |name, section| {
        let name: Option<PackageName> = section.parse_key(name);
        let paths = section.ids("paths");
        if paths.is_empty() {
            section.refuse("needs `paths`: the files that belong to the package");
        }
        let rules = PackageRules {
            package: Package { name: name?, paths },
            initial: section.version("initial"),
            tag_prefix: section.tag_prefix("tag_prefix"),
            scheme: section
                .choice("calendar", &Calendar::ALL)
                .map(Scheme::Calendar),
            environment: section.text("environment"),
            changelog: section.checked("changelog", publishing::file),
            milestone: section.checked("milestone", publishing::pattern),
            released_by: section.optional_ids("released_by"),
        };
        Some(rules)
    })
}

/// What is fine alone and wrong together.
pub(super) fn contradictions(versions: &Versions, yard: bool) -> Vec<String> {
    let mut problems = Vec::new();
    if yard && !versions.packages.is_empty() {
        problems.push("`versions.packages` is for one repository; the versions of a yard are made of its members'".to_owned());
    }
    let mut prefixes: BTreeMap<String, &PackageName> = BTreeMap::new();
    for rules in &versions.packages {
        let name = &rules.package.name;
        let prefix = rules.prefix(&versions.numbering.prefix);
        if let Some(other) = prefixes.insert(prefix.clone(), name) {
            problems.push(format!(
                "`versions.packages`: `{other}` and `{name}` have the same `tag_prefix`, `{prefix}`: nobody could tell their tags apart"
            ));
        }
    }
    problems
}

impl Versions {
    /// The rules for one package; those for all where there is no such package.
    #[must_use]
    pub fn of_package(&self, name: Option<&PackageName>) -> Self {
        let mut versions = self.clone();
        let mut all = self.packages.iter();
        let Some(rules) = all.find(|rules| Some(&rules.package.name) == name).cloned() else {
            return versions;
        };
        let numbering = &mut versions.numbering;
        numbering.prefix = rules.prefix(&numbering.prefix);
        numbering.initial = rules.initial.unwrap_or(numbering.initial.clone());
        numbering.scheme = rules.scheme.unwrap_or(numbering.scheme);
        numbering.package = Some(rules.package.name);
        versions.environment = rules.environment.unwrap_or(versions.environment);
        versions.released_by = rules.released_by.unwrap_or(versions.released_by);
        let publishing = &mut versions.publishing;
        publishing.changelog = rules.changelog.or(publishing.changelog.take());
        publishing.milestone = rules.milestone.or(publishing.milestone.take());
        versions
    }

    /// The files of the package that these rules are for.
    pub fn package(&self) -> Option<&Package> {
        let mut all = self.packages.iter().map(|rules| &rules.package);
        all.find(|package| Some(&package.name) == self.numbering.package.as_ref())
    }

    /// Every package and its files.
    pub fn all_packages(&self) -> Vec<Package> {
        let all = self.packages.iter();
        all.map(|rules| rules.package.clone()).collect()
    }
}

impl Config {
    /// The rules for one package.
    #[must_use]
    pub fn of_package(&self, name: Option<&PackageName>) -> Self {
        Self {
            versions: self.versions.of_package(name),
            ..self.clone()
        }
    }

    /// The rules for the package that a command is about; `asked` is the name that it was given.
    ///
    /// # Errors
    /// When there is no such package, or there are packages and none was asked for.
    pub fn at_package(&self, asked: Option<&PackageName>) -> Result<Self, Problem> {
        let packages = &self.versions.packages;
        let names = packages
            .iter()
            .map(|rules| format!("`{}`", rules.package.name));
        let names = names.collect::<Vec<_>>().join(", ");
        match asked {
            None if packages.is_empty() => Ok(self.clone()),
            None => Err(Problem::misconfigured(
                format!("each package has versions of its own ({names}), and the job says none"),
                "give the command `--package NAME`, or the template its input `package`",
            )),
            Some(name) if packages.iter().any(|rules| rules.package.name == *name) => {
                Ok(self.of_package(asked))
            }
            Some(name) => Err(Problem::misconfigured(
                if packages.is_empty() {
                    format!(
                        "there is no package `{name}`: `.trainyard.yml` has no `versions.packages`"
                    )
                } else {
                    format!("there is no package `{name}`; `versions.packages` has {names}")
                },
                "give the command one of these names, or add the package to `.trainyard.yml` on the target branch",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, Problem> {
        Config::parse(text)
    }

    const TWO: &str = "versions:\n  initial: \"1.0.0\"\n  packages:\n    api: {paths: ['api/**']}\n    web: {paths: ['web/**'], tag_prefix: 'web/', initial: \"0.3.0\", environment: shop, changelog: web/CHANGELOG.md}\n";

    #[test]
    fn a_package_says_what_is_its_own_and_leaves_the_rest() {
        let config = read(TWO).unwrap();
        let of = |name: &str| config.at_package(Some(&name.parse().unwrap())).unwrap();
        let (api, web) = (of("api").versions, of("web").versions);
        assert_eq!(api.numbering.prefix, "api-v");
        assert_eq!(api.numbering.initial.to_string(), "1.0.0");
        assert_eq!(api.environment, "production");
        assert_eq!(web.numbering.prefix, "web/");
        assert_eq!(web.numbering.initial.to_string(), "0.3.0");
        assert_eq!(web.environment, "shop");
        assert_eq!(
            web.publishing.changelog.as_deref(),
            Some("web/CHANGELOG.md")
        );
        assert_eq!(web.package().unwrap().name.as_str(), "web");
        assert!(config.versions.package().is_none());
    }

    #[test]
    fn a_command_that_names_no_package_or_another_one_is_refused_with_the_names() {
        let config = read(TWO).unwrap();
        let asked = |name: Option<&str>| {
            let name = name.map(|name| name.parse().unwrap());
            config.at_package(name.as_ref()).unwrap_err().what
        };
        assert_eq!(
            asked(None),
            "each package has versions of its own (`api`, `web`), and the job says none"
        );
        assert_eq!(
            asked(Some("app")),
            "there is no package `app`; `versions.packages` has `api`, `web`"
        );
        let none = read("{}").unwrap();
        assert!(none.at_package(None).is_ok());
        let asked = none.at_package(Some(&"api".parse().unwrap())).unwrap_err();
        assert!(
            asked.what.contains("has no `versions.packages`"),
            "{}",
            asked.what
        );
    }

    #[test]
    fn packages_that_cannot_be_told_apart_or_that_hold_nothing_are_refused() {
        for (text, said) in [
            (
                "versions: {packages: {api: {paths: ['a/**'], tag_prefix: v}, web: {paths: ['w/**'], tag_prefix: v}}}",
                "`api` and `web` have the same `tag_prefix`, `v`",
            ),
            (
                "versions: {packages: {api: {}}}",
                "`versions.packages.api` needs `paths`",
            ),
            (
                "versions: {packages: {Api: {paths: ['a/**']}}}",
                "is not a package name",
            ),
            (
                "gate: {projects: [shop/web]}\nversions: {packages: {api: {paths: ['a/**']}}}",
                "`versions.packages` is for one repository",
            ),
        ] {
            let problem = read(text).unwrap_err();
            assert!(
                problem.full_text().contains(said),
                "{}",
                problem.full_text()
            );
        }
    }
}
