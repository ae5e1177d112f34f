//! References among a job's variables: `$NAME` and `${NAME}`, in any order, a name meaning the last variable so called.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use super::JobVariable;

static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\$(?:(?<escaped>\$)|(?<plain>[a-zA-Z_][a-zA-Z0-9_]*)|\{(?<braced>[a-zA-Z_][a-zA-Z0-9_]*)\})").ok()
});

/// The variables with all references put in place, each key once. Circles and unknown names become empty.
pub(crate) fn expanded(variables: &[JobVariable]) -> BTreeMap<String, JobVariable> {
    let mut done = BTreeMap::new();
    for (at, variable) in variables.iter().enumerate() {
        let value = resolve(variables, at, &mut vec![at]);
        let finished = JobVariable {
            value,
            ..variable.clone()
        };
        done.insert(variable.key.clone(), finished);
    }
    done
}

/// A text with references to finished variables put in place; unknown names become empty.
pub(crate) fn substituted(text: &str, variables: &BTreeMap<String, JobVariable>) -> String {
    let mut scope: Vec<JobVariable> = variables
        .values()
        .map(|variable| JobVariable {
            raw: true,
            ..variable.clone()
        })
        .collect();
    scope.push(JobVariable::new("", text));
    resolve(&scope, scope.len() - 1, &mut Vec::new())
}

/// The same for every text inside a value.
pub(crate) fn substituted_in(value: &Value, variables: &BTreeMap<String, JobVariable>) -> Value {
    match value {
        Value::String(text) => Value::from(substituted(text, variables)),
        Value::Array(items) => items
            .iter()
            .map(|item| substituted_in(item, variables))
            .collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), substituted_in(value, variables)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The variables as an outside runner gets them, each key once: references to plain variables are put in place, those to files,
/// raw and unknown variables are left to the runner, which puts them in place in turn.
pub(crate) fn for_runner(variables: &[JobVariable]) -> Vec<JobVariable> {
    let mut done: Vec<JobVariable> = Vec::new();
    for (at, variable) in variables.iter().enumerate() {
        let value = partly(variables, at, &mut vec![at]);
        done.retain(|other| other.key != variable.key);
        done.push(JobVariable {
            value,
            ..variable.clone()
        });
    }
    done
}

fn partly(variables: &[JobVariable], at: usize, path: &mut Vec<usize>) -> String {
    replaced(variables, at, |found, target| {
        let whole = || found[0].to_owned();
        let Some(target) = target.filter(|target| !path.contains(target)) else {
            return whole();
        };
        if variables[target].raw || variables[target].file {
            return whole();
        }
        path.push(target);
        let value = partly(variables, target, path);
        path.pop();
        value
    })
}

fn resolve(variables: &[JobVariable], at: usize, path: &mut Vec<usize>) -> String {
    replaced(variables, at, |found, target| {
        if found.name("escaped").is_some() {
            return "$".to_owned();
        }
        let Some(target) = target.filter(|target| !path.contains(target)) else {
            return String::new();
        };
        path.push(target);
        let value = resolve(variables, target, path);
        path.pop();
        value
    })
}

/// The value of a variable with something in place of each reference, given what it refers to.
fn replaced(
    variables: &[JobVariable],
    at: usize,
    mut substitute: impl FnMut(&Captures<'_>, Option<usize>) -> String,
) -> String {
    let variable = &variables[at];
    let Some(reference) = REFERENCE
        .as_ref()
        .filter(|_| !variable.raw && !variable.file)
    else {
        return variable.value.clone();
    };
    reference
        .replace_all(&variable.value, |found: &Captures<'_>| {
            let name = ["plain", "braced"]
                .iter()
                .find_map(|group| found.name(group))
                .map_or("", |name| name.as_str());
            // A variable that mentions itself means the weaker one of its name.
            let end = if name == variable.key {
                at
            } else {
                variables.len()
            };
            let target = variables[..end].iter().rposition(|other| other.key == name);
            substitute(found, target)
        })
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_followed_in_any_order_and_circles_are_empty() {
        let variables = [
            JobVariable::new("A", "$B/${C}"),
            JobVariable::new("B", "b"),
            JobVariable::new("C", "$MISSING$$5"),
            JobVariable::new("B", "$B+"),
            JobVariable::literal("R", "$B"),
            JobVariable::new("X", "$Y"),
            JobVariable::new("Y", "y$X"),
        ];
        let values = expanded(&variables);
        assert_eq!(values["A"].value, "b+/$5");
        assert_eq!(values["B"].value, "b+");
        assert_eq!(values["R"].value, "$B");
        assert_eq!(values["X"].value, "y");
    }

    #[test]
    fn an_outside_runner_gets_what_only_it_can_put_in_place() {
        let file = JobVariable {
            file: true,
            ..JobVariable::new("FILE", "content")
        };
        let variables = [
            JobVariable::new("A", "$B $FILE $RAW $MISSING $$5"),
            JobVariable::new("B", "old"),
            JobVariable::new("B", "$B+"),
            JobVariable::literal("RAW", "$B"),
            file,
        ];
        let found = for_runner(&variables);
        let value = |key: &str| &found.iter().find(|one| one.key == key).unwrap().value;
        assert_eq!(value("A"), "old+ $FILE $RAW $MISSING $$5");
        assert_eq!(value("B"), "old+");
        assert_eq!(found.len(), 4);
    }
}
