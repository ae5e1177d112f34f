//! References among a job's variables: `$NAME` and `${NAME}`, in any order, a name meaning the last variable so called.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

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

fn resolve(variables: &[JobVariable], at: usize, path: &mut Vec<usize>) -> String {
    let variable = &variables[at];
    let Some(reference) = REFERENCE
        .as_ref()
        .filter(|_| !variable.raw && !variable.file)
    else {
        return variable.value.clone();
    };
    reference
        .replace_all(&variable.value, |found: &Captures<'_>| {
            if found.name("escaped").is_some() {
                return "$".to_owned();
            }
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
            let target = variables[..end]
                .iter()
                .rposition(|other| other.key == name)
                .filter(|target| !path.contains(target));
            let Some(target) = target else {
                return String::new();
            };
            path.push(target);
            let value = resolve(variables, target, path);
            path.pop();
            value
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
}
