//! From the project's file and the CI variables to one checked configuration. Every problem is reported at once.
//!
//! The only place that reads the environment.

pub mod ci;
mod contradictions;
pub mod features;
mod freezes;
pub mod integration;
pub mod labels;
pub mod notification;
pub mod nrt;
pub mod packages;
pub mod publishing;
mod reading;
pub mod validation;
pub mod versions;
pub mod yard;

use std::collections::BTreeSet;

use crate::domain::freezes::Freezes;
use crate::domain::ids::BranchName;
use crate::domain::integration::Priority;
use crate::outcome::Problem;
use features::Features;
use freezes::Stops;
use integration::Integration;
use labels::StageLabels;
use notification::Notification;
use nrt::Nrt;
use reading::Section;
use validation::{Role, Validation};
use versions::Versions;
use yard::Gate;

/// The name of the configuration file, at the root of the target branch.
pub const FILE: &str = ".trainyard.yml";

/// What a project decides about its own flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The branch that versions are made of; the project's default branch when not given.
    pub branch: Option<BranchName>,
    /// How features are recognised and linked.
    pub features: Features,
    /// Who holds which role, in the order of the file.
    pub roles: Vec<Role>,
    /// What a closing merge request needs.
    pub validation: Validation,
    /// How change sets queue.
    pub integration: Integration,
    /// Where the gate runs, and for whom.
    pub gate: Gate,
    /// The NRT environment.
    pub nrt: Nrt,
    /// How versions are numbered and released.
    pub versions: Versions,
    /// How people are told.
    pub notification: Notification,
    /// Labels that show where something stands.
    pub labels: StageLabels,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Every problem of the text with its path, as one message.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut root = Section::document(text).map_err(|problem| problem_of(&[problem]))?;
        let of_the_yard: Vec<&str> = yard::OF_THE_YARD
            .into_iter()
            .filter(|key| root.holds(key))
            .collect();
        let config = Self::read(&mut root);
        let mut problems = root.finish();
        problems.extend(contradictions::contradictions(&config));
        problems.extend(yard::without_effect(&of_the_yard, &config.gate));
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(problem_of(&problems))
        }
    }

    fn read(root: &mut Section) -> Self {
        let branch = root.id("branch");
        let features = root.section("features", Features::read);
        let roles = root.entries("roles", Role::read);
        let validation = root.section("validation", Validation::read);
        let (mut integration, freezes) = root.section("integration", Integration::read);
        let gate = root.section("gate", yard::gate);
        let nrt = root.section("nrt", |s| Nrt::read(s, &roles));
        let (mut versions, release_freezes) = root.section("versions", |s| {
            let freezes = freezes::read(s, Stops::Releases);
            (Versions::read(s), freezes)
        });
        let notification = root.section("notification", Notification::read);
        let clock = &notification.rules.calendar.zone;
        let by_the_clock = |read: Vec<freezes::Read>| {
            Freezes(read.into_iter().map(|read| read.by(clock)).collect())
        };
        integration.freezes = by_the_clock(freezes);
        versions.freezes = by_the_clock(release_freezes);
        let labels = root.section("labels", StageLabels::read);
        Self {
            branch,
            features,
            roles,
            validation,
            integration,
            gate,
            nrt,
            versions,
            notification,
            labels,
        }
    }

    /// The lane of a change set: the first one that any label of it, or of its features, leads to.
    pub fn lane<'a>(&self, labels: impl IntoIterator<Item = &'a String>) -> Priority {
        let labels: BTreeSet<&String> = labels.into_iter().collect();
        self.integration
            .priorities
            .iter()
            .filter(|(label, _)| labels.contains(label))
            .map(|(_, lane)| *lane)
            .min()
            .unwrap_or_default()
    }
}

fn problem_of(problems: &[String]) -> Problem {
    Problem::misconfigured(
        format!(
            "`{FILE}` on the target branch cannot be used:\n  - {}",
            problems.join("\n  - ")
        ),
        "mend the file in a merge request of its own; `docs/configuration.md` lists every key",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::linking::LinkPolicy;
    use crate::domain::trial_verdict::DecidedBy;
    use crate::domain::trials::Policy;
    use crate::domain::validation::Who;
    use jiff::SignedDuration;
    use semver::Version;

    #[test]
    fn an_empty_file_means_the_defaults() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.features.links, LinkPolicy::Required);
        assert_eq!(config.versions.numbering.prefix, "v");
        assert_eq!(config.nrt.lease, SignedDuration::from_hours(4));
    }

    #[test]
    fn a_full_file_is_read() {
        let config = Config::parse(
            "branch: main\nfeatures: {project: shop/features, label: feature, links: warned, closing_words: [delivers]}\n\
             roles:\n  po: {users: [olga]}\n  qa: {groups: [shop/qa], access: maintainer}\n\
             validation:\n  roles: [po, qa]\n  author_may_validate: true\n  committers_may_validate: false\n  one_person_several_roles: false\n  criteria: required\n  criteria_headings: [Akzeptanzkriterien]\n  rules:\n  - {roles: [qa], when: {feature_labels: [gdpr], labels: [db], paths: ['src/auth/**']}, instead: true}\n\
             integration: {priorities: {hotfix: [hotfix], high: ['priority::high']}, breaking_label: breaking}\n\
             nrt: {environment: nrt, pipeline: ci/nrt.yml, lease: 90m, batch: 8, strikes: 2, verdict: both, roles: [po], tags: ['feature_{feature}']}\n\
             versions: {initial: '1.10.0', tag_prefix: rel-, released_by: [po], environment: production}\n",
        )
        .unwrap();
        assert_eq!(config.roles[1].members.access, Some(40));
        let strict = Who {
            author: true,
            committers: false,
            several_roles: false,
        };
        assert_eq!(config.validation.who, strict);
        assert!(config.validation.rules[0].instead && config.validation.looks_at_paths());
        assert_eq!(config.nrt.lease, SignedDuration::from_mins(90));
        let trials = Policy {
            batch_max: 8,
            strikes: 2,
        };
        assert_eq!(config.nrt.trials, trials);
        assert_eq!(config.nrt.decided_by, DecidedBy::Both);
        assert_eq!(config.nrt.deciders, ["po".parse().unwrap()]);
        assert_eq!(config.nrt.tags.read("feature_7").len(), 1);
        assert_eq!(
            config.lane(&["x".into(), "priority::high".into(), "hotfix".into()]),
            Priority::Hotfix
        );
        assert_eq!(config.versions.numbering.initial, Version::new(1, 10, 0));
    }

    #[test]
    fn every_problem_is_named_with_its_path() {
        let text = "brunch: main\nfeatures: {links: maybe, label: 3}\nroles:\n  PO: {users: [olga]}\n  qa: {users: ['not a user'], friends: []}\n\
                    validation: {roles: [pm], rules: [{roles: [sec], when: {paths: ['/src'], tags: [x]}}, {when: {labels: [a]}}, all]}\nnrt: {lease: soon, environment: 'a*', batch: 0, strikes: many, verdict: dice, roles: [oracle], tags: [feature]}\nversions: {initial: 1.10, tag_prefix: 'v $HOME'}\n";
        let problem = Config::parse(text).unwrap_err();
        for expected in [
            "`brunch` is not a key of this file",
            "`features.links` is `maybe`; it may be `required`, `warned` or `off`",
            "`features.label` is not a text",
            "`roles.PO`",
            "`roles.qa.users[0]`",
            "`roles.qa.friends` is not a key",
            "`validation.roles` names the role `pm`",
            "`validation.rules[0].roles` names the role `sec`",
            "`validation.rules[0].when.paths[0]`: `/src` is not a path from the root",
            "`validation.rules[0].when.tags` is not a key",
            "`validation.rules[0]` applies never",
            "`validation.rules[1]` names no `roles`",
            "`validation.rules[2]` is not a mapping",
            "`nrt.lease` is `soon`",
            "`nrt.batch` is not a number from 1 to 100",
            "`nrt.strikes` is not a number from 1 to 2",
            "`nrt.environment`",
            "`nrt.verdict` is `dice`; it may be `tests`, `manual` or `both`",
            "`nrt.roles` names the role `oracle`",
            "`nrt.tags[0]`: `feature` is not a tag",
            "`versions.initial` must be quoted",
            "`versions.tag_prefix` may hold letters, digits",
        ] {
            assert!(
                problem.what.contains(expected),
                "{expected}\n---\n{}",
                problem.what
            );
        }
        assert_eq!(problem.code, crate::outcome::ExitCode::Misconfigured);
    }

    #[test]
    fn labels_that_show_stages_are_read_and_may_not_be_ones_that_decide() {
        let config = Config::parse(
            "labels: {merge_request: {linked: 'flow::linked', queued: 'flow::queued'}, feature: {landed: done}}\n",
        )
        .unwrap();
        assert_eq!(config.labels.merge_request.all().count(), 2);
        assert!(Config::parse("").unwrap().labels.feature.is_empty());
        let problem = Config::parse(
            "features: {label: feature}\nintegration: {priorities: {hotfix: [hotfix]}}\n\
             labels: {feature: {linked: feature, queue: x}, merge_request: {landed: hotfix, queued: 'a,b'}}\n",
        )
        .unwrap_err();
        for expected in [
            "`labels.feature` takes the label `feature` away again, which `features.label` decides on",
            "`labels.merge_request` takes the label `hotfix`",
            "`labels.feature.queue` is not a key",
            "`labels.merge_request.queued` may not hold a comma",
        ] {
            assert!(
                problem.what.contains(expected),
                "{expected}\n---\n{}",
                problem.what
            );
        }
    }

    #[test]
    fn text_that_is_not_yaml_is_refused_with_its_place() {
        let problem = Config::parse("roles: [").unwrap_err();
        assert!(problem.what.contains("line"), "{}", problem.what);
    }
}
