//! Do the jobs fit together: stages exist, needed jobs exist and come first, nothing waits for itself.

use std::collections::BTreeMap;

use super::definition::{ChildInclude, Downstream, JobKind};
use super::entry::{JobEntry, NeedEntry};

/// GitLab's limit for names that are needed.
const MAX_NEED_NAME: usize = 255;

/// The first thing that does not fit, as GitLab words it.
pub(super) fn check(stages: &[String], jobs: &[JobEntry]) -> Result<(), String> {
    let known = Known {
        stages,
        jobs: jobs.iter().map(|job| (job.name.as_str(), job)).collect(),
    };
    for job in jobs {
        known.stage(job)?;
        for dependency in job.dependencies.iter().flatten() {
            known.dependency(job, dependency, "dependency", false)?;
        }
        known.needs(job, job.needs.as_deref().unwrap_or_default())?;
        for rule in job.rules.iter().flatten() {
            known.needs(job, rule.needs.as_deref().unwrap_or_default())?;
        }
        known.child(job)?;
        known.on_stop(job)?;
    }
    circles(jobs)
}

struct Known<'a> {
    stages: &'a [String],
    jobs: BTreeMap<&'a str, &'a JobEntry>,
}

impl Known<'_> {
    fn stage(&self, job: &JobEntry) -> Result<(), String> {
        if self.stages.contains(&job.stage) {
            return Ok(());
        }
        Err(format!(
            "{} job: chosen stage {} does not exist; available stages are {}",
            job.name,
            job.stage,
            self.stages.join(", ")
        ))
    }

    fn stage_index(&self, job: &JobEntry) -> Option<usize> {
        self.stages.iter().position(|stage| *stage == job.stage)
    }

    fn dependency(
        &self,
        job: &JobEntry,
        name: &str,
        kind: &str,
        optional: bool,
    ) -> Result<(), String> {
        let Some(other) = self.jobs.get(name) else {
            return if optional {
                Ok(())
            } else {
                Err(format!("{} job: undefined {kind}: {name}", job.name))
            };
        };
        if kind == "need" && name.chars().count() > MAX_NEED_NAME {
            return Err(format!(
                "{} job: need `{name}` name is too long (maximum is {MAX_NEED_NAME} characters)",
                job.name
            ));
        }
        let in_time = self
            .stage_index(other)
            .is_some_and(|index| Some(index) <= self.stage_index(job));
        if in_time {
            return Ok(());
        }
        Err(format!(
            "{} job: {kind} {name} is not defined in current or prior stages",
            job.name
        ))
    }

    fn needs(&self, job: &JobEntry, needs: &[NeedEntry]) -> Result<(), String> {
        let mut seen = Vec::new();
        let mut doubled = Vec::new();
        for need in needs {
            self.dependency(job, &need.name, "need", need.optional)?;
            if seen.contains(&need.name.as_str()) && !doubled.contains(&need.name.as_str()) {
                doubled.push(need.name.as_str());
            }
            seen.push(need.name.as_str());
        }
        if doubled.is_empty() {
            return Ok(());
        }
        Err(format!(
            "{} has the following needs duplicated: {}.",
            job.name,
            doubled.join(", ")
        ))
    }

    fn child(&self, job: &JobEntry) -> Result<(), String> {
        let JobKind::Bridge(bridge) = &job.kind else {
            return Ok(());
        };
        let Downstream::Child(includes) = &bridge.downstream else {
            return Ok(());
        };
        for include in includes {
            if let ChildInclude::Artifact { job: producer, .. } = include {
                self.dependency(job, producer, "dependency", false)?;
            }
        }
        Ok(())
    }

    fn on_stop(&self, job: &JobEntry) -> Result<(), String> {
        let Some(environment) = &job.environment else {
            return Ok(());
        };
        let Some(on_stop) = &environment.on_stop else {
            return Ok(());
        };
        let fault = |what: &str| Err(format!("{} job: on_stop job {on_stop} {what}", job.name));
        let Some(stop) = self.jobs.get(on_stop.as_str()) else {
            return fault("is not defined");
        };
        let Some(stopped) = &stop.environment else {
            return fault("does not have environment defined");
        };
        if stopped.name != environment.name {
            return fault("have different environment name");
        }
        if stopped.action != "stop" {
            return fault("needs to have action stop defined");
        }
        Ok(())
    }
}

fn circles(jobs: &[JobEntry]) -> Result<(), String> {
    let graph: BTreeMap<&str, Vec<&str>> = jobs
        .iter()
        .map(|job| {
            (
                job.name.as_str(),
                job.needs
                    .iter()
                    .flatten()
                    .map(|need| need.name.as_str())
                    .collect(),
            )
        })
        .collect();
    let mut done = Vec::new();
    for job in jobs {
        visit(&job.name, &graph, &mut Vec::new(), &mut done)
            .map_err(|circle| format!("The pipeline has circular dependencies: {circle}"))?;
    }
    Ok(())
}

fn visit<'a>(
    name: &'a str,
    graph: &BTreeMap<&'a str, Vec<&'a str>>,
    path: &mut Vec<&'a str>,
    done: &mut Vec<&'a str>,
) -> Result<(), String> {
    if done.contains(&name) {
        return Ok(());
    }
    if let Some(start) = path.iter().position(|before| *before == name) {
        return Err(format!("topological sort failed: {:?}", &path[start..]));
    }
    let Some(needs) = graph.get(name) else {
        return Ok(());
    };
    if needs.contains(&name) {
        return Err(format!("self-dependency: {name}"));
    }
    path.push(name);
    for need in needs {
        visit(need, graph, path, done)?;
    }
    path.pop();
    done.push(name);
    Ok(())
}
