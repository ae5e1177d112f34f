//! From the project's file and the CI variables to one checked configuration. Every problem is reported at once.
//!
//! The only place that reads the environment.

pub mod ci;
mod freezes;
pub mod notification;
pub mod packages;
pub mod publishing;
mod reading;
pub mod versions;
pub mod yard;

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::domain::freezes::Freezes;
use crate::domain::ids::{BranchName, ProjectPath, RoleName};
use crate::domain::integration::Priority;
use crate::domain::labelling::{Labels, Stage};
use crate::domain::linking::{Exemption, LinkPolicy};
use crate::domain::naming::tags::Tags;
use crate::domain::trial_verdict::DecidedBy;
use crate::domain::trials::Policy;
use crate::domain::validation::{Members, RoleRule, When, Who};
use crate::outcome::Problem;
use freezes::Stops;
use notification::Notification;
use reading::Section;
use versions::Versions;
use yard::{Gate, NrtEnvironment};

/// The name of the configuration file, at the root of the target branch.
pub const FILE: &str = ".trainyard.yml";

/// The role that says whether a trial passed, where the project has one of this name and names no other.
const USUAL_DECIDER: &str = "qa";

/// The lanes by name.
const LANES: [(&str, Priority); 4] = [
    ("hotfix", Priority::Hotfix),
    ("high", Priority::High),
    ("normal", Priority::Normal),
    ("low", Priority::Low),
];

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

/// How features are recognised and linked.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Where a bare `#34` points; this project when not given.
    pub project: Option<ProjectPath>,
    /// Projects whose issues may be named beside these; any when not given.
    pub projects: Option<Vec<ProjectPath>>,
    /// The label that makes an issue a feature.
    pub label: Option<String>,
    /// The type that makes an issue a feature, in GitLab's word.
    pub issue_type: Option<String>,
    /// Whether a merge request must name one.
    pub links: LinkPolicy,
    /// Merge requests that need not name one, in the order of the file.
    pub exempt: Vec<Exemption>,
    /// Verbs that mean "closes".
    pub closing_words: Vec<String>,
    /// Verbs that mean "contributes to".
    pub contributing_words: Vec<String>,
}

/// A role and its people.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Its name: jobs are called `validate:<name>` and `reject:<name>`.
    pub name: RoleName,
    /// Who belongs to it.
    pub members: Members,
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

/// How change sets queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Integration {
    /// Labels of features or merge requests, and the lane they lead to.
    pub priorities: Vec<(String, Priority)>,
    /// The label that says that a change breaks what users rely on.
    pub breaking_label: String,
    /// Whether all threads must be resolved.
    pub resolved_threads: bool,
    /// Why nothing may join the queue now.
    pub frozen: Option<String>,
    /// When nothing is tried and nothing lands.
    pub freezes: Freezes,
    /// Roles whose people steer the queue; empty: whoever is a maintainer of the project.
    pub controlled_by: Vec<RoleName>,
    /// Roles whose people may send merge requests to the hotfix lane; empty: whoever may label them.
    pub hotfix_by: Vec<RoleName>,
    /// The label that holds a merge request for as long as it carries it.
    pub hold_label: Option<String>,
}

/// The NRT environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Nrt {
    /// Its name: the namespace of its state.
    pub environment: String,
    /// The project's file with its deployment and test jobs.
    pub pipeline: String,
    /// When a holder that GitLab no longer knows counts as gone.
    pub lease: SignedDuration,
    /// How many change sets are tried together, and what it takes to reject one.
    pub trials: Policy,
    /// How long a job may wait for a resource group that nobody has before that counts as GitLab's fault.
    pub stuck_after: SignedDuration,
    /// Whether `tick` may start a pipeline to make GitLab look again.
    pub kick: bool,
    /// Who says whether a trial passed.
    pub decided_by: DecidedBy,
    /// Roles whose people may say so; empty: whoever GitLab lets play the job.
    pub deciders: Vec<RoleName>,
    /// How test cases name the feature or merge request that they belong to.
    pub tags: Tags,
    /// All environments, where there are several.
    pub environments: Vec<NrtEnvironment>,
    /// Roles whose people may take the environment away from a run; empty: the maintainers of the project.
    pub broken_by: Vec<RoleName>,
}

/// Labels that show where something stands; none unless the project names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageLabels {
    /// On merge requests.
    pub merge_request: Labels,
    /// On features.
    pub feature: Labels,
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
        problems.extend(config.contradictions());
        problems.extend(yard::without_effect(&of_the_yard, &config.gate));
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(problem_of(&problems))
        }
    }

    fn read(root: &mut Section) -> Self {
        let branch = root.id("branch");
        let features = root.section("features", |s| Features {
            project: s.id("project"),
            projects: s.holds("projects").then(|| s.ids("projects")),
            label: s.text("label"),
            issue_type: s.word("type"),
            links: s
                .choice(
                    "links",
                    &[
                        ("required", LinkPolicy::Required),
                        ("warned", LinkPolicy::Warned),
                        ("off", LinkPolicy::Off),
                    ],
                )
                .unwrap_or_default(),
            exempt: s.entries("exempt", |name, e| {
                let exemption = Exemption {
                    name: name.to_owned(),
                    labels: e.texts("labels"),
                    authors: e.ids("authors"),
                    branches: e.ids("branches"),
                };
                if !exemption.has_conditions() {
                    e.problem("sets no condition: give it `labels`, `authors` or `branches`");
                }
                Some(exemption)
            }),
            closing_words: s.texts("closing_words"),
            contributing_words: s.texts("contributing_words"),
        });
        let roles = root.entries("roles", |name, s| {
            let name = s.parse_key::<RoleName>(name)?;
            let access = s.choice(
                "access",
                &[("developer", 30), ("maintainer", 40), ("owner", 50)],
            );
            let (users, groups) = (s.ids("users").into_iter().collect(), s.texts("groups"));
            Some(Role {
                name,
                members: Members {
                    users,
                    groups,
                    access,
                },
            })
        });
        let validation = root.section("validation", validation);
        let (mut integration, freezes) = root.section("integration", |s| {
            let freezes = freezes::read(s, Stops::Lanes);
            let integration = Integration {
                priorities: s.section("priorities", |p| {
                    LANES
                        .iter()
                        .flat_map(|(name, lane)| {
                            p.texts(name).into_iter().map(|label| (label, *lane))
                        })
                        .collect()
                }),
                breaking_label: s
                    .text("breaking_label")
                    .unwrap_or_else(|| "breaking".to_owned()),
                resolved_threads: s.flag("resolved_threads").unwrap_or(false),
                frozen: s.text("frozen"),
                freezes: Freezes::default(),
                controlled_by: s.ids("controlled_by"),
                hotfix_by: s.ids("hotfix_by"),
                hold_label: s.label("hold_label"),
            };
            (integration, freezes)
        });
        let gate = root.section("gate", yard::gate);
        let nrt = root.section("nrt", |s| Nrt {
            environment: s
                .scope_name("environment")
                .unwrap_or_else(|| "nrt".to_owned()),
            pipeline: s
                .text("pipeline")
                .unwrap_or_else(|| "ci/nrt.yml".to_owned()),
            stuck_after: s
                .duration("stuck_after")
                .unwrap_or(SignedDuration::from_mins(10)),
            kick: s.flag("kick").unwrap_or(false),
            broken_by: s.ids("broken_by"),
            lease: s.duration("lease").unwrap_or(SignedDuration::from_hours(4)),
            trials: Policy {
                batch_max: s
                    .number("batch", 1..=100)
                    .map_or(Policy::default().batch_max, |n| n as usize),
                strikes: s
                    .number("strikes", 1..=2)
                    .unwrap_or(Policy::default().strikes),
            },
            decided_by: s
                .choice(
                    "verdict",
                    &[
                        ("tests", DecidedBy::Tests),
                        ("manual", DecidedBy::Person),
                        ("both", DecidedBy::Both),
                    ],
                )
                .unwrap_or_default(),
            deciders: s.optional_ids("roles").unwrap_or_else(|| {
                let usual = roles.iter().map(|role| role.name.clone());
                usual
                    .filter(|role| role.as_str() == USUAL_DECIDER)
                    .collect()
            }),
            tags: Tags::with(s.ids("tags")),
            environments: s
                .items("environments", yard::environment)
                .into_iter()
                .flatten()
                .collect(),
        });
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
        let labels = root.section("labels", |s| StageLabels {
            merge_request: s.section("merge_request", stage_labels),
            feature: s.section("feature", stage_labels),
        });
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

    /// Parts that are fine alone and wrong together.
    fn contradictions(&self) -> Vec<String> {
        let unknown = |list: &[RoleName], path: &str| -> Vec<String> {
            list.iter()
                .filter(|role| !self.roles.iter().any(|known| known.name == **role))
                .map(|role| {
                    format!("`{path}` names the role `{role}`, which `roles` does not define")
                })
                .collect()
        };
        let mut problems = unknown(&self.validation.roles, "validation.roles");
        for (index, rule) in self.validation.rules.iter().enumerate() {
            let path = format!("validation.rules[{index}].roles");
            problems.extend(unknown(&rule.roles, &path));
        }
        problems.extend(unknown(&self.versions.released_by, "versions.released_by"));
        problems.extend(unknown(
            &self.versions.through_freezes_by,
            "versions.through_freezes_by",
        ));
        problems.extend(unknown(&self.nrt.deciders, "nrt.roles"));
        problems.extend(unknown(
            &self.integration.controlled_by,
            "integration.controlled_by",
        ));
        problems.extend(unknown(
            &self.integration.hotfix_by,
            "integration.hotfix_by",
        ));
        problems.extend(unknown(&self.nrt.broken_by, "nrt.broken_by"));
        let roles = self.roles.iter().map(|role| &role.name).collect();
        problems.extend(self.notification.contradictions(&roles));
        for role in &self.roles {
            if role.members == Members::default() {
                problems.push(format!(
                    "`roles.{}` has nobody: give it `users`, `groups` or `access`",
                    role.name
                ));
            }
        }
        problems.extend(self.misused_labels());
        problems.extend(yard::contradictions(
            &self.gate,
            &self.nrt,
            &self.versions.numbering.prefix,
        ));
        problems.extend(packages::contradictions(&self.versions, self.is_yard()));
        problems
    }

    /// A label that something is decided on must not come and go with a stage.
    fn misused_labels(&self) -> Vec<String> {
        let priorities = self.integration.priorities.iter();
        let conditions = self.validation.rules.iter().map(|rule| &rule.when);
        let ruled = conditions.flat_map(|when| when.labels.iter().chain(&when.feature_labels));
        let meaning: Vec<(&str, &str)> = priorities
            .map(|(label, _)| (label.as_str(), "integration.priorities"))
            .chain(
                self.features
                    .label
                    .as_deref()
                    .map(|l| (l, "features.label")),
            )
            .chain([(
                self.integration.breaking_label.as_str(),
                "integration.breaking_label",
            )])
            .chain(
                self.integration
                    .hold_label
                    .as_deref()
                    .map(|label| (label, "integration.hold_label")),
            )
            .chain(ruled.map(|label| (label.as_str(), "validation.rules")))
            .collect();
        let StageLabels {
            merge_request,
            feature,
        } = &self.labels;
        [("merge_request", merge_request), ("feature", feature)]
            .iter()
            .flat_map(|(kind, labels)| labels.all().map(move |label| (*kind, label)))
            .filter_map(|(kind, label)| {
                let (_, user) = meaning.iter().find(|(used, _)| *used == label)?;
                Some(format!("`labels.{kind}` takes the label `{label}` away again, which `{user}` decides on; name another one"))
            })
            .collect()
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

fn validation(s: &mut Section) -> Validation {
    Validation {
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

fn stage_labels(section: &mut Section) -> Labels {
    let named = Stage::ALL.map(|(key, stage)| (stage, section.label(key)));
    Labels::new(
        named
            .into_iter()
            .filter_map(|(stage, label)| Some((stage, label?))),
    )
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
