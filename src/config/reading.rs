//! Reads a YAML mapping key by key, keeping every problem with its path instead of stopping at the first.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "serde_yaml's own enum: every other kind is equally wrong"
)]

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use semver::Version;
use serde_yaml::{Mapping, Value};

/// One mapping of the file, its path, and the problems found below it.
pub(super) struct Section {
    path: String,
    map: Mapping,
    known: Vec<String>,
    problems: Vec<String>,
}

impl Section {
    /// The whole file. An empty one is an empty mapping.
    pub(super) fn document(text: &str) -> Result<Self, String> {
        match serde_yaml::from_str::<Value>(text) {
            Ok(Value::Mapping(map)) => Ok(Self::new(String::new(), map)),
            Ok(Value::Null) => Ok(Self::new(String::new(), Mapping::new())),
            Ok(_) => Err("the file is not a mapping of keys to values".to_owned()),
            Err(error) => Err(format!("it is not valid YAML: {error}")),
        }
    }

    fn new(path: String, map: Mapping) -> Self {
        Self {
            path,
            map,
            known: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The problems, unknown keys among them.
    pub(super) fn finish(mut self) -> Vec<String> {
        for key in self.map.keys() {
            match key {
                Value::String(name) if self.known.contains(name) => {}
                Value::String(name) => self
                    .problems
                    .push(format!("`{}` is not a key of this file", self.at(name))),
                other => self
                    .problems
                    .push(format!("a key of `{}` is not a text: {other:?}", self.path)),
            }
        }
        self.problems
    }

    /// A nested mapping; absent is the same as empty.
    pub(super) fn section<T>(&mut self, key: &str, read: impl FnOnce(&mut Section) -> T) -> T {
        let path = self.at(key);
        let map = match self.take(key) {
            Some(Value::Mapping(map)) => map,
            Some(_) => {
                self.problems.push(format!("`{path}` is not a mapping"));
                Mapping::new()
            }
            None => Mapping::new(),
        };
        let mut section = Section::new(path, map);
        let value = read(&mut section);
        self.problems.extend(section.finish());
        value
    }

    /// A nested mapping, or that there is none.
    pub(super) fn optional_section<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Section) -> T,
    ) -> Option<T> {
        self.holds(key).then(|| self.section(key, read))
    }

    /// Whether a key has a value.
    pub(super) fn holds(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(|value| !value.is_null())
    }

    /// A problem of this mapping as a whole.
    pub(super) fn problem(&mut self, what: &str) {
        self.problems.push(format!("`{}` {what}", self.path));
    }

    /// Names no key of this mapping as unknown: which ones are known could not be told.
    pub(super) fn ignore_the_rest(&mut self) {
        let keys = self.map.keys().filter_map(Value::as_str);
        self.known.extend(keys.map(str::to_owned));
    }

    /// A mapping whose keys are names chosen by the project.
    pub(super) fn entries<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&str, &mut Section) -> Option<T>,
    ) -> Vec<T> {
        self.section(key, |section| {
            let names: Vec<String> = section
                .map
                .keys()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect();
            names
                .iter()
                .filter_map(|name| section.section(name, |entry| read(name, entry)))
                .collect()
        })
    }

    /// A list of mappings.
    pub(super) fn items<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Section) -> T,
    ) -> Vec<T> {
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Sequence(items)) => items,
            Some(_) => {
                self.wrong::<()>(key, "is not a list");
                return Vec::new();
            }
        };
        let mut values = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let path = format!("{}[{index}]", self.at(key));
            match item {
                Value::Mapping(map) => {
                    let mut section = Section::new(path, map);
                    values.push(read(&mut section));
                    self.problems.extend(section.finish());
                }
                _ => self.problems.push(format!("`{path}` is not a mapping")),
            }
        }
        values
    }

    /// Says what is wrong with the whole mapping.
    pub(super) fn refuse(&mut self, what: &str) {
        self.problems.push(format!("`{}` {what}", self.path));
    }

    /// Checks the name of an entry.
    pub(super) fn parse_key<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        name: &str,
    ) -> Option<T> {
        name.parse()
            .map_err(|error| self.problems.push(format!("`{}`: {error}", self.path)))
            .ok()
    }

    /// One lower-case word, `_` allowed.
    pub(super) fn word(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        if text.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            Some(text)
        } else {
            self.wrong(
                key,
                &format!("is `{text}`; it is one lower-case word such as `issue` or `task`"),
            )
        }
    }

    /// Checks that the name of an entry is one of a list.
    pub(super) fn known_name(&mut self, name: &str, names: &BTreeSet<&str>) -> Option<()> {
        if names.contains(name) {
            return Some(());
        }
        let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        self.ignore_the_rest();
        self.problem(&format!(
            "is nothing that channels are told; it may be {}",
            enumerated(&known)
        ));
        None
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            _ => self.wrong(key, "is not a text (quote it)"),
        }
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        match self.take(key)? {
            Value::Bool(flag) => Some(flag),
            _ => self.wrong(key, "is not `true` or `false`"),
        }
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        self.list(key, |text| Ok::<_, String>(text.to_owned()))
    }

    pub(super) fn id<T: FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Option<T> {
        let text = self.text(key)?;
        text.parse()
            .map_err(|error| self.wrong::<()>(key, &format!(": {error}")))
            .ok()
    }

    pub(super) fn ids<T: FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Vec<T> {
        self.list(key, str::parse)
    }

    pub(super) fn choice<T: Clone>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(value.clone());
        }
        let names: Vec<String> = choices
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        self.wrong(
            key,
            &format!("is `{text}`; it may be {}", enumerated(&names)),
        )
    }

    /// A list of such choices.
    pub(super) fn choices<T: Clone>(&mut self, key: &str, choices: &[(&str, T)]) -> Vec<T> {
        let names: Vec<String> = choices
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        let mut values = Vec::new();
        for (index, text) in self.texts(key).iter().enumerate() {
            match choices.iter().find(|(name, _)| name == text) {
                Some((_, value)) => values.push(value.clone()),
                None => self.problems.push(format!(
                    "`{}[{index}]` is `{text}`; it may be {}",
                    self.at(key),
                    enumerated(&names)
                )),
            }
        }
        values
    }

    /// A list of names, or that there is none: an empty list says something else.
    pub(super) fn optional_ids<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        key: &str,
    ) -> Option<Vec<T>> {
        let given = self.holds(key);
        let ids = self.ids(key);
        given.then_some(ids)
    }

    /// A text with a rule of its own; its error goes on after the path.
    pub(super) fn checked<T>(
        &mut self,
        key: &str,
        check: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key)?;
        match check(&text) {
            Ok(value) => Some(value),
            Err(why) => self.wrong(key, &why),
        }
    }

    /// A time of day, quoted: unquoted, YAML reads some of them as numbers.
    pub(super) fn time(&mut self, key: &str) -> Option<Time> {
        self.checked(key, |text| {
            super::freezes::clock(text)
                .ok_or_else(|| format!("is `{text}`; a time of day looks like `'08:30'`"))
        })
    }

    /// A whole number within limits.
    pub(super) fn number(&mut self, key: &str, limits: RangeInclusive<u32>) -> Option<u32> {
        let value = self.take(key)?;
        let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
        match number.filter(|n| limits.contains(n)) {
            Some(number) => Some(number),
            None => self.wrong(
                key,
                &format!(
                    "is not a number from {} to {}",
                    limits.start(),
                    limits.end()
                ),
            ),
        }
    }

    /// A name that may stand in the environment scope of a CI variable without being a pattern.
    pub(super) fn scope_name(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        let fits = text.len() <= 60
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if fits {
            Some(text)
        } else {
            self.wrong(
                key,
                "may hold letters, digits, `-` and `_` only, at most 60",
            )
        }
    }

    /// The title of a label, as GitLab takes it in a list.
    pub(super) fn label(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        if text.contains(',') || text.len() > 255 || text.trim() != text {
            return self.wrong(
                key,
                "may not hold a comma, spaces at its ends, or more than 255 characters",
            );
        }
        Some(text)
    }

    /// What stands before a version's number in its tag: it is handed on to later jobs, where nothing may read it as more than text.
    pub(super) fn tag_prefix(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        let fits = text.len() <= 60
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c));
        if fits {
            Some(text)
        } else {
            self.wrong(
                key,
                "may hold letters, digits, `.`, `_`, `/` and `-` only, at most 60",
            )
        }
    }

    pub(super) fn version(&mut self, key: &str) -> Option<Version> {
        match self.take(key)? {
            Value::String(text) => match Version::parse(&text) {
                Ok(version) => Some(version),
                Err(error) => self.wrong(
                    key,
                    &format!("is `{text}`, not a semantic version: {error}"),
                ),
            },
            _ => self.wrong(
                key,
                "must be quoted: unquoted, YAML reads `1.10` as the number 1.1",
            ),
        }
    }

    pub(super) fn duration(&mut self, key: &str) -> Option<SignedDuration> {
        let text = self.text(key)?;
        // A day of a duration is 24 hours, whatever the clocks do.
        let duration = text
            .parse::<Span>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
        match duration {
            Ok(duration) if duration > SignedDuration::ZERO => Some(duration),
            Ok(_) | Err(_) => self.wrong(
                key,
                &format!("is `{text}`; a duration looks like `90m`, `4h` or `3d`"),
            ),
        }
    }

    fn list<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Sequence(items)) => items,
            Some(_) => {
                self.wrong::<()>(key, "is not a list");
                return Vec::new();
            }
        };
        let mut values = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item.as_str().map(&read) {
                Some(Ok(value)) => values.push(value),
                Some(Err(error)) => self
                    .problems
                    .push(format!("`{}[{index}]`: {error}", self.at(key))),
                None => self.problems.push(format!(
                    "`{}[{index}]` is not a text (quote it)",
                    self.at(key)
                )),
            }
        }
        values
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.push(key.to_owned());
        self.map.get(key).filter(|value| !value.is_null()).cloned()
    }

    fn wrong<T>(&mut self, key: &str, what: &str) -> Option<T> {
        let space = if what.starts_with(':') { "" } else { " " };
        self.problems
            .push(format!("`{}`{space}{what}", self.at(key)));
        None
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

/// Names in a row: the last one after "or".
fn enumerated(names: &[String]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
    }
}
