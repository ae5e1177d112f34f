//! Where the gate runs and for whom, and which environments it has: the part of the configuration that several projects share.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::reading::Section;
use super::{Config, Integration, Nrt};
use crate::domain::ids::{BranchName, ProjectPath};
use crate::domain::serving::Serves;
use crate::outcome::Problem;

/// Where the gate runs, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    /// The project that the gate of this one runs in; this project itself when not given.
    pub project: Option<ProjectPath>,
    /// The branch of that project whose pipelines are the gate's, `main` when not given.
    pub branch: Option<BranchName>,
    /// The projects whose merge requests this project's gate serves; none: this project's own.
    pub projects: Vec<ProjectPath>,
}

/// One of several NRT environments. What it leaves out is as in `nrt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NrtEnvironment {
    /// What it serves.
    pub serves: Serves,
    /// The file with its deployment and test jobs.
    pub pipeline: Option<String>,
    /// When a holder that GitLab no longer knows counts as gone.
    pub lease: Option<SignedDuration>,
    /// The most change sets in one trial.
    pub batch: Option<u32>,
    /// What it takes to reject one.
    pub strikes: Option<u32>,
    /// What stands before the number in the tags of its versions.
    pub tag_prefix: Option<String>,
    /// Whether its branch is for hotfixes of the default branch's versions, and goes on with them.
    pub hotfixes: bool,
}

pub(super) fn gate(section: &mut Section) -> Gate {
    Gate {
        project: section.id("project"),
        branch: section.id("branch"),
        projects: section.ids("projects"),
    }
}

pub(super) fn environment(section: &mut Section) -> Option<NrtEnvironment> {
    let environment = section.scope_name("name");
    let branch = section.id("branch");
    let projects = section.optional_ids("projects");
    let rest = (
        section.text("pipeline"),
        section.duration("lease"),
        section.number("batch", 1..=100),
        section.number("strikes", 1..=2),
        section.tag_prefix("tag_prefix"),
        section.flag("hotfixes").unwrap_or(false),
    );
    let (Some(environment), Some(branch)) = (environment, branch) else {
        section.refuse("needs a `name` and the `branch` that it serves");
        return None;
    };
    let (pipeline, lease, batch, strikes, tag_prefix, hotfixes) = rest;
    Some(NrtEnvironment {
        serves: Serves {
            environment,
            branch,
            projects,
        },
        pipeline,
        lease,
        batch,
        strikes,
        tag_prefix,
        hotfixes,
    })
}

/// Keys of a file whose gate is in another project, and that only that project's file decides.
pub(super) const OF_THE_YARD: [&str; 2] = ["nrt", "versions"];

/// What is fine alone and wrong together.
pub(super) fn contradictions(gate: &Gate, nrt: &Nrt, prefix: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let prefix_of = |one: &NrtEnvironment| one.tag_prefix.clone().unwrap_or(prefix.to_owned());
    let prefixes: BTreeSet<String> = nrt.environments.iter().map(prefix_of).collect();
    if !gate.projects.is_empty() && prefixes.len() < nrt.environments.len() {
        problems.push("`nrt.environments`: in a yard each needs a `tag_prefix` of its own: every environment makes its own versions, and their tags stand side by side in this project".to_owned());
    }
    if gate.project.is_some() && !gate.projects.is_empty() {
        problems.push("`gate.project` says that the gate is elsewhere, and `gate.projects` that it is here: a yard has the second, its members have the first".to_owned());
    }
    for one in nrt.environments.iter().filter(|one| one.hotfixes) {
        let (name, own) = (&one.serves.environment, one.tag_prefix.as_ref());
        if !gate.projects.is_empty() {
            problems.push(format!("`nrt.environments`: `{name}` has `hotfixes`, and a yard makes none: its versions are commits of several projects; pick by hand in the member, onto the branch of an environment"));
        } else if own.is_some_and(|own| own != prefix) {
            problems.push(format!("`nrt.environments`: `{name}` has `hotfixes` and a `tag_prefix` of its own; its numbers go on from those of the default branch, so take one of the two out"));
        }
    }
    let list: Vec<&Serves> = nrt.environments.iter().map(|one| &one.serves).collect();
    for (index, one) in list.iter().enumerate() {
        for other in &list[..index] {
            if one.environment == other.environment {
                problems.push(format!(
                    "`nrt.environments` has two of the name `{}`",
                    one.environment
                ));
            } else if one.is_rival_of(other) {
                problems.push(format!(
                    "`nrt.environments`: {other}, and {one}: whenever one of them lands, the branch moves under the other's trial, so a branch of a project has one environment; larger batches (`nrt.batch`) are what makes one faster"
                ));
            }
        }
        let strangers = one.projects.iter().flatten();
        for stranger in strangers.filter(|project| !gate.projects.contains(project)) {
            problems.push(format!(
                "`nrt.environments`: `{}` names `{stranger}`, which is not in `gate.projects`",
                one.environment
            ));
        }
    }
    problems
}

impl Config {
    /// The rules of one environment; `asked` is the name that the job was given.
    ///
    /// # Errors
    /// When there is no such environment, or several and none was asked for.
    pub fn at_environment(mut self, asked: Option<&str>) -> Result<Self, Problem> {
        if self.nrt.environments.is_empty() {
            return match asked {
                Some(name) if name != self.nrt.environment => Err(Problem::misconfigured(
                    format!(
                        "the job is for the environment `{name}`, but `.trainyard.yml` calls it `{}`",
                        self.nrt.environment
                    ),
                    "give the template's input `environment` and `nrt.environment` the same name",
                )),
                Some(_) | None => Ok(self),
            };
        }
        let all = self.nrt.environments.iter();
        let found = all
            .clone()
            .find(|one| Some(one.serves.environment.as_str()) == asked);
        let Some(found) = found.cloned() else {
            let names: Vec<String> = all
                .map(|one| format!("`{}`", one.serves.environment))
                .collect();
            let names = names.join(", ");
            return Err(match asked {
                Some(name) => Problem::misconfigured(
                    format!("there is no environment `{name}`; `nrt.environments` has {names}"),
                    "give the template's input `environment` one of these names, or add the environment to `.trainyard.yml`",
                ),
                None => Problem::misconfigured(
                    format!("there are several environments ({names}), and the job says none"),
                    "give the command `--environment NAME`, or the template its input `environment`",
                ),
            });
        };
        let NrtEnvironment {
            serves,
            pipeline,
            lease,
            batch,
            strikes,
            tag_prefix,
            hotfixes: _,
        } = found;
        let nrt = &mut self.nrt;
        nrt.environment = serves.environment;
        nrt.pipeline = pipeline.unwrap_or_else(|| nrt.pipeline.clone());
        nrt.lease = lease.unwrap_or(nrt.lease);
        nrt.trials.batch_max = batch.map_or(nrt.trials.batch_max, |n| n as usize);
        nrt.trials.strikes = strikes.unwrap_or(nrt.trials.strikes);
        if let Some(prefix) = tag_prefix {
            self.versions.numbering.prefix = prefix;
        }
        if let Some(projects) = serves.projects {
            self.gate
                .projects
                .retain(|project| projects.contains(project));
        }
        self.branch = Some(serves.branch);
        Ok(self)
    }

    /// The environment that serves a branch, of those that `nrt.environments` lists.
    pub fn environment_of(&self, branch: &BranchName) -> Option<&NrtEnvironment> {
        let mut all = self.nrt.environments.iter();
        all.find(|one| one.serves.branch == *branch)
    }

    /// Whether this is the configuration of an environment for hotfixes.
    pub fn is_for_hotfixes(&self) -> bool {
        let mut all = self.nrt.environments.iter();
        let own = all.find(|one| one.serves.environment == self.nrt.environment);
        own.is_some_and(|one| one.hotfixes)
    }

    /// Whether merge requests of other projects are served here.
    pub fn is_yard(&self) -> bool {
        !self.gate.projects.is_empty()
    }

    /// The rules for merge requests of a member of this yard: features, roles, validation, labels and what a merge request must
    /// fulfil are the member's; lanes, freeze, environment, versions and notification are the yard's, for all members share them.
    ///
    /// # Errors
    /// When the member says that another project is its gate.
    pub fn for_member(
        &self,
        yard: &ProjectPath,
        member: &ProjectPath,
        own: Self,
    ) -> Result<Self, Problem> {
        match &own.gate.project {
            Some(project) if project == yard => {}
            other => {
                let says = other.as_ref().map_or_else(
                    || "does not set `gate.project`".to_owned(),
                    |other| format!("sets `gate.project: {other}`"),
                );
                return Err(Problem::misconfigured(
                    format!(
                        "`{yard}` lists `{member}` in `gate.projects`, but the `.trainyard.yml` of `{member}` {says}; nothing of it is served"
                    ),
                    format!(
                        "set `gate: {{project: {yard}}}` in `{member}`, or take it out of `gate.projects` in `{yard}`"
                    ),
                ));
            }
        }
        let mut rules = own;
        rules.branch = self.branch.clone().or(rules.branch);
        rules.integration = Integration {
            resolved_threads: rules.integration.resolved_threads,
            breaking_label: rules.integration.breaking_label,
            ..self.integration.clone()
        };
        rules.gate = self.gate.clone();
        rules.nrt = self.nrt.clone();
        rules.versions = self.versions.clone();
        rules.notification = self.notification.clone();
        Ok(rules)
    }
}

/// A member's file that decides what its yard decides.
pub(super) fn without_effect(keys: &[&str], gate: &Gate) -> Vec<String> {
    let Some(project) = &gate.project else {
        return Vec::new();
    };
    let said = |key: &&str| {
        format!(
            "`{key}` has no effect with `gate.project`: the file of `{project}` decides it; move it there"
        )
    };
    keys.iter().map(said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "gate: {projects: [shop/web, shop/api]}\n\
        nrt:\n  lease: 2h\n  environments:\n  - {name: main, branch: main, batch: 4}\n  - {name: old, branch: release/1.x, projects: [shop/web], pipeline: ci/old.yml, tag_prefix: old-}\n";

    #[test]
    fn an_environment_takes_its_own_settings_and_the_common_ones() {
        let old = Config::parse(TWO)
            .unwrap()
            .at_environment(Some("old"))
            .unwrap();
        assert_eq!(old.nrt.environment, "old");
        assert_eq!(old.nrt.pipeline, "ci/old.yml");
        assert_eq!(old.nrt.lease, SignedDuration::from_hours(2));
        assert_eq!(old.branch.as_ref().unwrap().as_str(), "release/1.x");
        assert_eq!(old.versions.numbering.prefix, "old-");
        assert_eq!(old.gate.projects.len(), 1);
        let main = Config::parse(TWO)
            .unwrap()
            .at_environment(Some("main"))
            .unwrap();
        assert_eq!(
            (main.nrt.trials.batch_max, main.gate.projects.len()),
            (4, 2)
        );
    }

    #[test]
    fn an_environment_that_is_not_there_is_refused_with_those_that_are() {
        let of = |text: &str, name| Config::parse(text).unwrap().at_environment(name);
        let problem = of(TWO, Some("new")).unwrap_err();
        assert!(
            problem
                .what
                .contains("no environment `new`; `nrt.environments` has `main`, `old`"),
            "{}",
            problem.what
        );
        let problem = of(TWO, None).unwrap_err();
        assert!(
            problem.what.contains("several environments"),
            "{}",
            problem.what
        );
        assert!(of("", Some("nrt")).is_ok() && of("", None).is_ok());
        let problem = of("nrt: {environment: staging}\n", Some("nrt")).unwrap_err();
        assert!(
            problem.what.contains("calls it `staging`"),
            "{}",
            problem.what
        );
    }

    #[test]
    fn what_cannot_work_together_is_refused() {
        for (text, expected) in [
            (
                "gate: {project: shop/yard, projects: [shop/web]}\n",
                "a yard has the second",
            ),
            (
                "gate: {project: shop/yard}\nnrt: {batch: 3}\n",
                "`nrt` has no effect with `gate.project`: the file of `shop/yard` decides it",
            ),
            (
                "nrt: {environments: [{name: a, branch: main}, {name: a, branch: old}]}\n",
                "two of the name `a`",
            ),
            (
                "nrt: {environments: [{name: a, branch: main}, {name: b, branch: main}]}\n",
                "`a` serves `main`, and `b` serves `main`: whenever one of them lands",
            ),
            (
                "gate: {projects: [shop/web]}\nnrt: {environments: [{name: a, branch: main, projects: [shop/db]}]}\n",
                "`a` names `shop/db`, which is not in `gate.projects`",
            ),
            (
                "gate: {projects: [shop/web]}\nnrt: {environments: [{name: a, branch: main}, {name: b, branch: old}]}\n",
                "in a yard each needs a `tag_prefix`",
            ),
            (
                "gate: {projects: [shop/web]}\nnrt: {environments: [{name: a, branch: main, hotfixes: true}]}\n",
                "`a` has `hotfixes`, and a yard makes none",
            ),
            (
                "nrt: {environments: [{name: a, branch: hotfix, hotfixes: true, tag_prefix: x-}]}\n",
                "a `tag_prefix` of its own",
            ),
            (
                "nrt: {environments: [{name: a}]}\n",
                "`nrt.environments[0]` needs a `name` and the `branch`",
            ),
        ] {
            let problem = Config::parse(text).unwrap_err();
            assert!(problem.what.contains(expected), "{text}: {}", problem.what);
        }
    }

    #[test]
    fn a_member_brings_its_people_and_the_yard_its_queue() {
        let yard = Config::parse("gate: {projects: [shop/web]}\nnrt: {batch: 4}\nintegration: {frozen: fair}\nroles: {release: {users: [rita]}}\n").unwrap();
        let member = Config::parse("gate: {project: shop/yard}\nroles: {po: {users: [olga]}}\nvalidation: {roles: [po]}\nfeatures: {label: feature}\n").unwrap();
        let path = |text: &str| text.parse().unwrap();
        let rules = yard
            .for_member(&path("shop/yard"), &path("shop/web"), member.clone())
            .unwrap();
        assert_eq!(rules.roles[0].name.as_str(), "po");
        assert_eq!(rules.nrt.trials.batch_max, 4);
        assert_eq!(rules.integration.frozen.as_deref(), Some("fair"));
        let problem = yard
            .for_member(&path("shop/other"), &path("shop/web"), member)
            .unwrap_err();
        assert!(
            problem.what.contains("sets `gate.project: shop/yard`"),
            "{}",
            problem.what
        );
    }
}
