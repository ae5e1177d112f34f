//! The section `nrt`: the environment, its trials and who decides on them.

use jiff::SignedDuration;

use super::reading::Section;
use super::validation::Role;
use super::yard::{self, NrtEnvironment};
use crate::domain::ids::RoleName;
use crate::domain::naming::tags::Tags;
use crate::domain::trial_verdict::DecidedBy;
use crate::domain::trials::Policy;

/// The role that says whether a trial passed, where the project has one of this name and names no other.
const USUAL_DECIDER: &str = "qa";

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

impl Nrt {
    /// Reads the section; absent keys have their usual values, which depend on the roles that there are.
    pub(super) fn read(s: &mut Section, roles: &[Role]) -> Self {
        Self {
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
        }
    }
}
