//! Variables inside texts: `$NAME`, `${NAME}` and, as GitLab's server does it, `%NAME%`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use super::definition::Variables;
use super::expression::Names;
use super::source::Source;

/// What becomes of a reference to a variable that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    Blank,
    Kept,
}

/// Replaces the references in a text.
pub(super) fn expand(text: &str, variables: &BTreeMap<String, String>, unknown: Unknown) -> String {
    static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\$(?<plain>[a-zA-Z_][a-zA-Z0-9_]*)|\$\{(?<braced>[a-zA-Z_][a-zA-Z0-9_]*)\}|%(?<percent>[a-zA-Z_][a-zA-Z0-9_]*)%")
            .expect("the pattern is a literal that compiles")
    });
    REFERENCE
        .replace_all(text, |found: &Captures<'_>| {
            match (name(found).and_then(|name| variables.get(name)), unknown) {
                (Some(value), Unknown::Blank | Unknown::Kept) => value.clone(),
                (None, Unknown::Blank) => String::new(),
                (None, Unknown::Kept) => found[0].to_owned(),
            }
        })
        .into_owned()
}

fn name<'a>(found: &'a Captures<'_>) -> Option<&'a str> {
    ["plain", "braced", "percent"]
        .iter()
        .find_map(|group| found.name(group))
        .map(|name| name.as_str())
}

/// References inside the value of a variable; `$$` and `%%` stand for themselves there.
static NESTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$\$|%%|\$(?<plain>[a-zA-Z_][a-zA-Z0-9_]*)|\$\{(?<braced>[a-zA-Z_][a-zA-Z0-9_]*)\}|%(?<percent>[a-zA-Z_][a-zA-Z0-9_]*)%")
        .expect("the pattern is a literal that compiles")
});

/// All variables that hold at one place of the configuration, weakest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    key: String,
    value: String,
    raw: bool,
}

impl Scope {
    /// Predefined variables, below the configuration's, below those set outside.
    pub(super) fn new(
        source: &Source<'_>,
        job: &[(&str, String)],
        configured: &[&Variables],
    ) -> Self {
        let mut scope = Self::default();
        for (key, value) in source.predefined {
            scope.push(key, value, false);
        }
        for (key, value) in job {
            scope.push(key, value, false);
        }
        for variable in configured.iter().copied().flatten() {
            scope.push(&variable.key, &variable.value, variable.raw);
        }
        for (key, assigned) in source.assigned {
            scope.push(key, &assigned.value, assigned.raw);
        }
        scope
    }

    fn push(&mut self, key: &str, value: &str, raw: bool) {
        self.entries.push(Entry {
            key: key.to_owned(),
            value: value.to_owned(),
            raw,
        });
    }

    /// The variables as they stand, their own references not expanded.
    pub(super) fn plain(&self) -> BTreeMap<String, String> {
        self.entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.value.clone()))
            .collect()
    }

    /// The variables with references among them expanded; the error names those that go round in a circle.
    pub(super) fn expanded(&self) -> Result<BTreeMap<String, String>, String> {
        let mut values = vec![None; self.entries.len()];
        for at in 0..self.entries.len() {
            self.resolve(at, &mut values, &mut Vec::new())?;
        }
        Ok(self
            .entries
            .iter()
            .zip(values)
            .map(|(entry, value)| (entry.key.clone(), value.unwrap_or_default()))
            .collect())
    }

    fn resolve(
        &self,
        at: usize,
        values: &mut Vec<Option<String>>,
        path: &mut Vec<usize>,
    ) -> Result<(), String> {
        if values[at].is_some() {
            return Ok(());
        }
        if let Some(start) = path.iter().position(|&before| before == at) {
            let mut round: Vec<&str> = path[start..]
                .iter()
                .map(|&at| self.entries[at].key.as_str())
                .collect();
            round.sort_unstable();
            return Err(format!("circular variable reference detected: {round:?}"));
        }
        let entry = &self.entries[at];
        if entry.raw {
            values[at] = Some(entry.value.clone());
            return Ok(());
        }
        path.push(at);
        let mut known = BTreeMap::new();
        for found in NESTED.captures_iter(&entry.value) {
            let Some(name) = name(&found) else { continue };
            // A variable that mentions itself means the weaker one of the same name.
            let end = if name == entry.key {
                at
            } else {
                self.entries.len()
            };
            let Some(target) = self.entries[..end]
                .iter()
                .rposition(|other| other.key == name)
            else {
                continue;
            };
            self.resolve(target, values, path)?;
            known.insert(name.to_owned(), values[target].clone().unwrap_or_default());
        }
        path.pop();
        let value = NESTED.replace_all(&entry.value, |found: &Captures<'_>| match name(found) {
            Some(name) => known.get(name).cloned().unwrap_or_default(),
            None => found[0].to_owned(),
        });
        values[at] = Some(value.into_owned());
        Ok(())
    }
}

impl Names for Scope {
    fn variable(&self, name: &str) -> Option<String> {
        self.entries
            .iter()
            .rev()
            .find(|entry| entry.key == name)
            .map(|entry| entry.value.clone())
    }

    fn input(&self, _name: &str) -> Option<Value> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(entries: &[(&str, &str)]) -> Scope {
        let mut scope = Scope::default();
        for (key, value) in entries {
            scope.push(key, value, key.starts_with("RAW"));
        }
        scope
    }

    #[test]
    fn references_are_replaced() {
        let variables = BTreeMap::from([
            ("A".to_owned(), "x".to_owned()),
            ("B_1".to_owned(), "y".to_owned()),
        ]);
        let cases = [
            ("$A-${B_1}", "x-y", "x-y"),
            ("%A%", "x", "x"),
            ("$C", "", "$C"),
            ("a${C}b", "ab", "a${C}b"),
            ("$$A", "$x", "$x"),
            ("$1 100% $", "$1 100% $", "$1 100% $"),
        ];
        for (text, blank, kept) in cases {
            assert_eq!(expand(text, &variables, Unknown::Blank), blank, "{text}");
            assert_eq!(expand(text, &variables, Unknown::Kept), kept, "{text}");
        }
    }

    #[test]
    fn variables_may_refer_to_each_other_in_any_order() {
        let values = scope(&[
            ("A", "$B/a"),
            ("B", "${C}b"),
            ("C", "c"),
            ("D", "$$A $MISSING."),
            ("RAW_E", "$C"),
            ("F", "$RAW_E"),
        ])
        .expanded()
        .expect("no circle");
        assert_eq!(values["A"], "cb/a");
        assert_eq!(values["D"], "$$A .");
        assert_eq!(values["RAW_E"], "$C");
        assert_eq!(values["F"], "$C");
    }

    #[test]
    fn a_variable_may_extend_the_weaker_one_of_its_name() {
        let scope = scope(&[
            ("TARGET", "base"),
            ("TARGET", "$TARGET/more"),
            ("SELF", "$SELF!"),
        ]);
        let values = scope.expanded().expect("no circle");
        assert_eq!(values["TARGET"], "base/more");
        assert_eq!(values["SELF"], "!");
        assert_eq!(scope.variable("TARGET").as_deref(), Some("$TARGET/more"));
    }

    #[test]
    fn circles_are_errors() {
        let error = scope(&[("B", "$A"), ("A", "$B")])
            .expanded()
            .expect_err("a circle");
        assert_eq!(
            error,
            "circular variable reference detected: [\"A\", \"B\"]"
        );
    }
}
