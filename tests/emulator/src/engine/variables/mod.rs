//! The variables of pipelines and jobs, composed in GitLab's order: whatever comes later wins.
//!
//! `predefined` and `merge_request` know the pipeline, `job` adds the job and its runner, `assigned` what people set in
//! projects and groups, `expand` puts references among them in place.

mod assigned;
mod expand;
mod job;
mod merge_request;
mod predefined;

use std::collections::BTreeMap;

use crate::ci::Assigned;
use crate::shared::Shared;
use crate::store::State;
use crate::store::pipelines::{GivenVariable, Pipeline};
use crate::versions::Version;

pub(crate) use self::expand::{expanded, for_runner, substituted, substituted_in};
pub(crate) use self::job::{Running, for_bridge, for_job, for_references, inherited, of_runner};

/// One variable of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobVariable {
    pub(crate) key: String,
    pub(crate) value: String,
    /// The job sees the path of a file with this content.
    pub(crate) file: bool,
    /// Hidden in the trace.
    pub(crate) masked: bool,
    /// References inside the value are left alone.
    pub(crate) raw: bool,
    /// Nobody's secret: predefined, or written in the configuration.
    pub(crate) public: bool,
}

impl JobVariable {
    fn new(key: &str, value: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
            file: false,
            masked: false,
            raw: false,
            public: true,
        }
    }

    /// A variable whose dollar signs are just characters, such as a title somebody wrote.
    pub(crate) fn literal(key: &str, value: impl Into<String>) -> Self {
        Self {
            raw: true,
            ..Self::new(key, value)
        }
    }
}

fn var(key: &str, value: impl Into<String>) -> JobVariable {
    JobVariable::new(key, value)
}

impl From<&GivenVariable> for JobVariable {
    fn from(given: &GivenVariable) -> Self {
        Self {
            key: given.key.clone(),
            value: given.value.clone(),
            file: given.file,
            masked: false,
            raw: given.raw,
            public: false,
        }
    }
}

/// What the server knows of itself and needs for variables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server<'a> {
    pub(crate) url: &'a str,
    pub(crate) version: Version,
}

impl<'a> From<&'a Shared> for Server<'a> {
    fn from(shared: &'a Shared) -> Self {
        Self {
            url: &shared.url,
            version: shared.version,
        }
    }
}

/// What the configuration of a pipeline may refer to: predefined variables, and those set outside the configuration.
pub(super) fn for_configuration(
    server: Server<'_>,
    state: &State,
    pipeline: &Pipeline,
) -> (BTreeMap<String, String>, BTreeMap<String, Assigned>) {
    let predefined = predefined::of_pipeline(server, state, pipeline)
        .into_iter()
        .chain(job::user_variables(state, pipeline.user_id))
        .map(|variable| (variable.key, variable.value))
        .collect();
    let assigned = assigned::of_project(state, pipeline.project_id, pipeline.protected, None)
        .into_iter()
        .chain(given(state, pipeline))
        .map(|variable| {
            let assigned = Assigned {
                value: variable.value,
                raw: variable.raw,
                masked: variable.masked,
            };
            (variable.key, assigned)
        })
        .collect();
    (predefined, assigned)
}

/// Variables given to this very pipeline, and those of its schedule.
fn given(state: &State, pipeline: &Pipeline) -> Vec<JobVariable> {
    let schedule = pipeline
        .schedule_id
        .and_then(|id| state.schedules.get(id))
        .map(|schedule| schedule.variables.as_slice())
        .unwrap_or_default();
    pipeline
        .variables
        .iter()
        .chain(schedule)
        .map(JobVariable::from)
        .collect()
}

/// At most 63 of `a-z0-9-`, without dashes at the ends.
pub(crate) fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let dashed: String = lower
        .chars()
        .map(|char| {
            if char.is_ascii_lowercase() || char.is_ascii_digit() {
                char
            } else {
                '-'
            }
        })
        .take(63)
        .collect();
    dashed.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn slugs_fit_host_names() {
        assert_eq!(super::slug("Feature/42_x!"), "feature-42-x");
        assert_eq!(super::slug(&"a".repeat(70)).len(), 63);
    }
}
