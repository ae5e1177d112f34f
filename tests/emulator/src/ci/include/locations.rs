//! From the value of `include` to single files: rules decide, lists and wildcards are multiplied, variables put in.

use serde_json::Value;

use super::{Context, Includer};
use crate::ci::entry::{self, Decision};
use crate::ci::expand::{Unknown, expand};
use crate::ci::glob::Glob;
use crate::ci::report::Report;
use crate::ci::rules::{Asked, first_match};
use crate::ci::tree::{Map, get, mapping, wrap};

impl Includer<'_> {
    /// Every file that is to be included, one location each.
    pub(super) fn locations(
        &self,
        include: &Value,
        context: Context<'_>,
    ) -> Result<Vec<Map>, String> {
        let items = wrap(include).into_iter().filter(|item| !item.is_null());
        let normal: Vec<Map> = items
            .map(|item| self.normal(item))
            .collect::<Result<_, _>>()?;
        let mut wanted = Vec::with_capacity(normal.len());
        for location in normal {
            if self.wanted(&location, context)? {
                wanted.push(location);
            }
        }
        let single = wanted
            .into_iter()
            .flat_map(|location| self.single(location, context));
        Ok(single.map(|location| self.put_all(location)).collect())
    }

    fn normal(&self, item: &Value) -> Result<Map, String> {
        if let Some(map) = mapping(item) {
            return Ok(map.clone());
        }
        let Some(text) = item.as_str() else {
            return Err("Each include must be a hash or a string".to_owned());
        };
        let text = self.put(text);
        let remote = text.starts_with("http://") || text.starts_with("https://");
        let kind = if remote { "remote" } else { "local" };
        Ok(Map::from_iter([(kind.to_owned(), text.into())]))
    }

    fn wanted(&self, location: &Map, context: Context<'_>) -> Result<bool, String> {
        let Some(rules) = get(location, "rules").filter(|rules| **rules != Value::Bool(false))
        else {
            return Ok(true);
        };
        let mut report = Report::default();
        let rules = entry::include_rules(&mut report, rules);
        if let Some(error) = report.errors.into_iter().next() {
            return Err(format!("include:{error}"));
        }
        let asked = Asked {
            source: self.source,
            files: context.files,
            scope: &self.scope,
        };
        let rule = first_match(&rules, &asked).map_err(|error| format!("include:{error}"))?;
        Ok(rule.is_some_and(|rule| rule.when != Some(Decision::Never)))
    }

    fn single(&self, location: Map, context: Context<'_>) -> Vec<Map> {
        let with = |key: &str, value: Value| {
            let mut one = location.clone();
            one.insert(key.to_owned(), value);
            one
        };
        if get(&location, "project").is_some_and(|project| *project != Value::Bool(false)) {
            let files = wrap(location.get("file").unwrap_or(&Value::Null));
            return files
                .into_iter()
                .map(|file| with("file", file.clone()))
                .collect();
        }
        let pattern = get(&location, "local")
            .and_then(Value::as_str)
            .filter(|path| path.contains('*'));
        let Some(pattern) = pattern else {
            return vec![location];
        };
        let glob = Glob::of_include(pattern.trim_start_matches('/'));
        let paths = context.files.local_paths().into_iter();
        paths
            .filter(|path| glob.is_match(path))
            .filter(|path| !self.locals.contains(&(context.number, path.clone())))
            .map(|path| with("local", path.into()))
            .collect()
    }

    fn put(&self, text: &str) -> String {
        expand(text, &self.variables, Unknown::Blank)
    }

    fn put_all(&self, location: Map) -> Map {
        let put = |value: Value| match value.as_str() {
            Some(text) => Value::String(self.put(text)),
            None => value,
        };
        let put_in_list = |value: Value| match value {
            Value::Array(list) => list.into_iter().map(put).collect(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => put(value),
        };
        location
            .into_iter()
            .map(|(key, value)| (key, put_in_list(value)))
            .collect()
    }
}
