//! `parallel:`, a number or a matrix, and the jobs that become of it.

use serde_json::Value;

use crate::ci::report::{At, Report};
use crate::ci::tree::{Map, get, mapping, text_of, wrap};

/// GitLab's limit for one job.
const MAX_JOBS: usize = 200;

/// How a job is multiplied.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ci) enum Parallel {
    Number(usize),
    /// Rows of variables, each with all its values.
    Matrix(Vec<Vec<(String, Vec<String>)>>),
}

/// One of the jobs.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ci) struct Instance {
    pub(in crate::ci) name: String,
    /// From 1.
    pub(in crate::ci) index: usize,
    pub(in crate::ci) total: usize,
    pub(in crate::ci) variables: Vec<(String, String)>,
}

/// The jobs with the names GitLab gives them.
pub(in crate::ci) fn matrix_instances(job: &str, parallel: &Parallel) -> Vec<Instance> {
    match parallel {
        Parallel::Number(total) => (1..=*total)
            .map(|index| Instance {
                name: format!("{job} {index}/{total}"),
                index,
                total: *total,
                variables: Vec::new(),
            })
            .collect(),
        Parallel::Matrix(rows) => {
            let combinations: Vec<_> = rows.iter().flat_map(|row| combinations(row)).collect();
            let total = combinations.len();
            let named = combinations.into_iter().enumerate().map(|(at, variables)| {
                let values: Vec<&str> = variables.iter().map(|(_, value)| value.as_str()).collect();
                Instance {
                    name: format!("{job}: [{}]", values.join(", ")),
                    index: at + 1,
                    total,
                    variables,
                }
            });
            named.collect()
        }
    }
}

fn combinations(row: &[(String, Vec<String>)]) -> Vec<Vec<(String, String)>> {
    row.iter().fold(vec![Vec::new()], |before, (key, values)| {
        let extended = before.iter().flat_map(|variables| {
            values.iter().map(move |value| {
                let mut variables: Vec<(String, String)> = variables.clone();
                variables.push((key.clone(), value.clone()));
                variables
            })
        });
        extended.collect()
    })
}

/// Reads `parallel:`; trigger jobs and needs take only a matrix.
pub(super) fn read(
    report: &mut Report,
    at: &At,
    value: &Value,
    only_matrix: bool,
) -> Option<Parallel> {
    if let Some(map) = mapping(value) {
        return matrix(report, at, map);
    }
    if !value.is_number() {
        report.verbatim(format!("{at} should be an integer or a hash"));
        return None;
    }
    let number = value.as_i64();
    let passes = report.passes(|report| {
        match number {
            None => report.config(at, "must be an integer"),
            Some(number) if number < 1 => report.config(at, "must be greater than or equal to 1"),
            Some(number) if number > MAX_JOBS as i64 => {
                report.config(at, &format!("must be less than or equal to {MAX_JOBS}"));
            }
            Some(_) => {}
        }
        if only_matrix {
            report.config(at, "cannot use \"parallel: <number>\".");
        }
    });
    number
        .filter(|_| passes)
        .and_then(|number| usize::try_from(number).ok())
        .map(Parallel::Number)
}

fn matrix(report: &mut Report, at: &At, map: &Map) -> Option<Parallel> {
    let passes = report.passes(|report| {
        report.allowed_keys(at, map, &["matrix"]);
        report.required_keys(at, map, &["matrix"]);
    });
    let rows = get(map, "matrix").filter(|_| passes)?;
    let at = at.key("matrix");
    let Some(rows) = rows
        .as_array()
        .filter(|rows| rows.iter().all(|row| mapping(row).is_some()))
    else {
        report.config(&at, "should be an array of hashes");
        return None;
    };
    let rows: Vec<_> = rows
        .iter()
        .filter_map(mapping)
        .map(|row| variables(report, &at.key("variables"), row))
        .collect();
    let total: usize = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|(_, values)| values.len())
                .product::<usize>()
        })
        .sum();
    if total > MAX_JOBS {
        report.config(
            &at,
            &format!("generates too many jobs (maximum is {MAX_JOBS})"),
        );
        return None;
    }
    Some(Parallel::Matrix(rows))
}

fn variables(report: &mut Report, at: &At, row: &Map) -> Vec<(String, Vec<String>)> {
    let plain = |value: &Value| value.is_string() || value.is_i64();
    if !row
        .values()
        .all(|value| !value.is_null() && wrap(value).into_iter().all(plain))
    {
        report.config(
            at,
            "should be a hash of key value pairs, value can be an array",
        );
    }
    if row.is_empty() {
        report.config(at, "requires at least 1 items");
    }
    row.iter()
        .map(|(key, value)| (key.clone(), wrap(value).into_iter().map(text_of).collect()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_named_as_in_gitlab() {
        let names = |parallel: &Parallel| -> Vec<String> {
            matrix_instances("test", parallel)
                .into_iter()
                .map(|instance| instance.name)
                .collect()
        };
        assert_eq!(names(&Parallel::Number(2)), ["test 1/2", "test 2/2"]);
        let row = |pairs: &[(&str, &[&str])]| -> Vec<(String, Vec<String>)> {
            let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
            pairs
                .iter()
                .map(|(key, values)| ((*key).to_owned(), owned(values)))
                .collect()
        };
        let matrix = Parallel::Matrix(vec![
            row(&[("OS", &["linux", "mac"]), ("ARCH", &["x86", "arm"])]),
            row(&[("OS", &["windows"])]),
        ]);
        assert_eq!(
            names(&matrix),
            [
                "test: [linux, x86]",
                "test: [linux, arm]",
                "test: [mac, x86]",
                "test: [mac, arm]",
                "test: [windows]"
            ]
        );
        assert_eq!(matrix_instances("test", &matrix)[4].total, 5);
    }
}
