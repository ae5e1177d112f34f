//! Parallel jobs become several jobs, and whoever names one of them names them all.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::definition::Variable;
use super::entry::{Instance, JobEntry, NeedEntry, Parallel, matrix_instances};

/// Multiplies the jobs; the errors are those of `$[[ matrix.NAME ]]` in needs.
pub(super) fn multiply(jobs: Vec<JobEntry>) -> Result<Vec<JobEntry>, Vec<String>> {
    let parallel: BTreeMap<String, Vec<Instance>> = jobs
        .iter()
        .filter_map(|job| {
            Some((
                job.name.clone(),
                matrix_instances(&job.name, job.parallel.as_ref()?),
            ))
        })
        .collect();
    let mut errors = Vec::new();
    let mut multiplied = Vec::new();
    for job in jobs {
        match parallel.get(&job.name) {
            None => multiplied.push(rename(job.clone(), &job.name, &parallel, &mut errors)),
            Some(instances) => {
                for instance in instances {
                    multiplied.push(rename(
                        one_of(&job, instance),
                        &job.name,
                        &parallel,
                        &mut errors,
                    ));
                }
            }
        }
    }
    errors.dedup();
    if errors.is_empty() {
        Ok(multiplied)
    } else {
        Err(errors)
    }
}

fn one_of(job: &JobEntry, instance: &Instance) -> JobEntry {
    let mut job = job.clone();
    job.name.clone_from(&instance.name);
    job.instance = Some((instance.index, instance.total));
    for (key, value) in &instance.variables {
        job.variables.retain(|variable| variable.key != *key);
        job.variables.push(Variable {
            key: key.clone(),
            value: value.clone(),
            raw: false,
        });
    }
    job
}

fn rename(
    mut job: JobEntry,
    name: &str,
    parallel: &BTreeMap<String, Vec<Instance>>,
    errors: &mut Vec<String>,
) -> JobEntry {
    if let Some(needs) = &mut job.needs {
        let variables: BTreeMap<&str, &str> = job
            .variables
            .iter()
            .map(|variable| (variable.key.as_str(), variable.value.as_str()))
            .collect();
        for need in needs.iter_mut() {
            put_in_matrix(need, name, &variables, errors);
        }
    }
    if let Some(dependencies) = job.dependencies.take() {
        let renamed =
            dependencies
                .into_iter()
                .flat_map(|dependency| match parallel.get(&dependency) {
                    Some(instances) => instances
                        .iter()
                        .map(|instance| instance.name.clone())
                        .collect(),
                    None => vec![dependency],
                });
        job.dependencies = Some(renamed.collect());
    }
    job.needs = job.needs.map(|needs| multiply_needs(needs, parallel));
    for rule in job.rules.iter_mut().flatten() {
        rule.needs = rule
            .needs
            .take()
            .map(|needs| multiply_needs(needs, parallel));
    }
    job
}

fn multiply_needs(
    needs: Vec<NeedEntry>,
    parallel: &BTreeMap<String, Vec<Instance>>,
) -> Vec<NeedEntry> {
    let multiplied = needs.into_iter().flat_map(|need| {
        let Some(all) = parallel.get(&need.name) else {
            return vec![need];
        };
        let chosen = need
            .parallel
            .as_ref()
            .map(|parallel| matrix_instances(&need.name, parallel));
        let instances = chosen.as_ref().unwrap_or(all);
        let one = |instance: &Instance| NeedEntry {
            name: instance.name.clone(),
            parallel: None,
            ..need.clone()
        };
        instances.iter().map(one).collect()
    });
    multiplied.collect()
}

fn put_in_matrix(
    need: &mut NeedEntry,
    job: &str,
    variables: &BTreeMap<&str, &str>,
    errors: &mut Vec<String>,
) {
    let mut put = |text: &mut String| *text = matrix_values(text, job, variables, errors);
    put(&mut need.name);
    if let Some(Parallel::Matrix(rows)) = &mut need.parallel {
        rows.iter_mut()
            .flatten()
            .flat_map(|(_, values)| values)
            .for_each(put);
    }
}

fn matrix_values(
    text: &str,
    job: &str,
    variables: &BTreeMap<&str, &str>,
    errors: &mut Vec<String>,
) -> String {
    static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\$\[\[\s*matrix\.([a-zA-Z0-9_-]+)\s*\]\]")
            .expect("the pattern is a literal that compiles")
    });
    let replaced = REFERENCE.replace_all(text, |found: &Captures<'_>| {
        match variables.get(&found[1]) {
            Some(value) => (*value).to_owned(),
            None => {
                errors.push(format!(
                    "{job} job: '{}' does not exist in matrix configuration",
                    &found[1]
                ));
                found[0].to_owned()
            }
        }
    });
    replaced.into_owned()
}
